public import Raft
public import State

/// What the host has to do after a call. The kinds do not wait for each other; within one, the order counts.
public struct ReplicaOutput: Sendable {
  /// To be sent; each may be lost, delayed, doubled or reordered.
  public var messages: [Message] = []
  /// To be made durable as soon as possible, in this order; several in one transaction. Then `Replica.written`, or
  /// `storageFull` when there is no room.
  public var writes: [Output.Write] = []
  /// Work on log and stored snapshots; each case says with which call it ends.
  public var tasks: [Output.Task] = []
  /// What became of the state that others may see, in this order.
  public var publications: [Publication] = []
  /// Proposals that came to nothing or may have, by their token. Those that are committed are among the publications.
  public var failures: [(token: UInt64, failure: ProposalFailure)] = []
  /// Reads that can be answered: from `Replica.committed`, now or later.
  public var reads: [ReadAnswer] = []
  /// The state to take a snapshot of, when one is due: `Replica.snapshotTaken`.
  public var snapshot: SnapshotOrder?
  /// What happened, for whoever watches.
  public var events: [Output.Event] = []
  /// What a person should read in the log.
  public var notices: [Notice] = []

  /// Nothing to do.
  public init() {}

  /// Whether there is nothing to do.
  public var isEmpty: Bool {
    messages.isEmpty && writes.isEmpty && tasks.isEmpty && publications.isEmpty && failures.isEmpty && reads.isEmpty
      && snapshot == nil && events.isEmpty && notices.isEmpty
  }
}

/// A step of the state that is on a majority's disks.
public enum Publication: Sendable {
  /// One entry was committed.
  case applied(Applied)
  /// The whole state was replaced, by a newer one of another server or by that of a snapshot: whoever follows changes
  /// begins anew.
  case replaced(StateReader)
}

/// A committed entry and what it did.
public struct Applied: Sendable {
  /// Where it is in the log.
  public let position: Position
  /// What it changed.
  public let changes: Changes
  /// The state as of the entry.
  public let reader: StateReader
  /// What the proposer gave with it; nil when it was not proposed here.
  public let token: UInt64?
}

/// What came of `Replica.read`.
public struct ReadAnswer: Sendable {
  /// The caller's.
  public let token: UInt64
  /// False: there is no leader to ask. To ask again does no harm.
  public let isConfirmed: Bool
}

/// A snapshot that is due.
public struct SnapshotOrder: Sendable {
  /// The last entry that it contains.
  public let position: Position
  /// The state as of that entry.
  public let reader: StateReader
  /// The configuration as of that entry.
  public let membership: Membership
  /// The index of the entry that made the configuration.
  public let membershipIndex: UInt64

  /// See the fields.
  public init(position: Position, reader: StateReader, membership: Membership, membershipIndex: UInt64) {
    self.position = position
    self.reader = reader
    self.membership = membership
    self.membershipIndex = membershipIndex
  }
}

/// One line for the log.
public struct Notice: Sendable {
  /// How much it matters.
  public enum Level: Sendable {
    case info, warning, error
  }

  /// How much it matters.
  public let level: Level
  /// What happened.
  public let message: String

  init(_ level: Level, _ message: String) {
    self.level = level
    self.message = message
  }
}
