public import Codec
public import Model

/// What was looked at for a placement, as log and state keep it: a few hundred bytes, and one for all placements of a
/// group that were made together. `metric` gives it the shape of the API.
public struct PlacementMetric: Record {
  /// Nodes looked at.
  public var evaluated = 0
  /// Of those, how many a constraint, driver or device requirement ruled out.
  public var filtered = 0
  /// Ready nodes in the job's pool.
  public var inPool = 0
  /// By datacenter.
  public var available: [String: Int] = [:]
  /// Ruled out, by node class.
  public var classFiltered: [String: Int] = [:]
  /// Ruled out, by the requirement.
  public var constraintFiltered: [String: Int] = [:]
  /// Feasible, but without enough room.
  public var exhausted = 0
  /// Without enough room, by node class.
  public var classExhausted: [String: Int] = [:]
  /// Without enough room, by what was short.
  public var dimensionExhausted: [String: Int] = [:]
  /// How long the scheduler took for one of them.
  public var allocationTime: Nanoseconds = .zero
  /// The best nodes, best first.
  public var nodes: [ScoredNode] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Evaluated", &evaluated)
    v.field(2, "Filtered", &filtered)
    v.field(3, "InPool", &inPool)
    v.field(4, "Available", &available)
    v.field(5, "ClassFiltered", &classFiltered)
    v.field(6, "ConstraintFiltered", &constraintFiltered)
    v.field(7, "Exhausted", &exhausted)
    v.field(8, "ClassExhausted", &classExhausted)
    v.field(9, "DimensionExhausted", &dimensionExhausted)
    v.field(10, "AllocationTime", &allocationTime)
    v.field(11, "Nodes", &nodes)
  }

  /// Takes over an API metric; what only placements that failed have is left out.
  public init(_ metric: AllocMetric) {
    evaluated = metric.nodesEvaluated
    filtered = metric.nodesFiltered
    inPool = metric.nodesInPool
    available = metric.nodesAvailable
    classFiltered = metric.classFiltered
    constraintFiltered = metric.constraintFiltered
    exhausted = metric.nodesExhausted
    classExhausted = metric.classExhausted
    dimensionExhausted = metric.dimensionExhausted
    allocationTime = metric.allocationTime
    nodes = metric.scoreMetaData.map(ScoredNode.init)
  }

  /// The metric in the API's shape.
  public var metric: AllocMetric {
    var result = AllocMetric()
    result.nodesEvaluated = evaluated
    result.nodesFiltered = filtered
    result.nodesInPool = inPool
    result.nodesAvailable = available
    result.classFiltered = classFiltered
    result.constraintFiltered = constraintFiltered
    result.nodesExhausted = exhausted
    result.classExhausted = classExhausted
    result.dimensionExhausted = dimensionExhausted
    result.allocationTime = allocationTime
    result.scoreMetaData = nodes.map(\.scores)
    return result
  }
}

/// One node's score and what it is made of, in millionths.
public struct ScoredNode: Record {
  /// The node.
  public var node: Identifier = .none
  /// The mean of the parts, in millionths.
  public var normalized = 0
  /// In the order of `names`, as far as there is one that isn't 0.
  public var parts: [Int] = []

  /// The parts of a score as users see them; new ones are added at the end.
  public static let names = [
    "binpack", "job-anti-affinity", "node-reschedule-penalty", "node-affinity", "allocation-spread", "devices",
  ]

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Node", &node)
    v.field(2, "Normalized", &normalized)
    v.field(3, "Parts", &parts)
  }

  init(_ scores: NodeScoreMeta) {
    func millionths(_ value: Double) -> Int { value.isFinite ? Int((value * 1e6).rounded()) : 0 }
    node = scores.nodeID
    normalized = millionths(scores.normScore)
    parts = Self.names.map { millionths(scores.scores[$0] ?? 0) }
    while parts.last == 0 { parts.removeLast() }
  }

  /// The score in the API's shape. The scorers that every placement has are there even where they add nothing.
  var scores: NodeScoreMeta {
    var result = NodeScoreMeta()
    result.nodeID = node
    result.normScore = Double(normalized) / 1e6
    for (position, name) in Self.names.enumerated() {
      let value = position < parts.count ? parts[position] : 0
      if value != 0 || position < 4 { result.scores[name] = Double(value) / 1e6 }
    }
    return result
  }
}
