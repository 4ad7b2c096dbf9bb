internal import CNet
internal import Glibc
internal import Linux

/// One request to a server on this host, over plain HTTP: what nearly every command is, and all that libcurl and the
/// libraries it brings would be loaded for. No name to look up, no proxy, no TLS, no redirection is left to follow.
struct LocalExchange: ~Copyable {
  private let request: HTTPClientRequest
  private let configuration: HTTPClientConfiguration
  private let socket: FileDescriptor
  private let deadline: UInt64?
  private var body = ResponseBodyReader()

  /// Whether a request is one of these; if not, it is libcurl's.
  static func canDo(_ request: HTTPClientRequest, _ configuration: HTTPClientConfiguration) -> Bool {
    guard request.url.hasPrefix("http://"), request.maxRedirects == 0, !request.acceptsCompression,
      !authorityPart(of: request.url).contains("@")
    else { return false }
    // What libcurl would refuse or change in a URL is left to it.
    guard request.url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) else { return false }
    return configuration.unixSocketPath != nil || address(of: request.url) != nil
  }

  /// Makes the exchange.
  /// - Parameters:
  ///   - head: called once, before the first chunk.
  ///   - chunk: called with bytes as they come. What it throws ends the request and is thrown.
  static func perform(
    _ request: HTTPClientRequest, _ configuration: HTTPClientConfiguration,
    head: (HTTPClientResponseHead) throws(HTTPClientError) -> Void,
    chunk: ([UInt8]) throws(HTTPClientError) -> Void
  ) throws(HTTPClientError) -> HTTPClientResponseHead {
    var address = serai_net_address()
    let result =
      configuration.unixSocketPath.map { serai_net_address_local(&address, $0) }
      ?? Self.address(of: request.url).map { serai_net_address_parse(&address, $0.host, $0.port) } ?? -EINVAL
    let descriptor = result < 0 ? result : serai_net_socket(serai_net_address_family(&address))
    guard descriptor >= 0 else { throw HTTPClientError(connecting: request, configuration, errno: -descriptor) }
    var exchange = LocalExchange(request, configuration, FileDescriptor(adopting: descriptor))
    try exchange.connect(to: &address)
    try exchange.send(try requestHead(request, configuration) + (request.body ?? []))
    return try exchange.receive(head, chunk)
  }

  private init(
    _ request: HTTPClientRequest, _ configuration: HTTPClientConfiguration, _ socket: consuming FileDescriptor
  ) {
    self.request = request
    self.configuration = configuration
    self.socket = socket
    deadline = request.timeout.map { UInt64(Clock.monotonicNanoseconds) &+ $0.nanoseconds }
  }

  private func connect(to address: inout serai_net_address) throws(HTTPClientError) {
    var outcome = serai_net_connect(socket.number, &address)
    if outcome == -EINPROGRESS {
      let limit = UInt64(Clock.monotonicNanoseconds) &+ configuration.connectTimeout.nanoseconds
      try wait(.writable, until: min(limit, deadline ?? .max))
      outcome = serai_net_connect_result(socket.number)
    }
    guard outcome == 0 else { throw HTTPClientError(connecting: request, configuration, errno: -outcome) }
    if configuration.unixSocketPath == nil { _ = serai_net_no_delay(socket.number) }
  }

  // MARK: The URL

  private static func authorityPart(of url: String) -> Substring {
    url.dropFirst("http://".count).prefix { $0 != "/" && $0 != "?" }
  }

  /// The numeric loopback address and port of a URL; nil for any other host.
  private static func address(of url: String) -> (host: String, port: UInt16)? {
    let authority = String(authorityPart(of: url))
    guard isLoopback(authority) else { return nil }
    var host = authority.prefix { $0 != ":" }
    var rest = authority.dropFirst(host.count)
    if authority.hasPrefix("[::1]") {
      host = "::1"
      rest = authority.dropFirst("[::1]".count)
    }
    // A name of /etc/hosts may mean something else than it says: libcurl looks it up.
    guard host.first != "l", host.first != "L" else { return nil }
    guard !rest.isEmpty else { return (String(host), 80) }
    guard rest.first == ":", let port = UInt16(rest.dropFirst()) else { return nil }
    return (String(host), port)
  }

  private static func requestHead(_ request: HTTPClientRequest, _ configuration: HTTPClientConfiguration)
    throws(HTTPClientError) -> [UInt8]
  {
    let rest = request.url.dropFirst("http://".count).drop { $0 != "/" && $0 != "?" }
    let target = rest.hasPrefix("/") ? String(rest) : "/" + rest
    var lines = [
      "\(request.method) \(target) HTTP/1.1", "Host: \(authorityPart(of: request.url))", "Connection: close",
    ]
    if request.headers["User-Agent"] == nil { lines.append("User-Agent: \(configuration.userAgent)") }
    if request.headers["Accept"] == nil { lines.append("Accept: */*") }
    if let body = request.body { lines.append("Content-Length: \(body.count)") }
    for field in request.headers {
      try field.checkForRequest()
      lines.append("\(field.name): \(field.value)")
    }
    return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
  }

  // MARK: Bytes

  private func send(_ bytes: [UInt8]) throws(HTTPClientError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes { bytes in
        bytes.baseAddress.map { serai_net_send(socket.number, $0, bytes.count) } ?? 0
      }
      switch -sent {
      case Int(EAGAIN): try wait(.writable, until: deadline)
      case Int(EINTR): continue
      case 1...:
        // A server that has answered before the body's end closes its side: the answer counts.
        if sent == -Int(EPIPE) || sent == -Int(ECONNRESET) { return }
        throw broken(errnoName(Int32(-sent)))
      default: rest = rest.dropFirst(sent)
      }
    }
  }

  private mutating func receive(
    _ head: (HTTPClientResponseHead) throws(HTTPClientError) -> Void,
    _ chunk: ([UInt8]) throws(HTTPClientError) -> Void
  ) throws(HTTPClientError) -> HTTPClientResponseHead {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = buffer.withUnsafeMutableBytes { bytes in
        bytes.baseAddress.map { serai_net_receive(socket.number, $0, bytes.count) } ?? 0
      }
      switch -count {
      case Int(EAGAIN):
        try wait(.readable, until: deadline)
        continue
      case Int(EINTR): continue
      case 1...: throw broken(errnoName(Int32(-count)))
      default: break
      }
      let part: ResponseBodyReader.Part
      do throws(ResponseBodyReader.Malformed) {
        part = try count == 0 ? body.end() : body.add(buffer[..<count], isHead: request.method == .head)
      } catch {
        throw broken(error.reason)
      }
      if let ready = part.head { try head(ready) }
      if !part.bytes.isEmpty { try chunk(part.bytes) }
      if part.isLast { return body.head }
    }
  }

  private func wait(_ interest: EventQueue.Interest, until deadline: UInt64?) throws(HTTPClientError) {
    let now = UInt64(Clock.monotonicNanoseconds)
    if let deadline, deadline <= now { throw HTTPClientError(tooSlow: request, configuration) }
    let milliseconds = deadline.map { Int32(clamping: ($0 - now + 999_999) / 1_000_000) } ?? -1
    do {
      _ = try poll(socket, interest, timeoutMilliseconds: milliseconds)
    } catch {
      if error.errno != .interrupted { throw broken("\(error)") }
    }
  }

  private func broken(_ reason: String) -> HTTPClientError {
    HTTPClientError(broken: request, configuration, reason: reason)
  }
}
