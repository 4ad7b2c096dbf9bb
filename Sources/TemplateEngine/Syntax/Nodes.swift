/// The text that templates were parsed from; positions in nodes are offsets into it.
final class Source: Sendable {
  let name: ByteString
  let text: [UInt8]

  init(name: ByteString, text: [UInt8]) {
    self.name = name
    self.text = text
  }

  /// `name:line:column`, lines counted from 1, columns in bytes from 0.
  func location(of position: Int) -> ByteString {
    let before = text[..<min(position, text.count)]
    let line = 1 + before.reduce(0) { $1 == 0x0A ? $0 + 1 : $0 }
    let column = before.lastIndex(of: 0x0A).map { before.count - $0 - 1 } ?? before.count
    return name + ByteString(":\(line):\(column)")
  }
}

/// Anything of the parse tree that a message may point at.
protocol Node: AnyObject, Sendable {
  var position: Int { get }
  /// Appends the canonical text.
  func write(to out: inout [UInt8])
}

extension Node {
  var text: ByteString {
    var out: [UInt8] = []
    write(to: &out)
    return ByteString(bytes: out)
  }
}

/// A statement: text or an action.
enum Statement: Sendable {
  case text(TextNode)
  case action(ActionNode)
  case branch(BranchNode)
  case template(TemplateNode)
  case `break`(KeywordNode)
  case `continue`(KeywordNode)

  var node: any Node {
    switch self {
    case .text(let node): node
    case .action(let node): node
    case .branch(let node): node
    case .template(let node): node
    case .break(let node), .continue(let node): node
    }
  }
}

/// Statements in order.
final class ListNode: Node {
  let position: Int
  let statements: [Statement]

  init(_ position: Int, _ statements: [Statement]) {
    self.position = position
    self.statements = statements
  }

  func write(to out: inout [UInt8]) {
    for statement in statements { statement.node.write(to: &out) }
  }

  /// Nothing but white space.
  var isEmpty: Bool {
    statements.allSatisfy {
      guard case .text(let node) = $0 else { return false }
      return Runes.all(node.bytes).allSatisfy(Runes.isSpace)
    }
  }
}

/// Text outside of actions.
final class TextNode: Node {
  let position: Int
  let bytes: [UInt8]

  init(_ position: Int, _ bytes: [UInt8]) {
    self.position = position
    self.bytes = bytes
  }

  func write(to out: inout [UInt8]) { out += bytes }
}

/// `{{pipeline}}`.
final class ActionNode: Node {
  let position: Int
  let pipeline: PipelineNode

  init(_ position: Int, _ pipeline: PipelineNode) {
    self.position = position
    self.pipeline = pipeline
  }

  func write(to out: inout [UInt8]) {
    out += "{{".utf8
    pipeline.write(to: &out)
    out += "}}".utf8
  }
}

/// `if`, `range` and `with`.
final class BranchNode: Node {
  enum Kind: String, Sendable { case `if`, range, with }

  let position: Int
  let kind: Kind
  let pipeline: PipelineNode
  let body: ListNode
  let otherwise: ListNode?

  init(_ position: Int, _ kind: Kind, _ pipeline: PipelineNode, _ body: ListNode, _ otherwise: ListNode?) {
    self.position = position
    self.kind = kind
    self.pipeline = pipeline
    self.body = body
    self.otherwise = otherwise
  }

  func write(to out: inout [UInt8]) {
    out += "{{\(kind.rawValue) ".utf8
    pipeline.write(to: &out)
    out += "}}".utf8
    body.write(to: &out)
    if let otherwise {
      out += "{{else}}".utf8
      otherwise.write(to: &out)
    }
    out += "{{end}}".utf8
  }
}

/// `{{template "name" pipeline}}`.
final class TemplateNode: Node {
  let position: Int
  let name: ByteString
  let pipeline: PipelineNode?

  init(_ position: Int, _ name: ByteString, _ pipeline: PipelineNode?) {
    self.position = position
    self.name = name
    self.pipeline = pipeline
  }

  func write(to out: inout [UInt8]) {
    out += "{{template ".utf8
    out += Quoting.quoted(name).bytes
    if let pipeline {
      out.append(0x20)
      pipeline.write(to: &out)
    }
    out += "}}".utf8
  }
}

/// `{{break}}` and `{{continue}}`; also `{{end}}` and `{{else}}` while parsing.
final class KeywordNode: Node {
  let position: Int
  let word: StaticString

  init(_ position: Int, _ word: StaticString) {
    self.position = position
    self.word = word
  }

  func write(to out: inout [UInt8]) { out += "{{\(word)}}".utf8 }
}

/// Commands, each fed with the result of the one before; the last result may be given to variables.
final class PipelineNode: Node {
  let position: Int
  /// `=` instead of `:=`.
  let isAssignment: Bool
  let variables: [VariableNode]
  let commands: [CommandNode]

  init(_ position: Int, isAssignment: Bool, variables: [VariableNode], commands: [CommandNode]) {
    self.position = position
    self.isAssignment = isAssignment
    self.variables = variables
    self.commands = commands
  }

  func write(to out: inout [UInt8]) {
    for (index, variable) in variables.enumerated() {
      if index > 0 { out += ", ".utf8 }
      variable.write(to: &out)
    }
    if !variables.isEmpty { out += " := ".utf8 }
    for (index, command) in commands.enumerated() {
      if index > 0 { out += " | ".utf8 }
      command.write(to: &out)
    }
  }
}

/// Operands: a value, or a function with its arguments.
final class CommandNode: Node {
  let position: Int
  let operands: [Operand]

  init(_ position: Int, _ operands: [Operand]) {
    self.position = position
    self.operands = operands
  }

  func write(to out: inout [UInt8]) {
    for (index, operand) in operands.enumerated() {
      if index > 0 { out.append(0x20) }
      operand.write(to: &out)
    }
  }
}

/// An element of a command.
enum Operand: Sendable {
  case bool(BoolNode)
  case dot(WordNode)
  case `nil`(WordNode)
  case number(NumberNode)
  case string(StringNode)
  case field(FieldNode)
  case variable(VariableNode)
  case identifier(WordNode)
  case chain(ChainNode)
  case pipeline(PipelineNode)

  var node: any Node {
    switch self {
    case .bool(let node): node
    case .dot(let node), .nil(let node), .identifier(let node): node
    case .number(let node): node
    case .string(let node): node
    case .field(let node): node
    case .variable(let node): node
    case .chain(let node): node
    case .pipeline(let node): node
    }
  }

  func write(to out: inout [UInt8]) {
    if case .pipeline(let node) = self {
      out.append(UInt8(ascii: "("))
      node.write(to: &out)
      out.append(UInt8(ascii: ")"))
    } else {
      node.write(to: &out)
    }
  }
}

/// A word that stands for itself: `.`, `nil`, the name of a function.
final class WordNode: Node {
  let position: Int
  let name: ByteString

  init(_ position: Int, _ name: ByteString) {
    self.position = position
    self.name = name
  }

  func write(to out: inout [UInt8]) { out += name.bytes }
}

/// `true` or `false`.
final class BoolNode: Node {
  let position: Int
  let value: Bool

  init(_ position: Int, _ value: Bool) {
    self.position = position
    self.value = value
  }

  func write(to out: inout [UInt8]) { out += (value ? "true" : "false").utf8 }
}

/// A quoted string.
final class StringNode: Node {
  let position: Int
  let quoted: ByteString
  let value: ByteString

  init(_ position: Int, quoted: ByteString, value: ByteString) {
    self.position = position
    self.quoted = quoted
    self.value = value
  }

  func write(to out: inout [UInt8]) { out += quoted.bytes }
}

/// `.Name.Name`.
final class FieldNode: Node {
  let position: Int
  let names: [ByteString]

  init(_ position: Int, _ names: [ByteString]) {
    self.position = position
    self.names = names
  }

  func write(to out: inout [UInt8]) {
    for name in names {
      out.append(UInt8(ascii: "."))
      out += name.bytes
    }
  }
}

/// `$name.Name.Name`.
final class VariableNode: Node {
  let position: Int
  /// With its `$`.
  let name: ByteString
  let fields: [ByteString]

  init(_ position: Int, _ name: ByteString, _ fields: [ByteString] = []) {
    self.position = position
    self.name = name
    self.fields = fields
  }

  func write(to out: inout [UInt8]) {
    out += name.bytes
    for field in fields {
      out.append(UInt8(ascii: "."))
      out += field.bytes
    }
  }
}

/// `(pipeline).Name` or `function.Name`.
final class ChainNode: Node {
  let position: Int
  let base: Operand
  let fields: [ByteString]

  init(_ position: Int, _ base: Operand, _ fields: [ByteString]) {
    self.position = position
    self.base = base
    self.fields = fields
  }

  func write(to out: inout [UInt8]) {
    base.write(to: &out)
    for field in fields {
      out.append(UInt8(ascii: "."))
      out += field.bytes
    }
  }
}
