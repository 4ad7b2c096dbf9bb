internal import CNet
internal import Glibc
internal import Linux
internal import Synchronization
internal import Transport

/// One TCP connection of the pool: a request in one direction, its answer in the other, each behind four bytes of length.
final class FrameConnection: Pollable {
  enum Role: Sendable { case asking(exchange: UInt64), answering(request: UInt64) }

  /// From the beginning to the end of the answer.
  static let timeout: UInt64 = 10_000_000_000

  private struct State {
    var socket: Socket?
    var token: UInt64?
    var connecting: Bool
    var inbox: [UInt8] = []
    var outbox: [UInt8] = []
    var sent = 0
    /// Its frame was handed on; what still comes is not looked at.
    var hasDelivered = false
    /// All is sent: our side is finished once `outbox` is empty.
    var finishes = false
  }

  let role: Role
  private let address: String
  private let driver: GossipDriver
  private let state: Mutex<State>
  private let deadline: Atomic<UInt64>

  init(_ socket: Socket, _ role: Role, address: String, connecting: Bool, driver: GossipDriver) {
    self.role = role
    self.address = address
    self.driver = driver
    state = Mutex(State(socket: socket, connecting: connecting))
    deadline = Atomic(UInt64(Clock.monotonicNanoseconds) + Self.timeout)
  }

  /// False if the kernel does not take it.
  func register() -> Bool {
    guard let socket = state.withLock({ $0.socket }), let token = try? driver.reactor.add(self, socket.descriptor)
    else {
      return false
    }
    let isOver = state.withLock { state in
      state.token = token
      return state.socket == nil
    }
    if isOver { driver.reactor.remove(token, socket.descriptor) }
    return true
  }

  /// Sends a frame; the one who answers then finishes.
  func send(_ frame: [UInt8]) {
    state.withLock { state in
      let length = UInt32(clamping: frame.count)
      for shift in [24, 16, 8, 0] as [UInt32] { state.outbox.append(UInt8(truncatingIfNeeded: length >> shift)) }
      state.outbox.append(contentsOf: frame)
      if case .answering = role { state.finishes = true }
    }
    flush()
  }

  func close() {
    let (socket, token) = state.withLock { state in
      defer { (state.socket, state.token) = (nil, nil) }
      return (state.socket, state.token)
    }
    deadline.store(.max, ordering: .relaxed)
    if let socket, let token { driver.reactor.remove(token, socket.descriptor) }
    if socket != nil { driver.closed(self) }
  }

  private func fail(_ reason: String) {
    let isNews = state.withLock { state in
      defer { state.hasDelivered = true }
      return !state.hasDelivered
    }
    close()
    if isNews, case .asking(let exchange) = role { driver.failed(exchange, reason) }
  }

  // MARK: - Pollable

  var nextTimer: UInt64 { deadline.load(ordering: .relaxed) }

  func timer(now: UInt64) { fail("\(address) did not answer within \(Self.timeout / 1_000_000_000) s") }

  func abandon() { fail("this agent is shutting down") }

  func ready(_ events: UInt32, _ buffer: inout [UInt8]) -> Bool {
    guard let socket = state.withLock({ $0.socket }) else { return false }
    if state.withLock({ $0.connecting }) {
      let result = serai_net_connect_result(socket.descriptor)
      guard events & (SERAI_NET_EPOLLOUT | SERAI_NET_EPOLLERR | SERAI_NET_EPOLLHUP) != 0 else { return false }
      guard result == 0 else {
        fail("connecting to \(address) failed: \(errnoName(-result))")
        return false
      }
      state.withLock { $0.connecting = false }
    }
    flush()
    for _ in 0..<16 {
      let count = buffer.withUnsafeMutableBytes { target -> Int in
        guard let base = target.baseAddress else { return 0 }
        return serai_net_receive(socket.descriptor, base, target.count)
      }
      if count == -Int(EINTR) { continue }
      if count == -Int(EAGAIN) { return false }
      guard count > 0 else {
        fail(
          count == 0
            ? "\(address) closed the connection: does it have the same `encrypt` key and version?"
            : "receiving from \(address) failed: \(errnoName(Int32(-count)))")
        return false
      }
      guard received(buffer[..<count]) else { return false }
    }
    return true
  }

  /// False when the connection is over.
  private func received(_ bytes: ArraySlice<UInt8>) -> Bool {
    let limit = driver.maxFrameBytes
    let (frame, tooLong) = state.withLock { state -> ([UInt8]?, Bool) in
      guard !state.hasDelivered else { return (nil, false) }
      state.inbox.append(contentsOf: bytes)
      guard state.inbox.count >= 4 else { return (nil, false) }
      let length = state.inbox[..<4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= limit else { return (nil, true) }
      guard state.inbox.count >= 4 + length else { return (nil, false) }
      state.hasDelivered = true
      let frame = Array(state.inbox[4..<(4 + length)])
      state.inbox = []
      return (frame, false)
    }
    if tooLong {
      fail("\(address) sent a frame of more than \(limit) bytes")
      return false
    }
    guard let frame else { return true }
    switch role {
    case .asking(let exchange):
      close()
      driver.answered(exchange, frame)
      return false
    case .answering(let request):
      driver.asked(request, frame, self)
      return true
    }
  }

  private func flush() {
    while true {
      let (socket, bytes, from) = state.withLock { state in
        (state.connecting ? nil : state.socket, state.outbox, state.sent)
      }
      guard let socket else { return }
      guard from < bytes.count else { break }
      let result = bytes.withUnsafeBytes { source -> Int in
        guard let base = source.baseAddress else { return 0 }
        return serai_net_send(socket.descriptor, base + from, source.count - from)
      }
      if result == -Int(EINTR) { continue }
      if result == -Int(EAGAIN) { return }
      guard result >= 0 else { return fail("sending to \(address) failed: \(errnoName(Int32(-result)))") }
      state.withLock { $0.sent += result }
    }
    // The peer reads the answer, closes, and then so do we.
    let finished = state.withLock { $0.finishes ? $0.socket : nil }
    finished?.finish()
  }
}

/// Takes connections from other members.
final class FrameListener: Pollable {
  /// Connections served at once; a pool has no reason for more.
  private static let limit = 256

  private let driver: GossipDriver
  private let state: Mutex<(socket: Socket?, token: UInt64?)>
  private let retryAt = Atomic<UInt64>(.max)

  init(_ socket: Socket, driver: GossipDriver) {
    self.driver = driver
    state = Mutex((socket, nil))
  }

  func register() throws(RPCError) {
    guard let socket = state.withLock({ $0.socket }) else { return }
    let token = try driver.reactor.add(self, socket.descriptor)
    state.withLock { $0.token = token }
  }

  func close() {
    let (socket, token) = state.withLock { state in
      defer { state = (nil, nil) }
      return state
    }
    if let socket, let token { driver.reactor.remove(token, socket.descriptor) }
  }

  func abandon() { close() }

  var nextTimer: UInt64 { retryAt.load(ordering: .relaxed) }

  func timer(now: UInt64) {
    retryAt.store(.max, ordering: .relaxed)
    var unused: [UInt8] = []
    while ready(0, &unused) {}
  }

  func ready(_ events: UInt32, _ buffer: inout [UInt8]) -> Bool {
    guard let socket = state.withLock({ $0.socket }) else { return false }
    for _ in 0..<64 {
      var peer = serai_net_address()
      let descriptor = serai_net_accept(socket.descriptor, &peer)
      if descriptor >= 0 {
        driver.accepted(Socket(owning: descriptor), SocketAddress(peer), limit: Self.limit)
      } else if descriptor == -EAGAIN {
        return false
      } else if [-EMFILE, -ENFILE, -ENOMEM, -ENOBUFS].contains(descriptor) {
        // No new edge will come for those who wait already: look again when something may have been freed.
        let at = UInt64(Clock.monotonicNanoseconds) + 100_000_000
        retryAt.store(at, ordering: .relaxed)
        driver.reactor.due(at: at)
        return false
      }
    }
    return true
  }
}
