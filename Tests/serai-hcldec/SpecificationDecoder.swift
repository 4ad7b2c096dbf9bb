import HCL

/// Decodes a body by rules: `object`, `attr`, `block`, `block_list`, `block_map`, `literal`.
struct SpecificationDecoder {
  let context: EvaluationContext
  var diagnostics: [Diagnostic] = []

  init(context: EvaluationContext) {
    self.context = context
  }

  /// What one body may hold by the rules that look into it.
  private struct Allowed {
    var attributes = Set<String>()
    var blocks: [String: Int] = [:]
  }

  mutating func decodeRoot(_ rule: Block, _ body: Body) -> Value {
    check([rule], body)
    return decode(rule, body, body.endRange)
  }

  private func constant(_ rule: Block, _ name: String) -> Value? {
    rule.body.attribute(name)?.expression.evaluated(in: EvaluationContext()).value
  }

  private func name(_ rule: Block, _ attribute: String) -> String {
    constant(rule, attribute)?.asString ?? rule.labels.first ?? ""
  }

  private func collect(_ rule: Block, _ allowed: inout Allowed) {
    switch rule.type {
    case "object": for inner in rule.body.blocks { collect(inner, &allowed) }
    case "attr": allowed.attributes.insert(name(rule, "name"))
    case "block", "block_list": allowed.blocks[name(rule, "block_type")] = 0
    case "block_map": allowed.blocks[name(rule, "block_type")] = constant(rule, "labels")?.asSequence?.count ?? 0
    default: break
    }
  }

  private mutating func check(_ rules: [Block], _ body: Body) {
    var allowed = Allowed()
    for rule in rules { collect(rule, &allowed) }
    for attribute in body.attributes where !allowed.attributes.contains(attribute.name) {
      diagnostics.append(
        Diagnostic(
          .error, "Unsupported argument", "No argument is named \"\(attribute.name)\" here.",
          subject: attribute.nameRange))
    }
    for block in body.blocks {
      guard let labels = allowed.blocks[block.type] else {
        diagnostics.append(
          Diagnostic(
            .error, "Unsupported block type", "No block of type \"\(block.type)\" belongs here.",
            subject: block.typeRange))
        continue
      }
      if block.labels.count != labels {
        diagnostics.append(
          Diagnostic(.error, "Wrong number of labels", "The block needs \(labels) labels.", subject: block.headerRange))
      }
    }
  }

  private mutating func decode(_ rule: Block, _ body: Body, _ place: SourceRange) -> Value {
    switch rule.type {
    case "literal": return constant(rule, "value") ?? .null()
    case "object":
      var out: [String: Value] = [:]
      for inner in rule.body.blocks { out[inner.labels.first ?? ""] = decode(inner, body, place) }
      return .object(out)
    case "attr": return attribute(rule, body)
    case "block":
      guard let block = body.blocks(name(rule, "block_type")).first, let inner = rule.body.blocks.first else {
        return .null()
      }
      check([inner], block.body)
      return decode(inner, block.body, block.body.endRange)
    case "block_list", "block_map":
      guard let inner = rule.body.blocks.first else { return .null() }
      var elements: [(String, Value)] = []
      for block in body.blocks(name(rule, "block_type")) {
        check([inner], block.body)
        elements.append((block.labels.first ?? "", decode(inner, block.body, block.body.endRange)))
      }
      let type = Unification.unify(elements.map(\.1.type)) ?? .dynamic
      if rule.type == "block_list" { return .list(elements.map(\.1), of: type) }
      return .map(Dictionary(elements, uniquingKeysWith: { $1 }), of: type)
    default:
      diagnostics.append(
        Diagnostic(.error, "Unsupported rule", "This program knows no rule \"\(rule.type)\".", subject: rule.typeRange))
      return .dynamic
    }
  }

  private mutating func attribute(_ rule: Block, _ body: Body) -> Value {
    let type = rule.body.attribute("type").flatMap { TypeConstraint.parse($0.expression).result } ?? .dynamic
    guard let attribute = body.attribute(name(rule, "name")) else { return .null(type) }
    do throws(Diagnostics) {
      return try attribute.expression.evaluate(in: context, as: type)
    } catch {
      diagnostics += error.all
      return .unknown(type)
    }
  }
}
