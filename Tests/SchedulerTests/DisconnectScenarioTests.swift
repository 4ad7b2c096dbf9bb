import Codec
import Model
import Scheduler
import State
import Testing

/// The `disconnect` block, sentence by sentence.
@Suite struct DisconnectScenarioTests {
  private func job(
    _ id: String = "a", type: JobType = .service, count: Int = 2, lostAfter: Int64? = 600, replace: Bool = true,
    stopAfter: Int64? = nil, reconcile: String = "best_score"
  ) -> Job {
    makeJob(id, type: type, count: count) { job in
      var disconnect = DisconnectStrategy()
      disconnect.lostAfter = lostAfter.map { .seconds($0) }
      disconnect.replace = replace
      disconnect.stopOnClientAfter = stopAfter.map { .seconds($0) }
      disconnect.reconcile = reconcile
      job.taskGroups[0].disconnect = disconnect
    }
  }

  /// A cluster of three nodes of which the first, with one of the job's allocations, has gone silent.
  private func silent(_ job: Job) throws -> (cluster: Cluster, original: Identifier, node: Identifier) {
    var cluster = Cluster()
    try cluster.addNodes(3)
    try cluster.run(job)
    try cluster.settle(job.id)
    let original = try #require(cluster.running(job.id).first)
    try cluster.setStatus(original.nodeID, .disconnected)
    return (cluster, original.id, original.nodeID)
  }

  private func onNode(_ cluster: Cluster, _ node: Identifier) -> [StoredAllocation] {
    cluster.running("a").filter { $0.nodeID == node }
  }

  @Test func anAllocationIsUnknownUntilLostAfterAndReplacedMeanwhile() throws {
    var (cluster, original, node) = try silent(job())
    let silentOnes = onNode(cluster, node).count
    let result = try cluster.evaluate("a", .nodeUpdate)
    #expect(cluster.reader.allocation(original)?.value.clientStatus == .unknown)
    #expect(cluster.reader.allocation(original)?.value.desiredStatus == .run)
    #expect(result.plan.placements.count == silentOnes)
    #expect(result.plan.placements.contains { $0.previous == original })
    let timeout = try #require(result.plan.evaluations.first { $0.triggeredBy == .maxDisconnectTimeout })
    #expect(timeout.waitUntil == cluster.now + .seconds(600))
    // Nothing more to do until then.
    #expect(try cluster.evaluate("a", .nodeUpdate).changesNothing)
    cluster.now = cluster.now + .seconds(600)
    let second = try cluster.work(on: timeout)
    #expect(second.plan.placements.isEmpty)
    #expect(cluster.reader.allocation(original)?.value.clientStatus == .lost)
    #expect(cluster.running("a").count == 2)
  }

  @Test func withoutLostAfterAnAllocationIsLostAtOnce() throws {
    var (cluster, original, _) = try silent(job(lostAfter: nil))
    try cluster.evaluate("a", .nodeUpdate)
    #expect(cluster.reader.allocation(original)?.value.clientStatus == .lost && cluster.running("a").count == 2)
  }

  @Test func withoutReplaceNothingStandsIn() throws {
    var (cluster, original, _) = try silent(job(replace: false))
    #expect(try cluster.evaluate("a", .nodeUpdate).plan.placements.isEmpty)
    #expect(cluster.reader.allocation(original)?.value.clientStatus == .unknown)
    cluster.now = cluster.now + .seconds(10_000)
    #expect(try cluster.evaluate("a", .maxDisconnectTimeout).changesNothing)
    #expect(cluster.running("a").count == 2)
  }

  @Test func stopOnClientAfterDelaysTheReplacement() throws {
    var (cluster, original, _) = try silent(job(lostAfter: nil, stopAfter: 120))
    let result = try cluster.evaluate("a", .nodeUpdate)
    #expect(result.plan.placements.isEmpty && cluster.reader.allocation(original)?.value.clientStatus == .running)
    let timeout = try #require(result.plan.evaluations.first { $0.triggeredBy == .maxDisconnectTimeout })
    cluster.now = try #require(timeout.waitUntil)
    #expect(!(try cluster.work(on: timeout).plan.placements.isEmpty))
    #expect(cluster.reader.allocation(original)?.value.clientStatus == .lost && cluster.running("a").count == 2)
  }

  @Test func maxClientDisconnectIsLostAfter() throws {
    let old = makeJob("a", count: 2) { $0.taskGroups[0].maxClientDisconnect = .seconds(60) }
    var (cluster, original, _) = try silent(old)
    #expect(!(try cluster.evaluate("a", .nodeUpdate).plan.placements.isEmpty))
    #expect(cluster.reader.allocation(original)?.value.clientStatus == .unknown)
  }

  /// "keep_original, keep_replacement, longest_running, best_score: which one stays when the node is back."
  @Test(arguments: [("keep_original", true), ("keep_replacement", false), ("longest_running", true)])
  func theStrategySaysWhoStays(strategy: String, original keeps: Bool) throws {
    var (cluster, original, node) = try silent(job(reconcile: strategy))
    try cluster.evaluate("a", .nodeUpdate)
    cluster.now = cluster.now + .seconds(60)
    let replacement = try #require(cluster.reader.allocation(original)?.value.nextAllocation)
    try cluster.reportRunning(replacement, since: cluster.now)
    try cluster.setStatus(node, .ready)
    // Not heard of yet: both stay.
    #expect(try cluster.evaluate("a", .nodeUpdate).changesNothing)
    for allocation in onNode(cluster, node) {
      try cluster.reportRunning(allocation.id, since: cluster.now + .seconds(-3_600))
    }
    let result = try cluster.evaluate("a", .reconnect)
    #expect(result.plan.placements.isEmpty && cluster.running("a").count == 2)
    #expect((cluster.reader.allocation(original)?.value.desiredStatus == .run) == keeps)
    #expect((cluster.reader.allocation(replacement)?.value.desiredStatus == .run) == !keeps)
    #expect(try cluster.evaluate("a", .reconnect).changesNothing)
  }

  @Test(arguments: [true, false]) func theBetterScoreStays(originalIsBetter: Bool) throws {
    var cluster = Cluster()
    try cluster.addNodes(2)
    try cluster.run(job(count: 1))
    try cluster.settle("a")
    let original = try #require(cluster.running("a").first)
    try cluster.setStatus(original.nodeID, .disconnected)
    try cluster.evaluate("a", .nodeUpdate)
    let replacement = try #require(cluster.running("a").first { $0.id != original.id })
    // The fuller node packs better.
    let fuller = originalIsBetter ? original.nodeID : replacement.nodeID
    try cluster.setStatus(original.nodeID, .ready)
    let name = try #require(cluster.reader.node(fuller)?.value.name)
    try cluster.run(
      makeJob("b", count: 3) { $0.constraints = [makeConstraint("${node.unique.name}", "=", name)] })
    try cluster.report(original.id, .running)
    try cluster.report(replacement.id, .running)
    try cluster.evaluate("a", .reconnect)
    #expect(cluster.running("a").map(\.id) == [originalIsBetter ? original.id : replacement.id])
  }

  @Test func anOlderVersionGivesWay() throws {
    var (cluster, original, node) = try silent(job(reconcile: "keep_original"))
    try cluster.evaluate("a", .nodeUpdate)
    try cluster.settle("a")
    for _ in 0..<6 {
      try cluster.run(job(reconcile: "keep_original").destructivelyChanged())
      for allocation in cluster.running("a") where allocation.clientStatus != .unknown {
        try cluster.report(allocation.id, .running, healthy: true)
      }
      for allocation in cluster.allocations("a") where allocation.isServerTerminal && !allocation.isClientTerminal {
        try cluster.report(allocation.id, .complete)
      }
    }
    try cluster.setStatus(node, .ready)
    if cluster.reader.allocation(original)?.value.isServerTerminal == false { try cluster.report(original, .running) }
    try cluster.evaluate("a", .reconnect)
    #expect(cluster.reader.allocation(original)?.value.isServerTerminal == true)
    #expect(cluster.running("a").count == 2)
  }

  @Test func aSystemAllocationComesBackToItsNode() throws {
    var (cluster, original, node) = try silent(job(type: .system, count: 1))
    let result = try cluster.evaluate("a", .nodeUpdate)
    #expect(result.plan.placements.isEmpty)
    #expect(cluster.reader.allocation(original)?.value.clientStatus == .unknown)
    #expect(result.plan.evaluations.contains { $0.triggeredBy == .maxDisconnectTimeout })
    try cluster.setStatus(node, .ready)
    try cluster.report(original, .running)
    let back = try cluster.evaluate("a", .reconnect)
    #expect(back.plan.placements.isEmpty && back.plan.changes.isEmpty && cluster.running("a").count == 3)
  }

  @Test func aStoppedJobStopsWhatIsUnknownToo() throws {
    var (cluster, original, _) = try silent(job())
    try cluster.evaluate("a", .nodeUpdate)
    try cluster.stop("a")
    #expect(cluster.running("a").isEmpty && cluster.reader.allocation(original)?.value.isServerTerminal == true)
  }
}

extension Cluster {
  /// A client reports an allocation that has been running for a while.
  mutating func reportRunning(_ allocation: Identifier, since: Timestamp) throws(StateError) {
    var task = TaskState()
    task.state = .running
    task.startedAt = since
    var update = AllocationStatusChange()
    update.id = allocation
    update.clientStatus = .running
    update.taskStates = ["main": task]
    var payload = AllocationClientUpdates()
    payload.updates = [update]
    try apply(.allocationClientUpdates(payload))
  }
}
