import Codec
import Model
import State
import Testing

@testable import Server

/// The documented behaviour of drains.
@Suite(.timeLimit(.minutes(10))) struct DrainTests {
  private func drain(
    _ server: TestServer, _ node: FakeNode, deadline: Nanoseconds = .hours(1), ignoreSystem: Bool = false
  ) async throws {
    var request = NodeUpdateDrainRequest()
    var spec = DrainSpec()
    spec.deadline = deadline
    spec.ignoreSystemJobs = ignoreSystem
    request.drainSpec = spec
    _ = try await server.server.drain(node.id, request)
    try await server.settle()
  }

  private func service(_ id: String, count: Int, parallel: Int = 1) -> Job {
    makeJob(id, count: count) { job in
      var migrate = MigrateStrategy()
      migrate.maxParallel = parallel
      job.taskGroups[0].migrate = migrate
    }
  }

  private func on(_ server: TestServer, _ node: FakeNode) -> [StoredAllocation] {
    server.reader.allocations(onNode: node.id).map(\.value).filter { !$0.isClientTerminal }
  }

  private func record(_ server: TestServer, _ node: FakeNode) -> Node? { server.reader.node(node.id)?.value }

  /// A server with a job on one node and a second, empty node.
  private func started(_ job: Job) async throws -> (TestServer, FakeNode, FakeNode) {
    let server = try await TestServer()
    let full = try await FakeNode(server, "full")
    try await server.run(job)
    try await full.runAll(server, healthy: true)
    let empty = try await FakeNode(server, "empty")
    return (server, full, empty)
  }

  @Test func aDrainedNodeTakesNothingNewAndServicesMoveAsManyAtATimeAsMigrateAllows() async throws {
    let (server, full, empty) = try await started(service("web", count: 3, parallel: 2))
    try await drain(server, full)
    #expect(record(server, full)?.schedulingEligibility == .ineligible)
    #expect(record(server, full)?.drainStrategy != nil && record(server, full)?.lastDrain?.status == .draining)
    let moving = on(server, full).filter { $0.desiredTransition.migrate == true }
    #expect(moving.count == 2, "max_parallel is 2")
    #expect(on(server, empty).count == 2)
    // The replacements run but are not healthy yet: the third stays where it is.
    try await full.runAll(server)
    try await empty.runAll(server)
    #expect(on(server, full).filter { $0.desiredTransition.migrate != true }.count == 1)
    try await empty.runAll(server, healthy: true)
    #expect(on(server, full).filter { $0.desiredTransition.migrate != true }.isEmpty)
    try await empty.runAll(server, healthy: true)
    try await full.runAll(server)
    let node = try #require(record(server, full))
    #expect(node.drainStrategy == nil && node.schedulingEligibility == .ineligible)
    #expect(node.lastDrain?.status == .complete)
    #expect(node.events.last?.message == "Node drain complete")
    #expect(server.running("web").count == 3)
    await full.close()
    await empty.close()
    try await server.remove()
  }

  @Test func theDrainIsCompleteWhenTheClientHasReportedTheEnds() async throws {
    let (server, full, empty) = try await started(service("web", count: 1))
    try await drain(server, full)
    try await empty.runAll(server, healthy: true)
    #expect(record(server, full)?.drainStrategy != nil, "the old one has not been reported as ended")
    try await full.runAll(server)
    #expect(record(server, full)?.drainStrategy == nil)
    await full.close()
    await empty.close()
    try await server.remove()
  }

  @Test func batchJobsMayGoOnUntilTheDeadline() async throws {
    let (server, full, empty) = try await started(makeJob("sum", count: 1) { $0.type = .batch })
    try await drain(server, full, deadline: .minutes(10))
    #expect(on(server, full).allSatisfy { $0.desiredTransition.migrate != true })
    for _ in 0..<59 {
      try await server.pass(.seconds(10))
      try await full.beat()
      try await empty.beat()
    }
    #expect(on(server, full).allSatisfy { $0.desiredTransition.migrate != true })
    try await server.pass(.seconds(11))
    #expect(on(server, full).allSatisfy { $0.desiredTransition.migrate == true })
    #expect(on(server, empty).count == 1)
    try await full.runAll(server)
    #expect(record(server, full)?.lastDrain?.status == .complete)
    await full.close()
    await empty.close()
    try await server.remove()
  }

  @Test func aBatchJobThatEndsByItselfLetsTheDrainEnd() async throws {
    let (server, full, empty) = try await started(makeJob("sum", count: 1) { $0.type = .batch })
    try await drain(server, full, deadline: .zero)
    try await full.report(on(server, full).map(\.id), .complete, on: server)
    #expect(record(server, full)?.lastDrain?.status == .complete)
    #expect(on(server, empty).isEmpty, "finished work is not done again")
    await full.close()
    await empty.close()
    try await server.remove()
  }

  @Test func systemJobsGoLast() async throws {
    let server = try await TestServer()
    let full = try await FakeNode(server, "full")
    try await server.run(service("web", count: 1))
    try await server.run(makeJob("agent") { $0.type = .system })
    try await full.runAll(server, healthy: true)
    let empty = try await FakeNode(server, "empty")
    try await drain(server, full)
    #expect(on(server, full).first { $0.jobKey.id == "agent" }?.desiredTransition.migrate != true)
    try await empty.runAll(server, healthy: true)
    // The service has ended: now the system job goes.
    try await full.report(on(server, full).filter { $0.jobKey.id == "web" }.map(\.id), .complete, on: server)
    #expect(on(server, full).first { $0.jobKey.id == "agent" }?.isServerTerminal == true)
    #expect(record(server, full)?.drainStrategy != nil)
    try await full.runAll(server)
    #expect(record(server, full)?.lastDrain?.status == .complete)
    await full.close()
    await empty.close()
    try await server.remove()
  }

  @Test func systemJobsStayWhereTheyAreIgnored() async throws {
    let server = try await TestServer()
    let full = try await FakeNode(server, "full")
    try await server.run(makeJob("agent") { $0.type = .system })
    try await full.runAll(server)
    try await drain(server, full, ignoreSystem: true)
    #expect(record(server, full)?.lastDrain?.status == .complete)
    #expect(on(server, full).count == 1 && on(server, full).allSatisfy { $0.desiredStatus == .run })
    await full.close()
    try await server.remove()
  }

  @Test func forceMovesEverythingAtOnce() async throws {
    let server = try await TestServer()
    let full = try await FakeNode(server, "full")
    try await server.run(service("web", count: 3))
    try await server.run(makeJob("sum") { $0.type = .batch })
    try await server.run(makeJob("agent") { $0.type = .system })
    try await full.runAll(server, healthy: true)
    let empty = try await FakeNode(server, "empty")
    try await drain(server, full, deadline: .seconds(-1))
    #expect(on(server, full).count == 5)
    #expect(on(server, full).allSatisfy { $0.desiredTransition.migrate == true && $0.isServerTerminal })
    await full.close()
    await empty.close()
    try await server.remove()
  }

  @Test func anEmptyNodeIsDrainedAtOnce() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    try await drain(server, node)
    #expect(record(server, node)?.lastDrain?.status == .complete)
    await node.close()
    try await server.remove()
  }

  @Test func aDrainCanBeEnded() async throws {
    let (server, full, empty) = try await started(makeJob("sum") { $0.type = .batch })
    try await drain(server, full)
    var end = NodeUpdateDrainRequest()
    end.meta = ["message": "changed my mind"]
    _ = try await server.server.drain(full.id, end)
    #expect(record(server, full)?.schedulingEligibility == .ineligible, "not asked to be eligible")
    #expect(record(server, full)?.lastDrain?.status == .canceled)
    #expect(record(server, full)?.lastDrain?.meta == ["message": "changed my mind"])
    end.markEligible = true
    try await drain(server, full)
    _ = try await server.server.drain(full.id, end)
    #expect(record(server, full)?.schedulingEligibility == .eligible)
    await full.close()
    await empty.close()
    try await server.remove()
  }

  @Test func twoNodesDrainedTogetherKeepTheGroupsHealth() async throws {
    let server = try await TestServer()
    let one = try await FakeNode(server, "one") { $0.nodeResources?.cpu.cpuShares = 250 }
    let two = try await FakeNode(server, "two") { $0.nodeResources?.cpu.cpuShares = 250 }
    try await server.run(service("web", count: 4))
    for node in [one, two] { try await node.runAll(server, healthy: true) }
    let rest = try await FakeNode(server, "rest")
    try await drain(server, one)
    try await drain(server, two)
    let moving = (on(server, one) + on(server, two)).filter { $0.desiredTransition.migrate == true }
    #expect(moving.count == 1, "one at a time over both nodes")
    for node in [one, two, rest] { await node.close() }
    try await server.remove()
  }

  @Test func aDrainGoesOnWithTheNextLeader() async throws {
    let first = try await TestServer()
    let full = try await FakeNode(first, "full")
    try await first.run(makeJob("sum") { $0.type = .batch })
    try await full.runAll(first)
    try await drain(first, full, deadline: .minutes(5))
    await full.close()
    await first.stop()
    first.clock.advance(.minutes(6))
    let second = try await TestServer(at: first.path, clock: first.clock)
    try await second.settle()
    let left = second.reader.allocations(onNode: full.id).map(\.value)
    #expect(left.allSatisfy { $0.desiredTransition.migrate == true }, "the deadline passed without a leader")
    try await second.remove()
  }
}
