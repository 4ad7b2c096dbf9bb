internal import CNet
internal import Glibc
internal import Linux
internal import Synchronization

/// What a handler is asked.
public struct RPCRequest: Sendable {
  /// What is asked for: "Node.UpdateAlloc".
  public let method: String
  /// The whole request of a call, or what a stream was opened with.
  public let body: [UInt8]
  /// Who asks; also the way to call back.
  public let connection: RPCConnection

  /// A request as it came, or as one that came inside of another.
  public init(method: String, body: [UInt8], connection: RPCConnection) {
    self.method = method
    self.body = body
    self.connection = connection
  }
}

/// Who an endpoint is, whom it talks to, and its limits.
public struct RPCConfiguration: Sendable {
  /// What peers are told about this agent.
  public var ourselves: RPCPeer
  /// Limits and timeouts of every connection.
  public var limits = RPCLimits()
  /// Judges a peer's claims during the handshake; what it returns is the refusal that the peer is told. By default
  /// agents of other regions are refused unless both are servers.
  public var admit: @Sendable (RPCPeer) -> RPCError?
  /// TLS on every connection; nil for none. It may be replaced while the endpoint runs.
  public var security: RPCSecurity?

  /// The defaults for an agent.
  public init(ourselves: RPCPeer) {
    self.ourselves = ourselves
    admit = { peer in
      guard peer.region != ourselves.region, peer.role != .server || ourselves.role != .server else { return nil }
      return RPCError(
        .permissionDenied,
        "\(peer.name) is of region \"\(peer.region)\", \(ourselves.name) of region \"\(ourselves.region)\": "
          + "configure the same region, or the servers of that one")
    }
  }
}

/// One agent's end of the RPC protocol: its listeners, its outgoing connections, and the thread that serves them all.
public final class RPCEndpoint: Sendable {
  /// Answers a call. What it throws goes to the caller: an `RPCError` as it is, anything else as `internal`. The task is
  /// cancelled when the caller gives up, its time is over or the connection breaks.
  public typealias Handler = @Sendable (RPCRequest) async throws -> [UInt8]
  /// Serves a stream; when it returns the stream ends, when it throws the other side gets the error.
  public typealias StreamHandler = @Sendable (RPCRequest, RPCStream) async throws -> Void

  private let core: EndpointCore

  /// - Parameters:
  ///   - handler: for calls, from peers at either end of a connection.
  ///   - streamHandler: for streams.
  ///   - onConnection: runs for each connection, either way, when its handshake is complete. It must not block.
  public init(
    configuration: RPCConfiguration, handler: @escaping Handler,
    streamHandler: @escaping StreamHandler = { request, _ in
      throw RPCError(.unimplemented, "this agent has no stream method \(request.method)")
    },
    onConnection: @escaping @Sendable (RPCConnection) -> Void = { _ in }
  ) throws(RPCError) {
    core = EndpointCore(
      configuration: configuration, reactor: try Reactor(), handler: handler, streamHandler: streamHandler,
      onConnection: onConnection)
  }

  /// Listens for peers. May be called for several addresses.
  ///
  /// - Parameters:
  ///   - address: numeric, without brackets.
  ///   - port: 0 lets the kernel choose.
  /// - Returns: the port.
  @discardableResult
  public func listen(address: String, port: UInt16) throws(RPCError) -> UInt16 { try core.listen(address, port) }

  /// Connects to a peer and waits for the end of the handshake.
  ///
  /// - Parameter address: "host:port"; the port defaults to 4647, a name is looked up and all its addresses are tried.
  public func connect(to address: String, timeout: Duration = .seconds(10)) async throws(RPCError) -> RPCConnection {
    try await core.connect(address, timeout)
  }

  /// TLS on connections that begin from now on; nil for none.
  public var security: RPCSecurity? {
    get { core.security }
    set { core.security = newValue }
  }

  /// Connections whose handshake is complete.
  public var connections: [RPCConnection] { core.connectionList }

  /// Stops listening, closes every connection (peers are told) and ends the thread.
  public func close() async { await core.close() }
}

/// What connections and listeners share.
final class EndpointCore: Sendable {
  private struct State {
    var listeners: [Listener] = []
    var connections: [ObjectIdentifier: RPCConnection] = [:]
    /// Accepted connections per address, handshake or not.
    var accepted: [String: Int] = [:]
    var acceptedIDs: Set<ObjectIdentifier> = []
    var closed = false
    var security: RPCSecurity?
  }

  let configuration: RPCConfiguration
  let reactor: Reactor
  let handler: RPCEndpoint.Handler
  let streamHandler: RPCEndpoint.StreamHandler
  private let onConnection: @Sendable (RPCConnection) -> Void
  private let state = Mutex(State())

  init(
    configuration: RPCConfiguration, reactor: Reactor, handler: @escaping RPCEndpoint.Handler,
    streamHandler: @escaping RPCEndpoint.StreamHandler, onConnection: @escaping @Sendable (RPCConnection) -> Void
  ) {
    self.configuration = configuration
    self.reactor = reactor
    self.handler = handler
    self.streamHandler = streamHandler
    self.onConnection = onConnection
    state.withLock { $0.security = configuration.security }
  }

  var security: RPCSecurity? {
    get { state.withLock { $0.security } }
    set { state.withLock { $0.security = newValue } }
  }

  /// Why a peer that has shown its certificate is not who it says it is; nil when there is nothing against it.
  func refusal(of peer: RPCPeer, isEncrypted: Bool, names: [String]) -> RPCError? {
    guard isEncrypted, security?.serverName != nil, peer.role == .server else { return nil }
    let name = "server.\(peer.region).nomad"
    guard !names.contains(name) else { return nil }
    return RPCError(
      .permissionDenied,
      "\(peer.name) says it is a server, but its certificate is for \(names.joined(separator: ", ")), not for \(name) "
        + "(verify_server_hostname)")
  }

  var connectionList: [RPCConnection] { state.withLock { $0.connections.values.filter { $0.peer != nil } } }

  func listen(_ host: String, _ port: UInt16) throws(RPCError) -> UInt16 {
    let listener = try Listener(endpoint: self, host: host, port: port)
    try listener.register()
    state.withLock { $0.listeners.append(listener) }
    return listener.port
  }

  func connect(_ text: String, _ timeout: Duration) async throws(RPCError) -> RPCConnection {
    let (host, port) = try Resolver.split(text)
    let deadline = ContinuousClock.now + timeout
    var failure = RPCError(.unavailable, "\(host) has no address")
    for address in try await Resolver.addresses(host, port) {
      do throws(RPCError) {
        return try await connect(address, until: deadline, timeout)
      } catch {
        failure = error
      }
    }
    throw failure
  }

  private func connect(
    _ address: SocketAddress, until deadline: ContinuousClock.Instant, _ timeout: Duration
  ) async throws(RPCError) -> RPCConnection {
    var native = address.native
    let descriptor = serai_net_socket(serai_net_address_family(&native))
    guard descriptor >= 0 else { throw .system("socket for", address.description, -descriptor) }
    let socket = Socket(owning: descriptor)
    socket.tune(configuration.limits)
    let result = serai_net_connect(descriptor, &native)
    guard result == 0 || result == -EINPROGRESS else {
      throw .system("connecting to", address.description, -result)
    }
    let connection = try RPCConnection(
      endpoint: self, socket: socket, address: address, side: .initiator, connecting: result != 0)
    try add(connection, accepted: false)
    try connection.register()
    let timer = Task {
      // Cancelled as soon as the handshake is complete.
      try? await Task.sleep(until: deadline)
      guard !Task.isCancelled else { return }
      connection.close(
        RPCError(.deadlineExceeded, "connecting to \(address.description) took longer than \(timeout): is the host up?")
      )
    }
    defer { timer.cancel() }
    _ = try await connection.waitUntilEstablished()
    // A refusal comes right behind the peer's half of the handshake.
    if let failure = connection.failure { throw failure }
    return connection
  }

  func accepted(_ socket: Socket, _ address: SocketAddress) {
    let host = address.host
    let limit = configuration.limits.maxConnectionsPerPeer
    socket.tune(configuration.limits)
    // It fails only without memory; the peer sees the connection closed.
    guard
      let connection = try? RPCConnection(
        endpoint: self, socket: socket, address: address, side: .acceptor, connecting: false)
    else { return }
    let crowded = state.withLock { $0.accepted[host, default: 0] >= limit }
    do throws(RPCError) {
      try add(connection, accepted: true)
      try connection.register()
    } catch {
      connection.close(error)
      return
    }
    if crowded {
      connection.close(
        RPCError(.resourceExhausted, "\(host) has \(limit) connections here already (limits.rpc_max_conns_per_client)"))
    }
  }

  private func add(_ connection: RPCConnection, accepted: Bool) throws(RPCError) {
    let closed = state.withLock { state in
      guard !state.closed else { return true }
      state.connections[ObjectIdentifier(connection)] = connection
      if accepted {
        state.accepted[connection.remoteHost, default: 0] += 1
        state.acceptedIDs.insert(ObjectIdentifier(connection))
      }
      return false
    }
    if closed { throw RPCError(.unavailable, "this agent is shutting down") }
  }

  func established(_ connection: RPCConnection) { onConnection(connection) }

  func closed(_ connection: RPCConnection) {
    state.withLock { state in
      state.connections[ObjectIdentifier(connection)] = nil
      guard state.acceptedIDs.remove(ObjectIdentifier(connection)) != nil else { return }
      let left = state.accepted[connection.remoteHost, default: 1] - 1
      state.accepted[connection.remoteHost] = left > 0 ? left : nil
    }
  }

  func close() async {
    let (listeners, connections, first) = state.withLock { state in
      defer {
        state.closed = true
        state.listeners = []
      }
      return (state.listeners, Array(state.connections.values), !state.closed)
    }
    guard first else { return }
    for listener in listeners { listener.close() }
    for connection in connections {
      connection.close(RPCError(.unavailable, "the agent at the other end is shutting down"))
    }
    let reactor = reactor
    await withCheckedContinuation { continuation in
      do throws(SystemError) {
        try DetachedThread.start(named: "rpc-stop") {
          reactor.stop()
          continuation.resume()
        }
      } catch {
        // No thread to be had: late is worse than blocking one thread of the pool for a moment.
        reactor.stop()
        continuation.resume()
      }
    }
    // What still waited for its peer's last word, or for the reactor to see its end, ends here.
    for source in reactor.clear() { source.abandon() }
  }
}

/// A listening socket.
final class Listener: Pollable {
  let port: UInt16
  private let endpoint: EndpointCore
  private let address: String
  private let state: Mutex<(socket: Socket?, token: UInt64?)>
  private let retryAt = Atomic<UInt64>(.max)

  init(endpoint: EndpointCore, host: String, port: UInt16) throws(RPCError) {
    guard let address = SocketAddress(host: host, port: port) else {
      throw RPCError(.invalid, "\"\(host)\" is no numeric IPv4 or IPv6 address to listen on, such as 127.0.0.1 or ::")
    }
    var native = address.native
    let descriptor = serai_net_socket(serai_net_address_family(&native))
    guard descriptor >= 0 else { throw .system("socket for", address.description, -descriptor) }
    let socket = Socket(owning: descriptor)
    // A restart must not wait for the old connections' TIME_WAIT; where it fails, bind says so.
    _ = serai_net_set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
    if serai_net_address_family(&native) == AF_INET6 { _ = serai_net_accept_ipv4_too(descriptor) }
    var result = serai_net_bind(descriptor, &native)
    guard result == 0 else { throw .system("bind", address.description, -result) }
    result = serai_net_listen(descriptor, 1024)
    guard result == 0 else { throw .system("listen on", address.description, -result) }
    var bound = serai_net_address()
    result = serai_net_socket_name(descriptor, &bound)
    guard result == 0 else { throw .system("getsockname of", address.description, -result) }
    self.endpoint = endpoint
    self.address = address.description
    self.port = SocketAddress(bound).port
    state = Mutex((socket, nil))
  }

  func register() throws(RPCError) {
    guard let socket = state.withLock({ $0.socket }) else { return }
    let token = try endpoint.reactor.add(self, socket.descriptor)
    state.withLock { $0.token = token }
  }

  func close() {
    let (socket, token) = state.withLock { state in
      defer { state = (nil, nil) }
      return state
    }
    if let socket, let token { endpoint.reactor.remove(token, socket.descriptor) }
  }

  func ready(_ events: UInt32, _ buffer: inout [UInt8]) -> Bool {
    guard let socket = state.withLock({ $0.socket }) else { return false }
    for _ in 0..<64 {
      var peer = serai_net_address()
      let descriptor = serai_net_accept(socket.descriptor, &peer)
      if descriptor >= 0 {
        endpoint.accepted(Socket(owning: descriptor), SocketAddress(peer))
      } else if descriptor == -EAGAIN {
        return false
      } else if descriptor == -EMFILE || descriptor == -ENFILE || descriptor == -ENOMEM || descriptor == -ENOBUFS {
        // No new edge will come for those who wait already: look again when something may have been freed.
        let at = UInt64(Clock.monotonicNanoseconds) + 100_000_000
        retryAt.store(at, ordering: .relaxed)
        endpoint.reactor.due(at: at)
        return false
      }
    }
    return true
  }

  func abandon() { close() }

  var nextTimer: UInt64 { retryAt.load(ordering: .relaxed) }

  func timer(now: UInt64) {
    retryAt.store(.max, ordering: .relaxed)
    var unused: [UInt8] = []
    while ready(0, &unused) {}
  }
}
