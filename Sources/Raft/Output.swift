/// What the shell has to do after a call of the core. The order among the kinds does not matter: what must wait for the
/// disk is held back inside the core until the shell reports the write as done.
public struct Output: Sendable {
  /// To be sent; each may be lost, delayed, doubled or reordered.
  public var messages: [Message] = []
  /// To be made durable, in this order, as soon as possible.
  public var writes: [Write] = []
  /// To be applied, in this order; follows on what the last output had, and is on this server's disk.
  public var committed: [Entry] = []
  /// Reads that can be answered, or not.
  public var reads: [ReadResult] = []
  /// Work on log and snapshots.
  public var tasks: [Task] = []
  /// What happened, for whoever watches.
  public var events: [Event] = []

  /// Nothing to do.
  public init() {}

  /// Whether there is nothing to do.
  public var isEmpty: Bool {
    messages.isEmpty && writes.isEmpty && committed.isEmpty && reads.isEmpty && tasks.isEmpty && events.isEmpty
  }

  /// One change of what is on disk. All of it or nothing.
  public struct Write: Sendable {
    /// Counts up by one from the core's start; `RaftCore.written` names the last that is done.
    public var number: UInt64
    /// Term and vote, when they changed.
    public var hardState: HardState?
    /// Remove the entries from here on first: a new leader overrules them.
    public var truncateFrom: UInt64?
    /// Then add these.
    public var entries: [Entry]
  }

  /// The answer to `RaftCore.read`.
  public struct ReadResult: Hashable, Sendable {
    /// The caller's.
    public var id: UInt64
    /// Answer from a state that has applied this index; nil: there is no leader to ask, try again.
    public var index: UInt64?
  }

  /// Work that ends in a call of the core.
  public enum Task: Hashable, Sendable {
    /// Read entries from the log for a follower, about `bytes` of them at most but at least one: `RaftCore.entriesRead`.
    case readEntries(from: UInt64, bytes: Int, for: ServerID)
    /// Read up to `count` bytes of a stored snapshot for a follower: `RaftCore.pieceRead`.
    case readPiece(Snapshot, offset: UInt64, count: UInt64, for: ServerID)
    /// Store a piece of an incoming snapshot durably: `RaftCore.pieceWritten`. At offset 0 an earlier, unfinished one goes.
    case writePiece(SnapshotPiece)
    /// All pieces are stored: check it, make the state from it and let the log begin behind it: `RaftCore.installed`.
    case install(Snapshot)
    /// Remove the log's entries up to here. Nothing to report.
    case compact(through: Position)
  }

  /// What happened.
  public enum Event: Hashable, Sendable {
    /// This server leads from now on. Entries of earlier terms are not all applied yet: `RaftCore.isSettled`.
    case elected(term: UInt64)
    /// This server does not lead any more.
    case steppedDown(term: UInt64, why: String)
    /// Who leads, as far as this server knows.
    case leader(ServerID?, term: UInt64)
    /// The configuration in use.
    case membership(Membership, index: UInt64)
    /// The configuration of this index is committed and not joint: a change has ended.
    case membershipCommitted(Membership, index: UInt64)
    /// Entries that this server proposed in its term and that are not committed are no longer its to answer for: they
    /// may be committed by another leader or be lost.
    case uncertain(after: UInt64)
    /// This server may not take part any more; see `RaftCore.quarantine`. The shell remembers it beside the log: at every
    /// later start it belongs into `RaftCore.Recovered.damage`, as what was forgotten does not come back by itself.
    case quarantined(String)
    /// This server takes no part until it is started anew: `RaftCore.withdraw`. Nothing to remember.
    case withdrawn(String)
    /// A peer's message contradicts what is committed: its disk or this one's is not what it was.
    case contradiction(String)
  }
}

/// Why a request was not taken. Nothing has changed.
public enum Refusal: Error, Hashable, Sendable {
  /// Somebody else leads, or nobody.
  case notLeader(ServerID?)
  /// Leadership is being handed over: ask the next leader.
  case transferring(to: ServerID)
  /// Too much waits for commitment; the bytes that wait.
  case busy(bytes: Int)
  /// The disk takes nothing at the moment.
  case storage
  /// The request makes no sense; why.
  case invalid(String)
}
