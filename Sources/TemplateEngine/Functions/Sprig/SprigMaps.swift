// Maps, which are references: `set` changes what every holder sees.
extension FunctionSets {
  static func addSprigMaps(_ table: inout FunctionTable) {
    let map = ValueType.map(.any)
    table.add("dict", [], variadic: .any, result: map) { call in
      var entries: [ByteString: TemplateValue] = [:]
      for index in stride(from: 0, to: call.arguments.count, by: 2) {
        let key = ByteString(bytes: try call.textValue(call.value(index)))
        entries[key] = index + 1 < call.arguments.count ? call.value(index + 1) : .string("")
      }
      return .map(entries)
    }
    table.add("get", [map, .string]) { call in call.map(0)[ByteString(bytes: call.text(1))] ?? .string("") }
    table.add("set", [map, .string, .any], result: map) { call in
      try call.map(0).insert(call.value(2), for: ByteString(bytes: call.text(1)))
      return call.value(0)
    }
    table.add("unset", [map, .string], result: map) { call in
      call.map(0).remove(ByteString(bytes: call.text(1)))
      return call.value(0)
    }
    table.add("hasKey", [map, .string], result: .bool) { call in
      .bool(call.map(0)[ByteString(bytes: call.text(1))] != nil)
    }
    table.add("pluck", [.string], variadic: map, result: .list(.any)) { call in
      let key = ByteString(bytes: call.text(0))
      return .list((1..<max(call.arguments.count, 1)).compactMap { call.map($0)[key] })
    }
    // In order of the keys; the origin's order is random.
    table.add("keys", [], variadic: map, result: .list(.string)) { call in
      .strings(call.arguments.indices.flatMap { call.map($0).keys })
    }
    table.add("values", [map], result: .list(.any)) { .list($0.map(0).sorted.map(\.value)) }
    table.add("pick", [map], variadic: .string, result: map) { call in
      var entries: [ByteString: TemplateValue] = [:]
      for index in 1..<max(call.arguments.count, 1) {
        let key = ByteString(bytes: call.text(index))
        if let value = call.map(0)[key] { entries[key] = value }
      }
      return .map(entries)
    }
    table.add("omit", [map], variadic: .string, result: map) { call in
      let omitted = Set((1..<max(call.arguments.count, 1)).map { ByteString(bytes: call.text($0)) })
      return .map(call.map(0).entries.filter { !omitted.contains($0.key) })
    }
    for (name, must, overwriting): (ByteString, ByteString, Bool) in [
      ("merge", "mustMerge", false), ("mergeOverwrite", "mustMergeOverwrite", true),
    ] {
      table.both(name, must: must, [map], variadic: map) { call in
        for index in 1..<max(call.arguments.count, 1) {
          try Conversions.merge(call.map(0), call.map(index), overwriting: overwriting, call.rendering)
        }
        return call.value(0)
      }
    }
    table.both("deepCopy", must: "mustDeepCopy", [.any]) { call in
      if call.value(0).isNil { throw FunctionFailure("reflect: call of reflect.Value.Type on zero Value") }
      return try Conversions.deepCopy(call.value(0), call.rendering)
    }
    table.add("dig", [], variadic: .any) { call in
      let count = call.arguments.count
      guard count >= 3 else { throw FunctionFailure("dig needs at least three arguments") }
      var current = call.value(count - 1)
      for index in 0..<(count - 2) {
        guard case .map(let map) = current, map.elementType == .any else {
          throw FunctionFailure(
            "interface conversion: interface {} is \(current.isNil ? "nil" : current.type.description), "
              + "not map[string]interface {}")
        }
        guard case .string(let key) = call.value(index) else {
          throw FunctionFailure("interface conversion: interface {} is \(call.value(index).type), not string")
        }
        guard let next = try map[key]?.resolved() else { return call.value(count - 2) }
        current = next
      }
      return current
    }
  }
}
