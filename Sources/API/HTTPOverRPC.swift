internal import Codec
public import HTTP
public import Transport

/// Requests of the API handed from one agent to another over a stream of the RPC transport.
///
/// The stream is opened with the request; the answer is a frame with status and headers, then the body's bytes as they
/// come, so that a followed log flows through any number of agents with the transport's own back-pressure.
public enum HTTPOverRPC {
  /// The method of the stream.
  public static let method = "HTTP.Request"

  /// Longest head of an answer.
  private static let maximumHeadBytes = 1 << 20

  private struct Request: Record {
    var method = ""
    var target = ""
    var headers: [Header] = []
    var remoteAddress = ""

    mutating func visit<V: FieldVisitor>(_ v: inout V) {
      v.field(1, "Method", &method)
      v.field(2, "Target", &target)
      v.field(3, "Headers", &headers)
      v.field(4, "RemoteAddress", &remoteAddress)
    }
  }

  private struct Head: Record {
    var status = 0
    var headers: [Header] = []

    mutating func visit<V: FieldVisitor>(_ v: inout V) {
      v.field(1, "Status", &status)
      v.field(2, "Headers", &headers)
    }
  }

  private struct Header: Record {
    var name = ""
    var value = ""

    mutating func visit<V: FieldVisitor>(_ v: inout V) {
      v.field(1, "Name", &name)
      v.field(2, "Value", &value)
    }
  }

  /// Hands a request on and answers with what comes back.
  static func forward(_ request: HTTPRequest, over connection: RPCConnection) async throws -> HTTPResponse {
    var message = Request()
    message.method = request.method.rawValue
    message.target = request.target.raw
    message.headers = request.headers.map { field in
      var header = Header()
      header.name = field.name
      header.value = field.value
      return header
    }
    message.remoteAddress = request.remoteAddress
    let stream = try await connection.openStream(method: method, body: Binary.encode(message))
    do {
      try await stream.write(length(request.body.count) + request.body)
      var buffer: [UInt8] = []
      while buffer.count < 4 || buffer.count - 4 < size(buffer) {
        guard let more = try await stream.read() else {
          throw APIError(.badGateway, "the agent that was asked ended its answer before it began")
        }
        buffer += more
        if buffer.count >= 4, size(buffer) > maximumHeadBytes {
          throw APIError(.badGateway, "the agent that was asked sent a head of \(size(buffer)) bytes")
        }
      }
      let end = 4 + size(buffer)
      let head = try Binary.decode(Head.self, from: buffer, range: 4..<end)
      return response(head, rest: Array(buffer[end...]), stream)
    } catch {
      stream.cancel()
      throw error
    }
  }

  private static func response(_ head: Head, rest: [UInt8], _ stream: RPCStream) -> HTTPResponse {
    var headers = HTTPHeaders()
    for header in head.headers { headers.append(header.name, header.value) }
    if head.status == HTTPStatus.switchingProtocols.rawValue {
      return HTTPResponse(
        status: .switchingProtocols, headers: headers,
        body: .upgrade { socket in await join(socket, stream, first: rest) })
    }
    return HTTPResponse(
      status: HTTPStatus(head.status), headers: headers,
      body: .stream { writer in
        do {
          if !rest.isEmpty { try await writer.write(rest) }
          while let more = try await stream.read() { try await writer.write(more) }
        } catch {
          stream.cancel()
          throw error
        }
      })
  }

  /// Serves a stream of another agent; false for a stream that is none of these.
  public static func serve(_ request: RPCRequest, _ stream: RPCStream, _ api: API) async throws -> Bool {
    guard request.method == method else { return false }
    let message = try Binary.decode(Request.self, from: request.body)
    var buffer: [UInt8] = []
    while buffer.count < 4 || buffer.count - 4 < size(buffer) {
      guard let more = try await stream.read() else { throw RPCError(.invalid, "the request's body ended early") }
      buffer += more
      if buffer.count >= 4, size(buffer) > 64 << 20 {
        throw RPCError(.resourceExhausted, "a body of \(size(buffer)) bytes")
      }
    }
    let target: HTTPTarget
    do throws(HTTPTargetError) {
      target = try HTTPTarget(parsing: message.target)
    } catch {
      throw RPCError(.invalid, error.message)
    }
    var headers = HTTPHeaders()
    for header in message.headers { headers.append(header.name, header.value) }
    let answer = await api.respond(
      to: HTTPRequest(
        method: HTTPMethod(rawValue: message.method), target: target, headers: headers,
        body: Array(buffer[4..<4 + size(buffer)]), remoteAddress: message.remoteAddress))
    try await write(answer, to: stream)
    return true
  }

  private static func write(_ answer: HTTPResponse, to stream: RPCStream) async throws {
    var head = Head()
    head.status = answer.status.rawValue
    head.headers = answer.headers.map { field in
      var header = Header()
      header.name = field.name
      header.value = field.value
      return header
    }
    let bytes = Binary.encode(head)
    try await stream.write(length(bytes.count) + bytes)
    switch answer.body {
    case .bytes(let bytes): try await stream.write(bytes)
    case .stream(let produce): try await produce(HTTPBodyWriter(forwardingTo: { try await stream.write($0) }))
    case .upgrade(let serve):
      let (near, far) = try HTTPUpgradedSocket.pair()
      async let joined: Void = join(far, stream, first: [])
      await serve(near)
      near.close()
      await joined
    case .file:
      throw RPCError(.unimplemented, "a file can't be handed on between agents")
    }
  }

  /// Moves bytes both ways between a connection that has left HTTP and the stream that carries it to another agent,
  /// until either side has ended.
  private static func join(_ socket: HTTPUpgradedSocket, _ stream: RPCStream, first: [UInt8]) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        // The end of the one is the end of the other, whichever way it came.
        do {
          if !first.isEmpty { try await socket.write(first) }
          while let bytes = try await stream.read() { try await socket.write(bytes) }
        } catch {}
      }
      group.addTask {
        do {
          while true {
            let bytes = try await socket.read()
            if bytes.isEmpty { break }
            try await stream.write(bytes)
          }
          stream.finish()
        } catch {}
      }
      await group.next()
      group.cancelAll()
      socket.close()
    }
  }

  private static func length(_ count: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) }
  }

  private static func size(_ bytes: [UInt8]) -> Int { bytes[..<4].reduce(0) { $0 << 8 | Int($1) } }
}
