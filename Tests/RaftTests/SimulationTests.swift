import Simulation
import Testing

/// The simulator itself: `make sim` runs many more seeds.
@Suite struct SimulationTests {
  @Test func aHundredAndTwentySeedsFindNothingAndEveryFaultHappens() {
    var coverage = Coverage()
    for seed in 1...120 as ClosedRange<UInt64> {
      let result = Simulator(Plan(seed: seed)).run()
      #expect(result.failure == nil, "seed \(seed)")
      #expect(!result.isUndecided, "seed \(seed)")
      coverage.add(result.coverage)
    }
    #expect(coverage.missing(fromClusters: false).isEmpty)
  }

  /// Found by the simulator; each was a fault of the core or of the shell once.
  @Test(
    arguments: [
      3,  // what was committed before the disk was full named entries that the disk had of an older leader
      82,  // a follower that was down while the log was compacted was waited for with a full window
      936,  // the log was compacted beyond a snapshot while that was being sent
      996,  // a leader on its way out was the only one with the last entry and did not stand
      1816,  // a server with an older disk had forgotten that at its next restart
    ] as [UInt64])
  func whatOnceFailed(seed: UInt64) {
    #expect(Simulator(Plan(seed: seed)).run().failure == nil)
  }

  @Test func aSeedReplaysExactly() {
    var first: [String] = []
    var second: [String] = []
    let one = Simulator(Plan(seed: 17), trace: { first.append($0) }).run()
    let other = Simulator(Plan(seed: 17), trace: { second.append($0) }).run()
    #expect(first == second)
    #expect(one.events == other.events && one.time == other.time)
    #expect(first.count > 100)
  }

  /// A simulator that can't fail proves nothing.
  @Test(arguments: [ShellBug.readsLocally, .answersBeforeCommit, .skipsTruncation, .appliesTwiceAfterRestart])
  func deliberateMistakesAreCaught(bug: ShellBug) {
    let caught = (1...300 as ClosedRange<UInt64>).first { Simulator(Plan(seed: $0), bug: bug).run().failure != nil }
    #expect(caught != nil)
  }

  @Test func aFailureIsShrunkToFewerFaultsThatStillShowIt() throws {
    let seed = try #require(
      (1...300 as ClosedRange<UInt64>).first { seed in
        let plan = Plan(seed: seed)
        return plan.faults.count > 4 && Simulator(plan, bug: .readsLocally).run().failure != nil
      })
    let plan = Plan(seed: seed)
    let small = Simulator.shrink(plan, bug: .readsLocally)
    #expect(small.faults.count < plan.faults.count)
    #expect(small.faults.allSatisfy { fault in plan.faults.contains { $0.at == fault.at && $0.fault == fault.fault } })
    #expect(Simulator(small, bug: .readsLocally).run().failure != nil)
  }
}
