public import Codec

/// The rollout of one version of a job.
public struct Deployment: Record {
  /// UUID, made by the server when the scheduler opens the deployment.
  public var id: Identifier = .none
  /// The job's namespace.
  public var namespace = ""
  /// The job that is being rolled out.
  public var jobID = ""
  /// The version of the job that this deployment brings out.
  public var jobVersion: UInt64 = 0
  /// `JobModifyIndex` of that version, which tells it from a later registration of the same job.
  public var jobModifyIndex: UInt64 = 0
  /// The index at which that version's specification was registered.
  public var jobSpecModifyIndex: UInt64 = 0
  /// `CreateIndex` of the job: a job purged and registered anew under the same name has another one.
  public var jobCreateIndex: UInt64 = 0
  /// Whether the deployment is one region's part of a multiregion rollout.
  public var isMultiregion = false
  /// Progress of each group that takes part, by group name.
  public var taskGroups: [String: DeploymentState] = [:]
  /// Where the rollout stands; terminal once successful, failed or cancelled.
  public var status: DeploymentStatus = .running
  /// `status` in words, with the reason of a failure or cancellation.
  public var statusDescription = ""
  /// Priority (1 to 100) of the evaluations that the deployment creates; the job's own.
  public var evalPriority = 0
  /// Log index at which it was created.
  public var createIndex: UInt64 = 0
  /// Log index of its last change.
  public var modifyIndex: UInt64 = 0
  /// Nanoseconds since 1970 at which the scheduler opened the deployment.
  public var createTime: Int64 = 0
  /// Nanoseconds since 1970 of the last change to it.
  public var modifyTime: Int64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// On failure the job goes back to its latest stable version (`update.auto_revert`).
  public var autoRevert = false
  /// Canaries are promoted without an operator once all are healthy (`update.auto_promote`).
  public var autoPromote = false
  /// How long an allocation may take to become healthy before the deployment fails; nanoseconds, zero for no limit.
  public var progressDeadline: Nanoseconds = .zero
  /// The instant at which the deployment fails unless another allocation became healthy before; moved on by each that
  /// does.
  public var requireProgressBy: Timestamp = .zeroValue
  /// Whether the canaries have been promoted, by hand or by `autoPromote`; false while there are none.
  public var promoted = false
  /// The canary allocations placed so far, in the order of their placement.
  public var placedCanaries: [Identifier] = []
  /// How many canaries the group asks for (`update.canary`); 0 for a rolling update without.
  public var desiredCanaries = 0
  /// How many allocations of the new version the group is to have in the end: its `count`.
  public var desiredTotal = 0
  /// Allocations of the new version placed so far, canaries and replacements of failed ones included.
  public var placedAllocs = 0
  /// Of those placed, how many have been reported healthy.
  public var healthyAllocs = 0
  /// Of those placed, how many have been reported unhealthy or missed their deadline.
  public var unhealthyAllocs = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// The evaluation that carries the change on; absent when none was needed.
  public var evalID: Identifier?
  /// The log index at which that evaluation was created; 0 without one.
  public var evalCreateIndex: UInt64 = 0
  /// The deployment's `ModifyIndex` after the change.
  public var deploymentModifyIndex: UInt64 = 0
  /// The job version that was returned to, when failing the deployment reverted the job.
  public var revertedJobVersion: UInt64?
  /// State index that the answer is valid for, as in `X-Nomad-Index`.
  public var index: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// The deployment; must agree with the one in the request's path.
  public var deploymentID: Identifier?
  /// True to hold further placements back, false to let them go on.
  public var pause = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "DeploymentID", &deploymentID)
    v.field(2, "Pause", &pause)
  }
}

/// Body of `POST /v1/deployment/promote/:id`.
public struct DeploymentPromoteRequest: Record {
  /// The deployment; must agree with the one in the request's path.
  public var deploymentID: Identifier?
  /// Promotes the canaries of every group; `groups` is then ignored.
  public var all = false
  /// The groups to promote when `all` is false.
  public var groups: [String] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "DeploymentID", &deploymentID)
    v.field(2, "All", &all)
    v.field(3, "Groups", &groups)
  }
}

/// Body of `POST /v1/deployment/allocation-health/:id`.
public struct DeploymentAllocHealthRequest: Record {
  /// The deployment; must agree with the one in the request's path.
  public var deploymentID: Identifier?
  /// Allocations that count as healthy from now on.
  public var healthyAllocationIDs: [Identifier] = []
  /// Allocations that count as unhealthy from now on, which can fail the deployment.
  public var unhealthyAllocationIDs: [Identifier] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "DeploymentID", &deploymentID)
    v.field(2, "HealthyAllocationIDs", &healthyAllocationIDs)
    v.field(3, "UnhealthyAllocationIDs", &unhealthyAllocationIDs)
  }
}
