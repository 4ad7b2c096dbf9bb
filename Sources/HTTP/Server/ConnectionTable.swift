internal import CNet
internal import Glibc
internal import Synchronization

/// All open connections, and the one thread that watches them for what the library does not: a peer that leaves while
/// its request is being handled (the library looks away from a suspended connection), and deadlines on whole headers and
/// bodies (its own timeout starts afresh with every byte, so that a slow trickle would hold a connection for ever).
final class ConnectionTable: Sendable {
  private struct State {
    var connections: [UInt64: ServerConnection] = [:]
    var perClient: [String: Int] = [:]
    var lastID: UInt64 = 0
    var stopping = false
  }

  private let state = Mutex(State())
  private let epoll: Int32
  private let wake: Int32
  private let thread = Mutex<pthread_t?>(nil)
  private let limitPerClient: Int
  private let headerTimeout: UInt64
  private static let wakeToken = UInt64.max

  init(limitPerClient: Int, headerTimeout: Duration) throws(HTTPServerError) {
    epoll = serai_epoll_create()
    wake = serai_eventfd()
    self.limitPerClient = limitPerClient
    self.headerTimeout = headerTimeout.nanoseconds
    guard epoll >= 0, wake >= 0, serai_epoll_control(epoll, 1, wake, SERAI_EPOLLIN, Self.wakeToken) == 0
    else {
      throw HTTPServerError(
        operation: "epoll_create for", object: "the HTTP server", errno: -min(epoll, wake),
        advice: "no descriptors left? raise the limit on open files (ulimit -n)")
    }
  }

  deinit {
    close(epoll)
    close(wake)
  }

  func start() throws(HTTPServerError) {
    let started = startThread(named: "http-watch") { self.run() }
    guard let started else {
      throw HTTPServerError(
        operation: "pthread_create for", object: "the HTTP server", errno: EAGAIN,
        advice: "the limit on threads is reached (ulimit -u, pids.max of the cgroup)")
    }
    thread.withLock { $0 = started }
  }

  /// Ends the thread; blocks for as long as its current turn takes.
  func stop() {
    state.withLock { $0.stopping = true }
    serai_eventfd_signal(wake)
    if let thread = thread.withLock({ thread in
      defer { thread = nil }
      return thread
    }) {
      pthread_join(thread, nil)
    }
  }

  /// A connection was accepted. One over its client's limit comes back as `refused`.
  func opened(descriptor: Int32, remoteAddress: String) -> ServerConnection {
    let (connection, isFirst) = state.withLock { state in
      state.lastID += 1
      let count = state.perClient[remoteAddress, default: 0] + 1
      state.perClient[remoteAddress] = count
      let refused = !remoteAddress.isEmpty && limitPerClient > 0 && count > limitPerClient
      let connection = ServerConnection(
        id: state.lastID, descriptor: descriptor, remoteAddress: remoteAddress, refused: refused,
        deadline: monotonicNanoseconds() + (refused ? 1_000_000_000 : headerTimeout))
      state.connections[connection.id] = connection
      return (connection, state.connections.count == 1)
    }
    if isFirst { serai_eventfd_signal(wake) }
    // Edge-triggered, and only for the peer's end of stream: bytes that arrive don't wake the thread. If the kernel
    // refuses (no memory), the connection is served without early cancellation.
    let events = SERAI_EPOLLRDHUP | SERAI_EPOLLET
    _ = serai_epoll_control(epoll, 1, descriptor, events, connection.id)
    return connection
  }

  /// The library is about to close the descriptor, which also takes it out of the epoll set.
  func closed(_ connection: ServerConnection) {
    state.withLock { state in
      state.connections[connection.id] = nil
      let left = state.perClient[connection.remoteAddress, default: 1] - 1
      state.perClient[connection.remoteAddress] = left > 0 ? left : nil
    }
  }

  var count: Int { state.withLock { $0.connections.count } }

  private func run() {
    var ready = [serai_ready](repeating: serai_ready(), count: 64)
    var lastSweep = monotonicNanoseconds()
    while true {
      let idle = state.withLock { $0.connections.isEmpty }
      // Without connections there are no deadlines; the first one wakes the thread.
      let count = serai_epoll_wait(epoll, &ready, 64, idle ? -1 : 1000)
      for index in 0..<max(0, Int(count)) {
        if ready[index].token == Self.wakeToken {
          serai_eventfd_clear(wake)
        } else {
          state.withLock { $0.connections[ready[index].token] }?.peerLeft()
        }
      }
      if state.withLock({ $0.stopping }) { return }
      let now = monotonicNanoseconds()
      if now &- lastSweep >= 900_000_000 {
        lastSweep = now
        cutOverdue(now)
      }
    }
  }

  /// Shuts overdue connections down; the library then sees their end and closes them. Under the lock, because `closed`
  /// must not let the library close (and the kernel reuse) a descriptor between the look and the shutdown.
  private func cutOverdue(_ now: UInt64) {
    state.withLock { state in
      for connection in state.connections.values {
        let deadline = connection.deadline.load(ordering: .relaxed)
        guard deadline != 0, deadline <= now else { continue }
        connection.deadline.store(0, ordering: .relaxed)
        shutdown(connection.descriptor, Int32(SHUT_RDWR))
      }
    }
  }
}
