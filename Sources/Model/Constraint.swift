public import Codec

/// What a node must be for a placement: `LTarget Operand RTarget`.
public struct Constraint: Record {
  /// Left side, usually an attribute as `${attr.kernel.name}`.
  public var lTarget = ""
  /// Right side: a value, list, expression or version range, depending on the operator.
  public var rTarget = ""
  /// Operator: `=`, `!=`, `>`, `>=`, `<`, `<=`, `regexp`, `version`, `semver`, `set_contains`, `is_set`,
  /// `distinct_hosts` …
  public var operand = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "LTarget", &lTarget)
    v.field(2, "RTarget", &rTarget)
    v.field(3, "Operand", &operand)
  }
}

/// What a node should be: a constraint that only weighs.
public struct Affinity: Record {
  /// Left side, as of a constraint.
  public var lTarget = ""
  /// Right side, as of a constraint.
  public var rTarget = ""
  /// Operator, as of a constraint without the `distinct_` ones.
  public var operand = ""
  /// -100 to 100; negative for nodes to avoid.
  public var weight: Int?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "LTarget", &lTarget)
    v.field(2, "RTarget", &rTarget)
    v.field(3, "Operand", &operand)
    v.field(4, "Weight", &weight)
  }
}

/// How instances are spread over the values of an attribute.
public struct Spread: Record {
  /// Attribute over whose values to spread, as `${node.datacenter}`.
  public var attribute = ""
  /// 1 to 100.
  public var weight: Int?
  /// Wanted share of single values; empty to spread evenly.
  public var spreadTarget: [SpreadTarget] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Attribute", &attribute)
    v.field(2, "Weight", &weight)
    v.field(3, "SpreadTarget", &spreadTarget)
  }
}

/// The share of one value.
public struct SpreadTarget: Record {
  /// A value of the attribute.
  public var value = ""
  /// Share of the allocations that it is to have, in per cent.
  public var percent = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Value", &value)
    v.field(2, "Percent", &percent)
  }
}
