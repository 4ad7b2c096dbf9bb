internal import Codec
internal import HCLSchema

/// `constraint`, with its shorthands (`version = ">= 2"` for `operator = "version"`, `value = ">= 2"`).
let constraintSchema = BlockSchema(
  [
    string("attribute", "LTarget"),
    string("value", "RTarget"),
    string("operator", "Operand"),
    bool("distinct_hosts", "distinct_hosts"),
    string("distinct_property", "distinct_property"),
  ] + shorthandOperators.map { string($0, $0) },
  reshape: { constraint, reshaping in
    if let distinct = constraint["distinct_hosts"] {
      constraint["distinct_hosts"] = nil
      constraint["Operand"] = "distinct_hosts"
      constraint["RTarget"] = distinct == true ? "true" : "false"
    }
    if let property = constraint["distinct_property"] {
      constraint["distinct_property"] = nil
      constraint["Operand"] = "distinct_property"
      constraint["LTarget"] = property
    }
    applyShorthand(&constraint)
    if constraint["Operand"] == nil { constraint["Operand"] = "=" }
  })

/// `affinity`: a constraint with a weight.
let affinitySchema = BlockSchema(
  [
    string("attribute", "LTarget"),
    string("value", "RTarget"),
    string("operator", "Operand"),
    int("weight", "Weight"),
  ] + shorthandOperators.map { string($0, $0) },
  reshape: { affinity, _ in
    applyShorthand(&affinity)
    if affinity["Operand"] == nil { affinity["Operand"] = "=" }
  })

/// Operators that may be written as an attribute holding the right-hand side.
private let shorthandOperators = [
  "version", "semver", "regexp", "set_contains", "set_contains_any", "set_contains_all",
]

private func applyShorthand(_ object: inout JSONObject) {
  for name in shorthandOperators {
    guard let value = object[name] else { continue }
    object[name] = nil
    object["Operand"] = .string(name)
    object["RTarget"] = value
  }
}

let spreadSchema = BlockSchema([
  string("attribute", "Attribute"),
  int("weight", "Weight"),
  many("target", "SpreadTarget") { BlockSchema(labels: ["Value"], [int("percent", "Percent")]) },
])
