public import Codec
internal import Linux
public import Log
internal import Scheduler
public import State
internal import Storage
internal import Synchronization
public import Transport

/// A server of the cluster: log, state, scheduler and the duties of a leader.
///
/// One server only so far: it leads from the start. What several need to agree is behind `ServerCore.propose`.
public final class Server: Sendable {
  /// As given.
  public let configuration: ServerConfiguration
  let core: ServerCore
  private let executor: CoreExecutor
  private let log: LogWriter
  private let logger: Logger
  private let clock: @Sendable () -> Timestamp
  private let connections = Mutex<[Identifier: RPCConnection]>([:])
  let pool = Pool()

  /// Opens the log, brings the state back and begins to lead.
  /// - Parameters:
  ///   - clock: the wall clock, which may be set while the server runs.
  ///   - monotonic: nanoseconds of a clock that is never set; nil for CLOCK_MONOTONIC.
  /// - Throws: `ServerError` naming the file that can't be used and what to do.
  public static func open(
    _ configuration: ServerConfiguration, logger: Logger,
    clock: @escaping @Sendable () -> Timestamp, monotonic: (@Sendable () -> Int64)? = nil
  ) async throws(ServerError) -> Server {
    do {
      let snapshots = try SnapshotStore(folder: configuration.snapshotsPath)
      let log = try LogWriter(owning: LogStore(opening: configuration.logPath))
      let recovery = try await Recovery.run(log: log, snapshots: snapshots, logger: logger)
      let term = log.opening.hardState.term + 1
      let executor = try CoreExecutor()
      let keeper = SnapshotKeeper(
        store: snapshots, lastIndex: recovery.snapshotIndex, threshold: configuration.snapshotThreshold,
        trailing: configuration.trailingLogs, logger: logger.named("snapshot"))
      let core = ServerCore(
        state: recovery.state, lastIndex: max(recovery.state.reader.index, log.opening.last.index), term: term,
        log: log,
        snapshots: keeper, duties: Duties(configuration: configuration, random: RandomSource().bits),
        executor: executor,
        logger: logger, clock: clock, monotonic: monotonic ?? { Clock.monotonicNanoseconds })
      try await saveTerm(term, log)
      let server = Server(
        configuration: configuration, core: core, executor: executor, log: log, logger: logger, clock: clock)
      await core.start()
      try await server.lead(isNew: recovery.state.reader.index == 0)
      logger.info("server is leading", ("term", "\(term)"), ("index", "\(recovery.state.reader.index)"))
      return server
    } catch let error as ServerError {
      throw error
    } catch {
      throw ServerError(.unavailable, "the server can't start: \(error)")
    }
  }

  private init(
    configuration: ServerConfiguration, core: ServerCore, executor: CoreExecutor, log: LogWriter, logger: Logger,
    clock: @escaping @Sendable () -> Timestamp
  ) {
    self.configuration = configuration
    self.core = core
    self.executor = executor
    self.log = log
    self.logger = logger
    self.clock = clock
  }

  private static func saveTerm(_ term: UInt64, _ log: LogWriter) async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      log.save(HardState(term: term)) { continuation.resume(with: $0.mapError { $0 }) }
    }
  }

  /// The first entry of a term, and the configured scheduler of a cluster that is new.
  private func lead(isNew: Bool) async throws(ServerError) {
    _ = try await core.propose(.noOperation)
    if isNew, let configured = configuration.schedulerConfiguration {
      _ = try await setSchedulerConfiguration(configured, expectedIndex: nil)
    }
  }

  /// Ends all work in order; what was acknowledged is on disk.
  public func stop() async {
    await core.stop()
    await log.close()
    executor.close()
  }

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
