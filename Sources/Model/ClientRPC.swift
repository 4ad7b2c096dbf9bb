// What a client agent and the servers say to each other: the Records of the `Node.*` methods of the RPC transport.
//
// Every request carries the node's id and its secret; a server refuses an id with another secret than the one it was
// registered with. `Node.WatchAllocations` is a stream from server to client, the others are one request and one answer.

public import Codec

/// The names of the methods.
public enum ClientRPC {
  /// `NodeRegisterRequest` → `NodeHeartbeatResponse`.
  public static let register = "Node.Register"
  /// `NodeUpdateStatusRequest` → `NodeHeartbeatResponse`: the heartbeat.
  public static let updateStatus = "Node.UpdateStatus"
  /// `NodeWatchAllocationsRequest` (what the stream is opened with) → a stream of `NodeAllocationsMessage` in frames.
  public static let watchAllocations = "Node.WatchAllocations"
  /// `NodeUpdateAllocationsRequest` → `NodeUpdateAllocationsResponse`.
  public static let updateAllocations = "Node.UpdateAllocations"
  /// `NodeEmitEventsRequest` → `NodeEmitEventsResponse`.
  public static let emitEvents = "Node.EmitEvents"
  /// `AllocationDataRequest` of a client to a server → a stream of what the allocation before left in its directories, when
  /// it has ended (`ephemeral_disk` with `migrate`). The server hands on what that allocation's node sends.
  public static let allocationData = "Allocation.Data"
  /// The same of a server to the client of the allocation before.
  public static let allocationDataOfNode = "Allocation.DataOfNode"

  // How a server refuses, as codes of the transport's errors:
  // - not found: it does not know the node (collected, or the server's data is new): the client registers again;
  // - permission denied: the node is known with another secret, so this is somebody else's id: trying again can't help;
  // - no leader, unavailable: this server cannot answer now: the client tries another one.

  /// One message of the stream: four bytes of length, most significant first, and that many bytes of the record in the
  /// binary format. (The transport's streams keep no borders between writes.)
  public static func frame<Message: Record>(_ message: Message) -> [UInt8] {
    let body = Binary.encode(message)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(body.count + 4)
    for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: body.count >> shift)) }
    bytes += body
    return bytes
  }

  /// Puts the messages of a stream together again.
  public struct FrameReader: Sendable {
    /// Longer messages are refused: a peer must not make us keep more than this.
    public static let maximumBytes = 1 << 30
    private var bytes: [UInt8] = []
    private var taken = 0

    public init() {}

    /// Adds what was read from the stream.
    public mutating func append(_ more: [UInt8]) {
      if taken > 0 {
        bytes.removeFirst(taken)
        taken = 0
      }
      bytes += more
    }

    /// The next whole message; nil when more bytes are needed.
    /// - Throws: `CodecError` for a message that is too long or no such record.
    public mutating func next<Message: Record>(_ type: Message.Type) throws(CodecError) -> Message? {
      guard bytes.count - taken >= 4 else { return nil }
      let length = bytes[taken..<taken + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= Self.maximumBytes else {
        throw CodecError(offset: 0, problem: "a message of \(length) bytes, more than \(Self.maximumBytes)")
      }
      guard bytes.count - taken - 4 >= length else { return nil }
      let start = taken + 4
      taken = start + length
      return try Binary.decode(type, from: bytes, range: start..<taken)
    }
  }
}

/// Makes a node known, or tells that something about it has changed.
public struct NodeRegisterRequest: Record {
  /// Everything about the node but what servers decide: status, eligibility, drain, events, indexes.
  public var node = Node()
  /// Proves the node's identity from now on.
  public var secretID: Identifier = .none

  public init() {}

  public init(node: Node, secretID: Identifier) {
    self.node = node
    self.secretID = secretID
  }

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Node", &node)
    v.field(2, "SecretID", &secretID)
  }
}

/// Asks for the data of the allocation that another one replaces.
public struct AllocationDataRequest: Record {
  /// Who asks.
  public var nodeID: Identifier = .none
  public var secretID: Identifier = .none
  /// The replacement, which is on the node that asks.
  public var allocation: Identifier = .none
  /// Whose data is wanted.
  public var previous: Identifier = .none

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "NodeID", &nodeID)
    v.field(2, "SecretID", &secretID)
    v.field(3, "Allocation", &allocation)
    v.field(4, "Previous", &previous)
  }
}

/// A heartbeat, and the client's word about its own readiness.
public struct NodeUpdateStatusRequest: Record {
  public var nodeID: Identifier = .none
  public var secretID: Identifier = .none
  /// `ready`, or `down` when the agent leaves for good.
  public var status: NodeStatus = .ready

  public init() {}

  public init(nodeID: Identifier, secretID: Identifier, status: NodeStatus = .ready) {
    self.nodeID = nodeID
    self.secretID = secretID
    self.status = status
  }

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "NodeID", &nodeID)
    v.field(2, "SecretID", &secretID)
    v.field(3, "Status", &status)
  }
}

/// Answer to a registration and to a heartbeat.
public struct NodeHeartbeatResponse: Record {
  /// The node counts as lost when it is not heard of for this long; the server has added its jitter.
  public var heartbeatTTL: Nanoseconds = .zero
  public var index: UInt64 = 0
  /// RPC addresses (`host:port`) of all servers that can be asked instead of this one.
  public var servers: [String] = []
  /// The status the servers have for the node now.
  public var status: NodeStatus = .ready

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "HeartbeatTTL", &heartbeatTTL)
    v.field(2, "Index", &index)
    v.field(3, "Servers", &servers)
    v.field(4, "Status", &status)
  }
}

/// Asks for the stream of a node's allocations.
public struct NodeWatchAllocationsRequest: Record {
  public var nodeID: Identifier = .none
  public var secretID: Identifier = .none

  public init() {}

  public init(nodeID: Identifier, secretID: Identifier) {
    self.nodeID = nodeID
    self.secretID = secretID
  }

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "NodeID", &nodeID)
    v.field(2, "SecretID", &secretID)
  }
}

/// One message of `Node.WatchAllocations`.
public struct NodeAllocationsMessage: Record {
  /// The index of the state that the message brings the client to.
  public var index: UInt64 = 0
  /// Set in the first message of a stream: `allocations` are all of the node's, any other that the client holds is gone.
  public var isComplete = false
  /// Allocations that the servers changed, in full, each with its `job` in the version it runs. Changes that came from
  /// this client's own updates are not sent back.
  public var allocations: [Allocation] = []
  /// Allocations that the servers have forgotten: the client may delete their directories.
  public var removed: [Identifier] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Index", &index)
    v.field(2, "IsComplete", &isComplete)
    v.field(3, "Allocations", &allocations)
    v.field(4, "Removed", &removed)
  }
}

/// What a client says about one allocation; always the whole of it, so that a repeated or late message does no harm.
public struct AllocationClientUpdate: Record {
  public var id: Identifier = .none
  public var clientStatus: AllocationClientStatus = .pending
  public var clientDescription = ""
  public var taskStates: [String: TaskState] = [:]
  /// `healthy` is nil while the client has not decided.
  public var deploymentStatus: AllocDeploymentStatus?
  /// The deployment that `deploymentStatus` is about.
  public var deploymentID: Identifier = .none
  @Indirect public var networkStatus: AllocNetworkStatus?
  /// When the client saw the latest change.
  public var modifyTime: Timestamp = .zeroValue

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "ClientStatus", &clientStatus)
    v.field(3, "ClientDescription", &clientDescription)
    v.field(4, "TaskStates", &taskStates)
    v.field(5, "DeploymentStatus", &deploymentStatus)
    v.field(6, "DeploymentID", &deploymentID)
    v.field(7, "NetworkStatus", &_networkStatus)
    v.field(8, "ModifyTime", &modifyTime)
  }
}

/// What happened to a node's allocations.
public struct NodeUpdateAllocationsRequest: Record {
  public var nodeID: Identifier = .none
  public var secretID: Identifier = .none
  public var updates: [AllocationClientUpdate] = []

  public init() {}

  public init(nodeID: Identifier, secretID: Identifier, updates: [AllocationClientUpdate]) {
    self.nodeID = nodeID
    self.secretID = secretID
    self.updates = updates
  }

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "NodeID", &nodeID)
    v.field(2, "SecretID", &secretID)
    v.field(3, "Updates", &updates)
  }
}

/// Answer to `NodeUpdateAllocationsRequest`: everything in it is durable.
public struct NodeUpdateAllocationsResponse: Record {
  public var index: UInt64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Index", &index)
  }
}

/// Things that happened to the node itself, shown by `node status`.
public struct NodeEmitEventsRequest: Record {
  public var nodeID: Identifier = .none
  public var secretID: Identifier = .none
  public var events: [NodeEvent] = []

  public init() {}

  public init(nodeID: Identifier, secretID: Identifier, events: [NodeEvent]) {
    self.nodeID = nodeID
    self.secretID = secretID
    self.events = events
  }

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "NodeID", &nodeID)
    v.field(2, "SecretID", &secretID)
    v.field(3, "Events", &events)
  }
}

/// Answer to `NodeEmitEventsRequest`.
public struct NodeEmitEventsResponse: Record {
  public var index: UInt64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Index", &index)
  }
}
