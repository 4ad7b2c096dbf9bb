/// Reads the binary format that `Binary` describes.
///
/// Nothing in the input is trusted: a length is compared with what is left before anything is allocated, nesting is
/// bounded, and the first thing that does not fit sets `error` and stops the reading.
public struct BinaryReader: FieldVisitor, Sendable {
  /// Records within records; the model needs about ten.
  public static let maximumDepth = 64

  /// The first thing that did not fit; nil as long as all did.
  public private(set) var error: CodecError?
  private let bytes: [UInt8]
  private var position: Int
  /// Where the current record ends.
  private var limit: Int
  /// The tag of the field at `position`; `Int.max` at the end of the record.
  private var tag = 0
  private var wire = WireType.varint
  private var depth = 0

  /// Reads the record in `range` of `bytes`; a range beyond the end is cut.
  public init(_ bytes: [UInt8], range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    limit = Swift.min(range.upperBound, bytes.count)
  }

  /// Reads every occurrence of the field; tags come in ascending order, lower ones are passed over.
  public mutating func field<T: FieldValue>(
    _ tag: Int, _ name: StaticString, _ value: inout T, _ options: FieldOptions
  ) {
    if error != nil || options.contains(.jsonOnly) { return }
    while self.tag < tag { skipField() }
    while self.tag == tag {
      if wire != T.fieldWire {
        fail("wire type \(wire.rawValue) where \(T.fieldWire.rawValue) was expected")
      } else {
        value.readField(from: &self)
      }
      if error != nil {
        error?.prepend(name.description)
        return
      }
      advance()
    }
  }

  mutating func fail(_ problem: String) {
    if error == nil { error = CodecError(offset: position, problem: problem) }
    tag = .max
  }

  /// Reads the key of the next field.
  mutating func advance() {
    if error != nil { return }
    if position == limit {
      tag = .max
      return
    }
    let key = varint()
    if error != nil { return }
    guard let wire = WireType(rawValue: UInt8(key & 7)), key >> 3 > 0, key >> 3 < UInt64(UInt32.max) else {
      return fail("no such field key: \(key)")
    }
    let next = Int(key >> 3)
    if next < tag { return fail("field \(next) after field \(tag)") }
    self.tag = next
    self.wire = wire
  }

  private mutating func skipField() {
    switch wire {
    case .varint: _ = varint()
    case .fixed64: _ = fixed64()
    case .delimited: _ = delimitedRange()
    }
    advance()
  }

  /// Passes over what is left of the outermost record.
  mutating func finish() {
    while error == nil && tag != .max { skipField() }
  }

  // MARK: for implementations of FieldValue

  /// A base-128 number of at most ten bytes; 0 and an error when it is cut off or too long.
  public mutating func varint() -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < limit {
      let byte = bytes[position]
      position += 1
      if shift == 63 && byte > 1 {
        fail("a number of more than 64 bits")
        return 0
      }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
      if shift > 63 {
        fail("a number of more than 64 bits")
        return 0
      }
    }
    fail("the bytes end within a number")
    return 0
  }

  /// A number of either sign, as `BinaryWriter.zigzag` wrote it.
  public mutating func zigzag() -> Int64 {
    let value = varint()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// Eight bytes, least significant first; 0 and an error when fewer are left.
  public mutating func fixed64() -> UInt64 {
    guard limit - position >= 8 else {
      fail("the bytes end within a number")
      return 0
    }
    var value: UInt64 = 0
    for index in 0..<8 { value |= UInt64(bytes[position + index]) << UInt64(8 * index) }
    position += 8
    return value
  }

  /// Where the bytes of a delimited value lie; empty with the error set when they would go beyond the record.
  private mutating func delimitedRange() -> Range<Int> {
    let count = varint()
    if error != nil { return position..<position }
    guard count <= UInt64(limit - position) else {
      fail("a length of \(count) bytes where \(limit - position) are left")
      return position..<position
    }
    let range = position..<position + Int(count)
    position = range.upperBound
    return range
  }

  /// A length and that many bytes; empty and an error when fewer are left.
  public mutating func delimitedBytes() -> ArraySlice<UInt8> { bytes[delimitedRange()] }

  /// A length and that many bytes of UTF-8; ill-formed sequences are an error.
  public mutating func text() -> String {
    let range = delimitedRange()
    guard let text = String(validating: bytes[range], as: UTF8.self) else {
      fail("a string is not valid UTF-8")
      return ""
    }
    return text
  }

  /// What `beginNested` put aside.
  public struct Outer {
    var limit: Int
    var tag: Int
    var wire: WireType
  }

  /// Enters a delimited value and reads the key of its first field.
  public mutating func beginNested() -> Outer? {
    let range = delimitedRange()
    if error != nil { return nil }
    if depth == BinaryReader.maximumDepth {
      fail("more than \(BinaryReader.maximumDepth) levels of nesting")
      return nil
    }
    let outer = Outer(limit: limit, tag: tag, wire: wire)
    depth += 1
    position = range.lowerBound
    limit = range.upperBound
    tag = 0
    advance()
    return outer
  }

  /// Goes on behind the nested record, whatever of it was not read.
  public mutating func endNested(_ outer: Outer) {
    finish()
    if error != nil { return }
    depth -= 1
    position = limit
    limit = outer.limit
    tag = outer.tag
    wire = outer.wire
  }
}
