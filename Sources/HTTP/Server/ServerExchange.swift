internal import CMicrohttpd
internal import Linux
internal import Synchronization

/// One request and its response: the object behind the library's per-request pointer.
///
/// The library's I/O thread drives it from the request line to the end of the response; the handler runs in a task of its
/// own in between, while the connection is suspended.
///
///     head → body → handling (suspended, task runs) → responding → done
final class ServerExchange: Sendable {
  private enum Phase { case head, body, handling, responding, done }

  private struct State {
    var phase = Phase.head
    var method = HTTPMethod.get
    var target: HTTPTarget?
    var headers = HTTPHeaders()
    var body: [UInt8] = []
    /// Bytes of the body that were dropped because it is over the limit.
    var dropped = 0
    var response: PreparedResponse?
    var task: Task<Void, Never>?
    var cancelled = false
    var abandoned = false
    var writer: HTTPBodyWriter?
    /// Suspended from the start of handling until the response is delivered.
    var suspended: MHDConnection?
  }

  let server: ServerCore
  let connection: ServerConnection
  private let rawTarget: String?
  private let state = Mutex(State())

  init(server: ServerCore, connection: ServerConnection, rawTarget: String?) {
    self.server = server
    self.connection = connection
    self.rawTarget = rawTarget
  }

  /// What the I/O thread shall do next.
  enum Step {
    /// Come back with the next part.
    case goOn
    /// Queue this response.
    case respond(PreparedResponse)
    /// Cut the connection.
    case cut
  }

  /// The library calls with the head, then with each part of the body, then with none; and again after each resume.
  func advance(_ native: OpaquePointer, method: UnsafePointer<CChar>?, upload: UnsafeRawBufferPointer) -> Step {
    let phase = state.withLock { $0.phase }
    switch phase {
    case .head: return acceptHead(native, method)
    case .body: return upload.isEmpty ? handle(native) : acceptBody(upload)
    case .handling:
      let response = state.withLock { state in
        state.phase = .responding
        defer { state.response = nil }
        return state.response
      }
      return response.map { .respond($0) } ?? .cut
    case .responding, .done: return .cut
    }
  }

  private func acceptHead(_ native: OpaquePointer, _ method: UnsafePointer<CChar>?) -> Step {
    let headers = readHeaders(of: native)
    let target: HTTPTarget
    do throws(HTTPTargetError) {
      guard let rawTarget else { throw HTTPTargetError(message: "the request target is not UTF-8: percent-encode it") }
      target = try HTTPTarget(parsing: rawTarget)
    } catch {
      return refuse(.text(error.message, status: .badRequest))
    }
    let length = headers["Content-Length"].flatMap { UInt64($0) } ?? 0
    guard length <= UInt64(server.configuration.maxBodyBytes) else { return refuse(tooLarge()) }
    let extra = (length >> 16) * 1_000_000_000
    connection.deadline.store(
      UInt64(Clock.monotonicNanoseconds) &+ server.configuration.bodyTimeout.nanoseconds &+ extra, ordering: .relaxed)
    state.withLock { state in
      state.phase = .body
      state.method = HTTPMethod(rawValue: method.map { String(cString: $0) } ?? "")
      state.headers = headers
      state.target = target
      state.body.reserveCapacity(min(Int(length), 1 << 20))
    }
    return .goOn
  }

  private func acceptBody(_ upload: UnsafeRawBufferPointer) -> Step {
    state.withLock { state in
      if state.dropped > 0 || state.body.count + upload.count > server.configuration.maxBodyBytes {
        // The library takes no answer in the middle of a body: what is too much is dropped until its end, within reason.
        state.body = []
        state.dropped += upload.count
        return state.dropped <= 16 << 20 ? .goOn : .cut
      }
      state.body.append(contentsOf: upload)
      return .goOn
    }
  }

  private func handle(_ native: OpaquePointer) -> Step {
    connection.deadline.store(0, ordering: .relaxed)
    let request = state.withLock { state -> HTTPRequest? in
      guard state.dropped == 0, let target = state.target else { return nil }
      state.phase = .handling
      defer { state.body = [] }
      return HTTPRequest(
        method: state.method, target: target, headers: state.headers, body: state.body,
        remoteAddress: connection.remoteAddress)
    }
    guard let request else { return refuse(tooLarge()) }
    guard server.exchanges.began(self) else { return refuse(Self.shuttingDown) }
    let present = connection.begin(self)
    let handle = MHDConnection(pointer: native)
    // Before the task exists, so that its resume cannot come first.
    handle.suspend()
    let abandoned = state.withLock { state in
      state.suspended = handle
      return state.abandoned
    }
    if abandoned {
      abandon()
      return .goOn
    }
    let task = Task { await self.run(request) }
    let cancelled = state.withLock { state in
      if state.phase != .done { state.task = task }
      return state.cancelled
    }
    if cancelled || !present { task.cancel() }
    return .goOn
  }

  /// The body of the exchange's task.
  private func run(_ request: HTTPRequest) async {
    var response = await server.handler(request)
    if case .bytes(let bytes) = response.body { compress(&response, bytes, for: request) }
    guard case .stream(let produce) = response.body, request.method != .head else {
      deliver(PreparedResponse(response, exchange: self, request: request))
      return
    }
    let writer = HTTPBodyWriter(capacity: server.configuration.streamBufferBytes)
    guard deliver(PreparedResponse(response, writer: writer)) else { return }
    do {
      try await produce(writer)
      writer.finish(nil)
    } catch {
      writer.finish(error)
    }
  }

  private func compress(_ response: inout HTTPResponse, _ bytes: [UInt8], for request: HTTPRequest) {
    guard bytes.count >= server.configuration.compressionMinBytes, response.headers["Content-Encoding"] == nil,
      Gzip.isCompressible(contentType: response.headers["Content-Type"])
    else { return }
    response.headers.append("Vary", "Accept-Encoding")
    guard Gzip.isAccepted(request.headers.list("Accept-Encoding")), let compressed = Gzip.compress(bytes) else {
      return
    }
    response.body = .bytes(compressed)
    response.headers["Content-Encoding"] = "gzip"
  }

  /// Hands the response to the I/O thread. False if the exchange is over already.
  @discardableResult
  private func deliver(_ response: PreparedResponse) -> Bool {
    let suspended = state.withLock { state -> MHDConnection? in
      guard state.phase == .handling, let suspended = state.suspended else { return nil }
      state.suspended = nil
      state.response = response
      state.writer = response.writer
      return suspended
    }
    if let suspended, let writer = response.writer { writer.attach(suspended) }
    suspended?.resume()
    return suspended != nil
  }

  /// The peer left or the server stops: the handler's task is cancelled; its answer, if it gives one, is still sent.
  func cancel() {
    let task = state.withLock { state in
      state.cancelled = true
      return state.task
    }
    task?.cancel()
  }

  /// The server stops and the handler has not reacted to its cancellation: answers in its place.
  func abandon() {
    state.withLock { $0.abandoned = true }
    deliver(PreparedResponse(Self.shuttingDown, exchange: nil, request: nil))
    state.withLock { $0.writer }?.abort()
  }

  private static let shuttingDown = HTTPResponse.text(
    "the agent is shutting down: ask another one, or try again later", status: .serviceUnavailable)

  /// The library is done with the request, well or not.
  func completed() {
    let (task, writer, wasHandled) = state.withLock { state in
      let handled = state.phase != .head && state.phase != .body
      state.phase = .done
      state.response = nil
      defer {
        state.task = nil
        state.writer = nil
      }
      return (state.task, state.writer, handled)
    }
    connection.deadline.store(
      UInt64(Clock.monotonicNanoseconds) &+ server.configuration.idleTimeout.nanoseconds, ordering: .relaxed)
    guard wasHandled else { return }
    task?.cancel()
    writer?.close()
    connection.end()
    server.exchanges.ended(self)
  }

  /// Answers without running the handler; the rest of the request is not read and the connection closes.
  private func refuse(_ response: HTTPResponse) -> Step {
    state.withLock { $0.phase = .responding }
    return .respond(PreparedResponse(response, exchange: nil, request: nil))
  }

  private func tooLarge() -> HTTPResponse {
    .text("the request body is larger than \(server.configuration.maxBodyBytes) bytes", status: .contentTooLarge)
  }

  private func readHeaders(of native: OpaquePointer) -> HTTPHeaders {
    var headers = HTTPHeaders()
    withUnsafeMutablePointer(to: &headers) { pointer in
      _ = serai_mhd_headers(
        native,
        { context, _, name, nameSize, value, valueSize in
          guard let context, let name else { return SERAI_MHD_YES }
          let headers = context.assumingMemoryBound(to: HTTPHeaders.self)
          headers.pointee.append(text(name, nameSize), value.map { text($0, valueSize) } ?? "")
          return SERAI_MHD_YES
        }, pointer)
    }
    return headers
  }
}

private func text(_ bytes: UnsafePointer<CChar>, _ count: Int) -> String {
  String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
}
