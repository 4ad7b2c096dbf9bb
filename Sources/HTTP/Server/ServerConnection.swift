internal import Synchronization

/// What the server knows of one open connection beside the library's own state.
final class ServerConnection: Sendable {
  let id: UInt64
  /// Numeric address of the peer, "" on a Unix socket.
  let remoteAddress: String
  /// Owned by the library; usable only while the connection is in the table (see `ConnectionTable`).
  let descriptor: Int32
  /// When the connection is cut unless something happens first; nanoseconds on the monotonic clock, 0 for never.
  let deadline: Atomic<UInt64>
  /// The server's TLS.
  let security: ServerSecurity?
  /// The exchange being handled. `gone` is sticky: an exchange that begins after it is cancelled at once.
  private let state = Mutex<(exchange: ServerExchange?, gone: Bool)>((nil, false))

  init(id: UInt64, descriptor: Int32, remoteAddress: String, deadline: UInt64, security: ServerSecurity?) {
    self.id = id
    self.descriptor = descriptor
    self.remoteAddress = remoteAddress
    self.deadline = Atomic(deadline)
    self.security = security
  }

  /// An exchange's handler starts. False if the peer has left already.
  func begin(_ exchange: ServerExchange) -> Bool {
    state.withLock { state in
      state.exchange = exchange
      return !state.gone
    }
  }

  func end() { state.withLock { $0.exchange = nil } }

  /// The peer closed its end, or the connection broke.
  func peerLeft() {
    let exchange = state.withLock { state in
      state.gone = true
      return state.exchange
    }
    exchange?.cancel()
  }
}
