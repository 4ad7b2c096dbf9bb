// HCL's JSON profile: the same language written as JSON (specification "HCL JSON Syntax").

extension HCLParser {
  /// Parses a JSON file as a body. Every property becomes an attribute; strings in it are templates, so `"${var.x}"` works.
  ///
  /// JSON does not tell blocks from attributes: where a block is expected, the attribute's value is an object (or a list of
  /// them), with one more object level for each label. Properties named `//` are comments.
  public static func parseJSON(_ source: SourceFile) -> Parsed<Body> {
    let empty = SourceRange(file: source.name, start: .start, end: .start)
    do throws(Diagnostic) {
      let root = try JSONReader.parse(source)
      var profile = JSONProfile(source)
      let body = profile.body(root)
      return Parsed(result: body, diagnostics: profile.diagnostics)
    } catch {
      return Parsed(result: Body(range: empty, endRange: empty), diagnostics: [error])
    }
  }
}

private struct JSONProfile {
  let source: SourceFile
  var diagnostics: [Diagnostic] = []

  init(_ source: SourceFile) {
    self.source = source
  }

  mutating func body(_ root: JSONNode) -> Body {
    var end = root.range
    end.start = end.end
    var body = Body(range: root.range, endRange: end)
    var known: [String: SourceRange] = [:]
    guard case .object(let members) = root.kind else {
      diagnostics.append(
        Diagnostic(
          .error, "Invalid JSON", "A JSON object is needed here: its properties are arguments and blocks.",
          subject: root.range))
      return body
    }
    for member in members where member.key != "//" {
      if let earlier = known[member.key] {
        diagnostics.append(
          Diagnostic(
            .error, "Duplicate argument",
            "The argument \"\(member.key)\" has been set on line \(earlier.start.line) already.",
            subject: member.keyRange))
        continue
      }
      known[member.key] = member.keyRange
      body.items.append(
        .attribute(
          Attribute(
            name: member.key, expression: expression(member.value), nameRange: member.keyRange,
            range: .between(member.keyRange, member.value.range))))
    }
    return body
  }

  private mutating func expression(_ node: JSONNode) -> Expression {
    switch node.kind {
    case .null, .bool, .number: return .constant(node.value, range: node.range)
    case .string(let text): return template(text, node.range)
    case .array(let elements): return Expression(.tuple(elements.map { expression($0) }), node.range)
    case .object(let members):
      return Expression(
        .object(
          members.map {
            Expression.ObjectItem(key: template($0.key, $0.keyRange), value: expression($0.value), bareName: nil)
          }), node.range)
    }
  }

  private mutating func template(_ text: String, _ range: SourceRange) -> Expression {
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "$") || $0 == UInt8(ascii: "%") }) else {
      return .constant(.string(text), range: range)
    }
    // Places inside of the string can't be told exactly once escapes are resolved: they all point to the string.
    let parsed = HCLParser.parseTemplate(SourceFile(name: source.name, text: text))
    diagnostics += parsed.diagnostics.map {
      var moved = $0
      moved.subject = range
      moved.context = nil
      return moved
    }
    return parsed.result.map { Expression(.parenthesized($0), range) } ?? .constant(.dynamic, range: range)
  }
}
