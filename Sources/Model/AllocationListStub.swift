public import Codec

/// An allocation in a list.
public struct AllocationListStub: Record {
  public var id: Identifier = .none
  public var evalID: Identifier = .none
  public var name = ""
  public var namespace = ""
  public var nodeID: Identifier = .none
  public var nodeName = ""
  public var jobID = ""
  public var jobType = ""
  public var jobVersion: UInt64 = 0
  public var taskGroup = ""
  @Indirect public var allocatedResources: AllocatedResources?
  public var desiredStatus: AllocationDesiredStatus = .run
  public var desiredDescription = ""
  public var desiredTransition = DesiredTransition()
  public var clientStatus: AllocationClientStatus = .pending
  public var clientDescription = ""
  public var taskStates: [String: TaskState] = [:]
  public var deploymentStatus: AllocDeploymentStatus?
  public var followupEvalID: Identifier = .none
  public var nextAllocation: Identifier = .none
  @Indirect public var rescheduleTracker: RescheduleTracker?
  public var preemptedAllocations: [Identifier] = []
  public var preemptedByAllocation: Identifier = .none
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0
  public var createTime: Int64 = 0
  public var modifyTime: Int64 = 0

  public init() {}

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
  }
}
