internal import Codec
internal import Linux
internal import Log
internal import Model
internal import Raft
internal import Replica
internal import Scheduler
internal import State
internal import Storage
internal import Synchronization

/// The one writer of the state: the replica, driven on a thread of its own.
///
/// Proposals, messages of other servers and the disk's answers come in as they come; at the end of each turn the duties do
/// what there is to do, and everything that came of the turn goes out together: one write, one message to each follower.
actor ServerCore {
  /// What a proposal became, when it is durable.
  struct Applied: Sendable {
    let index: UInt64
    let changes: Changes
    /// The state as of the entry.
    let reader: StateReader
  }

  let executor: CoreExecutor
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// The state that is durable, for readers on any thread.
  nonisolated let committed: CommittedState
  nonisolated let watches = WatchList()
  nonisolated let events = EventBroker()
  nonisolated let standing = StandingBoard()
  nonisolated let inbox: CoreInbox

  private let id: Identifier
  private var replica: Replica
  private let disk: ServerDisk
  private let links: PeerLinks
  private let logger: Logger
  private let configuration: ServerConfiguration
  private let clock: @Sendable () -> Timestamp
  private let monotonic: @Sendable () -> Int64
  private var random: RandomBits
  private var feeds = NodeFeeds()
  private var nextToken: UInt64 = 1
  private var proposals: [UInt64: @Sendable (Result<Applied, ServerError>) -> Void] = [:]
  private var reads: [UInt64: (until: Int64, completion: @Sendable (Bool) -> Void)] = [:]
  private var takeover: [CheckedContinuation<Void, Never>] = []
  /// Set when the server stops or its disk has failed: nothing is taken any more.
  private var failure: ServerError?
  /// Why the disk took nothing last.
  private var lastStorageError: StorageError?
  private var roomSearch: Task<Void, Never>?
  /// Counts the times that the disk was full.
  private var epoch = 0
  private var autopilot = Autopilot()
  /// When the members are looked after next, on CLOCK_MONOTONIC; never while no other server is known.
  private var nextCare: Int64 = .max
  private var wasLeading = false

  init(
    _ opened: ServerDisk.Opened, disk: ServerDisk, links: PeerLinks, configuration: ServerConfiguration,
    executor: CoreExecutor, logger: Logger, clock: @escaping @Sendable () -> Timestamp,
    monotonic: @escaping @Sendable () -> Int64
  ) {
    id = opened.id
    self.disk = disk
    self.links = links
    self.configuration = configuration
    self.executor = executor
    self.logger = logger
    self.clock = clock
    self.monotonic = monotonic
    inbox = CoreInbox(executor)
    var random = RandomSource().bits
    var replicaConfiguration = ReplicaConfiguration()
    replicaConfiguration.limits = configuration.raftLimits
    replicaConfiguration.limits.trailingEntries = configuration.trailingLogs
    replicaConfiguration.snapshotEntries = configuration.snapshotThreshold
    replicaConfiguration.duties = configuration.duties
    replicaConfiguration.stopwatch = { Clock.monotonicNanoseconds }
    replica = Replica(
      id: ServerID(opened.id), incarnation: opened.incarnation, configuration: replicaConfiguration,
      recovered: opened.recovered, state: opened.state, random: RandomSource().bits,
      at: Instant(wall: clock(), monotonic: UInt64(max(0, monotonic())), jitter: random.next()))
    self.random = random
    committed = CommittedState(opened.state.reader)
  }

  /// Begins to work; the first turn comes at once.
  func start() {
    if replica.core.membership.membership.members.isEmpty, configuration.bootstrapExpect == 1 {
      _ = bootstrap([(id, configuration.advertisedRPCAddress)])
    }
    noteMembers()
    executor.setEndOfTurn { [weak self] in self?.assumeIsolated { $0.endTurn() } ?? .max }
  }

  /// Ends timers and streams and fails what waits.
  func stop() {
    failure = ServerError(.unavailable, "the server is shutting down: ask another one, or again when it is back")
    roomSearch?.cancel()
    executor.setEndOfTurn(nil)
    failProposals()
    feeds.closeAll()
    watches.close()
    events.close()
    resumeTakeover()
  }

  private func failProposals() {
    guard let failure else { return }
    for completion in proposals.values { completion(.failure(failure)) }
    proposals = [:]
    for read in reads.values { read.completion(false) }
    reads = [:]
  }

  private func instant() -> Instant {
    Instant(wall: clock(), monotonic: UInt64(max(0, monotonic())), jitter: random.next())
  }

  // MARK: proposals

  /// Puts an entry into the log.
  /// - Returns: when it is durable and applied.
  /// - Throws: `ServerError`; but for `.uncertain` nothing has changed then.
  func propose(_ entry: LogEntry) async throws(ServerError) -> Applied {
    try await propose { _ in entry }
  }

  /// The same for an entry that depends on the state it will meet: `make` sees it with everything that is on its way.
  func propose(_ make: @Sendable (StateReader) throws(ServerError) -> LogEntry) async throws(ServerError) -> Applied {
    // An elected server needs a moment until it knows what its predecessors have promised.
    if failure == nil, replica.core.role == .leader, !replica.isLeading {
      await withCheckedContinuation { takeover.append($0) }
    }
    if let failure { throw failure }
    if let refusal = replica.proposalFailure { throw serverError(refusal) }
    let entry = try make(replica.state.reader)
    let result: Result<Applied, ServerError> = await withCheckedContinuation { continuation in
      let token = nextToken
      nextToken += 1
      proposals[token] = { continuation.resume(returning: $0) }
      replica.propose(entry, token: token, at: instant())
    }
    return try result.get()
  }

  private func serverError(_ failure: ProposalFailure) -> ServerError {
    switch failure {
    case .notLeader(let leader):
      let known = leader.map { "server \($0) leads" } ?? "no leader is elected"
      return ServerError(.notLeader, "No cluster leader: this server can't take the change, \(known)")
    case .transferring(let target):
      return ServerError(.notLeader, "No cluster leader: leadership is being handed to server \(target)")
    case .overruled:
      return ServerError(
        .notLeader, "No cluster leader: the one that took the change was replaced, and nothing came of it")
    case .busy(let bytes):
      return ServerError(
        .unavailable, "\(bytes) bytes of changes wait for a majority of the servers: try again when they are through")
    case .storage:
      let why = lastStorageError.map { "\($0)" } ?? "there is no room"
      return ServerError(.unavailable, "the server's log can't be written: \(why)")
    case .refused(let error): return ServerError(error)
    case .tooLarge(let bytes, let limit):
      return ServerError(
        .invalid, "the change takes \(bytes) bytes in the log, where one may have \(limit): make it smaller")
    case .uncertain:
      return ServerError(
        .uncertain,
        "the leader was replaced while the change was on its way: it may or may not have been made. Look before you repeat it"
      )
    }
  }

  /// Waits until nobody can have overtaken what this server knows, and it knows it.
  /// - Throws: `.notLeader` when there is no leader to ask.
  func confirmRead(_ kind: RaftCore.ReadKind) async throws(ServerError) {
    if let failure { throw failure }
    let isConfirmed = await withCheckedContinuation { continuation in
      let token = nextToken
      nextToken += 1
      reads[token] = (Clock.monotonicNanoseconds + 1_000_000_000, { continuation.resume(returning: $0) })
      replica.read(token: token, kind, at: instant())
    }
    guard isConfirmed else {
      throw ServerError(.notLeader, "No cluster leader: nobody can say whether this server's state is the newest")
    }
  }

  // MARK: turns

  private func endTurn() -> Int64 {
    for input in inbox.takeAll() { take(input) }
    let now = instant()
    if replica.nextDeadline <= now.monotonic { replica.tick(at: now) }
    let isBusy = failure == nil && !work()
    perform(replica.takeOutput())
    care()
    noteOffice()
    standing.publish(ServerStanding(replica, id: id, now: Clock.monotonicNanoseconds))
    if isBusy { return 0 }
    return nextTurn()
  }

  /// Does what the duties ask for. False when it broke off: long work is cut into turns, so that heartbeats and reads in
  /// between are not kept waiting.
  private func work() -> Bool {
    let began = Clock.monotonicNanoseconds
    while replica.work(at: instant()) {
      if Clock.monotonicNanoseconds - began > 5_000_000 { return false }
    }
    return true
  }

  private func nextTurn() -> Int64 {
    let now = Clock.monotonicNanoseconds
    var next = nextCare
    let deadline = replica.nextDeadline
    if deadline != .max { next = min(next, now + max(0, Int64(clamping: deadline) - max(0, monotonic()))) }
    for read in reads.values { next = min(next, read.until) }
    return next
  }

  private func take(_ input: CoreInput) {
    switch input {
    case .written(let number, let epoch):
      if epoch == self.epoch { replica.written(through: number, at: instant()) }
    case .writeFailed(let error, let epoch):
      if epoch == self.epoch { writeFailed(error) }
    case .roomAgain(let recovered):
      logger.info("the disk takes writes again")
      lastStorageError = nil
      replica.storageRecovered(recovered, at: instant())
    case .message(let message): replica.receive(message, at: instant())
    case .unreachable(let server): replica.unreachable(server, at: instant())
    case .entriesRead(let entries, let follower): replica.entriesRead(entries, for: follower, at: instant())
    case .pieceRead(let bytes, let snapshot, let offset, let follower):
      replica.pieceRead(bytes, of: snapshot, offset: offset, for: follower, at: instant())
    case .pieceWritten(let piece, let succeeded): replica.pieceWritten(piece, succeeded: succeeded, at: instant())
    case .installed(let snapshot, let state): replica.installed(snapshot, state: state, at: instant())
    case .snapshotTaken(let snapshot): replica.snapshotTaken(snapshot, at: instant())
    }
  }

  /// A full disk is left behind again as soon as there is room; anything else ends this server's writing until it is
  /// started anew: what a disk that failed once has on it is not known.
  private func writeFailed(_ error: StorageError) {
    logger.error("the log can't be written", ("error", "\(error)"))
    lastStorageError = error
    epoch += 1
    guard error.reason == .full else {
      failure = ServerError(.unavailable, "the server's log can't be written: \(error)")
      replica.storageFailed(because: "the server's log can't be written: \(error)", at: instant())
      failProposals()
      return
    }
    replica.storageFull(at: instant())
    roomSearch?.cancel()
    roomSearch = Task { [disk, inbox] in
      while !Task.isCancelled {
        if let recovered = await disk.lookForRoom() { return inbox.give(.roomAgain(recovered)) }
        do { try await Task.sleep(for: .milliseconds(200)) } catch { return }
      }
    }
  }

  // MARK: what comes of a turn

  private func perform(_ output: ReplicaOutput) {
    links.send(output.messages)
    for write in output.writes {
      let (number, epoch) = (write.number, epoch)
      disk.write(write) { [inbox] error in
        inbox.give(error.map { .writeFailed($0, epoch: epoch) } ?? .written(number, epoch: epoch))
      }
    }
    publish(output.publications)
    for (token, failure) in output.failures {
      proposals.removeValue(forKey: token)?(.failure(serverError(failure)))
    }
    for read in output.reads { reads.removeValue(forKey: read.token)?.completion(read.isConfirmed) }
    for task in output.tasks { perform(task) }
    if let order = output.snapshot { disk.take(order) { [inbox] in inbox.give(.snapshotTaken($0)) } }
    for event in output.events {
      switch event {
      case .membership: noteMembers()
      case .quarantined(let reason): disk.remember(damage: reason)
      default: break
      }
    }
    for notice in output.notices { logger.log(LogLevel(notice.level), notice.message) }
    let now = Clock.monotonicNanoseconds
    for (token, read) in reads where read.until <= now {
      reads[token] = nil
      read.completion(false)
    }
  }

  private func perform(_ task: Output.Task) {
    switch task {
    case .readEntries(let index, let bytes, let follower):
      disk.readEntries(from: index, bytes: bytes) { [inbox] in inbox.give(.entriesRead($0, for: follower)) }
    case .readPiece(let snapshot, let offset, let count, let follower):
      disk.readPiece(of: snapshot, offset: offset, count: count) { [inbox] in
        inbox.give(.pieceRead($0, of: snapshot, offset: offset, for: follower))
      }
    case .writePiece(let piece): disk.writePiece(piece) { [inbox] in inbox.give(.pieceWritten(piece, $0)) }
    case .install(let snapshot): disk.install(snapshot) { [inbox] in inbox.give(.installed(snapshot, $0)) }
    case .compact(let position): disk.compact(through: position)
    }
  }

  private func publish(_ publications: [Publication]) {
    guard !publications.isEmpty else { return }
    committed.publish(replica.committed)
    for publication in publications {
      switch publication {
      case .applied(let applied):
        feeds.publish(applied.changes)
        watches.wake(applied.changes.watchKeys)
        events.publish(applied.changes)
        guard let token = applied.token, let completion = proposals.removeValue(forKey: token) else { continue }
        completion(
          .success(Applied(index: applied.reader.index, changes: applied.changes, reader: applied.reader)))
      case .replaced:
        // Whoever follows changes has missed some: it begins anew.
        feeds.closeAll()
        events.dropFollowers()
        watches.wakeAll()
      }
    }
  }

  /// What becomes different with the office.
  private func noteOffice() {
    if replica.core.role != .leader || replica.isLeading { resumeTakeover() }
    guard replica.isLeading != wasLeading else { return }
    wasLeading = replica.isLeading
    autopilot = Autopilot()
    removed = []
    guard wasLeading else { return }
    // A cluster that is new takes what is configured.
    if replica.state.reader.autopilotConfiguration.modifyIndex == 0,
      let configured = configuration.autopilotConfiguration
    {
      var payload = AutopilotConfigurationUpdate()
      payload.configuration = configured
      payload.expectedIndex = 0
      replica.propose(.autopilotConfiguration(payload), token: 0, at: instant())
      executor.wake()
    }
    guard replica.state.reader.schedulerConfiguration.modifyIndex == 0,
      let configured = configuration.schedulerConfiguration
    else { return }
    var payload = SchedulerConfigurationUpdate()
    payload.configuration = configured
    if configured.schedulerAlgorithm.isEmpty { payload.configuration.schedulerAlgorithm = "binpack" }
    payload.expectedIndex = 0
    replica.propose(.schedulerConfiguration(payload), token: 0, at: instant())
    executor.wake()
  }

  private func resumeTakeover() {
    for continuation in takeover { continuation.resume() }
    takeover = []
  }

  /// `Replica.snapshotOrder`.
  func snapshotOrder() -> SnapshotOrder { replica.snapshotOrder }

  // MARK: the members

  /// Tells the links whom there is to talk to.
  private func noteMembers() {
    let members = replica.core.membership.membership.members
    links.setMembers(
      Dictionary(
        members.filter { $0.id != replica.id }.map { ($0.id, MemberAddress($0.address).address) },
        uniquingKeysWith: { first, _ in first }))
    if members.count > 1 { nextCare = min(nextCare, Clock.monotonicNanoseconds) }
  }

  /// Gossip knows another server, or knows it otherwise than before.
  func poolChanged() {
    nextCare = Clock.monotonicNanoseconds
    executor.wake()
  }

  /// As a leader, keeps the members in step with what gossip knows.
  private func care() {
    let now = Clock.monotonicNanoseconds
    guard now >= nextCare else { return }
    nextCare = links.pool.isEmpty && replica.core.membership.membership.members.count < 2 ? .max : now + 500_000_000
    guard replica.isLeading else { return }
    let decision = autopilot.next(
      membership: replica.core.membership.membership, isChanging: !replica.core.isMembershipSettled, leader: replica.id,
      progress: replica.core.progress, last: replica.core.last.index, servers: autopilotServers(),
      configuration: replica.state.reader.autopilotConfiguration, now: UInt64(now))
    guard let decision else { return }
    logger.info(decision.reason)
    if case .failure(let refusal) = replica.changeMembership(to: decision.membership, at: instant()) {
      logger.warn("the members could not be changed", ("error", "\(refusal)"))
    }
    executor.wake()
  }

  /// The clock that `autopilotHealth` counts on.
  nonisolated var monotonicNow: Int64 { Clock.monotonicNanoseconds }

  /// How healthy the members are; nil on a server that does not lead.
  func autopilotHealth() -> [AutopilotHealth]? {
    guard replica.isLeading else { return nil }
    return autopilot.health(
      membership: replica.core.membership.membership, leader: replica.id, progress: replica.core.progress,
      last: replica.core.last.index, servers: autopilotServers(),
      configuration: replica.state.reader.autopilotConfiguration, now: UInt64(Clock.monotonicNanoseconds))
  }

  /// Members that an operator took out: they stay out until this server leads anew, also while they still run.
  private var removed: Set<ServerID> = []

  private func autopilotServers() -> [AutopilotServer] {
    links.autopilotServers().map { server in
      var server = server
      if removed.contains(server.id) { server.mayJoin = false }
      return server
    }
  }

  /// Makes the first entry of a new cluster of these servers. Nil when it is made, else why not.
  func bootstrap(_ servers: [(id: Identifier, address: String)]) -> String? {
    let members = servers.map { server in
      Member(id: ServerID(server.id), address: MemberAddress(server.address, server.id).text, role: .voter)
    }
    defer { executor.wake() }
    switch replica.bootstrap(Membership(members), at: instant()) {
    case .success: return nil
    case .failure(let refusal): return "\(refusal)"
    }
  }

  /// Whether this server has no part in any cluster yet.
  var isBlank: Bool { replica.core.membership.membership.members.isEmpty && replica.core.last.index == 0 }

  /// Takes a member out.
  func removeMember(_ member: ServerID) throws(ServerError) {
    let current = replica.core.membership.membership
    guard current.member(member) != nil else {
      throw ServerError(.notFound, "there is no such peer: see `serai operator raft list-peers`")
    }
    try change(Membership(current.members.filter { $0.id != member }))
    removed.insert(member)
  }

  private func change(_ membership: Membership) throws(ServerError) {
    if let refusal = replica.proposalFailure { throw serverError(refusal) }
    defer { executor.wake() }
    if case .failure(let refusal) = replica.changeMembership(to: membership, at: instant()) {
      switch refusal {
      case .invalid(let why): throw ServerError(.conflict, why)
      default: throw ServerError(.unavailable, "the members can't be changed now: \(refusal)")
      }
    }
  }

  /// Hands leadership on; nil for the voter that is furthest.
  /// - Returns: to whom.
  func transferLeadership(to target: ServerID?) throws(ServerError) -> ServerID {
    defer { executor.wake() }
    switch replica.transferLeadership(to: target, at: instant()) {
    case .success(let chosen): return chosen
    case .failure(.invalid(let why)): throw ServerError(.invalid, why)
    case .failure(let refusal): throw ServerError(.notLeader, "No cluster leader: \(refusal)")
    }
  }

  // MARK: nodes

  /// Counts a client as heard of. Returns the time to live it is given.
  func heartbeat(_ node: Identifier) throws(ServerError) -> Nanoseconds {
    guard let ttl = replica.beat(node, at: instant()) else {
      throw serverError(.notLeader(replica.core.leader))
    }
    return ttl
  }

  /// The state with everything on its way.
  var current: StateReader { replica.state.reader }

  /// The node as it is with everything on its way.
  func node(_ id: Identifier) -> Node? { replica.state.reader.node(id)?.value }

  /// Opens a node's stream: what it has now, and everything that changes from then on.
  func openFeed(_ node: Identifier) -> (reader: StateReader, token: UInt64, stream: AsyncStream<NodeFeeds.Delta>) {
    let (token, stream) = feeds.open(node)
    return (committed.reader, token, stream)
  }

  /// Closes what `openFeed` opened.
  func closeFeed(_ node: Identifier, token: UInt64) { feeds.close(node, token: token) }

  /// Removes everything that nothing refers to any more, whatever its age.
  func collectGarbage() async throws(ServerError) {
    replica.forceGarbageCollection()
    while !work() { await Task.yield() }
    // Whatever the round proposed is durable when an entry behind it is.
    _ = try await propose(.noOperation)
  }

  /// What keeps a job's groups from being placed; nil if there is no such job.
  func explain(_ key: JobKey) -> JobWhyResponse? {
    PlacementExplanation.explain(key, state: replica.state.reader, columns: replica.state.columns)
  }

  /// What registering `job` would do, without doing it.
  func plan(_ request: JobPlanRequest, _ job: Job) throws(ServerError) -> JobPlanResponse {
    try dryRun(job, request, on: replica.state, now: clock())
  }
}

/// The state that is durable, shared with everyone who reads.
final class CommittedState: Sendable {
  private let current: Mutex<StateReader>

  init(_ reader: StateReader) { current = Mutex(reader) }

  var reader: StateReader { current.withLock { $0 } }

  func publish(_ reader: StateReader) { current.withLock { $0 = reader } }
}

extension LogLevel {
  init(_ level: Notice.Level) {
    switch level {
    case .info: self = .info
    case .warning: self = .warn
    case .error: self = .error
    }
  }
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
