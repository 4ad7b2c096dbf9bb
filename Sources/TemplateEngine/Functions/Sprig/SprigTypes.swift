// Asking for types.
extension FunctionSets {
  static func addSprigTypes(_ table: inout FunctionTable) {
    @Sendable func name(_ value: TemplateValue) -> ByteString { value.isNil ? "<nil>" : ByteString("\(value.type)") }
    table.add("typeOf", [.any], result: .string) { .string(name($0.value(0))) }
    table.add("typeIs", [.string, .any], result: .bool) { .bool(ByteString(bytes: $0.text(0)) == name($0.value(1))) }
    table.add("typeIsLike", [.string, .any], result: .bool) { call in
      let target = ByteString(bytes: call.text(0))
      return .bool(target == name(call.value(1)) || "*" + target == name(call.value(1)))
    }
    table.add("kindOf", [.any], result: .string) { .text(Conversions.kind($0.value(0))) }
    table.add("kindIs", [.string, .any], result: .bool) { call in
      .bool(ByteString(bytes: call.text(0)) == ByteString(Conversions.kind(call.value(1))))
    }
    table.add("deepEqual", [.any, .any], result: .bool) { call in
      .bool(try Conversions.deepEqual(call.value(0), call.value(1), call.rendering))
    }
  }
}
