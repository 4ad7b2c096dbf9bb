import Codec
import Model
import Scheduler
import State
import Testing

@Suite struct BatchScenarioTests {
  @Test func whatHasCompletedDoesNotRunAgain() throws {
    var cluster = Cluster()
    try cluster.addNodes(2)
    let job = makeJob("b", type: .batch, count: 3)
    try cluster.run(job)
    for allocation in cluster.running("b") { try cluster.report(allocation.id, .complete) }
    let result = try cluster.evaluate("b")
    #expect(result.changesNothing && result.annotations.desiredTGUpdates["web"]?.ignore == 3)
    // Nor when its node goes away.
    try cluster.setStatus(identifier(1), .down)
    try cluster.setStatus(identifier(2), .down)
    #expect(try cluster.evaluate("b", .nodeUpdate).changesNothing)
    // Registered again unchanged: still done. Changed: all of it runs again.
    #expect(try cluster.run(job).changesNothing)
    try cluster.setStatus(identifier(1), .ready)
    try cluster.run(job.destructivelyChanged())
    #expect(cluster.running("b").count == 3)
  }

  @Test func theRestGoesOnBesideTheCompleted() throws {
    var cluster = Cluster()
    try cluster.addNodes(2)
    try cluster.run(makeJob("b", type: .batch, count: 3))
    try cluster.settle("b")
    let all = cluster.running("b")
    try cluster.report(all[0].id, .complete)
    try cluster.setStatus(all[1].nodeID, .down)
    try cluster.evaluate("b", .nodeUpdate)
    let lost = all.dropFirst().filter { $0.nodeID == all[1].nodeID }.count
    #expect(cluster.running("b").count == 2)
    #expect(cluster.last?.plan.placements.count == lost)
  }
}
