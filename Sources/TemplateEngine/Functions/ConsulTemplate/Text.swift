// Work on text; the piped string comes last.
extension FunctionSets {
  static func addText(_ table: inout FunctionTable) {
    table.text("trimSpace") { ByteText.trimSpace($0[0]) }
    table.text("toLower") { ByteText.lower($0[0]) }
    table.text("toUpper") { ByteText.upper($0[0]) }
    table.text("toTitle") { ByteText.titleWords($0[0]) }
    table.text("trim", 2) { ByteText.trim($0[1], set: $0[0]) }
    table.text("trimPrefix", 2) { ByteText.trimPrefix($0[1], $0[0]) }
    table.text("trimSuffix", 2) { ByteText.trimSuffix($0[1], $0[0]) }
    table.add("replaceAll", [.string, .string, .string], result: .string) { call in
      .string(ByteString(bytes: try call.replacing(call.text(2), call.text(0), call.text(1))))
    }
    table.add("split", [.string, .string], result: .list(.string)) { call in
      let text = ByteText.trimSpace(call.text(1))
      if text.isEmpty { return .strings([]) }
      return .strings(ByteText.split(text, by: call.text(0)).map { ByteString(bytes: $0) })
    }
    table.add("join", [.string, .list(.string)], result: .string) { call in
      let pieces = try (Conversions.elements(call.value(1)) ?? []).map { try call.textValue($0) }
      return .string(ByteString(bytes: ByteText.join(pieces, call.text(0))))
    }
    table.add("splitToMap", [.string, .string, .string], result: .map(.string)) { call in
      var entries: [ByteString: TemplateValue] = [:]
      let text = ByteText.trimSpace(call.text(2))
      for item in text.isEmpty ? [] : ByteText.split(text, by: call.text(0)) {
        let parts = ByteText.split(item, by: call.text(1), limit: 2)
        guard parts.count == 2 else {
          throw FunctionFailure("splitToMap: " + Quoting.quoted(item) + " has no separator between key and value")
        }
        entries[ByteString(bytes: parts[0])] = .string(ByteString(bytes: parts[1]))
      }
      return .map(TemplateMap(entries, of: .string))
    }
    table.add("indent", [.int, .string], result: .string) { call in
      let spaces = call.int(0)
      guard spaces >= 0 else { throw FunctionFailure("indent value must be a positive integer") }
      let text = call.text(1)
      let lines = text.reduce(1) { $1 == 0x0A ? $0 + 1 : $0 }
      try call.rendering.charge(bytes: text.count + min(spaces, call.rendering.limits.outputBytes) * lines)
      var out: [UInt8] = []
      var isStart = true
      for byte in text {
        if isStart, byte != 0x0A { out += repeatElement(0x20, count: spaces) }
        out.append(byte)
        isStart = byte == 0x0A
      }
      return .string(ByteString(bytes: out))
    }
  }
}

extension TemplateCall {
  /// Replaces within the output limit.
  func replacing(_ text: [UInt8], _ old: [UInt8], _ new: [UInt8]) throws -> [UInt8] {
    let most = old.isEmpty ? text.count + 1 : text.count / old.count
    if new.count > old.count {
      let growth = most.multipliedReportingOverflow(by: new.count - old.count)
      // A bound, not a measure: only where it is exceeded is the exact size worth computing.
      if growth.overflow || text.count + growth.partialValue > rendering.limits.outputBytes {
        let count = old.isEmpty ? most : ByteText.split(text, by: old).count - 1
        try rendering.charge(bytes: text.count + count * (new.count - old.count))
      }
    }
    return ByteText.replace(text, old, new)
  }
}
