public import Codec
public import Raft
public import Scheduler
public import State

/// What one server is without its clock, disk and network: consensus, the replicated state, and a leader's duties.
///
/// A synchronous machine without a clock, randomness or I/O. A host drives it like this:
///
/// 1. It makes one from what is on disk: `RaftCore.Recovered`, and the state as of the recovered snapshot (`State()`
///    without one). Entries behind the snapshot are applied once a leader says that they are committed, not before.
/// 2. It calls an input for everything that happens, each with the `Instant`. One input after the other, from one thread.
/// 3. After one or several inputs it calls `work` until that returns false (or breaks off to look after something else
///    first), then `takeOutput`, and does what the output says. All entries that were made between two calls of
///    `takeOutput` share one write and one message to each follower.
/// 4. Not later than `nextDeadline` it calls `tick`.
///
/// On a leader `state` is ahead of the log: every proposal is applied to it at once, so the next one, and the scheduler,
/// see it (a plan can't conflict). `committed`, which is what others may see, follows as entries come to be on a
/// majority's disks; nothing is applied twice. A leader that loses its office rewinds `state` to `committed`, and its
/// proposals wait until the next leader's log shows what became of them.
///
/// A new leader applies everything of earlier terms first (`isLeading` says when it has), and only then takes proposals and
/// begins its duties, from the state: nodes get a whole time to live, evaluations and deployments go on where they were.
public struct Replica: Sendable {
  /// As given.
  public let configuration: ReplicaConfiguration
  /// The part that agrees with other servers; for looking.
  public internal(set) var core: RaftCore
  /// On a leader with every proposal that is on its way; else as `committed`.
  public internal(set) var state: State
  /// The state that is on a majority's disks.
  public internal(set) var committed: StateReader
  /// The last entry that `committed` contains. Its index may be greater than `committed.index`, as entries of the
  /// consensus change no state.
  public internal(set) var applied: Position

  var duties: Duties
  /// The term in which this server leads and has begun its duties.
  var leadingTerm: UInt64?
  /// What is applied ahead, oldest first: `pending[settled...]`.
  var pending: [Pending] = []
  var settled = 0
  /// Entries of `pending` that the core does not have yet: the newest ones.
  var unproposed: [Proposal] = []
  var unproposedBytes = 0
  /// Proposals of a lost office, oldest first.
  var undecided: [Undecided] = []
  var undecidedUntil: UInt64 = .max
  /// The token of a proposal of a lost office that is being committed after all.
  var decidedToken: UInt64?
  /// Reads that wait until the state has their index.
  var waitingReads: [(index: UInt64, token: UInt64)] = []
  /// What both clocks said at the last input.
  var last: Instant
  var lastSnapshot: UInt64
  var bytesSinceSnapshot = 0
  var isTakingSnapshot = false
  /// Why this server can't apply what is committed; it takes no part any more.
  public internal(set) var halt: String?
  var output = ReplicaOutput()

  struct Pending: Sendable {
    let position: Position
    let changes: Changes
    let reader: StateReader
    let token: UInt64?
  }

  struct Undecided: Sendable {
    let position: Position
    let token: UInt64
  }

  /// Starts with what was on disk.
  /// - Parameters:
  ///   - state: as of `recovered.snapshot`; the empty one without a snapshot.
  ///   - random: for the identifiers that duties draw.
  public init(
    id: ServerID, incarnation: Incarnation, configuration: ReplicaConfiguration, recovered: RaftCore.Recovered,
    state: State, random: RandomBits, at instant: Instant
  ) {
    self.configuration = configuration
    self.state = state
    committed = state.reader
    applied = recovered.snapshot?.position ?? recovered.base
    duties = Duties(configuration: configuration.duties, random: random)
    last = instant
    lastSnapshot = applied.index
    core = RaftCore(
      id: id, incarnation: incarnation, limits: configuration.limits, recovered: recovered, now: instant.monotonic,
      jitter: instant.jitter)
    absorb()
  }

  // MARK: looking

  /// This server.
  public var id: ServerID { core.id }

  /// Whether this server leads, has everything of earlier terms applied, and does its duties.
  public var isLeading: Bool { leadingTerm != nil }

  /// Why a proposal would not be taken now; nil when it would be.
  public var proposalFailure: ProposalFailure? {
    switch core.proposalRefusal {
    case nil: return isLeading ? nil : .notLeader(core.id)
    case .notLeader(nil)? where core.isStorageFull: return .storage
    case .notLeader(let leader)?: return .notLeader(leader)
    case .transferring(let target)?: return .transferring(to: target)
    case .busy(let bytes)?: return .busy(bytes: bytes)
    case .storage?: return .storage
    case .invalid?: return .notLeader(core.leader)
    }
  }

  /// When `tick` is to be called at the latest, on the monotonic clock; `.max` for never.
  public var nextDeadline: UInt64 {
    var deadline = min(core.nextDeadline, undecidedUntil)
    if isLeading, let due = duties.nextDeadline {
      // The wall clock may be set while nothing happens here: look again soon.
      let wait = min(max(0, (due - last.wall).count), 10_000_000_000)
      deadline = min(deadline, last.monotonic &+ UInt64(wait))
    }
    return deadline
  }

  /// What there is to do since the last call.
  public mutating func takeOutput() -> ReplicaOutput {
    flush()
    var taken = ReplicaOutput()
    swap(&taken, &output)
    return taken
  }

  /// A snapshot of what is committed now, for whoever wants one beside those that are due.
  public var snapshotOrder: SnapshotOrder {
    let (index, membership) = core.membership(at: applied.index) ?? (0, .none)
    return SnapshotOrder(position: applied, reader: committed, membership: membership, membershipIndex: index)
  }

  // MARK: inputs

  /// Time has passed.
  public mutating func tick(at instant: Instant) {
    enter(instant)
    flush()
    core.tick(now: instant.monotonic, jitter: instant.jitter)
    if instant.monotonic >= undecidedUntil { giveUpUndecided(.uncertain) }
    absorb()
  }

  /// Does one thing that a leader does of its own accord. False when there is nothing to do until the next input.
  public mutating func work(at instant: Instant) -> Bool {
    enter(instant)
    guard isLeading, core.proposalRefusal == nil,
      let action = duties.next(state, now: instant.wall, stopwatch: configuration.stopwatch)
    else { return false }
    switch action {
    case .propose(let entry):
      if let failure = enqueue(entry, token: nil, at: instant) {
        output.notices.append(Notice(.warning, "a change of the server's own was refused: \(failure)"))
      }
    case .notice(let notice): output.notices.append(notice)
    }
    return true
  }

  /// A message arrived.
  public mutating func receive(_ message: Message, at instant: Instant) {
    enter(instant)
    flush()
    core.receive(message, now: instant.monotonic, jitter: instant.jitter)
    absorb()
  }

  /// The connection to a server broke: what was on its way is probably lost.
  public mutating func unreachable(_ server: ServerID, at instant: Instant) {
    enter(instant)
    flush()
    core.unreachable(server, now: instant.monotonic, jitter: instant.jitter)
    absorb()
  }

  /// Somebody wants an entry in the log. What becomes of it comes with the token: a publication when it is committed, or
  /// a failure.
  public mutating func propose(_ entry: LogEntry, token: UInt64, at instant: Instant) {
    enter(instant)
    if let failure = enqueue(entry, token: token, at: instant) { output.failures.append((token, failure)) }
  }

  /// Somebody wants to read what nobody can have overtaken; the answer comes in `ReplicaOutput.reads`.
  public mutating func read(token: UInt64, _ kind: RaftCore.ReadKind, at instant: Instant) {
    enter(instant)
    flush()
    core.read(id: token, kind, now: instant.monotonic, jitter: instant.jitter)
    absorb()
  }

  /// A client was heard of.
  /// - Returns: the time within which it is expected again; nil when this server does not lead.
  public mutating func beat(_ node: Identifier, at instant: Instant) -> Nanoseconds? {
    enter(instant)
    guard isLeading else { return nil }
    return duties.heartbeats.beat(node, nodes: state.reader.nodes.count, now: instant.wall)
  }

  /// The next round of garbage collection is due now and takes everything, whatever its age.
  public mutating func forceGarbageCollection() { duties.garbage.force() }

  // MARK: the members

  /// Begins a change of the members: `RaftCore.changeMembership`.
  public mutating func changeMembership(to target: Membership, at instant: Instant) -> Result<UInt64, Refusal> {
    enter(instant)
    flush()
    defer { absorb() }
    return core.changeMembership(to: target, now: instant.monotonic, jitter: instant.jitter)
  }

  /// Makes the first entry of a new cluster: `RaftCore.bootstrap`.
  public mutating func bootstrap(_ membership: Membership, at instant: Instant) -> Result<Void, Refusal> {
    enter(instant)
    flush()
    defer { absorb() }
    return core.bootstrap(membership, now: instant.monotonic, jitter: instant.jitter)
  }

  /// Hands leadership on: `RaftCore.transferLeadership`.
  public mutating func transferLeadership(to target: ServerID?, at instant: Instant) -> Result<ServerID, Refusal> {
    enter(instant)
    flush()
    defer { absorb() }
    return core.transferLeadership(to: target, now: instant.monotonic, jitter: instant.jitter)
  }
}
