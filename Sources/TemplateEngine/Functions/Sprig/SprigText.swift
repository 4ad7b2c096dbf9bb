// Strings.
extension FunctionSets {
  static func addSprigText(_ table: inout FunctionTable) {
    table.text("trim") { ByteText.trimSpace($0[0]) }
    table.text("upper") { ByteText.upper($0[0]) }
    table.text("lower") { ByteText.lower($0[0]) }
    table.text("title") { ByteText.title($0[0]) }
    table.text("trimAll", 2) { ByteText.trim($0[1], set: $0[0]) }
    table.alias("trimall", of: "trimAll")
    table.text("trimSuffix", 2) { ByteText.trimSuffix($0[1], $0[0]) }
    table.text("trimPrefix", 2) { ByteText.trimPrefix($0[1], $0[0]) }
    table.text("nospace") { text in
      // Byte by byte, as the origin does: characters beyond ASCII come out as the Latin-1 letters of their bytes, except
      // where there was nothing to delete.
      let isSpace: (UInt8) -> Bool = { Runes.isSpace(UInt32($0)) }
      guard text[0].contains(where: isSpace) else { return text[0] }
      return Runes.encode(text[0].filter { !isSpace($0) }.map(UInt32.init))
    }
    table.text("initials") { text in
      var isGap = true
      return Runes.encode(
        text[0].compactMap { byte in
          let isSpace = Runes.isSpace(UInt32(byte))
          defer { isGap = isSpace }
          return isGap && !isSpace ? UInt32(byte) : nil
        })
    }
    table.add("contains", [.string, .string], result: .bool) { .bool(ByteText.contains($0.text(1), $0.text(0))) }
    table.add("hasPrefix", [.string, .string], result: .bool) { .bool($0.text(1).starts(with: $0.text(0))) }
    table.add("hasSuffix", [.string, .string], result: .bool) { call in
      .bool(call.text(1).suffix(call.text(0).count).elementsEqual(call.text(0)))
    }
    table.add("replace", [.string, .string, .string], result: .string) { call in
      .string(ByteString(bytes: try call.replacing(call.text(2), call.text(0), call.text(1))))
    }
    table.add("repeat", [.int, .string], result: .string) { call in
      let (count, text) = (call.int(0), call.text(1))
      guard count >= 0 else { throw FunctionFailure("strings: negative Repeat count") }
      let (size, overflow) = count.multipliedReportingOverflow(by: text.count)
      try call.rendering.charge(bytes: overflow ? .max : size)
      return .string(ByteString(bytes: Array(repeatElement(text, count: text.isEmpty ? 0 : count).joined())))
    }
    table.add("substr", [.int, .int, .string], result: .string) { call in
      let (start, end, text) = (call.int(0), call.int(1), call.text(2))
      func cut(_ from: Int, _ to: Int) throws -> TemplateValue {
        // The texts of Go's own range errors.
        guard to <= text.count, to >= 0 else {
          let shown = to < 0 ? "[:\(to)]" : "[:\(to)] with length \(text.count)"
          throw FunctionFailure("runtime error: slice bounds out of range \(shown)")
        }
        guard from <= to else { throw FunctionFailure("runtime error: slice bounds out of range [\(from):\(to)]") }
        return .string(ByteString(bytes: text[from..<to]))
      }
      if start < 0 { return try cut(0, end) }
      return try cut(start, end < 0 || end > text.count ? text.count : end)
    }
    table.add("trunc", [.int, .string], result: .string) { call in
      let (count, text) = (call.int(0), call.text(1))
      if count < 0, text.count + count > 0 { return .string(ByteString(bytes: text[(text.count + count)...])) }
      if count >= 0, text.count > count { return .string(ByteString(bytes: text[..<count])) }
      return call.value(1)
    }
    table.add("abbrev", [.int, .string], result: .string) { call in
      let (width, text) = (call.int(0), call.text(1))
      return .string(ByteString(bytes: width < 4 ? text : abbreviated(text, 0, width)))
    }
    table.add("abbrevboth", [.int, .int, .string], result: .string) { call in
      let (left, right, text) = (call.int(0), call.int(1), call.text(2))
      return .string(ByteString(bytes: right < 4 || left > 0 && right < 7 ? text : abbreviated(text, left, right)))
    }
    table.add("quote", [], variadic: .any, result: .string) { call in
      let words = try call.arguments.filter { !$0.isNil }.map { Quoting.quoted(try call.textValue($0)).bytes }
      return .string(ByteString(bytes: ByteText.join(words, [0x20])))
    }
    table.add("squote", [], variadic: .any, result: .string) { call in
      let words = try call.arguments.filter { !$0.isNil }.map { [0x27] + (try call.printed($0)) + [0x27] }
      return .string(ByteString(bytes: ByteText.join(words, [0x20])))
    }
    table.add("cat", [], variadic: .any, result: .string) { call in
      let words = try call.arguments.filter { !$0.isNil }.map { try call.printed($0) }
      return .string(ByteString(bytes: ByteText.join(words, [0x20])))
    }
    for (name, start): (ByteString, [UInt8]) in [("indent", []), ("nindent", [0x0A])] {
      table.add(name, [.int, .string], result: .string) { call in
        let (spaces, text) = (call.int(0), call.text(1))
        guard spaces >= 0 else { throw FunctionFailure("strings: negative Repeat count") }
        try call.rendering.charge(bytes: spaces)
        let pad = Array(repeating: UInt8(0x20), count: spaces)
        return .string(ByteString(bytes: start + pad + (try call.replacing(text, [0x0A], [0x0A] + pad))))
      }
    }
    table.add("plural", [.string, .string, .int], result: .string) { $0.int(2) == 1 ? $0.value(0) : $0.value(1) }
    table.add("wrap", [.int, .string], result: .string) { call in
      .string(ByteString(bytes: try wrapped(call, call.text(1), call.int(0), [0x0A], breakingWords: false)))
    }
    table.add("wrapWith", [.int, .string, .string], result: .string) { call in
      let separator = call.text(1).isEmpty ? [0x0A] : call.text(1)
      return .string(ByteString(bytes: try wrapped(call, call.text(2), call.int(0), separator, breakingWords: true)))
    }
    table.add("split", [.string, .string], result: .map(.string)) { call in
      numbered(ByteText.split(call.text(1), by: call.text(0)))
    }
    table.add("splitn", [.string, .int, .string], result: .map(.string)) { call in
      numbered(ByteText.split(call.text(2), by: call.text(0), limit: call.int(1)))
    }
    table.add("splitList", [.string, .string], result: .list(.string)) { call in
      .strings(ByteText.split(call.text(1), by: call.text(0)).map { ByteString(bytes: $0) })
    }
    table.add("join", [.string, .any], result: .string) { call in
      .string(ByteString(bytes: ByteText.join(try strings(call.value(1), call), call.text(0))))
    }
    table.add("toString", [.any], result: .string) { .string(ByteString(bytes: try $0.textValue($0.value(0)))) }
    table.add("toStrings", [.any], result: .list(.string)) { call in
      .strings(try strings(call.value(0), call).map { ByteString(bytes: $0) })
    }
    table.add("sortAlpha", [.any], result: .list(.string)) { call in
      if call.value(0).isNil { return .strings(["<nil>"]) }
      let texts = try strings(call.value(0), call).map { ByteString(bytes: $0) }
      return .strings(try Conversions.elements(call.value(0)) == nil ? texts : texts.sorted())
    }
  }

  /// The elements of a list as texts without nils; anything else as one text.
  static func strings(_ value: TemplateValue, _ call: TemplateCall) throws -> [[UInt8]] {
    if value.isNil { return [] }
    let elements = try Conversions.elements(value) ?? [value]
    return try elements.filter { !$0.isNil }.map { try call.textValue($0) }
  }

  /// `_0`, `_1`, …
  private static func numbered(_ parts: [[UInt8]]) -> TemplateValue {
    var entries: [ByteString: TemplateValue] = [:]
    for (index, part) in parts.enumerated() { entries[ByteString("_\(index)")] = .string(ByteString(bytes: part)) }
    return .map(TemplateMap(entries, of: .string))
  }

  /// At most `width` bytes, what is cut off shown by dots; `offset` stays visible.
  private static func abbreviated(_ text: [UInt8], _ offset: Int, _ width: Int) -> [UInt8] {
    let dots = Array("...".utf8)
    if text.isEmpty || text.count <= width { return text }
    var offset = min(offset, text.count)
    if text.count - offset < width - 3 { offset = text.count - (width - 3) }
    if offset <= 4 { return Array(text[..<(width - 3)]) + dots }
    if width < 7 { return [] }
    if offset + width - 3 < text.count { return dots + abbreviated(Array(text[offset...]), 0, width - 3) }
    return dots + text[(text.count - (width - 3))...]
  }

  /// Breaks a line at spaces so that no piece is longer than `width` bytes, where words allow it.
  private static func wrapped(
    _ call: TemplateCall, _ text: [UInt8], _ given: Int, _ separator: [UInt8], breakingWords: Bool
  ) throws -> [UInt8] {
    let width = max(given, 1)
    var out: [UInt8] = []
    var offset = 0
    while text.count - offset > width {
      if out.count > call.rendering.limits.outputBytes { try call.rendering.charge(bytes: out.count) }
      if text[offset] == 0x20 {
        offset += 1
        continue
      }
      let window = text[offset..<(width + offset + 1)]
      if let space = window.lastIndex(of: 0x20) {
        out += text[offset..<space]
        out += separator
        offset = space + 1
      } else if breakingWords {
        out += text[offset..<(offset + width)]
        out += separator
        offset += width
      } else if let space = text[(offset + width)...].firstIndex(of: 0x20) {
        out += text[offset..<space]
        out += separator
        offset = space + 1
      } else {
        out += text[offset...]
        offset = text.count
      }
    }
    return out + text[offset...]
  }
}
