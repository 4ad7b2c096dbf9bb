// Walking the statements of a template.
extension Rendering {
  func walk(_ dot: Slot, _ list: ListNode) throws -> Flow {
    at = list
    for statement in list.statements {
      let flow = try walk(dot, statement)
      if flow != .normal { return flow }
    }
    return .normal
  }

  private func walk(_ dot: Slot, _ statement: Statement) throws -> Flow {
    try charge()
    switch statement {
    case .text(let node):
      at = node
      try write(node.bytes)
    case .action(let node):
      at = node
      let value = try evaluate(dot, node.pipeline)
      if node.pipeline.variables.isEmpty {
        at = node
        try print(value, node)
      }
    case .branch(let node):
      at = node
      return try deeper { node.kind == .range ? try walkRange(dot, node) : try walkChoice(dot, node) }
    case .template(let node):
      at = node
      try deeper { try walkTemplate(dot, node) }
    case .break: return .break
    case .continue: return .continue
    }
    return .normal
  }

  /// `if` and `with`, which differ only in what dot is inside.
  private func walkChoice(_ dot: Slot, _ node: BranchNode) throws -> Flow {
    let mark = variables.count
    defer { variables.removeSubrange(mark...) }
    let value = try evaluate(dot, node.pipeline)
    if value.value.isTrue { return try walk(node.kind == .with ? value : dot, node.body) }
    if let otherwise = node.otherwise { return try walk(dot, otherwise) }
    return .normal
  }

  private func walkRange(_ dot: Slot, _ node: BranchNode) throws -> Flow {
    let outer = variables.count
    defer { variables.removeSubrange(outer...) }
    let value = try evaluate(dot, node.pipeline).value
    let mark = variables.count
    let declared = node.pipeline.variables
    /// False ends the loop.
    func round(_ index: Slot?, _ element: Slot) throws -> Bool {
      try charge()
      if node.pipeline.isAssignment {
        if declared.count > 1, let index {
          try assign(declared[0].name, index)
          try assign(declared[1].name, element)
        } else {
          try assign(declared[0].name, element)
        }
      } else {
        if declared.count > 0 { variables[mark - 1].value = element }
        if declared.count > 1, let index { variables[mark - 2].value = index }
      }
      defer { variables.removeSubrange(mark...) }
      return try walk(element, node.body) != .break
    }
    func number(_ value: Int) -> Slot { Slot(value: .int(value), isBoxed: false) }
    var isEmpty = true
    switch value {
    case .list(let list):
      for (index, element) in list.elements.enumerated() {
        isEmpty = false
        guard try round(number(index), slot(element, in: list.elementType)) else { break }
      }
    case .bytes(let bytes):
      for (index, byte) in bytes.enumerated() {
        isEmpty = false
        let element = TemplateValue.sized(SizedInteger(.uint8, bits: UInt64(byte)))
        guard try round(number(index), Slot(value: element, isBoxed: false)) else { break }
      }
    case .map(let map):
      for (key, element) in map.sorted {
        isEmpty = false
        guard try round(Slot(value: .string(key), isBoxed: false), slot(element, in: map.elementType)) else { break }
      }
    case .int, .sized:
      guard declared.count < 2 else {
        throw failure("can't use " + (try printed(value)) + " to iterate over more than one variable")
      }
      isEmpty = try !walkCount(value) { try round(nil, $0) }
    case .nil: break
    default: throw failure("range can't iterate over " + (try printed(value)))
    }
    if isEmpty, let otherwise = node.otherwise { return try walk(dot, otherwise) }
    return .normal
  }

  /// Runs `round` for 0, 1, … below an integer, whose type the elements share. False if there was no round.
  private func walkCount(_ count: TemplateValue, _ round: (Slot) throws -> Bool) throws -> Bool {
    var upper: UInt64 = 0
    if case .int(let value) = count { upper = value > 0 ? UInt64(value) : 0 }
    if case .sized(let value) = count {
      upper = value.kind.isSigned ? UInt64(max(value.signed, 0)) : value.bits
    }
    var index: UInt64 = 0
    while index < upper {
      let element: TemplateValue
      if case .sized(let value) = count {
        element = .sized(SizedInteger(value.kind, bits: index))
      } else {
        element = .int(Int(index))
      }
      guard try round(Slot(value: element, isBoxed: false)) else { break }
      index += 1
    }
    return upper > 0
  }

  private func walkTemplate(_ dot: Slot, _ node: TemplateNode) throws {
    guard let other = template.definitions[node.name] else {
      throw failure("template " + Quoting.quoted(node.name) + " not defined")
    }
    let inner = try node.pipeline.map { try evaluate(dot, $0) } ?? .absent
    let (outerVariables, outerDefinition) = (variables, definition)
    // A template sees no variable of its caller.
    variables = [("$", inner)]
    definition = other
    _ = try walk(inner, other.root)
    (variables, definition) = (outerVariables, outerDefinition)
  }

  /// Prints the value of an action.
  private func print(_ slot: Slot, _ node: any Node) throws {
    if slot.isAbsent { return try write(Array("<no value>".utf8)) }
    switch slot.value {
    case .string(let text): try write(text.bytes)
    case .function: throw failure("can't print " + node.text + " of type " + ByteString("\(slot.type)"))
    default:
      var rest = limits
      rest.outputBytes -= output.count
      let text = try Formatter.print([slot.value], rest)
      try charge(text.count / 64)
      try write(text)
    }
  }

  /// `%v`, for messages.
  func printed(_ value: TemplateValue) throws -> ByteString {
    ByteString(bytes: try Formatter.format(Array("%v".utf8), [value], limits))
  }

  // MARK: Variables

  func assign(_ name: ByteString, _ value: Slot) throws {
    guard let index = variables.lastIndex(where: { $0.name == name }) else {
      throw failure("undefined variable: " + name)
    }
    variables[index].value = value
  }

  /// An element of a container as pipelines see it.
  func slot(_ value: TemplateValue, in type: ValueType) throws -> Slot {
    Slot(value: try value.resolved(), isBoxed: type == .any)
  }
}
