/// One server's part in Raft (Ongaro, "Consensus: Bridging Theory and Practice", 2014; "dissertation" below).
///
/// A synchronous machine: calls carry what happened and the time, `takeOutput` says what to do about it. No clock, no
/// randomness, no I/O. The shell calls, takes the output, sends, writes and applies, and reports what is done; it may do
/// so in any order and with any delay, except that writes become durable in their order.
///
/// - Time is a count of nanoseconds of a clock that never goes back. `jitter` is 64 random bits, a new draw each call.
/// - A leader sends entries while its own disk still syncs (§10.2.1) and counts itself only when it has (`written`).
/// - Whatever promises something (a vote, an acknowledgement, a candidacy in a new term) is held back until the disk has
///   it (§3.8); the shell need not know which messages those are.
/// - Deviation: an entry is handed out for applying when it is committed *and* on this server's own disk. The state is then
///   never ahead of the log, which keeps a server with a full disk simple.
/// - Deviation: a server that just started refuses votes for one election timeout: before its restart it may have
///   answered a leader that relies on it for a lease (§6.4.1 assumes that servers remember).
public struct RaftCore: Sendable {
  /// What part this server plays.
  public enum Role: Hashable, Sendable {
    case follower
    /// Asks whether an election would succeed (§9.6).
    case preCandidate
    case candidate
    case leader
  }

  /// What was on disk when the server started.
  public struct Recovered: Sendable {
    /// Term and vote.
    public var hardState: HardState
    /// The newest snapshot.
    public var snapshot: Snapshot?
    /// Where the log begins; at or before the snapshot's place.
    public var base: Position
    /// The entries behind `base`.
    public var entries: [Entry]
    /// Why this server must not vote: its disk is known to be older than what it has acknowledged.
    public var damage: String?

    /// See the fields; without arguments, a server that never ran.
    public init(
      hardState: HardState = HardState(), snapshot: Snapshot? = nil, base: Position = .zero, entries: [Entry] = [],
      damage: String? = nil
    ) {
      self.hardState = hardState
      self.snapshot = snapshot
      self.base = base
      self.entries = entries
      self.damage = damage
    }
  }

  /// This server.
  public let id: ServerID
  /// This start of it.
  public let incarnation: Incarnation
  /// Timing and budgets.
  public let limits: Limits

  // MARK: what the paper names

  /// The current term.
  public internal(set) var term: UInt64
  var vote: ServerID?
  /// Everything up to here is on a majority's disks.
  public internal(set) var commit: UInt64
  var log: Log

  // MARK: volatile state

  /// What part this server plays.
  public internal(set) var role = Role.follower
  /// Who leads, as far as this server knows.
  public internal(set) var leader: ServerID?
  /// The last entry handed out for applying.
  public internal(set) var delivered: UInt64
  /// The last entry on this server's disk.
  public internal(set) var durable: UInt64
  var now: UInt64
  var jitter: UInt64 = 0
  var electionDeadline: UInt64 = 0
  /// When a leader was last heard of; votes are refused for an election timeout from then.
  var leaderContact: UInt64
  var votes: [(id: ServerID, granted: Bool)] = []
  /// Why this server must not vote, stand or acknowledge: it has lost what others rely on. Nil normally.
  public internal(set) var quarantine: String?
  /// The newest start of each peer that was heard of.
  var seen: [(id: ServerID, incarnation: Incarnation)] = []

  // MARK: membership

  /// Configurations by the index of their entry, ascending; the last is in use, the first at or before `commit`.
  var memberships: [(index: UInt64, membership: Membership)]
  /// Everybody in use but ordered as in the membership; holds this server too.
  var peers: [Progress] = []
  /// This server's vote alone decides.
  var isAlone = false

  // MARK: disk

  var nextWrite: UInt64 = 1
  var writtenThrough: UInt64 = 0
  /// The last write of term and vote: nothing is said in a term before it is on disk.
  var hardStateWrite: UInt64 = 0
  /// Which index is durable when a write is done.
  var writing: [(number: UInt64, last: UInt64)] = []
  var held: [(after: UInt64, message: Message)] = []
  /// The disk refused a write: nothing is acknowledged until `storageRecovered`.
  public internal(set) var isStorageFull = false

  // MARK: leader

  var heartbeatDeadline: UInt64 = 0
  var round: UInt64 = 0
  var uncommittedBytes = 0
  /// The index of the entry that began this leader's term.
  var termStart: UInt64 = 0
  var transfer: (to: ServerID, deadline: UInt64)?
  /// Leadership was once offered in this term: the target may stand at any time, lease or not.
  var hasOfferedLeadership = false
  var reads = ReadQueue()

  // MARK: snapshots

  /// The newest stored snapshot.
  public internal(set) var snapshot: Snapshot?
  var incoming: IncomingSnapshot?

  /// The last configuration whose commitment was acted on.
  var reportedMembership: UInt64 = 0

  var output = Output()

  /// Starts with what was on disk.
  /// - Parameters:
  ///   - now: nanoseconds of a clock that never goes back.
  ///   - jitter: random bits.
  public init(
    id: ServerID, incarnation: Incarnation, limits: Limits = Limits(), recovered: Recovered, now: UInt64, jitter: UInt64
  ) {
    self.id = id
    self.incarnation = incarnation
    self.limits = limits
    self.now = now
    self.jitter = jitter
    term = recovered.hardState.term
    vote = recovered.hardState.vote
    snapshot = recovered.snapshot
    log = Log(base: recovered.base, entries: recovered.entries)
    durable = log.last
    commit = recovered.snapshot?.position.index ?? recovered.base.index
    delivered = commit
    quarantine = recovered.damage
    memberships = Self.memberships(recovered)
    // A server that never ran has promised nothing to anybody.
    leaderContact = term == 0 ? 0 : max(1, now)
    rebuildPeers()
    resetElectionTimer()
    if let quarantine { output.events.append(.quarantined(quarantine)) }
    campaignIfAlone()
  }

  private static func memberships(_ recovered: Recovered) -> [(index: UInt64, membership: Membership)] {
    var found: [(index: UInt64, membership: Membership)] = []
    if let snapshot = recovered.snapshot { found.append((snapshot.membershipIndex, snapshot.membership)) }
    for entry in recovered.entries where entry.kind == Entry.membershipKind {
      guard entry.index > found.last?.index ?? 0, let membership = Membership(decoding: entry.bytes) else { continue }
      found.append((entry.index, membership))
    }
    return found
  }

  // MARK: what others ask

  /// What there is to do since the last call.
  public mutating func takeOutput() -> Output {
    var taken = Output()
    swap(&taken, &output)
    return taken
  }

  /// When `tick` is to be called at the latest, in the nanoseconds of the calls.
  public var nextDeadline: UInt64 {
    guard role == .leader else { return electionDeadline }
    guard peers.count > 1 || !isAlone else { return .max }
    return min(heartbeatDeadline, transfer?.deadline ?? .max)
  }

  /// The configuration in use and the index of its entry.
  public var membership: (index: UInt64, membership: Membership) { memberships.last ?? (0, .none) }

  /// Whether no change of the members is going on.
  public var isMembershipSettled: Bool { !membership.membership.isJoint && membership.index <= commit }

  /// The last entry of the log.
  public var last: Position { log.lastPosition }

  /// The first entry that is not compacted away.
  public var firstIndex: UInt64 { log.first }

  /// Whether this server leads and everything of earlier terms is committed.
  public var isSettled: Bool { role == .leader && commit >= termStart }

  /// Whether this server leads and has handed out everything up to the entry that began its term: a state that has
  /// applied it is what the next proposal meets.
  public var isCaughtUp: Bool { role == .leader && delivered >= termStart }

  /// Whether this server's vote alone decides everything.
  public var decidesAlone: Bool { isAlone }

  /// How long ago, in nanoseconds, a follower heard from its leader, or a leader from a majority.
  public var sinceContact: UInt64 {
    let contact = role == .leader ? quorumContact : leaderContact
    return now > contact ? now - contact : 0
  }

  /// How far each member's log is known to equal this leader's, and how long ago it answered, in nanoseconds; empty on others.
  public var progress: [(id: ServerID, match: UInt64, sinceContact: UInt64)] {
    guard role == .leader else { return [] }
    return peers.map { ($0.id, $0.id == id ? durable : $0.match, $0.id == id ? 0 : now - min(now, $0.contact)) }
  }

  /// What this leader does for each follower, for the log of a person who looks for a fault; empty on others.
  public var replicationState: String {
    guard role == .leader else { return "" }
    return peers.filter { $0.id != id }
      .map { "\($0.id): match \($0.match) next \($0.next) \($0.mode)\($0.isProbeSent ? ", probe sent" : "")" }
      .joined(separator: "; ")
  }

  /// The term of an entry; nil when it is compacted away or not there.
  public func term(at index: UInt64) -> UInt64? { log.term(at: index) }

  /// The configuration that was in use at an index, for a snapshot of it; nil when it is too old to be known.
  public func membership(at index: UInt64) -> (index: UInt64, membership: Membership)? {
    memberships.last { $0.index <= index }
  }

  // MARK: time

  /// Time has passed.
  public mutating func tick(now: UInt64, jitter: UInt64) {
    advance(now, jitter)
    if role == .leader {
      leaderTick()
    } else if self.now >= electionDeadline {
      electionTimeout()
    }
  }

  mutating func advance(_ now: UInt64, _ jitter: UInt64) {
    self.now = max(self.now, now)
    self.jitter = jitter
  }

  /// Between one and two timeouts from now (§3.4).
  mutating func resetElectionTimer() {
    electionDeadline = now + limits.electionTimeout + jitter % max(1, limits.electionTimeout)
  }

  // MARK: messages

  /// Sends once everything that this server's words rest on is on its disk.
  mutating func send(_ body: Message.Body, to: ServerID, after write: UInt64 = 0) {
    let message = Message(from: id, to: to, term: term, incarnation: incarnation, body: body)
    let needed = max(write, hardStateWrite)
    if needed <= writtenThrough { output.messages.append(message) } else { held.append((needed, message)) }
  }

  /// A message arrived.
  public mutating func receive(_ message: Message, now: UInt64, jitter: UInt64) {
    advance(now, jitter)
    guard message.to == id, message.from != id, noteIncarnation(message) else { return }
    if message.term > term {
      switch message.body {
      case .preVote, .preVoteReply(_, granted: true), .regressed:
        // §9.6: a question about a term that may never come.
        break
      case .vote(_, isTransfer: false) where isLeaderAlive:
        // §4.2.3: whoever hears of a leader does not take part in deposing it.
        return
      case .append, .snapshot:
        follow(term: message.term, leader: message.from)
      default:
        follow(term: message.term, leader: nil)
      }
    } else if message.term < term, !answerOutdated(message) {
      return
    }
    dispatch(message)
  }

  private mutating func dispatch(_ message: Message) {
    let from = message.from
    switch message.body {
    case .preVote(let term, let last): answerPreVote(from, term: term, last: last)
    case .preVoteReply(let term, let granted): notePreVote(from, term: term, granted: granted)
    case .vote(let last, let isTransfer): answerVote(from, last: last, isTransfer: isTransfer)
    case .voteReply(let granted): noteVote(from, granted: granted)
    case .append(let request): answerAppend(from, request)
    case .appendReply(let reply): noteAppend(from, reply)
    case .snapshot(let piece): answerPiece(from, piece)
    case .snapshotReply(let snapshot, let received): notePiece(from, snapshot, received: received)
    case .timeoutNow: if role != .leader { campaign(isTransfer: true) }
    case .readIndex(let id): answerReadIndex(from, id: id)
    case .readIndexReply(let id, let index): output.reads.append(.init(id: id, index: index))
    case .regressed(let said, let seen): noteRegression(from, said: said, seen: seen)
    }
  }

  /// Whether a message of an older term is to be looked at; where its sender must learn of the newer term it is told.
  private mutating func answerOutdated(_ message: Message) -> Bool {
    switch message.body {
    case .append(let request):
      // An empty mismatch says nothing but the term.
      send(
        .appendReply(
          AppendReply(outcome: .mismatched(previous: 0, hint: .zero), round: request.round, sent: request.sent)),
        to: message.from)
      return false
    case .snapshot(let piece):
      send(.snapshotReply(piece.snapshot, received: 0), to: message.from)
      return false
    case .vote:
      send(.voteReply(granted: false), to: message.from)
      return false
    case .preVote, .preVoteReply, .regressed:
      // These carry the term that they are about.
      return true
    default:
      return false
    }
  }

  /// Takes part in a term as a follower.
  mutating func follow(term newTerm: UInt64, leader newLeader: ServerID?, why: String = "a newer term") {
    let wasLeader = role == .leader
    role = .follower
    votes = []
    if newTerm > term {
      term = newTerm
      vote = nil
      writeHardState()
    }
    if wasLeader { endLeadership(why) }
    setLeader(newLeader)
    resetElectionTimer()
  }

  mutating func setLeader(_ newLeader: ServerID?) {
    guard leader != newLeader else { return }
    leader = newLeader
    output.events.append(.leader(newLeader, term: term))
  }

  // MARK: older disks

  /// Remembers which start of a peer was heard of. False: the message is from an earlier start.
  private mutating func noteIncarnation(_ message: Message) -> Bool {
    guard let place = seen.firstIndex(where: { $0.id == message.from }) else {
      seen.append((message.from, message.incarnation))
      return true
    }
    let known = seen[place].incarnation
    if message.incarnation == known { return true }
    if message.incarnation.count > known.count {
      seen[place].incarnation = message.incarnation
      return true
    }
    // Either it was long on its way, or its sender came back with an older disk: then it will recognise itself.
    if case .regressed = message.body { return false }
    send(.regressed(said: message.incarnation, seen: known), to: message.from)
    return false
  }

  private mutating func noteRegression(_ from: ServerID, said: Incarnation, seen: Incarnation) {
    guard said == incarnation, quarantine == nil else { return }
    isolate(
      "server \(from) has heard of start \(seen.count) of this server, which is at its start \(said.count): its disk is"
        + " older than what it acknowledged. Remove this server from the cluster, empty its data directory and let it join anew"
    )
  }

  /// The host can't go on, e.g. it can't apply what was committed: this server neither votes nor leads any more, until it
  /// is started anew.
  public mutating func withdraw(because reason: String, now: UInt64, jitter: UInt64) {
    advance(now, jitter)
    guard quarantine == nil else { return }
    output.events.append(.withdrawn(reason))
    leaveOffice(reason)
  }

  /// From here on this server promises nothing: what it promised before is lost.
  mutating func isolate(_ reason: String) {
    output.events.append(.quarantined(reason))
    leaveOffice(reason)
  }

  private mutating func leaveOffice(_ reason: String) {
    quarantine = reason
    held = []
    if role != .follower { follow(term: term, leader: nil, why: reason) }
  }
}
