/// Cuts source text into tokens, in one pass over the bytes.
///
/// The text changes its grammar inside quotes, heredocs and interpolations, which nest. A stack of modes on the heap
/// follows that, so that nesting depth costs memory in proportion to the input and no call stack.
struct Lexer {
  enum Start {
    /// A file, or an expression.
    case configuration
    /// A template without quotes.
    case template
  }

  private enum Mode {
    /// Outside of strings. `braces` counts the open `{`; at zero a `}` ends the enclosing interpolation, if there is one.
    case normal(braces: Int, inTemplate: Bool)
    case quoted
    case heredoc(marker: ArraySlice<UInt8>, lineStart: Bool)
    case bareTemplate
  }

  private let bytes: [UInt8]
  private var at: Int
  private var position: SourcePosition
  private var modes: [Mode]
  private var tokens: [Token] = []

  private let closesQuotes: Bool

  private init(_ bytes: [UInt8], from position: SourcePosition, start: Start, closesQuotes: Bool) {
    self.bytes = bytes
    self.closesQuotes = closesQuotes
    self.position = position
    at = position.byte
    switch start {
    case .configuration: modes = [.normal(braces: 0, inTemplate: false)]
    case .template: modes = [.bareTemplate]
    }
  }

  /// All tokens of `bytes`, the last one `endOfFile`.
  ///
  /// - Parameter closesQuotes: a line end also ends quoted strings that are open, so that one forgotten quote makes one line
  ///   wrong and not the rest of the file.
  static func tokens(of bytes: [UInt8], start: Start, closesQuotes: Bool) -> [Token] {
    var first = SourcePosition.start
    // A byte order mark is no part of the text.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { first.byte = 3 }
    var lexer = Lexer(bytes, from: first, start: start, closesQuotes: closesQuotes)
    lexer.run()
    return lexer.tokens
  }

  private mutating func run() {
    while at < bytes.count {
      switch modes[modes.count - 1] {
      case .normal(let braces, let inTemplate): normal(braces, inTemplate)
      case .quoted: quoted()
      case .heredoc(let marker, let lineStart): heredoc(marker, lineStart)
      case .bareTemplate: templateText(.stringLiteral, stop: nil)
      }
    }
    emit(.endOfFile, bytes.count)
  }

  private var isInHeredoc: Bool {
    if case .heredoc = modes[modes.count - 1] { true } else { false }
  }

  // MARK: Positions

  private func byte(_ offset: Int) -> UInt8 {
    at + offset < bytes.count ? bytes[at + offset] : 0
  }

  /// Moves to `end` and says where that is. Linear in the bytes passed.
  private mutating func advance(to end: Int) {
    var i = at
    var ascii = true
    while i < end {
      let b = bytes[i]
      if b >= 0x80 {
        ascii = false
        break
      }
      if b == 0x0A {
        position.line += 1
        position.column = 1
      } else if b == 0x0D, i + 1 < end, bytes[i + 1] == 0x0A {
        // CR LF is one character; the LF ends the line.
      } else {
        position.column += 1
      }
      i += 1
    }
    if !ascii {
      // Clusters may begin in the ASCII character before a combining one: count again from one before.
      if i > at, bytes[i - 1] != 0x0A {
        i -= 1
        position.column -= 1
      }
      for character in String(decoding: bytes[i..<end], as: UTF8.self) {
        if character == "\n" || character == "\r\n" {
          position.line += 1
          position.column = 1
        } else {
          position.column += 1
        }
      }
    }
    at = end
    position.byte = end
  }

  private mutating func emit(_ kind: Token.Kind, _ end: Int) {
    let start = position
    advance(to: end)
    tokens.append(Token(kind: kind, start: start, end: position))
  }

  /// The length of the well-formed UTF-8 sequence at `i`, 0 when there is none.
  private func sequenceLength(_ i: Int) -> Int { utf8SequenceLength(bytes, i) }

  // MARK: Outside of strings

  private mutating func normal(_ braces: Int, _ inTemplate: Bool) {
    let b = bytes[at]
    switch b {
    case 0x20, 0x09:
      var end = at + 1
      while end < bytes.count, bytes[end] == 0x20 || bytes[end] == 0x09 { end += 1 }
      position.column += end - at
      position.byte = end
      at = end
    case 0x0A: emit(.newline, at + 1)
    case 0x0D where byte(1) == 0x0A: emit(.newline, at + 2)
    case UInt8(ascii: "0")...UInt8(ascii: "9"): emit(.number, numberEnd())
    case UInt8(ascii: "#"): emit(.comment, lineEnd())
    case UInt8(ascii: "/"):
      if byte(1) == b {
        emit(.comment, lineEnd())
      } else if byte(1) == UInt8(ascii: "*"), let end = commentEnd() {
        emit(.comment, end)
      } else {
        emit(.slash, at + 1)
      }
    case UInt8(ascii: "\""):
      emit(.openQuote, at + 1)
      modes.append(.quoted)
    case UInt8(ascii: "{"):
      modes[modes.count - 1] = .normal(braces: braces + 1, inTemplate: inTemplate)
      emit(.openBrace, at + 1)
    case UInt8(ascii: "}"): closeBrace(braces, inTemplate, length: 1)
    case UInt8(ascii: "~") where byte(1) == UInt8(ascii: "}"): closeBrace(braces, inTemplate, length: 2)
    case UInt8(ascii: "<"):
      if byte(1) == b, let (marker, end) = heredocStart() {
        emit(.openHeredoc, end)
        modes.append(.heredoc(marker: marker, lineStart: true))
      } else {
        byte(1) == UInt8(ascii: "=") ? emit(.lessThanOrEqual, at + 2) : emit(.lessThan, at + 1)
      }
    case UInt8(ascii: ">"):
      byte(1) == UInt8(ascii: "=") ? emit(.greaterThanOrEqual, at + 2) : emit(.greaterThan, at + 1)
    case UInt8(ascii: "="):
      switch byte(1) {
      case UInt8(ascii: "="): emit(.equalTo, at + 2)
      case UInt8(ascii: ">"): emit(.fatArrow, at + 2)
      default: emit(.equal, at + 1)
      }
    case UInt8(ascii: "!"): byte(1) == UInt8(ascii: "=") ? emit(.notEqual, at + 2) : emit(.bang, at + 1)
    case UInt8(ascii: "&"): byte(1) == b ? emit(.and, at + 2) : emit(.bitwiseAnd, at + 1)
    case UInt8(ascii: "|"): byte(1) == b ? emit(.or, at + 2) : emit(.bitwiseOr, at + 1)
    case UInt8(ascii: "."): byte(1) == b && byte(2) == b ? emit(.ellipsis, at + 3) : emit(.dot, at + 1)
    default:
      if let kind = Lexer.single(b) {
        emit(kind, at + 1)
      } else if let end = identifierEnd(at) {
        emit(.identifier, end)
      } else {
        let length = sequenceLength(at)
        emit(length == 0 ? .badUTF8 : .invalid, at + max(1, length))
      }
    }
  }

  private static func single(_ byte: UInt8) -> Token.Kind? {
    switch byte {
    case UInt8(ascii: "["): .openBracket
    case UInt8(ascii: "]"): .closeBracket
    case UInt8(ascii: "("): .openParenthesis
    case UInt8(ascii: ")"): .closeParenthesis
    case UInt8(ascii: "*"): .star
    case UInt8(ascii: "+"): .plus
    case UInt8(ascii: "-"): .minus
    case UInt8(ascii: "%"): .percent
    case UInt8(ascii: ","): .comma
    case UInt8(ascii: "?"): .question
    case UInt8(ascii: ":"): .colon
    case UInt8(ascii: "~"): .bitwiseNot
    case UInt8(ascii: "^"): .bitwiseXor
    case UInt8(ascii: "'"): .apostrophe
    case UInt8(ascii: "`"): .backtick
    case UInt8(ascii: ";"): .semicolon
    default: nil
    }
  }

  private mutating func closeBrace(_ braces: Int, _ inTemplate: Bool, length: Int) {
    if inTemplate, braces == 0 {
      modes.removeLast()
      emit(.templateEnd, at + length)
      return
    }
    modes[modes.count - 1] = .normal(braces: max(0, braces - 1), inTemplate: inTemplate)
    // A "~}" that closes a plain brace is a mistake that the parser reports at this token.
    emit(length == 2 ? .templateEnd : .closeBrace, at + length)
  }

  /// Digits, points and exponents in any order as far as a digit ends them; what is no number is for the parser to report, which
  /// can then show all of it.
  private func numberEnd() -> Int {
    func digit(_ i: Int) -> Bool { i < bytes.count && (0x30...0x39).contains(bytes[i]) }
    var i = at + 1
    var end = i
    while i < bytes.count {
      if digit(i) {
        i += 1
        end = i
      } else if bytes[i] == UInt8(ascii: ".") {
        i += 1
      } else if bytes[i] | 0x20 == UInt8(ascii: "e") {
        let sign = i + 1 < bytes.count && (bytes[i + 1] == UInt8(ascii: "+") || bytes[i + 1] == UInt8(ascii: "-"))
        i += sign ? 2 : 1
        guard digit(i) else { return end }
      } else {
        return end
      }
    }
    return end
  }

  /// The end of a comment that runs to the end of its line, line end included.
  private func lineEnd() -> Int {
    var i = at
    while i < bytes.count, bytes[i] != 0x0A { i += 1 }
    return min(i + 1, bytes.count)
  }

  private func commentEnd() -> Int? {
    var i = at + 2
    while i + 1 < bytes.count {
      if bytes[i] == UInt8(ascii: "*"), bytes[i + 1] == UInt8(ascii: "/") { return i + 2 }
      i += 1
    }
    return nil
  }

  private func identifierEnd(_ start: Int) -> Int? {
    var i = start
    while i < bytes.count {
      let b = bytes[i]
      if b < 0x80 {
        let letter = (0x61...0x7A).contains(b | 0x20) || b == UInt8(ascii: "_")
        let later = (0x30...0x39).contains(b) || b == UInt8(ascii: "-")
        guard letter || (later && i > start) else { break }
        i += 1
      } else {
        let length = sequenceLength(i)
        guard length > 0, let scalar = decodeScalar(bytes, i, length) else { break }
        guard i == start ? scalar.properties.isIDStart : scalar.properties.isIDContinue else { break }
        i += length
      }
    }
    return i > start ? i : nil
  }

  /// `<<MARKER` or `<<-MARKER` with the line end after it.
  private func heredocStart() -> (marker: ArraySlice<UInt8>, end: Int)? {
    let name = at + (byte(2) == UInt8(ascii: "-") ? 3 : 2)
    guard let end = identifierEnd(name), end < bytes.count else { return nil }
    if bytes[end] == 0x0A { return (bytes[name..<end], end + 1) }
    if bytes[end] == 0x0D, end + 1 < bytes.count, bytes[end + 1] == 0x0A { return (bytes[name..<end], end + 2) }
    return nil
  }

  // MARK: Inside of strings

  private mutating func quoted() {
    switch bytes[at] {
    case UInt8(ascii: "\""):
      emit(.closeQuote, at + 1)
      modes.removeLast()
    case 0x0A: quotedLineEnd(at + 1)
    case 0x0D where byte(1) == 0x0A: quotedLineEnd(at + 2)
    default: templateText(.quotedLiteral, stop: UInt8(ascii: "\""))
    }
  }

  private mutating func quotedLineEnd(_ end: Int) {
    emit(.quotedNewline, end)
    guard closesQuotes else { return }
    modes.removeLast()
    // The string may be in an interpolation of another one on the line.
    while modes.count >= 2, case .normal(_, inTemplate: true) = modes[modes.count - 1],
      case .quoted = modes[modes.count - 2]
    {
      modes.removeLast(2)
    }
  }

  private mutating func heredoc(_ marker: ArraySlice<UInt8>, _ lineStart: Bool) {
    if lineStart {
      var lineEnd = at
      while lineEnd < bytes.count, bytes[lineEnd] != 0x0A { lineEnd += 1 }
      // The marker ends the heredoc only with a line end after it.
      if lineEnd < bytes.count, trimmed(at, lineEnd) == marker {
        var end = lineEnd
        if end > at, bytes[end - 1] == 0x0D { end -= 1 }
        emit(.closeHeredoc, end)
        emit(.newline, lineEnd + 1)
        modes.removeLast()
        return
      }
      modes[modes.count - 1] = .heredoc(marker: marker, lineStart: false)
    }
    let depth = modes.count
    templateText(.stringLiteral, stop: nil)
    if modes.count == depth, bytes[at - 1] == 0x0A {
      modes[modes.count - 1] = .heredoc(marker: marker, lineStart: true)
    }
  }

  private func trimmed(_ start: Int, _ end: Int) -> ArraySlice<UInt8> {
    func space(_ b: UInt8) -> Bool { b == 0x20 || (0x09...0x0D).contains(b) }
    var (start, end) = (start, end)
    while start < end, space(bytes[start]) { start += 1 }
    while end > start, space(bytes[end - 1]) { end -= 1 }
    return bytes[start..<end]
  }

  /// One token of a template: the start of a sequence, an escaped start, or literal text.
  private mutating func templateText(_ kind: Token.Kind, stop: UInt8?) {
    let first = bytes[at]
    if first == UInt8(ascii: "$") || first == UInt8(ascii: "%") {
      if byte(1) == UInt8(ascii: "{") {
        let trim = byte(2) == UInt8(ascii: "~")
        emit(first == UInt8(ascii: "$") ? .templateInterpolation : .templateControl, at + (trim ? 3 : 2))
        modes.append(.normal(braces: 0, inTemplate: true))
      } else if byte(1) == first, byte(2) == UInt8(ascii: "{") {
        emit(kind, at + (byte(3) == UInt8(ascii: "~") ? 4 : 3))
      } else {
        // On its own, since the same character after it may begin a sequence. Before the last character of a heredoc's line it takes
        // that along, as the reference scanner does; which text is one token decides what `~` trims.
        if at + 1 == bytes.count {
          // A string that the text breaks off in.
          if case .bareTemplate = modes[modes.count - 1] { emit(kind, at + 1) } else { emit(.invalid, at + 1) }
          return
        }
        let next = at + 1 < bytes.count ? max(1, sequenceLength(at + 1)) : 0
        let takesNext = stop == nil && next > 0 && at + 1 + next < bytes.count && bytes[at + 1 + next] == 0x0A
        emit(kind, at + 1 + (takesNext && isInHeredoc ? next : 0))
      }
      return
    }
    var end = at
    let inQuotes = stop != nil
    scan: while end < bytes.count {
      let b = bytes[end]
      switch b {
      case UInt8(ascii: "$"), UInt8(ascii: "%"): break scan
      case 0x0A:
        if !inQuotes { end += 1 }
        break scan
      case 0x0D where inQuotes && end + 1 < bytes.count && bytes[end + 1] == 0x0A: break scan
      case UInt8(ascii: "\\") where inQuotes:
        guard end + 1 < bytes.count, bytes[end + 1] != 0x0A else { break scan }
        let length = sequenceLength(end + 1)
        guard length > 0 else { break scan }
        end += 1 + length
      case _ where b == stop: break scan
      case 0..<0x80: end += 1
      default:
        let length = sequenceLength(end)
        guard length > 0 else { break scan }
        end += length
      }
    }
    if end > at {
      emit(kind, end)
    } else if bytes[at] == UInt8(ascii: "\\") {
      emit(.invalid, at + 1)
    } else {
      emit(.badUTF8, at + 1)
    }
  }
}

/// The length of the well-formed UTF-8 sequence at `i` (Unicode, table 3-7), 0 when there is none.
func utf8SequenceLength(_ bytes: [UInt8], _ i: Int) -> Int {
  let first = bytes[i]
  if first < 0x80 { return 1 }
  let length: Int
  var second: ClosedRange<UInt8> = 0x80...0xBF
  switch first {
  case 0xC2...0xDF: length = 2
  case 0xE0: (length, second) = (3, 0xA0...0xBF)
  case 0xED: (length, second) = (3, 0x80...0x9F)
  case 0xE1...0xEF: length = 3
  case 0xF0: (length, second) = (4, 0x90...0xBF)
  case 0xF1...0xF3: length = 4
  case 0xF4: (length, second) = (4, 0x80...0x8F)
  default: return 0
  }
  guard i + length <= bytes.count, second.contains(bytes[i + 1]) else { return 0 }
  for k in 2..<max(2, length) where bytes[i + k] & 0xC0 != 0x80 { return 0 }
  return length
}

/// The scalar of a well-formed sequence.
func decodeScalar(_ bytes: [UInt8], _ i: Int, _ length: Int) -> Unicode.Scalar? {
  let b = UInt32(bytes[i])
  func tail(_ k: Int) -> UInt32 { UInt32(bytes[i + k] & 0x3F) }
  return switch length {
  case 1: Unicode.Scalar(b)
  case 2: Unicode.Scalar((b & 0x1F) << 6 | tail(1))
  case 3: Unicode.Scalar((b & 0x0F) << 12 | tail(1) << 6 | tail(2))
  case 4: Unicode.Scalar((b & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3))
  default: nil
  }
}
