// Lists.
extension FunctionSets {
  static func addSprigLists(_ table: inout FunctionTable) {
    table.add("list", [], variadic: .any, result: .list(.any)) { .list($0.arguments) }
    table.alias("tuple", of: "list")
    /// Functions of one list.
    func list(
      _ name: ByteString, _ must: ByteString, _ verb: String, result: ValueType = .list(.any),
      _ body: @escaping @Sendable ([TemplateValue], TemplateValue, TemplateCall) throws -> TemplateValue
    ) {
      table.both(name, must: must, [.any], result: result) { call in
        try body(try elements(call, 0, verb), call.value(0), call)
      }
    }
    list("first", "mustFirst", "find first on", result: .any) { elements, _, _ in elements.first ?? .nil }
    list("last", "mustLast", "find last on", result: .any) { elements, _, _ in elements.last ?? .nil }
    list("rest", "mustRest", "find rest on") { elements, _, _ in .list(Array(elements.dropFirst())) }
    list("initial", "mustInitial", "find initial on") { elements, _, _ in .list(Array(elements.dropLast())) }
    list("reverse", "mustReverse", "find reverse on") { elements, _, _ in .list(elements.reversed()) }
    list("compact", "mustCompact", "compact on") { elements, _, _ in
      .list(elements.filter { !Conversions.isEmpty($0) })
    }
    list("uniq", "mustUniq", "find uniq on") { elements, _, call in
      var kept: [TemplateValue] = []
      for element in elements {
        if try !kept.contains(where: { try Conversions.deepEqual(element, $0, call.rendering) }) {
          kept.append(element)
        }
      }
      return .list(kept)
    }
    for (name, must): (ByteString, ByteString) in [("append", "mustAppend"), ("push", "mustPush")] {
      table.both(name, must: must, [.any, .any], result: .list(.any)) { call in
        .list(try elements(call, 0, "push on") + [call.value(1)])
      }
    }
    table.both("prepend", must: "mustPrepend", [.any, .any], result: .list(.any)) { call in
      .list([call.value(1)] + (try elements(call, 0, "prepend on")))
    }
    table.both("without", must: "mustWithout", [.any], variadic: .any, result: .list(.any)) { call in
      let omitted = Array(call.arguments.dropFirst())
      return .list(
        try elements(call, 0, "find without on").filter { element in
          try !omitted.contains { try Conversions.deepEqual($0, element, call.rendering) }
        })
    }
    table.both("has", must: "mustHas", [.any, .any], result: .bool) { call in
      if call.value(1).isNil { return .bool(false) }
      let needle = call.value(0)
      return .bool(
        try elements(call, 1, "find has on").contains { try Conversions.deepEqual(needle, $0, call.rendering) })
    }
    table.both("slice", must: "mustSlice", [.any], variadic: .any) { call in
      let found = call.value(0)
      guard let elements = try Conversions.elements(found) else {
        try refuseNil(found)
        throw FunctionFailure("list should be type of slice or array but \(Conversions.kind(found))")
      }
      if elements.isEmpty { return .nil }
      let start = call.arguments.count > 1 ? Int(Conversions.int64(call.value(1))) : 0
      let end = call.arguments.count > 2 ? Int(Conversions.int64(call.value(2))) : elements.count
      guard start >= 0, start <= end, end <= elements.count else {
        throw FunctionFailure("reflect.Value.Slice: slice index out of bounds")
      }
      let part = Array(elements[start..<end])
      if case .list(let list) = found { return .list(TemplateList(part, of: list.elementType)) }
      return .list(part)
    }
    table.add("concat", [], variadic: .any) { call in
      var all: [TemplateValue] = []
      for index in call.arguments.indices {
        all += try elements(call, index, "concat", after: " as list")
        try call.rendering.charge(bytes: all.count)
      }
      return .list(all)
    }
    table.both("chunk", must: "mustChunk", [.int, .any], result: .list(.list(.any))) { call in
      let size = call.int(0)
      let elements = try elements(call, 1, "chunk")
      guard size > 0 else { throw FunctionFailure("chunk: the size must be positive, not \(size)") }
      let chunks = stride(from: 0, to: elements.count, by: size).map { start in
        TemplateValue.list(Array(elements[start..<min(start + size, elements.count)]))
      }
      return .list(TemplateList(chunks, of: .list(.any)))
    }
  }

  /// The list that an argument is, or the error that it is none: `Cannot VERB type KIND`.
  private static func elements(
    _ call: TemplateCall, _ index: Int, _ verb: String, after: String = ""
  ) throws -> [TemplateValue] {
    let value = call.value(index)
    if let elements = try Conversions.elements(value) {
      try call.rendering.charge(elements.count / 16)
      return elements
    }
    try refuseNil(value)
    throw FunctionFailure("Cannot \(verb) type \(Conversions.kind(value))\(after)")
  }

  /// What Go's runtime says when a type is asked of nothing.
  private static func refuseNil(_ value: TemplateValue) throws {
    if value.isNil { throw FunctionFailure("runtime error: invalid memory address or nil pointer dereference") }
  }
}
