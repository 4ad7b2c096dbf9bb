/// Values to JSON text and back (RFC 8259).
public enum JSON {
  /// - Parameter pretty: line breaks and an indentation of four spaces, as `?pretty` gives.
  @inlinable public static func encode<T: FieldValue>(_ value: T, pretty: Bool = false) -> [UInt8] {
    var writer = JSONWriter(pretty: pretty)
    value.write(to: &writer)
    return writer.bytes
  }

  /// As text; `pretty` with four spaces a level, as `?pretty` shows it.
  @inlinable public static func text<T: FieldValue>(_ value: T, pretty: Bool = false) -> String {
    String(decoding: encode(value, pretty: pretty), as: UTF8.self)
  }

  /// Reads one value; nothing but white space may follow it. Keys that the type does not name are passed over.
  /// - Throws: `CodecError` for text that is no JSON, more than `JSONDocument.maximumDepth` levels, or a value of another
  ///   kind than the field takes; the error names the field.
  public static func decode<T: FieldValue>(_ type: T.Type, from bytes: [UInt8]) throws(CodecError) -> T {
    var ignored: [String]? = nil
    return try decode(type, from: bytes, unknownKeys: &ignored)
  }

  /// The same, and gathers the paths of keys that the type does not name when `unknownKeys` is not nil.
  public static func decode<T: FieldValue>(
    _ type: T.Type, from bytes: [UInt8], unknownKeys: inout [String]?
  ) throws(CodecError) -> T {
    var reader = JSONReader(try JSONDocument(bytes), collectUnknown: unknownKeys != nil)
    var value = T.zeroValue
    value.read(from: &reader, at: 0)
    if let error = reader.error { throw error }
    if unknownKeys != nil { unknownKeys = reader.unknownKeys }
    return value
  }

  /// Reads a whole text; anything behind the value but white space is an error.
  public static func decode<T: FieldValue>(_ type: T.Type, from text: String) throws(CodecError) -> T {
    try decode(type, from: Array(text.utf8))
  }
}
