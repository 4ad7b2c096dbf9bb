internal import BaseEncoding

/// Bytes; base64 (RFC 4648 §4, padded) in JSON.
public struct Blob: FieldValue, Hashable {
  public var bytes: [UInt8]

  public init(_ bytes: [UInt8] = []) { self.bytes = bytes }

  /// The base64 text.
  public var base64: String { Base64.text(bytes) }

  /// Nil for what is not padded base64; line breaks are passed over.
  public init?(base64 text: String) {
    guard let bytes = try? Base64.decode(text.utf8) else { return nil }
    self.bytes = bytes
  }

  public static var zeroValue: Blob { Blob() }
  public var isZero: Bool { bytes.isEmpty }
  public func write(to writer: inout JSONWriter) { writer.write(base64) }
  public mutating func read(from reader: inout JSONReader, at index: Int) {
    if reader.isNull(at: index) { return }
    guard reader.kind(at: index) == .string, let value = Blob(base64: reader.string(at: index)) else {
      return reader.fail(at: index, "expected a base64 string")
    }
    self = value
  }
  public static var wire: WireType { .delimited }
  public func write(to writer: inout BinaryWriter) {
    writer.varint(UInt64(bytes.count))
    writer.bytes.append(contentsOf: bytes)
  }
  public mutating func read(from reader: inout BinaryReader) { bytes = Array(reader.delimitedBytes()) }
  public var tree: FieldTree { .scalar(base64) }
}
