import Codec
import Model
import State
import Testing

@testable import Server

/// What an operator sets with `operator scheduler set-config`, and pools for themselves.
@Suite(.timeLimit(.minutes(10))) struct SchedulerConfigurationTests {
  private func set(_ server: TestServer, _ change: (inout SchedulerConfiguration) -> Void) async throws {
    var configuration = server.reader.schedulerConfiguration
    change(&configuration)
    _ = try await server.server.setSchedulerConfiguration(configuration, expectedIndex: nil)
    try await server.settle()
  }

  private func used(_ server: TestServer, _ job: String) -> Set<Identifier> { Set(server.running(job).map(\.nodeID)) }

  @Test func theAlgorithmDecidesWhetherAJobIsSpread() async throws {
    let server = try await TestServer()
    let nodes = [try await FakeNode(server, "one"), try await FakeNode(server, "two")]
    // Without anti-affinity between them: jobs of one instance each.
    for number in 0..<2 { try await server.run(makeJob("packed-\(number)")) }
    #expect(used(server, "packed-0") == used(server, "packed-1"), "binpack is the default")
    try await set(server) { $0.schedulerAlgorithm = "spread" }
    try await server.run(makeJob("spread"))
    #expect(used(server, "spread").isDisjoint(with: used(server, "packed-0")))
    for node in nodes { await node.close() }
    try await server.remove()
  }

  @Test func aPoolsOwnAlgorithmWins() async throws {
    let server = try await TestServer()
    var pool = NodePool()
    pool.name = "wide"
    pool.schedulerConfiguration = NodePoolSchedulerConfiguration()
    pool.schedulerConfiguration?.schedulerAlgorithm = "spread"
    _ = try await server.server.upsertNodePool(pool)
    let nodes = [
      try await FakeNode(server, "one") { $0.nodePool = "wide" },
      try await FakeNode(server, "two") { $0.nodePool = "wide" },
    ]
    for number in 0..<2 { try await server.run(makeJob("web-\(number)") { $0.nodePool = "wide" }) }
    #expect(used(server, "web-0") != used(server, "web-1"))
    for node in nodes { await node.close() }
    try await server.remove()
  }

  @Test func unknownAlgorithmsAreRefused() async throws {
    let server = try await TestServer()
    let error = await #expect(throws: ServerError.self) { try await set(server) { $0.schedulerAlgorithm = "random" } }
    #expect(error?.kind == .invalid && error?.message.contains("binpack or spread") == true)
    var pool = NodePool()
    pool.name = "odd"
    pool.schedulerConfiguration = NodePoolSchedulerConfiguration()
    pool.schedulerConfiguration?.schedulerAlgorithm = "random"
    await #expect(throws: ServerError.self) { try await server.server.upsertNodePool(pool) }
    try await server.remove()
  }

  @Test func registrationCanBeRefused() async throws {
    let server = try await TestServer()
    try await server.run(makeJob("before"))
    try await set(server) { $0.rejectJobRegistration = true }
    let error = await #expect(throws: ServerError.self) { try await server.run(makeJob("after")) }
    #expect(
      error?.kind == .permissionDenied && error?.message.contains("disabled by the scheduler configuration") == true)
    var request = ScalingRequest()
    request.count = 2
    request.target = ["Group": "web"]
    await #expect(throws: ServerError.self) {
      try await server.server.scale(JobKey("default", "before"), request, namespace: "default")
    }
    _ = try await server.server.deregister(JobKey("default", "before"), purge: false)
    try await set(server) { $0.rejectJobRegistration = false }
    try await server.run(makeJob("after"))
    try await server.remove()
  }

  @Test func evaluationsCanBePaused() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    try await set(server) { $0.pauseEvalBroker = true }
    let evaluation = try await server.run(makeJob("web"))
    #expect(evaluation.status == .pending && server.running("web").isEmpty)
    try await set(server) { $0.pauseEvalBroker = false }
    #expect(server.running("web").count == 1)
    await node.close()
    try await server.remove()
  }

  @Test func memoryMaxCountsOnlyWhereTheOperatorAllowsIt() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    func job(_ id: String) -> Job { makeJob(id) { $0.taskGroups[0].tasks[0].resources?.memoryMaxMB = 256 } }
    var request = JobRegisterRequest()
    request.job = job("plain")
    let response = try await server.server.register(request, namespace: "default")
    #expect(response.warnings.contains("memory oversubscription is not enabled"), "\(response.warnings)")
    try await server.settle()
    func held(_ id: String) -> Int64? {
      server.running(id).first?.allocatedResources.tasks["main"]?.memory.memoryMaxMB
    }
    #expect(held("plain") == 0)
    try await set(server) { $0.memoryOversubscriptionEnabled = true }
    #expect(held("plain") == 0, "what was placed before stays as it was")
    request.job = job("more")
    #expect(try await server.server.register(request, namespace: "default").warnings.isEmpty)
    try await server.settle()
    #expect(held("more") == 256)
    // A pool may say otherwise.
    var pool = NodePool()
    pool.name = "default"
    pool.schedulerConfiguration = NodePoolSchedulerConfiguration()
    pool.schedulerConfiguration?.memoryOversubscriptionEnabled = false
    _ = try await server.server.upsertNodePool(pool)
    try await server.run(job("strict"))
    #expect(held("strict") == 0)
    await node.close()
    try await server.remove()
  }
}
