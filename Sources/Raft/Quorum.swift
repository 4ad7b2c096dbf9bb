/// Majorities of one configuration and of two at once.
///
/// Values are asked for by the voter's place in a list, so that the caller need not build one; with at most a handful of
/// voters counting is faster than sorting.
public enum Quorum {
  /// How a vote stands.
  public enum Verdict: Hashable, Sendable {
    case won
    case lost
    /// Neither side has a majority yet.
    case open
  }

  /// The highest value that a majority of `count` voters has reached. Without voters everything is reached
  /// (`UInt64.max`), so that the empty half of a configuration that is not joint never holds anything back.
  /// - Parameter value: what the voter at a place has reached; 0 when nothing is known of it.
  @inlinable
  public static func reached(count: Int, value: (Int) -> UInt64) -> UInt64 {
    guard count > 0 else { return .max }
    let majority = count / 2 + 1
    var best: UInt64 = 0
    for place in 0..<count {
      let candidate = value(place)
      guard candidate > best else { continue }
      var supporters = 0
      for other in 0..<count where value(other) >= candidate { supporters += 1 }
      if supporters >= majority { best = candidate }
    }
    return best
  }

  /// How `count` voters decide. Without voters the vote is won.
  /// - Parameter vote: the vote of the voter at a place; nil when it has not answered.
  @inlinable
  public static func verdict(count: Int, vote: (Int) -> Bool?) -> Verdict {
    guard count > 0 else { return .won }
    let majority = count / 2 + 1
    var granted = 0
    var missing = 0
    for place in 0..<count {
      switch vote(place) {
      case true?: granted += 1
      case nil: missing += 1
      case false?: break
      }
    }
    if granted >= majority { return .won }
    return granted + missing >= majority ? .open : .lost
  }

  /// The highest value reached in both configurations of a joint one (dissertation §4.3).
  public static func reached(_ incoming: [ServerID], _ outgoing: [ServerID], value: (ServerID) -> UInt64) -> UInt64 {
    min(
      reached(count: incoming.count) { value(incoming[$0]) }, reached(count: outgoing.count) { value(outgoing[$0]) })
  }

  /// A vote in both configurations of a joint one: won when both are, lost when one is.
  public static func verdict(_ incoming: [ServerID], _ outgoing: [ServerID], vote: (ServerID) -> Bool?) -> Verdict {
    let first = verdict(count: incoming.count) { vote(incoming[$0]) }
    let second = verdict(count: outgoing.count) { vote(outgoing[$0]) }
    if first == .lost || second == .lost { return .lost }
    return first == .won && second == .won ? .won : .open
  }
}
