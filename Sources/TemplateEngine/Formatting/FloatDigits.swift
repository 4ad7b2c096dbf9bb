/// Decimal digits of a finite, non-negative double, and Go's ways of writing them.
///
/// The value is 0.d₁d₂d₃… × 10^point. Trailing zeros are left out; zero has no digit and point 0.
struct FloatDigits {
  var digits: [UInt8]
  var point: Int

  /// The fewest digits that read back as the same double.
  init(shortest value: Double) {
    guard value != 0 else { self = FloatDigits(digits: [], point: 0); return }
    var digits: [UInt8] = []
    var point = 0
    var exponent = 0
    var seenPoint = false
    let text = Array(value.description.utf8)
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte == UInt8(ascii: "e") {
        exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
        break
      }
      if byte == UInt8(ascii: ".") {
        seenPoint = true
      } else {
        digits.append(byte - 0x30)
        if !seenPoint { point += 1 }
      }
      index += 1
    }
    let leading = digits.prefix { $0 == 0 }.count
    self.digits = Array(digits.dropFirst(leading))
    self.point = point - leading + exponent
    trim()
  }

  /// Every digit of the exact binary value.
  init(exact value: Double) {
    guard value != 0 else { self = FloatDigits(digits: [], point: 0); return }
    let bits = value.bitPattern
    var exponent = Int(bits >> 52 & 0x7FF)
    var mantissa = bits & (1 << 52 - 1)
    if exponent == 0 { exponent = 1 } else { mantissa |= 1 << 52 }
    exponent -= 1075
    while mantissa & 1 == 0 {
      mantissa >>= 1
      exponent += 1
    }
    // m × 2^e for e < 0 is m × 5^-e × 10^e: multiply the limbs (base 10⁹) and shift the point.
    var limbs: [UInt32] = []
    var rest = mantissa
    while rest > 0 {
      limbs.append(UInt32(rest % 1_000_000_000))
      rest /= 1_000_000_000
    }
    func multiply(by factor: UInt64) {
      var carry: UInt64 = 0
      for index in limbs.indices {
        let product = UInt64(limbs[index]) * factor + carry
        limbs[index] = UInt32(product % 1_000_000_000)
        carry = product / 1_000_000_000
      }
      while carry > 0 {
        limbs.append(UInt32(carry % 1_000_000_000))
        carry /= 1_000_000_000
      }
    }
    var remaining = abs(exponent)
    let (base, chunk, power): (UInt64, Int, UInt64) = exponent < 0 ? (5, 12, 244_140_625) : (2, 29, 1 << 29)
    while remaining >= chunk {
      multiply(by: power)
      remaining -= chunk
    }
    for _ in 0..<remaining { multiply(by: base) }
    var digits: [UInt8] = []
    for (index, limb) in limbs.reversed().enumerated() {
      let text = Array(String(limb).utf8).map { $0 - 0x30 }
      if index > 0 { digits += Array(repeating: 0, count: 9 - text.count) }
      digits += text
    }
    self.digits = digits
    self.point = digits.count + min(exponent, 0)
    trim()
  }

  private init(digits: [UInt8], point: Int) {
    self.digits = digits
    self.point = point
  }

  private mutating func trim() {
    while digits.last == 0 { digits.removeLast() }
    if digits.isEmpty { point = 0 }
  }

  /// Keeps `count` digits, rounding half to even.
  mutating func round(to count: Int) {
    guard count >= 0 else {
      digits = []
      point = 0
      return
    }
    guard count < digits.count else { return }
    let isHalf = digits[count] == 5 && count + 1 == digits.count
    let up = isHalf ? count > 0 && digits[count - 1] % 2 == 1 : digits[count] >= 5
    digits.removeSubrange(count...)
    if up {
      var index = count - 1
      while index >= 0, digits[index] == 9 { index -= 1 }
      if index < 0 {
        digits = [1]
        point += 1
      } else {
        digits[index] += 1
        digits.removeSubrange((index + 1)...)
      }
    }
    trim()
  }

  /// Go's `strconv.FormatFloat`: `verb` one of e E f g G b x X, `precision` negative for the shortest exact form.
  static func format(_ value: Double, verb: UInt8, precision: Int) -> [UInt8] {
    if value.isNaN { return Array("NaN".utf8) }
    if value.isInfinite { return Array((value < 0 ? "-Inf" : "+Inf").utf8) }
    let sign: [UInt8] = value.sign == .minus ? [UInt8(ascii: "-")] : []
    let magnitude = value.magnitude
    switch verb {
    case UInt8(ascii: "b"): return sign + binary(magnitude)
    case UInt8(ascii: "x"), UInt8(ascii: "X"): return sign + hexadecimal(magnitude, verb, precision)
    default: break
    }
    var precision = precision
    let isShortest = precision < 0
    var decimal = isShortest ? FloatDigits(shortest: magnitude) : FloatDigits(exact: magnitude)
    let lower = verb | 0x20
    if isShortest {
      switch lower {
      case UInt8(ascii: "e"): precision = max(decimal.digits.count - 1, 0)
      case UInt8(ascii: "f"): precision = max(decimal.digits.count - decimal.point, 0)
      default: precision = decimal.digits.count
      }
    } else {
      switch lower {
      case UInt8(ascii: "e"): decimal.round(to: precision + 1)
      case UInt8(ascii: "f"): decimal.round(to: decimal.point + precision)
      default:
        if precision == 0 { precision = 1 }
        decimal.round(to: precision)
      }
    }
    switch lower {
    case UInt8(ascii: "e"): return sign + decimal.scientific(precision, verb)
    case UInt8(ascii: "f"): return sign + decimal.positional(precision)
    default:
      var limit = precision
      if limit > decimal.digits.count, decimal.digits.count >= decimal.point { limit = decimal.digits.count }
      if isShortest { limit = 6 }
      let exponent = decimal.point - 1
      if exponent < -4 || exponent >= limit {
        return sign + decimal.scientific(min(precision, decimal.digits.count) - 1, verb - 2)
      }
      return sign + decimal.positional(max(decimal.digits.count - decimal.point, 0))
    }
  }

  /// d.ddde±dd
  private func scientific(_ precision: Int, _ letter: UInt8) -> [UInt8] {
    var out: [UInt8] = [0x30 + (digits.first ?? 0)]
    if precision > 0 {
      out.append(UInt8(ascii: "."))
      let shown = digits.dropFirst().prefix(precision)
      out += shown.map { $0 + 0x30 }
      out += Array(repeating: 0x30, count: precision - shown.count)
    }
    out.append(letter)
    let exponent = digits.isEmpty ? 0 : point - 1
    out.append(UInt8(ascii: exponent < 0 ? "-" : "+"))
    if abs(exponent) < 10 { out.append(0x30) }
    out += String(abs(exponent)).utf8
    return out
  }

  /// ddd.ddd
  private func positional(_ precision: Int) -> [UInt8] {
    var out: [UInt8] = []
    if point > 0 {
      let shown = digits.prefix(point)
      out += shown.map { $0 + 0x30 }
      out += Array(repeating: 0x30, count: point - shown.count)
    } else {
      out.append(0x30)
    }
    if precision > 0 {
      out.append(UInt8(ascii: "."))
      for index in point..<(point + precision) {
        out.append(index >= 0 && index < digits.count ? digits[index] + 0x30 : 0x30)
      }
    }
    return out
  }

  private static func parts(_ value: Double) -> (mantissa: UInt64, exponent: Int) {
    let bits = value.bitPattern
    let field = Int(bits >> 52 & 0x7FF)
    let fraction = bits & (1 << 52 - 1)
    return field == 0 ? (fraction, -1022) : (fraction | 1 << 52, field - 1023)
  }

  private static func binary(_ value: Double) -> [UInt8] {
    let (mantissa, exponent) = parts(value)
    let shifted = exponent - 52
    return Array("\(mantissa)p\(shifted >= 0 ? "+" : "")\(shifted)".utf8)
  }

  private static func hexadecimal(_ value: Double, _ verb: UInt8, _ precision: Int) -> [UInt8] {
    let hex = Array((verb == UInt8(ascii: "X") ? "0123456789ABCDEF" : "0123456789abcdef").utf8)
    var (mantissa, exponent) = parts(value)
    if mantissa == 0 { exponent = 0 }
    mantissa <<= 8
    while mantissa != 0, mantissa & 1 << 60 == 0 {
      mantissa <<= 1
      exponent -= 1
    }
    if precision >= 0, precision < 15 {
      let shift = UInt64(precision * 4)
      let extra = mantissa << shift & (1 << 60 - 1)
      mantissa >>= 60 - shift
      if extra | mantissa & 1 > 1 << 59 { mantissa += 1 }
      mantissa <<= 60 - shift
      if mantissa & 1 << 61 != 0 {
        mantissa >>= 1
        exponent += 1
      }
    }
    var out: [UInt8] = [0x30, verb, 0x30 + UInt8(mantissa >> 60 & 1)]
    mantissa <<= 4
    if precision < 0 ? mantissa != 0 : precision > 0 {
      out.append(UInt8(ascii: "."))
      var count = 0
      while precision < 0 ? mantissa != 0 : count < precision {
        out.append(hex[Int(mantissa >> 60 & 15)])
        mantissa <<= 4
        count += 1
      }
    }
    out.append(verb == UInt8(ascii: "X") ? UInt8(ascii: "P") : UInt8(ascii: "p"))
    out.append(UInt8(ascii: exponent < 0 ? "-" : "+"))
    if abs(exponent) < 10 { out.append(0x30) }
    out += String(abs(exponent)).utf8
    return out
  }
}
