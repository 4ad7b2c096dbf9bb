/// SplitMix64: all randomness of a simulation comes from one seed.
public struct Random: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// The sequence of a seed.
  public init(seed: UInt64) { state = seed }

  /// 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Below `bound`, which must not be 0.
  mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  mutating func between(_ low: UInt64, _ high: UInt64) -> UInt64 { low + next() % (high - low + 1) }

  /// True in `thousandths` of a thousand draws.
  mutating func chance(_ thousandths: Int) -> Bool { thousandths > 0 && Int(next() % 1000) < thousandths }
}

func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
  var z = a ^ (b &+ 0x9E37_79B9_7F4A_7C15 &+ (a << 6) &+ (a >> 2))
  z = (z ^ (z >> 31)) &* 0xBF58_476D_1CE4_E5B9
  return z ^ (z >> 27)
}
