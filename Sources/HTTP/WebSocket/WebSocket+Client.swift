internal import BaseEncoding
internal import CCurl
internal import Glibc
internal import Linux
internal import Synchronization

extension WebSocket {
  /// Opens a WebSocket to a server: libcurl connects (proxy, TLS, Unix socket and all), the rest is ours.
  ///
  /// - Parameters:
  ///   - request: a GET with an http, https, ws or wss URL; its headers are sent with the handshake.
  ///   - maxMessageBytes: larger messages end the connection with code 1009.
  /// - Throws: `HTTPClientError`; `WebSocketRefusal` when the server answers something else.
  public static func connect(
    _ request: HTTPClientRequest, configuration: HTTPClientConfiguration = HTTPClientConfiguration(),
    maxMessageBytes: Int = 16 << 20
  ) async throws -> WebSocket {
    var request = request
    if request.url.hasPrefix("ws://") || request.url.hasPrefix("wss://") {
      request.url = "http" + request.url.dropFirst(2)
    }
    let key = Base64.text((0..<16).map { _ in UInt8.random(in: .min ... .max) })
    let connection = try await connectedHandle(request, configuration)
    guard let loop = SocketLoop.shared else {
      throw HTTPClientError(
        .other,
        "\(request.method) \(withoutUserInfo(request.url)) failed: no descriptor or thread left; raise the limits (ulimit -n, -u)"
      )
    }
    let socket = HTTPUpgradedSocket(
      descriptor: connection.descriptor, early: [], loop: loop, io: connection, release: {})
    do {
      try await socket.write(handshake(request, key, configuration))
      let early = try await readAnswer(socket, request, key)
      socket.unread(early)
      return WebSocket(socket: socket, side: .client, maxMessageBytes: maxMessageBytes)
    } catch {
      socket.close()
      throw error
    }
  }

  /// libcurl's connecting blocks: it has a thread for as long as that takes.
  private static func connectedHandle(
    _ request: HTTPClientRequest, _ configuration: HTTPClientConfiguration
  ) async throws(HTTPClientError) -> CurlConnection {
    let result = await withCheckedContinuation {
      (continuation: CheckedContinuation<Result<CurlConnection, HTTPClientError>, Never>) in
      do throws(SystemError) {
        try DetachedThread.start(named: "ws-connect", stackBytes: 0) {
          continuation.resume(
            returning: Result { () throws(HTTPClientError) in try CurlConnection(request, configuration) })
        }
      } catch {
        continuation.resume(
          returning: .failure(HTTPClientError(.other, "no thread left to connect on: raise the limits (ulimit -u)")))
      }
    }
    return try result.get()
  }

  private static func handshake(_ request: HTTPClientRequest, _ key: String, _ configuration: HTTPClientConfiguration)
    -> [UInt8]
  {
    let rest = request.url.drop { $0 != ":" }.dropFirst(3).drop { $0 != "/" && $0 != "?" }
    let target = rest.hasPrefix("/") ? String(rest) : "/" + rest
    var lines = [
      "GET \(target) HTTP/1.1", "Host: \(authority(of: request.url))", "Connection: Upgrade", "Upgrade: websocket",
    ]
    lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: \(key)"]
    if request.headers["User-Agent"] == nil { lines.append("User-Agent: \(configuration.userAgent)") }
    // A line break in a header would let it forge others: such a header is left out, as libcurl would refuse it.
    for field in request.headers where !(field.name + field.value).utf8.contains(where: { $0 == 13 || $0 == 10 }) {
      lines.append("\(field.name): \(field.value)")
    }
    return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
  }

  /// Reads the server's half of the handshake. Returns what came behind it.
  private static func readAnswer(_ socket: HTTPUpgradedSocket, _ request: HTTPClientRequest, _ key: String) async throws
    -> [UInt8]
  {
    let what = "\(request.method) \(withoutUserInfo(request.url)) failed"
    var input: [UInt8] = []
    while true {
      let bytes = try await socket.read()
      guard !bytes.isEmpty, input.count < 65536 else {
        throw HTTPClientError(.broken, "\(what): the server ended the WebSocket handshake without an answer")
      }
      input += bytes
      guard let end = endOfHead(input) else { continue }
      var parser = ResponseHeadParser(followsRedirects: false)
      for line in input[..<end].split(separator: 10) { _ = parser.add(String(decoding: line, as: UTF8.self)) }
      let head = parser.latest
      guard head.status == .switchingProtocols else {
        let length = head.headers["Content-Length"].flatMap { Int($0) } ?? 0
        while input.count < end + min(length, 32 << 10) {
          let more = try await socket.read()
          if more.isEmpty { break }
          input += more
        }
        throw WebSocketRefusal(status: head.status, body: Array(input[end...]))
      }
      guard head.headers["Sec-WebSocket-Accept"] == (try WebSocketHandshake.accept(key: key)) else {
        throw HTTPClientError(.broken, "\(what): the server's Sec-WebSocket-Accept is wrong; is a proxy in between?")
      }
      return Array(input[end...])
    }
  }

  private static func endOfHead(_ bytes: [UInt8]) -> Int? {
    guard bytes.count >= 4 else { return nil }
    return (4...bytes.count).first { bytes[($0 - 4)..<$0].elementsEqual([13, 10, 13, 10]) }
  }
}

/// A server's answer to a request for a WebSocket that is not one.
public struct WebSocketRefusal: Error, Sendable, CustomStringConvertible {
  /// What it answered.
  public let status: HTTPStatus
  /// Its words, at most 32 KiB of them.
  public let body: [UInt8]

  /// `the server answered 404 instead of opening a WebSocket: alloc not found`.
  public var description: String {
    "the server answered \(status) instead of opening a WebSocket: \(String(decoding: body.prefix(500), as: UTF8.self))"
  }
}

/// A connection that libcurl made and whose bytes are ours, through its TLS if there is any.
///
/// `@unchecked Sendable`: the handle is used by the connecting thread first, then only by `HTTPUpgradedSocket` under its
/// lock; it is freed when the last reference goes.
private final class CurlConnection: SocketIO, @unchecked Sendable {
  private let handle: CurlHandle
  let descriptor: Int32

  init(_ request: HTTPClientRequest, _ configuration: HTTPClientConfiguration) throws(HTTPClientError) {
    var bare = request
    // The headers are sent by us.
    bare.headers = [:]
    let handle = try CurlHandle.make(bare, configuration)
    _ = serai_curl_set_long(handle.pointer, CURLOPT_CONNECT_ONLY, 1)
    let code = serai_curl_easy_perform(handle.pointer)
    if let error = handle.failure(code, request, configuration) { throw error }
    descriptor = serai_curl_active_socket(handle.pointer)
    self.handle = handle
  }

  func receive(_ target: UnsafeMutableRawPointer, _ count: Int) -> Int {
    var received = 0
    return result(serai_curl_easy_recv(handle.pointer, target, count, &received), received)
  }

  func send(_ source: UnsafeRawPointer, _ count: Int) -> Int {
    var sent = 0
    return result(serai_curl_easy_send(handle.pointer, source, count, &sent), sent)
  }

  private func result(_ code: CURLcode, _ count: Int) -> Int {
    switch code {
    case CURLE_OK: count
    case CURLE_AGAIN: -Int(EAGAIN)
    default: -Int(EPIPE)
    }
  }
}
