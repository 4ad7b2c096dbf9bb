internal import Codec
internal import Linux
internal import Log
internal import Model
internal import Raft
internal import Replica
internal import Synchronization
internal import Transport

/// This server's ways to the other servers.
///
/// Each has two connections: one for the messages of the consensus, so that nothing large stands before a heartbeat, and
/// one for calls. Who the members are, the core says; where they are reached now, gossip does.
final class PeerLinks: Sendable {
  private struct Contents {
    var endpoint: RPCEndpoint?
    /// Where members were reached when they became members.
    var members: [ServerID: String] = [:]
    var pool: [String: ServerMember] = [:]
    /// What servers of the pool that are no members said of themselves.
    var joinable: [ServerID: Bool] = [:]
    var links: [ServerID: PeerLink] = [:]
    var isClosed = false
  }

  private let contents = Mutex(Contents())
  private let logger: Logger
  private let ownName: String
  private let region: String

  init(name: String, region: String, logger: Logger) {
    ownName = name
    self.region = region
    self.logger = logger
  }

  /// Messages go out from now on.
  func attach(_ endpoint: RPCEndpoint) { contents.withLock { $0.endpoint = endpoint } }

  /// Ends all connections.
  func close() {
    let links = contents.withLock { contents in
      contents.isClosed = true
      defer { contents.links = [:] }
      return Array(contents.links.values)
    }
    for link in links { link.close() }
  }

  // MARK: who there is

  /// The other members and where they were reached.
  func setMembers(_ members: [ServerID: String]) {
    let gone = contents.withLock { contents in
      contents.members = members
      let gone = contents.links.filter { members[$0.key] == nil }
      for id in gone.keys { contents.links[id] = nil }
      return gone
    }
    // Those who were removed are told of it by the last messages: let these go first.
    for link in gone.values { link.closeLater() }
  }

  /// What gossip learned of another server.
  func apply(_ change: ServerMemberChange) {
    contents.withLock { contents in
      if case .removed(let member) = change {
        contents.pool[member.name] = nil
      } else {
        contents.pool[change.member.name] = change.member
      }
    }
  }

  /// The other servers that gossip knows, by name.
  var pool: [ServerMember] { contents.withLock { $0.pool.values.sorted { $0.name < $1.name } } }

  /// The RPC addresses of the other servers that answer.
  var aliveAddresses: [String] {
    pool.filter { $0.status == .alive && $0.region == region && !$0.id.isNone }.map(\.rpcAddress)
  }

  /// Where a server is reached now.
  func address(of server: ServerID) -> String? {
    contents.withLock { contents in
      contents.pool.values.first { !$0.id.isNone && ServerID($0.id) == server }?.rpcAddress ?? contents.members[server]
    }
  }

  /// What the leader's care for the members goes by.
  func autopilotServers() -> [AutopilotServer] {
    contents.withLock { contents in
      contents.pool.values.filter { $0.region == region && !$0.id.isNone }.map { member in
        let id = ServerID(member.id)
        let state: AutopilotServer.State =
          switch member.status {
          case .alive: .alive
          case .failed: .failed
          case .left: .left
          }
        return AutopilotServer(
          id: id, name: member.name, address: MemberAddress(member.rpcAddress, member.id).text, state: state,
          mayJoin: contents.joinable[id] ?? false)
      }
    }
  }

  /// Servers of the pool that answer and of whom it is not known whether they may become members.
  var unknownCandidates: [ServerMember] {
    contents.withLock { contents in
      contents.pool.values.filter { member in
        let id = ServerID(member.id)
        return member.status == .alive && member.region == region && !member.id.isNone && contents.members[id] == nil
          && contents.joinable[id] != true
      }
    }
  }

  func setJoinable(_ server: Identifier, _ isJoinable: Bool) {
    contents.withLock { $0.joinable[ServerID(server)] = isJoinable }
  }

  // MARK: talking

  /// Sends messages of the consensus. Never blocks; what can't be sent soon is dropped.
  func send(_ messages: [Message]) {
    for message in messages { link(to: message.to)?.send(message) }
  }

  /// A connection for calls.
  /// - Throws: `.unavailable` when the server can't be reached; nothing has been asked then.
  func connection(to server: ServerID) async throws(RPCError) -> RPCConnection {
    guard let link = link(to: server) else { throw RPCError(.unavailable, "no address of server \(server) is known") }
    return try await link.connection()
  }

  /// A connection to a server by its address, for those that are no members.
  func connect(to address: String, timeout: Duration) async throws(RPCError) -> RPCConnection {
    guard let endpoint = contents.withLock({ $0.endpoint }) else {
      throw RPCError(.unavailable, "this server has no connections yet")
    }
    return try await endpoint.connect(to: address, timeout: timeout)
  }

  private func link(to server: ServerID) -> PeerLink? {
    let (known, endpoint) = contents.withLock { ($0.links[server], $0.isClosed ? nil : $0.endpoint) }
    if let known { return known }
    guard let endpoint else { return nil }
    let made = PeerLink(
      server: server, endpoint: endpoint, logger: logger, address: { [weak self] in self?.address(of: server) },
      lost: { [weak self] in self?.lost.call(server) })
    let kept = contents.withLock { contents in
      if let first = contents.links[server] { return first }
      contents.links[server] = made
      return made
    }
    if kept === made { made.start() } else { made.close() }
    return kept
  }

  /// Told when the way to a server broke.
  let lost = LostAction()

  final class LostAction: Sendable {
    private let action = Mutex<(@Sendable (ServerID) -> Void)?>(nil)
    func set(_ action: @escaping @Sendable (ServerID) -> Void) { self.action.withLock { $0 = action } }
    func call(_ server: ServerID) { action.withLock { $0 }?(server) }
  }
}

/// The way to one server.
private final class PeerLink: Sendable {
  /// Messages that wait for the way; older ones are dropped for newer ones, which the consensus is made for.
  static let waitingMessages = 2048
  /// How long a server that can't be reached is left alone.
  static let pause = Duration.milliseconds(100)
  static let connectTimeout = Duration.seconds(1)

  private let server: ServerID
  private let endpoint: RPCEndpoint
  private let logger: Logger
  private let address: @Sendable () -> String?
  private let lost: @Sendable () -> Void
  private let messages: AsyncStream<Message>
  private let queue: AsyncStream<Message>.Continuation
  private let task = Mutex<Task<Void, Never>?>(nil)
  private let calls = Mutex<RPCConnection?>(nil)

  init(
    server: ServerID, endpoint: RPCEndpoint, logger: Logger, address: @escaping @Sendable () -> String?,
    lost: @escaping @Sendable () -> Void
  ) {
    self.server = server
    self.endpoint = endpoint
    self.logger = logger
    self.address = address
    self.lost = lost
    (messages, queue) = AsyncStream.makeStream(
      of: Message.self, bufferingPolicy: .bufferingNewest(PeerLink.waitingMessages))
  }

  func start() {
    task.withLock { $0 = Task.detached(priority: .high) { [self] in await run() } }
  }

  func close() {
    queue.finish()
    task.withLock { $0 }?.cancel()
    calls.withLock { $0 }?.close()
  }

  func closeLater() {
    Task { [self] in
      // Cancelled or not, what is left to do is to close.
      try? await Task.sleep(for: .seconds(1))
      close()
    }
  }

  func send(_ message: Message) { queue.yield(message) }

  private func run() async {
    var stream: RPCStream?
    var isReported = false
    for await message in messages {
      do {
        if stream == nil {
          guard let address = address() else { throw RPCError(.unavailable, "no address is known") }
          let connection = try await endpoint.connect(to: address, timeout: Self.connectTimeout)
          stream = try await connection.openStream(method: ServerRPC.consensus)
          if isReported {
            logger.info("another server is reached again", ("server", "\(server)"), ("address", address))
          }
          isReported = false
        }
        try await stream?.write(ServerRPC.frame(MessageCodec.encode(message)))
      } catch {
        if Task.isCancelled { break }
        stream?.connection.close()
        stream = nil
        lost()
        if !isReported {
          logger.warn("another server can't be reached", ("server", "\(server)"), ("error", "\(error)"))
          isReported = true
        }
        do { try await Task.sleep(for: Self.pause) } catch { break }
      }
    }
    stream?.connection.close()
  }

  func connection() async throws(RPCError) -> RPCConnection {
    if let open = calls.withLock({ $0 }), !open.isClosed { return open }
    guard let address = address() else { throw RPCError(.unavailable, "no address of server \(server) is known") }
    let made = try await endpoint.connect(to: address, timeout: Self.connectTimeout)
    let kept = calls.withLock { calls in
      if let first = calls, !first.isClosed { return first }
      calls = made
      return made
    }
    if kept !== made { made.close() }
    return kept
  }
}
