/// A host's clocks: one that never goes back but drifts and jumps ahead, and one that people set.
struct SimulatedClock {
  /// The steady clock shows `base` at `realBase`, then goes at its own speed.
  private var base: UInt64
  private var realBase: UInt64 = 0
  private var drift = 0
  /// The wall clock beside the real time, nanoseconds.
  private(set) var wallError: Int64 = 0

  /// 2026-11-30, for wall clocks.
  private static let beginning: Int64 = 1_796_000_000_000_000_000

  init(base: UInt64) { self.base = base }

  func monotonic(_ real: UInt64) -> UInt64 {
    let passed = real - realBase
    let skew = Int64(passed / 1_000_000) * Int64(drift) + Int64(passed % 1_000_000) * Int64(drift) / 1_000_000
    return base &+ passed &+ UInt64(bitPattern: skew)
  }

  func wall(_ real: UInt64) -> Int64 { Self.wall(real, error: wallError) }

  /// What a wall clock shows that is wrong by so much.
  static func wall(_ real: UInt64, error: Int64) -> Int64 { beginning + Int64(real) + error }

  /// When the steady clock will show `local`, not before `real`.
  func real(of local: UInt64, from real: UInt64) -> UInt64 {
    let shown = monotonic(real)
    guard local > shown else { return real }
    let left = local - shown
    return real + left * 1_000_000 / UInt64(1_000_000 + drift) + 1
  }

  mutating func setDrift(_ millionths: Int, at real: UInt64) {
    base = monotonic(real)
    realBase = real
    drift = millionths
  }

  mutating func jump(by amount: UInt64, at real: UInt64) {
    setDrift(drift, at: real)
    base += amount
  }

  mutating func setWall(error: Int64) { wallError = error }
}
