internal import CMicrohttpd
internal import CNet
internal import Glibc
internal import Synchronization

/// An HTTP/1.1 server.
///
/// libmicrohttpd's threads read and write sockets; each request is handled in a Swift task of its own, during which its
/// connection is suspended and costs no thread: a blocking query may stay for minutes. The task is cancelled when the
/// client leaves.
public final class HTTPServer: Sendable {
  /// Answers one request. Runs on Swift's cooperative pool, so it must not block; errors become responses in it.
  public typealias Handler = @Sendable (HTTPRequest) async -> HTTPResponse

  private let core: ServerCore

  /// - Parameters:
  ///   - configuration: addresses, limits and timeouts.
  ///   - handler: called once per request, concurrently.
  public init(configuration: HTTPServerConfiguration, handler: @escaping Handler) throws(HTTPServerError) {
    core = try ServerCore(configuration: configuration, handler: handler)
  }

  /// Binds every address and begins to serve. On an error nothing is left bound.
  ///
  /// - Returns: the addresses with the ports that the kernel chose, in the configuration's order.
  @discardableResult
  public func start() throws(HTTPServerError) -> [HTTPListenAddress] { try core.start() }

  /// Where the server listens; empty before `start` and after `stop`.
  public var addresses: [HTTPListenAddress] { core.addresses }

  /// Open connections, idle ones included.
  public var connectionCount: Int { core.connections.count }

  /// Stops: no new connections; requests in progress get `drain` to end, then their tasks are cancelled and get a second
  /// more; what is left is answered 503 or cut. Returns when no connection and no thread is left.
  public func stop(drain: Duration = .seconds(5)) async { await core.stop(drain: drain) }
}

/// What the callbacks of the C library share: one per server.
final class ServerCore: Sendable {
  let configuration: HTTPServerConfiguration
  let handler: HTTPServer.Handler
  let connections: ConnectionTable
  let exchanges = ExchangeTable()
  let upgrades = UpgradeTable()

  private struct State {
    var daemons: [Daemon] = []
    var addresses: [HTTPListenAddress] = []
    var began = false
  }

  /// `@unchecked Sendable`: MHD_quiesce_daemon and MHD_stop_daemon may be called from any thread but the daemon's own;
  /// each is called once, by `stop`, which takes the daemons out of the state first.
  private struct Daemon: @unchecked Sendable {
    let pointer: OpaquePointer
  }

  private let state = Mutex(State())

  init(configuration: HTTPServerConfiguration, handler: @escaping HTTPServer.Handler) throws(HTTPServerError) {
    self.configuration = configuration
    self.handler = handler
    connections = try ConnectionTable(
      limitPerClient: configuration.maxConnectionsPerClient, headerTimeout: configuration.headerTimeout)
  }

  var addresses: [HTTPListenAddress] { state.withLock { $0.addresses } }

  func start() throws(HTTPServerError) -> [HTTPListenAddress] {
    let first = state.withLock { state in
      defer { state.began = true }
      return !state.began
    }
    guard first, !configuration.addresses.isEmpty else {
      throw HTTPServerError(
        operation: "start", object: "the HTTP server", errno: 0,
        advice: first ? "configure at least one address to listen on" : "a server object starts once: make another one")
    }
    var sockets: [(descriptor: Int32, bound: HTTPListenAddress)] = []
    do throws(HTTPServerError) {
      for address in configuration.addresses { sockets.append(try ListenSocket.open(address)) }
      try connections.start()
    } catch {
      for socket in sockets { close(socket.descriptor) }
      throw error
    }
    var daemons: [Daemon] = []
    for (index, socket) in sockets.enumerated() {
      guard let daemon = startDaemon(socket.descriptor) else {
        for unused in sockets[index...] { close(unused.descriptor) }
        for started in daemons { MHD_stop_daemon(started.pointer) }
        connections.stop()
        throw HTTPServerError(
          operation: "start", object: socket.bound.description, errno: 0,
          advice: "no memory, threads or descriptors left: raise the limits (ulimit -n, -u)")
      }
      daemons.append(Daemon(pointer: daemon))
    }
    let bound = sockets.map(\.bound)
    state.withLock { state in
      state.daemons = daemons
      state.addresses = bound
    }
    return bound
  }

  func stop(drain: Duration) async {
    let (daemons, addresses) = state.withLock { state in
      defer {
        state.daemons = []
        state.addresses = []
      }
      return (state.daemons, state.addresses)
    }
    guard !daemons.isEmpty else { return }
    for daemon in daemons {
      let listener = MHD_quiesce_daemon(daemon.pointer)
      if listener >= 0 { close(listener) }
    }
    for case .unix(let path, _) in addresses { unlink(path) }
    upgrades.stop()
    if await !exchanges.drained(within: drain) {
      for exchange in exchanges.all { exchange.cancel() }
      if await !exchanges.drained(within: .seconds(1)) {
        for exchange in exchanges.all { exchange.abandon() }
        // The I/O threads need a moment to send what was just answered; whoever doesn't read it is cut.
        _ = await exchanges.drained(within: .milliseconds(200))
      }
    }
    upgrades.stop()
    let connections = connections
    await onThread {
      for daemon in daemons { MHD_stop_daemon(daemon.pointer) }
      connections.stop()
    }
  }

  private func startDaemon(_ descriptor: Int32) -> OpaquePointer? {
    var settings = serai_mhd_settings(
      listen_socket: descriptor, thread_count: UInt32(clamping: max(1, configuration.threads)),
      connection_limit: UInt32(clamping: configuration.maxConnections),
      idle_timeout: UInt32(clamping: configuration.idleTimeout.components.seconds),
      connection_memory: configuration.maxHeaderBytes, context: Unmanaged.passUnretained(self).toOpaque(),
      access: serveRequest, request_begins: requestBegins, request_completed: requestCompleted,
      connection_changed: connectionChanged)
    return serai_mhd_start(&settings)
  }
}

/// Runs blocking work on a thread made for it.
private func onThread(_ work: @escaping @Sendable () -> Void) async {
  await withCheckedContinuation { continuation in
    let thread = startThread(named: "http-stop") {
      work()
      continuation.resume()
    }
    if let thread {
      pthread_detach(thread)
    } else {
      // No thread to be had: late is worse than blocking one thread of the pool.
      work()
      continuation.resume()
    }
  }
}
