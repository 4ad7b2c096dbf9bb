public import Codec

/// What the scheduler looked at for a placement, and why nodes fell out.
public struct AllocMetric: Record {
  /// Nodes that were looked at for this placement.
  public var nodesEvaluated = 0
  /// Of those, how many failed a constraint, a driver or a device requirement.
  public var nodesFiltered = 0
  /// Ready nodes in the job's node pool.
  public var nodesInPool = 0
  /// By datacenter.
  public var nodesAvailable: [String: Int] = [:]
  /// Filtered nodes by node class.
  public var classFiltered: [String: Int] = [:]
  /// Filtered nodes by the first constraint that they failed, in words.
  public var constraintFiltered: [String: Int] = [:]
  /// Feasible nodes without enough free resources.
  public var nodesExhausted = 0
  /// Exhausted nodes by node class.
  public var classExhausted: [String: Int] = [:]
  /// Exhausted nodes by what they were short of: `cpu`, `memory`, `disk`, a port, a device.
  public var dimensionExhausted: [String: Int] = [:]
  /// Quota dimensions that were exhausted; always empty, quotas are not supported.
  public var quotaExhausted: [String] = []
  /// By task.
  public var resourcesExhausted: [String: Resources] = [:]
  /// Superseded by `scoreMetaData`.
  public var scores: [String: Double] = [:]
  /// Nanoseconds that the placement took.
  public var allocationTime: Nanoseconds = .zero
  /// Further placements of the group that failed for the same reasons.
  public var coalescedFailures = 0
  /// The best nodes with their scores, best first.
  public var scoreMetaData: [NodeScoreMeta] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "NodesEvaluated", &nodesEvaluated)
    v.field(2, "NodesFiltered", &nodesFiltered)
    v.field(3, "NodesInPool", &nodesInPool)
    v.field(4, "NodesAvailable", &nodesAvailable)
    v.field(5, "ClassFiltered", &classFiltered)
    v.field(6, "ConstraintFiltered", &constraintFiltered)
    v.field(7, "NodesExhausted", &nodesExhausted)
    v.field(8, "ClassExhausted", &classExhausted)
    v.field(9, "DimensionExhausted", &dimensionExhausted)
    v.field(10, "QuotaExhausted", &quotaExhausted)
    v.field(11, "ResourcesExhausted", &resourcesExhausted)
    v.field(12, "Scores", &scores)
    v.field(13, "AllocationTime", &allocationTime)
    v.field(14, "CoalescedFailures", &coalescedFailures)
    v.field(15, "ScoreMetaData", &scoreMetaData)
  }
}

/// The scores of one node.
public struct NodeScoreMeta: Record {
  /// The node that was scored.
  public var nodeID: Identifier = .none
  /// Parts of the score by name (`binpack`, `job-anti-affinity`, `node-affinity` …), each −1 to 1.
  public var scores: [String: Double] = [:]
  /// Mean of the parts; the node with the highest wins.
  public var normScore: Double = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "NodeID", &nodeID)
    v.field(2, "Scores", &scores)
    v.field(3, "NormScore", &normScore)
  }
}
