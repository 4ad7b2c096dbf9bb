import Codec
import Model
import State
import Testing

@testable import Server

@Suite(.timeLimit(.minutes(2))) struct DeploymentTests {
  private func rolling(_ cpu: Int = 100, count: Int = 2, autoRevert: Bool = false) -> Job {
    makeJob("web", count: count, cpu: cpu) { job in
      var update = UpdateStrategy()
      update.maxParallel = 1
      update.minHealthyTime = .seconds(1)
      update.healthyDeadline = .minutes(5)
      update.progressDeadline = .minutes(10)
      update.autoRevert = autoRevert
      job.taskGroups[0].update = update
    }
  }

  /// Registers a first version and brings it up.
  private func deployed(_ server: TestServer, _ job: Job) async throws -> FakeNode {
    let node = try await FakeNode(server, "one")
    try await server.run(job)
    for _ in 0..<4 { try await node.runAll(server, healthy: true) }
    #expect(server.deployment("web")?.status == .successful)
    #expect(server.reader.job(JobKey("default", "web"))?.versions.first?.stable == true)
    return node
  }

  @Test func aDeploymentEndsWhenEverythingIsHealthy() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    try await server.run(rolling())
    let first = try #require(server.deployment("web"))
    #expect(first.status == .running)
    #expect(first.taskGroups["web"]?.desiredTotal == 2)
    try await node.runAll(server, healthy: true)
    let done = try #require(server.deployment("web"))
    #expect(done.status == .successful)
    #expect(done.taskGroups["web"]?.healthyAllocs == 2)
    await node.close()
    try await server.remove()
  }

  @Test func anUpdateGoesOneAtATimeAsFarAsTheOnesBeforeAreHealthy() async throws {
    let server = try await TestServer()
    let node = try await deployed(server, rolling())
    try await server.run(rolling(150))
    #expect(server.running("web").filter { $0.job.value.version == 1 }.count == 1)
    try await server.pass(.seconds(10))
    #expect(server.running("web").filter { $0.job.value.version == 1 }.count == 1, "nothing is healthy yet")
    for _ in 0..<4 { try await node.runAll(server, healthy: true) }
    #expect(server.running("web").map { $0.job.value.version } == [1, 1])
    #expect(server.deployment("web")?.status == .successful)
    await node.close()
    try await server.remove()
  }

  @Test func anUnhealthyAllocationFailsTheDeployment() async throws {
    let server = try await TestServer()
    let node = try await deployed(server, rolling())
    try await server.run(rolling(150))
    let new = server.running("web").filter { $0.job.value.version == 1 }.map(\.id)
    try await node.report(new, .failed, healthy: false, on: server)
    let deployment = try #require(server.deployment("web"))
    #expect(deployment.status == .failed)
    #expect(deployment.jobVersion == 1)
    #expect(server.running("web").filter { $0.job.value.version == 0 }.count == 1, "the rest stays as it was")
    await node.close()
    try await server.remove()
  }

  @Test func aFailedDeploymentGoesBackToTheLastStableVersionWhenAsked() async throws {
    let server = try await TestServer()
    let node = try await deployed(server, rolling(autoRevert: true))
    try await server.run(rolling(150, autoRevert: true))
    let new = server.running("web").filter { $0.job.value.version == 1 }.map(\.id)
    try await node.report(new, .failed, healthy: false, on: server)
    let job = try #require(server.reader.job(JobKey("default", "web")))
    #expect(job.spec.value.version == 2)
    #expect(job.spec.value.taskGroups[0].tasks[0].resources?.cpu == 100)
    for _ in 0..<6 { try await node.runAll(server, healthy: true) }
    #expect(server.running("web").allSatisfy { $0.job.value.taskGroups[0].tasks[0].resources?.cpu == 100 })
    #expect(server.running("web").count == 2)
    #expect(server.deployment("web")?.status == .successful)
    await node.close()
    try await server.remove()
  }

  @Test func aDeploymentWithoutProgressFailsAtItsDeadline() async throws {
    let server = try await TestServer()
    let node = try await deployed(server, rolling())
    try await server.run(rolling(150))
    // The node goes on sending heartbeats while nothing becomes healthy.
    for _ in 0..<59 {
      try await node.beat()
      try await server.pass(.seconds(10))
    }
    #expect(server.deployment("web")?.status == .running)
    try await node.beat()
    try await server.pass(.seconds(11))
    #expect(server.deployment("web")?.status == .failed)
    #expect(server.deployment("web")?.statusDescription.contains("progress deadline") == true)
    await node.close()
    try await server.remove()
  }

  @Test func canariesWaitForTheirPromotion() async throws {
    let server = try await TestServer()
    let node = try await deployed(server, rolling())
    var next = rolling(150)
    next.taskGroups[0].update?.canary = 1
    try await server.run(next)
    for _ in 0..<4 { try await node.runAll(server, healthy: true) }
    #expect(server.running("web").filter { $0.job.value.version == 0 }.count == 2)
    #expect(server.running("web").filter { $0.job.value.version == 1 }.count == 1)
    let deployment = try #require(server.deployment("web"))
    #expect(deployment.status == .running)
    var request = DeploymentPromoteRequest()
    request.all = true
    _ = try await server.server.promoteDeployment(request, deployment.id)
    try await server.settle()
    for _ in 0..<6 { try await node.runAll(server, healthy: true) }
    #expect(server.running("web").map { $0.job.value.version } == [1, 1])
    #expect(server.deployment("web")?.status == .successful)
    await node.close()
    try await server.remove()
  }

  @Test func aPausedDeploymentWaits() async throws {
    let server = try await TestServer()
    let node = try await deployed(server, rolling())
    try await server.run(rolling(150))
    let id = try #require(server.deployment("web")?.id)
    _ = try await server.server.setDeployment(id, .paused, "Deployment is paused")
    for _ in 0..<3 { try await node.runAll(server, healthy: true) }
    #expect(server.running("web").filter { $0.job.value.version == 1 }.count == 1)
    _ = try await server.server.setDeployment(id, .running, "Deployment is running")
    try await server.settle()
    for _ in 0..<4 { try await node.runAll(server, healthy: true) }
    #expect(server.running("web").map { $0.job.value.version } == [1, 1])
    let error = await #expect(throws: ServerError.self) {
      try await server.server.setDeployment(id, .paused, "too late")
    }
    #expect(error?.kind == .conflict, "a deployment that has ended stays as it is")
    await node.close()
    try await server.remove()
  }
}
