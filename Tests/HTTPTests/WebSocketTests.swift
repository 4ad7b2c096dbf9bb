import Synchronization
import Testing

@testable import HTTP

@Suite(.timeLimit(.minutes(1))) struct WebSocketTests {
  func decode(_ bytes: [UInt8], _ side: WebSocketSide = .client, step: Int = .max, max: Int = 1 << 20) throws
    -> [WebSocketMessage]
  {
    var decoder = WebSocketDecoder(side: side, maxMessageBytes: max)
    var messages: [WebSocketMessage] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      try decoder.receive(Array(rest.prefix(step)), into: &messages)
      rest = rest.dropFirst(step)
    }
    return messages
  }

  // RFC 6455 §5.7, and §1.3 for the handshake.
  static let helloMasked: [UInt8] = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]

  @Test(arguments: [1, 2, 3, Int.max])
  func theExamplesOfTheRFC(step: Int) throws {
    #expect(try decode([0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], step: step) == [.text("Hello")])
    #expect(try decode(Self.helloMasked, .server, step: step) == [.text("Hello")])
    #expect(try decode([0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f], step: step) == [.text("Hello")])
    #expect(try decode([0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], step: step) == [.ping(Array("Hello".utf8))])
    let bytes256 = (0..<256).map { UInt8($0) }
    #expect(try decode([0x82, 0x7E, 0x01, 0x00] + bytes256, step: step) == [.binary(bytes256)])
    let bytes64K = [UInt8](repeating: 7, count: 65536)
    #expect(try decode([0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0] + bytes64K, step: step) == [.binary(bytes64K)])
    let encoder = WebSocketEncoder(side: .client)
    #expect(encoder.encode(.text("Hello"), mask: 0x37fa_213d) == Self.helloMasked)
    let server = WebSocketEncoder(side: .server)
    #expect(server.encode(.binary(bytes256), mask: 1) == [0x82, 0x7E, 0x01, 0x00] + bytes256)
    #expect(server.encode(.binary(bytes64K), mask: 1).prefix(10) == [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0])
    #expect(try WebSocketHandshake.accept(key: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
  }

  @Test func controlFramesMayStandBetweenFragments() throws {
    let bytes: [UInt8] = [0x01, 1, 0x61, 0x89, 0, 0x00, 1, 0x62, 0x8A, 1, 9, 0x80, 0, 0x88, 2, 0x03, 0xE8]
    #expect(try decode(bytes) == [.ping([]), .pong([9]), .text("ab"), .close(code: 1000, reason: "")])
  }

  static let violations: [([UInt8], UInt16)] = [
    ([0xC1, 0], 1002), ([0x83, 0], 1002), ([0x8B, 0], 1002),  // reserved bits and opcodes
    ([0x81, 0x80, 0, 0, 0, 0], 1002),  // a masked frame from a server
    ([0x09, 0], 1002), ([0x89, 126, 0, 126], 1002),  // fragmented and long control frames
    ([0x82, 126, 0, 125], 1002), ([0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], 1002),  // lengths not in shortest form
    ([0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], 1002),  // highest bit of a length
    ([0x80, 0], 1002), ([0x01, 0, 0x81, 0], 1002),  // fragments out of place
    ([0x81, 1, 0xFF], 1007), ([0x01, 1, 0xC3, 0x80, 1, 0x28], 1007),  // not UTF-8
    ([0x88, 1, 3], 1002), ([0x88, 2, 0x03, 0xED], 1002), ([0x88, 2, 0, 1], 1002), ([0x88, 3, 0x03, 0xE8, 0xFF], 1007),
    ([0x82, 127, 0, 0, 0, 0, 0x7F, 0, 0, 0], 1009),  // announced too large: refused before it comes
  ]

  @Test(arguments: violations.indices)
  func violationsHaveTheirCloseCode(index: Int) {
    let (bytes, code) = Self.violations[index]
    for step in [1, Int.max] {
      let error = #expect(throws: WebSocketError.self) { try decode(bytes, step: step) }
      #expect(error?.closeCode == code)
    }
  }

  @Test func fragmentsTogetherMustStayBelowTheLimit() {
    let error = #expect(throws: WebSocketError.self) {
      try decode([0x02, 6, 1, 2, 3, 4, 5, 6, 0x80, 6, 1, 2, 3, 4, 5, 6], max: 10)
    }
    #expect(error?.closeCode == 1009)
  }

  @Test func messagesGoThereAndBackThroughAServer() async throws {
    let closed = Atomic<Bool>(false)
    try await withServer(handler: { request in
      WebSocket.upgrade(request) { socket in
        while let message = try? await socket.receive() { try? await socket.send(message) }
        closed.store(true, ordering: .relaxed)
      }
    }) { _, port in
      let socket = try await WebSocket.connect(HTTPClientRequest(url: "ws://127.0.0.1:\(port)/v1/exec?tty=true"))
      for index in 0..<50 {
        try await socket.send(.text("message \(index)"))
        #expect(try await socket.receive() == .text("message \(index)"))
      }
      let large = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      async let sent: Void = socket.send(.binary(large))
      #expect(try await socket.receive() == .binary(large))
      try await sent
      await socket.close()
      try await eventually("the server sees the close") { closed.load(ordering: .relaxed) }
    }
  }

  @Test func aServerThatStopsEndsItsWebSockets() async throws {
    let server = try HTTPServer(
      configuration: .init(addresses: [.tcp(host: "127.0.0.1", port: 0)]),
      handler: { request in
        WebSocket.upgrade(request) { socket in while (try? await socket.receive()) != nil {} }
      })
    guard case .tcp(_, let port) = try server.start()[0] else { return }
    let socket = try await WebSocket.connect(HTTPClientRequest(url: "http://127.0.0.1:\(port)/"))
    try await socket.send(.text("x"))
    await server.stop(drain: .zero)
    while let _ = try? await socket.receive() {}
    #expect(server.connectionCount == 0)
  }

  @Test func aRequestThatIsNoHandshakeIsRefusedInWords() async throws {
    try await withServer(handler: { request in WebSocket.upgrade(request) { _ in } }) { _, port in
      let plain = try await RawClient(port: port).exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(plain.status.contains("426") && plain.text.contains("WebSocket"))
      let old = try await RawClient(port: port).exchange(
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 8\r\n\r\n"
      )
      #expect(old.status.contains("426") && old.headers["sec-websocket-version"] == "13")
    }
    try await withServer(handler: { _ in .text("no such path", status: .notFound) }) { _, port in
      let error = await #expect(throws: WebSocketRefusal.self) {
        try await WebSocket.connect(HTTPClientRequest(url: "ws://127.0.0.1:\(port)/"))
      }
      #expect(error?.status == .notFound && error.map { "\($0)".contains("no such path") } == true)
    }
  }
}
