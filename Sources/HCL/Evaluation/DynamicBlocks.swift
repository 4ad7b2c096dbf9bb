// `dynamic` blocks: a block that stands for one block for each element of a collection.

extension Body {
  /// The body with every `dynamic` block in it, at any depth, replaced by the blocks it stands for. Expressions inside see the
  /// iterator; nothing else about them changes, so the result can be decoded like any body.
  ///
  /// ```
  /// dynamic "port" {
  ///   for_each = ["http", "rpc"]
  ///   iterator = it               # "port" when left out; has `key` and `value`
  ///   labels   = [it.value]
  ///   content { to = 8080 + it.key }
  /// }
  /// ```
  public func expandingDynamicBlocks(in context: EvaluationContext) -> Parsed<Body> {
    var expansion = DynamicExpansion()
    let body = expansion.expand(self, [:], context)
    return Parsed(result: body, diagnostics: expansion.diagnostics)
  }
}

private struct DynamicExpansion {
  /// Blocks that one file may expand to.
  static let maximumBlocks = 100_000

  var diagnostics: [Diagnostic] = []
  private var blocks = 0

  /// - Parameter variables: iterators of the `dynamic` blocks around `body`.
  mutating func expand(_ body: Body, _ variables: [String: Value], _ context: EvaluationContext) -> Body {
    var out = body
    out.items = []
    for item in body.items {
      switch item {
      case .attribute(var attribute):
        if !variables.isEmpty { attribute.expression = scoped(attribute.expression, variables) }
        out.items.append(.attribute(attribute))
      case .block(var block):
        if block.type == "dynamic" {
          out.items += dynamic(block, variables, context).map { .block($0) }
        } else {
          block.body = expand(block.body, variables, context)
          out.items.append(.block(block))
        }
      }
    }
    return out
  }

  private func scoped(_ expression: Expression, _ variables: [String: Value]) -> Expression {
    Expression(.scoped(expression, variables), expression.range)
  }

  private mutating func report(_ summary: String, _ detail: String, _ subject: SourceRange) {
    diagnostics.append(Diagnostic(.error, summary, detail, subject: subject))
  }

  private mutating func evaluate(_ expression: Expression, _ context: EvaluationContext) -> Value? {
    let result = expression.evaluated(in: context)
    diagnostics += result.diagnostics
    return result.diagnostics.hasErrors ? nil : result.value
  }

  private mutating func dynamic(_ block: Block, _ variables: [String: Value], _ outer: EvaluationContext) -> [Block] {
    guard block.labels.count == 1 else {
      report(
        "Invalid dynamic block",
        "A dynamic block has one label, the type of the blocks that it stands for; not \(block.labels.count).",
        block.headerRange)
      return []
    }
    let context = variables.isEmpty ? outer : outer.child(variables)
    let known = ["for_each", "iterator", "labels"]
    for attribute in block.body.attributes where !known.contains(attribute.name) {
      report(
        "Unsupported argument",
        "A dynamic block has no argument \"\(attribute.name)\"."
          + Suggestion.sentence(for: attribute.name, among: known)
          + " Arguments of the blocks it stands for belong into its content block.", attribute.nameRange)
      return []
    }
    let contents = block.body.blocks("content")
    for inner in block.body.blocks where inner.type != "content" {
      report(
        "Unsupported block", "A dynamic block holds one content block; \"\(inner.type)\" belongs into that.",
        inner.typeRange)
      return []
    }
    guard contents.count == 1, let content = contents.first, content.labels.isEmpty else {
      report(
        "Invalid dynamic block",
        "A dynamic block holds exactly one content block, without labels; here are \(contents.count).",
        contents.last?.headerRange ?? block.headerRange)
      return []
    }
    guard let forEach = block.body.attribute("for_each") else {
      report(
        "Missing argument", "The argument \"for_each\" is needed: the collection that the dynamic block goes over.",
        block.headerRange)
      return []
    }
    var iterator = block.labels[0]
    if let attribute = block.body.attribute("iterator") {
      guard let name = attribute.expression.traversal, name.steps.isEmpty else {
        report(
          "Invalid iterator name", "The iterator is one bare word, the name of a variable.", attribute.expression.range)
        return []
      }
      iterator = name.root
    }
    guard let collection = evaluate(forEach.expression, context) else { return [] }
    guard !collection.isNull, collection.isKnown, collection.canIterate, let elements = collection.elements else {
      let what = collection.isNull ? "null" : collection.isKnown ? collection.type.friendlyName : "not known yet"
      report(
        "Invalid dynamic for_each value", "A list, set, map, tuple or object is needed here; the value is \(what).",
        forEach.expression.range)
      return []
    }
    var out: [Block] = []
    for (key, value) in elements {
      blocks += 1
      guard blocks <= DynamicExpansion.maximumBlocks else {
        report(
          "Too many blocks", "Dynamic blocks may stand for \(DynamicExpansion.maximumBlocks) blocks at most.",
          block.headerRange)
        return out
      }
      var inner = variables
      inner[iterator] = .object(["key": key, "value": value])
      guard let (labels, ranges) = self.labels(block, outer.child(inner)) else { return out }
      out.append(
        Block(
          type: block.labels[0], labels: labels, body: expand(content.body, inner, outer),
          typeRange: block.labelRanges[0],
          labelRanges: ranges, headerRange: block.headerRange))
    }
    return out
  }

  private mutating func labels(_ block: Block, _ context: EvaluationContext) -> ([String], [SourceRange])? {
    guard let attribute = block.body.attribute("labels") else { return ([], []) }
    guard case .tuple(let expressions) = attribute.expression.unwrapped.kind else {
      report(
        "Invalid dynamic block labels", "Labels are a list in brackets, with one expression for each label.",
        attribute.expression.range)
      return nil
    }
    var labels: [String] = []
    for expression in expressions {
      guard let value = evaluate(expression, context) else { return nil }
      guard !value.isNull, let text = try? Conversion.convert(value, to: .string).asString else {
        report(
          "Invalid dynamic block label",
          "A label must be a known string, not \(value.isNull ? "null" : value.type.friendlyName).", expression.range)
        return nil
      }
      labels.append(text)
    }
    return (labels, expressions.map(\.range))
  }
}
