/// A checked JSON text and where its values lie in it.
///
/// Parsing makes no strings and no numbers, only a flat list of entries in the order of the text; the members of an object
/// are pairs of entries, key and value. Readers jump over what they don't need with `next`.
public struct JSONDocument: Sendable {
  /// Levels of arrays and objects that a text may nest; deeper ones are refused, so no input can exhaust the stack.
  public static let maximumDepth = 128
  /// Larger texts are refused: offsets are 32 bits.
  public static let maximumBytes = Int(UInt32.max) - 1

  enum Kind: UInt8 { case null, bool, integer, double, string, array, object }

  struct Entry {
    var kind: Kind
    /// A string with escapes; true for a `bool`.
    var flag: Bool
    /// Where the text of the value begins and ends; a string's without its quotes.
    var start: UInt32
    var end: UInt32
    /// Index of the entry after this value and everything in it.
    var next: UInt32
  }

  let bytes: [UInt8]
  private(set) var entries: [Entry] = []

  /// - Throws: `CodecError` with the offset of the first byte that can't be part of a JSON text.
  public init(_ bytes: [UInt8]) throws(CodecError) {
    if bytes.count > JSONDocument.maximumBytes {
      throw CodecError(offset: 0, problem: "the text has \(bytes.count) bytes, more than \(JSONDocument.maximumBytes)")
    }
    self.bytes = bytes
    entries.reserveCapacity(bytes.count / 12 + 4)
    var parser = JSONParser(bytes: bytes)
    try parser.parseText(&entries)
  }
}

/// A recursive descent over RFC 8259's grammar, strict: no comments, no trailing commas, no byte order mark.
struct JSONParser {
  let bytes: [UInt8]
  var position = 0
  var depth = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  typealias Entry = JSONDocument.Entry

  mutating func parseText(_ entries: inout [Entry]) throws(CodecError) {
    skipSpace()
    if position == bytes.count { throw error("expected a JSON value, got an empty text") }
    try parseValue(&entries)
    skipSpace()
    if position < bytes.count { throw error("unexpected \(found()) after the value") }
  }

  func error(_ problem: String) -> CodecError { CodecError(offset: position, problem: problem) }

  func found() -> String {
    guard position < bytes.count else { return "the end of the text" }
    let byte = bytes[position]
    return byte > 0x20 && byte < 0x7F
      ? "\"\(Character(Unicode.Scalar(byte)))\"" : "byte 0x" + String(byte, radix: 16, uppercase: true)
  }

  mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  mutating func parseValue(_ entries: inout [Entry]) throws(CodecError) {
    guard position < bytes.count else { throw error("expected a value, got the end of the text") }
    switch bytes[position] {
    case 0x22: try parseString(&entries)
    case 0x7B: try parseObject(&entries)
    case 0x5B: try parseArray(&entries)
    case 0x2D, 0x30...0x39: try parseNumber(&entries)
    case 0x74: try parseWord("true", .bool, true, &entries)
    case 0x66: try parseWord("false", .bool, false, &entries)
    case 0x6E: try parseWord("null", .null, false, &entries)
    default: throw error("expected a value, got \(found())")
    }
  }

  private mutating func append(_ kind: JSONDocument.Kind, _ flag: Bool, from start: Int, _ entries: inout [Entry]) {
    entries.append(
      Entry(kind: kind, flag: flag, start: UInt32(start), end: UInt32(position), next: UInt32(entries.count + 1)))
  }

  private mutating func parseWord(
    _ word: StaticString, _ kind: JSONDocument.Kind, _ flag: Bool, _ entries: inout [Entry]
  ) throws(CodecError) {
    let count = word.utf8CodeUnitCount
    guard bytes.count - position >= count,
      word.withUTF8Buffer({ bytes[position..<position + count].elementsEqual($0) })
    else { throw error("expected a value, got a word that is not true, false or null") }
    position += count
    append(kind, flag, from: position - count, &entries)
  }

  private mutating func digits() -> Int {
    let start = position
    while position < bytes.count, case 0x30...0x39 = bytes[position] { position += 1 }
    return position - start
  }

  private mutating func parseNumber(_ entries: inout [Entry]) throws(CodecError) {
    let start = position
    if bytes[position] == 0x2D { position += 1 }
    let first = position
    let whole = digits()
    if whole == 0 { throw error("expected a digit, got \(found())") }
    if whole > 1 && bytes[first] == 0x30 {
      position = first
      throw error("a number has no leading zeros")
    }
    var kind = JSONDocument.Kind.integer
    if position < bytes.count, bytes[position] == 0x2E {
      position += 1
      kind = .double
      if digits() == 0 { throw error("expected a digit after the point, got \(found())") }
    }
    if position < bytes.count, bytes[position] | 0x20 == 0x65 {
      position += 1
      kind = .double
      if position < bytes.count, bytes[position] == 0x2B || bytes[position] == 0x2D { position += 1 }
      if digits() == 0 { throw error("expected a digit in the exponent, got \(found())") }
    }
    append(kind, false, from: start, &entries)
  }

  private mutating func parseString(_ entries: inout [Entry]) throws(CodecError) {
    position += 1
    let start = position
    var escapes = false
    while position < bytes.count {
      let byte = bytes[position]
      switch byte {
      case 0x22:
        append(.string, escapes, from: start, &entries)
        position += 1
        return
      case 0x5C:
        escapes = true
        try parseEscape()
      case 0..<0x20: throw error("a control character in a string must be escaped, got \(found())")
      case 0x20..<0x80: position += 1
      default: try parseMultibyte(byte)
      }
    }
    throw error("a string without its closing quote")
  }

  private mutating func parseEscape() throws(CodecError) {
    guard position + 1 < bytes.count else { throw error("a string without its closing quote") }
    switch bytes[position + 1] {
    case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: position += 2
    case 0x75:
      for index in position + 2..<position + 6 where index >= bytes.count || hexValue(bytes[index]) == nil {
        throw error("\\u takes four hexadecimal digits")
      }
      position += 6
    default: throw error("no such escape in a string")
    }
  }

  /// One scalar of more than one byte: Unicode 15, table 3-7 (no overlong forms, no surrogates, nothing above U+10FFFF).
  private mutating func parseMultibyte(_ lead: UInt8) throws(CodecError) {
    let count: Int
    var low: UInt8 = 0x80
    var high: UInt8 = 0xBF
    switch lead {
    case 0xC2...0xDF: count = 1
    case 0xE0: (count, low) = (2, 0xA0)
    case 0xE1...0xEC, 0xEE...0xEF: count = 2
    case 0xED: (count, high) = (2, 0x9F)
    case 0xF0: (count, low) = (3, 0x90)
    case 0xF1...0xF3: count = 3
    case 0xF4: (count, high) = (3, 0x8F)
    default: throw error("a string is not valid UTF-8, got \(found())")
    }
    for index in 1...count {
      guard position + index < bytes.count, bytes[position + index] >= low, bytes[position + index] <= high else {
        throw error("a string is not valid UTF-8")
      }
      (low, high) = (0x80, 0xBF)
    }
    position += count + 1
  }

  private mutating func enter() throws(CodecError) {
    depth += 1
    if depth > JSONDocument.maximumDepth {
      throw error("more than \(JSONDocument.maximumDepth) levels of nesting")
    }
    position += 1
    skipSpace()
  }

  private mutating func leave(_ index: Int, _ entries: inout [Entry]) {
    position += 1
    depth -= 1
    entries[index].end = UInt32(position)
    entries[index].next = UInt32(entries.count)
  }

  private mutating func parseArray(_ entries: inout [Entry]) throws(CodecError) {
    let index = entries.count
    append(.array, false, from: position, &entries)
    try enter()
    if position < bytes.count, bytes[position] == 0x5D { return leave(index, &entries) }
    while true {
      skipSpace()
      try parseValue(&entries)
      skipSpace()
      guard position < bytes.count else { throw error("an array without its closing bracket") }
      if bytes[position] == 0x5D { return leave(index, &entries) }
      guard bytes[position] == 0x2C else { throw error("expected \",\" or \"]\", got \(found())") }
      position += 1
    }
  }

  private mutating func parseObject(_ entries: inout [Entry]) throws(CodecError) {
    let index = entries.count
    append(.object, false, from: position, &entries)
    try enter()
    if position < bytes.count, bytes[position] == 0x7D { return leave(index, &entries) }
    while true {
      skipSpace()
      guard position < bytes.count, bytes[position] == 0x22 else { throw error("expected a key, got \(found())") }
      try parseString(&entries)
      skipSpace()
      guard position < bytes.count, bytes[position] == 0x3A else { throw error("expected \":\", got \(found())") }
      position += 1
      skipSpace()
      try parseValue(&entries)
      skipSpace()
      guard position < bytes.count else { throw error("an object without its closing brace") }
      if bytes[position] == 0x7D { return leave(index, &entries) }
      guard bytes[position] == 0x2C else { throw error("expected \",\" or \"}\", got \(found())") }
      position += 1
    }
  }
}
