/// A length of time, written like `1h2m3.5s`.
public struct TemplateDuration: Hashable, Sendable {
  /// Its length.
  public let nanoseconds: Int64

  /// A length.
  public init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  private static let units: [String: UInt64] = [
    "ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000, "s": 1_000_000_000,
    "m": 60_000_000_000, "h": 3_600_000_000_000,
  ]

  /// Reads Go's form: an optional sign and numbers with units, `1.5h`, `-2m3s`, `300ms`.
  public init(parsing text: ByteString) throws(FunctionFailure) {
    let invalid = FunctionFailure("time: invalid duration " + Self.quoted(text))
    var rest = text.bytes[...]
    var isNegative = false
    if let sign = rest.first, sign == 0x2B || sign == 0x2D {
      isNegative = sign == 0x2D
      rest = rest.dropFirst()
    }
    if rest.elementsEqual("0".utf8) { self.nanoseconds = 0; return }
    guard !rest.isEmpty else { throw invalid }
    let largest: UInt64 = 1 << 63
    var total: UInt64 = 0
    while let first = rest.first {
      guard first == 0x2E || (0x30...0x39).contains(first) else { throw invalid }
      var whole: UInt64 = 0
      let integer = rest.prefix { (0x30...0x39).contains($0) }
      for digit in integer {
        guard whole <= largest / 10 else { throw invalid }
        whole = whole * 10 + UInt64(digit - 0x30)
        guard whole <= largest else { throw invalid }
      }
      rest = rest.dropFirst(integer.count)
      var fraction: UInt64 = 0
      var scale = 1.0
      var fractionDigits = 0
      if rest.first == 0x2E {
        rest = rest.dropFirst()
        var isFull = false
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        for digit in digits where !isFull {
          // Digits beyond 64 bits do not change the result.
          if fraction > (largest - 1) / 10 { isFull = true; continue }
          let next = fraction * 10 + UInt64(digit - 0x30)
          if next > largest { isFull = true; continue }
          fraction = next
          scale *= 10
        }
        fractionDigits = digits.count
        rest = rest.dropFirst(digits.count)
      }
      guard !integer.isEmpty || fractionDigits > 0 else { throw invalid }
      let name = rest.prefix { $0 != 0x2E && !(0x30...0x39).contains($0) }
      guard !name.isEmpty else { throw FunctionFailure("time: missing unit in duration " + Self.quoted(text)) }
      guard let unit = Self.units[String(decoding: name, as: UTF8.self)] else {
        throw FunctionFailure(
          "time: unknown unit " + Self.quoted(ByteString(bytes: Array(name))) + " in duration " + Self.quoted(text))
      }
      rest = rest.dropFirst(name.count)
      guard whole <= largest / unit else { throw invalid }
      var value = whole * unit
      if fraction > 0 { value += UInt64(Double(fraction) * (Double(unit) / scale)) }
      guard value <= largest, total + value <= largest else { throw invalid }
      total += value
    }
    if isNegative {
      self.nanoseconds = Int64(truncatingIfNeeded: 0 &- total)
    } else {
      guard let value = Int64(exactly: total) else { throw invalid }
      self.nanoseconds = value
    }
  }

  /// Quotes as Go's time package does: bytes outside printable ASCII as `\x…`.
  private static func quoted(_ text: ByteString) -> ByteString {
    var out: [UInt8] = [0x22]
    for byte in text.bytes {
      if byte == 0x22 || byte == 0x5C {
        out += [0x5C, byte]
      } else if byte < 0x20 || byte >= 0x80 {
        out += [0x5C, UInt8(ascii: "x")]
        Quoting.appendHex(UInt32(byte), digits: 2, to: &out)
      } else {
        out.append(byte)
      }
    }
    return ByteString(bytes: out + [0x22])
  }
}

extension TemplateDuration: CustomStringConvertible {
  /// `1h2m3.5s`, `1.5ms`, `0s`.
  public var description: String {
    guard nanoseconds != 0 else { return "0s" }
    let sign = nanoseconds < 0 ? "-" : ""
    let value = nanoseconds.magnitude
    func decimal(_ value: UInt64, _ unit: UInt64) -> String {
      var digits = String(value % unit + unit).dropFirst()
      while digits.last == "0" { digits.removeLast() }
      return "\(value / unit)" + (digits.isEmpty ? "" : ".\(digits)")
    }
    switch value {
    case ..<1_000: return "\(sign)\(value)ns"
    case ..<1_000_000: return "\(sign)\(decimal(value, 1_000))µs"
    case ..<1_000_000_000: return "\(sign)\(decimal(value, 1_000_000))ms"
    default:
      let minutes = value / 60_000_000_000
      let seconds = decimal(value % 60_000_000_000, 1_000_000_000) + "s"
      if minutes == 0 { return sign + seconds }
      if minutes < 60 { return "\(sign)\(minutes)m\(seconds)" }
      return "\(sign)\(minutes / 60)h\(minutes % 60)m\(seconds)"
    }
  }
}
