// Templates: quoted strings, heredocs, and text that is all template.

extension Parser {
  private enum Part {
    /// Text; `startsLine` where its token begins a line of the source.
    case literal(String, SourceRange)
    case interpolation(Expression, SourceRange)
    case ifStart(Expression, SourceRange)
    case elseMark(SourceRange)
    case ifEnd(SourceRange)
    case forStart(Expression.ForClause, SourceRange)
    case forEnd(SourceRange)

    var range: SourceRange {
      switch self {
      case .literal(_, let r), .interpolation(_, let r), .ifStart(_, let r), .elseMark(let r), .ifEnd(let r),
        .forStart(_, let r), .forEnd(let r):
        r
      }
    }
  }

  /// The whole text as a template.
  mutating func parseWholeTemplate() -> Expression? {
    do throws(ParseFailure) {
      let start = tokens[0].start
      let (parts, end) = try parseParts(until: .endOfFile)
      return try assemble(parts, range(start, end))
    } catch {
      return nil
    }
  }

  /// A quoted string or a heredoc.
  mutating func parseTemplateTerm() throws(ParseFailure) -> Expression {
    let open = take()
    let isHeredoc = open.kind == .openHeredoc
    let (parsed, end) = try nested(range(open)) { parser throws(ParseFailure) in
      try parser.parseParts(until: isHeredoc ? .closeHeredoc : .closeQuote)
    }
    let flush = isHeredoc && source.bytes[open.start.byte + 2] == UInt8(ascii: "-")
    return try assemble(flush ? Parser.flushed(parsed) : parsed, range(open.start, end))
  }

  private mutating func parseParts(until close: Token.Kind) throws(ParseFailure) -> ([Part], SourcePosition) {
    var parts: [Part] = []
    var trimNext = false
    // Line ends inside of the text are tokens of it, except between the braces of a sequence.
    newlines.append(true)
    while true {
      let token = tokens[next]
      if token.kind == close {
        newlines.removeLast()
        if next < tokens.count - 1 { next += 1 }
        return (parts, token.end)
      }
      switch token.kind {
      case .quotedLiteral, .stringLiteral:
        next += 1
        var text = try unescaped(token, quoted: token.kind == .quotedLiteral)
        if trimNext { text = Parser.trimmedLeft(text) }
        trimNext = false
        let after = tokens[next]
        if after.kind == .templateInterpolation || after.kind == .templateControl,
          after.end.byte - after.start.byte == 3
        {
          text = Parser.trimmedRight(text)
        }
        parts.append(.literal(text, range(token)))
      case .templateInterpolation:
        next += 1
        newlines.append(false)
        let expression = try parseExpression()
        let end = try sequenceEnd(token)
        newlines.removeLast()
        trimNext = end.end.byte - end.start.byte == 2
        parts.append(.interpolation(expression, range(token.start, end.end)))
      case .templateControl:
        next += 1
        newlines.append(false)
        let (part, end) = try parseDirective(token)
        newlines.removeLast()
        trimNext = end.end.byte - end.start.byte == 2
        parts.append(part)
      case .quotedNewline:
        throw fail("Invalid multi-line string", "A quoted string ends on the line where it began.", range(token))
      case .endOfFile:
        throw fail(
          "Unterminated template string",
          close == .closeHeredoc
            ? "The heredoc's end marker is missing: it stands alone on its line, and a line end follows it."
            : "The closing quote of this string is missing.", range(token))
      default: throw fail("Invalid template", "This has no meaning inside of a template.", range(token))
      }
    }
  }

  private mutating func sequenceEnd(_ open: Token) throws(ParseFailure) -> Token {
    let end = peek()
    guard end.kind == .templateEnd else {
      let detail =
        end.kind == .colon
        ? "The sequence must end with \"}\" after its expression. For a literal \"${\", as shells use it, write \"$${\"."
        : "The sequence must end with \"}\" after its expression."
      throw fail(
        "Extra characters after interpolation expression", detail, range(end), context: range(open.start, end.end))
    }
    // Not `take`: line ends after it belong to the text.
    next += 1
    return end
  }

  private mutating func parseDirective(_ open: Token) throws(ParseFailure) -> (Part, Token) {
    let word = peek()
    guard word.kind == .identifier else {
      throw fail(
        "Invalid template directive", "A word is needed after \"%{\": if, else, endif, for or endfor.", range(word))
    }
    take()
    switch text(word) {
    case "if":
      let condition = try parseExpression()
      let end = try sequenceEnd(open)
      return (.ifStart(condition, range(open.start, end.end)), end)
    case "else":
      let end = try sequenceEnd(open)
      return (.elseMark(range(open.start, end.end)), end)
    case "endif":
      let end = try sequenceEnd(open)
      return (.ifEnd(range(open.start, end.end)), end)
    case "for":
      let clause = try parseForHead()
      let end = try sequenceEnd(open)
      return (.forStart(clause, range(open.start, end.end)), end)
    case "endfor":
      let end = try sequenceEnd(open)
      return (.forEnd(range(open.start, end.end)), end)
    case let other:
      throw fail(
        "Invalid template control keyword",
        "\"\(other)\" is no template directive: there are if, else, endif, for and endfor."
          + Suggestion.sentence(for: other, among: ["if", "else", "endif", "for", "endfor"]), range(word))
    }
  }

  // MARK: From parts to an expression

  private mutating func assemble(_ parts: [Part], _ whole: SourceRange) throws(ParseFailure) -> Expression {
    if parts.count == 1, case .interpolation(let expression, _) = parts[0] {
      return try node(.templateWrap(expression), whole)
    }
    var at = 0
    let expressions = try assembleSequence(parts, &at, inside: nil)
    if at < parts.count {
      throw fail(
        "Unexpected template directive", "There is no open directive that this could belong to.", parts[at].range)
    }
    return try node(.template(expressions), whole)
  }

  /// Parts up to a directive that ends the sequence, which is left at `at`.
  private mutating func assembleSequence(
    _ parts: [Part], _ at: inout Int, inside open: SourceRange?
  ) throws(ParseFailure) -> [Expression] {
    var out: [Expression] = []
    while at < parts.count {
      switch parts[at] {
      case .literal(let text, let range):
        out.append(try node(.literal(.string(text)), range))
        at += 1
      case .interpolation(let expression, _):
        out.append(expression)
        at += 1
      case .ifStart(let condition, let range):
        at += 1
        out.append(
          try assembleNested(parts, &at, range) { parser, at throws(ParseFailure) in
            try parser.assembleIf(parts, &at, condition, range)
          })
      case .forStart(let clause, let range):
        at += 1
        out.append(
          try assembleNested(parts, &at, range) { parser, at throws(ParseFailure) in
            try parser.assembleFor(parts, &at, clause, range)
          })
      case .elseMark, .ifEnd, .forEnd: return out
      }
    }
    return out
  }

  private mutating func assembleNested(
    _ parts: [Part], _ at: inout Int, _ open: SourceRange,
    _ body: (inout Parser, inout Int) throws(ParseFailure) -> Expression
  ) throws(ParseFailure) -> Expression {
    var position = at
    let result = try nested(open) { parser throws(ParseFailure) in try body(&parser, &position) }
    at = position
    return result
  }

  private mutating func assembleIf(
    _ parts: [Part], _ at: inout Int, _ condition: Expression, _ open: SourceRange
  ) throws(ParseFailure) -> Expression {
    let then = try assembleSequence(parts, &at, inside: open)
    var otherwise: [Expression] = []
    if at < parts.count, case .elseMark = parts[at] {
      at += 1
      otherwise = try assembleSequence(parts, &at, inside: open)
    }
    guard at < parts.count, case .ifEnd(let end) = parts[at] else { throw unclosed(parts, at, open, "endif") }
    at += 1
    let whole = SourceRange.between(open, end)
    // The same text without condition is a template too, even one of a single interpolation: both sides are strings.
    return try node(
      .conditional(
        condition: condition, then: try node(.template(then), whole), otherwise: try node(.template(otherwise), whole)),
      whole)
  }

  private mutating func assembleFor(
    _ parts: [Part], _ at: inout Int, _ clause: Expression.ForClause, _ open: SourceRange
  ) throws(ParseFailure) -> Expression {
    let body = try assembleSequence(parts, &at, inside: open)
    guard at < parts.count, case .forEnd(let end) = parts[at] else { throw unclosed(parts, at, open, "endfor") }
    at += 1
    let whole = SourceRange.between(open, end)
    return try node(.templateFor(clause, body: try node(.template(body), whole)), whole)
  }

  private mutating func unclosed(_ parts: [Part], _ at: Int, _ open: SourceRange, _ wanted: String) -> ParseFailure {
    if at < parts.count {
      return fail(
        "Unexpected template directive",
        "The directive on line \(open.start.line) needs its \"\(wanted)\" before this one.",
        parts[at].range)
    }
    return fail("Unexpected end of template", "This directive has no \"\(wanted)\".", open)
  }

  // MARK: Literal text

  /// The text that a token of a template stands for.
  mutating func unescaped(_ token: Token, quoted: Bool) throws(ParseFailure) -> String {
    let bytes = source.bytes[token.start.byte..<token.end.byte]
    // The lexer makes an escaped start of a sequence a token of its own.
    let isEscape = bytes.starts(with: "$${".utf8) || bytes.starts(with: "%%{".utf8)
    if isEscape { return String(decoding: bytes.dropFirst(), as: UTF8.self) }
    guard quoted, bytes.contains(UInt8(ascii: "\\")) else { return String(decoding: bytes, as: UTF8.self) }
    var out: [UInt8] = []
    var i = bytes.startIndex
    while i < bytes.endIndex {
      guard bytes[i] == UInt8(ascii: "\\"), i + 1 < bytes.endIndex else {
        out.append(bytes[i])
        i += 1
        continue
      }
      let selector = bytes[i + 1]
      switch selector {
      case UInt8(ascii: "n"): out.append(0x0A)
      case UInt8(ascii: "r"): out.append(0x0D)
      case UInt8(ascii: "t"): out.append(0x09)
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): out.append(selector)
      case UInt8(ascii: "u"), UInt8(ascii: "U"):
        let count = selector == UInt8(ascii: "u") ? 4 : 8
        let digits = bytes[(i + 2)...].prefix(count)
        guard digits.count == count, digits.allSatisfy({ ($0 < 0x80) && Character(Unicode.Scalar($0)).isHexDigit }),
          let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else {
          throw fail(
            "Invalid escape sequence",
            "After \\\(count == 4 ? "u" : "U") exactly \(count) hexadecimal digits are needed.",
            place(token, i, i + 2 + digits.count))
        }
        guard let scalar = Unicode.Scalar(code) else {
          throw fail(
            "Invalid escape sequence", "There is no Unicode character with this number.", place(token, i, i + 2 + count)
          )
        }
        out += String(scalar).utf8
        i += count
      default:
        throw fail(
          "Invalid escape sequence",
          "After a backslash one of n, r, t, \", \\, u, U is needed. For a backslash itself write two.",
          place(token, i, i + 1 + max(1, utf8SequenceLength(source.bytes, i + 1))))
      }
      i += 2
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// The range of bytes inside of a token that lies on one line.
  private func place(_ token: Token, _ start: Int, _ end: Int) -> SourceRange {
    let before = source.text(token.start.byte, start).count
    let inside = source.text(start, end).count
    let first = SourcePosition(line: token.start.line, column: token.start.column + before, byte: start)
    return range(first, SourcePosition(line: first.line, column: first.column + inside, byte: end))
  }

  private static func trimmedLeft(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.drop(while: { $0.properties.isWhitespace })))
  }

  private static func trimmedRight(_ text: String) -> String {
    var scalars = text.unicodeScalars
    while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
    return String(scalars)
  }

  /// A `<<-` heredoc without the indentation that all its lines share. Lines of white space alone neither count nor change.
  private static func flushed(_ parts: [Part]) -> [Part] {
    var shared: Int?
    forEachLineStart(parts) { index in
      guard case .literal(let text, _) = parts[index] else {
        shared = 0
        return
      }
      let spaces = text.unicodeScalars.prefix { $0.properties.isWhitespace && $0 != "\n" && $0 != "\r" }.count
      let blank = text.unicodeScalars.allSatisfy(\.properties.isWhitespace) && text.utf8.last == 0x0A
      if !blank { shared = min(shared ?? spaces, spaces) }
    }
    guard let shared, shared > 0 else { return parts }
    var out = parts
    forEachLineStart(parts) { index in
      guard case .literal(let text, let range) = parts[index] else { return }
      let blank = text.unicodeScalars.allSatisfy(\.properties.isWhitespace) && text.utf8.last == 0x0A
      if !blank {
        out[index] = .literal(String(String.UnicodeScalarView(text.unicodeScalars.dropFirst(shared))), range)
      }
    }
    return out
  }

  private static func forEachLineStart(_ parts: [Part], _ visit: (Int) -> Void) {
    var lineStart = true
    for (index, part) in parts.enumerated() {
      if lineStart { visit(index) }
      if case .literal(let text, _) = part { lineStart = text.utf8.last == 0x0A } else { lineStart = false }
    }
  }
}
