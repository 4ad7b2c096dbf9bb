public import Codec

/// One instance of a group, placed on a node.
public struct Allocation: Record {
  /// UUID; the same for all the life of the allocation.
  public var id: Identifier = .none
  /// The job's namespace.
  public var namespace = ""
  /// The evaluation that created it or last changed it.
  public var evalID: Identifier = .none
  /// `job.group[index]`.
  public var name = ""
  /// The node that it is placed on.
  public var nodeID: Identifier = .none
  /// That node's name when it was placed, for lists.
  public var nodeName = ""
  /// The job that it is an instance of.
  public var jobID = ""
  /// The version that the allocation runs; filled in where one allocation is shown or handed to a client.
  @Indirect public var job: Job?
  /// The version of the job that it runs; changed by an in-place update.
  public var jobVersion: UInt64 = 0
  /// The group of the job that it is an instance of.
  public var taskGroup = ""
  /// The sums of `allocatedResources`, for old API clients.
  @Indirect public var resources: Resources?
  /// The same by task.
  public var taskResources: [String: Resources] = [:]
  /// The same for what the group holds as a whole.
  @Indirect public var sharedResources: Resources?
  /// What it holds: CPU shares, memory, devices per task; disk and ports of the group.
  @Indirect public var allocatedResources: AllocatedResources?
  /// How the placement was decided: nodes seen, filtered and scored.
  @Indirect public var metrics: AllocMetric?
  /// What the servers want of it: to run, to stop, or to make room (evict).
  public var desiredStatus: AllocationDesiredStatus = .run
  /// Why the servers want it to stop; empty while it is to run.
  public var desiredDescription = ""
  /// What was asked of it besides, by a drain or by a user: migrate, reschedule.
  public var desiredTransition = DesiredTransition()
  /// What the node last reported.
  public var clientStatus: AllocationClientStatus = .pending
  /// The node's report in words.
  public var clientDescription = ""
  /// State and events of each task, by task name, as the node last reported them.
  public var taskStates: [String: TaskState] = [:]
  /// Changes of client status that time matters for, such as when it became unknown.
  public var allocStates: [AllocState] = []
  /// The allocation that this one replaces, if any.
  public var previousAllocation: Identifier = .none
  /// The allocation that replaces this one, once it exists.
  public var nextAllocation: Identifier = .none
  /// The deployment that it was placed for; none outside of deployments.
  public var deploymentID: Identifier = .none
  /// Its health as the deployment sees it; absent until it has been decided and for jobs without deployments.
  public var deploymentStatus: AllocDeploymentStatus?
  /// Earlier replacements in its line, which bound further ones and set their delay.
  @Indirect public var rescheduleTracker: RescheduleTracker?
  /// Address of the group's network, once the node has set it up; absent in host mode.
  @Indirect public var networkStatus: AllocNetworkStatus?
  /// The evaluation that will replace it after the reschedule delay.
  public var followupEvalID: Identifier = .none
  /// Lower-priority allocations that were evicted to make room for it.
  public var preemptedAllocations: [Identifier] = []
  /// The allocation that it was evicted for.
  public var preemptedByAllocation: Identifier = .none
  /// Allocations on the same node that must have ended before this one begins: it stands where they stood.
  public var startsAfter: [Identifier] = []
  /// Log index at which the scheduler's plan created it.
  public var createIndex: UInt64 = 0
  /// Log index of its last change from either side, servers or node.
  public var modifyIndex: UInt64 = 0
  /// The index of the last change by a server; `ModifyIndex` also moves with the client's updates.
  public var allocModifyIndex: UInt64 = 0
  /// Nanoseconds since 1970.
  public var createTime: Int64 = 0
  /// Nanoseconds since 1970.
  public var modifyTime: Int64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
    v.field(37, "SharedResources", &_sharedResources, .jsonOnly)
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
  /// A drain wants it elsewhere: a replacement is placed and this one stops.
  public var migrate: Bool?
  /// It failed and may be replaced according to its reschedule policy.
  public var reschedule: Bool?
  /// A user asked for a replacement although the policy would not give one.
  public var forceReschedule: Bool?
  /// A user asked to stop it without waiting for `shutdown_delay`.
  public var noShutdownDelay: Bool?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// When its health was decided.
  public var timestamp: Timestamp = .zeroValue
  /// Whether it is a canary that has not been promoted.
  public var canary = false
  /// Log index at which its health was decided.
  public var modifyIndex: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// One entry per replacement, oldest first; only those that still count are kept.
  public var events: [RescheduleEvent] = []
  /// `ok`, or why the last attempt to reschedule did nothing.
  public var lastReschedule = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Events", &events)
    v.field(2, "LastReschedule", &lastReschedule)
  }
}

/// One attempt at rescheduling.
public struct RescheduleEvent: Record {
  /// Nanoseconds since 1970.
  public var rescheduleTime: Int64 = 0
  /// The allocation that was replaced.
  public var prevAllocID: Identifier = .none
  /// The node it ran on, which is scored lower for the replacement.
  public var prevNodeID: Identifier = .none
  /// How long the replacement was delayed, in nanoseconds.
  public var delay: Nanoseconds = .zero

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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

  /// Which field changed: `ClientStatus`.
  public var field = ""
  /// Its new value.
  public var value = ""
  /// When it changed.
  public var time: Timestamp = .zeroValue

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Field", &field)
    v.field(2, "Value", &value)
    v.field(3, "Time", &time)
  }
}

/// The address of an allocation with a network of its own.
public struct AllocNetworkStatus: Record {
  /// Name of the interface inside the allocation's network namespace, such as `eth0`.
  public var interfaceName = ""
  /// IPv4 address inside that namespace.
  public var address = ""
  /// IPv6 address inside that namespace, empty without one.
  public var addressIPv6 = ""
  /// What the CNI result said about name servers.
  @Indirect public var dns: DNSConfig?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "InterfaceName", &interfaceName)
    v.field(2, "Address", &address)
    v.field(3, "AddressIPv6", &addressIPv6)
    v.field(4, "DNS", &_dns)
  }
}

/// Answer of `POST /v1/allocation/:id/stop`.
public struct AllocStopResponse: Record {
  /// The evaluation that will stop and replace it.
  public var evalID: Identifier = .none
  /// Log index at which the stop was recorded.
  public var index: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "EvalID", &evalID)
    v.field(2, "Index", &index)
  }
}
