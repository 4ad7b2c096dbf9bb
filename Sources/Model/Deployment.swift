public import Codec

/// The rollout of one version of a job.
public struct Deployment: Record {
  public var id: Identifier = .none
  public var namespace = ""
  public var jobID = ""
  public var jobVersion: UInt64 = 0
  public var jobModifyIndex: UInt64 = 0
  public var jobSpecModifyIndex: UInt64 = 0
  public var jobCreateIndex: UInt64 = 0
  public var isMultiregion = false
  public var taskGroups: [String: DeploymentState] = [:]
  public var status: DeploymentStatus = .running
  public var statusDescription = ""
  public var evalPriority = 0
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0
  public var createTime: Int64 = 0
  public var modifyTime: Int64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Namespace", &namespace)
    v.field(3, "JobID", &jobID)
    v.field(4, "JobVersion", &jobVersion)
    v.field(5, "JobModifyIndex", &jobModifyIndex)
    v.field(6, "JobSpecModifyIndex", &jobSpecModifyIndex)
    v.field(7, "JobCreateIndex", &jobCreateIndex)
    v.field(8, "IsMultiregion", &isMultiregion)
    v.field(9, "TaskGroups", &taskGroups)
    v.field(10, "Status", &status)
    v.field(11, "StatusDescription", &statusDescription)
    v.field(12, "EvalPriority", &evalPriority)
    v.field(13, "CreateIndex", &createIndex)
    v.field(14, "ModifyIndex", &modifyIndex)
    v.field(15, "CreateTime", &createTime)
    v.field(16, "ModifyTime", &modifyTime)
  }
}

/// Where a deployment is.
public enum DeploymentStatus: String, ClosedText {
  case running, paused, failed, successful, cancelled, initializing, pending, blocked, unblocking
}

/// How far the rollout of one group is.
public struct DeploymentState: Record {
  public var autoRevert = false
  public var autoPromote = false
  public var progressDeadline: Nanoseconds = .zero
  public var requireProgressBy: Timestamp = .zeroValue
  public var promoted = false
  public var placedCanaries: [Identifier] = []
  public var desiredCanaries = 0
  public var desiredTotal = 0
  public var placedAllocs = 0
  public var healthyAllocs = 0
  public var unhealthyAllocs = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "AutoRevert", &autoRevert)
    v.field(2, "AutoPromote", &autoPromote)
    v.field(3, "ProgressDeadline", &progressDeadline)
    v.field(4, "RequireProgressBy", &requireProgressBy)
    v.field(5, "Promoted", &promoted)
    v.field(6, "PlacedCanaries", &placedCanaries)
    v.field(7, "DesiredCanaries", &desiredCanaries)
    v.field(8, "DesiredTotal", &desiredTotal)
    v.field(9, "PlacedAllocs", &placedAllocs)
    v.field(10, "HealthyAllocs", &healthyAllocs)
    v.field(11, "UnhealthyAllocs", &unhealthyAllocs)
  }
}

/// Answer to everything that changes a deployment.
public struct DeploymentUpdateResponse: Record {
  public var evalID: Identifier?
  public var evalCreateIndex: UInt64 = 0
  public var deploymentModifyIndex: UInt64 = 0
  public var revertedJobVersion: UInt64?
  public var index: UInt64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "EvalID", &evalID)
    v.field(2, "EvalCreateIndex", &evalCreateIndex)
    v.field(3, "DeploymentModifyIndex", &deploymentModifyIndex)
    v.field(4, "RevertedJobVersion", &revertedJobVersion)
    v.field(5, "Index", &index)
  }
}

/// Body of `POST /v1/deployment/pause/:id`.
public struct DeploymentPauseRequest: Record {
  public var deploymentID: Identifier?
  public var pause = false

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "DeploymentID", &deploymentID)
    v.field(2, "Pause", &pause)
  }
}

/// Body of `POST /v1/deployment/promote/:id`.
public struct DeploymentPromoteRequest: Record {
  public var deploymentID: Identifier?
  public var all = false
  public var groups: [String] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "DeploymentID", &deploymentID)
    v.field(2, "All", &all)
    v.field(3, "Groups", &groups)
  }
}

/// Body of `POST /v1/deployment/allocation-health/:id`.
public struct DeploymentAllocHealthRequest: Record {
  public var deploymentID: Identifier?
  public var healthyAllocationIDs: [Identifier] = []
  public var unhealthyAllocationIDs: [Identifier] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "DeploymentID", &deploymentID)
    v.field(2, "HealthyAllocationIDs", &healthyAllocationIDs)
    v.field(3, "UnhealthyAllocationIDs", &unhealthyAllocationIDs)
  }
}
