// Evaluating pipelines, commands and fields.
extension Rendering {
  /// What a command or field chain was given: its operands (the first names itself) and the value piped into it.
  struct Arguments {
    var operands: ArraySlice<Operand> = []
    var final: Slot?

    var isEmpty: Bool { operands.isEmpty && final == nil }
  }

  func evaluate(_ dot: Slot, _ pipeline: PipelineNode) throws -> Slot {
    try deeper {
      try charge()
      at = pipeline
      var value: Slot?
      for command in pipeline.commands {
        value = try evaluate(dot, command, value).unboxed
      }
      let result = value ?? .absent
      for variable in pipeline.variables {
        if pipeline.isAssignment {
          try assign(variable.name, result)
        } else {
          variables.append((variable.name, result))
        }
      }
      return result
    }
  }

  private func evaluate(_ dot: Slot, _ command: CommandNode, _ final: Slot?) throws -> Slot {
    let first = command.operands[0]
    let arguments = Arguments(operands: command.operands.dropFirst(), final: final)
    switch first {
    case .field(let node): return try evaluate(dot, node, arguments)
    case .chain(let node): return try evaluate(dot, node, arguments)
    case .identifier(let node): return try call(dot, node, command, arguments)
    case .pipeline(let node):
      try expectNone(arguments, of: first)
      return try evaluate(dot, node)
    case .variable(let node): return try evaluate(dot, node, arguments, of: first)
    default: break
    }
    at = first.node
    try expectNone(arguments, of: first)
    switch first {
    case .bool(let node): return Slot(value: .bool(node.value), isBoxed: false)
    case .dot: return dot
    case .number(let node): return try constant(node)
    case .string(let node): return Slot(value: .string(node.value), isBoxed: false)
    default: throw failure("nil is not a command")
    }
  }

  private func expectNone(_ arguments: Arguments, of operand: Operand) throws {
    if !arguments.isEmpty { throw failure("can't give argument to non-function " + operand.node.text) }
  }

  /// A number where the context does not say which type: its written form decides.
  func constant(_ node: NumberNode) throws -> Slot {
    at = node
    let value: TemplateValue
    if let complex = node.imaginary {
      value = .complex(real: complex.real, imaginary: complex.imaginary)
    } else if let float = node.float, node.looksLikeFloat {
      value = .float(float)
    } else if let integer = node.integer {
      value = .int(Int(integer))
    } else {
      throw failure(node.text + " overflows int")
    }
    return Slot(value: value, isBoxed: false)
  }

  // MARK: Fields

  func evaluate(_ dot: Slot, _ node: FieldNode, _ arguments: Arguments) throws -> Slot {
    at = node
    return try fields(dot, dot, node, node.names, arguments)
  }

  func evaluate(_ dot: Slot, _ node: VariableNode, _ arguments: Arguments, of operand: Operand) throws -> Slot {
    at = node
    guard let variable = variables.last(where: { $0.name == node.name }) else {
      throw failure("undefined variable: " + node.name)
    }
    if node.fields.isEmpty {
      try expectNone(arguments, of: operand)
      return variable.value
    }
    return try fields(dot, variable.value, node, node.fields, arguments)
  }

  func evaluate(_ dot: Slot, _ node: ChainNode, _ arguments: Arguments) throws -> Slot {
    at = node
    let base: Slot
    switch node.base {
    case .pipeline(let pipeline): base = try evaluate(dot, pipeline)
    case .identifier(let word): base = try call(dot, word, word, Arguments())
    default: throw failure("indirection through explicit nil in " + node.text)
    }
    return try fields(dot, base, node, node.fields, arguments)
  }

  /// `.X.Y.Z`; only the last may take arguments.
  private func fields(
    _ dot: Slot, _ receiver: Slot, _ node: any Node, _ names: [ByteString], _ arguments: Arguments
  ) throws -> Slot {
    var receiver = receiver
    for name in names.dropLast() { receiver = try field(dot, name, node, Arguments(), receiver) }
    guard let last = names.last else { return receiver }
    return try field(dot, last, node, arguments, receiver)
  }

  private func field(
    _ dot: Slot, _ name: ByteString, _ node: any Node, _ arguments: Arguments, _ receiver: Slot
  ) throws -> Slot {
    try charge()
    if receiver.isAbsent {
      if template.missingKey == .error {
        throw failure("nil data; no entry for key " + Quoting.quoted(name))
      }
      return .absent
    }
    switch receiver.value {
    case .nil: throw failure("nil pointer evaluating " + ByteString("\(receiver.type).") + name)
    case .object(let object):
      switch try object.member(name) {
      case .method(let function)?: return try invoke(dot, .custom(function), node, name, arguments)
      case .field(let value)?:
        guard arguments.isEmpty else {
          throw failure(name + " has arguments but cannot be invoked as function")
        }
        let resolved = try value.resolved()
        return Slot(value: resolved, isBoxed: resolved.isNil)
      case nil: break
      }
    case .map(let map):
      guard arguments.isEmpty else { throw failure(name + " is not a method but has arguments") }
      if let value = map[name] { return try slot(value, in: map.elementType) }
      switch template.missingKey {
      case .default: return .absent
      case .zero: return Slot(value: .zero(of: map.elementType), isBoxed: map.elementType == .any)
      case .error: throw failure("map has no entry for key " + Quoting.quoted(name))
      }
    default: break
    }
    throw failure("can't evaluate field " + name + ByteString(" in type \(receiver.type)"))
  }
}
