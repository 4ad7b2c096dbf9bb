// Defaults, choices and tests for emptiness.
extension FunctionSets {
  static func addSprigDefaults(_ table: inout FunctionTable) {
    table.add("hello", [], result: .string) { _ in .string("Hello!") }
    table.add("default", [.any], variadic: .any) { call in
      call.arguments.count < 2 || Conversions.isEmpty(call.value(1)) ? call.value(0) : call.value(1)
    }
    table.add("empty", [.any], result: .bool) { .bool(Conversions.isEmpty($0.value(0))) }
    table.add("coalesce", [], variadic: .any) { $0.arguments.first { !Conversions.isEmpty($0) } ?? .nil }
    table.add("all", [], variadic: .any, result: .bool) { .bool($0.arguments.allSatisfy { !Conversions.isEmpty($0) }) }
    table.add("any", [], variadic: .any, result: .bool) { .bool($0.arguments.contains { !Conversions.isEmpty($0) }) }
    table.add("ternary", [.any, .any, .bool]) { $0.value(2).isTrue ? $0.value(0) : $0.value(1) }
    table.add("fail", [.string], result: .string) { throw FunctionFailure(ByteString(bytes: $0.text(0))) }
  }
}
