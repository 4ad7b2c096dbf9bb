// Expressions, by the grammar of the HCL native syntax specification, section "Expressions".

extension Parser {
  /// One expression and nothing after it.
  mutating func parseWholeExpression() -> Expression? {
    newlines.append(false)
    do throws(ParseFailure) {
      let expression = try parseExpression()
      let rest = peek()
      if rest.kind != .endOfFile {
        report(
          "Extra characters after expression", "The expression ends before this place; what follows makes no sense.",
          range(rest))
      }
      return expression
    } catch {
      return nil
    }
  }

  /// Conditional, the loosest binding.
  mutating func parseExpression() throws(ParseFailure) -> Expression {
    let at = peek()
    return try nested(range(at)) { parser throws(ParseFailure) in
      let condition = try parser.parseBinary(0)
      guard parser.peek().kind == .question else { return condition }
      parser.take()
      let then = try parser.parseExpression()
      let colon = parser.peek()
      guard colon.kind == .colon else {
        throw parser.fail(
          "Missing false value in conditional",
          "A conditional is written: condition ? value : value. The colon is missing here.",
          parser.range(colon), context: .between(condition.range, parser.range(colon)))
      }
      parser.take()
      let otherwise = try parser.parseExpression()
      return try parser.node(
        .conditional(condition: condition, then: then, otherwise: otherwise), .between(condition.range, otherwise.range)
      )
    }
  }

  /// The operators of each level, loosest first.
  private static let levels: [[Token.Kind: BinaryOperator]] = [
    [.or: .or],
    [.and: .and],
    [.equalTo: .equal, .notEqual: .notEqual],
    [.lessThan: .less, .lessThanOrEqual: .lessOrEqual, .greaterThan: .greater, .greaterThanOrEqual: .greaterOrEqual],
    [.plus: .add, .minus: .subtract],
    [.star: .multiply, .slash: .divide, .percent: .modulo],
  ]

  private static func binding(_ kind: Token.Kind) -> (level: Int, op: BinaryOperator)? {
    for (level, operators) in levels.enumerated() {
      if let op = operators[kind] { return (level, op) }
    }
    return nil
  }

  /// Operators of `level` and tighter, all of them associating to the left (precedence climbing).
  private mutating func parseBinary(_ level: Int) throws(ParseFailure) -> Expression {
    var left = try parseWithTraversals()
    while let (found, op) = Parser.binding(peek().kind), found >= level {
      let operatorToken = take()
      let right = found == Parser.levels.count - 1 ? try parseWithTraversals() : try parseBinary(found + 1)
      left = try node(.binary(op, left, right, operatorRange: range(operatorToken)), .between(left.range, right.range))
    }
    return left
  }

  // MARK: Terms and what follows them

  mutating func parseWithTraversals() throws(ParseFailure) -> Expression {
    let term = try parseTerm()
    return try parseSteps(from: term)
  }

  private mutating func parseSteps(from start: Expression) throws(ParseFailure) -> Expression {
    var expression = start
    while true {
      let token = peek()
      switch token.kind {
      case .dot:
        take()
        let after = peek()
        switch after.kind {
        case .identifier:
          take()
          expression = try step(expression, .attribute(name(after)), range(token.start, after.end))
        case .number:
          take()
          expression = try step(expression, .index(try legacyIndex(after)), range(token.start, after.end))
        case .star:
          take()
          expression = try parseAttributeSplat(expression, range(token.start, after.end))
        case .openBracket:
          throw fail(
            "Missing attribute name", "A dot is not needed before an index: write [ … ] directly after the value.",
            range(after))
        default:
          throw fail("Missing attribute name", "After a dot the name of an attribute is needed.", range(after))
        }
      case .openBracket:
        take()
        newlines.append(false)
        let first = peek()
        if first.kind == .star {
          take()
          let close = peek()
          guard close.kind == .closeBracket else {
            throw fail(
              "Missing closing bracket", "A splat is written [*]: the bracket must be closed after the star.",
              range(close))
          }
          newlines.removeLast()
          take()
          let marker = range(token.start, close.end)
          let element = try node(.splatElement, marker)
          // Everything that follows applies to each element.
          let each = try nested(marker) { parser throws(ParseFailure) in try parser.parseSteps(from: element) }
          return try node(.splat(source: expression, each: each), .between(expression.range, each.range))
        }
        let key = try parseExpression()
        let close = peek()
        guard close.kind == .closeBracket else {
          throw fail(
            "Missing closing bracket", "The index must be closed with \"]\".", range(close),
            context: range(token.start, close.end))
        }
        newlines.removeLast()
        take()
        let whole = range(token.start, close.end)
        if case .literal(let value) = key.kind {
          expression = try step(expression, .index(value), whole)
        } else if let text = key.literalString {
          expression = try step(expression, .index(.string(text)), whole)
        } else {
          expression = try node(.index(expression, key: key), .between(expression.range, whole))
        }
      default: return expression
      }
    }
  }

  private mutating func step(
    _ from: Expression, _ kind: Traversal.Step.Kind, _ at: SourceRange
  ) throws(ParseFailure) -> Expression {
    let new = Traversal.Step(kind: kind, range: at)
    switch from.kind {
    case .traversal(var traversal):
      traversal.steps.append(new)
      return Expression(.traversal(traversal), .between(from.range, at))
    case .relativeTraversal(let base, let steps):
      return Expression(.relativeTraversal(base, steps + [new]), .between(from.range, at))
    default: return try node(.relativeTraversal(from, [new]), .between(from.range, at))
    }
  }

  private mutating func legacyIndex(_ token: Token) throws(ParseFailure) -> Value {
    let digits = text(token)
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Number(digits) else {
      throw fail(
        "Invalid index", "After a dot only one whole number can stand. Write indexes in brackets: [0][1].", range(token)
      )
    }
    return .number(number)
  }

  /// `.*` and the attributes after it, which apply to each element; an index after them applies to the result.
  private mutating func parseAttributeSplat(_ source: Expression, _ marker: SourceRange) throws(ParseFailure)
    -> Expression
  {
    var each = try node(.splatElement, marker)
    while peek().kind == .dot {
      let dot = take()
      let after = peek()
      switch after.kind {
      case .identifier:
        take()
        each = try step(each, .attribute(name(after)), range(dot.start, after.end))
      case .number:
        take()
        each = try step(each, .index(try legacyIndex(after)), range(dot.start, after.end))
      case .star:
        throw fail(
          "Nested splat", "The splat \".*\" can't follow another one. Use [*] instead.", range(after))
      default: throw fail("Missing attribute name", "After a dot the name of an attribute is needed.", range(after))
      }
    }
    return try node(.splat(source: source, each: each), .between(source.range, each.range))
  }

  private mutating func parseTerm() throws(ParseFailure) -> Expression {
    let token = peek()
    switch token.kind {
    case .number:
      take()
      guard let number = Number(text(token)) else {
        throw fail("Invalid number", "This does not read as a number, or it is out of range.", range(token))
      }
      return try node(.literal(.number(number)), range(token))
    case .identifier: return try parseWord()
    case .openQuote, .openHeredoc: return try parseTemplateTerm()
    case .openParenthesis:
      take()
      newlines.append(false)
      let inner = try parseExpression()
      let close = peek()
      guard close.kind == .closeParenthesis else {
        throw fail(
          "Unbalanced parentheses", "A closing parenthesis is needed here.", range(close),
          context: range(token.start, close.end))
      }
      newlines.removeLast()
      take()
      return try node(.parenthesized(inner), range(token.start, close.end))
    case .openBracket: return try parseTuple()
    case .openBrace: return try parseObject()
    case .minus, .bang:
      take()
      let operand = try nested(range(token)) { parser throws(ParseFailure) in try parser.parseWithTraversals() }
      return try node(.unary(token.kind == .minus ? .negate : .not, operand), .between(range(token), operand.range))
    case .endOfFile:
      throw fail("Missing expression", "The text ends where an expression is needed.", range(token))
    case .newline:
      throw fail("Missing expression", "The line ends where an expression is needed.", range(token))
    default:
      throw fail("Invalid expression", "An expression is needed here, and none begins with this.", range(token))
    }
  }

  private mutating func parseWord() throws(ParseFailure) -> Expression {
    let token = take()
    let word = name(token)
    if peek().kind == .openParenthesis { return try parseCall(word, token) }
    switch word {
    case "true": return try node(.literal(.true), range(token))
    case "false": return try node(.literal(.false), range(token))
    case "null": return try node(.literal(.null()), range(token))
    default: return try node(.traversal(Traversal(root: word, rootRange: range(token), steps: [])), range(token))
    }
  }

  private mutating func parseCall(_ name: String, _ nameToken: Token) throws(ParseFailure) -> Expression {
    let open = take()
    newlines.append(false)
    var arguments: [Expression] = []
    var expandsLast = false
    loop: while true {
      if peek().kind == .closeParenthesis { break }
      arguments.append(try parseExpression())
      let token = peek()
      switch token.kind {
      case .comma: take()
      case .closeParenthesis: break loop
      case .ellipsis:
        take()
        expandsLast = true
        let close = peek()
        guard close.kind == .closeParenthesis else {
          throw fail(
            "Missing closing parenthesis", "After \"...\" the call must end: only its last argument can be expanded.",
            range(close),
            context: range(nameToken.start, close.end))
        }
        break loop
      default:
        throw fail(
          "Missing argument separator",
          "Arguments of a function are separated by commas, and the call ends with \")\".", range(token),
          context: range(nameToken.start, token.end))
      }
    }
    newlines.removeLast()
    let close = take()
    let call = Expression.Call(
      name: name, nameRange: range(nameToken), arguments: arguments, expandsLast: expandsLast,
      argumentsRange: range(open.start, close.end))
    return try node(.call(call), range(nameToken.start, close.end))
  }

  // MARK: Collections

  private mutating func parseTuple() throws(ParseFailure) -> Expression {
    let open = take()
    newlines.append(false)
    if isWord(peek(), "for") {
      let (clause, value) = try parseFor(open, close: .closeBracket) { parser throws(ParseFailure) in
        try parser.parseExpression()
      }
      newlines.removeLast()
      let close = take()
      return try node(.forTuple(clause, value: value), range(open.start, close.end))
    }
    var elements: [Expression] = []
    loop: while peek().kind != .closeBracket {
      elements.append(try parseExpression())
      let token = peek()
      switch token.kind {
      case .comma: take()
      case .closeBracket: break loop
      case .endOfFile:
        throw fail("Unterminated tuple", "This bracket is not closed before the end of the file.", range(open))
      default:
        throw fail(
          "Missing item separator", "Items are separated by commas, and the list ends with \"]\".", range(token),
          context: range(open.start, token.end))
      }
    }
    newlines.removeLast()
    let close = take()
    return try node(.tuple(elements), range(open.start, close.end))
  }

  private mutating func parseObject() throws(ParseFailure) -> Expression {
    let open = take()
    newlines.append(false)
    if isWord(peek(), "for") {
      var key: Expression?
      var grouped = false
      let (clause, value) = try parseFor(open, close: .closeBrace) { parser throws(ParseFailure) in
        key = try parser.parseExpression()
        let arrow = parser.peek()
        guard arrow.kind == .fatArrow else {
          throw parser.fail(
            "Invalid 'for' expression", "For an object, key and value are needed: {for … : key => value}.",
            parser.range(arrow))
        }
        parser.take()
        let value = try parser.parseExpression()
        if parser.peek().kind == .ellipsis {
          parser.take()
          grouped = true
        }
        return value
      }
      newlines.removeLast()
      let close = take()
      guard let key else { throw ParseFailure() }
      return try node(.forObject(clause, key: key, value: value, grouped: grouped), range(open.start, close.end))
    }
    newlines[newlines.count - 1] = true
    var items: [Expression.ObjectItem] = []
    while true {
      while peek().kind == .newline { take() }
      if peek().kind == .closeBrace { break }
      if peek().kind == .endOfFile {
        throw fail("Unterminated object", "This brace is not closed before the end of the file.", range(open))
      }
      let key = try parseExpression()
      let sign = peek()
      guard sign.kind == .equal || sign.kind == .colon else {
        if sign.kind == .newline || sign.kind == .comma || sign.kind == .closeBrace {
          throw fail(
            "Missing attribute value", "An equals sign and a value are needed after the attribute's name.", range(sign))
        }
        throw fail(
          "Missing key/value separator", "Between an attribute's name and its value an equals sign is needed.",
          range(sign),
          context: range(open.start, sign.end))
      }
      take()
      let value = try parseExpression()
      items.append(.init(key: key, value: value, bareName: key.keyword))
      let token = peek()
      switch token.kind {
      case .comma, .newline: take()
      case .closeBrace: break
      case .endOfFile:
        throw fail("Unterminated object", "This brace is not closed before the end of the file.", range(open))
      default:
        throw fail(
          "Missing attribute separator", "Attributes are separated by line ends or commas.", range(token),
          context: range(open.start, token.end))
      }
    }
    newlines.removeLast()
    let close = take()
    return try node(.object(items), range(open.start, close.end))
  }

  /// `for k, v in collection : result if condition`, up to the closing bracket, which is left for the caller.
  private mutating func parseFor(
    _ open: Token, close: Token.Kind, _ result: (inout Parser) throws(ParseFailure) -> Expression
  ) throws(ParseFailure) -> (Expression.ForClause, Expression) {
    take()
    var clause = try parseForHead()
    let colon = peek()
    guard colon.kind == .colon else {
      throw fail(
        "Invalid 'for' expression", "After the collection a colon is needed: for x in collection : result.",
        range(colon))
    }
    take()
    let value = try result(&self)
    if isWord(peek(), "if") {
      take()
      clause.condition = try parseExpression()
    }
    let end = peek()
    guard end.kind == close else {
      if end.kind == .ellipsis {
        throw fail("Invalid 'for' expression", "Grouping (...) is for objects: {for … : key => value...}.", range(end))
      }
      throw fail(
        "Invalid 'for' expression", "The expression must end here with its closing bracket.", range(end),
        context: range(open.start, end.end))
    }
    return (clause, value)
  }

  /// `k, v in collection` after `for`.
  mutating func parseForHead() throws(ParseFailure) -> Expression.ForClause {
    func missing(_ token: Token, _ parser: inout Parser) -> ParseFailure {
      parser.fail(
        "Invalid 'for' expression", "The name of a variable is needed here: for x in …, or for k, v in ….",
        parser.range(token))
    }
    let first = peek()
    guard first.kind == .identifier else { throw missing(first, &self) }
    take()
    var keyVariable: String?
    var valueVariable = name(first)
    if peek().kind == .comma {
      take()
      let second = peek()
      guard second.kind == .identifier else { throw missing(second, &self) }
      take()
      keyVariable = valueVariable
      valueVariable = name(second)
    }
    let word = peek()
    guard isWord(word, "in") else {
      throw fail("Invalid 'for' expression", "After the variables the word \"in\" is needed.", range(word))
    }
    take()
    let collection = try parseExpression()
    return .init(keyVariable: keyVariable, valueVariable: valueVariable, collection: collection, condition: nil)
  }
}
