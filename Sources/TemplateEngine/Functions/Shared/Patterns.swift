internal import RegularExpression

// Regular expressions (RE2 syntax), for both function sets.
extension FunctionSets {
  static func addPatterns(_ table: inout FunctionTable) {
    table.add("regexMatch", [.string, .string], result: .bool) { call in
      .bool(try PatternCall(call, 0).pattern.firstMatch(in: call.text(1)) != nil)
    }
    table.add("regexReplaceAll", [.string, .string, .string], result: .string) { call in
      .string(try PatternCall(call, 0).replacing(in: call.text(2), with: call.text(1)))
    }
  }

  static func addSprigPatterns(_ table: inout FunctionTable) {
    table.add("regexMatch", [.string, .string], result: .bool) { call in
      try call.rendering.charge(bytes: call.text(1).count)
      guard let pattern = try? Pattern(String(decoding: call.text(0), as: UTF8.self)) else { return .bool(false) }
      return .bool(pattern.firstMatch(in: call.text(1)) != nil)
    }
    table.add("mustRegexMatch", [.string, .string], result: .bool) { call in
      .bool(try PatternCall(call, 0).pattern.firstMatch(in: call.text(1)) != nil)
    }
    table.text("regexQuoteMeta") { text in
      text[0].flatMap { "\\.+*?()|[]{}^$".utf8.contains($0) ? [0x5C, $0] : [$0] }
    }
    for isMust in [false, true] {
      func name(_ plain: String) -> ByteString { ByteString((isMust ? "mustRegex" : "regex") + plain) }
      table.add(name("Find"), [.string, .string], result: .string) { call in
        let text = call.text(1)
        let match = try PatternCall(call, 0, quoting: !isMust).pattern.firstMatch(in: text)
        return .string(match.map { ByteString(bytes: text[$0.range]) } ?? "")
      }
      table.add(name("FindAll"), [.string, .string, .int], result: .list(.string)) { call in
        let (text, count) = (call.text(1), call.int(2))
        let matches = try PatternCall(call, 0, quoting: !isMust).matches(in: text)
        return .strings(matches.prefix(count < 0 ? .max : count).map { ByteString(bytes: text[$0.range]) })
      }
      table.add(name("ReplaceAll"), [.string, .string, .string], result: .string) { call in
        .string(try PatternCall(call, 0, quoting: !isMust).replacing(in: call.text(1), with: call.text(2)))
      }
      table.add(name("ReplaceAllLiteral"), [.string, .string, .string], result: .string) { call in
        let replacement = ByteText.replace(call.text(2), [UInt8(ascii: "$")], Array("$$".utf8))
        return .string(try PatternCall(call, 0, quoting: !isMust).replacing(in: call.text(1), with: replacement))
      }
      table.add(name("Split"), [.string, .string, .int], result: .list(.string)) { call in
        let (text, count) = (call.text(1), call.int(2))
        let prepared = try PatternCall(call, 0, quoting: !isMust)
        if count == 0 { return .strings([]) }
        if text.isEmpty, !call.text(0).isEmpty { return .strings([""]) }
        var pieces: [ByteString] = []
        var (start, end) = (0, 0)
        for match in try prepared.matches(in: text).prefix(count < 0 ? .max : count) {
          if count > 0, pieces.count == count - 1 { break }
          end = match.range.lowerBound
          // An empty match at the very start separates nothing.
          if match.range.upperBound != 0 { pieces.append(ByteString(bytes: text[start..<end])) }
          start = match.range.upperBound
        }
        if end != text.count { pieces.append(ByteString(bytes: text[start...])) }
        return .strings(pieces)
      }
    }
  }
}

/// A pattern that a template gave, and the budget for using it.
private struct PatternCall {
  let pattern: Pattern
  private let rendering: Rendering

  /// `quoting` words the error as Go's `MustCompile` does.
  init(_ call: TemplateCall, _ index: Int, quoting: Bool = false) throws {
    rendering = call.rendering
    let source = call.text(index)
    for position in call.arguments.indices { try rendering.charge(bytes: call.text(position).count) }
    do {
      pattern = try Pattern(String(decoding: source, as: UTF8.self))
    } catch {
      let message = "error parsing regexp: \(error.message)" + (error.part.isEmpty ? "" : ": `\(error.part)`")
      throw FunctionFailure((quoting ? "regexp: Compile(`\(ByteString(bytes: source))`): " : "") + message)
    }
  }

  /// All matches, as long as they can be found within the rendering's steps.
  func matches(in text: [UInt8]) throws -> [Match] {
    guard let matches = pattern.allMatches(in: text, steps: rendering.limits.steps) else {
      throw LimitExceeded.steps(rendering.limits.steps)
    }
    try rendering.charge(matches.count)
    return matches
  }

  func replacing(in text: [UInt8], with replacement: [UInt8]) throws -> ByteString {
    // Replacing searches again, with a budget of its own: it is known here to be enough.
    _ = try matches(in: text)
    guard
      let replaced = pattern.replacingMatches(
        in: String(decoding: text, as: UTF8.self), with: String(decoding: replacement, as: UTF8.self),
        maximumBytes: rendering.limits.outputBytes)
    else { throw LimitExceeded.output(rendering.limits.outputBytes) }
    return ByteString(replaced)
  }
}
