/// Values to the binary log format and back.
///
/// The format has protobuf's wire idea: a record is a sequence of fields, each a varint key `tag << 3 | wire type` and a
/// value; zero values are left out; a list repeats its field; a map repeats a record of key (1) and value (2), sorted by
/// key; signed numbers are zigzag varints. Tags ascend within a record. A reader passes over tags it does not know, so an
/// older server reads what a newer one wrote. Equal values give equal bytes.
public enum Binary {
  /// The fields of `value` in ascending order of their tags, without a length before them.
  @inlinable public static func encode<R: Record>(_ value: R) -> [UInt8] {
    var writer = BinaryWriter()
    var copy = value
    copy.visit(&writer)
    return writer.bytes
  }

  /// - Throws: `CodecError` for bytes that are not such a record: cut off, a length beyond the end, a wrong wire type,
  ///   tags out of order, more than `BinaryReader.maximumDepth` levels.
  public static func decode<R: Record>(_ type: R.Type, from bytes: [UInt8]) throws(CodecError) -> R {
    try decode(type, from: bytes, range: 0..<bytes.count)
  }

  /// The same for a part of the bytes, without copying it out.
  public static func decode<R: Record>(
    _ type: R.Type, from bytes: [UInt8], range: Range<Int>
  ) throws(CodecError) -> R {
    var reader = BinaryReader(bytes, range: range)
    var value = R()
    reader.advance()
    value.visit(&reader)
    reader.finish()
    if let error = reader.error { throw error }
    return value
  }
}
