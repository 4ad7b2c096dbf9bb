public import Codec
internal import Linux
public import Log
public import Model
internal import Raft
internal import Replica
internal import Scheduler
public import State
internal import Storage
internal import Synchronization
public import Transport

/// A server of the cluster: the replica with its disk and its connections, and what clients and the API ask of it.
public final class Server: Sendable {
  /// As given.
  public let configuration: ServerConfiguration
  /// Who this server is for good.
  public let id: Identifier
  let core: ServerCore
  let links: PeerLinks
  private let executor: CoreExecutor
  let disk: ServerDisk
  let logger: Logger
  private let clock: @Sendable () -> Timestamp
  private let connections = Mutex<[Identifier: RPCConnection]>([:])
  let promise = Promise()
  let foreign = Foreign()
  private let work = Mutex<[Task<Void, Never>]>([])

  /// Opens the log, brings the state back and begins to take part in the cluster. A server that is the whole cluster leads
  /// when this returns; one of several may know no leader yet.
  /// - Parameters:
  ///   - clock: the wall clock, which may be set while the server runs.
  ///   - monotonic: nanoseconds of a clock that is never set; nil for CLOCK_MONOTONIC.
  /// - Throws: `ServerError` naming the file that can't be used and what to do.
  public static func open(
    _ configuration: ServerConfiguration, logger: Logger,
    clock: @escaping @Sendable () -> Timestamp, monotonic: (@Sendable () -> Int64)? = nil
  ) async throws(ServerError) -> Server {
    let (disk, opened) = try await ServerDisk.open(configuration, logger: logger.named("storage"))
    let executor: CoreExecutor
    do throws(SystemError) {
      executor = try CoreExecutor()
    } catch {
      throw ServerError(.unavailable, "the server can't start: \(error)")
    }
    let links = PeerLinks(name: configuration.name, region: configuration.region, logger: logger.named("peers"))
    let core = ServerCore(
      opened, disk: disk, links: links, configuration: configuration, executor: executor, logger: logger.named("raft"),
      clock: clock, monotonic: monotonic ?? { Clock.monotonicNanoseconds })
    links.lost.set { [inbox = core.inbox] in inbox.give(.unreachable($0)) }
    let server = Server(
      configuration: configuration, id: opened.id, core: core, links: links, executor: executor, disk: disk,
      logger: logger, clock: clock)
    await core.start()
    try await server.waitWhileAlone()
    return server
  }

  private init(
    configuration: ServerConfiguration, id: Identifier, core: ServerCore, links: PeerLinks, executor: CoreExecutor,
    disk: ServerDisk, logger: Logger, clock: @escaping @Sendable () -> Timestamp
  ) {
    self.configuration = configuration
    self.id = id
    self.core = core
    self.links = links
    self.executor = executor
    self.disk = disk
    self.logger = logger
    self.clock = clock
  }

  /// Nobody else can lead a cluster of one, and until it does its state is not what its log says.
  private func waitWhileAlone() async throws(ServerError) {
    let deadline = ContinuousClock.now + .seconds(30)
    // The first standing is that of the first turn.
    while ContinuousClock.now < deadline {
      let standing = standing
      if standing.term > 0 || !standing.peers.isEmpty || !standing.id.isNone {
        guard standing.isAlone, standing.problem.isEmpty else { return }
        if standing.isLeading {
          logger.info("server is leading", ("term", "\(standing.term)"), ("index", "\(reader.index)"))
          return
        }
      }
      do { try await Task.sleep(for: .milliseconds(1)) } catch { break }
    }
    throw ServerError(.unavailable, "the server's log was not written within 30 s: look at the disk that it is on")
  }

  /// Hands the server its way to the others. Until then it neither sends nor asks.
  public func attach(_ endpoint: RPCEndpoint) {
    links.attach(endpoint)
    let task = Task { [weak self] in
      while let self, !Task.isCancelled {
        await self.lookForServers()
        // Gossip tells of news, and the first look may come a moment later.
        let pause: Duration = self.links.pool.isEmpty ? .seconds(1) : .milliseconds(250)
        do { try await Task.sleep(for: pause) } catch { return }
      }
    }
    work.withLock { $0.append(task) }
  }

  /// Ends all work in order; what was acknowledged is on disk.
  public func stop() async {
    for task in work.withLock({ $0 }) { task.cancel() }
    await core.stop()
    links.close()
    await disk.close()
    executor.close()
  }

  // MARK: the cluster

  /// What this server knows of its cluster now.
  public var standing: ServerStanding { core.standing.current }

  /// Takes in what gossip learned of another server. Never blocks; changes of one server come in order.
  public func poolChanged(_ change: ServerMemberChange) {
    links.apply(change)
    Task { await core.poolChanged() }
  }

  /// The other servers that gossip knows, also failed ones and those that left, by name.
  public var poolMembers: [ServerMember] { links.pool }

  // MARK: reading

  /// The state as it is durable, for reading on any thread.
  public var reader: StateReader { core.committed.reader }
  /// The server's clock.
  public var now: Timestamp { clock() }

  /// What changes, as it becomes durable.
  public var events: EventBroker { core.events }

  /// Answers a blocking query: reads again and again, each time one of `keys` changed, until `isNews` or `deadline`.
  /// - Returns: the state to answer from.
  public func reader(
    watching keys: [WatchKey], deadline: Timestamp, until isNews: @Sendable (StateReader) -> Bool
  ) async -> StateReader {
    let watches = core.watches
    // Waiting is measured on a clock that nobody sets.
    let end = ContinuousClock.now + .nanoseconds(max(0, (deadline - now).count))
    while true {
      let generation = watches.generation
      let current = reader
      if isNews(current) || ContinuousClock.now >= end || Task.isCancelled { return current }
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await watches.wait(for: keys, since: generation) }
        // Cancelled when the change came first.
        group.addTask { try? await Task.sleep(until: end, clock: .continuous) }
        await group.next()
        group.cancelAll()
      }
    }
  }

  // MARK: connections to clients

  /// Remembers over which connection a node can be reached.
  func remember(_ connection: RPCConnection, for node: Identifier) {
    let isNew = connections.withLock { known in
      let isNew = known[node] !== connection
      known[node] = connection
      return isNew
    }
    guard isNew else { return }
    connection.onClose { [weak self] _ in
      self?.connections.withLock { known in if known[node] === connection { known[node] = nil } }
    }
  }

  /// The connection that a node's client opened, to call it back over; nil when it has none.
  public func connection(toNode node: Identifier) -> RPCConnection? { connections.withLock { $0[node] } }
}
