public import Codec

/// One instance of a group, placed on a node.
public struct Allocation: Record {
  public var id: Identifier = .none
  public var namespace = ""
  public var evalID: Identifier = .none
  /// `job.group[index]`.
  public var name = ""
  public var nodeID: Identifier = .none
  public var nodeName = ""
  public var jobID = ""
  /// The version that the allocation runs; filled in where one allocation is shown or handed to a client.
  @Indirect public var job: Job?
  public var jobVersion: UInt64 = 0
  public var taskGroup = ""
  /// The sums of `allocatedResources`, for old API clients.
  @Indirect public var resources: Resources?
  /// The same by task.
  public var taskResources: [String: Resources] = [:]
  @Indirect public var allocatedResources: AllocatedResources?
  @Indirect public var metrics: AllocMetric?
  public var desiredStatus: AllocationDesiredStatus = .run
  public var desiredDescription = ""
  public var desiredTransition = DesiredTransition()
  public var clientStatus: AllocationClientStatus = .pending
  public var clientDescription = ""
  public var taskStates: [String: TaskState] = [:]
  public var allocStates: [AllocState] = []
  public var previousAllocation: Identifier = .none
  public var nextAllocation: Identifier = .none
  public var deploymentID: Identifier = .none
  public var deploymentStatus: AllocDeploymentStatus?
  @Indirect public var rescheduleTracker: RescheduleTracker?
  @Indirect public var networkStatus: AllocNetworkStatus?
  public var followupEvalID: Identifier = .none
  public var preemptedAllocations: [Identifier] = []
  public var preemptedByAllocation: Identifier = .none
  /// Allocations on the same node that must have ended before this one begins: it stands where they stood.
  public var startsAfter: [Identifier] = []
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0
  /// The index of the last change by a server; `ModifyIndex` also moves with the client's updates.
  public var allocModifyIndex: UInt64 = 0
  /// Nanoseconds since 1970.
  public var createTime: Int64 = 0
  /// Nanoseconds since 1970.
  public var modifyTime: Int64 = 0

  public init() {}

  @_specialize(where V == JSONWriter)
  @_specialize(where V == BinaryWriter)
  @_specialize(where V == BinaryReader)
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Namespace", &namespace)
    v.field(3, "EvalID", &evalID)
    v.field(4, "Name", &name)
    v.field(5, "NodeID", &nodeID)
    v.field(6, "NodeName", &nodeName)
    v.field(7, "JobID", &jobID)
    v.field(8, "Job", &_job)
    v.field(9, "JobVersion", &jobVersion, .binaryOnly)
    v.field(10, "TaskGroup", &taskGroup)
    v.field(11, "Resources", &_resources, .jsonOnly)
    v.field(12, "TaskResources", &taskResources, .jsonOnly)
    v.field(13, "AllocatedResources", &_allocatedResources)
    v.field(14, "Metrics", &_metrics)
    v.field(15, "DesiredStatus", &desiredStatus)
    v.field(16, "DesiredDescription", &desiredDescription)
    v.field(17, "DesiredTransition", &desiredTransition)
    v.field(18, "ClientStatus", &clientStatus)
    v.field(19, "ClientDescription", &clientDescription)
    v.field(20, "TaskStates", &taskStates)
    v.field(21, "AllocStates", &allocStates, .omitEmpty)
    v.field(22, "PreviousAllocation", &previousAllocation)
    v.field(23, "NextAllocation", &nextAllocation)
    v.field(24, "DeploymentID", &deploymentID)
    v.field(25, "DeploymentStatus", &deploymentStatus)
    v.field(26, "RescheduleTracker", &_rescheduleTracker)
    v.field(27, "NetworkStatus", &_networkStatus)
    v.field(28, "FollowupEvalID", &followupEvalID)
    v.field(29, "PreemptedAllocations", &preemptedAllocations)
    v.field(30, "PreemptedByAllocation", &preemptedByAllocation)
    v.field(31, "CreateIndex", &createIndex)
    v.field(32, "ModifyIndex", &modifyIndex)
    v.field(33, "AllocModifyIndex", &allocModifyIndex)
    v.field(34, "CreateTime", &createTime)
    v.field(35, "ModifyTime", &modifyTime)
    v.field(36, "StartsAfter", &startsAfter, .omitEmpty)
  }
}

/// What the servers want.
public enum AllocationDesiredStatus: String, ClosedText {
  case run, stop, evict
}

/// What the client says.
public enum AllocationClientStatus: String, ClosedText {
  case pending, running, complete, failed, lost, unknown
}

/// What is to happen to an allocation, beside running or stopping.
public struct DesiredTransition: Record {
  public var migrate: Bool?
  public var reschedule: Bool?
  public var forceReschedule: Bool?
  public var noShutdownDelay: Bool?

  public init() {}

  @_specialize(where V == JSONWriter)
  @_specialize(where V == BinaryWriter)
  @_specialize(where V == BinaryReader)
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Migrate", &migrate)
    v.field(2, "Reschedule", &reschedule)
    v.field(3, "ForceReschedule", &forceReschedule)
    v.field(4, "NoShutdownDelay", &noShutdownDelay)
  }
}

/// What an allocation is to its deployment.
public struct AllocDeploymentStatus: Record {
  /// Nil while it is not known.
  public var healthy: Bool?
  public var timestamp: Timestamp = .zeroValue
  public var canary = false
  public var modifyIndex: UInt64 = 0

  public init() {}

  @_specialize(where V == JSONWriter)
  @_specialize(where V == BinaryWriter)
  @_specialize(where V == BinaryReader)
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Healthy", &healthy)
    v.field(2, "Timestamp", &timestamp)
    v.field(3, "Canary", &canary)
    v.field(4, "ModifyIndex", &modifyIndex)
  }
}

/// The attempts at rescheduling that led to an allocation.
public struct RescheduleTracker: Record {
  public var events: [RescheduleEvent] = []
  public var lastReschedule = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Events", &events)
    v.field(2, "LastReschedule", &lastReschedule)
  }
}

/// One attempt at rescheduling.
public struct RescheduleEvent: Record {
  /// Nanoseconds since 1970.
  public var rescheduleTime: Int64 = 0
  public var prevAllocID: Identifier = .none
  public var prevNodeID: Identifier = .none
  public var delay: Nanoseconds = .zero

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "RescheduleTime", &rescheduleTime)
    v.field(2, "PrevAllocID", &prevAllocID)
    v.field(3, "PrevNodeID", &prevNodeID)
    v.field(4, "Delay", &delay)
  }
}

/// A change of an allocation's own state, remembered for disconnected clients.
public struct AllocState: Record {
  /// The `field` of a change of the client status.
  public static let clientStatusField = "client_status"

  public var field = ""
  public var value = ""
  public var time: Timestamp = .zeroValue

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Field", &field)
    v.field(2, "Value", &value)
    v.field(3, "Time", &time)
  }
}

/// The address of an allocation with a network of its own.
public struct AllocNetworkStatus: Record {
  public var interfaceName = ""
  public var address = ""
  public var addressIPv6 = ""
  @Indirect public var dns: DNSConfig?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "InterfaceName", &interfaceName)
    v.field(2, "Address", &address)
    v.field(3, "AddressIPv6", &addressIPv6)
    v.field(4, "DNS", &_dns)
  }
}

/// Answer of `POST /v1/allocation/:id/stop`.
public struct AllocStopResponse: Record {
  public var evalID: Identifier = .none
  public var index: UInt64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "EvalID", &evalID)
    v.field(2, "Index", &index)
  }
}
