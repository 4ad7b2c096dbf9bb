import Codec
import Glibc
import HTTP
import Linux
import Testing

/// Agents and supervisors that are killed, and what becomes of the tasks.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(40))) struct RecoveryTests {
  /// Counts into its log; ends with exit code 9 once the file `data/end` is there.
  private static func counter(_ name: String) -> String {
    shellJob(
      name,
      script: """
        echo "begin $$"
        i=0; while [ ! -e /alloc/data/end ]; do i=$((i+1)); echo "tick $i"; sleep 0.1; done
        echo end; exit 9
        """,
      group: "restart {\n attempts = 0\n mode = \"fail\"\n}\nreschedule {\n attempts = 0\n unlimited = false\n}")
  }

  private func shells(of agent: Agent) -> [HostProcess] {
    HostProcess.tasks(cgroup: agent.scratch.name).filter { $0.arguments.first == "/bin/sh" }
  }

  /// How often the counter has counted.
  private func ticks(_ agent: Agent, _ allocation: Allocation) async throws -> Int {
    try await agent.log(allocation, allocation.tasks.keys.first ?? "").split(separator: "\n").count {
      $0.hasPrefix("tick")
    }
  }

  @Test func killedAgentTakesItsTasksBack() async throws {
    try await Scratch.with { scratch in
      let agent = try Agent(scratch, .both)
      try await agent.start()
      try await agent.submit("stays", Self.counter("stays"))
      try await agent.submit("ends", Self.counter("ends"))
      let stays = try await agent.allocation(of: "stays", being: "running")
      let ends = try await agent.allocation(of: "ends", being: "running")
      let before = try await eventually("both tasks run") { () -> Set<Int32>? in
        let found = Set(shells(of: agent).map(\.pid))
        return found.count == 2 ? found : nil
      }
      let counted = try await ticks(agent, stays)

      try await agent.kill()
      // While no agent runs, one task ends and the other writes on.
      let folder = "\(agent.dataFolder)/alloc"
      try Files.replace("\(folder)/\(ends.id)/alloc/data/end", with: [], permissions: 0o644)
      try await until("one of the tasks has ended") { shells(of: agent).count == 1 }
      let log = "\(folder)/\(stays.id)/alloc/logs/stays.stdout.0"
      try await until("the log grows without an agent") {
        HostProcess.text(log).split(separator: "\n").count > counted + 10
      }
      try await agent.start()

      let ended = try await agent.allocation(of: "ends", being: "failed")
      try #require(ended.id == ends.id)
      try #require(ended.task.messages("Terminated") == ["Exit Code: 9"], "\(ended.task.messages)")
      let after = Set(shells(of: agent).map(\.pid))
      try #require(after.count == 1 && after.isSubset(of: before), "the same process: \(before), \(after)")
      let running = try await agent.allocation(of: "stays", being: "running")
      try #require(running.id == stays.id && running.task.restarts == 0, "\(running.task.messages)")
      try #require(running.task.messages("Started").count == 1)
      let now = try await ticks(agent, stays)
      try await until("the log goes on") { try await ticks(agent, stays) > now }
      let text = try await agent.log(stays, "stays").split(separator: "\n").map(String.init)
      try #require(text.filter { $0.hasPrefix("begin") }.count == 1)
      let numbers = text.filter { $0.hasPrefix("tick") }.compactMap { Int($0.dropFirst(5)) }
      try #require(numbers == Array(1...numbers.count), "no line is lost or doubled")
      try await agent.stop("stays")
      try await until("nothing runs") { HostProcess.tasks(cgroup: scratch.name).isEmpty }
    }
  }

  @Test func killedSupervisorHurtsNoTask() async throws {
    try await Scratch.with { scratch in
      let agent = try Agent(scratch, .both)
      try await agent.start()
      try await agent.submit("stays", Self.counter("stays"))
      let allocation = try await agent.allocation(of: "stays", being: "running")
      let before = try await eventually("the task runs") { shells(of: agent).first?.pid }
      let supervisor = try await eventually("the supervisor is found") { agent.supervisor?.pid }
      Glibc.kill(supervisor, SIGKILL)
      try await until("another supervisor runs") { agent.supervisor.map { $0.pid != supervisor } ?? false }
      let counted = try await ticks(agent, allocation)
      try await until("the log goes on") { try await ticks(agent, allocation) > counted }
      try #require(shells(of: agent).map(\.pid) == [before])
      // The end of an adopted task is seen, and its exit status known where the kernel tells strangers.
      try Files.replace("\(agent.dataFolder)/alloc/\(allocation.id)/alloc/data/end", with: [], permissions: 0o644)
      let ended = try await agent.allocation(of: "stays", "has ended") {
        $0.status == "failed" || $0.status == "complete"
      }
      try #require(ended.id == allocation.id && ended.task.messages("Terminated").count == 1, "\(ended.task.messages)")
      try await until("nothing runs") { HostProcess.tasks(cgroup: scratch.name).isEmpty }
    }
  }

  @Test func agentAndSupervisorKilledTogether() async throws {
    try await Scratch.with { scratch in
      let agent = try Agent(scratch, .both)
      try await agent.start()
      try await agent.submit("stays", Self.counter("stays"))
      let allocation = try await agent.allocation(of: "stays", being: "running")
      let before = try await eventually("the task runs") { shells(of: agent).first?.pid }
      let supervisor = try await eventually("the supervisor is found") { agent.supervisor?.pid }
      try await agent.kill()
      Glibc.kill(supervisor, SIGKILL)
      try await agent.start()
      let counted = try await ticks(agent, allocation)
      try await until("the log goes on") { try await ticks(agent, allocation) > counted }
      try #require(shells(of: agent).map(\.pid) == [before])
      try await agent.stop("stays")
      try await until("nothing runs") { HostProcess.tasks(cgroup: scratch.name).isEmpty }
    }
  }

  /// The agent dies at another moment of the start each time: before the job is stored, while the task's directory is
  /// made, while the supervisor starts it, just after.
  @Test func agentKilledDuringStartsRunsTheTaskOnce() async throws {
    try await Scratch.with { scratch in
      let agent = try Agent(scratch, .both)
      try await agent.start()
      for round in 0..<8 {
        let name = "round-\(round)"
        let marker = "8640\(round).\(UInt32.random(in: 100_000...999_999))"
        let job = shellJob(name, script: "echo begin; exec sleep \(marker)")
        let body: JSONValue = ["JobHCL": .string(job), "Canonicalize": true]
        let parsed = try await agent.request(.post, "/v1/jobs/parse", body: JSON.text(body))
        try #require(parsed.status == .ok, "\(parsed)")
        let registered = try await agent.request(.put, "/v1/jobs", body: "{\"Job\": \(parsed.text)}")
        try #require(registered.status == .ok, "\(registered)")
        // Not a wait for something: the moment of the crash is what varies.
        try await Task.sleep(for: .milliseconds(round * 12 + Int.random(in: 0...12)))
        try await agent.kill()
        try await agent.start()

        _ = try await agent.allocation(of: name, being: "running")
        func copies() -> [HostProcess] { HostProcess.mentioning(marker).filter { $0.arguments.first == "sleep" } }
        try await until("\(name) runs", orSay: { "\(copies())" }) { copies().count == 1 }
        let all = try await agent.allocations(of: name)
        try #require(all.filter { $0.status == "running" }.count == 1, "\(all.map(\.status))")
        try await agent.stop(name)
        try await until("nothing of \(name) is left", orSay: { "\(HostProcess.tasks(cgroup: scratch.name))" }) {
          copies().isEmpty && HostProcess.tasks(cgroup: scratch.name).isEmpty
        }
      }
    }
  }
}
