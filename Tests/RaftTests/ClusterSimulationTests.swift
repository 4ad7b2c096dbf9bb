import Simulation
import Testing

/// Whole clusters: real servers with scheduler and duties, worker nodes, operators. `make sim` runs many more seeds.
@Suite struct ClusterSimulationTests {
  @Test func aFewClustersComeToRestAndFaultsOfWorkersHappen() {
    var coverage = Coverage()
    var acknowledged = 0
    for seed in 1...8 as ClosedRange<UInt64> {
      let result = Simulator(Plan(cluster: seed)).run()
      #expect(result.failure == nil, "seed \(seed)")
      #expect(!result.isUndecided, "seed \(seed)")
      coverage.add(result.coverage)
      acknowledged += result.acknowledged
    }
    #expect(acknowledged > 100)
    for what in [Occurrence.machineKilled, .agentKilled, .taskFailed, .wallClockSet, .snapshotTaken, .leaderCrash] {
      #expect(coverage[what] > 0, "\(what)")
    }
  }

  /// Found by the simulator; each was a fault of state or scheduler once.
  @Test(
    arguments: [
      13,  // what left its place got the new version although canaries had not proven it
      21,  // a promoted canary and the old allocation of its name both stayed, another went for the count
      33,  // an allocation that was given up held room again because its client still saw it run
    ] as [UInt64])
  func whatOnceFailed(seed: UInt64) {
    #expect(Simulator(Plan(cluster: seed)).run().failure == nil)
  }

  @Test func aClusterReplaysExactly() {
    var first: [String] = []
    var second: [String] = []
    _ = Simulator(Plan(cluster: 5), trace: { first.append($0) }).run()
    _ = Simulator(Plan(cluster: 5), trace: { second.append($0) }).run()
    #expect(first == second)
    #expect(first.count > 100)
  }

  /// A simulator that can't fail proves nothing.
  @Test(arguments: [ShellBug.beginsBeforeEnd, .answersChangesBeforeCommit, .readsAnywhere])
  func deliberateMistakesAreCaught(bug: ShellBug) {
    let caught = (1...40 as ClosedRange<UInt64>).first { Simulator(Plan(cluster: $0), bug: bug).run().failure != nil }
    #expect(caught != nil)
  }
}
