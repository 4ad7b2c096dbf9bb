/// Builds the trees of a text: the main one and one for each `define` and `block`.
///
/// A recursive descent parser with three tokens of look-ahead. Its nesting is limited, since what it builds is also
/// walked by recursion.
struct Parser {
  /// Deepest nesting of control actions and parentheses.
  static let maximumNesting = 200

  /// What the parsers of one text share: the tokens and the trees made so far.
  private final class Shared {
    let source: Source
    let tokens: [Token]
    let isFunction: (ByteString) -> Bool
    var next = 0
    var nesting = 0
    var trees: [ByteString: ListNode] = [:]

    init(_ source: Source, _ tokens: [Token], _ isFunction: @escaping (ByteString) -> Bool) {
      self.source = source
      self.tokens = tokens
      self.isFunction = isFunction
    }

    func token() -> Token {
      let token = tokens[min(next, tokens.count - 1)]
      next += 1
      return token
    }
  }

  /// What ended a list, or a statement of it.
  private enum Element {
    case statement(Statement)
    case end(KeywordNode)
    case otherwise(KeywordNode)
    /// Nothing to keep.
    case nothing
  }

  private let shared: Shared
  private var lookahead: [Token]
  private var peeked = 0
  private var variables: [ByteString] = ["$"]
  private var actionLine = 0
  private var rangeDepth = 0

  private init(_ shared: Shared) {
    self.shared = shared
    let start = Token(kind: .error, position: 0, value: "", line: 0)
    self.lookahead = [start, start, start]
  }

  /// All templates of a text by name, the main one under the source's name.
  static func parse(
    _ source: Source, tokens: [Token], isFunction: @escaping (ByteString) -> Bool
  ) throws(TemplateError) -> [ByteString: ListNode] {
    let shared = Shared(source, tokens, isFunction)
    var parser = Parser(shared)
    let root = try parser.parseAll()
    try parser.add(root, as: source.name)
    return shared.trees
  }

  // MARK: Tokens

  private mutating func next() -> Token {
    if peeked > 0 { peeked -= 1 } else { lookahead[0] = shared.token() }
    return lookahead[peeked]
  }

  private mutating func backUp() { peeked += 1 }

  private mutating func backUp(_ first: Token) {
    lookahead[1] = first
    peeked = 2
  }

  private mutating func backUp(_ first: Token, _ second: Token) {
    lookahead[1] = second
    lookahead[2] = first
    peeked = 3
  }

  private mutating func peek() -> Token {
    if peeked > 0 { return lookahead[peeked - 1] }
    peeked = 1
    lookahead[0] = shared.token()
    return lookahead[0]
  }

  private mutating func nextNonSpace() -> Token {
    while true {
      let token = next()
      if case .space = token.kind { continue }
      return token
    }
  }

  private mutating func peekNonSpace() -> Token {
    let token = nextNonSpace()
    backUp()
    return token
  }

  // MARK: Errors

  private func failure(_ message: ByteString) -> TemplateError {
    .syntax("template: " + shared.source.name + ByteString(":\(lookahead[0].line): ") + message)
  }

  private func unexpected(_ token: Token, _ context: ByteString) -> TemplateError {
    guard case .error = token.kind else {
      return failure("unexpected " + token.shown + " in " + context)
    }
    var extra: ByteString = ""
    if actionLine != 0, actionLine != token.line {
      let opening: ByteString = token.value.bytes.suffix(7).elementsEqual(" action".utf8) ? "" : " in action"
      extra = opening + " started at " + shared.source.name + ByteString(":\(actionLine)")
    }
    return failure(token.shown + extra)
  }

  private mutating func expectRightDelimiter(_ context: ByteString) throws(TemplateError) -> Token {
    let token = nextNonSpace()
    guard case .rightDelimiter = token.kind else { throw unexpected(token, context) }
    return token
  }

  private func deeper() throws(TemplateError) {
    shared.nesting += 1
    guard shared.nesting <= Self.maximumNesting else {
      throw .limit(
        .depth,
        "template: " + shared.source.name
          + ByteString(":\(lookahead[0].line): nested deeper than \(Self.maximumNesting) levels"))
    }
  }

  private func shallower() { shared.nesting -= 1 }

  // MARK: Statements

  private func add(_ root: ListNode, as name: ByteString) throws(TemplateError) {
    if let existing = shared.trees[name], !existing.isEmpty {
      guard root.isEmpty else {
        throw failure("template: multiple definition of template " + Quoting.quoted(name))
      }
      return
    }
    shared.trees[name] = root
  }

  private mutating func parseAll() throws(TemplateError) -> ListNode {
    let position = peek().position
    var statements: [Statement] = []
    while true {
      let token = peek()
      if case .end = token.kind { break }
      if case .leftDelimiter = token.kind {
        let delimiter = next()
        if nextNonSpace().isKeyword(.define) {
          var definition = Parser(shared)
          try definition.parseDefinition()
          continue
        }
        backUp(delimiter)
      }
      switch try textOrAction() {
      case .statement(let statement): statements.append(statement)
      case .end(let node), .otherwise(let node): throw failure("unexpected " + node.text)
      case .nothing: break
      }
    }
    return ListNode(position, statements)
  }

  private mutating func parseDefinition() throws(TemplateError) {
    let token = nextNonSpace()
    switch token.kind {
    case .string, .rawString: break
    default: throw unexpected(token, "define clause")
    }
    let name = try unquote(token)
    _ = try expectRightDelimiter("define clause")
    let (root, end) = try itemList()
    guard case .end = end else { throw failure("unexpected {{else}} in define clause") }
    try add(root, as: name)
  }

  private func unquote(_ token: Token) throws(TemplateError) -> ByteString {
    guard let text = Quoting.unquote(token.value.bytes) else { throw failure("invalid syntax") }
    return ByteString(bytes: text)
  }

  /// Statements up to `{{end}}` or `{{else}}`, which is returned too.
  private mutating func itemList() throws(TemplateError) -> (ListNode, Element) {
    let position = peekNonSpace().position
    var statements: [Statement] = []
    while true {
      if case .end = peekNonSpace().kind { throw failure("unexpected EOF") }
      let element = try textOrAction()
      switch element {
      case .statement(let statement): statements.append(statement)
      case .nothing: break
      case .end, .otherwise: return (ListNode(position, statements), element)
      }
    }
  }

  private mutating func textOrAction() throws(TemplateError) -> Element {
    let token = nextNonSpace()
    switch token.kind {
    case .text: return .statement(.text(TextNode(token.position, token.value.bytes)))
    case .leftDelimiter:
      actionLine = token.line
      defer { actionLine = 0 }
      return try action()
    default: throw unexpected(token, "input")
    }
  }

  private mutating func action() throws(TemplateError) -> Element {
    let token = nextNonSpace()
    if case .keyword(let keyword) = token.kind {
      switch keyword {
      case .block: return try blockControl()
      case .break, .continue: return try loopControl(keyword, token)
      case .else: return try elseControl()
      case .end: return .end(KeywordNode(try expectRightDelimiter("end").position, "end"))
      case .if: return .statement(.branch(try control(.if)))
      case .range: return .statement(.branch(try control(.range)))
      case .with: return .statement(.branch(try control(.with)))
      case .template: return try templateControl()
      case .define, .dot, .nil: break
      }
    }
    backUp()
    let position = peek().position
    return .statement(.action(ActionNode(position, try pipeline("command"))))
  }

  private mutating func loopControl(_ keyword: Token.Keyword, _ token: Token) throws(TemplateError) -> Element {
    let shown = ByteString("{{\(keyword.rawValue)}}")
    let next = nextNonSpace()
    guard case .rightDelimiter = next.kind else { throw unexpected(next, shown) }
    guard rangeDepth > 0 else { throw failure(shown + " outside {{range}}") }
    if keyword == .break { return .statement(.break(KeywordNode(token.position, "break"))) }
    return .statement(.continue(KeywordNode(token.position, "continue")))
  }

  private mutating func elseControl() throws(TemplateError) -> Element {
    let peeked = peekNonSpace()
    // "{{else if" and "{{else with" leave their keyword pending for `control`.
    if peeked.isKeyword(.if) || peeked.isKeyword(.with) { return .otherwise(KeywordNode(peeked.position, "else")) }
    return .otherwise(KeywordNode(try expectRightDelimiter("else").position, "else"))
  }

  private mutating func control(_ kind: BranchNode.Kind) throws(TemplateError) -> BranchNode {
    let outer = variables.count
    let word = ByteString(kind.rawValue)
    try deeper()
    defer {
      variables.removeSubrange(outer...)
      shallower()
    }
    let pipeline = try pipeline(word)
    if kind == .range { rangeDepth += 1 }
    let (body, end) = try itemList()
    if kind == .range { rangeDepth -= 1 }
    var otherwise: ListNode?
    if case .otherwise(let node) = end {
      let pending = peek()
      if kind == .if && pending.isKeyword(.if) || kind == .with && pending.isKeyword(.with) {
        // {{if a}}_{{else if b}}_{{end}} is {{if a}}_{{else}}{{if b}}_{{end}}{{end}} with one {{end}} left out.
        _ = next()
        otherwise = ListNode(node.position, [.branch(try control(kind))])
      } else {
        let (list, close) = try itemList()
        guard case .end = close else { throw failure("expected end; found {{else}}") }
        otherwise = list
      }
    }
    return BranchNode(pipeline.position, kind, pipeline, body, otherwise)
  }

  private mutating func blockControl() throws(TemplateError) -> Element {
    try deeper()
    defer { shallower() }
    let token = nextNonSpace()
    let name = try templateName(token, "block clause")
    let pipeline = try pipeline("block clause")
    var block = Parser(shared)
    let (root, end) = try block.itemList()
    guard case .end = end else { throw block.failure("unexpected {{else}} in block clause") }
    try block.add(root, as: name)
    return .statement(.template(TemplateNode(token.position, name, pipeline)))
  }

  private mutating func templateControl() throws(TemplateError) -> Element {
    let token = nextNonSpace()
    let name = try templateName(token, "template clause")
    var given: PipelineNode?
    if case .rightDelimiter = nextNonSpace().kind {
    } else {
      backUp()
      given = try pipeline("template clause")
    }
    return .statement(.template(TemplateNode(token.position, name, given)))
  }

  private func templateName(_ token: Token, _ context: ByteString) throws(TemplateError) -> ByteString {
    switch token.kind {
    case .string, .rawString: return try unquote(token)
    default: throw unexpected(token, context)
    }
  }

  // MARK: Pipelines

  private mutating func pipeline(
    _ context: ByteString, parenthesized: Bool = false
  ) throws(TemplateError) -> PipelineNode {
    let position = peekNonSpace().position
    var isAssignment = false
    var declared: [VariableNode] = []
    declarations: while true {
      let variable = peekNonSpace()
      guard case .variable = variable.kind else { break }
      _ = next()
      // Space is a token: "$x foo" must be told from "$x := foo" and put back as it was.
      let following = peek()
      let operation = peekNonSpace()
      switch operation.kind {
      case .assign, .declare:
        if case .assign = operation.kind { isAssignment = true }
        _ = nextNonSpace()
        declared.append(VariableNode(variable.position, variable.value))
        variables.append(variable.value)
        break declarations
      case .character where operation.value == ",":
        _ = nextNonSpace()
        declared.append(VariableNode(variable.position, variable.value))
        variables.append(variable.value)
        if context == "range", declared.count < 2 {
          switch peekNonSpace().kind {
          case .variable, .rightDelimiter, .rightParenthesis: continue declarations
          default: throw failure("range can only initialize variables")
          }
        }
        throw failure("too many declarations in " + context)
      default:
        if case .space = following.kind { backUp(variable, following) } else { backUp(variable) }
        break declarations
      }
    }
    var commands: [CommandNode] = []
    while true {
      let token = nextNonSpace()
      switch token.kind {
      case .rightDelimiter where !parenthesized, .rightParenthesis where parenthesized:
        try check(commands, context)
        return PipelineNode(position, isAssignment: isAssignment, variables: declared, commands: commands)
      case .bool, .characterConstant, .complex, .field, .identifier, .number, .rawString, .string, .variable,
        .leftParenthesis, .keyword(.dot), .keyword(.nil):
        backUp()
        commands.append(try command())
      default: throw unexpected(token, context)
      }
    }
  }

  private func check(_ commands: [CommandNode], _ context: ByteString) throws(TemplateError) {
    guard !commands.isEmpty else { throw failure("missing value for " + context) }
    for (index, command) in commands.enumerated().dropFirst() {
      switch command.operands[0] {
      case .bool, .dot, .nil, .number, .string:
        throw failure(ByteString("non executable command in pipeline stage \(index + 1)"))
      default: break
      }
    }
  }

  private mutating func command() throws(TemplateError) -> CommandNode {
    let position = peekNonSpace().position
    var operands: [Operand] = []
    loop: while true {
      _ = peekNonSpace()
      if let operand = try operand() { operands.append(operand) }
      let token = next()
      switch token.kind {
      case .space: continue
      case .rightDelimiter, .rightParenthesis:
        backUp()
        break loop
      case .pipe: break loop
      default: throw unexpected(token, "operand")
      }
    }
    guard !operands.isEmpty else { throw failure("empty command") }
    return CommandNode(position, operands)
  }

  private mutating func operand() throws(TemplateError) -> Operand? {
    guard let term = try term() else { return nil }
    guard case .field = peek().kind else { return term }
    let position = peek().position
    var fields: [ByteString] = []
    while case .field = peek().kind { fields.append(ByteString(bytes: next().value.bytes.dropFirst())) }
    switch term {
    case .field(let node): return .field(FieldNode(position, node.names + fields))
    case .variable(let node): return .variable(VariableNode(position, node.name, node.fields + fields))
    case .bool, .string, .number, .nil, .dot:
      throw failure("unexpected . after term " + Quoting.quoted(term.node.text))
    default: return .chain(ChainNode(position, term, fields))
    }
  }

  private mutating func term() throws(TemplateError) -> Operand? {
    let token = nextNonSpace()
    switch token.kind {
    case .identifier:
      guard shared.isFunction(token.value) else {
        throw failure("function " + Quoting.quoted(token.value) + " not defined")
      }
      return .identifier(WordNode(token.position, token.value))
    case .keyword(.dot): return .dot(WordNode(token.position, "."))
    case .keyword(.nil): return .nil(WordNode(token.position, "nil"))
    case .variable:
      guard variables.contains(token.value) else {
        throw failure("undefined variable " + Quoting.quoted(token.value))
      }
      return .variable(VariableNode(token.position, token.value))
    case .field: return .field(FieldNode(token.position, [ByteString(bytes: token.value.bytes.dropFirst())]))
    case .bool: return .bool(BoolNode(token.position, token.value == "true"))
    case .characterConstant, .complex, .number: return .number(try number(token))
    case .leftParenthesis:
      try deeper()
      defer { shallower() }
      return .pipeline(try pipeline("parenthesized pipeline", parenthesized: true))
    case .string, .rawString:
      return .string(StringNode(token.position, quoted: token.value, value: try unquote(token)))
    default:
      backUp()
      return nil
    }
  }

  private func number(_ token: Token) throws(TemplateError) -> NumberNode {
    do {
      switch token.kind {
      case .characterConstant: return try .character(token.position, token.value)
      case .complex: return try .complex(token.position, token.value)
      default: return try .plain(token.position, token.value)
      }
    } catch {
      throw failure(error.message)
    }
  }
}
