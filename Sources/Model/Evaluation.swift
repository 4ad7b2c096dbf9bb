public import Codec

/// A request to bring what runs in line with what should.
public struct Evaluation: Record {
  /// UUID, made by the server.
  public var id: Identifier = .none
  /// The job's namespace.
  public var namespace = ""
  /// 1 to 100; the job's own unless a request gave another.
  public var priority = 0
  /// The scheduler: the job's type.
  public var type = ""
  /// What happened that made scheduling necessary.
  public var triggeredBy: EvaluationTrigger = ""
  /// The job to look at.
  public var jobID = ""
  /// Log index of the job's registration that this evaluation is about; 0 when it is not about one.
  public var jobModifyIndex: UInt64 = 0
  /// The node whose change caused it, if any.
  public var nodeID: Identifier = .none
  /// Log index of that node's change.
  public var nodeModifyIndex: UInt64 = 0
  /// The deployment that caused it, if any.
  public var deploymentID: Identifier = .none
  /// Where it stands; blocked ones wait for capacity.
  public var status: EvaluationStatus = .pending
  /// Why it has its status.
  public var statusDescription = ""
  /// Delay before it is run, in nanoseconds; superseded by `waitUntil`.
  public var wait: Nanoseconds = .zero
  /// When it is to be run; absent for at once.
  public var waitUntil: Timestamp?
  /// The evaluation that continues this one.
  public var nextEval: Identifier = .none
  /// The evaluation that this one continues.
  public var previousEval: Identifier = .none
  /// The evaluation that waits for capacity for what could not be placed.
  public var blockedEval: Identifier = .none
  /// With `?related=true`: the others of the same chain.
  public var relatedEvals: [EvaluationStub] = []
  /// Groups that could not be placed whole, with the counts that say why.
  public var failedTGAllocs: [String: AllocMetric] = [:]
  /// What a plan would do; only of evaluations made by `job plan`.
  @Indirect public var planAnnotations: PlanAnnotations?
  /// Of a blocked one, which classes of nodes have been found feasible (true) and which not.
  public var classEligibility: [String: Bool] = [:]
  /// A constraint looks at a single node's attributes, so that classes cannot tell whom a change concerns.
  public var escapedComputedClass = false
  /// Quota that was reached; always empty, quotas are not supported.
  public var quotaLimitReached = ""
  /// Whether `planAnnotations` are wanted.
  public var annotatePlan = false
  /// Allocations still to be placed, by group.
  public var queuedAllocations: [String: Int] = [:]
  /// Log index of the state that the scheduler looked at.
  public var snapshotIndex: UInt64 = 0
  /// Log index at which it was created.
  public var createIndex: UInt64 = 0
  /// Log index of its last change.
  public var modifyIndex: UInt64 = 0
  /// Nanoseconds since 1970 at which it was created.
  public var createTime: Int64 = 0
  /// Nanoseconds since 1970 of its last change.
  public var modifyTime: Int64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Namespace", &namespace)
    v.field(3, "Priority", &priority)
    v.field(4, "Type", &type)
    v.field(5, "TriggeredBy", &triggeredBy)
    v.field(6, "JobID", &jobID)
    v.field(7, "JobModifyIndex", &jobModifyIndex)
    v.field(8, "NodeID", &nodeID)
    v.field(9, "NodeModifyIndex", &nodeModifyIndex)
    v.field(10, "DeploymentID", &deploymentID)
    v.field(11, "Status", &status)
    v.field(12, "StatusDescription", &statusDescription)
    v.field(13, "Wait", &wait)
    v.field(14, "WaitUntil", &waitUntil)
    v.field(15, "NextEval", &nextEval)
    v.field(16, "PreviousEval", &previousEval)
    v.field(17, "BlockedEval", &blockedEval)
    v.field(18, "RelatedEvals", &relatedEvals, [.jsonOnly, .omitEmpty])
    v.field(19, "FailedTGAllocs", &failedTGAllocs)
    v.field(20, "PlanAnnotations", &_planAnnotations, [.jsonOnly, .omitEmpty])
    v.field(21, "ClassEligibility", &classEligibility)
    v.field(22, "EscapedComputedClass", &escapedComputedClass)
    v.field(23, "QuotaLimitReached", &quotaLimitReached)
    v.field(24, "AnnotatePlan", &annotatePlan)
    v.field(25, "QueuedAllocations", &queuedAllocations)
    v.field(26, "SnapshotIndex", &snapshotIndex)
    v.field(27, "CreateIndex", &createIndex)
    v.field(28, "ModifyIndex", &modifyIndex)
    v.field(29, "CreateTime", &createTime)
    v.field(30, "ModifyTime", &modifyTime)
  }
}

/// Where an evaluation is in its life.
public enum EvaluationStatus: String, ClosedText {
  case pending, blocked, complete, failed, canceled
}

/// Why an evaluation was made.
public struct EvaluationTrigger: OpenText {
  /// The text, as it stands in JSON.
  public let rawValue: String
  /// Takes any text: one that this version does not know is kept as it is.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// A job was registered or dispatched.
  public static let jobRegister: EvaluationTrigger = "job-register"
  /// A job was stopped or purged.
  public static let jobDeregister: EvaluationTrigger = "job-deregister"
  /// A periodic job was launched.
  public static let periodicJob: EvaluationTrigger = "periodic-job"
  /// A node is being drained.
  public static let nodeDrain: EvaluationTrigger = "node-drain"
  /// A node's status, eligibility or attributes changed.
  public static let nodeUpdate: EvaluationTrigger = "node-update"
  /// A user stopped an allocation.
  public static let allocStop: EvaluationTrigger = "alloc-stop"
  /// The next step of an update without a deployment.
  public static let rollingUpdate: EvaluationTrigger = "rolling-update"
  /// A deployment moved on.
  public static let deploymentWatcher: EvaluationTrigger = "deployment-watcher"
  /// An earlier evaluation failed and is tried again.
  public static let failedFollowUp: EvaluationTrigger = "failed-follow-up"
  /// A plan was refused too often; not made by Serai, where plans cannot conflict.
  public static let maxPlanAttempts: EvaluationTrigger = "max-plan-attempts"
  /// An allocation failed.
  public static let allocFailure: EvaluationTrigger = "alloc-failure"
  /// Capacity appeared for allocations that waited.
  public static let queuedAllocs: EvaluationTrigger = "queued-allocs"
  /// Allocations were evicted for another job and need a new place.
  public static let preemption: EvaluationTrigger = "preemption"
  /// A group was scaled.
  public static let jobScaling: EvaluationTrigger = "job-scaling"
  /// A node was out of reach for as long as its job allows.
  public static let maxDisconnectTimeout: EvaluationTrigger = "max-disconnect-timeout"
  /// A node that was out of reach came back.
  public static let reconnect: EvaluationTrigger = "reconnect"
  /// Leader's own work, such as garbage collection.
  public static let scheduled: EvaluationTrigger = "scheduled"
}

/// An evaluation related to another.
public struct EvaluationStub: Record {
  /// UUID of the evaluation.
  public var id: Identifier = .none
  /// The job's namespace.
  public var namespace = ""
  /// 1 to 100.
  public var priority = 0
  /// Type of the job, which is the scheduler that runs it.
  public var type = ""
  /// What happened that made scheduling necessary.
  public var triggeredBy: EvaluationTrigger = ""
  /// The job to look at.
  public var jobID = ""
  /// The node whose change caused it, if any.
  public var nodeID: Identifier = .none
  /// The deployment that caused it, if any.
  public var deploymentID: Identifier = .none
  /// Where it stands.
  public var status: EvaluationStatus = .pending
  /// Why it has its status.
  public var statusDescription = ""
  /// When it is to be run; absent for at once.
  public var waitUntil: Timestamp?
  /// The evaluation that continues this one.
  public var nextEval: Identifier = .none
  /// The evaluation that this one continues.
  public var previousEval: Identifier = .none
  /// The evaluation that waits for capacity for what could not be placed.
  public var blockedEval: Identifier = .none
  /// Log index at which it was created.
  public var createIndex: UInt64 = 0
  /// Log index of its last change.
  public var modifyIndex: UInt64 = 0
  /// Nanoseconds since 1970 at which it was created.
  public var createTime: Int64 = 0
  /// Nanoseconds since 1970 of its last change.
  public var modifyTime: Int64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Namespace", &namespace)
    v.field(3, "Priority", &priority)
    v.field(4, "Type", &type)
    v.field(5, "TriggeredBy", &triggeredBy)
    v.field(6, "JobID", &jobID)
    v.field(7, "NodeID", &nodeID)
    v.field(8, "DeploymentID", &deploymentID)
    v.field(9, "Status", &status)
    v.field(10, "StatusDescription", &statusDescription)
    v.field(11, "WaitUntil", &waitUntil)
    v.field(12, "NextEval", &nextEval)
    v.field(13, "PreviousEval", &previousEval)
    v.field(14, "BlockedEval", &blockedEval)
    v.field(15, "CreateIndex", &createIndex)
    v.field(16, "ModifyIndex", &modifyIndex)
    v.field(17, "CreateTime", &createTime)
    v.field(18, "ModifyTime", &modifyTime)
  }
}
