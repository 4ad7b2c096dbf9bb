// What the scheduler decided, and evaluations.

public import Codec
public import Model

/// Adds evaluations or replaces them.
public struct EvaluationUpdate: Record {
  /// The evaluations as they are to be.
  public var evaluations: [Evaluation] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Evaluations", &evaluations)
  }
}

/// The outcome of an evaluation, applied as a whole or not at all.
///
/// Placements name their node by its place in `nodes`, their group by its place in the job's version, so that each takes
/// tens of bytes.
public struct PlanResult: Record {
  /// The evaluation whose outcome this is.
  public var evaluationID: Identifier = .none
  /// The job's namespace.
  public var namespace: String = ""
  /// The job that was looked at.
  public var jobID: String = ""
  /// The version of the job that placements and in-place updates run.
  public var jobVersion: UInt64 = 0
  /// The deployment that placements belong to; none where there is none.
  public var deploymentID: Identifier = .none
  /// A deployment that this plan begins.
  public var deployment: Deployment?
  /// Deployments that this plan ends, or whose state it changes.
  public var deploymentUpdates: [DeploymentStatusChange] = []
  /// The nodes that placements name.
  public var nodes: [Identifier] = []
  /// New allocations.
  public var placements: [Placement] = []
  /// Changes of allocations that exist.
  public var changes: [AllocationChange] = []
  /// The evaluation itself when it is complete, and those that follow it.
  public var evaluations: [Evaluation] = []
  /// By group: the deployment's `desiredTotal` where this plan changes it.
  public var desiredTotals: [String: Int] = [:]
  /// What was looked at for the placements, which refer to these.
  public var metrics: [PlacementMetric] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "EvaluationID", &evaluationID)
    v.field(2, "Namespace", &namespace)
    v.field(3, "JobID", &jobID)
    v.field(4, "JobVersion", &jobVersion)
    v.field(5, "DeploymentID", &deploymentID)
    v.field(6, "Deployment", &deployment)
    v.field(7, "DeploymentUpdates", &deploymentUpdates)
    v.field(8, "Nodes", &nodes)
    v.field(9, "Placements", &placements)
    v.field(10, "Changes", &changes)
    v.field(11, "Evaluations", &evaluations)
    v.field(12, "DesiredTotals", &desiredTotals)
    v.field(13, "Metrics", &metrics)
  }
}

/// A new allocation.
public struct Placement: Record {
  /// UUID of the new allocation.
  public var id: Identifier = .none
  /// Its node's place in the plan's `nodes`.
  public var node: Int = 0
  /// Its group's place in the version's `taskGroups`.
  public var group: Int = 0
  /// The number in its name.
  public var nameIndex: Int = 0
  /// Another version than the plan's.
  public var jobVersion: UInt64?
  /// The allocation that it replaces; gets this one as its next.
  public var previous: Identifier = .none
  /// Whether it is a canary of the deployment.
  public var canary: Bool = false
  /// Ports on the host that it takes.
  public var ports: [PortMapping] = []
  /// Cores and devices by task.
  public var grants: [String: TaskGrant] = [:]
  /// Earlier replacements in its line, for the next one's delay.
  public var rescheduleTracker: RescheduleTracker?
  /// Allocations that it makes room by.
  public var preempted: [Identifier] = []
  /// Not a part of the deployment.
  public var outsideDeployment: Bool = false
  /// The place of its metric in the plan's `metrics`.
  public var metric: Int?
  /// Allocations of its node that it has to wait for: it stands where they stand.
  public var startsAfter: [Identifier] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Id", &id)
    v.field(2, "Node", &node)
    v.field(3, "Group", &group)
    v.field(4, "NameIndex", &nameIndex)
    v.field(5, "JobVersion", &jobVersion)
    v.field(6, "Previous", &previous)
    v.field(7, "Canary", &canary)
    v.field(8, "Ports", &ports)
    v.field(9, "Grants", &grants)
    v.field(10, "RescheduleTracker", &rescheduleTracker)
    v.field(11, "Preempted", &preempted)
    v.field(12, "OutsideDeployment", &outsideDeployment)
    v.field(13, "Metric", &metric)
    v.field(14, "StartsAfter", &startsAfter)
  }
}

/// A change of an allocation that exists; nil leaves a field as it is.
public struct AllocationChange: Record {
  /// The allocation.
  public var id: Identifier = .none
  /// Whether it is to run, to stop or to make room.
  public var desiredStatus: AllocationDesiredStatus?
  /// Why.
  public var desiredDescription: String?
  /// `lost` and `unknown` are decided by servers.
  public var clientStatus: AllocationClientStatus?
  /// The evaluation that will replace it after the reschedule delay.
  public var followupEvalID: Identifier?
  /// In-place update: it runs the plan's version of the job from now on.
  public var updatesJob: Bool = false
  /// The allocation that it makes room for.
  public var preemptedBy: Identifier?
  /// In-place update: the ports, where they change.
  public var ports: [PortMapping]?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Id", &id)
    v.field(2, "DesiredStatus", &desiredStatus)
    v.field(3, "DesiredDescription", &desiredDescription)
    v.field(4, "ClientStatus", &clientStatus)
    v.field(5, "FollowupEvalID", &followupEvalID)
    v.field(6, "UpdatesJob", &updatesJob)
    v.field(7, "PreemptedBy", &preemptedBy)
    v.field(8, "Ports", &ports)
  }
}
