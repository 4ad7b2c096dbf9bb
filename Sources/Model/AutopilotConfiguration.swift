public import Codec

/// How the leader looks after the members of the cluster. Durations are texts such as `10s`, as the API has them.
public struct AutopilotConfiguration: Record {
  /// Whether a server that has failed is taken out when another is there in its place.
  public var cleanupDeadServers = true
  /// A server that was not in contact with the leader for longer is not healthy.
  public var lastContactThreshold = "200ms"
  /// A server whose log is further behind is not healthy.
  public var maxTrailingLogs: UInt64 = 250
  /// Voters that stay whatever happens to them.
  public var minQuorum = 0
  /// For so long a new server must have been healthy before it gets a vote.
  public var serverStabilizationTime = "10s"
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  /// The documented defaults.
  public init() {}

  /// `lastContactThreshold`.
  public var contactThreshold: Nanoseconds { Nanoseconds(parsing: lastContactThreshold) ?? .milliseconds(200) }
  /// `serverStabilizationTime`.
  public var stabilizationTime: Nanoseconds { Nanoseconds(parsing: serverStabilizationTime) ?? .seconds(10) }

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "CleanupDeadServers", &cleanupDeadServers)
    v.field(2, "LastContactThreshold", &lastContactThreshold)
    v.field(3, "MaxTrailingLogs", &maxTrailingLogs)
    v.field(4, "MinQuorum", &minQuorum)
    v.field(5, "ServerStabilizationTime", &serverStabilizationTime)
    v.field(6, "CreateIndex", &createIndex)
    v.field(7, "ModifyIndex", &modifyIndex)
  }
}

/// How healthy one member of the cluster is.
public struct ServerHealth: Record {
  public var id: Identifier = .none
  public var name = ""
  /// Of its RPC.
  public var address = ""
  /// What gossip says: alive, failed, left, or none.
  public var serfStatus = ""
  public var version = ""
  public var leader = false
  /// How long ago it answered the leader, as a duration.
  public var lastContact = ""
  public var lastTerm: UInt64 = 0
  public var lastIndex: UInt64 = 0
  public var healthy = false
  public var voter = false
  /// Since when it is as healthy as it is.
  public var stableSince: Timestamp = .zeroValue

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Name", &name)
    v.field(3, "Address", &address)
    v.field(4, "SerfStatus", &serfStatus)
    v.field(5, "Version", &version)
    v.field(6, "Leader", &leader)
    v.field(7, "LastContact", &lastContact)
    v.field(8, "LastTerm", &lastTerm)
    v.field(9, "LastIndex", &lastIndex)
    v.field(10, "Healthy", &healthy)
    v.field(11, "Voter", &voter)
    v.field(12, "StableSince", &stableSince)
  }
}

/// How healthy the cluster is.
public struct OperatorHealth: Record {
  public var healthy = false
  /// How many servers may fail before there is no majority.
  public var failureTolerance = 0
  public var servers: [ServerHealth] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Healthy", &healthy)
    v.field(2, "FailureTolerance", &failureTolerance)
    v.field(3, "Servers", &servers)
  }
}

/// The members of the cluster as the consensus has them.
public struct RaftConfiguration: Record {
  /// One member.
  public struct Server: Record {
    public var id: Identifier = .none
    /// The name in the pool; `(unknown)` when gossip does not know it.
    public var node = ""
    public var address = ""
    public var leader = false
    public var voter = false
    public var raftProtocol = "3"

    public init() {}

    public mutating func visit<V: FieldVisitor>(_ v: inout V) {
      v.field(1, "ID", &id)
      v.field(2, "Node", &node)
      v.field(3, "Address", &address)
      v.field(4, "Leader", &leader)
      v.field(5, "Voter", &voter)
      v.field(6, "RaftProtocol", &raftProtocol)
    }
  }

  public var servers: [Server] = []
  /// Of the log entry that made them so.
  public var index: UInt64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Servers", &servers)
    v.field(2, "Index", &index)
  }
}
