/// A UUID (RFC 9562) as sixteen bytes; its text is lower case with hyphens. The zero value stands for "none" and is the
/// empty string in JSON.
public struct Identifier: FieldValue, Hashable, Comparable, CustomStringConvertible {
  /// The first and the last eight bytes, most significant first: comparing them compares the texts.
  public let high: UInt64
  /// The last eight bytes of the UUID, as a big-endian number; `high` has the first.
  public let low: UInt64

  /// The UUID with these bits, whatever version they say.
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// No identifier: all bits zero, the empty text in JSON.
  public static let none = Identifier(high: 0, low: 0)
  /// Whether it is `none`.
  public var isNone: Bool { high == 0 && low == 0 }

  /// A version 4 UUID out of 128 random bits, of which 122 are kept.
  public init(random high: UInt64, _ low: UInt64) {
    self.init(
      high: high & 0xFFFF_FFFF_FFFF_0FFF | 0x4000, low: low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
  }

  /// A random UUID of version 4.
  public init<G: RandomNumberGenerator>(using generator: inout G) {
    self.init(random: generator.next(), generator.next())
  }

  /// The 36 characters of a UUID, letters of either case; the empty string is `none`. Nil for anything else.
  public init?(_ text: some StringProtocol) {
    if text.isEmpty {
      self = .none
      return
    }
    guard text.utf8.count == 36, let prefix = IdentifierPrefix(text) else { return nil }
    self = prefix.lower
  }

  /// The canonical text; empty for `none`.
  public var description: String {
    if isNone { return "" }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(36)
    append(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The first eight characters, as command line tools show ids.
  public var short: String { String(description.prefix(8)) }

  /// Whether its text begins with `text`, dashes included, letters of either case.
  public func hasPrefix(_ text: some StringProtocol) -> Bool {
    guard let prefix = IdentifierPrefix(text) else { return false }
    return prefix.matches(self)
  }

  private func append(to bytes: inout [UInt8]) {
    bytes.append(addingCapacity: 36) { (output: inout OutputSpan<UInt8>) in
      for position in 0..<16 {
        let word = position < 8 ? high : low
        let byte = UInt8(truncatingIfNeeded: word >> UInt64(8 * (7 - position & 7)))
        if position == 4 || position == 6 || position == 8 || position == 10 { output.append(0x2D) }
        output.append(hexDigit(byte >> 4))
        output.append(hexDigit(byte & 15))
      }
    }
  }

  /// By bits, which is the order of the texts.
  public static func < (left: Identifier, right: Identifier) -> Bool {
    left.high != right.high ? left.high < right.high : left.low < right.low
  }

  /// No identifier.
  public static var zeroValue: Identifier { none }
  /// Whether it is `zeroValue`, which the binary format leaves out.
  public var isZero: Bool { isNone }
  /// Writes the UUID as text, empty for none.
  public func write(to writer: inout JSONWriter) {
    writer.bytes.append(0x22)
    if !isNone { append(to: &writer.bytes) }
    writer.bytes.append(0x22)
  }
  /// Reads a UUID as text, or the empty text.
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    if reader.isNull(at: index) { return }
    guard reader.kind(at: index) == .string else { return reader.fail(at: index, expected: "a UUID") }
    let text = reader.string(at: index)
    guard let value = Identifier(text) else { return reader.fail(at: index, "expected a UUID, got \"\(text)\"") }
    self = value
  }

  /// Sixteen bytes, delimited.
  public static var wire: WireType { .delimited }
  /// As `wire` says, without a key before it.
  public func write(to writer: inout BinaryWriter) {
    writer.varint(16)
    writer.fixed64(high.byteSwapped)
    writer.fixed64(low.byteSwapped)
  }
  /// Reads what `write(to:)` wrote; anything else is the reader's error.
  public mutating func read(from reader: inout BinaryReader) {
    let bytes = reader.delimitedBytes()
    if reader.error != nil { return }
    guard bytes.count == 16 else { return reader.fail("a UUID of \(bytes.count) bytes instead of 16") }
    var words: (UInt64, UInt64) = (0, 0)
    for byte in bytes.prefix(8) { words.0 = words.0 << 8 | UInt64(byte) }
    for byte in bytes.suffix(8) { words.1 = words.1 << 8 | UInt64(byte) }
    self = Identifier(high: words.0, low: words.1)
  }
  /// As the structural diff compares and shows it.
  public var tree: FieldTree { .scalar(description) }
}

/// The beginning of a UUID's text: the identifiers that begin so are those from `lower` to `upper`, both included.
public struct IdentifierPrefix: Sendable, Hashable {
  /// The least identifier that begins so.
  public let lower: Identifier
  /// The greatest identifier that begins so.
  public let upper: Identifier

  /// Nil when the text can't begin a UUID: a character that is no digit, a hyphen in the wrong place, too long.
  public init?(_ text: some StringProtocol) {
    var words: (UInt64, UInt64) = (0, 0)
    var digits = 0
    for (position, byte) in text.utf8.enumerated() {
      switch position {
      case 8, 13, 18, 23:
        if byte != 0x2D { return nil }
        continue
      case 36...: return nil
      default: break
      }
      guard let value = hexValue(byte) else { return nil }
      let shift = UInt64(60 - 4 * (digits % 16))
      if digits < 16 { words.0 |= UInt64(value) << shift } else { words.1 |= UInt64(value) << shift }
      digits += 1
    }
    lower = Identifier(high: words.0, low: words.1)
    upper = Identifier(
      high: digits >= 16 ? words.0 : words.0 | (.max >> UInt64(4 * digits)),
      low: digits >= 32 ? words.1 : words.1 | (.max >> UInt64(4 * Swift.max(digits - 16, 0))))
  }

  /// Whether the identifier begins so.
  public func matches(_ identifier: Identifier) -> Bool { lower <= identifier && identifier <= upper }
}
