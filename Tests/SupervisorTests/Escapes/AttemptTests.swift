import Isolation
import Linux
import Supervisor
import Testing

/// Everything that an isolated task must not be able to do, tried from inside real tasks, and from outside, where it must
/// succeed: what succeeds nowhere proves nothing, and is printed as not testable on this machine.
@Suite(.enabled(if: isRoot, needsRoot)) struct AttemptTests {
  @Test func everyAttemptIsRefusedByTheWholeSandboxAndByEachOfItsWallsAlone() async throws {
    try await withSupervisor { fixture, client in
      let targets = try Targets(fixture)
      let run = ProbeRun(fixture: fixture, client: client)
      let before = try targets.laidState()

      // The sandbox as tasks get it: with the host's ids and with a range of their own, for nobody and for the task's root,
      // and for a command that enters a running task.
      var nobody: [String: [String: String]] = [:]
      for (name, ids) in [("host", nil), ("own", UserNamespaceChecks.range)] as [(String, UserNamespace?)] {
        let outcomes = try await run.outcomes("nobody-\(name)", targets) { $0.userNamespace = ids }
        check(Attempts.all, outcomes, "a task of nobody, \(name) ids")
        nobody[name] = outcomes
        let root = try await run.outcomes("root-\(name)", targets) {
          $0.user = "root"
          $0.userNamespace = ids
        }
        check(Attempts.all.filter { !$0.isNobodys }, root, "a task of root, \(name) ids")
        let session = try await run.outcomesOfSession("session-\(name)", targets) { $0.userNamespace = ids }
        check(Attempts.all, session, "a command in a task of nobody, \(name) ids")
      }
      #expect(try targets.laidState() == before, "a task reached a file of the host")

      // Each wall alone.
      var alone: [Wall: [String: String]] = [:]
      for wall in Wall.allCases {
        let outcomes = try await run.outcomes("only-\(wall)", targets) { $0.leaveOnly(wall) }
        alone[wall] = outcomes
        check(Attempts.all.filter { $0.walls.contains(wall) }, outcomes, "\(wall) alone")
        try targets.resetLaid()
      }

      // The controls: no wall at all. The whole suite must fail there.
      let open = try await run.outcomes("open", targets) { $0.takeWallsAway() }
      try targets.resetLaid()
      let openNobody = try await run.outcomes("open-nobody", targets) { $0.takeWallsAway(user: "nobody") }
      var untestable: [String] = []
      for attempt in Attempts.all {
        let controls = [open, openNobody] + alone.filter { !attempt.walls.contains($0.key) }.values
        if controls.contains(where: { isReached($0[attempt.name]) }) { continue }
        untestable.append("\(attempt.name) (\(open[attempt.name] ?? "-"))")
      }
      let testable = Attempts.all.count - untestable.count
      print("isolation: \(testable) of \(Attempts.all.count) attempts succeed without the walls on this machine")
      print("isolation: not testable here: \(untestable.sorted().joined(separator: ", "))")
      #expect(testable > Attempts.all.count * 3 / 4)

      // The count of what a task can reach, of all that the probe knows. The host's loopback interface is what a job
      // without a network of its own asked for.
      for (ids, outcomes) in nobody.sorted(by: { $0.key < $1.key }) {
        let reachable = outcomes.filter { isReached($0.value) }.keys.sorted()
        print("isolation: \(ids) ids: a task reaches \(reachable.count) of \(outcomes.count) primitives: \(reachable)")
        #expect(outcomes.count >= 154 && reachable.count <= 10)
        #expect(Set(reachable).subtracting(Attempts.harmless) == [], "more than what is known to be harmless")
      }
      let openRoot = open.filter { isReached($0.value) }.count
      print("isolation: root on the host reaches \(openRoot), nobody \(openNobody.filter { isReached($0.value) }.count)")
    }
  }

  @Test func theWholeSuiteFailsWithoutTheSandbox() async throws {
    try await withSupervisor { fixture, client in
      let targets = try Targets(fixture)
      let outcomes = try await ProbeRun(fixture: fixture, client: client).outcomes("raw", targets) {
        $0.takeWallsAway()
      }
      let passed = Attempts.all.filter { $0.refusals.contains(outcomes[$0.name] ?? "") }
      #expect(passed.count < Attempts.all.count / 3, "refused without a sandbox: \(passed.map(\.name))")
      for check in ["G04", "G06", "G08", "G09", "G10", "G11", "G12", "G13", "G14", "G17", "G18", "G19", "G20", "G21", "G22", "G23", "G24", "G25"] {
        let attempts = Attempts.all.filter { $0.check == check }
        #expect(attempts.contains { isReached(outcomes[$0.name]) }, "\(check) cannot fail")
      }
    }
  }

  private func isReached(_ outcome: String?) -> Bool { outcome == "ok" }

  private func check(_ attempts: [Attempt], _ outcomes: [String: String], _ place: String) {
    for attempt in attempts {
      let outcome = outcomes[attempt.name] ?? "not tried"
      #expect(
        attempt.refusals.contains(outcome), "\(attempt.check) \(attempt.name) in \(place): \(outcome)")
    }
  }
}
