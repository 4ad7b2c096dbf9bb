/// Writes the binary format that `Binary` describes.
public struct BinaryWriter: FieldVisitor, Sendable {
  /// What has been written.
  public var bytes: [UInt8] = []

  /// An empty record; `reserve` bytes are set aside for it.
  public init(reserve: Int = 256) { bytes.reserveCapacity(reserve) }

  /// Key and value; nothing for zero values and fields that are only in JSON.
  @inlinable public mutating func field<T: FieldValue>(
    _ tag: Int, _ name: StaticString, _ value: inout T, _ options: FieldOptions
  ) {
    if options.contains(.jsonOnly) { return }
    value.writeField(tag, to: &self)
  }

  /// The number that stands before a value: tag and wire type.
  @inlinable public mutating func key(_ tag: Int, _ wire: WireType) {
    varint(UInt64(truncatingIfNeeded: tag) << 3 | UInt64(wire.rawValue))
  }

  /// A base-128 number, least significant group first.
  @inlinable public mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Small numbers of either sign become short.
  @inlinable public mutating func zigzag(_ value: Int64) {
    varint(UInt64(bitPattern: value << 1 ^ value >> 63))
  }

  /// Eight bytes, least significant first.
  @inlinable public mutating func fixed64(_ value: UInt64) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
  }

  /// The number of UTF-8 bytes and the bytes.
  @inlinable public mutating func delimited(_ text: String) {
    varint(UInt64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  /// Keeps room for a length; `endNested` fills it in.
  @inlinable public mutating func beginNested() -> Int {
    bytes.append(0)
    return bytes.count - 1
  }

  /// Lengths below 128 fit the byte that was kept; for longer ones what was written moves up.
  @inlinable public mutating func endNested(_ mark: Int) {
    let count = bytes.count - mark - 1
    if count < 0x80 {
      bytes[mark] = UInt8(truncatingIfNeeded: count)
      return
    }
    var length = BinaryWriter(reserve: 10)
    length.varint(UInt64(count))
    bytes.replaceSubrange(mark...mark, with: length.bytes)
  }
}
