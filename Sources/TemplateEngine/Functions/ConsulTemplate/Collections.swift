// Loops and maps.
extension FunctionSets {
  static func addCollections(_ table: inout FunctionTable) {
    table.add("loop", [.any], variadic: .any) { call in
      guard call.arguments.count <= 2 else {
        throw FunctionFailure("loop: wrong number of arguments, expected 1 or 2, but got \(call.arguments.count)")
      }
      func bound(_ value: TemplateValue) throws -> Int64 {
        switch value {
        case .int(let int): return Int64(int)
        case .sized(let sized): return sized.signed
        case .string(let text):
          if let number = NumberSyntax.integer(text.bytes, base: 10) { return number }
          fallthrough
        default: throw FunctionFailure("loop: bad parameter type: \(value.type)")
        }
      }
      let first = try bound(call.value(0))
      let (start, stop) = call.arguments.count == 2 ? (first, try bound(call.value(1))) : (0, first)
      guard start < stop else { return .list(TemplateList([], of: .sized(.int64))) }
      let (count, overflow) = stop.subtractingReportingOverflow(start)
      try call.rendering.charge(overflow ? Int.max / 2 : Int(count))
      return .list(TemplateList((start..<stop).map { .int64($0) }, of: .sized(.int64)))
    }
    for (name, overwriting): (ByteString, Bool) in [("mergeMap", false), ("mergeMapWithOverride", true)] {
      table.add(name, [.map(.any), .map(.any)]) { call in
        // The base is copied, so that a variable holding it keeps its value.
        guard case .map(let target) = try Conversions.deepCopy(call.value(0), call.rendering) else { return .nil }
        try Conversions.merge(target, call.map(1), overwriting: overwriting, call.rendering)
        return .map(target)
      }
    }
  }

  static func addMembership(_ table: inout FunctionTable) {
    table.add("in", [.any, .any], result: .bool) { .bool(try isIn($0.value(0), $0.value(1))) }
    table.add("contains", [.any, .any], result: .bool) { .bool(try isIn($0.value(1), $0.value(0))) }
    func quantified(_ name: ByteString, _ test: @escaping @Sendable ([Bool]) -> Bool) {
      table.add(name, [.any, .any], result: .bool) { call in
        guard let wanted = try Conversions.elements(call.value(0)) else {
          throw FunctionFailure("\(call.name): the first argument must be a list, not \(call.value(0).type)")
        }
        try call.rendering.charge(wanted.count)
        return .bool(test(try wanted.map { try isIn(call.value(1), $0) }))
      }
    }
    quantified("containsAll") { $0.allSatisfy { $0 } }
    quantified("containsAny") { $0.contains(true) }
    quantified("containsNone") { !$0.contains(true) }
    quantified("containsNotAll") { $0.contains(false) }
  }

  /// Whether a list has an element, or a string a part. Numbers compare by value, whatever their width.
  private static func isIn(_ list: TemplateValue, _ value: TemplateValue) throws -> Bool {
    if case .string(let text) = list, case .string(let part) = value {
      return ByteText.contains(text.bytes, part.bytes)
    }
    for element in try Conversions.elements(list) ?? [] {
      switch (element, value) {
      case (.string(let first), .string(let second)): if first == second { return true }
      case (.bool(let first), .bool(let second)): if first == second { return true }
      case (.int, .int), (.int, .sized), (.sized, .int), (.sized, .sized):
        if Conversions.int64(element) == Conversions.int64(value) { return true }
      case (.float, .float), (.float, .int), (.int, .float), (.float, .sized), (.sized, .float):
        if Conversions.float(element) == Conversions.float(value) { return true }
      default: break
      }
    }
    return false
  }
}
