import Glibc
import Synchronization
import Testing

@testable import Transport

func endpoint(
  _ name: String = "server", role: RPCRole = .server, region: String = "global", limits: RPCLimits = RPCLimits(),
  handler: @escaping RPCEndpoint.Handler = { request in request.body },
  streams: @escaping RPCEndpoint.StreamHandler = { _, _ in throw RPCError(.unimplemented, "none") },
  onConnection: @escaping @Sendable (RPCConnection) -> Void = { _ in }
) throws -> RPCEndpoint {
  var configuration = RPCConfiguration(ourselves: RPCPeer(role: role, region: region, name: name))
  configuration.limits = limits
  return try RPCEndpoint(
    configuration: configuration, handler: handler, streamHandler: streams, onConnection: onConnection)
}

/// Polls until the condition holds; fails the test after ten seconds.
func eventually(_ what: Comment, _ condition: () -> Bool) async throws {
  let deadline = ContinuousClock.now + .seconds(10)
  while !condition() {
    try #require(ContinuousClock.now < deadline, what)
    try await Task.sleep(for: .milliseconds(2))
  }
}

@Suite(.timeLimit(.minutes(10))) struct EndpointTests {
  @Test func aCallIsAnsweredOverTCP() async throws {
    let server = try endpoint(handler: { $0.body.reversed() })
    let client = try endpoint("client", role: .client)
    let port = try server.listen(address: "127.0.0.1", port: 0)
    let connection = try await client.connect(to: "127.0.0.1:\(port)")
    #expect(connection.peer == RPCPeer(role: .server, region: "global", name: "server"))
    #expect(try await connection.call(method: "m", body: [1, 2, 3], timeout: .seconds(5)) == [3, 2, 1])
    let large = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) }
    #expect(try await connection.call(method: "m", body: large, timeout: .seconds(20)) == large.reversed())
    await client.close()
    await server.close()
  }

  @Test func theErrorOfAHandlerReachesTheCaller() async throws {
    let server = try endpoint(handler: { request in
      if request.method == "typed" { throw RPCError(.noLeader, "no leader is known yet: try again") }
      struct Odd: Error {}
      throw Odd()
    })
    let client = try endpoint("client")
    let connection = try await client.connect(to: "127.0.0.1:\(try server.listen(address: "127.0.0.1", port: 0))")
    await #expect(throws: RPCError(.noLeader, "no leader is known yet: try again")) {
      try await connection.call(method: "typed", body: [], timeout: .seconds(5))
    }
    let other = await #expect(throws: RPCError.self) {
      try await connection.call(method: "odd", body: [], timeout: .seconds(5))
    }
    #expect(other?.code == .internal)
    await client.close()
    await server.close()
  }

  @Test func aServerCallsTheClientBack() async throws {
    let connected = Mutex<RPCConnection?>(nil)
    let server = try endpoint(onConnection: { connection in connected.withLock { $0 = connection } })
    let client = try endpoint("client", role: .client, handler: { request in Array("\(request.method) here".utf8) })
    _ = try await client.connect(to: "127.0.0.1:\(try server.listen(address: "127.0.0.1", port: 0))")
    try await eventually("the server sees the connection") { connected.withLock { $0 != nil } }
    let back = try #require(connected.withLock { $0 })
    back.tag = "node-1"
    #expect(back.tag as? String == "node-1")
    #expect(try await back.call(method: "Stats", body: [], timeout: .seconds(5)) == Array("Stats here".utf8))
    await client.close()
    await server.close()
  }

  @Test func aDeadlineCancelsTheHandlerToo() async throws {
    let cancelled = Mutex(false)
    let server = try endpoint(handler: { _ in
      do {
        try await Task.sleep(for: .seconds(60))
      } catch {
        cancelled.withLock { $0 = true }
      }
      return []
    })
    let client = try endpoint("client")
    let connection = try await client.connect(to: "127.0.0.1:\(try server.listen(address: "127.0.0.1", port: 0))")
    let error = await #expect(throws: RPCError.self) {
      try await connection.call(method: "m", body: [], timeout: .milliseconds(50))
    }
    #expect(error?.code == .deadlineExceeded)
    try await eventually("the handler is cancelled") { cancelled.withLock { $0 } }
    await client.close()
    await server.close()
  }

  @Test func aCancelledCallerCancelsTheHandler() async throws {
    let started = Mutex(false), cancelled = Mutex(false)
    let server = try endpoint(handler: { _ in
      started.withLock { $0 = true }
      do { try await Task.sleep(for: .seconds(60)) } catch { cancelled.withLock { $0 = true } }
      return []
    })
    let client = try endpoint("client")
    let connection = try await client.connect(to: "127.0.0.1:\(try server.listen(address: "127.0.0.1", port: 0))")
    let call = Task { try await connection.call(method: "m", body: [], timeout: .seconds(50)) }
    try await eventually("the handler runs") { started.withLock { $0 } }
    call.cancel()
    await #expect(throws: RPCError.self) { try await call.value }
    try await eventually("the handler is cancelled") { cancelled.withLock { $0 } }
    await client.close()
    await server.close()
  }

  @Test func aPeerThatVanishesFailsCallsStreamsAndRunsOnClose() async throws {
    let server = try endpoint(
      handler: { _ in
        try await Task.sleep(for: .seconds(60))
        return []
      },
      streams: { _, stream in
        try await stream.write([1])
        try await Task.sleep(for: .seconds(60))
      })
    let client = try endpoint("client")
    let connection = try await client.connect(to: "127.0.0.1:\(try server.listen(address: "127.0.0.1", port: 0))")
    let closed = Mutex<RPCError?>(nil)
    connection.onClose { error in closed.withLock { $0 = error } }
    let stream = try await connection.openStream(method: "s")
    #expect(try await stream.read() == [1])
    let call = Task { try await connection.call(method: "m", body: [], timeout: .seconds(50)) }
    try await eventually("both are under way") { connection.streamCount == 2 }
    await server.close()
    let failure = await #expect(throws: RPCError.self) { try await call.value }
    #expect(failure?.code == .unavailable)
    await #expect(throws: RPCError.self) { try await stream.read() }
    try await eventually("onClose runs") { closed.withLock { $0 != nil } }
    await #expect(throws: RPCError.self) { try await connection.call(method: "m", body: [], timeout: .seconds(1)) }
    await client.close()
  }

  @Test func aStreamCarriesMegabytesWithBackPressure() async throws {
    var limits = RPCLimits()
    limits.windowBytes = 32 << 10
    limits.sendBufferBytes = 32 << 10
    let written = Atomic<Int>(0)
    let server = try endpoint(
      limits: limits,
      streams: { request, stream in
        #expect(request.body == Array("follow".utf8))
        for index in 0..<1000 {
          try await stream.write([UInt8](repeating: UInt8(truncatingIfNeeded: index), count: 4096))
          written.add(4096, ordering: .relaxed)
        }
      })
    let client = try endpoint("client", limits: limits)
    let connection = try await client.connect(to: "127.0.0.1:\(try server.listen(address: "127.0.0.1", port: 0))")
    let stream = try await connection.openStream(method: "logs", body: Array("follow".utf8))
    // Unread, the writer gets as far as window and buffer and no further.
    try await eventually("the writer fills the window") { written.load(ordering: .relaxed) >= 60 << 10 }
    try await Task.sleep(for: .milliseconds(50))
    #expect(written.load(ordering: .relaxed) <= 80 << 10)
    var received = 0
    while let bytes = try await stream.read() {
      #expect(bytes.first == UInt8(truncatingIfNeeded: received / 4096))
      received += bytes.count
    }
    #expect(received == 4_096_000)
    await client.close()
    await server.close()
  }

  @Test func aStreamEchoesUntilTheOpenerFinishes() async throws {
    let server = try endpoint(streams: { _, stream in
      while let bytes = try await stream.read() { try await stream.write(bytes) }
      try await stream.write(Array("bye".utf8))
    })
    let client = try endpoint("client")
    let connection = try await client.connect(to: "127.0.0.1:\(try server.listen(address: "127.0.0.1", port: 0))")
    let stream = try await connection.openStream(method: "echo")
    for round in 0..<100 {
      try await stream.write([UInt8(round)])
      #expect(try await stream.read() == [UInt8(round)])
    }
    stream.finish()
    #expect(try await stream.read() == Array("bye".utf8))
    #expect(try await stream.read() == nil)
    try await eventually("nothing is left") { connection.streamCount == 0 }
    await client.close()
    await server.close()
  }

  @Test func anotherRegionAndATooManiethConnectionAreRefusedInWords() async throws {
    var limits = RPCLimits()
    limits.maxConnectionsPerPeer = 1
    let server = try endpoint(limits: limits)
    let port = try server.listen(address: "127.0.0.1", port: 0)
    let stranger = try endpoint("stranger", role: .client, region: "elsewhere")
    let refused = await refusal(of: stranger, port)
    #expect(refused?.code == .permissionDenied)
    let client = try endpoint("client", role: .client)
    try await eventually("the refused connection is gone") { server.connections.isEmpty }
    let first = try await connectWhenFree(client, port)
    let crowded = await refusal(of: client, port)
    #expect(crowded?.code == .resourceExhausted)
    #expect(try await first.call(method: "m", body: [5], timeout: .seconds(5)) == [5])
    await stranger.close()
    await client.close()
    await server.close()
  }

  /// What a refused peer is told: by `connect`, or, when the refusal arrives a moment after the handshake, by its first
  /// call.
  func refusal(of peer: RPCEndpoint, _ port: UInt16) async -> RPCError? {
    await #expect(throws: RPCError.self) {
      let connection = try await peer.connect(to: "127.0.0.1:\(port)")
      _ = try await connection.call(method: "m", body: [1], timeout: .seconds(10))
    }
  }

  /// The server frees a refused connection's place a moment after the refusal arrives here.
  func connectWhenFree(_ client: RPCEndpoint, _ port: UInt16) async throws -> RPCConnection {
    let deadline = ContinuousClock.now + .seconds(10)
    while true {
      do {
        return try await client.connect(to: "127.0.0.1:\(port)")
      } catch {
        try #require(ContinuousClock.now < deadline)
        try await Task.sleep(for: .milliseconds(5))
      }
    }
  }

  @Test func connectingToNobodySaysSo() async throws {
    let server = try endpoint()
    let port = try server.listen(address: "127.0.0.1", port: 0)
    await server.close()
    let client = try endpoint("client")
    let error = await #expect(throws: RPCError.self) { try await client.connect(to: "127.0.0.1:\(port)") }
    #expect(error?.message.contains("ECONNREFUSED") == true && error?.code == .unavailable)
    let malformed = await #expect(throws: RPCError.self) { try await client.connect(to: "host:99999") }
    #expect(malformed?.code == .invalid)
    await client.close()
  }

  @Test func aStrangerIsToldWhyAndCutWhileOthersGoOn() async throws {
    var limits = RPCLimits()
    limits.handshakeTimeout = .milliseconds(200)
    let server = try endpoint(limits: limits)
    let port = try server.listen(address: "127.0.0.1", port: 0)
    let client = try endpoint("client", role: .client)
    let connection = try await client.connect(to: "127.0.0.1:\(port)")
    for (bytes, words) in [
      ("GET / HTTP/1.1\r\n\r\n", "not the HTTP port"), ("SERA", "did not complete the handshake"),
    ] {
      let answer = await offPool { conversation(port, Array(bytes.utf8)) }
      #expect(String(decoding: answer, as: UTF8.self).contains(words))
    }
    #expect(try await connection.call(method: "m", body: [1], timeout: .seconds(5)) == [1])
    try await eventually("only the client is left") { server.connections.count == 1 }
    await client.close()
    await server.close()
  }

  @Test func aPeerKilledInTheMiddleOfAStreamEndsIt() async throws {
    let ended = Mutex<(any Error)?>(nil)
    let server = try endpoint(streams: { _, stream in
      do {
        while true { try await stream.write([UInt8](repeating: 1, count: 4096)) }
      } catch {
        ended.withLock { $0 = error }
        throw error
      }
    })
    let port = try server.listen(address: "127.0.0.1", port: 0)
    // A peer of raw bytes that opens a stream, reads nothing and dies.
    _ = await offPool {
      conversation(port, rawPreface(role: 2) + rawFrame(1, stream: 1, openStream), readToEnd: false)
    }
    try await eventually("the writer fails") { ended.withLock { $0 != nil } }
    try await eventually("the connection is gone") { server.connections.isEmpty }
    await server.close()
  }

  @Test func aSlowReaderDoesNotHoldUpOtherStreamsAndCalls() async throws {
    let server = try endpoint(streams: { _, stream in
      while true { try await stream.write([UInt8](repeating: 1, count: 65536)) }
    })
    let client = try endpoint("client")
    let connection = try await client.connect(to: "127.0.0.1:\(try server.listen(address: "127.0.0.1", port: 0))")
    var stuck: [RPCStream] = []
    for _ in 0..<20 { stuck.append(try await connection.openStream(method: "flood")) }
    for index in 0..<100 {
      #expect(try await connection.call(method: "m", body: [UInt8(index)], timeout: .seconds(10)) == [UInt8(index)])
    }
    for stream in stuck { stream.cancel() }
    try await eventually("the streams end on both sides") {
      connection.streamCount == 0 && server.connections.allSatisfy { $0.streamCount == 0 }
    }
    await client.close()
    await server.close()
  }

  @Test func aSilentListenerMeetsTheConnectTimeout() async throws {
    // Accepts into the backlog and never says a word.
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        #expect(bind(descriptor, generic, length) == 0 && listen(descriptor, 5) == 0)
        #expect(getsockname(descriptor, generic, &length) == 0)
      }
    }
    let client = try endpoint("client")
    let error = await #expect(throws: RPCError.self) {
      try await client.connect(to: "127.0.0.1:\(UInt16(bigEndian: address.sin_port))", timeout: .milliseconds(100))
    }
    #expect(error?.code == .deadlineExceeded)
    await client.close()
  }

  @Test func manyCallsAtOnceAllGetTheirOwnAnswer() async throws {
    let server = try endpoint()
    let client = try endpoint("client")
    let connection = try await client.connect(to: "127.0.0.1:\(try server.listen(address: "127.0.0.1", port: 0))")
    let wrong = try await withThrowingTaskGroup(of: Bool.self) { group in
      for index in 0..<2000 {
        group.addTask {
          let body = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: index)
          return try await connection.call(method: "m", body: body, timeout: .seconds(30)) != body
        }
      }
      return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(wrong == 0)
    #expect(connection.streamCount == 0)
    await client.close()
    await server.close()
  }

  @Test func closedEndpointsLeaveNoDescriptor() async throws {
    func descriptors() -> Int {
      guard let directory = opendir("/proc/self/fd") else { return -1 }
      defer { closedir(directory) }
      var sockets = 0
      while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { raw in
          String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
        }
        var buffer = [CChar](repeating: 0, count: 256)
        let count = readlink("/proc/self/fd/" + name, &buffer, 255)
        if count > 0, String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) == marker {
          sockets += 1
        }
      }
      return sockets
    }
    // Only this test's own descriptors are counted, for others run at the same time: those of one connection's inode.
    var marker = ""
    let server = try endpoint(), client = try endpoint("client")
    let connection = try await client.connect(to: "127.0.0.1:\(try server.listen(address: "127.0.0.1", port: 0))")
    let descriptor = try #require(connection.descriptorForTests)
    var buffer = [CChar](repeating: 0, count: 256)
    let count = readlink("/proc/self/fd/\(descriptor)", &buffer, 255)
    marker = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    #expect(descriptors() == 1)
    await client.close()
    await server.close()
    try await eventually("the socket is closed") { descriptors() == 0 }
  }
}
