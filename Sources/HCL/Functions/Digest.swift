/// Message digests, each from its standard. They serve the functions of the language on short texts; nothing secret depends on
/// how long they take.
enum Digest {
  // MARK: MD5 (RFC 1321)

  static func md5(_ message: [UInt8]) -> [UInt8] {
    let shifts: [[UInt32]] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]]
    var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476]
    let padded = pad(message, block: 64, lengthBytes: 8, bigEndian: false)
    for start in stride(from: 0, to: padded.count, by: 64) {
      let m = (0..<16).map { i in
        (0..<4).reduce(UInt32(0)) { $0 | UInt32(padded[start + i * 4 + $1]) << UInt32($1 * 8) }
      }
      var (a, b, c, d) = (state[0], state[1], state[2], state[3])
      for i in 0..<64 {
        var f: UInt32
        let g: Int
        switch i / 16 {
        case 0: (f, g) = (b & c | ~b & d, i)
        case 1: (f, g) = (d & b | ~d & c, (5 * i + 1) % 16)
        case 2: (f, g) = (b ^ c ^ d, (3 * i + 5) % 16)
        default: (f, g) = (c ^ (b | ~d), 7 * i % 16)
        }
        f = f &+ a &+ sines[i] &+ m[g]
        let shift = shifts[i / 16][i % 4]
        (a, d, c, b) = (d, c, b, b &+ (f << shift | f >> (32 - shift)))
      }
      state = [state[0] &+ a, state[1] &+ b, state[2] &+ c, state[3] &+ d]
    }
    return state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32($0 * 8)) } }
  }

  /// ⌊2^32 × |sin(i + 1)|⌋
  private static let sines: [UInt32] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501, 0x6980_98d8,
    0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821, 0xf61e_2562, 0xc040_b340,
    0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8, 0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87,
    0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a, 0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c,
    0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70, 0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039,
    0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665, 0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92,
    0xffef_f47d, 0x8584_5dd1, 0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb,
    0xeb86_d391,
  ]

  // MARK: SHA (FIPS 180-4)

  static func sha1(_ message: [UInt8]) -> [UInt8] {
    var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
    let padded = pad(message, block: 64, lengthBytes: 8, bigEndian: true)
    for start in stride(from: 0, to: padded.count, by: 64) {
      var w: [UInt32] = words(padded, start)
      for i in 16..<80 {
        let x = w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16]
        w.append(x << 1 | x >> 31)
      }
      var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
      for i in 0..<80 {
        let (f, k): (UInt32, UInt32)
        switch i / 20 {
        case 0: (f, k) = (b & c | ~b & d, 0x5A82_7999)
        case 1: (f, k) = (b ^ c ^ d, 0x6ED9_EBA1)
        case 2: (f, k) = (b & c | b & d | c & d, 0x8F1B_BCDC)
        default: (f, k) = (b ^ c ^ d, 0xCA62_C1D6)
        }
        let t = (a << 5 | a >> 27) &+ f &+ e &+ k &+ w[i]
        (e, d, c, b, a) = (d, c, b << 30 | b >> 2, a, t)
      }
      for (i, x) in [a, b, c, d, e].enumerated() { state[i] = state[i] &+ x }
    }
    return bigEndianBytes(state)
  }

  static func sha256(_ message: [UInt8]) -> [UInt8] {
    let bits = roots.map { UInt32($0.fractionOfCube >> 32) }
    var state = roots.prefix(8).map { UInt32($0.fractionOfSquare >> 32) }
    sha2(
      message, block: 64, lengthBytes: 8, &state, Array(bits.prefix(64)), big0: (2, 13, 22), big1: (6, 11, 25),
      small0: (7, 18, 3), small1: (17, 19, 10))
    return bigEndianBytes(state)
  }

  static func sha512(_ message: [UInt8]) -> [UInt8] {
    var state = roots.prefix(8).map(\.fractionOfSquare)
    sha2(
      message, block: 128, lengthBytes: 16, &state, roots.map(\.fractionOfCube), big0: (28, 34, 39), big1: (14, 18, 41),
      small0: (1, 8, 7), small1: (19, 61, 6))
    return bigEndianBytes(state)
  }

  /// SHA-2 in either word size. The amounts of the four functions: rotations, and for the small ones a shift last.
  private static func sha2<Word: FixedWidthInteger & UnsignedInteger>(
    _ message: [UInt8], block: Int, lengthBytes: Int, _ state: inout [Word], _ k: [Word],
    big0: (Word, Word, Word), big1: (Word, Word, Word), small0: (Word, Word, Word), small1: (Word, Word, Word)
  ) {
    let width = Word(Word.bitWidth)
    func rotate(_ x: Word, _ n: Word) -> Word { x >> n | x << (width - n) }
    let padded = pad(message, block: block, lengthBytes: lengthBytes, bigEndian: true)
    for start in stride(from: 0, to: padded.count, by: block) {
      var w: [Word] = words(padded, start)
      for i in 16..<k.count {
        let s0 = rotate(w[i - 15], small0.0) ^ rotate(w[i - 15], small0.1) ^ w[i - 15] >> small0.2
        let s1 = rotate(w[i - 2], small1.0) ^ rotate(w[i - 2], small1.1) ^ w[i - 2] >> small1.2
        w.append(w[i - 16] &+ s0 &+ w[i - 7] &+ s1)
      }
      var v = state
      for i in 0..<k.count {
        let s1 = rotate(v[4], big1.0) ^ rotate(v[4], big1.1) ^ rotate(v[4], big1.2)
        let choice = v[4] & v[5] ^ ~v[4] & v[6]
        let t1 = v[7] &+ s1 &+ choice &+ k[i] &+ w[i]
        let s0 = rotate(v[0], big0.0) ^ rotate(v[0], big0.1) ^ rotate(v[0], big0.2)
        let majority = v[0] & v[1] ^ v[0] & v[2] ^ v[1] & v[2]
        v = [t1 &+ s0 &+ majority, v[0], v[1], v[2], v[3] &+ t1, v[4], v[5], v[6]]
      }
      for i in 0..<8 { state[i] = state[i] &+ v[i] }
    }
  }

  /// The constants of SHA-2: the first 64 bits of the fractions of square and cube roots of the first 80 primes.
  private static let roots: [(fractionOfSquare: UInt64, fractionOfCube: UInt64)] = {
    var primes: [UInt64] = []
    var candidate: UInt64 = 2
    while primes.count < 80 {
      if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
      candidate += 1
    }
    return primes.map { (fraction(of: $0, power: 2), fraction(of: $0, power: 3)) }
  }()

  /// The first 64 bits after the point of the root of `n`: the whole root of n × 2^(64 × power) without its upper part.
  private static func fraction(of n: UInt64, power: Int) -> UInt64 {
    let target = BigUnsigned(n) << (64 * power)
    var low = BigUnsigned(0)
    // Bit by bit from the top; no root here has more than 69 bits.
    for bit in stride(from: 69, through: 0, by: -1) {
      let trial = low + BigUnsigned(1) << bit
      let raised = power == 2 ? trial * trial : trial * trial * trial
      if raised <= target { low = trial }
    }
    return low.limbs.first ?? 0
  }

  // MARK: Blocks

  private static func pad(_ message: [UInt8], block: Int, lengthBytes: Int, bigEndian: Bool) -> [UInt8] {
    var out = message + [0x80]
    while out.count % block != block - lengthBytes { out.append(0) }
    let bits = UInt64(message.count) * 8
    for i in 0..<lengthBytes {
      let place = bigEndian ? lengthBytes - 1 - i : i
      out.append(place < 8 ? UInt8(truncatingIfNeeded: bits >> UInt64(place * 8)) : 0)
    }
    return out
  }

  private static func words<Word: FixedWidthInteger>(_ bytes: [UInt8], _ start: Int) -> [Word] {
    let size = Word.bitWidth / 8
    return (0..<16).map { i in (0..<size).reduce(0) { $0 << 8 | Word(bytes[start + i * size + $1]) } }
  }

  private static func bigEndianBytes<Word: FixedWidthInteger>(_ state: [Word]) -> [UInt8] {
    state.flatMap { word in
      stride(from: Word.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> Word($0)) }
    }
  }
}
