import Codec
import Model
import State
import Testing
import Transport

@testable import Server

@Suite(.timeLimit(.minutes(10))) struct NodeTests {
  @Test func aSilentNodeGoesDownAndItsAllocationsAreReplaced() async throws {
    let server = try await TestServer()
    let silent = try await FakeNode(server, "silent")
    try await server.run(makeJob("web", count: 2))
    try await silent.runAll(server)
    let before = server.allocations("web").map(\.id)
    let other = try await FakeNode(server, "other")
    // Ten seconds to live and four of grace are the defaults.
    try await server.pass(.seconds(13))
    #expect(server.reader.node(silent.id)?.value.status == .ready)
    try await other.beat()
    try await server.pass(.seconds(2))
    #expect(server.reader.node(silent.id)?.value.status == .down)
    #expect(server.reader.node(other.id)?.value.status == .ready)
    for id in before { #expect(server.reader.allocation(id)?.value.clientStatus == .lost) }
    #expect(server.running("web").map(\.nodeID) == [other.id, other.id])
    #expect(server.evaluations("web").contains { $0.triggeredBy == .nodeUpdate && $0.nodeID == silent.id })
    await silent.close()
    await other.close()
    try await server.remove()
  }

  @Test func aNodeThatComesBackIsReadyAgain() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    try await server.pass(.seconds(30))
    #expect(server.reader.node(node.id)?.value.status == .down)
    let answer = try await node.beat()
    #expect(answer.status == .ready)
    #expect(server.reader.node(node.id)?.value.status == .ready)
    try await server.pass(.seconds(30))
    #expect(server.reader.node(node.id)?.value.status == .down, "it is waited for again")
    await node.close()
    try await server.remove()
  }

  @Test func aRestartedServerGivesEveryNodeAFullGrace() async throws {
    let first = try await TestServer()
    let node = try await FakeNode(first, "one")
    await node.close()
    await first.stop()
    first.clock.advance(.hours(1))
    let second = try await TestServer(at: first.path, clock: first.clock)
    try await second.pass(.seconds(13))
    #expect(second.reader.node(node.id)?.value.status == .ready)
    try await second.pass(.seconds(2))
    #expect(second.reader.node(node.id)?.value.status == .down)
    try await second.remove()
  }

  @Test func anIdWithAnotherSecretIsRefused() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    let stolen = Identifier(high: 1, low: 2)
    for call in [{ try await node.register(secret: stolen) }, { try await node.beat(secret: stolen) }] {
      let error = await #expect(throws: RPCError.self) { try await call() }
      #expect(error?.code == .permissionDenied)
    }
    let unknown = await #expect(throws: RPCError.self) {
      try await node.call(
        ClientRPC.updateStatus, NodeUpdateStatusRequest(nodeID: Identifier(high: 7, low: 7), secretID: node.secret),
        NodeHeartbeatResponse.self)
    }
    #expect(unknown?.code == .notFound)
    await node.close()
    try await server.remove()
  }

  @Test func aClientSpeaksOnlyForAllocationsOnItsNode() async throws {
    let server = try await TestServer()
    let owner = try await FakeNode(server, "owner")
    try await server.run(makeJob("web"))
    let other = try await FakeNode(server, "other")
    let id = try #require(server.allocations("web").first?.id)
    try await other.report([id], .failed, on: server)
    #expect(server.reader.allocation(id)?.value.clientStatus == .pending)
    await owner.close()
    await other.close()
    try await server.remove()
  }

  @Test func theStreamTellsANodeOfEverythingAndThenOfChanges() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    try await server.run(makeJob("first"))
    let stream = try await node.connection.openStream(
      method: ClientRPC.watchAllocations,
      body: Binary.encode(NodeWatchAllocationsRequest(nodeID: node.id, secretID: node.secret)))
    var frames = ClientRPC.FrameReader()
    func next() async throws -> NodeAllocationsMessage {
      while true {
        if let message = try frames.next(NodeAllocationsMessage.self) { return message }
        frames.append(try #require(try await stream.read()))
      }
    }
    let all = try await next()
    #expect(all.isComplete)
    #expect(all.allocations.map(\.jobID) == ["first"])
    #expect(all.allocations.first?.job?.taskGroups.first?.name == "web")
    try await server.run(makeJob("second"))
    let change = try await next()
    #expect(!change.isComplete)
    #expect(change.allocations.map(\.jobID) == ["second"])
    // What the client itself says is not sent back: the next message is the server's next change.
    try await node.runAll(server)
    _ = try await server.server.deregister(JobKey("default", "first"), purge: false)
    let stop = try await next()
    #expect(stop.allocations.map(\.jobID) == ["first"])
    #expect(stop.allocations.first?.desiredStatus == .stop)
    stream.cancel()
    await node.close()
    try await server.remove()
  }

  @Test func anIneligibleNodeGetsNothingNew() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    _ = try await server.server.setEligibility(node.id, .ineligible)
    let evaluation = try await server.run(makeJob("web"))
    #expect(!evaluation.blockedEval.isNone)
    _ = try await server.server.setEligibility(node.id, .eligible)
    try await server.settle()
    #expect(server.allocations("web").count == 1)
    await node.close()
    try await server.remove()
  }

  @Test func aPurgedNodesWorkGoesElsewhere() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    try await server.run(makeJob("web"))
    let other = try await FakeNode(server, "other")
    _ = try await server.server.purgeNode(node.id)
    try await server.settle()
    #expect(server.reader.node(node.id) == nil)
    #expect(server.running("web").map(\.nodeID) == [other.id])
    await node.close()
    await other.close()
    try await server.remove()
  }
}
