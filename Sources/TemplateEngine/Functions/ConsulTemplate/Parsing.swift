// Reading values out of text. Empty text reads as the type's zero, since a key may not have been filled yet.
extension FunctionSets {
  static func addParsing(_ table: inout FunctionTable) {
    table.add("parseBool", [.string], result: .bool) { call in
      let text = ByteString(bytes: call.text(0))
      switch text.description {
      case "": return .bool(false)
      case "1", "t", "T", "TRUE", "true", "True": return .bool(true)
      case "0", "f", "F", "FALSE", "false", "False": return .bool(false)
      default: throw invalid("parseBool", "ParseBool", text)
      }
    }
    table.add("parseFloat", [.string], result: .float) { call in
      let text = ByteString(bytes: call.text(0))
      if text.isEmpty { return .float(0) }
      guard let value = NumberSyntax.float(text.bytes, special: true) else {
        throw invalid("parseFloat", "ParseFloat", text)
      }
      return .float(value)
    }
    table.add("parseInt", [.string], result: .sized(.int64)) { call in
      let text = ByteString(bytes: call.text(0))
      if text.isEmpty { return .int64(0) }
      guard let value = NumberSyntax.integer(text.bytes, base: 10) else { throw invalid("parseInt", "ParseInt", text) }
      return .int64(value)
    }
    table.add("parseUint", [.string], result: .sized(.uint64)) { call in
      let text = ByteString(bytes: call.text(0))
      if text.isEmpty { return .uint64(0) }
      guard let value = NumberSyntax.unsigned(text.bytes, base: 10) else {
        throw invalid("parseUint", "ParseUint", text)
      }
      return .uint64(value)
    }
    table.add("parseJSON", [.string]) { call in
      let text = call.text(0)
      try call.rendering.charge(bytes: text.count)
      return text.isEmpty ? .map([:]) : try TemplateValue(json: text, numbers: .floats)
    }
    table.add("parseYAML", [.string]) { call in
      let text = call.text(0)
      try call.rendering.charge(bytes: text.count)
      return text.isEmpty ? .map([:]) : try YAMLValue.decode(text)
    }
  }

  private static func invalid(_ name: String, _ function: String, _ text: ByteString) -> FunctionFailure {
    let isNumber = !text.isEmpty && text.bytes.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2B }
    let fits = NumberSyntax.float(text.bytes) != nil && isNumber && function != "ParseUint"
    return FunctionFailure(
      ByteString("\(name): strconv.\(function): parsing ") + Quoting.quoted(text)
        + (fits ? ": value out of range" : ": invalid syntax"))
  }
}
