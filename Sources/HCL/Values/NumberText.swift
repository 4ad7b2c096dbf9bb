// How numbers print: the fewest decimal digits that read back as the same number at its precision, never with an exponent.

extension Number: CustomStringConvertible {
  /// Decimal digits, as few as read back as the same number.
  public var description: String {
    if isInfinite { return isNegative ? "-Inf" : "Inf" }
    let sign = isNegative ? "-" : ""
    if mantissa.isZero { return sign + "0" }
    if exponent >= 0, mantissa.bitWidth + exponent <= precision {
      return sign + String(decoding: (mantissa << exponent).decimalDigits, as: UTF8.self)
    }
    let (digits, point) = shortestDigits
    return sign + Number.plain(digits, point)
  }

  /// `digits` with the decimal point after `point` of them, which may lie outside.
  static func plain(_ digits: [UInt8], _ point: Int) -> String {
    if point <= 0 { return "0." + String(repeating: "0", count: -point) + String(decoding: digits, as: UTF8.self) }
    if point >= digits.count {
      return String(decoding: digits, as: UTF8.self) + String(repeating: "0", count: point - digits.count)
    }
    return String(decoding: digits[..<point], as: UTF8.self) + "." + String(decoding: digits[point...], as: UTF8.self)
  }

  /// The digits of the exact value m × 2^e, and where the point is.
  private static func exactDigits(_ m: BigUnsigned, _ e: Int) -> (digits: [UInt8], point: Int) {
    var digits: [UInt8]
    var point: Int
    if e >= 0 {
      digits = (m << e).decimalDigits
      point = digits.count
    } else {
      // m / 2^k = m × 5^k / 10^k
      digits = (m * BigUnsigned.power(5, -e)).decimalDigits
      point = digits.count + e
    }
    while digits.count > 1, digits.last == 0x30 { digits.removeLast() }
    if digits == [0x30] { point = 0 }
    return (digits, point)
  }

  /// The exact decimal expansion of the magnitude.
  var exactDigits: (digits: [UInt8], point: Int) { Number.exactDigits(mantissa, exponent) }

  /// The fewest digits that lie within half a unit of the last binary place (the method of Steele and White, on exact
  /// decimals of the value and of the two ends of its interval).
  var shortestDigits: (digits: [UInt8], point: Int) {
    // One bit more than the precision: its last place is then half a unit.
    let shift = precision + 1 - mantissa.bitWidth
    let scaled = mantissa << shift
    let e = exponent - shift
    let (digits, point) = Number.exactDigits(scaled, e)
    let lower = Number.exactDigits(scaled - BigUnsigned(1), e)
    let upper = Number.exactDigits(scaled + BigUnsigned(1), e)
    // Ties go to even, so an even mantissa owns the ends of its interval.
    let inclusive = !scaled.bit(1)
    // Align the three on the same decimal point.
    let top = max(point, upper.point)
    func digit(_ d: (digits: [UInt8], point: Int), _ i: Int) -> UInt8 {
      let k = i - (top - d.point)
      return k >= 0 && k < d.digits.count ? d.digits[k] : 0x30
    }
    let own = (digits: digits, point: point)
    let lowerEnd = lower.digits.count + top - lower.point
    let upperEnd = upper.digits.count + top - upper.point
    let ownEnd = digits.count + top - point
    for i in 0..<ownEnd {
      let (m, l, u) = (digit(own, i), digit(lower, i), digit(upper, i))
      // Cutting here goes down to a value that still reads back / up to one.
      let down = l != m || (inclusive && i + 1 == lowerEnd)
      let up = m != u && (inclusive || m + 1 < u || i + 1 < upperEnd)
      guard down || up else { continue }
      var kept = (0...i).map { digit(own, $0) }
      var roundUp = up
      if down, up {
        let next = digit(own, i + 1)
        let exactHalf = next == 0x35 && i + 2 >= ownEnd
        roundUp = exactHalf ? (m - 0x30) % 2 == 1 : next >= 0x35
      }
      var place = top
      if roundUp {
        var k = i
        while k >= 0, kept[k] == 0x39 {
          kept[k] = 0x30
          k -= 1
        }
        if k < 0 {
          kept.insert(0x31, at: 0)
          place += 1
        } else {
          kept[k] += 1
        }
      }
      return Number.stripped(kept, place)
    }
    return own
  }

  static func stripped(_ digits: [UInt8], _ point: Int) -> (digits: [UInt8], point: Int) {
    var digits = digits[...]
    var point = point
    while digits.count > 1, digits.last == 0x30 { digits.removeLast() }
    while digits.count > 1, digits.first == 0x30 {
      digits.removeFirst()
      point -= 1
    }
    return (Array(digits), point)
  }
}
