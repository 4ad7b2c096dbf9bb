/// Bytes; base64 (RFC 4648 §4, padded) in JSON.
public struct Blob: FieldValue, Hashable {
  /// The bytes as they are, not encoded.
  public var bytes: [UInt8]

  /// Bytes that JSON shows in Base64.
  public init(_ bytes: [UInt8] = []) { self.bytes = bytes }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// The base64 text.
  public var base64: String {
    var result: [UInt8] = []
    result.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
      let left = bytes.count - index
      let group =
        UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
        | (left > 2 ? UInt32(bytes[index + 2]) : 0)
      result.append(Blob.alphabet[Int(group >> 18)])
      result.append(Blob.alphabet[Int(group >> 12 & 63)])
      result.append(left > 1 ? Blob.alphabet[Int(group >> 6 & 63)] : 0x3D)
      result.append(left > 2 ? Blob.alphabet[Int(group & 63)] : 0x3D)
      index += 3
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// Nil for what is not padded base64; line breaks are passed over.
  public init?(base64 text: String) {
    var result: [UInt8] = []
    var group: UInt32 = 0
    var count = 0
    var padding = 0
    for byte in text.utf8 where byte != 0x0A && byte != 0x0D {
      let value: UInt32
      switch byte {
      case 0x41...0x5A: value = UInt32(byte - 0x41)
      case 0x61...0x7A: value = UInt32(byte - 0x61) + 26
      case 0x30...0x39: value = UInt32(byte - 0x30) + 52
      case 0x2B: value = 62
      case 0x2F: value = 63
      case 0x3D:
        value = 0
        padding += 1
      default: return nil
      }
      if padding > 0 && byte != 0x3D { return nil }
      group = group << 6 | value
      count += 1
      if count % 4 == 0 {
        if padding > 2 { return nil }
        result.append(UInt8(truncatingIfNeeded: group >> 16))
        if padding < 2 { result.append(UInt8(truncatingIfNeeded: group >> 8)) }
        if padding < 1 { result.append(UInt8(truncatingIfNeeded: group)) }
        group = 0
      }
    }
    guard count % 4 == 0, padding <= 2 else { return nil }
    bytes = result
  }

  /// No bytes.
  public static var zeroValue: Blob { Blob() }
  /// Whether it is `zeroValue`, which the binary format leaves out.
  public var isZero: Bool { bytes.isEmpty }
  /// Writes the bytes in Base64.
  public func write(to writer: inout JSONWriter) { writer.write(base64) }
  /// Reads text in Base64.
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    if reader.isNull(at: index) { return }
    guard reader.kind(at: index) == .string, let value = Blob(base64: reader.string(at: index)) else {
      return reader.fail(at: index, "expected a base64 string")
    }
    self = value
  }
  /// The bytes, delimited.
  public static var wire: WireType { .delimited }
  /// As `wire` says, without a key before it.
  public func write(to writer: inout BinaryWriter) {
    writer.varint(UInt64(bytes.count))
    writer.bytes.append(contentsOf: bytes)
  }
  /// Reads what `write(to:)` wrote; anything else is the reader's error.
  public mutating func read(from reader: inout BinaryReader) { bytes = Array(reader.delimitedBytes()) }
  /// As the structural diff compares and shows it.
  public var tree: FieldTree { .scalar(base64) }
}
