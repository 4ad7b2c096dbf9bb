internal import Codec

/// Which directories of ended allocations go. Pure.
enum GarbageCollection {
  /// An ended allocation that this client still keeps.
  struct Candidate: Equatable, Sendable {
    var id: Identifier
    var finishedAt: Timestamp
  }

  /// How full the file system of the allocation directories is.
  struct Fullness: Equatable, Sendable {
    var diskPercent: Double
    var inodePercent: Double
  }

  /// The allocations to delete now: the longest ended first, as many as are too many, and one more when the disk is too
  /// full (the next look, after it has gone, decides about another).
  static func victims(
    _ candidates: [Candidate], total: Int, fullness: Fullness?, limits: ClientConfiguration.GarbageCollection
  ) -> [Identifier] {
    let oldestFirst = candidates.sorted { ($0.finishedAt, $0.id) < ($1.finishedAt, $1.id) }
    var count = min(max(total - limits.maxAllocations, 0), candidates.count)
    if let fullness, count == 0,
      fullness.diskPercent > limits.diskUsageThreshold || fullness.inodePercent > limits.inodeUsageThreshold
    {
      count = 1
    }
    return oldestFirst.prefix(count).map(\.id)
  }
}
