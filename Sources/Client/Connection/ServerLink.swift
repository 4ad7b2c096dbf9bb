internal import Codec
internal import Log
internal import Model
internal import Transport

/// This client's way to the servers: one connection at a time, registered, with heartbeats and the stream of
/// allocations over it; when it breaks, the next server is tried. Tasks do not notice.
actor ServerLink {
  /// What the link needs of the client.
  struct Client: Sendable {
    /// The node as it is to be registered now.
    var node: @Sendable () async -> Node
    var secretID: Identifier
    /// Takes one message of the stream; returns when it is dealt with.
    var received: @Sendable (NodeAllocationsMessage) async -> Void
    var updates: UpdateQueue
    /// Told when servers were reached, and when they are not any more.
    var isReached: @Sendable (Bool) async -> Void
  }

  private let endpoint: RPCEndpoint
  private let client: Client
  private let log: Logger
  /// Configured ones first, then what servers told; in the order in which they are tried.
  private var servers: [String]
  private var registered: RPCConnection?
  private var waiters: [UInt64: CheckedContinuation<RPCConnection?, Never>] = [:]
  private var nextWaiter: UInt64 = 0
  private var work: [Task<Void, Never>] = []
  private var isClosed = false

  /// How long one call may take.
  static let callTimeout = Duration.seconds(10)
  /// How long a heartbeat and a connection may take: a server that does not answer must be left long before the node
  /// counts as lost.
  static let beatTimeout = Duration.seconds(3)
  /// Pauses between attempts at a connection grow from the first to the second, then stay.
  static let retryDelays = (first: Duration.milliseconds(250), longest: Duration.seconds(15))
  /// Updates that come within this time of each other go together.
  static let batchingDelay = Duration.milliseconds(50)

  init(endpoint: RPCEndpoint, servers: [String], client: Client, log: Logger) {
    self.endpoint = endpoint
    self.servers = servers
    self.client = client
    self.log = log
  }

  func start() {
    work = [Task { await keepConnected() }, Task { await sendUpdates() }]
  }

  /// Ends the connection; nothing is sent any more.
  func close() async {
    isClosed = true
    client.updates.close()
    for task in work { task.cancel() }
    registered?.close(RPCError(.unavailable, "the client agent is shutting down"))
    lost()
    wakeWaiters(nil)
  }

  /// The server this client is registered at now, nil while there is none.
  var server: String? { registered?.remoteAddress }
  var knownServers: [String] { servers }

  /// A registered connection; waits at most `timeout` for one.
  func connection(timeout: Duration) async throws(RPCError) -> RPCConnection {
    if let registered { return registered }
    if isClosed { throw RPCError(.unavailable, "this agent is shutting down") }
    let number = nextWaiter
    nextWaiter += 1
    let timer = Task { [weak self] in
      do { try await Task.sleep(for: timeout) } catch { return }
      await self?.giveUpWaiting(number)
    }
    let found: RPCConnection? = await withCheckedContinuation { waiters[number] = $0 }
    timer.cancel()
    guard let found else {
      throw RPCError(.unavailable, "no server is reachable: tried \(servers.joined(separator: ", "))")
    }
    return found
  }

  private func giveUpWaiting(_ number: UInt64) { waiters.removeValue(forKey: number)?.resume(returning: nil) }

  private func wakeWaiters(_ connection: RPCConnection?) {
    for waiter in waiters.values { waiter.resume(returning: connection) }
    waiters = [:]
  }

  // MARK: - Connection

  private func keepConnected() async {
    var delay = Self.retryDelays.first
    while !isClosed {
      do {
        try await serveOneConnection { delay = Self.retryDelays.first }
      } catch {
        if isClosed { return }
        if let error = error as? RPCError, error.code == .permissionDenied {
          log.error(
            "the servers refuse this node: if its data directory was copied from another node, delete it here",
            (key: "error", value: error.message))
          delay = Self.retryDelays.longest
        } else {
          log.warn("no server, tasks run on; trying again", (key: "error", value: "\(error)"))
        }
      }
      lost()
      await client.isReached(false)
      // The server that failed is asked last from now on.
      if !servers.isEmpty { servers.append(servers.removeFirst()) }
      let jitter = Double.random(in: 0.5..<1)
      do { try await Task.sleep(for: delay * jitter) } catch { return }
      delay = min(delay * 2, Self.retryDelays.longest)
    }
  }

  /// Connects to the first server, registers and serves until something breaks.
  private func serveOneConnection(onRegistered: () -> Void) async throws {
    guard let address = servers.first else {
      throw RPCError(.invalid, "no servers are configured: set client { servers = [\"host:4647\"] }")
    }
    let connection = try await endpoint.connect(to: address, timeout: Self.beatTimeout)
    defer { connection.close(RPCError(.unavailable, "the client goes to another server")) }
    let node = await client.node()
    let answer = try await register(node, over: connection)
    onRegistered()
    isNow(connection)
    await client.isReached(true)
    log.info("registered", (key: "server", value: address), (key: "node_id", value: node.id.description))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.beat(node.id, over: connection, every: answer.heartbeatTTL) }
      group.addTask { try await self.watch(node.id, over: connection) }
      // The first to fail takes the connection with it.
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func isNow(_ connection: RPCConnection) {
    registered = connection
    wakeWaiters(connection)
  }

  private func lost() { registered = nil }

  private func register(_ node: Node, over connection: RPCConnection) async throws -> NodeHeartbeatResponse {
    let request = NodeRegisterRequest(node: node, secretID: client.secretID)
    let answer: NodeHeartbeatResponse = try await Self.call(ClientRPC.register, request, over: connection)
    learn(answer.servers)
    return answer
  }

  /// Tells the servers that something about the node has changed; without a connection the next one does.
  func registerAgain() async {
    guard let registered else { return }
    do {
      _ = try await register(await client.node(), over: registered)
    } catch {
      log.warn("tell the servers of a change of this node, ignoring", (key: "error", value: "\(error)"))
    }
  }

  private func learn(_ addresses: [String]) {
    for address in addresses where !servers.contains(address) { servers.append(address) }
  }

  private func beat(_ node: Identifier, over connection: RPCConnection, every ttl: Nanoseconds) async throws {
    var ttl = ttl
    while true {
      // Between a half and two thirds of what the server grants: one lost heartbeat is no lost node, and nodes that
      // registered together do not beat together.
      let share = Double.random(in: 0.5..<0.67)
      try await Task.sleep(for: .seconds(max(ttl.seconds, 1) * share))
      let request = NodeUpdateStatusRequest(nodeID: node, secretID: client.secretID)
      let answer: NodeHeartbeatResponse
      do {
        answer = try await Self.call(ClientRPC.updateStatus, request, over: connection, timeout: Self.beatTimeout)
      } catch let error as RPCError where error.code == .notFound {
        log.info("the servers do not know this node any more, registering again")
        answer = try await register(await client.node(), over: connection)
      }
      learn(answer.servers)
      ttl = answer.heartbeatTTL
    }
  }

  private func watch(_ node: Identifier, over connection: RPCConnection) async throws {
    let request = NodeWatchAllocationsRequest(nodeID: node, secretID: client.secretID)
    let stream = try await connection.openStream(
      method: ClientRPC.watchAllocations, body: Binary.encode(request))
    defer { stream.cancel() }
    var reader = ClientRPC.FrameReader()
    while let bytes = try await stream.read() {
      reader.append(bytes)
      while let message = try reader.next(NodeAllocationsMessage.self) { await client.received(message) }
    }
    throw RPCError(.unavailable, "\(connection.remoteAddress) ended the stream of allocations")
  }

  // MARK: - Updates

  private func sendUpdates() async {
    while let updates = await client.updates.take() {
      var sent = false
      while !sent, !isClosed {
        do {
          let connection = try await connection(timeout: .seconds(3600))
          let node = await client.node()
          let request = NodeUpdateAllocationsRequest(nodeID: node.id, secretID: client.secretID, updates: updates)
          let _: NodeUpdateAllocationsResponse = try await Self.call(
            ClientRPC.updateAllocations, request, over: connection)
          sent = true
        } catch {
          if isClosed { return }
          log.warn("send updates of allocations, keeping them", (key: "error", value: "\(error)"))
          client.updates.putBack(updates)
          do { try await Task.sleep(for: Self.retryDelays.first) } catch { return }
          break
        }
      }
      do { try await Task.sleep(for: Self.batchingDelay) } catch { return }
    }
  }

  /// One call with records.
  static func call<Request: Record, Answer: Record>(
    _ method: String, _ request: Request, over connection: RPCConnection, timeout: Duration = callTimeout
  ) async throws -> Answer {
    let bytes = try await connection.call(method: method, body: Binary.encode(request), timeout: timeout)
    return try Binary.decode(Answer.self, from: bytes)
  }
}
