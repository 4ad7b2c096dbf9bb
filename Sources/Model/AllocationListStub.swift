public import Codec

/// An allocation in a list.
public struct AllocationListStub: Record {
  /// UUID of the allocation.
  public var id: Identifier = .none
  /// The evaluation that created it or last changed it.
  public var evalID: Identifier = .none
  /// `<job>.<group>[<index>]`.
  public var name = ""
  /// The job's namespace.
  public var namespace = ""
  /// The node that it is placed on.
  public var nodeID: Identifier = .none
  /// That node's name when it was placed.
  public var nodeName = ""
  /// The job that it is an instance of.
  public var jobID = ""
  /// Type of that job, such as `service`.
  public var jobType = ""
  /// The version of the job that it runs.
  public var jobVersion: UInt64 = 0
  /// The group of the job that it is an instance of.
  public var taskGroup = ""
  /// Only with `?resources=true`: what the allocation holds.
  @Indirect public var allocatedResources: AllocatedResources?
  /// What the servers want of it.
  public var desiredStatus: AllocationDesiredStatus = .run
  /// Why the servers want it to stop.
  public var desiredDescription = ""
  /// What a drain or a user asked of it besides.
  public var desiredTransition = DesiredTransition()
  /// What the node last reported.
  public var clientStatus: AllocationClientStatus = .pending
  /// The node's report in words.
  public var clientDescription = ""
  /// State and events per task; left out with `?task_states=false`.
  public var taskStates: [String: TaskState] = [:]
  /// Its health as the deployment sees it.
  public var deploymentStatus: AllocDeploymentStatus?
  /// The evaluation that will replace it after the reschedule delay.
  public var followupEvalID: Identifier = .none
  /// The allocation that replaces it, once it exists.
  public var nextAllocation: Identifier = .none
  /// The allocation that it replaces, if any.
  public var previousAllocation: Identifier = .none
  /// Earlier replacements in its line.
  @Indirect public var rescheduleTracker: RescheduleTracker?
  /// Allocations that were evicted to make room for it.
  public var preemptedAllocations: [Identifier] = []
  /// The allocation that it was evicted for.
  public var preemptedByAllocation: Identifier = .none
  /// Log index at which it was created.
  public var createIndex: UInt64 = 0
  /// Log index of its last change.
  public var modifyIndex: UInt64 = 0
  /// Nanoseconds since 1970 at which it was placed.
  public var createTime: Int64 = 0
  /// Nanoseconds since 1970 of the last change from either side.
  public var modifyTime: Int64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  @_specialize(where V == JSONWriter)
  @_specialize(where V == BinaryWriter)
  @_specialize(where V == BinaryReader)
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "EvalID", &evalID)
    v.field(3, "Name", &name)
    v.field(4, "Namespace", &namespace)
    v.field(5, "NodeID", &nodeID)
    v.field(6, "NodeName", &nodeName)
    v.field(7, "JobID", &jobID)
    v.field(8, "JobType", &jobType)
    v.field(9, "JobVersion", &jobVersion)
    v.field(10, "TaskGroup", &taskGroup)
    v.field(11, "AllocatedResources", &_allocatedResources, .omitEmpty)
    v.field(12, "DesiredStatus", &desiredStatus)
    v.field(13, "DesiredDescription", &desiredDescription)
    v.field(14, "DesiredTransition", &desiredTransition)
    v.field(15, "ClientStatus", &clientStatus)
    v.field(16, "ClientDescription", &clientDescription)
    v.field(17, "TaskStates", &taskStates)
    v.field(18, "DeploymentStatus", &deploymentStatus)
    v.field(19, "FollowupEvalID", &followupEvalID)
    v.field(20, "NextAllocation", &nextAllocation)
    v.field(21, "RescheduleTracker", &_rescheduleTracker)
    v.field(22, "PreemptedAllocations", &preemptedAllocations)
    v.field(23, "PreemptedByAllocation", &preemptedByAllocation)
    v.field(24, "CreateIndex", &createIndex)
    v.field(25, "ModifyIndex", &modifyIndex)
    v.field(26, "CreateTime", &createTime)
    v.field(27, "ModifyTime", &modifyTime)
    v.field(28, "PreviousAllocation", &previousAllocation)
  }
}
