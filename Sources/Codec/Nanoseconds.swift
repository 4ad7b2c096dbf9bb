/// A length of time in nanoseconds. In JSON a whole number; a Go duration string (`1m30s`) is read as well.
public struct Nanoseconds: FieldValue, Hashable, Comparable, AdditiveArithmetic, CustomStringConvertible {
  /// The length of time in nanoseconds; negative ones are allowed.
  public var count: Int64

  /// So many nanoseconds.
  public init(_ count: Int64) { self.count = count }

  /// So many nanoseconds, spelt out where units are mixed.
  public static func nanoseconds(_ count: Int64) -> Nanoseconds { Nanoseconds(count) }
  /// So many milliseconds; stops at the largest length instead of overflowing.
  public static func milliseconds(_ count: Int64) -> Nanoseconds { scaled(count, 1_000_000) }
  /// So many seconds; stops at the largest length instead of overflowing.
  public static func seconds(_ count: Int64) -> Nanoseconds { scaled(count, 1_000_000_000) }
  /// So many minutes; stops at the largest length instead of overflowing.
  public static func minutes(_ count: Int64) -> Nanoseconds { scaled(count, 60_000_000_000) }
  /// So many hours; stops at the largest length instead of overflowing.
  public static func hours(_ count: Int64) -> Nanoseconds { scaled(count, 3_600_000_000_000) }

  private static func scaled(_ count: Int64, _ unit: Int64) -> Nanoseconds {
    let (product, overflow) = count.multipliedReportingOverflow(by: unit)
    return Nanoseconds(overflow ? (count < 0 ? .min : .max) : product)
  }

  /// No time at all.
  public static let zero = Nanoseconds(0)
  /// Sums stay at the ends of the range instead of leaving it.
  public static func + (left: Nanoseconds, right: Nanoseconds) -> Nanoseconds {
    let (sum, overflow) = left.count.addingReportingOverflow(right.count)
    return Nanoseconds(overflow ? (left.count < 0 ? .min : .max) : sum)
  }
  /// The difference, which stops at the ends of the range instead of overflowing.
  public static func - (left: Nanoseconds, right: Nanoseconds) -> Nanoseconds {
    let (difference, overflow) = left.count.subtractingReportingOverflow(right.count)
    return Nanoseconds(overflow ? (left.count < 0 ? .min : .max) : difference)
  }
  /// By length.
  public static func < (left: Nanoseconds, right: Nanoseconds) -> Bool { left.count < right.count }

  /// In seconds.
  public var seconds: Double { Double(count) / 1e9 }

  /// A Go duration string: a sign and decimal numbers with a unit each (`ns`, `us`, `µs`, `ms`, `s`, `m`, `h`); "0" alone
  /// needs none. Nil for anything else, and beyond 64 bits of nanoseconds.
  public init?(parsing text: String) {
    var bytes = Array(text.utf8)[...]
    var negative = false
    if let sign = bytes.first, sign == 0x2B || sign == 0x2D {
      negative = sign == 0x2D
      bytes.removeFirst()
    }
    if bytes.elementsEqual([0x30]) {
      self.init(0)
      return
    }
    if bytes.isEmpty { return nil }
    var total: UInt64 = 0
    while !bytes.isEmpty {
      guard let part = Nanoseconds.part(&bytes) else { return nil }
      let (sum, overflow) = total.addingReportingOverflow(part)
      if overflow || sum > UInt64(Int64.max) + (negative ? 1 : 0) { return nil }
      total = sum
    }
    self.init(negative ? Int64(truncatingIfNeeded: 0 &- total) : Int64(total))
  }

  /// One number with its unit, in nanoseconds; what is smaller than one is cut off.
  private static func part(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
    var whole: UInt64 = 0
    var fraction: [UInt64] = []
    var digits = 0
    while let byte = bytes.first, byte >= 0x30, byte <= 0x39 {
      let (scaled, overflow) = whole.multipliedReportingOverflow(by: 10)
      let (next, overflow2) = scaled.addingReportingOverflow(UInt64(byte - 0x30))
      if overflow || overflow2 { return nil }
      whole = next
      digits += 1
      bytes.removeFirst()
    }
    if bytes.first == 0x2E {
      bytes.removeFirst()
      while let byte = bytes.first, byte >= 0x30, byte <= 0x39 {
        fraction.append(UInt64(byte - 0x30))
        digits += 1
        bytes.removeFirst()
      }
    }
    if digits == 0 { return nil }
    let name = bytes.prefix { $0 != 0x2E && !($0 >= 0x30 && $0 <= 0x39) }
    bytes.removeFirst(name.count)
    let unit: UInt64
    switch String(decoding: name, as: UTF8.self) {
    case "ns": unit = 1
    case "us", "\u{B5}s", "\u{3BC}s": unit = 1_000
    case "ms": unit = 1_000_000
    case "s": unit = 1_000_000_000
    case "m": unit = 60_000_000_000
    case "h": unit = 3_600_000_000_000
    default: return nil
    }
    let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
    if overflow { return nil }
    // The fraction times the unit. 18 digits are more than the largest unit has; the product needs 128 bits.
    var numerator: UInt64 = 0
    var denominator: UInt64 = 1
    for digit in fraction.prefix(18) {
      numerator = numerator * 10 + digit
      denominator *= 10
    }
    let wide = numerator.multipliedFullWidth(by: unit)
    let rest = denominator.dividingFullWidth((wide.high, wide.low)).quotient
    let (sum, overflow2) = product.addingReportingOverflow(rest)
    return overflow2 ? nil : sum
  }

  /// As Go prints it: `1h30m0s`, `1.5s`, `300ms`, `0s`.
  public var description: String {
    if count == 0 { return "0s" }
    let magnitude = count.magnitude
    let sign = count < 0 ? "-" : ""
    func decimal(_ unit: UInt64, _ name: String) -> String {
      let whole = magnitude / unit
      let rest = magnitude % unit
      return sign + String(whole) + Nanoseconds.fraction(rest, of: unit) + name
    }
    if magnitude < 1_000 { return "\(sign)\(magnitude)ns" }
    if magnitude < 1_000_000 { return decimal(1_000, "µs") }
    if magnitude < 1_000_000_000 { return decimal(1_000_000, "ms") }
    let seconds = magnitude / 1_000_000_000
    let text = String(seconds % 60) + Nanoseconds.fraction(magnitude % 1_000_000_000, of: 1_000_000_000) + "s"
    if seconds < 60 { return sign + text }
    if seconds < 3600 { return "\(sign)\(seconds / 60)m\(text)" }
    return "\(sign)\(seconds / 3600)h\(seconds / 60 % 60)m\(text)"
  }

  private static func fraction(_ rest: UInt64, of unit: UInt64) -> String {
    if rest == 0 { return "" }
    var digits = String(rest)
    var width = 0
    var scale = unit
    while scale > 1 {
      width += 1
      scale /= 10
    }
    digits = String(repeating: "0", count: width - digits.count) + digits
    while digits.last == "0" { digits.removeLast() }
    return "." + digits
  }

  /// No time at all.
  public static var zeroValue: Nanoseconds { zero }
  /// Whether it is `zeroValue`, which the binary format leaves out.
  public var isZero: Bool { count == 0 }
  /// Writes a number of nanoseconds.
  public func write(to writer: inout JSONWriter) { writer.write(count) }
  /// Reads a number of nanoseconds or a Go duration such as "1m30s".
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    guard reader.kind(at: index) == .string else { return count.read(from: &reader, at: index) }
    let text = reader.string(at: index)
    guard let value = Nanoseconds(parsing: text) else {
      return reader.fail(at: index, "expected nanoseconds or a duration such as \"1m30s\", got \"\(text)\"")
    }
    self = value
  }
  /// A zigzag number.
  public static var wire: WireType { .varint }
  /// As `wire` says, without a key before it.
  public func write(to writer: inout BinaryWriter) { writer.zigzag(count) }
  /// Reads what `write(to:)` wrote; anything else is the reader's error.
  public mutating func read(from reader: inout BinaryReader) { count = reader.zigzag() }
  /// As the structural diff compares and shows it.
  public var tree: FieldTree { .scalar(String(count)) }
}
