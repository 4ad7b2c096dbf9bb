import Codec
import Model
import Scheduler
import State
import Testing

@Suite struct SystemScenarioTests {
  @Test func everyNodeThatSuitsGetsOne() throws {
    var cluster = Cluster()
    try cluster.addNodes(4) { number, node in if number == 3 { node.attributes["kernel.name"] = "windows" } }
    let job = makeJob("s", type: .system) { $0.constraints = [makeConstraint("${attr.kernel.name}", "=", "linux")] }
    let result = try cluster.run(job)
    #expect(Set(cluster.running("s").map(\.nodeID)) == [identifier(1), identifier(2), identifier(3)])
    #expect(result.evaluation.failedTGAllocs.isEmpty)
    #expect(try cluster.evaluate("s").changesNothing)
    // A new node gets one too.
    try cluster.add(makeNode(9))
    #expect(try cluster.evaluate("s", .nodeUpdate).plan.placements.count == 1)
    // A node that is lost loses it, and no other takes it.
    try cluster.setStatus(identifier(1), .down)
    let lost = try cluster.evaluate("s", .nodeUpdate)
    #expect(lost.plan.placements.isEmpty && cluster.running("s").count == 3)
  }

  @Test func aFullNodeIsReportedAndWaitedFor() throws {
    var cluster = Cluster()
    try cluster.addNodes(2)
    try cluster.run(makeJob("a", count: 1, cpu: 3_900))
    let result = try cluster.run(makeJob("s", type: .system))
    #expect(cluster.running("s").count == 1)
    #expect(result.evaluation.failedTGAllocs["web"]?.dimensionExhausted == ["cpu": 1])
    #expect(result.blockedEvaluation != nil)
  }

  @Test func updatesGoStepByStep() throws {
    var cluster = Cluster()
    try cluster.addNodes(4)
    let job = makeJob("s", type: .system) { job in
      var update = UpdateStrategy()
      update.maxParallel = 1
      update.stagger = .seconds(10)
      job.update = update
    }
    try cluster.run(job)
    try cluster.settle("s")
    var result = try cluster.run(job.destructivelyChanged())
    #expect(result.plan.placements.count == 1)
    for _ in 0..<3 {
      let next = try #require(result.plan.evaluations.last)
      #expect(next.triggeredBy == .rollingUpdate && next.waitUntil == cluster.now + .seconds(10))
      cluster.now = cluster.now + .seconds(10)
      try cluster.settle("s")
      result = try cluster.work(on: next)
    }
    #expect(cluster.running("s").allSatisfy { $0.job.value.version == 1 } && cluster.running("s").count == 4)
    #expect(result.plan.evaluations.count == 1)
  }

  @Test func aSysbatchJobRunsOnceOnEachNode() throws {
    var cluster = Cluster()
    try cluster.addNodes(3)
    let job = makeJob("s", type: .sysbatch)
    try cluster.run(job)
    for allocation in cluster.running("s") { try cluster.report(allocation.id, .complete) }
    #expect(try cluster.evaluate("s").changesNothing)
    try cluster.run(job.destructivelyChanged())
    #expect(cluster.running("s").count == 3)
  }

  @Test func aStoppedSystemJobStopsEverywhere() throws {
    var cluster = Cluster()
    try cluster.addNodes(3)
    try cluster.run(makeJob("s", type: .system))
    try cluster.stop("s")
    #expect(cluster.running("s").isEmpty)
  }
}
