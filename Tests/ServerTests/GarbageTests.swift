import Codec
import Model
import State
import Testing

@testable import Server

@Suite(.timeLimit(.minutes(10))) struct GarbageTests {
  /// A job that has run and was stopped.
  private func stopped(_ server: TestServer) async throws {
    let node = try await FakeNode(server, "one")
    try await server.run(makeJob("web"))
    try await node.runAll(server, healthy: true)
    _ = try await server.server.deregister(JobKey("default", "web"), purge: false)
    try await server.settle()
    try await node.runAll(server)
    await node.close()
  }

  @Test func whatIsOldEnoughIsForgotten() async throws {
    let server = try await TestServer()
    try await stopped(server)
    try await server.pass(.minutes(30))
    #expect(!server.evaluations("web").isEmpty)
    try await server.pass(.minutes(40))
    #expect(server.evaluations("web").isEmpty, "ended evaluations are kept for an hour")
    #expect(server.allocations("web").isEmpty)
    #expect(server.reader.job(JobKey("default", "web")) != nil, "dead jobs are kept for four hours")
    try await server.pass(.hours(4))
    #expect(server.reader.job(JobKey("default", "web")) == nil)
    #expect(server.reader.nodes.count == 1)
    try await server.pass(.hours(24))
    #expect(server.reader.nodes.count == 0, "a node that is down is kept for a day")
    try await server.remove()
  }

  @Test func aForcedCollectionTakesEverythingThatHasEnded() async throws {
    let server = try await TestServer()
    try await stopped(server)
    let node = try await FakeNode(server, "two")
    try await server.run(makeJob("alive"))
    try await node.runAll(server)
    try await server.server.collectGarbage()
    #expect(server.reader.job(JobKey("default", "web")) == nil)
    #expect(server.evaluations("web").isEmpty)
    #expect(server.allocations("web").isEmpty)
    #expect(server.reader.job(JobKey("default", "alive")) != nil)
    #expect(server.running("alive").count == 1)
    await node.close()
    try await server.remove()
  }

  @Test func aRunningJobsFinishedBatchWorkIsNotDoneAgain() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    try await server.run(makeJob("sum", count: 2) { $0.type = .batch })
    let ids = server.allocations("sum").map(\.id)
    try await node.report([ids[0]], .complete, on: server)
    try await node.report([ids[1]], .running, on: server)
    try await server.server.collectGarbage()
    try await server.settle()
    #expect(Set(server.allocations("sum").map(\.id)) == Set(ids))
    await node.close()
    try await server.remove()
  }
}
