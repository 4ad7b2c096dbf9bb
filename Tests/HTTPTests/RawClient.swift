import CNet
import Glibc
import Linux
import Testing

@testable import HTTP

/// A plain socket, used on threads of its own: the tests' expectations must not come from our own client.
final class RawClient: Sendable {
  let descriptor: Int32

  init(port: UInt16) throws {
    var address = serai_net_address()
    try #require(serai_net_address_parse(&address, "127.0.0.1", port) == 0)
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let result = serai_net_connect(descriptor, &address)
    guard result == 0 else {
      close(descriptor)
      throw ConnectFailed(errno: -result)
    }
  }

  init(path: String) throws {
    var address = serai_net_address()
    try #require(serai_net_address_local(&address, path) == 0)
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    try #require(serai_net_connect(descriptor, &address) == 0)
  }

  deinit { close(descriptor) }

  func send(_ text: String) { send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(
          descriptor, UnsafeRawBufferPointer(rebasing: $0[sent...]).baseAddress, bytes.count - sent, Int32(MSG_NOSIGNAL)
        )
      }
      if count <= 0 { return }
      sent += count
    }
  }

  /// Reads until `enough` says so, the end of the stream, or ten seconds.
  func read(until enough: @escaping @Sendable ([UInt8]) -> Bool) async -> [UInt8] {
    await offPool { [descriptor] in
      var timeout = timeval(tv_sec: 10, tv_usec: 0)
      setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
      var all: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 65536)
      while !enough(all) {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count <= 0 { break }
        all += buffer[..<count]
      }
      return all
    }
  }

  func readToEnd() async -> [UInt8] { await read { _ in false } }

  /// Sends and reads one response that has a Content-Length.
  func exchange(_ text: String) async -> RawResponse {
    send(text)
    let bytes = await read { bytes in RawResponse(bytes).map { $0.isComplete } ?? false }
    return RawResponse(bytes) ?? RawResponse(status: "", headers: [:], body: bytes)
  }
}

struct ConnectFailed: Error { var errno: Int32 }

/// Runs blocking work on a thread of its own.
func offPool<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
  await withCheckedContinuation { continuation in
    do throws(SystemError) {
      try DetachedThread.start(named: "test") { continuation.resume(returning: work()) }
    } catch {
      continuation.resume(returning: work())
    }
  }
}

struct RawResponse: Sendable {
  var status: String
  var headers: [String: String]
  var body: [UInt8]

  init(status: String, headers: [String: String], body: [UInt8]) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// Nil until the head is complete.
  init?(_ bytes: [UInt8]) {
    guard let end = bytes.indices.dropLast(3).first(where: { bytes[$0..<($0 + 4)].elementsEqual([13, 10, 13, 10]) })
    else {
      return nil
    }
    var lines = String(decoding: bytes[..<end], as: UTF8.self).components(separatedBy: "\r\n")[...]
    status = lines.removeFirst()
    headers = [:]
    for line in lines {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 { headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " }) }
    }
    body = Array(bytes[(end + 4)...])
  }

  var isComplete: Bool { headers["content-length"].flatMap { Int($0) }.map { body.count >= $0 } ?? false }
  var text: String { String(decoding: body, as: UTF8.self) }
}

extension String {
  func components(separatedBy separator: String) -> [String] {
    var parts: [String] = []
    var current: [UInt8] = []
    let pattern = Array(separator.utf8)
    for byte in utf8 {
      current.append(byte)
      if current.suffix(pattern.count).elementsEqual(pattern) {
        parts.append(String(decoding: current.dropLast(pattern.count), as: UTF8.self))
        current = []
      }
    }
    parts.append(String(decoding: current, as: UTF8.self))
    return parts
  }
}

/// Starts a server on a free port, runs the body, and stops the server whatever happens.
func withServer(
  _ adjust: (inout HTTPServerConfiguration) -> Void = { _ in }, handler: @escaping HTTPServer.Handler,
  _ body: (HTTPServer, UInt16) async throws -> Void
) async throws {
  var configuration = HTTPServerConfiguration(addresses: [.tcp(host: "127.0.0.1", port: 0)])
  adjust(&configuration)
  let server = try HTTPServer(configuration: configuration, handler: handler)
  try server.start()
  guard case .tcp(_, let port) = server.addresses.first else {
    Issue.record("no address")
    return
  }
  do {
    try await body(server, port)
  } catch {
    await server.stop(drain: .zero)
    throw error
  }
  await server.stop(drain: .zero)
}

/// Polls until the condition holds; fails the test after ten seconds.
func eventually(_ what: Comment, _ condition: () -> Bool) async throws {
  let deadline = ContinuousClock.now + .seconds(10)
  while !condition() {
    try #require(ContinuousClock.now < deadline, what)
    try await Task.sleep(for: .milliseconds(2))
  }
}
