internal import Codec
internal import Linux
internal import Log
internal import Model
internal import Scheduler
internal import State
internal import Storage
internal import Synchronization

/// The one writer of the state.
///
/// A proposed entry is applied at once to `ahead`, the state with everything that is on its way to the disk, and the
/// duties (and so the scheduler) see it there: a plan can never conflict with another one. What others see is `committed`,
/// which moves to an entry when the log has it on disk. One turn of the actor hands all its entries to the log together,
/// so a registration, its evaluation and the plan cost one sync.
actor ServerCore {
  /// What a proposal became, when it is durable.
  struct Applied: Sendable {
    let index: UInt64
    let changes: Changes
    /// The state as of the entry.
    let reader: StateReader
  }

  private struct Pending {
    let index: UInt64
    let changes: Changes
    let reader: StateReader
    let completion: (@Sendable (Result<Applied, ServerError>) -> Void)?
  }

  /// The largest entry: far above what any job or plan takes, far below what hurts a log or a follower.
  static let maximumEntryBytes = 32 << 20

  let executor: CoreExecutor
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// The state that is durable, for readers on any thread.
  nonisolated let committed: CommittedState
  nonisolated let watches = WatchList()
  nonisolated let events = EventBroker()

  private var ahead: State
  private var duties: Duties
  private var feeds = NodeFeeds()
  private let log: LogWriter
  private let snapshots: SnapshotKeeper
  private let logger: Logger
  private let clock: @Sendable () -> Timestamp
  private let monotonic: @Sendable () -> Int64
  /// What both clocks said when the duties were last looked after.
  private var lastLook: (wall: Timestamp, monotonic: Int64)
  private let term: UInt64
  private var lastIndex: UInt64
  private var pending: [Pending] = []
  private var unflushed: [LogRecord] = []
  /// Set when the log failed for good: nothing is taken any more.
  private var failure: ServerError?
  /// Counts the times that entries ahead of the log were dropped.
  private var epoch = 0
  private var timer: Task<Void, Never>?
  private var timerDeadline: Timestamp?

  init(
    state: State, lastIndex: UInt64, term: UInt64, log: LogWriter, snapshots: SnapshotKeeper, duties: Duties,
    executor: CoreExecutor, logger: Logger, clock: @escaping @Sendable () -> Timestamp,
    monotonic: @escaping @Sendable () -> Int64
  ) {
    ahead = state
    self.lastIndex = lastIndex
    self.term = term
    self.log = log
    self.snapshots = snapshots
    self.duties = duties
    self.executor = executor
    self.logger = logger
    self.clock = clock
    self.monotonic = monotonic
    lastLook = (clock(), monotonic())
    committed = CommittedState(state.reader)
  }

  /// Begins the duties of a leader: timers and queues come from the state.
  func start() {
    duties.begin(ahead.reader, now: clock())
    work()
  }

  /// Ends timers and streams and fails what waits.
  func stop() {
    timer?.cancel()
    failure = ServerError(.unavailable, "the server is shutting down: ask another one, or again when it is back")
    feeds.closeAll()
    watches.close()
    events.close()
  }

  // MARK: proposals

  /// Puts an entry into the log.
  /// - Returns: when it is durable and applied.
  /// - Throws: `ServerError` when the state refuses it or the log can't take it; nothing has changed then.
  func propose(_ entry: LogEntry) async throws(ServerError) -> Applied {
    let result: Result<Applied, ServerError> = await withCheckedContinuation { continuation in
      enqueue(entry) { continuation.resume(returning: $0) }
      work()
    }
    return try result.get()
  }

  /// The same for an entry that depends on the state it will meet: `make` sees it with everything that is on its way.
  func propose(_ make: @Sendable (StateReader) throws(ServerError) -> LogEntry) async throws(ServerError) -> Applied {
    let entry = try make(ahead.reader)
    return try await propose(entry)
  }

  private func enqueue(_ entry: LogEntry, completion: (@Sendable (Result<Applied, ServerError>) -> Void)? = nil) {
    if let failure {
      completion?(.failure(failure))
      return
    }
    followClock()
    let time = clock()
    let index = lastIndex + 1
    let bytes = entry.encoded(at: time)
    guard bytes.count <= Self.maximumEntryBytes else {
      let refusal = ServerError(
        .invalid,
        "the change takes \(bytes.count) bytes in the log, where one may have \(Self.maximumEntryBytes): make it smaller"
      )
      if completion == nil { logger.error("a change of the server's own is too large", ("error", "\(refusal)")) }
      completion?(.failure(refusal))
      return
    }
    switch ahead.apply(entry, index: index, time: time) {
    case .failure(let error):
      if completion == nil { logger.warn("a change of the server's own was refused", ("error", "\(error)")) }
      completion?(.failure(ServerError(error)))
    case .success(let changes):
      lastIndex = index
      unflushed.append(LogRecord(index: index, term: term, kind: entry.kind, bytes: bytes))
      pending.append(Pending(index: index, changes: changes, reader: ahead.reader, completion: completion))
      duties.note(changes, ahead.reader, columns: ahead.columns, now: time)
    }
  }

  /// Does what the duties ask for until they ask for nothing, then hands all new entries to the log.
  private func work() {
    followClock()
    let began = Clock.monotonicNanoseconds
    var steps = 0
    while failure == nil, let action = duties.next(ahead, now: clock()) {
      switch action {
      case .propose(let entry): enqueue(entry)
      case .log(let level, let message): logger.log(level, message)
      }
      steps += 1
      // Long work is cut into turns, so that heartbeats and reads in between are not kept waiting.
      if Clock.monotonicNanoseconds - began > 5_000_000 {
        Task { self.work() }
        break
      }
    }
    flush()
    setTimer()
  }

  /// When somebody sets the wall clock, nodes are not silent for longer than they were: what counts from their last
  /// heartbeat moves with it.
  private func followClock() {
    let look = (wall: clock(), monotonic: monotonic())
    let jump = (look.wall - lastLook.wall).count - (look.monotonic - lastLook.monotonic)
    lastLook = look
    guard abs(jump) > 1_000_000_000 else { return }
    logger.warn("the wall clock was set", ("by", "\(Nanoseconds(jump))"))
    duties.heartbeats.shift(by: Nanoseconds(jump))
  }

  private func flush() {
    guard !unflushed.isEmpty else { return }
    let records = unflushed
    unflushed.removeAll(keepingCapacity: true)
    let epoch = epoch
    log.append(records) { [weak self] result in
      guard let self else { return }
      Task { await self.appended(result, through: records.last?.index ?? 0, epoch: epoch) }
    }
  }

  private func appended(_ result: Result<LogPosition, StorageError>, through index: UInt64, epoch: Int) {
    // Appends that were queued behind a failed one fail with it; their entries are gone already.
    guard epoch == self.epoch else { return }
    switch result {
    case .success:
      while let first = pending.first, first.index <= index {
        pending.removeFirst()
        commit(first)
      }
      if snapshots.isDue(lastIndex: committed.reader.index) { snapshots.take(committed.reader, term: term, log: log) }
    case .failure(let error): fail(error)
    }
  }

  private func commit(_ entry: Pending) {
    committed.publish(entry.reader)
    feeds.publish(entry.changes)
    watches.wake(entry.changes.watchKeys)
    events.publish(entry.changes)
    entry.completion?(.success(Applied(index: entry.index, changes: entry.changes, reader: entry.reader)))
  }

  /// The log did not take entries: what is applied ahead of it never happened. A full disk is left behind again as soon
  /// as there is room; anything else ends this server's writing until it is started anew.
  private func fail(_ error: StorageError) {
    logger.error("the log can't be written", ("error", "\(error)"))
    let failure = ServerError(.unavailable, "the server's log can't be written: \(error)")
    let lost = pending
    pending = []
    unflushed = []
    epoch += 1
    if error.reason == .full, let state = rebuilt(from: committed.reader) {
      ahead = state
      lastIndex = committed.reader.index
      duties.begin(ahead.reader, now: clock())
    } else {
      self.failure = failure
    }
    for entry in lost { entry.completion?(.failure(failure)) }
  }

  /// The state of a reader with its columns, by way of a snapshot in memory.
  private func rebuilt(from reader: StateReader) -> State? {
    var encoder = StateEncoder(reader)
    var decoder = StateDecoder()
    do throws(CodecError) {
      while let piece = encoder.next() { try decoder.add(piece) }
      return try decoder.finish()
    } catch {
      logger.error("the state can't be rebuilt, the server must be restarted", ("error", "\(error)"))
      return nil
    }
  }

  private func setTimer() {
    guard failure == nil, let deadline = duties.nextDeadline else {
      timer?.cancel()
      timer = nil
      timerDeadline = nil
      return
    }
    if deadline == timerDeadline, timer != nil { return }
    timer?.cancel()
    timerDeadline = deadline
    let wait = max(0, deadline.nanoseconds - clock().nanoseconds)
    timer = Task { [weak self] in
      // Cancelled only to be replaced by an earlier or later timer.
      guard (try? await Task.sleep(for: .nanoseconds(wait))) != nil else { return }
      await self?.timerFired()
    }
  }

  private func timerFired() {
    timer = nil
    timerDeadline = nil
    work()
  }

  // MARK: nodes

  /// Counts a client as heard of. Returns the time to live it is given.
  func heartbeat(_ node: Identifier) -> Nanoseconds {
    followClock()
    let ttl = duties.heartbeats.beat(node, nodes: ahead.reader.nodes.count, now: clock())
    setTimer()
    return ttl
  }

  /// The state with everything on its way.
  var current: StateReader { ahead.reader }

  /// The node as it is with everything on its way.
  func node(_ id: Identifier) -> Node? { ahead.reader.node(id)?.value }

  /// Opens a node's stream: what it has now, and everything that changes from then on.
  func openFeed(_ node: Identifier) -> (reader: StateReader, token: UInt64, stream: AsyncStream<NodeFeeds.Delta>) {
    let (token, stream) = feeds.open(node)
    return (committed.reader, token, stream)
  }

  /// Closes what `openFeed` opened.
  func closeFeed(_ node: Identifier, token: UInt64) { feeds.close(node, token: token) }

  /// Removes everything that nothing refers to any more, whatever its age.
  func collectGarbage() async throws(ServerError) {
    duties.garbage.force()
    work()
    // Whatever the round proposed is durable when an entry behind it is.
    _ = try await propose(.noOperation)
  }

  /// What keeps a job's groups from being placed; nil if there is no such job.
  func explain(_ key: JobKey) -> JobWhyResponse? {
    PlacementExplanation.explain(key, state: ahead.reader, columns: ahead.columns)
  }

  /// What registering `job` would do, without doing it.
  func plan(_ request: JobPlanRequest, _ job: Job) throws(ServerError) -> JobPlanResponse {
    try dryRun(job, request, on: ahead, now: clock())
  }
}

/// The state that is durable, shared with everyone who reads.
final class CommittedState: Sendable {
  private let current: Mutex<StateReader>

  init(_ reader: StateReader) { current = Mutex(reader) }

  var reader: StateReader { current.withLock { $0 } }

  func publish(_ reader: StateReader) { current.withLock { $0 = reader } }
}

extension ServerError {
  /// The requester's view of what the state refused.
  init(_ error: StateError) {
    switch error {
    case .noSuchNode, .noSuchJob, .noSuchJobVersion, .noSuchEvaluation, .noSuchAllocation, .noSuchDeployment,
      .noSuchNamespace, .noSuchNodePool, .noSuchTag, .noSuchGroup:
      self.init(.notFound, error.description)
    case .wrongNodeSecret: self.init(.permissionDenied, error.description)
    case .indexMismatch, .duplicateAllocation, .namespaceInUse, .namespaceHasVariables, .nodePoolInUse,
      .deploymentEnded, .nothingToPromote,
      .canariesNotHealthy, .tagInUse, .jobExists, .variableLocked:
      self.init(.conflict, error.description)
    case .builtIn, .malformed, .notLaunchable: self.init(.invalid, error.description)
    }
  }
}
