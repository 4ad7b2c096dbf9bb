/// The encoding of everything that leaves the process: messages on the socket and records in the runtime directory.
///
/// A value is a list of fields, each a number (1…) with a value: an unsigned integer (variable length, 7 bits a byte,
/// least significant first) or a run of bytes with its length. Fields of unknown number are skipped, so a newer side
/// may add some; a missing field has its default. Nested values and lists are runs of bytes and repeated fields.
struct WireWriter {
  private(set) var bytes: [UInt8] = []

  mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }
  mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

  mutating func number(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func field(_ tag: Int, _ value: UInt64) {
    number(UInt64(tag) << 1)
    number(value)
  }
  /// Signed numbers are folded so that small negative ones stay short.
  mutating func field(_ tag: Int, _ value: Int64) { field(tag, UInt64(bitPattern: (value << 1) ^ (value >> 63))) }
  mutating func field(_ tag: Int, _ value: Int32) { field(tag, Int64(value)) }
  mutating func field(_ tag: Int, _ value: Bool) { field(tag, value ? 1 as UInt64 : 0) }
  mutating func field(_ tag: Int, _ value: String) {
    number(UInt64(tag) << 1 | 1)
    number(UInt64(value.utf8.count))
    bytes += value.utf8
  }
  mutating func field(_ tag: Int, _ value: [UInt8]) {
    number(UInt64(tag) << 1 | 1)
    number(UInt64(value.count))
    bytes += value
  }
  mutating func field(_ tag: Int, _ value: some WireValue) {
    var inner = WireWriter()
    value.encode(to: &inner)
    field(tag, inner.bytes)
  }
}

/// A value with numbered fields.
protocol WireValue {
  func encode(to writer: inout WireWriter)
  init(from reader: WireReader) throws(WireError)
}

extension WireValue {
  var encoded: [UInt8] {
    var writer = WireWriter()
    encode(to: &writer)
    return writer.bytes
  }
  init(decoding bytes: [UInt8]) throws(WireError) { try self.init(from: try WireReader(bytes[...])) }
}

/// Bytes that are no value of the expected kind.
struct WireError: Error, Equatable, CustomStringConvertible {
  var problem: String
  var description: String { "malformed message: \(problem)" }
}

/// The fields of a value, decoded once.
struct WireReader {
  enum Field {
    case number(UInt64)
    case bytes(ArraySlice<UInt8>)
  }
  private var fields: [(tag: Int, value: Field)] = []

  /// Nesting is bounded by the types: a reader is made per nested value, and no type contains itself.
  init(_ bytes: ArraySlice<UInt8>) throws(WireError) {
    var at = bytes.startIndex
    while at < bytes.endIndex {
      let key = try Self.number(bytes, &at)
      guard key >> 1 > 0, key >> 1 < 1 << 16 else { throw WireError(problem: "field number \(key >> 1)") }
      let value = try Self.number(bytes, &at)
      if key & 1 == 0 {
        fields.append((Int(key >> 1), .number(value)))
      } else {
        guard value <= UInt64(bytes.endIndex - at) else { throw WireError(problem: "a field longer than its message") }
        let end = at + Int(value)
        fields.append((Int(key >> 1), .bytes(bytes[at..<end])))
        at = end
      }
    }
  }

  static func number(_ bytes: ArraySlice<UInt8>, _ at: inout Int) throws(WireError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard at < bytes.endIndex else { throw WireError(problem: "ends inside a number") }
      let byte = bytes[at]
      at += 1
      if shift == 63 && byte > 1 { throw WireError(problem: "a number above 64 bits") }
      value |= UInt64(byte & 0x7f) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw WireError(problem: "a number above 64 bits")
  }

  /// The fields that are numbers, in the order in which they came.
  var numbers: [(tag: Int, value: UInt64)] {
    fields.compactMap { field in
      if case .number(let value) = field.value { (field.tag, value) } else { nil }
    }
  }

  func has(_ tag: Int) -> Bool { fields.contains { $0.tag == tag } }

  func optionalNumber(_ tag: Int) throws(WireError) -> UInt64? {
    guard let found = fields.last(where: { $0.tag == tag }) else { return nil }
    guard case .number(let value) = found.value else { throw WireError(problem: "field \(tag) is no number") }
    return value
  }
  func number(_ tag: Int, default missing: UInt64 = 0) throws(WireError) -> UInt64 {
    try optionalNumber(tag) ?? missing
  }
  func signed(_ tag: Int, default missing: Int64 = 0) throws(WireError) -> Int64 {
    guard let raw = try optionalNumber(tag) else { return missing }
    return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
  }
  func int32(_ tag: Int, default missing: Int32 = 0) throws(WireError) -> Int32 {
    guard let value = Int32(exactly: try signed(tag, default: Int64(missing))) else {
      throw WireError(problem: "field \(tag) is above 32 bits")
    }
    return value
  }
  func uint32(_ tag: Int, default missing: UInt32 = 0) throws(WireError) -> UInt32 {
    guard let value = UInt32(exactly: try number(tag, default: UInt64(missing))) else {
      throw WireError(problem: "field \(tag) is above 32 bits")
    }
    return value
  }
  func bool(_ tag: Int, default missing: Bool = false) throws(WireError) -> Bool {
    try number(tag, default: missing ? 1 : 0) != 0
  }
  func optionalBytes(_ tag: Int) throws(WireError) -> ArraySlice<UInt8>? {
    guard let found = fields.last(where: { $0.tag == tag }) else { return nil }
    guard case .bytes(let value) = found.value else { throw WireError(problem: "field \(tag) is a number") }
    return value
  }
  func optionalString(_ tag: Int) throws(WireError) -> String? {
    try optionalBytes(tag).map { String(decoding: $0, as: UTF8.self) }
  }
  func string(_ tag: Int) throws(WireError) -> String { try optionalString(tag) ?? "" }
  func allBytes(_ tag: Int) throws(WireError) -> [ArraySlice<UInt8>] {
    var all: [ArraySlice<UInt8>] = []
    for field in fields where field.tag == tag {
      guard case .bytes(let value) = field.value else { throw WireError(problem: "field \(tag) is a number") }
      all.append(value)
    }
    return all
  }
  func strings(_ tag: Int) throws(WireError) -> [String] {
    try allBytes(tag).map { String(decoding: $0, as: UTF8.self) }
  }
  func optionalValue<Value: WireValue>(_ tag: Int, _ type: Value.Type = Value.self) throws(WireError) -> Value? {
    guard let bytes = try optionalBytes(tag) else { return nil }
    return try Value(from: try WireReader(bytes))
  }
  func value<Value: WireValue>(_ tag: Int, _ type: Value.Type = Value.self) throws(WireError) -> Value {
    guard let value = try optionalValue(tag, type) else { throw WireError(problem: "field \(tag) is missing") }
    return value
  }
  func values<Value: WireValue>(_ tag: Int, _ type: Value.Type = Value.self) throws(WireError) -> [Value] {
    var all: [Value] = []
    for bytes in try allBytes(tag) { all.append(try Value(from: try WireReader(bytes))) }
    return all
  }
}
