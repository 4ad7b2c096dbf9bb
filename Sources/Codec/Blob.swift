internal import BaseEncoding

/// Bytes; base64 (RFC 4648 §4, padded) in JSON.
public struct Blob: FieldValue, Hashable {
  /// The bytes as they are, not encoded.
  public var bytes: [UInt8]

  /// Bytes that JSON shows in Base64.
  public init(_ bytes: [UInt8] = []) { self.bytes = bytes }

  /// The base64 text.
  public var base64: String { Base64.text(bytes) }

  /// Nil for what is not padded base64; line breaks are passed over.
  public init?(base64 text: String) {
    guard let bytes = try? Base64.decode(text.utf8) else { return nil }
    self.bytes = bytes
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
