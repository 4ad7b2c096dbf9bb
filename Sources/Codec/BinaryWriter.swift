/// Writes the binary format that `Binary` describes.
public struct BinaryWriter: FieldVisitor, Sendable {
  public var bytes: [UInt8] = []

  public init(reserve: Int = 256) { bytes.reserveCapacity(reserve) }

  @inlinable public mutating func field<T: FieldValue>(
    _ tag: Int, _ name: StaticString, _ value: inout T, _ options: FieldOptions
  ) {
    if options.contains(.jsonOnly) { return }
    value.writeField(tag, to: &self)
  }

  @inlinable public mutating func key(_ tag: Int, _ wire: WireType) {
    varint(UInt64(truncatingIfNeeded: tag) << 3 | UInt64(wire.rawValue))
  }

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

  @inlinable public mutating func fixed64(_ value: UInt64) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
  }

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
