/// What a simulator must make happen to have tried anything. Counted where it takes effect, not where it is ordered: a
/// fault that nobody notices has tested nothing.
public enum Occurrence: Int, CaseIterable, Sendable {
  case crash
  case leaderCrash
  /// The process ended after some of the outputs of one call and before others.
  case crashBetweenOutputs
  /// Work that was handed to the disk was not there after a crash.
  case unsyncedLost
  /// Work that was never reported as done was there after a crash.
  case unsyncedKept
  case tornWrite
  case messageLost
  case messageDoubled
  case messageLate
  /// Lost between two servers that can't reach each other at all.
  case messageCut
  /// Lost while the other way works.
  case messageCutOneWay
  case slowSync
  case diskFull
  case diskRecovered
  /// Something came for a process that was stopped by a signal.
  case heldByPause
  case clockDrift
  case clockJump
  case leadershipTransfer
  case membershipChange
  case jointMembership
  case learner
  case leaderRemoved
  case snapshotTaken
  case snapshotInstalled
  /// A process began with a snapshot of its disk.
  case snapshotRestored
  case quarantine
  case logTruncated
  /// A follower was so far behind that its entries came from the disk.
  case entriesReadFromDisk
  case readByRound
  case readByLease
  case readAtFollower
  /// A client was told that nobody knows.
  case unknownOutcome
  case machineKilled
  case agentKilled
  case taskFailed
  case wallClockSet

  /// What only a cluster with worker nodes has.
  public var isOfClusters: Bool { rawValue >= Occurrence.machineKilled.rawValue }
}

/// How often each of them happened.
public struct Coverage: Sendable {
  private var counts = [Int](repeating: 0, count: Occurrence.allCases.count)

  /// Nothing yet.
  public init() {}

  /// How often something happened.
  public subscript(_ what: Occurrence) -> Int { counts[what.rawValue] }

  /// What never happened although it can.
  public func missing(fromClusters: Bool) -> [Occurrence] {
    Occurrence.allCases.filter { self[$0] == 0 && (fromClusters || !$0.isOfClusters) }
  }

  mutating func note(_ what: Occurrence) { counts[what.rawValue] += 1 }

  /// Adds another run's.
  public mutating func add(_ other: Coverage) { for place in counts.indices { counts[place] += other.counts[place] } }
}
