/// A piece of JSON with its place in the source.
package struct JSONNode: Sendable {
  package indirect enum Kind: Sendable {
    case null
    case bool(Bool)
    case number(Number)
    case string(String)
    case array([JSONNode])
    /// In source order, repeated keys kept.
    case object([(key: String, keyRange: SourceRange, value: JSONNode)])
  }

  package var kind: Kind
  package var range: SourceRange

  /// The value with the types that the JSON implies: arrays are tuples, objects are objects; of repeated keys the last counts.
  package var value: Value {
    switch kind {
    case .null: return .null()
    case .bool(let b): return .bool(b)
    case .number(let n): return .number(n)
    case .string(let s): return .string(s)
    case .array(let elements): return .tuple(elements.map(\.value))
    case .object(let members):
      var out: [String: Value] = [:]
      for member in members { out[Value.string(member.key).asString ?? member.key] = member.value.value }
      return .object(out)
    }
  }
}

/// Reads JSON (RFC 8259) in one pass. Stops at the first mistake: JSON has nothing to recover at.
package struct JSONReader {
  /// Levels of arrays and objects inside of each other.
  static let maximumNesting = 128

  private let source: SourceFile
  private let bytes: [UInt8]
  private var at = 0
  private var line = 1
  /// Where the current line begins, and the column that `columnByte` has.
  private var column = 1
  private var columnByte = 0
  private var nesting = 0

  private init(_ source: SourceFile) {
    self.source = source
    bytes = source.bytes
  }

  package static func parse(_ source: SourceFile) throws(Diagnostic) -> JSONNode {
    var reader = JSONReader(source)
    reader.skipSpace()
    let node = try reader.value()
    reader.skipSpace()
    if reader.at < reader.bytes.count { throw reader.failure("Nothing may follow the JSON value.") }
    return node
  }

  /// The text as JSON without a file, for `jsondecode`.
  static func value(of text: String) throws(Diagnostic) -> Value {
    try parse(SourceFile(name: "", text: text)).value
  }

  // MARK: Positions

  private mutating func position() -> SourcePosition {
    // Columns are counted from the last place asked for, so that all of them together are linear.
    var ascii = true
    for i in columnByte..<at where bytes[i] >= 0x80 {
      ascii = false
      break
    }
    column += ascii ? at - columnByte : String(decoding: bytes[columnByte..<at], as: UTF8.self).count
    columnByte = at
    return SourcePosition(line: line, column: column, byte: at)
  }

  private mutating func failure(_ detail: String) -> Diagnostic {
    let start = position()
    var end = start
    if at < bytes.count {
      end.byte += 1
      end.column += 1
    }
    return Diagnostic(.error, "Invalid JSON", detail, subject: SourceRange(file: source.name, start: start, end: end))
  }

  private mutating func skipSpace() {
    while at < bytes.count {
      switch bytes[at] {
      case 0x20, 0x09, 0x0D: at += 1
      case 0x0A:
        at += 1
        line += 1
        column = 1
        columnByte = at
      default: return
      }
    }
  }

  // MARK: Values

  private mutating func value() throws(Diagnostic) -> JSONNode {
    guard at < bytes.count else { throw failure("A value is needed, and the text ends here.") }
    let start = position()
    let kind: JSONNode.Kind
    switch bytes[at] {
    case UInt8(ascii: "{"): kind = try object()
    case UInt8(ascii: "["): kind = try array()
    case UInt8(ascii: "\""): kind = .string(try string())
    case UInt8(ascii: "-"), 0x30...0x39: kind = .number(try number())
    case UInt8(ascii: "t"): kind = try word("true", .bool(true))
    case UInt8(ascii: "f"): kind = try word("false", .bool(false))
    case UInt8(ascii: "n"): kind = try word("null", .null)
    default: throw failure("A JSON value is needed here.")
    }
    return JSONNode(kind: kind, range: SourceRange(file: source.name, start: start, end: position()))
  }

  private mutating func word(_ word: String, _ kind: JSONNode.Kind) throws(Diagnostic) -> JSONNode.Kind {
    guard bytes[at...].starts(with: word.utf8) else {
      throw failure("A JSON value is needed here. Text must be in quotes.")
    }
    at += word.utf8.count
    return kind
  }

  private mutating func number() throws(Diagnostic) -> Number {
    let start = at
    func digit(_ i: Int) -> Bool { i < bytes.count && (0x30...0x39).contains(bytes[i]) }
    var i = at
    if bytes[i] == UInt8(ascii: "-") { i += 1 }
    guard digit(i) else { throw failure("A digit is needed in a number.") }
    if bytes[i] == 0x30 { i += 1 } else { while digit(i) { i += 1 } }
    if i < bytes.count, bytes[i] == UInt8(ascii: ".") {
      guard digit(i + 1) else { throw failure("A digit is needed after the decimal point.") }
      i += 1
      while digit(i) { i += 1 }
    }
    if i < bytes.count, bytes[i] | 0x20 == UInt8(ascii: "e") {
      i += 1
      if i < bytes.count, bytes[i] == UInt8(ascii: "+") || bytes[i] == UInt8(ascii: "-") { i += 1 }
      guard digit(i) else { throw failure("A digit is needed in the exponent.") }
      while digit(i) { i += 1 }
    }
    guard let number = Number(String(decoding: bytes[start..<i], as: UTF8.self)) else {
      throw failure("The number is out of range.")
    }
    at = i
    return number
  }

  private mutating func string() throws(Diagnostic) -> String {
    at += 1
    var out: [UInt8] = []
    while true {
      guard at < bytes.count else { throw failure("The text ends inside of a string.") }
      let byte = bytes[at]
      switch byte {
      case UInt8(ascii: "\""):
        at += 1
        return String(decoding: out, as: UTF8.self)
      case 0..<0x20: throw failure("A control character in a string must be written as an escape, such as \\n.")
      case UInt8(ascii: "\\"):
        at += 1
        guard at < bytes.count else { throw failure("The text ends inside of a string.") }
        switch bytes[at] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(bytes[at])
        case UInt8(ascii: "b"): out.append(8)
        case UInt8(ascii: "f"): out.append(12)
        case UInt8(ascii: "n"): out.append(10)
        case UInt8(ascii: "r"): out.append(13)
        case UInt8(ascii: "t"): out.append(9)
        case UInt8(ascii: "u"):
          var code = try hex()
          // A pair of surrogates is one character; one alone is none.
          if (0xD800..<0xDC00).contains(code), at + 2 < bytes.count, bytes[at + 1] == UInt8(ascii: "\\"),
            bytes[at + 2] == UInt8(ascii: "u")
          {
            let back = at
            at += 2
            let low = try hex()
            if (0xDC00..<0xE000).contains(low) {
              code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            } else {
              at = back
            }
          }
          out += String(Unicode.Scalar(code) ?? "\u{FFFD}").utf8
        default: throw failure("After a backslash one of \" \\ / b f n r t u is needed.")
        }
        at += 1
      default:
        out.append(byte)
        at += 1
      }
    }
  }

  /// Four digits after the `u` at `at`; leaves `at` on the last of them.
  private mutating func hex() throws(Diagnostic) -> UInt32 {
    let digits = bytes[(at + 1)...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ $0 < 0x80 && Character(Unicode.Scalar($0)).isHexDigit }),
      let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw failure("After \\u four hexadecimal digits are needed.") }
    at += 4
    return code
  }

  private mutating func array() throws(Diagnostic) -> JSONNode.Kind {
    try enter()
    defer { nesting -= 1 }
    at += 1
    var elements: [JSONNode] = []
    skipSpace()
    if at < bytes.count, bytes[at] == UInt8(ascii: "]") {
      at += 1
      return .array([])
    }
    while true {
      skipSpace()
      elements.append(try value())
      skipSpace()
      guard at < bytes.count else { throw failure("The text ends inside of an array.") }
      switch bytes[at] {
      case UInt8(ascii: ","): at += 1
      case UInt8(ascii: "]"):
        at += 1
        return .array(elements)
      default: throw failure("A comma or \"]\" is needed here.")
      }
    }
  }

  private mutating func object() throws(Diagnostic) -> JSONNode.Kind {
    try enter()
    defer { nesting -= 1 }
    at += 1
    var members: [(key: String, keyRange: SourceRange, value: JSONNode)] = []
    skipSpace()
    if at < bytes.count, bytes[at] == UInt8(ascii: "}") {
      at += 1
      return .object([])
    }
    while true {
      skipSpace()
      guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else {
        throw failure("The name of a property is needed here, in quotes.")
      }
      let start = position()
      let key = try string()
      let keyRange = SourceRange(file: source.name, start: start, end: position())
      skipSpace()
      guard at < bytes.count, bytes[at] == UInt8(ascii: ":") else {
        throw failure("A colon is needed after the name of a property.")
      }
      at += 1
      skipSpace()
      members.append((key: key, keyRange: keyRange, value: try value()))
      skipSpace()
      guard at < bytes.count else { throw failure("The text ends inside of an object.") }
      switch bytes[at] {
      case UInt8(ascii: ","): at += 1
      case UInt8(ascii: "}"):
        at += 1
        return .object(members)
      default: throw failure("A comma or \"}\" is needed here.")
      }
    }
  }

  private mutating func enter() throws(Diagnostic) {
    guard nesting < JSONReader.maximumNesting else {
      throw failure("At most \(JSONReader.maximumNesting) arrays and objects may be inside of each other.")
    }
    nesting += 1
  }
}
