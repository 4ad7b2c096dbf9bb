/// A lexical element of a template.
struct Token: Sendable {
  enum Kind: Sendable {
    case error, bool, character, characterConstant, complex, assign, declare, end, field, identifier
    case leftDelimiter, leftParenthesis, number, pipe, rawString, rightDelimiter, rightParenthesis
    case space, string, text, variable
    case keyword(Keyword)
  }

  enum Keyword: String, Sendable {
    case block, `break`, `continue`, dot = ".", define, `else`, end, `if`, `nil`, range, template, with
  }

  let kind: Kind
  /// Byte offset in the source.
  let position: Int
  /// The element's text; of an error its message.
  let value: ByteString
  /// Line on which it begins, counted from 1.
  let line: Int

  func isKeyword(_ keyword: Keyword) -> Bool {
    if case .keyword(keyword) = kind { true } else { false }
  }

  /// How messages name the element.
  var shown: ByteString {
    switch kind {
    case .end: return "EOF"
    case .error: return value
    case .keyword: return "<" + value + ">"
    default:
      guard value.count > 10 else { return Quoting.quoted(value) }
      // Broken bytes must show as themselves, so the prefix is cut from the original text.
      var end = 0
      for _ in 0..<10 where end < value.count { end += Runes.decode(value.bytes, end).width }
      return Quoting.quoted(Array(value.bytes[..<end])) + "..."
    }
  }
}

/// Splits a template into tokens: text, and the elements inside actions.
///
/// A state machine over bytes. Trimming (`{{- `, ` -}}`) and comments end here: the parser does not see them.
struct Lexer {
  private let input: [UInt8]
  private let left: [UInt8]
  private let right: [UInt8]
  private let breakIsKeyword: Bool
  private let continueIsKeyword: Bool
  private var position = 0
  private var start = 0
  private var atEnd = false
  private var parentheses = 0
  private var line = 1
  private var startLine = 1
  private var collected: [Token] = []

  private enum State {
    case text, leftDelimiter, comment, rightDelimiter, action, space, identifier, field, variable
    case character, number, quote, rawQuote, done
  }

  init(_ input: [UInt8], left: [UInt8], right: [UInt8], breakIsKeyword: Bool, continueIsKeyword: Bool) {
    self.input = input
    self.left = left.isEmpty ? Array("{{".utf8) : left
    self.right = right.isEmpty ? Array("}}".utf8) : right
    self.breakIsKeyword = breakIsKeyword
    self.continueIsKeyword = continueIsKeyword
  }

  /// All tokens; the last is `.end` or `.error`.
  consuming func tokens() -> [Token] {
    var lexer = self
    var state = State.text
    while state != .done { state = lexer.step(state) }
    return lexer.collected
  }

  private mutating func step(_ state: State) -> State {
    switch state {
    case .text: lexText()
    case .leftDelimiter: lexLeftDelimiter()
    case .comment: lexComment()
    case .rightDelimiter: lexRightDelimiter()
    case .action: lexAction()
    case .space: lexSpace()
    case .identifier: lexIdentifier()
    case .field: lexName(.field)
    case .variable: lexName(.variable)
    case .character: lexQuoted(by: "'", as: .characterConstant, error: "unterminated character constant")
    case .number: lexNumber()
    case .quote: lexQuoted(by: "\"", as: .string, error: "unterminated quoted string")
    case .rawQuote: lexRawQuote()
    case .done: .done
    }
  }

  // MARK: Reading

  private mutating func next() -> UInt32? {
    guard position < input.count else {
      atEnd = true
      return nil
    }
    let (rune, width) = Runes.decode(input, position)
    position += width
    if rune == 0x0A { line += 1 }
    return rune
  }

  /// Steps back one code point; not once the end was met.
  private mutating func backUp() {
    guard !atEnd, position > 0 else { return }
    position -= Runes.widthOfLast(input, before: position)
    if input[position] == 0x0A { line -= 1 }
  }

  private mutating func peek() -> UInt32? {
    let rune = next()
    backUp()
    return rune
  }

  private mutating func accept(_ set: StaticString) -> Bool {
    if let rune = next(), Self.contains(set, rune) { return true }
    backUp()
    return false
  }

  private mutating func acceptRun(_ set: StaticString) {
    while let rune = next(), Self.contains(set, rune) {}
    backUp()
  }

  private static func contains(_ set: StaticString, _ rune: UInt32) -> Bool {
    rune < 0x80 && set.withUTF8Buffer { $0.contains(UInt8(rune)) }
  }

  private func has(_ prefix: [UInt8], at index: Int) -> Bool {
    guard index >= 0, index + prefix.count <= input.count else { return false }
    for offset in 0..<prefix.count where input[index + offset] != prefix[offset] { return false }
    return true
  }

  private func find(_ needle: [UInt8], from index: Int) -> Int? {
    guard let first = needle.first else { return nil }
    var at = index
    while at + needle.count <= input.count {
      if input[at] == first, has(needle, at: at) { return at }
      at += 1
    }
    return nil
  }

  private func newlines(_ range: Range<Int>) -> Int {
    input[range].reduce(0) { $1 == 0x0A ? $0 + 1 : $0 }
  }

  private mutating func emit(_ kind: Token.Kind) {
    collected.append(
      Token(kind: kind, position: start, value: ByteString(bytes: input[start..<position]), line: startLine))
    start = position
    startLine = line
  }

  private mutating func ignore() {
    line += newlines(start..<position)
    start = position
    startLine = line
  }

  private mutating func fail(_ message: ByteString) -> State {
    collected.append(Token(kind: .error, position: start, value: message, line: startLine))
    return .done
  }

  // MARK: Character classes

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }
  private static func isSpace(_ rune: UInt32?) -> Bool { rune == 0x20 || rune == 0x09 || rune == 0x0D || rune == 0x0A }

  private static func isWord(_ rune: UInt32?) -> Bool {
    guard let rune else { return false }
    return rune == 0x5F || Runes.isLetter(rune) || Runes.isDigit(rune)
  }

  /// `- ` after a left delimiter.
  private func hasLeftTrim(at index: Int) -> Bool {
    index + 1 < input.count && input[index] == UInt8(ascii: "-") && Self.isSpace(input[index + 1])
  }

  /// ` -` before a right delimiter.
  private func hasRightTrim(at index: Int) -> Bool {
    index >= 0 && index + 1 < input.count && Self.isSpace(input[index]) && input[index + 1] == UInt8(ascii: "-")
  }

  private func rightDelimiter(at index: Int) -> (here: Bool, trims: Bool) {
    if hasRightTrim(at: index), has(right, at: index + 2) { return (true, true) }
    return (has(right, at: index), false)
  }

  // MARK: States

  private mutating func lexText() -> State {
    guard let found = find(left, from: position) else {
      position = input.count
      if position > start {
        line += newlines(start..<position)
        emit(.text)
      }
      emit(.end)
      return .done
    }
    position = found
    var trimmed = position
    if hasLeftTrim(at: position + left.count) {
      while trimmed > start, Self.isSpace(input[trimmed - 1]) { trimmed -= 1 }
    }
    let delimiter = position
    position = trimmed
    if position > start {
      line += newlines(start..<position)
      emit(.text)
    }
    position = delimiter
    ignore()
    return .leftDelimiter
  }

  private mutating func lexLeftDelimiter() -> State {
    position += left.count
    let marker = hasLeftTrim(at: position) ? 2 : 0
    if has(Array("/*".utf8), at: position + marker) {
      position += marker
      ignore()
      return .comment
    }
    emit(.leftDelimiter)
    position += marker
    ignore()
    parentheses = 0
    return .action
  }

  private mutating func skipSpace() {
    while position < input.count, Self.isSpace(input[position]) { position += 1 }
  }

  private mutating func lexComment() -> State {
    position += 2
    guard let end = find(Array("*/".utf8), from: position) else { return fail("unclosed comment") }
    position = end + 2
    let (here, trims) = rightDelimiter(at: position)
    guard here else { return fail("comment ends before closing delimiter") }
    position += (trims ? 2 : 0) + right.count
    if trims { skipSpace() }
    ignore()
    return .text
  }

  private mutating func lexRightDelimiter() -> State {
    let trims = hasRightTrim(at: position)
    if trims {
      position += 2
      ignore()
    }
    position += right.count
    emit(.rightDelimiter)
    if trims {
      skipSpace()
      ignore()
    }
    return .text
  }

  private mutating func lexAction() -> State {
    if rightDelimiter(at: position).here {
      return parentheses == 0 ? .rightDelimiter : fail("unclosed left paren")
    }
    guard let rune = next() else { return fail("unclosed action") }
    switch rune {
    case 0x20, 0x09, 0x0D, 0x0A:
      backUp()
      return .space
    case 0x3D: emit(.assign)  // =
    case 0x3A:  // :
      guard next() == 0x3D else { return fail("expected :=") }
      emit(.declare)
    case 0x7C: emit(.pipe)
    case 0x22: return .quote
    case 0x60: return .rawQuote
    case 0x24: return .variable
    case 0x27: return .character
    case 0x2E where position < input.count && !(0x30...0x39).contains(input[position]): return .field
    case 0x2E, 0x2B, 0x2D, 0x30...0x39:  // . + - digits
      backUp()
      return .number
    case _ where Self.isWord(rune):
      backUp()
      return .identifier
    case 0x28:
      emit(.leftParenthesis)
      parentheses += 1
    case 0x29:
      emit(.rightParenthesis)
      parentheses -= 1
      if parentheses < 0 { return fail("unexpected right paren " + Self.unicode(rune)) }
    case 0x20...0x7E: emit(.character)
    default: return fail("unrecognized character in action: " + Self.unicode(rune))
    }
    return .action
  }

  /// `U+0040 '@'`.
  private static func unicode(_ rune: UInt32?) -> ByteString {
    // The end of input shows as the code point -1 of the language's origin.
    guard let rune else { return "U+FFFFFFFFFFFFFFFF" }
    var digits = String(rune, radix: 16, uppercase: true)
    while digits.utf8.count < 4 { digits = "0" + digits }
    var out = ByteString("U+" + digits)
    if Runes.isPrintable(rune) {
      out.bytes += [0x20, 0x27]
      Runes.append(rune, to: &out.bytes)
      out.bytes.append(0x27)
    }
    return out
  }

  private mutating func lexSpace() -> State {
    var count = 0
    while Self.isSpace(peek()) {
      _ = next()
      count += 1
    }
    // The last space may belong to a trimming right delimiter.
    if hasRightTrim(at: position - 1), has(right, at: position + 1) {
      backUp()
      if count == 1 { return .rightDelimiter }
    }
    emit(.space)
    return .action
  }

  private mutating func lexIdentifier() -> State {
    var rune = next()
    while Self.isWord(rune) { rune = next() }
    backUp()
    let word = ByteString(bytes: input[start..<position])
    guard atTerminator() else { return fail("bad character " + Self.unicode(rune)) }
    if let keyword = Token.Keyword(rawValue: word.description) {
      switch keyword {
      case .break where !breakIsKeyword, .continue where !continueIsKeyword: emit(.identifier)
      default: emit(.keyword(keyword))
      }
    } else if word == "true" || word == "false" {
      emit(.bool)
    } else {
      emit(.identifier)
    }
    return .action
  }

  /// A field or a variable whose `.` or `$` has been read.
  private mutating func lexName(_ kind: Token.Kind) -> State {
    if atTerminator() {
      if case .variable = kind { emit(.variable) } else { emit(.keyword(.dot)) }
      return .action
    }
    var rune = next()
    while Self.isWord(rune) { rune = next() }
    backUp()
    guard atTerminator() else { return fail("bad character " + Self.unicode(rune)) }
    emit(kind)
    return .action
  }

  /// Whether what follows may end a name.
  private mutating func atTerminator() -> Bool {
    guard let rune = peek() else { return true }
    if Self.isSpace(rune) { return true }
    switch rune {
    case 0x2E, 0x2C, 0x7C, 0x3A, 0x29, 0x28: return true  // . , | : ) (
    default: return has(right, at: position)
    }
  }

  private mutating func lexQuoted(by quote: Unicode.Scalar, as kind: Token.Kind, error: ByteString) -> State {
    while true {
      switch next() {
      case 0x5C:
        if let escaped = next(), escaped != 0x0A { continue }
        return fail(error)
      case nil, 0x0A: return fail(error)
      case quote.value:
        emit(kind)
        return .action
      default: break
      }
    }
  }

  private mutating func lexRawQuote() -> State {
    while let rune = next() {
      if rune == 0x60 {
        emit(.rawString)
        return .action
      }
    }
    return fail("unterminated raw quoted string")
  }

  private mutating func lexNumber() -> State {
    guard scanNumber() else { return badNumber() }
    if let sign = peek(), sign == 0x2B || sign == 0x2D {
      guard scanNumber(), input[position - 1] == UInt8(ascii: "i") else { return badNumber() }
      emit(.complex)
    } else {
      emit(.number)
    }
    return .action
  }

  private mutating func badNumber() -> State {
    fail("bad number syntax: " + Quoting.quoted(Array(input[start..<position])))
  }

  private mutating func scanNumber() -> Bool {
    _ = accept("+-")
    var digits: StaticString = "0123456789_"
    var radix = 10
    if accept("0") {
      if accept("xX") {
        digits = "0123456789abcdefABCDEF_"
        radix = 16
      } else if accept("oO") {
        digits = "01234567_"
        radix = 8
      } else if accept("bB") {
        digits = "01_"
        radix = 2
      }
    }
    acceptRun(digits)
    if accept(".") { acceptRun(digits) }
    if radix == 10, accept("eE") {
      _ = accept("+-")
      acceptRun("0123456789_")
    }
    if radix == 16, accept("pP") {
      _ = accept("+-")
      acceptRun("0123456789_")
    }
    _ = accept("i")
    if Self.isWord(peek()) {
      _ = next()
      return false
    }
    return true
  }
}
