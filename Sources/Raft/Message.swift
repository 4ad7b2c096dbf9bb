/// What one server's core tells another's.
public struct Message: Hashable, Sendable {
  /// Who sends it.
  public var from: ServerID
  /// Who is to get it.
  public var to: ServerID
  /// The sender's term.
  public var term: UInt64
  /// Which start of the sender this is; see `Incarnation`.
  public var incarnation: Incarnation
  /// The content.
  public var body: Body

  /// What a message can say.
  public enum Body: Hashable, Sendable {
    /// "Would you vote for me in `term`?" Changes nothing anywhere (dissertation §9.6).
    case preVote(term: UInt64, last: Position)
    case preVoteReply(term: UInt64, granted: Bool)
    /// RequestVote (§3.4). `isTransfer`: the leader asked for this election, so its lease does not stand against it (§4.2.3).
    case vote(last: Position, isTransfer: Bool)
    case voteReply(granted: Bool)
    /// AppendEntries (§3.5); without entries a heartbeat.
    case append(Append)
    case appendReply(AppendReply)
    /// InstallSnapshot (§5.3), a piece at a time.
    case snapshot(SnapshotPiece)
    /// How far the receiver has the snapshot on its disk.
    case snapshotReply(Snapshot, received: UInt64)
    /// "Hold an election now" (§3.10).
    case timeoutNow
    /// A follower asks for a read index (§6.4).
    case readIndex(id: UInt64)
    /// The index that the follower must have applied before it answers; nil when the leader can't say.
    case readIndexReply(id: UInt64, index: UInt64?)
    /// To a server whose disk is older than what it once said: which of its starts the sender has seen.
    case regressed(said: Incarnation, seen: Incarnation)
  }

  /// Made by the core; the shell makes one only when it has read it from the wire.
  public init(from: ServerID, to: ServerID, term: UInt64, incarnation: Incarnation, body: Body) {
    self.from = from
    self.to = to
    self.term = term
    self.incarnation = incarnation
    self.body = body
  }
}

/// Which start of a server a message comes from: a count kept on its disk, and bits drawn at the start.
///
/// A server that comes back with an older disk repeats a count that others have seen already; the drawn bits tell it
/// from the start that had the count first. It has forgotten votes and entries that it acknowledged, so counting on it
/// could undo what was committed (dissertation §3.8: term, vote and log must survive).
public struct Incarnation: Hashable, Sendable {
  /// How often the server has been started, this time included.
  public var count: UInt64
  /// Drawn at this start.
  public var bits: UInt64

  /// The `count`th start.
  public init(count: UInt64, bits: UInt64) {
    self.count = count
    self.bits = bits
  }
}

/// AppendEntries without its header.
public struct Append: Hashable, Sendable {
  /// The place before the first of `entries`, which the follower must have.
  public var previous: Position
  /// Contiguous from `previous.index + 1`.
  public var entries: [Entry]
  /// The leader's commit index.
  public var commit: UInt64
  /// Counts up each time the leader asks whether it still leads; comes back in the reply (§6.4).
  public var round: UInt64
  /// The leader's clock at sending, in its nanoseconds; comes back in the reply (§6.4.1).
  public var sent: UInt64

  /// See the fields.
  public init(previous: Position, entries: [Entry], commit: UInt64, round: UInt64, sent: UInt64) {
    self.previous = previous
    self.entries = entries
    self.commit = commit
    self.round = round
    self.sent = sent
  }
}

/// The answer to `Append`.
public struct AppendReply: Hashable, Sendable {
  /// What became of the entries.
  public enum Outcome: Hashable, Sendable {
    /// The follower's log equals the leader's up to here, and that is on its disk.
    case matched(index: UInt64)
    /// The follower lacks the entry at `previous`, or has another there. `hint`: the last place up to `previous` where its
    /// log can equal one that has `previous` (§3.5, footnote on faster backing up; the term lets the leader skip whole terms).
    case mismatched(previous: UInt64, hint: Position)
  }

  /// What became of the entries.
  public var outcome: Outcome
  /// `Append.round`.
  public var round: UInt64
  /// `Append.sent`.
  public var sent: UInt64

  /// See the fields.
  public init(outcome: Outcome, round: UInt64, sent: UInt64) {
    self.outcome = outcome
    self.round = round
    self.sent = sent
  }
}

/// What a snapshot is; its bytes are the shell's.
public struct Snapshot: Hashable, Sendable {
  /// The last entry that it contains.
  public var position: Position
  /// The configuration as of that entry.
  public var membership: Membership
  /// The index of the entry that made the configuration.
  public var membershipIndex: UInt64
  /// Its size in bytes.
  public var size: UInt64
  /// Over its bytes: two snapshots of one place made by two servers are told apart, so that pieces are never mixed.
  public var checksum: UInt64

  /// See the fields.
  public init(position: Position, membership: Membership, membershipIndex: UInt64, size: UInt64, checksum: UInt64) {
    self.position = position
    self.membership = membership
    self.membershipIndex = membershipIndex
    self.size = size
    self.checksum = checksum
  }
}

/// A piece of a snapshot on its way.
public struct SnapshotPiece: Hashable, Sendable {
  /// Of which snapshot.
  public var snapshot: Snapshot
  /// Where the piece begins.
  public var offset: UInt64
  /// Its bytes; may be none in an empty snapshot.
  public var bytes: [UInt8]
  /// As in `Append`.
  public var round: UInt64
  /// As in `Append`.
  public var sent: UInt64

  /// See the fields.
  public init(snapshot: Snapshot, offset: UInt64, bytes: [UInt8], round: UInt64, sent: UInt64) {
    self.snapshot = snapshot
    self.offset = offset
    self.bytes = bytes
    self.round = round
    self.sent = sent
  }
}
