/// A point in time: nanoseconds since 1970-01-01T00:00:00Z. In JSON RFC 3339 with up to nine digits of fraction; zero is
/// Go's zero time, `0001-01-01T00:00:00Z`, and means "never".
public struct Timestamp: FieldValue, Hashable, Comparable, CustomStringConvertible {
  /// Nanoseconds since 1970-01-01T00:00:00Z; 0 means "never" and is shown as year 1.
  public var nanoseconds: Int64

  /// The instant so many nanoseconds after 1970.
  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// Earlier is less.
  public static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }
  /// A later instant; stops at the ends of the range instead of overflowing.
  public static func + (left: Timestamp, right: Nanoseconds) -> Timestamp {
    Timestamp(nanoseconds: (Nanoseconds(left.nanoseconds) + right).count)
  }
  /// The time between two instants.
  public static func - (left: Timestamp, right: Timestamp) -> Nanoseconds {
    Nanoseconds(left.nanoseconds) - Nanoseconds(right.nanoseconds)
  }

  /// Reads RFC 3339: `2006-01-02T15:04:05.999999999Z`, or with an offset such as `+01:00`. Nil for anything else, and for
  /// years that 64 bits of nanoseconds can't hold (before 1678, after 2261) but Go's zero time.
  public init?(parsing text: String) {
    if text == Timestamp.zeroText {
      self.init(nanoseconds: 0)
      return
    }
    let bytes = Array(text.utf8)
    var position = 0
    func number(_ digits: Int) -> Int64? {
      guard bytes.count - position >= digits else { return nil }
      var value: Int64 = 0
      for byte in bytes[position..<position + digits] {
        guard byte >= 0x30, byte <= 0x39 else { return nil }
        value = value * 10 + Int64(byte - 0x30)
      }
      position += digits
      return value
    }
    func skip(_ expected: UInt8...) -> Bool {
      guard position < bytes.count, expected.contains(bytes[position]) else { return false }
      position += 1
      return true
    }
    guard let year = number(4), skip(0x2D), let month = number(2), skip(0x2D), let day = number(2),
      skip(0x54, 0x74, 0x20), let hour = number(2), skip(0x3A), let minute = number(2), skip(0x3A),
      let second = number(2), (1...12).contains(month), day >= 1, day <= Timestamp.days(in: month, of: year), hour < 24,
      minute < 60, second < 60, (1678...2261).contains(year)
    else { return nil }
    var fraction: Int64 = 0
    if skip(0x2E) {
      var scale: Int64 = 100_000_000
      var digits = 0
      while let digit = number(1) {
        fraction += digit * scale
        scale /= 10
        digits += 1
      }
      if digits == 0 { return nil }
    }
    var offset: Int64 = 0
    if !skip(0x5A, 0x7A) {
      guard position < bytes.count else { return nil }
      let sign: Int64 = bytes[position] == 0x2D ? -1 : 1
      guard skip(0x2B, 0x2D), let hours = number(2), skip(0x3A), let minutes = number(2), hours < 24, minutes < 60
      else {
        return nil
      }
      offset = sign * (hours * 3600 + minutes * 60)
    }
    guard position == bytes.count else { return nil }
    let seconds = Timestamp.daysFromCivil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
    self.init(nanoseconds: seconds * 1_000_000_000 + fraction)
  }

  private static let zeroText = "0001-01-01T00:00:00Z"

  private static func days(in month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days since 1970-01-01 of a date of the Gregorian calendar; years are counted from March, eras are 400 years.
  public static func daysFromCivil(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// The other way round.
  public static func civilFromDays(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  /// RFC 3339 in UTC, trailing zeros of the fraction left out.
  public var description: String {
    if nanoseconds == 0 { return Timestamp.zeroText }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(30)
    append(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  private func append(to bytes: inout [UInt8]) {
    let billion: Int64 = 1_000_000_000
    let seconds = nanoseconds >= 0 ? nanoseconds / billion : (nanoseconds - billion + 1) / billion
    let fraction = nanoseconds - seconds * billion
    let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    let rest = seconds - days * 86_400
    let (year, month, day) = Timestamp.civilFromDays(days)
    bytes.append(addingCapacity: 30) { (output: inout OutputSpan<UInt8>) in
      func two(_ value: Int64) {
        output.append(0x30 + UInt8(truncatingIfNeeded: value / 10))
        output.append(0x30 + UInt8(truncatingIfNeeded: value % 10))
      }
      two(year / 100)
      two(year % 100)
      output.append(0x2D)
      two(month)
      output.append(0x2D)
      two(day)
      output.append(0x54)
      two(rest / 3600)
      output.append(0x3A)
      two(rest / 60 % 60)
      output.append(0x3A)
      two(rest % 60)
      if fraction > 0 {
        output.append(0x2E)
        var left = fraction
        var scale = billion / 10
        while left > 0 {
          output.append(0x30 + UInt8(truncatingIfNeeded: left / scale))
          left %= scale
          scale /= 10
        }
      }
      output.append(0x5A)
    }
  }

  /// Never.
  public static var zeroValue: Timestamp { Timestamp(nanoseconds: 0) }
  /// Whether it is `zeroValue`, which the binary format leaves out.
  public var isZero: Bool { nanoseconds == 0 }
  /// Writes RFC 3339 text in UTC.
  public func write(to writer: inout JSONWriter) {
    writer.bytes.append(0x22)
    if nanoseconds == 0 {
      writer.bytes.append(contentsOf: Timestamp.zeroText.utf8)
    } else {
      append(to: &writer.bytes)
    }
    writer.bytes.append(0x22)
  }
  /// Reads RFC 3339 text in any zone.
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    if reader.isNull(at: index) { return }
    guard reader.kind(at: index) == .string else { return reader.fail(at: index, expected: "a time") }
    let text = reader.string(at: index)
    guard let value = Timestamp(parsing: text) else {
      return reader.fail(at: index, "expected a time such as \"2006-01-02T15:04:05Z\", got \"\(text)\"")
    }
    self = value
  }
  /// A zigzag number of nanoseconds.
  public static var wire: WireType { .varint }
  /// As `wire` says, without a key before it.
  public func write(to writer: inout BinaryWriter) { writer.zigzag(nanoseconds) }
  /// Reads what `write(to:)` wrote; anything else is the reader's error.
  public mutating func read(from reader: inout BinaryReader) { nanoseconds = reader.zigzag() }
  /// As the structural diff compares and shows it.
  public var tree: FieldTree { .scalar(description) }
}
