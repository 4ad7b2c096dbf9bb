// The task's environment and the clock.
extension FunctionSets {
  static func addEnvironment(_ table: inout FunctionTable) {
    table.add("env", [.string], result: .string) { call in
      .string(call.rendering.host.environmentVariable(ByteString(bytes: call.text(0))) ?? "")
    }
    table.add("mustEnv", [.string], result: .string) { call in
      let name = ByteString(bytes: call.text(0))
      guard let value = call.rendering.host.environmentVariable(name) else {
        throw FunctionFailure("\"" + name + "\" was not found")
      }
      return .string(value)
    }
    table.add("envOrDefault", [.string, .string], result: .string) { call in
      .string(
        call.rendering.host.environmentVariable(ByteString(bytes: call.text(0))) ?? ByteString(bytes: call.text(1)))
    }
    table.add("timestamp", [], variadic: .string, result: .string) { call in
      let now = call.rendering.host.now
      switch call.arguments.count {
      case 0: return .string(ByteString(bytes: now.formatted(TemplateTime.rfc3339)))
      case 1:
        let layout = call.text(0)
        if layout == Array("unix".utf8) { return .text(String(now.seconds)) }
        return .string(ByteString(bytes: now.formatted(layout)))
      default:
        throw FunctionFailure("timestamp: wrong number of arguments, expected 0 or 1, but got \(call.arguments.count)")
      }
    }
    table.add("executeTemplate", [.string], variadic: .any, result: .string) { call in
      guard call.arguments.count <= 2 else {
        throw FunctionFailure(
          "executeTemplate: wrong number of arguments, expected 1 or 2, but got \(call.arguments.count)")
      }
      return .string(try call.rendering.text(of: ByteString(bytes: call.text(0)), over: call.value(1)))
    }
  }
}
