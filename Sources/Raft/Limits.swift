/// Timing and budgets. Times are nanoseconds of the clock that the inputs carry.
public struct Limits: Sendable {
  /// A follower that heard nothing for this long, and up to as long again, stands for election; a leader without a
  /// majority's answers for this long steps down; nobody votes against a leader heard of within it (dissertation §3.4,
  /// §4.2.3, §6.2). Should be ten times a round trip and sync, at least.
  public var electionTimeout: UInt64 = 250_000_000
  /// How often a leader is heard of. Should leave room for two lost ones within `electionTimeout`.
  public var heartbeatInterval: UInt64 = 50_000_000
  /// By how much, in thousandths, two servers' clocks may differ in speed; the lease is shorter by it (§6.4.1).
  public var clockDrift: UInt64 = 100
  /// The bytes of entries that go into one request.
  public var requestBytes = 512 << 10
  /// The requests that a follower may have unanswered.
  public var inflightRequests = 128
  /// … and their bytes: what a slow follower can hold of the leader's memory.
  public var inflightBytes = 4 << 20
  /// The bytes of proposals that may wait for commitment; more are refused.
  public var uncommittedBytes = 64 << 20
  /// The bytes of entries kept in memory although they are on disk, for followers that are a little behind.
  public var cachedBytes = 16 << 20
  /// The bytes of a snapshot that go into one message.
  public var pieceBytes: UInt64 = 256 << 10
  /// The entries kept in the log behind a snapshot, so that a follower a little behind does not need one.
  public var trailingEntries: UInt64 = 10_240
  /// The reads that may wait for their round; more are refused.
  public var waitingReads = 100_000

  /// The defaults.
  public init() {}

  /// How long after sending a request that a majority answered a leader may answer reads alone.
  var lease: UInt64 { electionTimeout - electionTimeout * clockDrift / 1000 }
}
