import Codec
import HTTP
import Synchronization
import Testing
import Transport

@testable import API

/// Requests that travel from one agent to another.
@Suite(.timeLimit(.minutes(10))) struct ForwardingTests {
  /// Two endpoints, the first of which serves an API.
  private func pair(_ api: API) async throws -> (server: RPCEndpoint, client: RPCEndpoint, connection: RPCConnection) {
    let server = try RPCEndpoint(
      configuration: RPCConfiguration(ourselves: RPCPeer(role: .server, region: "global", name: "server")),
      handler: { request in throw RPCError(.unimplemented, request.method) },
      streamHandler: { request, stream in
        guard try await HTTPOverRPC.serve(request, stream, api) else { throw RPCError(.unimplemented, request.method) }
      })
    let client = try RPCEndpoint(
      configuration: RPCConfiguration(ourselves: RPCPeer(role: .client, region: "global", name: "client")),
      handler: { request in throw RPCError(.unimplemented, request.method) })
    let port = try server.listen(address: "127.0.0.1", port: 0)
    return (server, client, try await client.connect(to: "127.0.0.1:\(port)"))
  }

  @Test func aRequestAndItsAnswerArriveWhole() async throws {
    let api = try await TestAPI()
    let (server, client, connection) = try await pair(api.api)
    let target = try HTTPTarget(parsing: "/v1/job/team%2Fweb?namespace=default&pretty")
    let registration = HTTPRequest(
      method: .put, target: try HTTPTarget(parsing: "/v1/jobs"), headers: ["Content-Type": "application/json"],
      body: Array(job("team/web").utf8))
    let registered = try await Answer(try await HTTPOverRPC.forward(registration, over: connection))
    #expect(registered.status == 200)
    let answer = try await Answer(
      try await HTTPOverRPC.forward(HTTPRequest(method: .get, target: target), over: connection))
    let here = try await api.get(target.raw)
    #expect(answer.status == 200)
    #expect(answer.bytes == here.bytes)
    #expect(answer.headers["X-Nomad-Index"] == here.headers["X-Nomad-Index"])
    let missing = try await Answer(
      try await HTTPOverRPC.forward(
        HTTPRequest(method: .get, target: try HTTPTarget(parsing: "/v1/job/none")), over: connection))
    #expect(missing.status == 404)
    #expect(missing.text == "job not found")
    await client.close()
    await server.close()
    try await api.remove()
  }

  @Test func aStreamedBodyComesAsItIsMade() async throws {
    let gate = Gate()
    let streaming = Route([.get], "/v1/stream", .agent) { _, _ in
      HTTPResponse(
        headers: ["X-Kind": "stream"],
        body: .stream { writer in
          try await writer.write(Array("first ".utf8))
          await gate.wait()
          for _ in 0..<64 { try await writer.write([UInt8](repeating: 0x61, count: 1 << 16)) }
        })
    }
    let other = try await TestAPI()
    let (server, client, connection) = try await pair(
      API(context: other.api.context, routes: [streaming]))
    let response = try await HTTPOverRPC.forward(
      HTTPRequest(method: .get, target: try HTTPTarget(parsing: "/v1/stream")), over: connection)
    #expect(response.headers["X-Kind"] == "stream")
    guard case .stream(let produce) = response.body else {
      Issue.record("the body is not streamed")
      return
    }
    let received = Received()
    let reading = Task { try await produce(HTTPBodyWriter(forwardingTo: { received.add($0.count) })) }
    // The rest is made only when the beginning has arrived.
    while received.count == 0 { try await Task.sleep(for: .milliseconds(1)) }
    #expect(received.count == 6)
    gate.open()
    try await reading.value
    #expect(received.count == 6 + 64 << 16)
    await client.close()
    await server.close()
    try await other.remove()
  }

  @Test func aBodyThatBreaksOffIsAnErrorAndNoShortAnswer() async throws {
    struct Broken: Error {}
    let streaming = Route([.get], "/v1/stream", .agent) { _, _ in
      HTTPResponse(
        body: .stream { writer in
          try await writer.write(Array("first ".utf8))
          throw Broken()
        })
    }
    let other = try await TestAPI()
    let (server, client, connection) = try await pair(API(context: other.api.context, routes: [streaming]))
    await #expect(throws: (any Error).self) {
      let response = try await HTTPOverRPC.forward(
        HTTPRequest(method: .get, target: try HTTPTarget(parsing: "/v1/stream")), over: connection)
      _ = try await Answer(response)
    }
    await client.close()
    await server.close()
    try await other.remove()
  }

  @Test func aLongLogComesWholeEvenToASlowReader() async throws {
    let pieces = 500
    let streaming = Route([.get], "/v1/stream", .agent) { _, _ in
      HTTPResponse(
        body: .stream { writer in
          for number in 0..<pieces { try await writer.write([UInt8](repeating: UInt8(number & 255), count: 10_000)) }
        })
    }
    let other = try await TestAPI()
    let (server, client, connection) = try await pair(API(context: other.api.context, routes: [streaming]))
    let response = try await HTTPOverRPC.forward(
      HTTPRequest(method: .get, target: try HTTPTarget(parsing: "/v1/stream")), over: connection)
    guard case .stream(let produce) = response.body else {
      Issue.record("the body is not streamed")
      return
    }
    let received = Received()
    try await produce(
      HTTPBodyWriter(forwardingTo: { bytes in
        received.add(bytes.count)
        await Task.yield()
      }))
    #expect(received.count == pieces * 10_000)
    await client.close()
    await server.close()
    try await other.remove()
  }
}

/// Opened once; whoever waits goes on then.
private final class Gate: Sendable {
  private let stream: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  init() { (stream, continuation) = AsyncStream.makeStream() }

  func wait() async { for await _ in stream { return } }
  func open() { continuation.finish() }
}

private final class Received: Sendable {
  private let total = Mutex(0)
  var count: Int { total.withLock { $0 } }
  func add(_ count: Int) { total.withLock { $0 += count } }
}
