// Calling functions: finding them, checking and evaluating arguments.
extension Rendering {
  enum Callee {
    case builtin(Builtin)
    case custom(TemplateFunction)

    var parameters: [ValueType] {
      switch self {
      case .builtin(let builtin): builtin.parameters
      case .custom(let function): function.parameters
      }
    }

    var variadic: ValueType? {
      switch self {
      case .builtin(let builtin): builtin.variadic
      case .custom(let function): function.variadic
      }
    }
  }

  /// Calls the function of that name; `context` is what a message about its failure points at.
  func call(_ dot: Slot, _ word: WordNode, _ context: any Node, _ arguments: Arguments) throws -> Slot {
    at = word
    let callee: Callee
    if let function = template.functions[word.name] {
      callee = .custom(function)
    } else if let builtin = Builtin(rawValue: word.name.description) {
      callee = .builtin(builtin)
    } else {
      throw failure(Quoting.quoted(word.name) + " is not a defined function")
    }
    return try invoke(dot, callee, context, word.name, arguments)
  }

  func invoke(
    _ dot: Slot, _ callee: Callee, _ context: any Node, _ name: ByteString, _ arguments: Arguments
  ) throws -> Slot {
    try charge()
    let parameters = callee.parameters
    let given = arguments.operands.count + (arguments.final == nil ? 0 : 1)
    if callee.variadic != nil {
      guard given >= parameters.count else {
        throw failure(
          "wrong number of args for " + name
            + ByteString(": want at least \(parameters.count) got \(arguments.operands.count)"))
      }
    } else if given != parameters.count {
      throw failure("wrong number of args for " + name + ByteString(": want \(parameters.count) got \(given)"))
    }
    if case .builtin(let builtin) = callee, builtin == .and || builtin == .or {
      return try shortCircuit(dot, builtin, arguments)
    }
    var values: [Slot] = []
    values.reserveCapacity(given)
    for (index, operand) in arguments.operands.enumerated() {
      let type = index < parameters.count ? parameters[index] : callee.variadic
      values.append(try argument(dot, type ?? .any, operand))
    }
    if let final = arguments.final {
      let type = given - 1 < parameters.count ? parameters[given - 1] : callee.variadic
      values.append(try checked(final, type ?? .any))
    }
    do {
      switch callee {
      case .builtin(let builtin): return try call(builtin, values)
      case .custom(let function): return try call(function, name, values.map(\.value))
      }
    } catch let failure as FunctionFailure {
      at = context
      throw self.failure("error calling " + name + ": " + failure.message)
    } catch let error where !(error is TemplateError || error is LimitExceeded) {
      at = context
      throw failure("error calling " + name + ByteString(": \(error)"))
    }
  }

  func call(_ function: TemplateFunction, _ name: ByteString, _ values: [TemplateValue]) throws -> Slot {
    var call = TemplateCall(name: name, arguments: try values.map { try $0.resolved() }, rendering: self)
    let result = try function.body(&call).resolved()
    switch result {
    case .string(let text): try charge(bytes: text.count)
    case .bytes(let bytes): try charge(bytes: bytes.count)
    case .list(let list): try charge(list.count / 16)
    default: break
    }
    return Slot(value: result, isBoxed: function.result == .any)
  }

  /// `and` and `or` stop at the first argument that decides.
  private func shortCircuit(_ dot: Slot, _ builtin: Builtin, _ arguments: Arguments) throws -> Slot {
    var value = Slot.absent
    for operand in arguments.operands {
      value = try argument(dot, .operand, operand)
      if value.value.isTrue == (builtin == .or) { return value }
    }
    if let final = arguments.final { value = try checked(final, .operand) }
    return value
  }

  // MARK: Arguments

  /// A value made to fit a parameter, or the error that it does not.
  func checked(_ slot: Slot, _ type: ValueType) throws -> Slot {
    if slot.isAbsent {
      guard type.canBeNil else { throw failure(ByteString("invalid value; expected \(type)")) }
      switch type {
      case .operand: return .absent
      case .any: return Slot(value: .nil, isBoxed: true)
      default: return Slot(value: .zero(of: type), isBoxed: false)
      }
    }
    if type == .operand || type == .any || slot.type == type { return slot }
    if slot.isBoxed, !slot.value.isNil {
      let inner = slot.unboxed
      if inner.type == type { return inner }
      throw failure(ByteString("wrong type for value; expected \(type); got \(inner.type)"))
    }
    throw failure(ByteString("wrong type for value; expected \(type); got \(slot.type)"))
  }

  private func argument(_ dot: Slot, _ type: ValueType, _ operand: Operand) throws -> Slot {
    at = operand.node
    switch operand {
    case .dot: return try checked(dot, type)
    case .nil:
      guard type.canBeNil else { throw failure(ByteString("cannot assign nil to \(type)")) }
      return try checked(.absent, type)
    case .field(let node): return try checked(evaluate(dot, node, Arguments()), type)
    case .variable(let node): return try checked(evaluate(dot, node, Arguments(), of: operand), type)
    case .pipeline(let node): return try checked(evaluate(dot, node), type)
    case .identifier(let node): return try checked(call(dot, node, node, Arguments()), type)
    case .chain(let node): return try checked(evaluate(dot, node, Arguments()), type)
    case .bool, .number, .string: return try literal(type, operand)
    }
  }

  /// A constant as an argument: the parameter's type decides how it is read.
  private func literal(_ type: ValueType, _ operand: Operand) throws -> Slot {
    func wrong(_ expected: ByteString) -> TemplateError {
      failure("expected " + expected + "; found " + operand.node.text)
    }
    func plain(_ value: TemplateValue) -> Slot { Slot(value: value, isBoxed: false) }
    switch type {
    case .bool:
      guard case .bool(let node) = operand else { throw wrong("bool") }
      return plain(.bool(node.value))
    case .string:
      guard case .string(let node) = operand else { throw wrong("string") }
      return plain(.string(node.value))
    case .int:
      guard case .number(let node) = operand, let integer = node.integer else { throw wrong("integer") }
      return plain(.int(Int(integer)))
    case .sized(let kind) where kind.isSigned:
      guard case .number(let node) = operand, let integer = node.integer else { throw wrong("integer") }
      return plain(.sized(SizedInteger(kind, bits: UInt64(bitPattern: integer))))
    case .sized(let kind):
      guard case .number(let node) = operand, let unsigned = node.unsigned else { throw wrong("unsigned integer") }
      return plain(.sized(SizedInteger(kind, bits: unsigned)))
    case .float:
      guard case .number(let node) = operand, let float = node.float else { throw wrong("float") }
      return plain(.float(float))
    case .complex:
      guard case .number(let node) = operand, let complex = node.imaginary else { throw wrong("complex") }
      return plain(.complex(real: complex.real, imaginary: complex.imaginary))
    case .any, .operand:
      switch operand {
      case .bool(let node): return plain(.bool(node.value))
      case .string(let node): return plain(.string(node.value))
      case .number(let node): return try constant(node)
      default: throw failure("can't handle assignment of " + operand.node.text + " to empty interface argument")
      }
    default:
      throw failure("can't handle " + operand.node.text + ByteString(" for arg of type \(type)"))
    }
  }
}
