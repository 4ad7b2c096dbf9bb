import Codec
import Model

/// One side of a constraint, an affinity, a spread or a `distinct_property`: a literal, or the name of something that a
/// node has.
///
/// Source: "Interpreted Variables" of Nomad's public documentation, "Node attributes".
enum Operand: Hashable, Sendable {
  case literal(String)
  case nodeID
  case nodeName
  case datacenter
  case nodeClass
  case nodePool
  case attribute(String)
  case metadata(String)
  /// A `${…}` that names nothing a node has; no node has a value for it.
  case unknown

  init(_ text: String) {
    guard text.hasPrefix("${"), text.hasSuffix("}") else {
      self = .literal(text)
      return
    }
    let name = text.dropFirst(2).dropLast()
    switch name {
    case "node.unique.id": self = .nodeID
    case "node.unique.name": self = .nodeName
    case "node.datacenter": self = .datacenter
    case "node.class": self = .nodeClass
    case "node.pool": self = .nodePool
    default:
      if name.hasPrefix("attr.") {
        self = .attribute(String(name.dropFirst(5)))
      } else if name.hasPrefix("meta.") {
        self = .metadata(String(name.dropFirst(5)))
      } else {
        self = .unknown
      }
    }
  }

  /// Whether nodes of one computed class can differ in it.
  var isUniqueToNode: Bool {
    switch self {
    case .nodeID, .nodeName: true
    case .attribute(let key), .metadata(let key): key.hasPrefix("unique.")
    case .literal, .datacenter, .nodeClass, .nodePool, .unknown: false
    }
  }

  /// Nil when the node doesn't have it.
  func value(on node: Node) -> String? {
    switch self {
    case .literal(let text): text
    case .nodeID: node.id.description
    case .nodeName: node.name
    case .datacenter: node.datacenter
    case .nodeClass: node.nodeClass
    case .nodePool: node.nodePool
    case .attribute(let key): node.attributes[key]
    case .metadata(let key): node.meta[key]
    case .unknown: nil
    }
  }
}

/// A constraint, ready to be held against many nodes.
struct NodeConstraint: Sendable {
  let left: Operand
  let right: Operand
  /// Nil for an operator that doesn't exist: no node meets the constraint.
  let operation: ConstraintOperator?
  /// As metrics name it: `${attr.kernel.name} = windows`.
  let text: String

  init(left: String, operand: String, right: String) {
    self.left = Operand(left)
    self.right = Operand(right)
    operation = ConstraintOperator(operand)
    let shown = operand.isEmpty ? "=" : operand
    text = right.isEmpty ? "\(left) \(shown)" : "\(left) \(shown) \(right)"
  }

  init(_ constraint: Constraint) {
    self.init(left: constraint.lTarget, operand: constraint.operand, right: constraint.rTarget)
  }

  var isUniqueToNode: Bool { left.isUniqueToNode || right.isUniqueToNode }

  func holds(on node: Node, comparing comparison: inout OperandComparison) -> Bool {
    guard let operation else { return false }
    return comparison.holds(operation, left: left.value(on: node), right: right.value(on: node))
  }
}

/// An affinity, ready to be held against many nodes.
struct NodeAffinity: Sendable {
  let constraint: NodeConstraint
  /// −100 to 100.
  let weight: Int

  init(_ affinity: Affinity) {
    constraint = NodeConstraint(left: affinity.lTarget, operand: affinity.operand, right: affinity.rTarget)
    weight = affinity.weight ?? 50
  }
}

/// Matches a datacenter's name against a job's `datacenters` entry, in which `*` stands for any text.
enum DatacenterGlob {
  static func matches(_ pattern: String, _ name: String) -> Bool {
    let pattern = Array(pattern.utf8)
    let name = Array(name.utf8)
    var (at, position) = (0, 0)
    // Where to go on after the last star when the text behind it doesn't fit: one more character belongs to the star.
    var (starAt, starPosition): (Int?, Int) = (nil, 0)
    while position < name.count {
      if at < pattern.count, pattern[at] == UInt8(ascii: "*") {
        starAt = at
        starPosition = position
        at += 1
      } else if at < pattern.count, pattern[at] == name[position] {
        at += 1
        position += 1
      } else if let star = starAt {
        starPosition += 1
        position = starPosition
        at = star + 1
      } else {
        return false
      }
    }
    return pattern[at...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
