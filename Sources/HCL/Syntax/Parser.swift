/// What parsing found: the parsed thing as far as it could be understood, and everything wrong with the text.
public struct Parsed<Result: Sendable>: Sendable {
  /// What could be understood.
  public var result: Result
  /// Everything that is wrong, in source order.
  public var diagnostics: [Diagnostic]

  /// The result, or all diagnostics thrown when there is an error among them.
  public func get() throws(Diagnostics) -> Result {
    if diagnostics.hasErrors { throw Diagnostics(diagnostics) }
    return result
  }
}

/// Parses HCL native syntax. Time and memory are linear in the text; nesting deeper than `maximumNesting` is an error, so
/// that no input can exhaust the stack.
public enum HCLParser {
  /// Levels of brackets, blocks, interpolations, conditionals and unary operators inside of each other.
  public static let maximumNesting = 128
  /// Levels of an expression's tree, where a chain of operators counts as one level each.
  public static let maximumDepth = 512
  /// Diagnostics for one file; what follows is not reported.
  public static let maximumDiagnostics = 100

  /// The tokens of a file, and what is wrong with them.
  package static func tokens(of source: SourceFile) -> Parsed<[Token]> {
    let parser = Parser(source, .configuration, closesQuotes: false)
    return Parsed(result: parser.tokens, diagnostics: parser.finished)
  }

  /// Parses a whole file.
  /// - Parameter quotedNames: takes `"name" = value` in bodies too, as files written for HCL 1 have it where names are
  ///   paths or contain dots. The specification of HCL 2 does not.
  public static func parse(_ source: SourceFile, quotedNames: Bool = false) -> Parsed<Body> {
    var parser = Parser(source, .configuration)
    parser.quotedNames = quotedNames
    let body = parser.parseFile()
    return Parsed(result: body, diagnostics: parser.finished)
  }

  /// Parses one expression, such as the value of a `-var` flag. Nil result when it can't be understood.
  public static func parseExpression(_ source: SourceFile) -> Parsed<Expression?> {
    var parser = Parser(source, .configuration)
    let expression = parser.parseWholeExpression()
    return Parsed(result: expression, diagnostics: parser.finished)
  }

  /// Parses text as a template without quotes: `hello ${name}`.
  public static func parseTemplate(_ source: SourceFile) -> Parsed<Expression?> {
    var parser = Parser(source, .template)
    let expression = parser.parseWholeTemplate()
    return Parsed(result: expression, diagnostics: parser.finished)
  }
}

/// Thrown inside of the parser after the diagnostic has been recorded: the construct can't be understood further.
struct ParseFailure: Error {}

/// A recursive-descent parser over the tokens. This file: tokens, recovery, bodies. Expressions and templates are
/// extensions beside it.
struct Parser {
  let source: SourceFile
  let tokens: [Token]
  var next = 0
  /// Whether line ends matter, by bracket level.
  var newlines: [Bool] = [true]
  var nesting = 0
  var quotedNames = false
  var diagnostics: [Diagnostic] = []
  private var places = Set<SourceRange>()

  init(_ source: SourceFile, _ start: Lexer.Start, closesQuotes: Bool = true) {
    self.source = source
    tokens = Lexer.tokens(of: source.bytes, start: start, closesQuotes: closesQuotes)
    checkTokens()
  }

  var finished: [Diagnostic] {
    diagnostics.enumerated().sorted {
      ($0.element.subject?.start.byte ?? 0, $0.offset) < ($1.element.subject?.start.byte ?? 0, $1.offset)
    }.map(\.element)
  }

  // MARK: Tokens

  /// The next token that matters here, without taking it.
  mutating func peek() -> Token {
    while next < tokens.count - 1 {
      let token = tokens[next]
      switch token.kind {
      case .comment:
        // A comment to the end of the line ends the line.
        if newlines[newlines.count - 1], token.end.line > token.start.line,
          source.bytes[token.start.byte] != UInt8(ascii: "/")
            || source.bytes[token.start.byte + 1] == UInt8(ascii: "/")
        {
          return Token(kind: .newline, start: token.start, end: token.end)
        }
        next += 1
      case .newline where !newlines[newlines.count - 1]: next += 1
      default: return token
      }
    }
    return tokens[tokens.count - 1]
  }

  @discardableResult
  mutating func take() -> Token {
    let token = peek()
    if next < tokens.count - 1 { next += 1 }
    return token
  }

  func text(_ token: Token) -> String { source.text(token.start.byte, token.end.byte) }

  func range(_ token: Token) -> SourceRange {
    SourceRange(file: source.name, start: token.start, end: token.end)
  }

  func range(_ start: SourcePosition, _ end: SourcePosition) -> SourceRange {
    SourceRange(file: source.name, start: start, end: end)
  }

  func isWord(_ token: Token, _ word: String) -> Bool {
    token.kind == .identifier && text(token) == word
  }

  /// A name as the language has it: in Unicode normalization form C.
  func name(_ token: Token) -> String { Value.string(text(token)).asString ?? text(token) }

  mutating func report(_ summary: String, _ detail: String, _ subject: SourceRange, context: SourceRange? = nil) {
    guard diagnostics.count < HCLParser.maximumDiagnostics else { return }
    // Two messages about one place rarely tell more than the first.
    guard places.insert(subject).inserted else { return }
    diagnostics.append(Diagnostic(.error, summary, detail, subject: subject, context: context))
  }

  mutating func fail(_ summary: String, _ detail: String, _ subject: SourceRange, context: SourceRange? = nil)
    -> ParseFailure
  {
    report(summary, detail, subject, context: context)
    return ParseFailure()
  }

  /// Runs `body` one level deeper.
  mutating func nested<T>(
    _ at: SourceRange, _ body: (inout Parser) throws(ParseFailure) -> T
  ) throws(ParseFailure) -> T {
    guard nesting < HCLParser.maximumNesting else {
      throw fail(
        "Nested too deeply",
        "At most \(HCLParser.maximumNesting) levels of brackets, blocks and interpolations may be inside of each other.",
        at)
    }
    nesting += 1
    defer { nesting -= 1 }
    return try body(&self)
  }

  /// Makes an expression node, unless the tree would be too deep.
  mutating func node(_ kind: Expression.Kind, _ range: SourceRange) throws(ParseFailure) -> Expression {
    let expression = Expression(kind, range)
    guard expression.depth <= HCLParser.maximumDepth else {
      throw fail(
        "Expression too long",
        "An expression may chain or nest at most \(HCLParser.maximumDepth) operations. Split it up.", range)
    }
    return expression
  }

  // MARK: Text that is never valid

  private mutating func checkTokens() {
    var reported = Set<String>()
    for token in tokens {
      switch token.kind {
      case .bitwiseAnd, .bitwiseOr, .bitwiseNot, .bitwiseXor:
        guard reported.insert(token.kind.rawValue).inserted else { continue }
        let meant: String? =
          switch token.kind {
          case .bitwiseAnd: "&&"
          case .bitwiseOr: "||"
          case .bitwiseNot: "!"
          default: nil
          }
        report(
          "Unsupported operator",
          "HCL has no bitwise operators." + (meant.map { " For the logical one write \"\($0)\"." } ?? ""), range(token))
      case .apostrophe:
        guard reported.insert("quote").inserted else { continue }
        report("Invalid character", "Strings are written in double quotes (\"), not in single ones.", range(token))
      case .backtick:
        guard reported.insert("backtick").inserted else { continue }
        report(
          "Invalid character",
          "Strings are written in double quotes (\"); for several lines use a heredoc such as <<EOT.",
          range(token))
      case .semicolon:
        guard reported.insert("semicolon").inserted else { continue }
        report(
          "Invalid character", "A semicolon separates nothing in HCL: write each argument and block on its own line.",
          range(token))
      case .badUTF8:
        guard reported.insert("utf8").inserted else { continue }
        report(
          "Invalid character encoding", "The text must be UTF-8; this byte is not part of a valid character.",
          range(token))
      case .quotedNewline:
        report(
          "Invalid multi-line string",
          "A quoted string ends on the line where it began. Write \\n for a line end, or use a heredoc such as <<EOT.",
          range(token))
      case .invalid: report("Invalid character", "This character has no meaning in HCL.", range(token))
      default: break
      }
    }
  }

  // MARK: Bodies

  mutating func parseFile() -> Body {
    var items: [Body.Item] = []
    var known: [String: SourceRange] = [:]
    while true {
      parseItems(&items, &known, inBlock: false)
      let stop = peek()
      if stop.kind == .endOfFile { break }
      report("Unexpected closing brace", "There is no open block that this brace could close.", range(stop))
      take()
    }
    let end = tokens[tokens.count - 1]
    let first = tokens[0]
    return Body(items: items, range: range(first.start, end.end), endRange: range(end))
  }

  /// Reads items up to a closing brace or the end of the file, neither of which it takes.
  private mutating func parseItems(_ items: inout [Body.Item], _ known: inout [String: SourceRange], inBlock: Bool) {
    while true {
      let token = peek()
      switch token.kind {
      case .newline: take()
      case .endOfFile: return
      case .closeBrace: return
      default:
        let start = next
        let levels = newlines.count
        do throws(ParseFailure) {
          try parseItem(&items, &known)
        } catch {
          newlines.removeLast(newlines.count - levels)
          recover(from: start)
        }
      }
    }
  }

  private mutating func parseItem(_ items: inout [Body.Item], _ known: inout [String: SourceRange]) throws(ParseFailure)
  {
    let first = peek()
    guard first.kind == .identifier else {
      if first.kind == .openQuote, quotedNames {
        let (name, range) = try parseLabel()
        return try add(try parseAttribute(name, range), &items, &known)
      }
      if first.kind == .openQuote {
        throw fail(
          "Invalid argument name", "Names of arguments and blocks are written without quotes.", range(first))
      }
      throw fail(
        "Argument or block definition required", "An argument (name = value) or a block (name { … }) belongs here.",
        range(first))
    }
    take()
    let after = peek()
    switch after.kind {
    case .equal:
      try add(try parseAttribute(name(first), range(first)), &items, &known)
    case .openBrace, .openQuote, .identifier:
      let block = try parseBlock(first)
      items.append(.block(block))
      try endOfItem("block")
    case .colon:
      throw fail(
        "Argument or block definition required",
        "To set an argument, put an equals sign after its name: "
          + "\(text(first)) = …", range(after))
    default:
      throw fail(
        "Argument or block definition required",
        "After \"\(text(first))\" either an equals sign is needed, to set an argument, or an opening brace, to begin a block.",
        range(first))
    }
  }

  private mutating func add(
    _ attribute: Attribute, _ items: inout [Body.Item], _ known: inout [String: SourceRange]
  ) throws(ParseFailure) {
    if let earlier = known[attribute.name] {
      report(
        "Attribute redefined",
        "The argument \"\(attribute.name)\" has been set on line \(earlier.start.line) already; it can be set once only.",
        attribute.nameRange)
    } else {
      known[attribute.name] = attribute.nameRange
      items.append(.attribute(attribute))
    }
    try endOfItem("argument")
  }

  private mutating func endOfItem(_ what: String) throws(ParseFailure) {
    let token = peek()
    switch token.kind {
    case .newline: take()
    case .endOfFile: break
    default:
      throw fail(
        "Missing line end after \(what)",
        token.kind == .comma
          ? "Arguments are separated by line ends, not by commas: put each on a line of its own."
          : "Something follows the \(what) on its line; put it on a line of its own.", range(token))
    }
  }

  private mutating func parseAttribute(_ name: String, _ nameRange: SourceRange) throws(ParseFailure) -> Attribute {
    let equals = take()
    guard equals.kind == .equal else {
      throw fail(
        "Invalid argument", "An equals sign is needed after the argument's name: \"\(name)\" = …", range(equals))
    }
    let expression = try parseExpression()
    return Attribute(
      name: name, expression: expression, nameRange: nameRange, range: range(nameRange.start, expression.range.end))
  }

  private mutating func parseBlock(_ type: Token) throws(ParseFailure) -> Block {
    var labels: [String] = []
    var labelRanges: [SourceRange] = []
    var headerEnd = type.end
    while true {
      let token = peek()
      switch token.kind {
      case .openBrace:
        take()
        let header = range(type.start, headerEnd)
        let body = try nested(range(token)) { parser throws(ParseFailure) in
          try parser.parseBlockBody(open: token)
        }
        return Block(
          type: name(type), labels: labels, body: body, typeRange: range(type), labelRanges: labelRanges,
          headerRange: header)
      case .identifier:
        take()
        labels.append(name(token))
        labelRanges.append(range(token))
        headerEnd = token.end
      case .openQuote:
        let (label, labelRange) = try parseLabel()
        labels.append(label)
        labelRanges.append(labelRange)
        headerEnd = labelRange.end
      case .equal:
        throw fail(
          "Invalid block definition",
          "A block begins with its type, then labels, then an opening brace. Is \"\(text(type))\" an argument? Its name is one word.",
          range(token))
      case .newline:
        throw fail(
          "Invalid block definition", "The block's opening brace must be on the same line as its type and labels.",
          range(token), context: range(type.start, token.end))
      default:
        throw fail(
          "Invalid block definition", "A label or the opening brace of the block is needed here.", range(token),
          context: range(type.start, token.end))
      }
    }
  }

  /// A quoted string without interpolations.
  private mutating func parseLabel() throws(ParseFailure) -> (String, SourceRange) {
    let open = take()
    var label = ""
    while true {
      let token = take()
      switch token.kind {
      case .quotedLiteral: label += try unescaped(token, quoted: true)
      case .closeQuote: return (Value.string(label).asString ?? label, range(open.start, token.end))
      case .templateInterpolation, .templateControl:
        throw fail(
          "Invalid block label",
          "Labels are fixed text: \"${\" and \"%{\" have no meaning here. Double the first character to write it.",
          range(token), context: range(open.start, token.end))
      case .quotedNewline: throw ParseFailure()
      default:
        throw fail("Unterminated string", "The quote of this label is not closed on its line.", range(open))
      }
    }
  }

  private mutating func parseBlockBody(open: Token) throws(ParseFailure) -> Body {
    var items: [Body.Item] = []
    var known: [String: SourceRange] = [:]
    newlines.append(true)
    defer { newlines.removeLast() }
    let first = peek()
    switch first.kind {
    case .newline:
      parseItems(&items, &known, inBlock: true)
      let close = peek()
      guard close.kind == .closeBrace else {
        throw fail("Unclosed block", "This block has no closing brace before the end of the file.", range(open))
      }
      take()
      return Body(items: items, range: range(open.start, close.end), endRange: range(close))
    case .closeBrace:
      take()
      return Body(items: [], range: range(open.start, first.end), endRange: range(first))
    case .identifier,
      .openQuote where quotedNames:
      let attribute: Attribute
      if first.kind == .openQuote {
        let (name, range) = try parseLabel()
        attribute = try parseAttribute(name, range)
      } else {
        take()
        let after = peek()
        guard after.kind == .equal else {
          throw fail(
            "Invalid single-line block",
            "A block on one line holds one argument at most and no other block. Put its content on lines of its own.",
            range(first.start, after.kind == .openBrace ? after.end : first.end))
        }
        attribute = try parseAttribute(name(first), range(first))
      }
      let close = peek()
      switch close.kind {
      case .closeBrace:
        take()
        return Body(
          items: [.attribute(attribute)], range: range(open.start, close.end), endRange: range(close))
      case .comma:
        throw fail(
          "Invalid single-line block",
          "A block on one line holds one argument at most. Put its arguments on lines of their own, without commas.",
          range(close))
      case .newline:
        throw fail(
          "Invalid single-line block",
          "A block that begins on one line with its argument must be closed on that line too. Or put the argument on the next line.",
          range(close))
      default:
        throw fail(
          "Invalid single-line block", "Only the closing brace may follow the argument of a block on one line.",
          range(close))
      }
    default:
      throw fail(
        "Invalid block body", "A line end, an argument or the closing brace is needed after the opening brace.",
        range(first.kind == .endOfFile ? open : first))
    }
  }

  // MARK: Recovery

  /// Skips what is left of the item that began at token `start`: to the end of the line on which all its brackets are closed, or
  /// to where the next item obviously begins.
  private mutating func recover(from start: Int) {
    var open: [Token.Kind] = []
    var i = start
    while i < tokens.count - 1 {
      let kind = tokens[i].kind
      switch kind {
      case .openBrace, .openBracket, .openParenthesis, .openQuote, .openHeredoc, .templateInterpolation,
        .templateControl:
        open.append(kind)
      case .closeBrace:
        if open.isEmpty {
          // Closes the block around the item.
          if i >= next {
            next = i
            return
          }
        } else if let k = open.lastIndex(of: .openBrace) {
          open.removeSubrange(k...)
        } else if i >= next {
          next = i
          return
        }
      case .closeBracket: if let k = open.lastIndex(of: .openBracket) { open.removeSubrange(k...) }
      case .closeParenthesis: if let k = open.lastIndex(of: .openParenthesis) { open.removeSubrange(k...) }
      case .closeQuote: if let k = open.lastIndex(of: .openQuote) { open.removeSubrange(k...) }
      case .closeHeredoc: if let k = open.lastIndex(of: .openHeredoc) { open.removeSubrange(k...) }
      case .templateEnd:
        if let k = open.lastIndex(where: { $0 == .templateInterpolation || $0 == .templateControl }) {
          open.removeSubrange(k...)
        }
      case .newline, .comment, .quotedNewline:
        if kind == .quotedNewline, let k = open.lastIndex(of: .openQuote) {
          open.removeSubrange(k...)
          while open.count >= 2, open[open.count - 2] == .openQuote, open[open.count - 1] != .openQuote {
            open.removeLast(2)
          }
        }
        if i >= next, tokens[i].end.line > tokens[i].start.line, open.isEmpty || itemBegins(at: i + 1, inside: open) {
          next = min(i + 1, tokens.count - 1)
          return
        }
      default: break
      }
      i += 1
    }
    next = tokens.count - 1
  }

  /// Whether the tokens at `i` look like a new item although brackets are open: `name =` or `name {` at the start of a line is
  /// nothing that brackets or parentheses can hold.
  private func itemBegins(at i: Int, inside open: [Token.Kind]) -> Bool {
    guard i + 2 < tokens.count, tokens[i].kind == .identifier else { return false }
    guard open.allSatisfy({ $0 == .openBracket || $0 == .openParenthesis }) else { return false }
    switch tokens[i + 1].kind {
    case .equal, .openBrace: return true
    case .openQuote: return tokens[i + 2].kind == .quotedLiteral
    default: return false
    }
  }
}
