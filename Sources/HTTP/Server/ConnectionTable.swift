internal import CNet
internal import Glibc
internal import Linux
internal import Synchronization

/// All open connections, and the one thread that accepts them and watches them for what the library does not: a peer that
/// leaves while its request is being handled (the library looks away from a suspended connection), and deadlines on whole
/// headers and bodies (its own timeout starts afresh with every byte, so that a slow trickle would hold a connection for
/// ever).
final class ConnectionTable: Sendable {
  /// Hands an accepted connection to the library; false if it did not take it (and closed it).
  typealias Adopt = @Sendable (_ descriptor: Int32, _ address: inout serai_net_address) -> Bool

  fileprivate struct State {
    var connections: [UInt64: ServerConnection] = [:]
    /// Accepted and handed over, not yet met by the library's threads; by descriptor.
    var arriving: [Int32: ServerConnection] = [:]
    var perClient: [String: Int] = [:]
    var lastID: UInt64 = 0
    var stopping = false
    /// Connections were left in the kernel's queue: too many are open, or the kernel had no descriptor.
    var acceptLater = false
  }

  private let state = Mutex(State())
  /// Accepting happens under this lock, so that a listener is not closed, and its number reused, in the middle of it.
  private let listeners = Mutex<[Int32]>([])
  /// Turned away and told why: closed at the next sweep, when the words have arrived. The watch thread's own.
  private let farewells = Mutex<[Int32]>([])
  private let adopt = Mutex<Adopt?>(nil)
  private let epoll: Int32
  private let wake: Int32
  private let thread = Mutex<JoinableThread?>(nil)
  private let maxConnections: Int
  private let limitPerClient: Int
  private let headerTimeout: UInt64
  private let security: ServerSecurity?
  private static let wakeToken = UInt64.max
  private static let listenToken = UInt64.max - 1

  init(_ configuration: HTTPServerConfiguration, _ security: ServerSecurity?) throws(HTTPServerError) {
    self.security = security
    epoll = serai_net_epoll_create()
    wake = serai_net_eventfd()
    maxConnections = max(1, configuration.maxConnections)
    limitPerClient = configuration.maxConnectionsPerClient
    headerTimeout = configuration.headerTimeout.nanoseconds
    guard epoll >= 0, wake >= 0, serai_net_epoll_control(epoll, 1, wake, SERAI_NET_EPOLLIN, Self.wakeToken) == 0 else {
      throw HTTPServerError(
        operation: "epoll_create for", object: "the HTTP server", errno: -min(epoll, wake),
        advice: "no descriptors left? raise the limit on open files (ulimit -n)")
    }
  }

  deinit {
    close(epoll)
    close(wake)
  }

  /// Begins to accept. The listeners are the table's from here on, unless this throws.
  func start(listeners sockets: [Int32], adopt: @escaping Adopt) throws(HTTPServerError) {
    self.adopt.withLock { $0 = adopt }
    for socket in sockets {
      // Edge-triggered: an accept that failed for want of descriptors is repeated by time, not in a loop.
      let result = serai_net_epoll_control(epoll, 1, socket, SERAI_NET_EPOLLIN | SERAI_NET_EPOLLET, Self.listenToken)
      guard result == 0 else {
        throw HTTPServerError(
          operation: "epoll_ctl for", object: "a listening socket", errno: -result, advice: "is there memory left?")
      }
    }
    listeners.withLock { $0 = sockets }
    do throws(SystemError) {
      let started = try JoinableThread(named: "http-watch", stackBytes: 0) { self.run() }
      thread.withLock { $0 = started }
    } catch {
      listeners.withLock { $0 = [] }
      throw HTTPServerError(
        operation: "pthread_create for", object: "the HTTP server", errno: error.errno.rawValue, advice: error.advice)
    }
  }

  /// No more connections from here on; those that wait in the kernel's queue are reset.
  func closeListeners() {
    listeners.withLock { listeners in
      for listener in listeners { close(listener) }
      listeners = []
    }
  }

  /// Ends the thread; blocks for as long as its current turn takes.
  func stop() {
    closeListeners()
    state.withLock { $0.stopping = true }
    serai_net_eventfd_signal(wake)
    thread.withLock { $0.take() }?.join()
    adopt.withLock { $0 = nil }
    closeFarewells()
  }

  /// One of the library's threads has met a connection that was handed over.
  func started(descriptor: Int32) -> ServerConnection? {
    let connection = state.withLock { $0.arriving.removeValue(forKey: descriptor) }
    guard let connection else { return nil }
    // Edge-triggered, and only for the peer's end of stream: bytes that arrive don't wake the thread. If the kernel
    // refuses (no memory), the connection is served without early cancellation.
    _ = serai_net_epoll_control(epoll, 1, descriptor, SERAI_NET_EPOLLRDHUP | SERAI_NET_EPOLLET, connection.id)
    return connection
  }

  /// The library is about to close the descriptor, which also takes it out of the epoll set.
  func closed(_ connection: ServerConnection) {
    let acceptNow = state.withLock { state in
      state.remove(connection)
      return state.acceptLater
    }
    if acceptNow { serai_net_eventfd_signal(wake) }
  }

  var count: Int { state.withLock { $0.connections.count } }

  // MARK: The thread

  private func run() {
    var ready = [serai_net_ready](repeating: serai_net_ready(), count: 64)
    var lastSweep = UInt64(Clock.monotonicNanoseconds)
    acceptWaiting()
    while true {
      let idle = state.withLock { $0.connections.isEmpty && !$0.acceptLater } && farewells.withLock { $0.isEmpty }
      // Without connections there are no deadlines; the first one wakes the thread.
      let count = serai_net_epoll_wait(epoll, &ready, 64, idle ? -1 : 1000)
      var accepting = state.withLock { $0.acceptLater }
      for index in 0..<max(0, Int(count)) {
        switch ready[index].token {
        case Self.wakeToken: serai_net_eventfd_clear(wake)
        case Self.listenToken: accepting = true
        default: state.withLock { $0.connections[ready[index].token] }?.peerLeft()
        }
      }
      if state.withLock({ $0.stopping }) { return }
      if accepting { acceptWaiting() }
      let now = UInt64(Clock.monotonicNanoseconds)
      if now &- lastSweep >= 900_000_000 {
        lastSweep = now
        closeFarewells()
        cutOverdue(now)
      }
    }
  }

  private func acceptWaiting() {
    state.withLock { $0.acceptLater = false }
    listeners.withLock { listeners in
      for listener in listeners {
        while acceptOne(listener) {}
      }
    }
  }

  /// False when nothing more can be accepted now.
  private func acceptOne(_ listener: Int32) -> Bool {
    guard state.withLock({ $0.connections.count }) < maxConnections else {
      state.withLock { $0.acceptLater = true }
      return false
    }
    var address = serai_net_address()
    let descriptor = serai_net_accept(listener, &address)
    switch descriptor {
    case 0...: meet(descriptor, &address)
    case -EAGAIN: return false
    case -EMFILE, -ENFILE, -ENOMEM, -ENOBUFS:
      state.withLock { $0.acceptLater = true }
      return false
    case -EBADF, -EINVAL: return false
    default: break  // This one failed before it was accepted (ECONNABORTED and others): the next.
    }
    return true
  }

  private func meet(_ descriptor: Int32, _ address: inout serai_net_address) {
    let host = hostText(&address)
    let deadline = UInt64(Clock.monotonicNanoseconds) &+ headerTimeout
    let connection = state.withLock { state -> ServerConnection? in
      let count = state.perClient[host, default: 0] + 1
      guard host.isEmpty || limitPerClient <= 0 || count <= limitPerClient else { return nil }
      state.perClient[host] = count
      state.lastID += 1
      let connection = ServerConnection(
        id: state.lastID, descriptor: descriptor, remoteAddress: host, deadline: deadline, security: security)
      // The number is free again: who had it before was dropped without having been met.
      if let stale = state.arriving[descriptor] { state.remove(stale) }
      state.connections[connection.id] = connection
      state.arriving[descriptor] = connection
      return connection
    }
    guard let connection else {
      refuse(descriptor)
      return
    }
    // Small responses must not wait for the acknowledgement of the one before.
    _ = serai_net_no_delay(descriptor)
    let adopt = adopt.withLock { $0 }
    if adopt?(descriptor, &address) != true {
      state.withLock { state in
        state.arriving[descriptor] = nil
        state.remove(connection)
      }
    }
  }

  /// Tells a client why it is turned away. Its send buffer is empty, so the words fit.
  private func refuse(_ descriptor: Int32) {
    let text =
      "too many connections from your address: the limit is \(limitPerClient) (limits.http_max_conns_per_client)\n"
    let message =
      "HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
      + "Content-Length: \(text.utf8.count)\r\n\r\n" + text
    // Over TLS there are no words before the handshake.
    let bytes = security == nil ? Array(message.utf8) : []
    _ = bytes.withUnsafeBytes { source in source.baseAddress.map { serai_net_send(descriptor, $0, source.count) } }
    shutdown(descriptor, Int32(SHUT_WR))
    // Closed at once, the kernel would reset the connection when the request arrives, and the words could be lost.
    let full = farewells.withLock { farewells in
      if farewells.count < 256 { farewells.append(descriptor) }
      return farewells.last != descriptor
    }
    if full { close(descriptor) }
  }

  private func closeFarewells() {
    let descriptors = farewells.withLock { farewells in
      defer { farewells = [] }
      return farewells
    }
    for descriptor in descriptors { close(descriptor) }
  }

  /// Shuts overdue connections down; the library then sees their end and closes them. Under the lock, because `closed`
  /// must not let the library close (and the kernel reuse) a descriptor between the look and the shutdown.
  private func cutOverdue(_ now: UInt64) {
    state.withLock { state in
      for connection in state.connections.values {
        let deadline = connection.deadline.load(ordering: .relaxed)
        guard deadline != 0, deadline <= now else { continue }
        connection.deadline.store(0, ordering: .relaxed)
        // Never met by the library's threads: it dropped the connection for want of memory, and the number may be
        // somebody else's by now.
        if state.forgetArriving(connection) { continue }
        shutdown(connection.descriptor, Int32(SHUT_RDWR))
      }
    }
  }
}

extension ConnectionTable.State {
  fileprivate mutating func forgetArriving(_ connection: ServerConnection) -> Bool {
    guard arriving[connection.descriptor] === connection else { return false }
    arriving[connection.descriptor] = nil
    remove(connection)
    return true
  }

  fileprivate mutating func remove(_ connection: ServerConnection) {
    guard connections.removeValue(forKey: connection.id) != nil else { return }
    let left = perClient[connection.remoteAddress, default: 1] - 1
    perClient[connection.remoteAddress] = left > 0 ? left : nil
  }
}

private func hostText(_ address: inout serai_net_address) -> String {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
    guard let base = text.baseAddress else { return "" }
    serai_net_address_host(&address, base, 64)
    return String(cString: base)
  }
}
