public import Codec

/// A drain in progress.
public struct DrainStrategy: Record {
  /// -1 for at once, 0 for never.
  public var deadline: Nanoseconds = .zero
  public var ignoreSystemJobs = false
  public var forceDeadline: Timestamp = .zeroValue
  public var startedAt: Timestamp = .zeroValue

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Deadline", &deadline)
    v.field(2, "IgnoreSystemJobs", &ignoreSystemJobs)
    v.field(3, "ForceDeadline", &forceDeadline)
    v.field(4, "StartedAt", &startedAt)
  }
}

/// The last drain of a node.
public struct DrainMetadata: Record {
  public var startedAt: Timestamp = .zeroValue
  public var updatedAt: Timestamp = .zeroValue
  public var status: DrainStatus = .draining
  public var accessorID = ""
  public var meta: [String: String] = [:]

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "StartedAt", &startedAt)
    v.field(2, "UpdatedAt", &updatedAt)
    v.field(3, "Status", &status)
    v.field(4, "AccessorID", &accessorID)
    v.field(5, "Meta", &meta)
  }
}

/// How far a drain has come.
public enum DrainStatus: String, ClosedText {
  case draining, complete, canceled
}

/// What a drain is asked for.
public struct DrainSpec: Record {
  public var deadline: Nanoseconds = .zero
  public var ignoreSystemJobs = false

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Deadline", &deadline)
    v.field(2, "IgnoreSystemJobs", &ignoreSystemJobs)
  }
}

/// Body of `POST /v1/node/:id/drain`; without a `DrainSpec` a drain is ended.
public struct NodeUpdateDrainRequest: Record {
  public var nodeID: Identifier?
  @Indirect public var drainSpec: DrainSpec?
  public var markEligible = false
  public var meta: [String: String] = [:]

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "NodeID", &nodeID)
    v.field(2, "DrainSpec", &_drainSpec)
    v.field(3, "MarkEligible", &markEligible)
    v.field(4, "Meta", &meta)
  }
}

/// Body of `POST /v1/node/:id/eligibility`.
public struct NodeUpdateEligibilityRequest: Record {
  public var nodeID: Identifier?
  public var eligibility = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "NodeID", &nodeID)
    v.field(2, "Eligibility", &eligibility)
  }
}

/// Answer to everything that changes a node.
public struct NodeUpdateResponse: Record {
  public var nodeModifyIndex: UInt64 = 0
  public var evalCreateIndex: UInt64 = 0
  public var evalIDs: [Identifier] = []
  public var heartbeatTTL: Nanoseconds = .zero
  public var numNodes = 0
  public var leaderRPCAddr = ""
  public var servers: [NodeServerInfo] = []
  public var index: UInt64 = 0
  public var lastContact: Nanoseconds = .zero
  public var knownLeader = false

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "NodeModifyIndex", &nodeModifyIndex)
    v.field(2, "EvalCreateIndex", &evalCreateIndex)
    v.field(3, "EvalIDs", &evalIDs)
    v.field(4, "HeartbeatTTL", &heartbeatTTL)
    v.field(5, "NumNodes", &numNodes)
    v.field(6, "LeaderRPCAddr", &leaderRPCAddr)
    v.field(7, "Servers", &servers)
    v.field(8, "Index", &index)
    v.field(9, "LastContact", &lastContact)
    v.field(10, "KnownLeader", &knownLeader)
  }
}

/// A server that a node can talk to.
public struct NodeServerInfo: Record {
  public var rpcAdvertiseAddr = ""
  public var datacenter = ""
  public var rpcMajorVersion = 0
  public var rpcMinorVersion = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "RPCAdvertiseAddr", &rpcAdvertiseAddr)
    v.field(2, "Datacenter", &datacenter)
    v.field(3, "RPCMajorVersion", &rpcMajorVersion)
    v.field(4, "RPCMinorVersion", &rpcMinorVersion)
  }
}
