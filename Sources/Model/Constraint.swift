public import Codec

/// What a node must be for a placement: `LTarget Operand RTarget`.
public struct Constraint: Record {
  public var lTarget = ""
  public var rTarget = ""
  public var operand = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "LTarget", &lTarget)
    v.field(2, "RTarget", &rTarget)
    v.field(3, "Operand", &operand)
  }
}

/// What a node should be: a constraint that only weighs.
public struct Affinity: Record {
  public var lTarget = ""
  public var rTarget = ""
  public var operand = ""
  /// -100 to 100; negative for nodes to avoid.
  public var weight: Int?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "LTarget", &lTarget)
    v.field(2, "RTarget", &rTarget)
    v.field(3, "Operand", &operand)
    v.field(4, "Weight", &weight)
  }
}

/// How instances are spread over the values of an attribute.
public struct Spread: Record {
  public var attribute = ""
  /// 1 to 100.
  public var weight: Int?
  public var spreadTarget: [SpreadTarget] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Attribute", &attribute)
    v.field(2, "Weight", &weight)
    v.field(3, "SpreadTarget", &spreadTarget)
  }
}

/// The share of one value.
public struct SpreadTarget: Record {
  public var value = ""
  public var percent = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Value", &value)
    v.field(2, "Percent", &percent)
  }
}
