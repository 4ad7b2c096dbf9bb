import Codec
import Model
import State
import Testing

@testable import Server

@Suite(.timeLimit(.minutes(10))) struct DeploymentTests {
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
    #expect(error?.kind == .notFound, "a deployment that has ended stays as it is")
    await node.close()
    try await server.remove()
  }

  /// Two groups that are rolled out together.
  private func pair(_ cpu: Int = 100, canaries: Int = 0, autoRevert: Bool = false) -> Job {
    var job = rolling(cpu, count: 1, autoRevert: autoRevert)
    job.taskGroups[0].update?.canary = canaries
    var second = job.taskGroups[0]
    second.name = "db"
    job.taskGroups.append(second)
    return job
  }

  private func group(_ name: String, of server: TestServer, version: UInt64) -> [StoredAllocation] {
    server.running("web").filter { $0.groupName == name && $0.job.value.version == version }
  }

  @Test func aDeploymentOfSeveralGroupsIsSuccessfulWhenAllAre() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    try await server.run(pair())
    try await node.report(group("web", of: server, version: 0).map(\.id), .running, healthy: true, on: server)
    #expect(server.deployment("web")?.status == .running)
    try await node.report(group("db", of: server, version: 0).map(\.id), .running, healthy: true, on: server)
    #expect(server.deployment("web")?.status == .successful)
    await node.close()
    try await server.remove()
  }

  @Test func oneUnhealthyGroupFailsTheWholeDeployment() async throws {
    let server = try await TestServer()
    let node = try await deployed(server, pair(autoRevert: true))
    try await server.run(pair(150, autoRevert: true))
    try await node.report(group("web", of: server, version: 1).map(\.id), .running, healthy: true, on: server)
    try await node.report(group("db", of: server, version: 1).map(\.id), .failed, healthy: false, on: server)
    let job = try #require(server.reader.job(JobKey("default", "web")))
    #expect(job.spec.value.version == 2)
    #expect(job.spec.value.taskGroups.allSatisfy { $0.tasks[0].resources?.cpu == 100 }, "both groups go back")
    await node.close()
    try await server.remove()
  }

  @Test func groupsArePromotedOneByOne() async throws {
    let server = try await TestServer()
    let node = try await deployed(server, pair())
    try await server.run(pair(150, canaries: 1))
    for _ in 0..<3 { try await node.runAll(server, healthy: true) }
    let id = try #require(server.deployment("web")?.id)
    var request = DeploymentPromoteRequest()
    request.groups = ["db"]
    _ = try await server.server.promoteDeployment(request, id)
    for _ in 0..<3 { try await node.runAll(server, healthy: true) }
    #expect(group("db", of: server, version: 0).isEmpty && group("db", of: server, version: 1).count == 1)
    #expect(group("web", of: server, version: 0).count == 1 && group("web", of: server, version: 1).count == 1)
    #expect(server.deployment("web")?.status == .running)
    request.groups = ["web"]
    _ = try await server.server.promoteDeployment(request, id)
    for _ in 0..<4 { try await node.runAll(server, healthy: true) }
    #expect(server.deployment("web")?.status == .successful)
    #expect(group("web", of: server, version: 0).isEmpty)
    await node.close()
    try await server.remove()
  }

  @Test func aNewerVersionEndsTheDeploymentOfTheOneBefore() async throws {
    let server = try await TestServer()
    let node = try await deployed(server, rolling())
    try await server.run(rolling(150))
    let old = try #require(server.deployment("web"))
    #expect(old.status == .running)
    try await server.run(rolling(200))
    let superseded = try #require(server.reader.deployment(old.id)?.value)
    #expect(superseded.status == .cancelled && superseded.statusDescription.contains("newer version"))
    for _ in 0..<6 { try await node.runAll(server, healthy: true) }
    #expect(server.deployment("web")?.jobVersion == 2 && server.deployment("web")?.status == .successful)
    #expect(server.running("web").map { $0.job.value.version } == [2, 2])
    await node.close()
    try await server.remove()
  }

  @Test func healthCanBeSetByHand() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    var job = rolling()
    job.taskGroups[0].update?.healthCheck = "manual"
    try await server.run(job)
    try await node.runAll(server)
    let deployment = try #require(server.deployment("web"))
    #expect(deployment.status == .running && deployment.taskGroups["web"]?.healthyAllocs == 0)
    var request = DeploymentAllocHealthRequest()
    request.healthyAllocationIDs = server.running("web").map(\.id)
    _ = try await server.server.setAllocationHealth(request, deployment.id)
    try await server.settle()
    #expect(server.deployment("web")?.status == .successful)
    await node.close()
    try await server.remove()
  }

  @Test func aDeploymentThatIsFailedByHandGoesBackToo() async throws {
    let server = try await TestServer()
    let node = try await deployed(server, rolling(autoRevert: true))
    try await server.run(rolling(150, autoRevert: true))
    let id = try #require(server.deployment("web")?.id)
    let response = try await server.server.failDeployment(id)
    try await server.settle()
    #expect(response.revertedJobVersion == 2 && !(response.evalID ?? .none).isNone)
    let failed = try #require(server.reader.deployment(id)?.value)
    #expect(failed.status == .failed)
    #expect(failed.statusDescription == "Deployment marked as failed - rolling back to job version 0")
    #expect(server.reader.job(JobKey("default", "web"))?.spec.value.taskGroups[0].tasks[0].resources?.cpu == 100)
    await node.close()
    try await server.remove()
  }
}
