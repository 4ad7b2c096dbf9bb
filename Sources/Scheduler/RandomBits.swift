/// The random bits of one run of the scheduler: an input like time, so that the same seed gives the same plan.
///
/// The generator is xoshiro256** (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", 2021): 256 bits
/// of state, so identifiers drawn from kernel seeds don't collide. It is no source of secrets.
public struct RandomBits: RandomNumberGenerator, Sendable {
  private var s0: UInt64
  private var s1: UInt64
  private var s2: UInt64
  private var s3: UInt64

  /// Takes 256 bits, as the kernel's getrandom(2) gives them. All zero would only ever produce zeros and is replaced.
  public init(seed: (UInt64, UInt64, UInt64, UInt64)) {
    (s0, s1, s2, s3) = seed
    if s0 | s1 | s2 | s3 == 0 { s0 = 0x9E37_79B9_7F4A_7C15 }
  }

  /// Spreads one word over the state with SplitMix64: for simulations and tests that are replayed from one number.
  public init(seed: UInt64) {
    var word = seed
    func next() -> UInt64 {
      word &+= 0x9E37_79B9_7F4A_7C15
      return RandomBits.mix(word)
    }
    self.init(seed: (next(), next(), next(), next()))
  }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 { value << count | value >> (64 - count) }
    let result = rotate(s1 &* 5, 7) &* 9
    let shifted = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = rotate(s3, 45)
    return result
  }

  /// The finalizer of SplitMix64: every bit of the result depends on every bit of the word.
  @inline(__always)
  static func mix(_ word: UInt64) -> UInt64 {
    var word = word
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
