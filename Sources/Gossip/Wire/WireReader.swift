/// Bytes that are not what the protocol says.
struct MalformedPacket: Error, Equatable {
  let problem: String

  init(_ problem: String) { self.problem = problem }
}

/// Reads numbers (big-endian) and texts off the front of bytes that nobody vouches for.
struct WireReader {
  private let bytes: [UInt8]
  private(set) var position: Int
  private let end: Int

  init(_ bytes: [UInt8], from position: Int = 0) {
    self.bytes = bytes
    self.position = position
    end = bytes.count
  }

  private init(_ bytes: [UInt8], _ range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  var isAtEnd: Bool { position == end }
  var rest: [UInt8] { Array(bytes[position..<end]) }

  mutating func uint8() throws(MalformedPacket) -> UInt8 { UInt8(try number(1)) }
  mutating func uint16() throws(MalformedPacket) -> UInt16 { UInt16(try number(2)) }
  mutating func uint32() throws(MalformedPacket) -> UInt32 { UInt32(try number(4)) }
  mutating func uint64() throws(MalformedPacket) -> UInt64 { try number(8) }

  private mutating func number(_ width: Int) throws(MalformedPacket) -> UInt64 {
    guard end - position >= width else { throw MalformedPacket("the bytes end within a number") }
    var value: UInt64 = 0
    for _ in 0..<width {
      value = value << 8 | UInt64(bytes[position])
      position += 1
    }
    return value
  }

  mutating func bytes(_ count: Int) throws(MalformedPacket) -> [UInt8] {
    guard count <= end - position else { throw MalformedPacket("a length goes beyond the bytes") }
    defer { position += count }
    return Array(bytes[position..<(position + count)])
  }

  /// A reader of the next bytes alone, which are passed over.
  mutating func part(_ count: Int) throws(MalformedPacket) -> WireReader {
    guard count <= end - position else { throw MalformedPacket("a length goes beyond the bytes") }
    defer { position += count }
    return WireReader(bytes, position..<(position + count))
  }

  /// A text behind one byte of length.
  mutating func text(atLeast least: Int = 0, atMost most: Int = 255) throws(MalformedPacket) -> String {
    let count = Int(try uint8())
    guard (least...most).contains(count) else {
      throw MalformedPacket("a text of \(count) bytes where \(least) to \(most) are allowed")
    }
    guard let text = String(validating: try bytes(count), as: UTF8.self) else {
      throw MalformedPacket("a text is not UTF-8")
    }
    return text
  }
}

extension [UInt8] {
  mutating func append16(_ value: UInt16) { appendBigEndian(UInt64(value), 2) }
  mutating func append32(_ value: UInt32) { appendBigEndian(UInt64(value), 4) }
  mutating func append64(_ value: UInt64) { appendBigEndian(value, 8) }

  private mutating func appendBigEndian(_ value: UInt64, _ width: Int) {
    for byte in (0..<width).reversed() { append(UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))) }
  }

  /// A text behind one byte of length; cut at 255 bytes, which the core's own texts never reach.
  mutating func appendText(_ text: String) {
    let bytes = text.utf8.prefix(255)
    append(UInt8(bytes.count))
    append(contentsOf: bytes)
  }
}
