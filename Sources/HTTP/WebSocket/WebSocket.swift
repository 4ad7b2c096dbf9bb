internal import Digests
internal import Synchronization

/// One end of an open WebSocket.
///
/// One task may receive while others send; each message is sent as one frame.
public final class WebSocket: Sendable {
  private struct State {
    var decoder: WebSocketDecoder
    var waiting: [WebSocketMessage] = []
    var closeSent = false
    var closeReason: String?
  }

  private let socket: HTTPUpgradedSocket
  private let encoder: WebSocketEncoder
  private let sending = SendQueue()
  private let state: Mutex<State>

  init(socket: HTTPUpgradedSocket, side: WebSocketSide, maxMessageBytes: Int) {
    self.socket = socket
    encoder = WebSocketEncoder(side: side)
    state = Mutex(State(decoder: WebSocketDecoder(side: side, maxMessageBytes: maxMessageBytes)))
  }

  /// The response that turns a request into a WebSocket, or a refusal in words if the request does not ask for one.
  ///
  /// - Parameters:
  ///   - maxMessageBytes: larger messages end the connection with code 1009.
  ///   - serve: runs in a task of its own; the WebSocket closes when it returns. The task is cancelled when the server
  ///     stops.
  public static func upgrade(
    _ request: HTTPRequest, maxMessageBytes: Int = 16 << 20, serve: @escaping @Sendable (WebSocket) async -> Void
  ) -> HTTPResponse {
    if let refusal = WebSocketHandshake.refusal(request) { return refusal }
    let key = request.headers["Sec-WebSocket-Key"] ?? ""
    let accept: String
    do throws(DigestUnavailable) {
      accept = try WebSocketHandshake.accept(key: key)
    } catch {
      return .text("\(error), which WebSocket needs", status: .internalServerError)
    }
    return HTTPResponse(
      status: .switchingProtocols,
      headers: ["Upgrade": "websocket", "Sec-WebSocket-Accept": accept],
      body: .upgrade { socket in
        let webSocket = WebSocket(socket: socket, side: .server, maxMessageBytes: maxMessageBytes)
        await serve(webSocket)
        await webSocket.close()
      })
  }

  /// Waits for the next text or binary message; nil when the peer has closed. Pings are answered on the way.
  ///
  /// - Throws: `WebSocketError` if the peer broke the protocol (it is told), `HTTPStreamClosed` if the connection broke.
  public func receive() async throws -> WebSocketMessage? {
    while true {
      if let message = state.withLock({ $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }) {
        switch message {
        case .text, .binary: return message
        case .ping(let bytes): try await send(.pong(bytes))
        case .pong: continue
        case .close(let code, let reason):
          if !reason.isEmpty { state.withLock { $0.closeReason = reason } }
          await close(code: code ?? 1000)
          return nil
        }
        continue
      }
      let bytes = try await socket.read()
      guard !bytes.isEmpty else { return nil }
      do {
        try state.withLock { state throws(WebSocketError) in try state.decoder.receive(bytes, into: &state.waiting) }
      } catch {
        await close(code: error.closeCode, reason: error.message)
        throw error
      }
    }
  }

  /// Why the peer has closed, in its words; nil before that, or when it gave no reason.
  public var closeReason: String? { state.withLock { $0.closeReason } }

  /// Sends a message; waits while the peer takes no bytes.
  public func send(_ message: WebSocketMessage) async throws {
    let bytes = encoder.encode(message, mask: UInt32.random(in: .min ... .max))
    try await sending.run { [socket] in try await socket.write(bytes) }
  }

  /// Says goodbye and ends the connection. The second call does nothing.
  public func close(code: UInt16 = 1000, reason: String = "") async {
    let first = state.withLock { state in
      defer { state.closeSent = true }
      return !state.closeSent
    }
    guard first else { return }
    // If the peer is gone there is nobody to say goodbye to.
    try? await send(.close(code: code, reason: reason))
    socket.close()
  }
}

/// Lets one sender at a time through, in order: frames of two tasks must not mix.
private actor SendQueue {
  private var busy = false
  private var waiters: [CheckedContinuation<Void, Never>] = []

  func run(_ work: @Sendable () async throws -> Void) async throws {
    if busy { await withCheckedContinuation { waiters.append($0) } }
    busy = true
    defer {
      if waiters.isEmpty { busy = false } else { waiters.removeFirst().resume() }
    }
    try await work()
  }
}
