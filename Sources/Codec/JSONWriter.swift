// For libm, which rounding of doubles is linked to.
import Glibc

/// Writes JSON text. Strings are written as they are but for what RFC 8259 §7 wants escaped.
public struct JSONWriter: FieldVisitor, Sendable {
  /// What has been written.
  public var bytes: [UInt8] = []
  @usableFromInline let pretty: Bool
  @usableFromInline var depth = 0
  /// Whether the next element of the innermost list or object needs a comma before it.
  @usableFromInline var needsComma = false

  /// An empty text; `reserve` bytes are set aside for it.
  public init(pretty: Bool = false, reserve: Int = 512) {
    self.pretty = pretty
    bytes.reserveCapacity(reserve)
  }

  /// The member `name`, with the comma before it if it needs one.
  @inlinable public mutating func field<T: FieldValue>(
    _ tag: Int, _ name: StaticString, _ value: inout T, _ options: FieldOptions
  ) {
    if options.contains(.binaryOnly) { return }
    if options.contains(.omitEmpty) && value.isZero { return }
    writeKey(name)
    if T.isCollection && !options.contains(.emptyCollection) && value.isZero {
      writeNull()
    } else {
      value.write(to: &self)
    }
  }

  /// The key of a field, with the comma before it. One append for all of it: growing the array byte by byte costs more
  /// than the bytes.
  @inlinable mutating func writeKey(_ name: StaticString) {
    if pretty { return writePrettyKey(name) }
    let comma = needsComma
    needsComma = true
    // Names of fields are ASCII letters and digits: nothing to escape.
    name.withUTF8Buffer { name in
      bytes.append(addingCapacity: name.count + 4) { (output: inout OutputSpan<UInt8>) in
        if comma { output.append(0x2C) }
        output.append(0x22)
        for byte in name { output.append(byte) }
        output.append(0x22)
        output.append(0x3A)
      }
    }
  }

  @usableFromInline mutating func writePrettyKey(_ name: StaticString) {
    separate()
    bytes.append(0x22)
    name.withUTF8Buffer { bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: [0x22, 0x3A, 0x20])
  }

  /// Whether there are no spaces and line breaks between the parts.
  @inlinable public var isCompact: Bool { !pretty }

  /// Members of the innermost object that were written before, by a writer of their own: keys and values with commas
  /// between them. For a compact writer.
  @inlinable public mutating func append(members: [UInt8]) {
    if members.isEmpty { return }
    if needsComma { bytes.append(0x2C) }
    bytes.append(contentsOf: members)
    needsComma = true
  }

  /// The key of a member that no field list names.
  public mutating func key(_ name: String) {
    separate()
    write(name)
    bytes.append(0x3A)
    if pretty { bytes.append(0x20) }
  }

  /// Before each element of a list; `field` and `key` do it for members of objects.
  @inlinable public mutating func separate() {
    if needsComma { bytes.append(0x2C) } else { needsComma = true }
    if pretty { newline() }
  }

  /// `{`; members follow through `field` or `key`.
  @inlinable public mutating func beginObject() { open(0x7B) }
  /// `}` of the innermost object.
  @inlinable public mutating func endObject() { close(0x7D) }
  /// `[`; each element needs `separate()` before it.
  @inlinable public mutating func beginArray() { open(0x5B) }
  /// `]` of the innermost list.
  @inlinable public mutating func endArray() { close(0x5D) }

  @inlinable mutating func open(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = false
    depth += 1
  }

  @inlinable mutating func close(_ bracket: UInt8) {
    depth -= 1
    if pretty && needsComma { newline() }
    bytes.append(bracket)
    needsComma = true
  }

  @usableFromInline mutating func newline() {
    bytes.append(0x0A)
    for _ in 0..<(4 * depth) { bytes.append(0x20) }
  }

  /// Makes room for a long list of which the first `share` of `count` elements stand from `start` on. Growing by doubling
  /// touches every page of its text twice. Never by less than doubling, or lists in lists would grow in small steps.
  @usableFromInline mutating func reserve(start: Int, share: Int, of count: Int) {
    let size = start + (bytes.count - start) / share * (count + count / 16)
    if size / 2 > bytes.capacity { bytes.reserveCapacity(size) }
  }

  /// `null`.
  public mutating func writeNull() { append("null") }

  /// `true` or `false`.
  public mutating func write(_ value: Bool) { append(value ? "true" : "false") }

  private mutating func append(_ text: StaticString) { text.withUTF8Buffer { bytes.append(contentsOf: $0) } }

  /// A whole number in decimal.
  public mutating func write(_ value: Int64) {
    if value < 0 { bytes.append(0x2D) }
    write(value.magnitude)
  }

  /// A whole number in decimal.
  public mutating func write(_ value: UInt64) {
    if value < 10 {
      bytes.append(0x30 + UInt8(truncatingIfNeeded: value))
      return
    }
    // Backwards, dividing by a constant; the largest number has twenty digits.
    var digits = InlineArray<20, UInt8>(repeating: 0x30)
    var first = 20
    var rest = value
    while rest > 0 {
      first -= 1
      digits[first] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    bytes.append(addingCapacity: 20 - first) { (output: inout OutputSpan<UInt8>) in
      for index in first..<20 { output.append(digits[index]) }
    }
  }

  /// The shortest text that reads back as the same number; whole numbers without a fraction. JSON has no infinity and
  /// no NaN: they become `null`.
  public mutating func write(_ value: Double) {
    if !value.isFinite {
      writeNull()
    } else if value == value.rounded(.towardZero) && value.magnitude < 9_007_199_254_740_992 {
      write(Int64(value))
    } else {
      bytes.append(contentsOf: value.description.utf8)
    }
  }

  /// A text in quotes, escaped where RFC 8259 §7 wants it.
  public mutating func write(_ value: String) {
    bytes.append(0x22)
    let start = bytes.count
    bytes.append(contentsOf: value.utf8)
    if JSONWriter.hasEscapes(bytes.span.extracting(start...)) { escape(from: start) }
    bytes.append(0x22)
  }

  /// Looks at every byte, without leaving early: that way the loop can look at many at a time.
  private static func hasEscapes(_ text: Span<UInt8>) -> Bool {
    var found = false
    for index in text.indices where needsEscape(text[index]) { found = true }
    return found
  }

  @inline(__always) static func needsEscape(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x22 || byte == 0x5C }

  /// Rewrites everything from `index` to the end with escapes.
  private mutating func escape(from index: Int) {
    let tail = Array(bytes[index...])
    bytes.removeLast(bytes.count - index)
    for byte in tail {
      switch byte {
      case 0x22, 0x5C: bytes.append(contentsOf: [0x5C, byte])
      case 0x0A: bytes.append(contentsOf: [0x5C, 0x6E])
      case 0x0D: bytes.append(contentsOf: [0x5C, 0x72])
      case 0x09: bytes.append(contentsOf: [0x5C, 0x74])
      case 0x08: bytes.append(contentsOf: [0x5C, 0x62])
      case 0x0C: bytes.append(contentsOf: [0x5C, 0x66])
      case 0..<0x20:
        bytes.append(contentsOf: [0x5C, 0x75, 0x30, 0x30, 0x30 + (byte >> 4), hexDigit(byte & 15)])
      default: bytes.append(byte)
      }
    }
  }
}

/// The lower case digit of a number below 16.
@inline(__always) func hexDigit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }

/// The value of a hexadecimal digit of either case.
@inline(__always) func hexValue(_ byte: UInt8) -> UInt8? {
  switch byte {
  case 0x30...0x39: byte - 0x30
  case 0x41...0x46: byte - 0x37
  case 0x61...0x66: byte - 0x57
  default: nil
  }
}
