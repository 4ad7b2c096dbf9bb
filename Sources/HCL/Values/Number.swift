/// A number of HCL: a binary floating-point number with up to 512 bits of mantissa, rounded to nearest even.
///
/// The specification asks for enough precision that whole numbers stay whole far beyond 2^53 and that `0.1 + 0.2` shows
/// as `0.3`; 512 bits is what users of the language meet elsewhere, so printed digits agree. A number that comes from a machine integer or
/// a `Double` carries that smaller precision (64, 53 bits), which shows only in how many digits of a fraction print.
public struct Number: Sendable {
  /// The sign; also of zero, since `-0` prints as such.
  let isNegative: Bool
  /// The value is mantissa × 2^exponent. The mantissa is odd, or zero.
  let mantissa: BigUnsigned
  let exponent: Int
  /// Bits that results are rounded to, 1...512.
  let precision: Int
  /// ±∞, which only functions on `Double` produce.
  let isInfinite: Bool

  /// The precision of numbers that were written in a source text.
  static let fullPrecision = 512
  /// Magnitudes beyond 2^±this are refused: their decimal digits would take memory out of proportion to the input.
  static let exponentLimit = 20_000

  /// 0, without a sign.
  public static let zero = Number(0)
  /// The number 1.
  public static let one = Number(1)

  private init(_ isNegative: Bool, _ mantissa: BigUnsigned, _ exponent: Int, _ precision: Int, infinite: Bool = false) {
    self.isNegative = isNegative
    self.mantissa = mantissa
    self.exponent = exponent
    self.precision = precision
    isInfinite = infinite
  }

  /// mantissa × 2^exponent rounded to `precision` bits; `sticky` says that the true value is a little larger.
  init(negative: Bool, _ mantissa: BigUnsigned, _ exponent: Int, precision: Int, sticky: Bool = false) {
    var m = mantissa
    var e = exponent
    let excess = m.bitWidth - precision
    if excess > 0 {
      let half = m.bit(excess - 1)
      let below = sticky || m.trailingZeroBits < excess - 1
      m = m >> excess
      e += excess
      if half, below || m.isOdd { m = m + BigUnsigned(1) }
    }
    if m.isZero {
      e = 0
    } else {
      let zeros = m.trailingZeroBits
      if zeros > 0 {
        m = m >> zeros
        e += zeros
      }
    }
    self.init(negative, m, e, precision)
  }

  /// A whole number, with the precision of a machine integer.
  public init(_ value: Int) {
    self.init(negative: value < 0, BigUnsigned(UInt64(value.magnitude)), 0, precision: 64)
  }

  /// The number of exactly this value; nil for NaN.
  public init?(_ value: Double) {
    if value.isNaN { return nil }
    if value.isInfinite {
      self.init(value < 0, .zero, 0, 53, infinite: true)
    } else if value == 0 {
      self.init(value.sign == .minus, .zero, 0, 53)
    } else {
      let scaled = value.significand.magnitude * 0x1p52
      self.init(negative: value < 0, BigUnsigned(UInt64(scaled)), Int(value.exponent) - 52, precision: 53)
    }
  }

  /// Reads decimal notation: digits, optional fraction, optional exponent, optional sign. Nil when the text is anything
  /// else, or its magnitude is beyond the limits.
  public init?(_ text: some StringProtocol) {
    var bytes = Array(text.utf8)[...]
    var negative = false
    if let sign = bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      negative = sign == UInt8(ascii: "-")
      bytes = bytes.dropFirst()
    }
    var digits: [UInt8] = []
    var scale = 0
    var seenDigit = false
    var seenPoint = false
    var dropped = false
    // Digits past this place can only decide a tie: they are folded into one.
    let significant = 1_200
    var i = bytes.startIndex
    scan: while i < bytes.endIndex {
      switch bytes[i] {
      case 0x30...0x39:
        seenDigit = true
        if digits.count < significant {
          if !(digits.isEmpty && bytes[i] == 0x30) { digits.append(bytes[i]) }
          if seenPoint { scale -= 1 }
        } else {
          if bytes[i] != 0x30 { dropped = true }
          if !seenPoint { scale += 1 }
        }
      case UInt8(ascii: ".") where !seenPoint: seenPoint = true
      default: break scan
      }
      i += 1
    }
    guard seenDigit else { return nil }
    if i < bytes.endIndex {
      guard bytes[i] | 0x20 == UInt8(ascii: "e") else { return nil }
      guard let written = Int(String(decoding: bytes[(i + 1)...], as: UTF8.self)) else { return nil }
      guard abs(written) < 1_000_000_000 else { return nil }
      scale += written
    }
    if dropped {
      digits.append(0x31)
      scale -= 1
    }
    guard let whole = BigUnsigned(digits: digits) else { return nil }
    if whole.isZero {
      self.init(negative, .zero, 0, Number.fullPrecision)
      return
    }
    let magnitude = digits.count + scale
    guard abs(magnitude) < Number.exponentLimit * 3 / 10 else { return nil }
    if scale >= 0 {
      self.init(negative: negative, whole * BigUnsigned.power(5, scale), scale, precision: Number.fullPrecision)
    } else {
      let divisor = BigUnsigned.power(5, -scale)
      let shift = max(0, Number.fullPrecision + 2 + divisor.bitWidth - whole.bitWidth)
      let (quotient, remainder) = (whole << shift).divided(by: divisor)
      self.init(
        negative: negative, quotient << 1 + BigUnsigned(remainder.isZero ? 0 : 1), scale - shift - 1,
        precision: Number.fullPrecision)
    }
  }

  /// A whole number written in `base` (2...36), with optional sign.
  init?(integer text: String, base: Int) {
    var bytes = Array(text.utf8)[...]
    var negative = false
    if let sign = bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      negative = sign == UInt8(ascii: "-")
      bytes = bytes.dropFirst()
    }
    guard !bytes.isEmpty, bytes.count <= 4_096, let value = BigUnsigned(digits: bytes, base: UInt64(base)) else {
      return nil
    }
    self.init(negative: negative, value, 0, precision: Number.fullPrecision)
  }

  // MARK: Queries

  /// Whether it is 0 or −0.
  public var isZero: Bool { mantissa.isZero && !isInfinite }
  /// Whether there is no fraction.
  public var isInteger: Bool { !isInfinite && exponent >= 0 }
  /// The sign of the value: -1, 0, 1.
  public var signum: Int { isZero ? 0 : isNegative ? -1 : 1 }

  /// The value where it is whole and fits.
  public var asInt: Int? {
    guard isInteger, mantissa.bitWidth + exponent <= 64, let magnitude = (mantissa << exponent).asUInt64 else {
      return nil
    }
    if isNegative { return magnitude <= UInt64(Int.max) + 1 ? Int(truncatingIfNeeded: 0 &- magnitude) : nil }
    return Int(exactly: magnitude)
  }

  /// The nearest `Double`.
  public var asDouble: Double {
    if isInfinite { return isNegative ? -.infinity : .infinity }
    if isZero { return isNegative ? -0.0 : 0 }
    let top = mantissa.bitWidth + exponent
    if top > 1_025 { return isNegative ? -.infinity : .infinity }
    if top < -1_100 { return isNegative ? -0.0 : 0 }
    // Subnormals have fewer bits: round once, to the bits that there will be.
    let bits = max(1, min(53, top + 1_074))
    let rounded = Number(negative: false, mantissa, exponent, precision: bits)
    let value = Double(sign: .plus, exponent: rounded.exponent, significand: Double(rounded.mantissa.asUInt64 ?? 0))
    return isNegative ? -value : value
  }

  // MARK: Arithmetic

  var negated: Number { Number(!isNegative, mantissa, exponent, precision, infinite: isInfinite) }
  /// The number without its sign.
  public var magnitude: Number { Number(false, mantissa, exponent, precision, infinite: isInfinite) }

  /// Whether the value is within the limits; results beyond are reported by the operators.
  var isInRange: Bool { isInfinite || isZero || abs(mantissa.bitWidth + exponent) <= Number.exponentLimit * 2 }

  static func + (a: Number, b: Number) -> Number {
    let precision = max(a.precision, b.precision)
    if a.isInfinite { return a }
    if b.isInfinite { return b }
    if a.mantissa.isZero, b.mantissa.isZero { return Number(a.isNegative && b.isNegative, .zero, 0, precision) }
    if a.mantissa.isZero { return Number(negative: b.isNegative, b.mantissa, b.exponent, precision: precision) }
    if b.mantissa.isZero { return Number(negative: a.isNegative, a.mantissa, a.exponent, precision: precision) }
    let exponent = min(a.exponent, b.exponent)
    let x = a.mantissa << (a.exponent - exponent)
    let y = b.mantissa << (b.exponent - exponent)
    if a.isNegative == b.isNegative { return Number(negative: a.isNegative, x + y, exponent, precision: precision) }
    if x == y { return Number(false, .zero, 0, precision) }
    return x > y
      ? Number(negative: a.isNegative, x - y, exponent, precision: precision)
      : Number(negative: b.isNegative, y - x, exponent, precision: precision)
  }

  static func - (a: Number, b: Number) -> Number { a + b.negated }

  /// The product. It keeps the bits that it needs, up to 512, even where both factors are of lower precision.
  static func * (a: Number, b: Number) -> Number {
    let negative = a.isNegative != b.isNegative
    if a.isInfinite || b.isInfinite { return Number(negative, .zero, 0, fullPrecision, infinite: true) }
    let wide = Number(negative: negative, a.mantissa * b.mantissa, a.exponent + b.exponent, precision: fullPrecision)
    return Number(negative, wide.mantissa, wide.exponent, max(a.precision, b.precision, wide.mantissa.bitWidth))
  }

  /// The quotient; nil when `b` is zero.
  static func / (a: Number, b: Number) -> Number? { quotient(a, b, max(a.precision, b.precision)) }

  private static func quotient(_ a: Number, _ b: Number, _ precision: Int) -> Number? {
    if b.isZero { return nil }
    let negative = a.isNegative != b.isNegative
    if a.isInfinite { return b.isInfinite ? nil : Number(negative, .zero, 0, precision, infinite: true) }
    if b.isInfinite || a.isZero { return Number(negative, .zero, 0, precision) }
    let shift = max(0, precision + 2 + b.mantissa.bitWidth - a.mantissa.bitWidth)
    let (quotient, remainder) = (a.mantissa << shift).divided(by: b.mantissa)
    return Number(
      negative: negative, quotient << 1 + BigUnsigned(remainder.isZero ? 0 : 1),
      a.exponent - b.exponent - shift - 1, precision: precision)
  }

  /// The remainder of truncated division, with the sign of `a`; nil when `b` is zero.
  static func % (a: Number, b: Number) -> Number? {
    guard let ratio = quotient(a, b, a.precision) else { return nil }
    if b.isInfinite { return a }
    if a.isInfinite { return nil }
    let whole = ratio.truncated
    if whole.isZero { return Number(negative: a.isNegative, a.mantissa, a.exponent, precision: a.precision) }
    // At the precision of `a` throughout, which is what users of the language see elsewhere.
    let product = Number(
      negative: whole.isNegative != b.isNegative, whole.mantissa * b.mantissa, whole.exponent + b.exponent,
      precision: a.precision)
    let difference = a - product
    return Number(negative: difference.isNegative, difference.mantissa, difference.exponent, precision: a.precision)
  }

  /// Without the fraction.
  var truncated: Number {
    if isInteger || isInfinite { return self }
    return Number(negative: isNegative, mantissa >> -exponent, 0, precision: precision)
  }

  /// The largest whole number that is not greater.
  var floor: Number {
    if isInfinite { return self }
    if isInteger { return self + .zero }
    return isNegative ? truncated - .one : truncated
  }

  /// The smallest whole number that is not less.
  var ceiling: Number {
    if isInfinite { return self }
    if isInteger { return self + .zero }
    return isNegative ? truncated + .zero : truncated + .one
  }
}

extension Number: Hashable, Comparable {
  /// By value: precision and the sign of zero do not matter.
  public static func == (a: Number, b: Number) -> Bool {
    a.isInfinite == b.isInfinite && a.mantissa == b.mantissa
      && (a.isZero || (a.isNegative == b.isNegative && a.exponent == b.exponent))
  }

  /// Equal numbers have equal hashes.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(mantissa)
    hasher.combine(isInfinite)
    if !isZero {
      hasher.combine(isNegative)
      hasher.combine(exponent)
    }
  }

  /// By value.
  public static func < (a: Number, b: Number) -> Bool {
    if a.signum != b.signum { return a.signum < b.signum }
    let (small, large) = a.isNegative ? (b, a) : (a, b)
    if small.isInfinite || large.isInfinite { return !small.isInfinite && large.isInfinite }
    let tops = (small.mantissa.bitWidth + small.exponent, large.mantissa.bitWidth + large.exponent)
    if tops.0 != tops.1 { return tops.0 < tops.1 }
    let exponent = min(small.exponent, large.exponent)
    return small.mantissa << (small.exponent - exponent) < large.mantissa << (large.exponent - exponent)
  }
}
