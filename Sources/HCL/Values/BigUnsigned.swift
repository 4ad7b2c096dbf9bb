/// A natural number of any size: the mantissa arithmetic under `Number`.
///
/// Sizes here are a few hundred to some ten thousand bits, where schoolbook methods are the fast ones.
struct BigUnsigned: Sendable, Hashable {
  /// Least significant limb first, none on top that is zero; zero is no limbs.
  private(set) var limbs: [UInt64]

  static let zero = BigUnsigned(limbs: [])

  private init(limbs: [UInt64]) {
    self.limbs = limbs
  }

  init(_ value: UInt64) {
    limbs = value == 0 ? [] : [value]
  }

  var isZero: Bool { limbs.isEmpty }
  var isOdd: Bool { (limbs.first ?? 0) & 1 == 1 }

  var bitWidth: Int {
    guard let top = limbs.last else { return 0 }
    return limbs.count * 64 - top.leadingZeroBitCount
  }

  var trailingZeroBits: Int {
    for (i, limb) in limbs.enumerated() where limb != 0 { return i * 64 + limb.trailingZeroBitCount }
    return 0
  }

  /// The value where it fits.
  var asUInt64: UInt64? {
    limbs.count > 1 ? nil : limbs.first ?? 0
  }

  func bit(_ index: Int) -> Bool {
    let limb = index / 64
    return limb < limbs.count && limbs[limb] >> UInt64(index % 64) & 1 == 1
  }

  private mutating func normalize() {
    while limbs.last == 0 { limbs.removeLast() }
  }

  static func + (a: BigUnsigned, b: BigUnsigned) -> BigUnsigned {
    let (long, short) = a.limbs.count >= b.limbs.count ? (a.limbs, b.limbs) : (b.limbs, a.limbs)
    var out = long
    var carry: UInt64 = 0
    for i in 0..<long.count {
      if i >= short.count, carry == 0 { break }
      let (partial, over1) = long[i].addingReportingOverflow(i < short.count ? short[i] : 0)
      let (sum, over2) = partial.addingReportingOverflow(carry)
      out[i] = sum
      carry = over1 || over2 ? 1 : 0
    }
    if carry != 0 { out.append(1) }
    return BigUnsigned(limbs: out)
  }

  /// The difference; `a` must not be less than `b`.
  static func - (a: BigUnsigned, b: BigUnsigned) -> BigUnsigned {
    precondition(a >= b, "a natural number has no negative difference")
    var out = a.limbs
    var borrow: UInt64 = 0
    for i in 0..<out.count {
      if i >= b.limbs.count, borrow == 0 { break }
      let (partial, under1) = out[i].subtractingReportingOverflow(i < b.limbs.count ? b.limbs[i] : 0)
      let (difference, under2) = partial.subtractingReportingOverflow(borrow)
      out[i] = difference
      borrow = under1 || under2 ? 1 : 0
    }
    var result = BigUnsigned(limbs: out)
    result.normalize()
    return result
  }

  static func * (a: BigUnsigned, b: BigUnsigned) -> BigUnsigned {
    if a.isZero || b.isZero { return .zero }
    var out = [UInt64](repeating: 0, count: a.limbs.count + b.limbs.count)
    for i in 0..<a.limbs.count {
      var carry: UInt64 = 0
      for j in 0..<b.limbs.count {
        let (high, low) = a.limbs[i].multipliedFullWidth(by: b.limbs[j])
        let (sum1, over1) = low.addingReportingOverflow(out[i + j])
        let (sum2, over2) = sum1.addingReportingOverflow(carry)
        out[i + j] = sum2
        carry = high &+ (over1 ? 1 : 0) &+ (over2 ? 1 : 0)
      }
      out[i + b.limbs.count] = carry
    }
    var result = BigUnsigned(limbs: out)
    result.normalize()
    return result
  }

  static func << (a: BigUnsigned, count: Int) -> BigUnsigned {
    if a.isZero || count == 0 { return a }
    let (whole, part) = (count / 64, UInt64(count % 64))
    var out = [UInt64](repeating: 0, count: whole)
    out.reserveCapacity(whole + a.limbs.count + 1)
    if part == 0 {
      out += a.limbs
    } else {
      var carry: UInt64 = 0
      for limb in a.limbs {
        out.append(limb << part | carry)
        carry = limb >> (64 - part)
      }
      if carry != 0 { out.append(carry) }
    }
    return BigUnsigned(limbs: out)
  }

  static func >> (a: BigUnsigned, count: Int) -> BigUnsigned {
    let (whole, part) = (count / 64, UInt64(count % 64))
    guard whole < a.limbs.count else { return .zero }
    var out = Array(a.limbs[whole...])
    if part != 0 {
      for i in 0..<out.count {
        out[i] = out[i] >> part | (i + 1 < out.count ? out[i + 1] << (64 - part) : 0)
      }
    }
    var result = BigUnsigned(limbs: out)
    result.normalize()
    return result
  }

  /// Quotient and remainder by one limb. `divisor` must not be zero.
  func dividedBySmall(_ divisor: UInt64) -> (quotient: BigUnsigned, remainder: UInt64) {
    var out = limbs
    var remainder: UInt64 = 0
    for i in stride(from: out.count - 1, through: 0, by: -1) {
      (out[i], remainder) = divisor.dividingFullWidth((remainder, out[i]))
    }
    var quotient = BigUnsigned(limbs: out)
    quotient.normalize()
    return (quotient, remainder)
  }

  /// Quotient and remainder (Knuth, The Art of Computer Programming 4.3.1, algorithm D). `divisor` must not be zero.
  func divided(by divisor: BigUnsigned) -> (quotient: BigUnsigned, remainder: BigUnsigned) {
    precondition(!divisor.isZero, "division by zero is the caller's error to report")
    if self < divisor { return (.zero, self) }
    if divisor.limbs.count == 1 {
      let (q, r) = dividedBySmall(divisor.limbs[0])
      return (q, BigUnsigned(r))
    }
    let shift = divisor.limbs[divisor.limbs.count - 1].leadingZeroBitCount
    let v = (divisor << shift).limbs
    var u = (self << shift).limbs
    if u.count == limbs.count { u.append(0) }
    let n = v.count
    let m = u.count - n - 1
    var quotient = [UInt64](repeating: 0, count: m + 1)
    for j in stride(from: m, through: 0, by: -1) {
      var estimate: UInt64
      var rest: UInt64
      var restOverflowed = false
      if u[j + n] >= v[n - 1] {
        estimate = .max
        (rest, restOverflowed) = u[j + n - 1].addingReportingOverflow(v[n - 1])
      } else {
        (estimate, rest) = v[n - 1].dividingFullWidth((u[j + n], u[j + n - 1]))
      }
      while !restOverflowed {
        let (high, low) = estimate.multipliedFullWidth(by: v[n - 2])
        guard high > rest || (high == rest && low > u[j + n - 2]) else { break }
        estimate -= 1
        (rest, restOverflowed) = rest.addingReportingOverflow(v[n - 1])
      }
      var borrow: UInt64 = 0
      var carry: UInt64 = 0
      for i in 0..<n {
        let (high, low) = estimate.multipliedFullWidth(by: v[i])
        let (product, over) = low.addingReportingOverflow(carry)
        carry = high &+ (over ? 1 : 0)
        let (d1, under1) = u[i + j].subtractingReportingOverflow(product)
        let (d2, under2) = d1.subtractingReportingOverflow(borrow)
        u[i + j] = d2
        borrow = under1 || under2 ? 1 : 0
      }
      let (d1, under1) = u[j + n].subtractingReportingOverflow(carry)
      let (d2, under2) = d1.subtractingReportingOverflow(borrow)
      u[j + n] = d2
      if under1 || under2 {
        estimate -= 1
        var carry: UInt64 = 0
        for i in 0..<n {
          let (s1, over1) = u[i + j].addingReportingOverflow(v[i])
          let (s2, over2) = s1.addingReportingOverflow(carry)
          u[i + j] = s2
          carry = over1 || over2 ? 1 : 0
        }
        u[j + n] = u[j + n] &+ carry
      }
      quotient[j] = estimate
    }
    var q = BigUnsigned(limbs: quotient)
    q.normalize()
    var r = BigUnsigned(limbs: u)
    r.normalize()
    return (q, r >> shift)
  }

  /// `base` raised to `exponent`.
  static func power(_ base: UInt64, _ exponent: Int) -> BigUnsigned {
    var result = BigUnsigned(1)
    var square = BigUnsigned(base)
    var rest = exponent
    while rest > 0 {
      if rest & 1 == 1 { result = result * square }
      rest >>= 1
      if rest > 0 { square = square * square }
    }
    return result
  }

  /// Reads ASCII digits of a base up to 36; nil on any other byte.
  init?(digits: some Sequence<UInt8>, base: UInt64 = 10) {
    limbs = []
    // As many digits at a time as fit one limb.
    var chunk: UInt64 = 0
    var scale: UInt64 = 1
    for byte in digits {
      let digit: UInt64
      switch byte {
      case 0x30...0x39: digit = UInt64(byte - 0x30)
      case 0x41...0x5A: digit = UInt64(byte - 0x41) + 10
      case 0x61...0x7A: digit = UInt64(byte - 0x61) + 10
      default: return nil
      }
      guard digit < base else { return nil }
      chunk = chunk * base + digit
      scale *= base
      if scale > UInt64.max / base / base {
        multiplyAdd(scale, chunk)
        (chunk, scale) = (0, 1)
      }
    }
    multiplyAdd(scale, chunk)
  }

  private mutating func multiplyAdd(_ factor: UInt64, _ addend: UInt64) {
    var carry = addend
    for i in 0..<limbs.count {
      let (high, low) = limbs[i].multipliedFullWidth(by: factor)
      let (sum, over) = low.addingReportingOverflow(carry)
      limbs[i] = sum
      carry = high &+ (over ? 1 : 0)
    }
    if carry != 0 { limbs.append(carry) }
  }

  /// The decimal digits, as ASCII; "0" for zero.
  var decimalDigits: [UInt8] {
    if isZero { return [0x30] }
    let chunkBase: UInt64 = 10_000_000_000_000_000_000
    var reversed: [UInt8] = []
    var rest = self
    while !rest.isZero {
      var (quotient, chunk) = rest.dividedBySmall(chunkBase)
      swap(&rest, &quotient)
      for _ in 0..<19 {
        reversed.append(0x30 + UInt8(chunk % 10))
        chunk /= 10
      }
    }
    while reversed.last == 0x30 { reversed.removeLast() }
    return reversed.reversed()
  }
}

extension BigUnsigned: Comparable {
  static func < (a: BigUnsigned, b: BigUnsigned) -> Bool {
    if a.limbs.count != b.limbs.count { return a.limbs.count < b.limbs.count }
    for i in stride(from: a.limbs.count - 1, through: 0, by: -1) where a.limbs[i] != b.limbs[i] {
      return a.limbs[i] < b.limbs[i]
    }
    return false
  }
}
