// Entries about nodes.

public import Codec
public import Model

/// Adds a node or replaces what its client says of it. What operators have set (eligibility, drain) and the node's
/// events stay.
public struct NodeRegistration: Record {
  /// The node as its client describes it.
  public var node: Node = Node()
  /// Made or changed together with this, so that one cannot be there without the other.
  public var evaluations: [Evaluation] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Node", &node)
    v.field(2, "Evaluations", &evaluations)
  }
}

/// Removes nodes. Their allocations stay, to be marked lost by the scheduler.
public struct NodeDeregistration: Record {
  /// The nodes to remove.
  public var nodes: [Identifier] = []
  /// Made or changed together with this, so that one cannot be there without the other.
  public var evaluations: [Evaluation] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Nodes", &nodes)
    v.field(2, "Evaluations", &evaluations)
  }
}

/// Changes the status of nodes.
public struct NodeStatusUpdate: Record {
  /// One entry for each node that changes.
  public var updates: [NodeStatusChange] = []
  /// Made or changed together with this, so that one cannot be there without the other.
  public var evaluations: [Evaluation] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Updates", &updates)
    v.field(2, "Evaluations", &evaluations)
  }
}

/// One node's new status.
public struct NodeStatusChange: Record {
  /// The node.
  public var node: Identifier = .none
  /// Its new status.
  public var status: NodeStatus = .initializing
  /// For the node's list of events; empty for none.
  public var message: String = ""
  /// The heartbeat was missed: remembered on the node as `lastMissedHeartbeatIndex`.
  public var missedHeartbeat: Bool = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Node", &node)
    v.field(2, "Status", &status)
    v.field(3, "Message", &message)
    v.field(4, "MissedHeartbeat", &missedHeartbeat)
  }
}

/// Lets a node take new allocations or not.
public struct NodeEligibilityUpdate: Record {
  /// The node.
  public var node: Identifier = .none
  /// Whether it takes new allocations.
  public var eligibility: NodeEligibility = .eligible
  /// Made or changed together with this, so that one cannot be there without the other.
  public var evaluations: [Evaluation] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Node", &node)
    v.field(2, "Eligibility", &eligibility)
    v.field(3, "Evaluations", &evaluations)
  }
}

/// Begins, changes or ends a drain.
public struct NodeDrainUpdate: Record {
  /// The node.
  public var node: Identifier = .none
  /// Nil ends the drain.
  public var strategy: DrainStrategy?
  /// When it ends: the node takes allocations again.
  public var markEligible: Bool = false
  /// When it ends: it is done; otherwise it was cancelled.
  public var completed: Bool = false
  /// Key and value pairs to keep with the drain.
  public var meta: [String: String] = [:]
  /// Made or changed together with this, so that one cannot be there without the other.
  public var evaluations: [Evaluation] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Node", &node)
    v.field(2, "Strategy", &strategy)
    v.field(3, "MarkEligible", &markEligible)
    v.field(4, "Completed", &completed)
    v.field(5, "Meta", &meta)
    v.field(6, "Evaluations", &evaluations)
  }
}
