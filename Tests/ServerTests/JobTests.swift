import Codec
import Model
import State
import Testing

@testable import Server

@Suite(.timeLimit(.minutes(10))) struct JobTests {
  @Test func aRegisteredJobIsEvaluatedAndPlaced() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    let evaluation = try await server.run(makeJob("web", count: 3))
    #expect(evaluation.status == .complete)
    #expect(evaluation.triggeredBy == .jobRegister)
    #expect(server.allocations("web").map(\.nodeID) == [node.id, node.id, node.id])
    #expect(Set(server.allocations("web").map(\.name)) == ["web.web[0]", "web.web[1]", "web.web[2]"])
    try await node.runAll(server)
    #expect(server.allocations("web").allSatisfy { $0.clientStatus == .running })
    #expect(server.reader.job(JobKey("default", "web"))?.status == .running)
    await node.close()
    try await server.remove()
  }

  @Test func aStoppedJobsAllocationsAreStoppedAndAPurgedOneIsForgotten() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    try await server.run(makeJob("web", count: 2))
    try await node.runAll(server)
    _ = try await server.server.deregister(JobKey("default", "web"), purge: false)
    try await server.settle()
    #expect(server.allocations("web").allSatisfy { $0.desiredStatus == .stop })
    try await node.runAll(server)
    #expect(server.reader.job(JobKey("default", "web"))?.status == .dead)
    _ = try await server.server.deregister(JobKey("default", "web"), purge: true)
    #expect(server.reader.job(JobKey("default", "web")) == nil)
    await node.close()
    try await server.remove()
  }

  @Test func aBlockedEvaluationWakesWhenANodeAppears() async throws {
    let server = try await TestServer()
    let evaluation = try await server.run(makeJob("web"))
    #expect(evaluation.failedTGAllocs["web"] != nil)
    let blocked = try #require(server.reader.evaluation(evaluation.blockedEval)?.value)
    #expect(blocked.status == .blocked)
    #expect(server.allocations("web").isEmpty)
    let node = try await FakeNode(server, "late")
    try await server.settle()
    #expect(server.allocations("web").map(\.nodeID) == [node.id])
    #expect(server.reader.evaluation(blocked.id)?.value.status == .complete)
    await node.close()
    try await server.remove()
  }

  @Test func aBlockedEvaluationWakesWhenRoomIsFreed() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    try await server.run(makeJob("first", cpu: 800))
    try await node.runAll(server)
    let second = try await server.run(makeJob("second", cpu: 800))
    #expect(!second.blockedEval.isNone)
    _ = try await server.server.deregister(JobKey("default", "first"), purge: false)
    try await server.settle()
    #expect(server.allocations("second").isEmpty, "what a stopping task holds is free only when it has ended")
    try await node.runAll(server)
    #expect(server.allocations("second").count == 1)
    await node.close()
    try await server.remove()
  }

  @Test func theIndexIsEnforcedWhenTheRequestSaysSo() async throws {
    let server = try await TestServer()
    var request = JobRegisterRequest()
    request.job = makeJob("web")
    request.enforceIndex = true
    let first = try await server.server.register(request, namespace: "default")
    let error = await #expect(throws: ServerError.self) {
      try await server.server.register(request, namespace: "default")
    }
    #expect(error?.kind == .conflict)
    request.jobModifyIndex = first.jobModifyIndex
    _ = try await server.server.register(request, namespace: "default")
    try await server.remove()
  }

  @Test func aRevertedJobIsANewVersionWithTheOldContent() async throws {
    let server = try await TestServer()
    try await server.run(makeJob("web", cpu: 100))
    try await server.run(makeJob("web", cpu: 200))
    var request = JobRevertRequest()
    request.jobVersion = 0
    _ = try await server.server.revert(JobKey("default", "web"), request)
    let job = try #require(server.reader.job(JobKey("default", "web")))
    #expect(job.spec.value.version == 2)
    #expect(job.spec.value.taskGroups[0].tasks[0].resources?.cpu == 100)
    let error = await #expect(throws: ServerError.self) {
      var request = JobRevertRequest()
      request.jobVersion = 2
      return try await server.server.revert(JobKey("default", "web"), request)
    }
    #expect(error?.kind == .invalid)
    try await server.remove()
  }

  @Test func aPlanTellsWhatWouldHappenAndChangesNothing() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    try await server.settle()
    let before = server.reader.index
    var request = JobPlanRequest()
    request.job = makeJob("web", count: 2)
    request.diff = true
    let response = try await server.server.plan(request, namespace: "default")
    #expect(response.annotations?.desiredTGUpdates["web"]?.place == 2)
    #expect(response.diff?.type == .added)
    #expect(server.reader.index == before)
    await node.close()
    try await server.remove()
  }

  @Test func aJobWithMistakesIsRefusedWithAllOfThem() async throws {
    let server = try await TestServer()
    let job = makeJob("web") { job in
      job.priority = 1000
      job.nodePool = "nowhere"
      job.taskGroups[0].tasks[0].driver = ""
    }
    let error = await #expect(throws: ServerError.self) { try await server.run(job) }
    #expect(error?.kind == .invalid)
    for part in ["1000", "node pool \"nowhere\"", "driver"] {
      #expect(error?.message.contains(part) == true, "\(part)")
    }
    #expect(server.reader.job(JobKey("default", "web")) == nil)
    try await server.remove()
  }

  @Test func aStoppedAllocationIsReplaced() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    try await server.run(makeJob("web"))
    try await node.runAll(server)
    let first = try #require(server.allocations("web").first)
    _ = try await server.server.stopAllocation(first.id, noShutdownDelay: false)
    try await server.settle()
    #expect(server.reader.allocation(first.id)?.value.desiredStatus == .stop)
    let replacement = try #require(server.running("web").first)
    #expect(replacement.previousAllocation == first.id)
    await node.close()
    try await server.remove()
  }
}
