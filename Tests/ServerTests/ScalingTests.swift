import Codec
import Model
import State
import Testing

@testable import Server

/// The documented behaviour of `scaling` blocks and the scale endpoint.
@Suite(.timeLimit(.minutes(10))) struct ScalingTests {
  private let key = JobKey("default", "web")

  private func scalable(_ minimum: Int64 = 1, _ maximum: Int64 = 4) -> Job {
    makeJob("web", count: 2) { job in
      // Without an update block there is no deployment to wait for.
      var update = UpdateStrategy()
      update.maxParallel = 0
      job.taskGroups[0].update = update
      var policy = ScalingPolicy()
      policy.min = minimum
      policy.max = maximum
      policy.policy = ["cooldown": "20s"]
      job.taskGroups[0].scaling = policy
    }
  }

  private func scale(_ server: TestServer, _ count: Int64?, _ change: (inout ScalingRequest) -> Void = { _ in })
    async throws -> JobRegisterResponse
  {
    var request = ScalingRequest()
    request.count = count
    request.target = ["Group": "web"]
    request.message = "test"
    change(&request)
    let response = try await server.server.scale(key, request, namespace: "default")
    try await server.settle()
    return response
  }

  @Test func aCountIsANewVersionWithAnEvaluationAndAnEvent() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    try await server.run(scalable())
    let response = try await scale(server, 3)
    #expect(!response.evalID.isNone)
    let job = try #require(server.reader.job(key))
    #expect(job.spec.value.version == 1 && job.spec.value.taskGroups[0].count == 3)
    #expect(server.running("web").count == 3)
    let event = try #require(job.scalingEvents["web"]?.first)
    #expect(event.count == 3 && event.previousCount == 2 && event.message == "test" && event.evalID == response.evalID)
    #expect(event.time == UInt64(server.clock.now.nanoseconds) && event.createIndex == response.index)
    await node.close()
    try await server.remove()
  }

  @Test func boundsAreKept() async throws {
    let server = try await TestServer()
    try await server.run(scalable())
    let above = await #expect(throws: ServerError.self) { try await scale(server, 5) }
    #expect(above?.message.contains("greater than scaling policy maximum: 5 > 4") == true)
    let below = await #expect(throws: ServerError.self) { try await scale(server, 0) }
    #expect(below?.message.contains("less than scaling policy minimum: 0 < 1") == true)
    await #expect(throws: ServerError.self) { try await scale(server, -1) }
    let group = await #expect(throws: ServerError.self) { try await scale(server, 2) { $0.target["Group"] = "db" } }
    #expect(group?.message.contains("\"db\"") == true)
    #expect(server.reader.job(key)?.spec.value.version == 0)
    try await server.remove()
  }

  @Test func anEventWithoutACountChangesNothing() async throws {
    let server = try await TestServer()
    try await server.run(scalable())
    let response = try await scale(server, nil) {
      $0.error = true
      $0.message = "metrics are not there"
    }
    #expect(response.evalID.isNone)
    let job = try #require(server.reader.job(key))
    #expect(job.spec.value.version == 0)
    #expect(job.scalingEvents["web"]?.first?.error == true)
    await #expect(throws: ServerError.self) { try await scale(server, 2) { $0.error = true } }
    try await server.remove()
  }

  @Test func theNewestTwentyEventsAreKept() async throws {
    let server = try await TestServer()
    try await server.run(scalable())
    for number in 0..<25 { _ = try await scale(server, nil) { $0.message = "\(number)" } }
    let events = try #require(server.reader.job(key)?.scalingEvents["web"])
    #expect(events.map(\.message) == (5..<25).reversed().map { "\($0)" })
    try await server.remove()
  }

  @Test func aRunningDeploymentIsNotDisturbed() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    var job = scalable()
    job.taskGroups[0].update?.maxParallel = 1
    try await server.run(job)
    #expect(server.deployment("web")?.status == .running)
    let error = await #expect(throws: ServerError.self) { try await scale(server, 3) }
    #expect(error?.kind == .conflict)
    await node.close()
    try await server.remove()
  }

  @Test func policiesAreViewsOfJobs() async throws {
    let first = try await TestServer()
    try await first.run(scalable())
    let policy = try #require(first.reader.scalingPolicies.first)
    #expect(policy.target == ["Namespace": "default", "Job": "web", "Group": "web"])
    #expect(policy.min == 1 && policy.max == 4 && policy.type == "horizontal" && policy.enabled == true)
    _ = try await scale(first, 3)
    #expect(first.reader.scalingPolicies.first?.id == policy.id, "a policy outlives versions")
    await first.stop()
    let second = try await TestServer(at: first.path, clock: first.clock)
    #expect(second.reader.scalingPolicies.first?.id == policy.id)
    #expect(second.reader.job(key)?.scalingEvents["web"]?.count == 1, "events outlive a restart")
    _ = try await second.server.deregister(key, purge: false)
    #expect(second.reader.scalingPolicies.isEmpty)
    try await second.remove()
  }
}
