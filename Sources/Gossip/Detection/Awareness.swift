/// How well this member itself does: 0 is well. One that answers late or misses answers that were sent suspects itself
/// before others, by waiting longer (Lifeguard §IV-A, "LHA-Probe").
struct Awareness: Sendable {
  private(set) var score = 0
  private let worst: Int

  /// - Parameter levels: 0 switches it off.
  init(levels: Int) { worst = max(0, levels - 1) }

  mutating func apply(_ change: Int) { score = min(worst, max(0, score + change)) }

  func scale(_ nanoseconds: UInt64) -> UInt64 { nanoseconds * UInt64(score + 1) }
}
