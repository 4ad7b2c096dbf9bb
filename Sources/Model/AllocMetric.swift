public import Codec

/// What the scheduler looked at for a placement, and why nodes fell out.
public struct AllocMetric: Record {
  public var nodesEvaluated = 0
  public var nodesFiltered = 0
  public var nodesInPool = 0
  /// By datacenter.
  public var nodesAvailable: [String: Int] = [:]
  public var classFiltered: [String: Int] = [:]
  public var constraintFiltered: [String: Int] = [:]
  public var nodesExhausted = 0
  public var classExhausted: [String: Int] = [:]
  public var dimensionExhausted: [String: Int] = [:]
  public var quotaExhausted: [String] = []
  /// By task.
  public var resourcesExhausted: [String: Resources] = [:]
  /// Superseded by `scoreMetaData`.
  public var scores: [String: Double] = [:]
  public var allocationTime: Nanoseconds = .zero
  /// Further placements of the group that failed for the same reasons.
  public var coalescedFailures = 0
  public var scoreMetaData: [NodeScoreMeta] = []

  public init() {}

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
  public var nodeID: Identifier = .none
  public var scores: [String: Double] = [:]
  public var normScore: Double = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "NodeID", &nodeID)
    v.field(2, "Scores", &scores)
    v.field(3, "NormScore", &normScore)
  }
}
