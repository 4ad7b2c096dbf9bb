public import Codec
public import Raft
public import State

/// When something happens, as its host tells: two clocks and random bits.
public struct Instant: Sendable {
  /// The wall clock, which may be set at any time: what entries and records are stamped with.
  public var wall: Timestamp
  /// Nanoseconds of a clock that never goes back and that nobody sets: what waiting is measured on.
  public var monotonic: UInt64
  /// 64 random bits, a new draw each time.
  public var jitter: UInt64

  /// Both clocks as they are now, and a new draw.
  public init(wall: Timestamp, monotonic: UInt64, jitter: UInt64) {
    self.wall = wall
    self.monotonic = monotonic
    self.jitter = jitter
  }
}

/// What a replica is told when it starts.
public struct ReplicaConfiguration: Sendable {
  /// Times and budgets of the consensus.
  public var limits = Limits()
  /// The leader's duties.
  public var duties = DutyConfiguration()
  /// Log entries after which a snapshot is due…
  public var snapshotEntries: UInt64 = 8192
  /// …or their bytes, whichever comes first.
  public var snapshotBytes = 64 << 20
  /// The largest entry: far above what any job or plan takes, far below what hurts a log or a follower.
  public var maximumEntryBytes = 32 << 20
  /// How long a proposal of a leader that lost its office is waited for: the next one may yet commit it.
  public var patience: UInt64 = 2_000_000_000
  /// Nanoseconds of any clock, to measure how long an evaluation took. What comes of it is recorded and decides nothing,
  /// but it is in the log: a simulation that compares logs leaves it at 0.
  public var stopwatch: @Sendable () -> Int64 = { 0 }

  /// The defaults.
  public init() {}
}

/// Why a proposal came to nothing, or may have.
public enum ProposalFailure: Error, Sendable {
  /// This server does not lead, or not yet: nothing has happened, and another server, or this one later, may take it.
  case notLeader(ServerID?)
  /// Leadership is being handed over: nothing has happened.
  case transferring(to: ServerID)
  /// Too many bytes wait for commitment: nothing has happened.
  case busy(bytes: Int)
  /// The disk is full or has failed: nothing has happened, and nothing will.
  case storage
  /// The state does not allow it: nothing has happened.
  case refused(StateError)
  /// Its entry would be too large: nothing has happened.
  case tooLarge(bytes: Int, limit: Int)
  /// It was in the log of a leader that lost its office, and another entry is in its place: it never happens. To propose
  /// it again is safe.
  case overruled
  /// It was in the log of a leader that lost its office. Nobody knows yet whether it will happen: to propose it again may
  /// make it happen twice.
  case uncertain
}
