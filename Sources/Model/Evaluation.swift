public import Codec

/// A request to bring what runs in line with what should.
public struct Evaluation: Record {
  public var id: Identifier = .none
  public var namespace = ""
  public var priority = 0
  /// The scheduler: the job's type.
  public var type = ""
  public var triggeredBy: EvaluationTrigger = ""
  public var jobID = ""
  public var jobModifyIndex: UInt64 = 0
  public var nodeID: Identifier = .none
  public var nodeModifyIndex: UInt64 = 0
  public var deploymentID: Identifier = .none
  public var status: EvaluationStatus = .pending
  public var statusDescription = ""
  public var wait: Nanoseconds = .zero
  public var waitUntil: Timestamp?
  public var nextEval: Identifier = .none
  public var previousEval: Identifier = .none
  public var blockedEval: Identifier = .none
  public var relatedEvals: [EvaluationStub] = []
  public var failedTGAllocs: [String: AllocMetric] = [:]
  @Indirect public var planAnnotations: PlanAnnotations?
  public var classEligibility: [String: Bool] = [:]
  public var escapedComputedClass = false
  public var quotaLimitReached = ""
  public var annotatePlan = false
  public var queuedAllocations: [String: Int] = [:]
  public var snapshotIndex: UInt64 = 0
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0
  public var createTime: Int64 = 0
  public var modifyTime: Int64 = 0

  public init() {}

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
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  public static let jobRegister: EvaluationTrigger = "job-register"
  public static let jobDeregister: EvaluationTrigger = "job-deregister"
  public static let periodicJob: EvaluationTrigger = "periodic-job"
  public static let nodeDrain: EvaluationTrigger = "node-drain"
  public static let nodeUpdate: EvaluationTrigger = "node-update"
  public static let allocStop: EvaluationTrigger = "alloc-stop"
  public static let rollingUpdate: EvaluationTrigger = "rolling-update"
  public static let deploymentWatcher: EvaluationTrigger = "deployment-watcher"
  public static let failedFollowUp: EvaluationTrigger = "failed-follow-up"
  public static let maxPlanAttempts: EvaluationTrigger = "max-plan-attempts"
  public static let allocFailure: EvaluationTrigger = "alloc-failure"
  public static let queuedAllocs: EvaluationTrigger = "queued-allocs"
  public static let preemption: EvaluationTrigger = "preemption"
  public static let jobScaling: EvaluationTrigger = "job-scaling"
  public static let maxDisconnectTimeout: EvaluationTrigger = "max-disconnect-timeout"
  public static let reconnect: EvaluationTrigger = "reconnect"
  public static let scheduled: EvaluationTrigger = "scheduled"
}

/// An evaluation related to another.
public struct EvaluationStub: Record {
  public var id: Identifier = .none
  public var namespace = ""
  public var priority = 0
  public var type = ""
  public var triggeredBy: EvaluationTrigger = ""
  public var jobID = ""
  public var nodeID: Identifier = .none
  public var deploymentID: Identifier = .none
  public var status: EvaluationStatus = .pending
  public var statusDescription = ""
  public var waitUntil: Timestamp?
  public var nextEval: Identifier = .none
  public var previousEval: Identifier = .none
  public var blockedEval: Identifier = .none
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0
  public var createTime: Int64 = 0
  public var modifyTime: Int64 = 0

  public init() {}

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
