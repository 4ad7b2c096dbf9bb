internal import CMicrohttpd
internal import CNet
internal import Glibc
internal import Linux
internal import Synchronization
public import TLS

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

  /// Shows another certificate to connections that begin from now on. Does nothing without TLS.
  public func replaceCertificate(_ certificate: ServedCertificate) { core.security?.replace(certificate) }

  /// Open connections, idle ones included.
  public var connectionCount: Int { core.connections.count }

  /// Stops: no new connections, and 503 for new requests on open ones; requests in progress get `drain` to end, then their tasks are cancelled and get a second
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
  let security: ServerSecurity?

  private struct State {
    var daemon: Daemon?
    var addresses: [HTTPListenAddress] = []
    var began = false
  }

  /// `@unchecked Sendable`: MHD_add_connection and MHD_stop_daemon may be called from any thread but the daemon's own;
  /// the latter is called once, by `stop`, after the thread that calls the former has ended.
  private struct Daemon: @unchecked Sendable {
    let pointer: OpaquePointer
  }

  private let state = Mutex(State())

  init(configuration: HTTPServerConfiguration, handler: @escaping HTTPServer.Handler) throws(HTTPServerError) {
    self.configuration = configuration
    self.handler = handler
    security = configuration.security.map { ServerSecurity($0) }
    connections = try ConnectionTable(configuration, security)
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
      try begin(sockets.map(\.descriptor))
    } catch {
      for socket in sockets { ListenSocket.discard(socket) }
      throw error
    }
    let bound = sockets.map(\.bound)
    state.withLock { $0.addresses = bound }
    return bound
  }

  func stop(drain: Duration) async {
    let (daemon, addresses) = state.withLock { state in
      defer {
        state.daemon = nil
        state.addresses = []
      }
      return (state.daemon, state.addresses)
    }
    guard let daemon else { return }
    connections.closeListeners()
    exchanges.stop()
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
      // First the thread that could hand another connection over.
      connections.stop()
      serai_mhd_stop(daemon.pointer)
    }
  }

  private func begin(_ listeners: [Int32]) throws(HTTPServerError) {
    if let problem = serai_mhd_load() {
      throw HTTPServerError(
        operation: "start", object: "the HTTP server", errno: 0, advice: String(cString: problem))
    }
    guard let pointer = startDaemon() else {
      throw HTTPServerError(
        operation: "start", object: "the HTTP server", errno: 0,
        advice: "no memory, threads or descriptors left: raise the limits (ulimit -n, -u)")
    }
    let daemon = Daemon(pointer: pointer)
    do throws(HTTPServerError) {
      try connections.start(listeners: listeners) { descriptor, address in
        withUnsafePointer(to: &address.bytes.any) { serai_mhd_add(daemon.pointer, descriptor, $0, address.length) != 0 }
      }
    } catch {
      serai_mhd_stop(pointer)
      throw error
    }
    state.withLock { $0.daemon = daemon }
  }

  private func startDaemon() -> OpaquePointer? {
    let threads = max(1, configuration.threads)
    // The table counts connections; the library's own limit, which it divides among its threads, is out of the way.
    var settings = serai_mhd_settings(
      thread_count: UInt32(clamping: threads),
      connection_limit: UInt32(clamping: configuration.maxConnections * (threads + 1)),
      idle_timeout: UInt32(clamping: configuration.idleTimeout.components.seconds),
      connection_memory: configuration.maxHeaderBytes, context: Unmanaged.passUnretained(self).toOpaque(),
      access: serveRequest, request_begins: requestBegins, request_completed: requestCompleted,
      connection_changed: connectionChanged, priorities: nil, retrieve_certificate: nil, client_authority: nil)
    guard let security else { return serai_mhd_start(&settings) }
    settings.retrieve_certificate = retrieveCertificate
    // The library keeps the pointer to the CA as long as it runs, and so for the rest of the process: a few kilobytes
    // for each server that is started.
    if let authority = security.clientAuthority {
      settings.client_authority = UnsafePointer(strdup(String(decoding: authority, as: UTF8.self)))
    }
    return security.priorities.withCString { priorities in
      settings.priorities = priorities
      return serai_mhd_start(&settings)
    }
  }
}

/// Runs blocking work on a thread made for it.
private func onThread(_ work: @escaping @Sendable () -> Void) async {
  await withCheckedContinuation { continuation in
    do throws(SystemError) {
      try DetachedThread.start(named: "http-stop") {
        work()
        continuation.resume()
      }
    } catch {
      // No thread to be had: late is worse than blocking one thread of the pool.
      work()
      continuation.resume()
    }
  }
}
