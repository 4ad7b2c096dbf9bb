extension TemplateValue {
  /// What JSON numbers become.
  public enum JSONNumbers: Sendable {
    /// Integers stay integers (`int`) where they are written as such and fit into 64 bits; others become floats.
    case keepIntegers
    /// All become floats, as in Go's untyped decoding.
    case floats
  }

  /// Decodes one JSON value; white space may surround it.
  ///
  /// Throws `FunctionFailure` with a text in the manner of Go's decoder. Of a repeated key the last value counts; an
  /// unpaired surrogate escape and broken UTF-8 become U+FFFD.
  public init(json bytes: some Sequence<UInt8>, numbers: JSONNumbers = .keepIntegers) throws {
    var reader = JSONReader(Array(bytes), numbers)
    self = try reader.document()
  }
}

/// A reader of JSON texts (RFC 8259).
struct JSONReader {
  private static let maximumDepth = 400

  private let text: [UInt8]
  private let numbers: TemplateValue.JSONNumbers
  private var index = 0
  private var depth = 0

  init(_ text: [UInt8], _ numbers: TemplateValue.JSONNumbers) {
    self.text = text
    self.numbers = numbers
  }

  mutating func document() throws -> TemplateValue {
    let value = try value(after: "looking for beginning of value")
    skipSpace()
    guard index == text.count else { throw invalid("after top-level value") }
    return value
  }

  private mutating func skipSpace() {
    while index < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[index]) { index += 1 }
  }

  private func invalid(_ context: String) -> FunctionFailure {
    guard index < text.count else { return FunctionFailure("unexpected end of JSON input") }
    let byte = text[index]
    let shown: ByteString
    switch byte {
    case UInt8(ascii: "'"): shown = "'\\''"
    case UInt8(ascii: "\""): shown = "'\"'"
    default:
      let quoted = Quoting.quoted(Runes.encode([UInt32(byte)]))
      shown = "'" + ByteString(bytes: quoted.bytes[1..<(quoted.count - 1)]) + "'"
    }
    return FunctionFailure("invalid character " + shown + ByteString(" " + context))
  }

  private mutating func value(after context: String) throws -> TemplateValue {
    skipSpace()
    guard index < text.count else { throw invalid(context) }
    switch text[index] {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .nil)
    case UInt8(ascii: "-"), 0x30...0x39: return try number()
    default: throw invalid(context)
    }
  }

  private mutating func word(_ word: StaticString, _ value: TemplateValue) throws -> TemplateValue {
    let letters = word.withUTF8Buffer { Array($0) }
    for (offset, letter) in letters.enumerated() {
      guard index < text.count, text[index] == letter else {
        let expected = Character(Unicode.Scalar(letter))
        throw invalid(
          offset == 0 ? "looking for beginning of value" : "in literal \(word) (expecting '\(expected)')")
      }
      index += 1
    }
    return value
  }

  private mutating func nested<Result>(_ body: (inout JSONReader) throws -> Result) throws -> Result {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else { throw FunctionFailure("exceeded max depth") }
    return try body(&self)
  }

  private mutating func object() throws -> TemplateValue {
    try nested { reader in
      reader.index += 1
      var entries: [ByteString: TemplateValue] = [:]
      reader.skipSpace()
      if reader.take(UInt8(ascii: "}")) { return .map(entries) }
      while true {
        reader.skipSpace()
        guard reader.index < reader.text.count, reader.text[reader.index] == UInt8(ascii: "\"") else {
          throw reader.invalid("looking for beginning of object key string")
        }
        let key = try reader.string()
        reader.skipSpace()
        guard reader.take(UInt8(ascii: ":")) else { throw reader.invalid("after object key") }
        entries[key] = try reader.value(after: "looking for beginning of value")
        reader.skipSpace()
        if reader.take(UInt8(ascii: "}")) { return .map(entries) }
        guard reader.take(UInt8(ascii: ",")) else { throw reader.invalid("after object key:value pair") }
      }
    }
  }

  private mutating func array() throws -> TemplateValue {
    try nested { reader in
      reader.index += 1
      var elements: [TemplateValue] = []
      reader.skipSpace()
      if reader.take(UInt8(ascii: "]")) { return .list(elements) }
      while true {
        elements.append(try reader.value(after: "looking for beginning of value"))
        reader.skipSpace()
        if reader.take(UInt8(ascii: "]")) { return .list(elements) }
        guard reader.take(UInt8(ascii: ",")) else { throw reader.invalid("after array element") }
      }
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard index < text.count, text[index] == byte else { return false }
    index += 1
    return true
  }

  private mutating func digits(_ context: String) throws {
    guard index < text.count, (0x30...0x39).contains(text[index]) else { throw invalid(context) }
    while index < text.count, (0x30...0x39).contains(text[index]) { index += 1 }
  }

  private mutating func number() throws -> TemplateValue {
    let start = index
    _ = take(UInt8(ascii: "-"))
    var isInteger = true
    if !take(0x30) { try digits("in numeric literal") }
    if take(UInt8(ascii: ".")) {
      isInteger = false
      try digits("after decimal point in numeric literal")
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isInteger = false
      _ = take(UInt8(ascii: "+")) || take(UInt8(ascii: "-"))
      try digits("in exponent of numeric literal")
    }
    let literal = Array(text[start..<index])
    if isInteger, numbers == .keepIntegers, let value = NumberSyntax.integer(literal, base: 10) {
      return .int(Int(value))
    }
    guard let value = NumberSyntax.float(literal) else {
      throw FunctionFailure(
        "json: cannot unmarshal number " + ByteString(bytes: literal) + " into Go value of type float64")
    }
    return .float(value)
  }

  private mutating func string() throws -> ByteString {
    index += 1
    var out: [UInt8] = []
    while true {
      guard index < text.count else { throw FunctionFailure("unexpected end of JSON input") }
      let byte = text[index]
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        return ByteString(bytes: out)
      case UInt8(ascii: "\\"):
        index += 1
        try escape(&out)
      case ..<0x20: throw invalid("in string literal")
      case ..<0x80:
        out.append(byte)
        index += 1
      default:
        let (rune, width) = Runes.decode(text, index)
        Runes.append(rune, to: &out)
        index += width
      }
    }
  }

  private mutating func escape(_ out: inout [UInt8]) throws {
    guard index < text.count else { throw FunctionFailure("unexpected end of JSON input") }
    let letter = text[index]
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(letter)
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "f"): out.append(0x0C)
    case UInt8(ascii: "n"): out.append(0x0A)
    case UInt8(ascii: "r"): out.append(0x0D)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "u"):
      index += 1
      let first = try fourDigits()
      if (0xD800..<0xDC00).contains(first), index + 1 < text.count, text[index] == UInt8(ascii: "\\"),
        text[index + 1] == UInt8(ascii: "u")
      {
        let mark = index
        index += 2
        let second = try fourDigits()
        if (0xDC00..<0xE000).contains(second) {
          Runes.append(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00), to: &out)
          return
        }
        index = mark
      }
      Runes.append(first, to: &out)
      return
    default: throw invalid("in string escape code")
    }
    index += 1
  }

  private mutating func fourDigits() throws -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard index < text.count else { throw FunctionFailure("unexpected end of JSON input") }
      guard text[index] < 0x80, let digit = Character(Unicode.Scalar(text[index])).hexDigitValue else {
        throw invalid("in \\u hexadecimal character escape")
      }
      value = value << 4 | UInt32(digit)
      index += 1
    }
    return value
  }
}
