// JSON, base 64 and 32, digests.
extension FunctionSets {
  static func addSprigEncoding(_ table: inout FunctionTable) {
    table.add("fromJson", [.string]) { call in
      try call.rendering.charge(bytes: call.text(0).count)
      return (try? TemplateValue(json: call.text(0), numbers: .floats)) ?? .nil
    }
    table.add("mustFromJson", [.string]) { call in
      try call.rendering.charge(bytes: call.text(0).count)
      return try TemplateValue(json: call.text(0), numbers: .floats)
    }
    for (name, must, style): (ByteString, ByteString, TemplateValue.JSONStyle) in [
      ("toJson", "mustToJson", .init()), ("toPrettyJson", "mustToPrettyJson", .init(indent: "  ")),
      ("toRawJson", "mustToRawJson", .init(escapesHTML: false)),
    ] {
      table.add(must, [.any], result: .string) { call in
        .string(try call.value(0).json(style, limits: call.rendering.limits))
      }
      table.add(name, [.any], result: .string) { call in
        do {
          return .string(try call.value(0).json(style, limits: call.rendering.limits))
        } catch let failure as FunctionFailure {
          // The raw form has always failed loudly, the others silently.
          if !style.escapesHTML { throw failure }
          return .string("")
        }
      }
    }
    func silent(_ body: @escaping @Sendable ([UInt8]) throws -> [UInt8]) -> @Sendable ([[UInt8]]) throws -> [UInt8] {
      { text in
        do { return try body(text[0]) } catch let failure as FunctionFailure { return failure.message.bytes }
      }
    }
    table.text("b64enc") { Base64.encode($0[0]) }
    table.text("b64dec", 1, silent { try Base64.decode($0) })
    table.text("b32enc") { Base64.encode32($0[0]) }
    table.text("b32dec", 1, silent { try Base64.decode32($0) })
    table.text("sha1sum") { Digests.hex(Digests.sha1($0[0])) }
    table.text("sha256sum") { Digests.hex(Digests.sha256($0[0])) }
    table.text("adler32sum") { Array(String(Digests.adler32($0[0])).utf8) }
  }
}
