public import Codec

/// A drain in progress.
public struct DrainStrategy: Record {
  /// -1 for at once, 0 for never.
  public var deadline: Nanoseconds = .zero
  /// Leave allocations of system jobs until the others are gone, and then in place.
  public var ignoreSystemJobs = false
  /// When what is left is stopped all the same; zero for never.
  public var forceDeadline: Timestamp = .zeroValue
  /// When the drain began.
  public var startedAt: Timestamp = .zeroValue

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Deadline", &deadline)
    v.field(2, "IgnoreSystemJobs", &ignoreSystemJobs)
    v.field(3, "ForceDeadline", &forceDeadline)
    v.field(4, "StartedAt", &startedAt)
  }
}

/// The last drain of a node.
public struct DrainMetadata: Record {
  /// When the drain began.
  public var startedAt: Timestamp = .zeroValue
  /// When it last moved on.
  public var updatedAt: Timestamp = .zeroValue
  /// Running, over or broken off.
  public var status: DrainStatus = .draining
  /// Accessor of the ACL token that asked for it.
  public var accessorID = ""
  /// Key and value pairs given with it, such as a message.
  public var meta: [String: String] = [:]

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// How long allocations may take to move, in nanoseconds; 0 for no limit, −1 to stop all at once.
  public var deadline: Nanoseconds = .zero
  /// Leave allocations of system jobs.
  public var ignoreSystemJobs = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Deadline", &deadline)
    v.field(2, "IgnoreSystemJobs", &ignoreSystemJobs)
  }
}

/// Body of `POST /v1/node/:id/drain`; without a `DrainSpec` a drain is ended.
public struct NodeUpdateDrainRequest: Record {
  /// The node; must agree with the request's path.
  public var nodeID: Identifier?
  /// How to drain; absent to break a drain off.
  @Indirect public var drainSpec: DrainSpec?
  /// After breaking off, let new allocations be placed.
  public var markEligible = false
  /// Key and value pairs to keep with the drain.
  public var meta: [String: String] = [:]

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "NodeID", &nodeID)
    v.field(2, "DrainSpec", &_drainSpec)
    v.field(3, "MarkEligible", &markEligible)
    v.field(4, "Meta", &meta)
  }
}

/// Body of `POST /v1/node/:id/eligibility`.
public struct NodeUpdateEligibilityRequest: Record {
  /// The node; must agree with the request's path.
  public var nodeID: Identifier?
  /// `eligible` or `ineligible`.
  public var eligibility = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "NodeID", &nodeID)
    v.field(2, "Eligibility", &eligibility)
  }
}

/// Answer to everything that changes a node.
public struct NodeUpdateResponse: Record {
  /// Log index of the node's change.
  public var nodeModifyIndex: UInt64 = 0
  /// Log index at which evaluations were created.
  public var evalCreateIndex: UInt64 = 0
  /// Evaluations of the jobs concerned.
  public var evalIDs: [Identifier] = []
  /// Nanoseconds until the client's next heartbeat is due.
  public var heartbeatTTL: Nanoseconds = .zero
  /// Nodes in the cluster, from which clients take the pace of their reports.
  public var numNodes = 0
  /// RPC address of the leader.
  public var leaderRPCAddr = ""
  /// RPC addresses of all servers.
  public var servers: [NodeServerInfo] = []
  /// State index that the answer is valid for, as in `X-Nomad-Index`.
  public var index: UInt64 = 0
  /// How long ago the answering server last heard from the leader, in nanoseconds; zero on the leader.
  public var lastContact: Nanoseconds = .zero
  /// Whether the answering server knew a leader.
  public var knownLeader = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// RPC address that the server advertises.
  public var rpcAdvertiseAddr = ""
  /// The server's datacenter.
  public var datacenter = ""
  /// Version of the RPC protocol; changes with incompatible ones.
  public var rpcMajorVersion = 0
  /// Version of the RPC protocol; changes with additions.
  public var rpcMinorVersion = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "RPCAdvertiseAddr", &rpcAdvertiseAddr)
    v.field(2, "Datacenter", &datacenter)
    v.field(3, "RPCMajorVersion", &rpcMajorVersion)
    v.field(4, "RPCMinorVersion", &rpcMinorVersion)
  }
}
