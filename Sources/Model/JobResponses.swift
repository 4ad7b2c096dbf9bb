// Bodies of the answers about jobs.

public import Codec

/// Answer to everything that changes a job.
public struct JobRegisterResponse: Record {
  public var evalID: Identifier = .none
  public var evalCreateIndex: UInt64 = 0
  public var jobModifyIndex: UInt64 = 0
  public var warnings = ""
  public var index: UInt64 = 0
  public var lastContact: Nanoseconds = .zero
  public var knownLeader = false

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "EvalID", &evalID)
    v.field(2, "EvalCreateIndex", &evalCreateIndex)
    v.field(3, "JobModifyIndex", &jobModifyIndex)
    v.field(4, "Warnings", &warnings)
    v.field(5, "Index", &index)
    v.field(6, "LastContact", &lastContact)
    v.field(7, "KnownLeader", &knownLeader)
  }
}

/// Answer of `PUT /v1/validate/job`.
public struct JobValidateResponse: Record {
  public var driverConfigValidated = false
  public var validationErrors: [String] = []
  public var warnings = ""
  public var error = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "DriverConfigValidated", &driverConfigValidated)
    v.field(2, "ValidationErrors", &validationErrors)
    v.field(3, "Warnings", &warnings)
    v.field(4, "Error", &error)
  }
}

/// Answer of `PUT /v1/job/:id/plan`.
public struct JobPlanResponse: Record {
  @Indirect public var annotations: PlanAnnotations?
  public var failedTGAllocs: [String: AllocMetric] = [:]
  public var jobModifyIndex: UInt64 = 0
  public var createdEvals: [Evaluation] = []
  @Indirect public var diff: JobDiff?
  public var nextPeriodicLaunch: Timestamp = .zeroValue
  public var warnings = ""
  public var index: UInt64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Annotations", &_annotations)
    v.field(2, "FailedTGAllocs", &failedTGAllocs)
    v.field(3, "JobModifyIndex", &jobModifyIndex)
    v.field(4, "CreatedEvals", &createdEvals)
    v.field(5, "Diff", &_diff)
    v.field(6, "NextPeriodicLaunch", &nextPeriodicLaunch)
    v.field(7, "Warnings", &warnings)
    v.field(8, "Index", &index)
  }
}

/// What a plan would do.
public struct PlanAnnotations: Record {
  public var desiredTGUpdates: [String: DesiredUpdates] = [:]
  public var preemptedAllocs: [AllocationListStub] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "DesiredTGUpdates", &desiredTGUpdates)
    v.field(2, "PreemptedAllocs", &preemptedAllocs)
  }
}

/// What a plan would do to one group.
public struct DesiredUpdates: Record {
  public var ignore: UInt64 = 0
  public var place: UInt64 = 0
  public var migrate: UInt64 = 0
  public var stop: UInt64 = 0
  public var inPlaceUpdate: UInt64 = 0
  public var destructiveUpdate: UInt64 = 0
  public var canary: UInt64 = 0
  public var preemptions: UInt64 = 0
  public var disconnect: UInt64 = 0
  public var reconnect: UInt64 = 0
  public var rescheduleNow: UInt64 = 0
  public var rescheduleLater: UInt64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Ignore", &ignore)
    v.field(2, "Place", &place)
    v.field(3, "Migrate", &migrate)
    v.field(4, "Stop", &stop)
    v.field(5, "InPlaceUpdate", &inPlaceUpdate)
    v.field(6, "DestructiveUpdate", &destructiveUpdate)
    v.field(7, "Canary", &canary)
    v.field(8, "Preemptions", &preemptions)
    v.field(9, "Disconnect", &disconnect)
    v.field(10, "Reconnect", &reconnect)
    v.field(11, "RescheduleNow", &rescheduleNow)
    v.field(12, "RescheduleLater", &rescheduleLater)
  }
}

/// Answer of `GET /v1/job/:id/versions`.
public struct JobVersionsResponse: Record {
  public var versions: [Job] = []
  public var diffs: [JobDiff] = []
  public var index: UInt64 = 0
  public var lastContact: Nanoseconds = .zero
  public var knownLeader = false
  public var nextToken = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Versions", &versions, .emptyCollection)
    v.field(2, "Diffs", &diffs)
    v.field(3, "Index", &index)
    v.field(4, "LastContact", &lastContact)
    v.field(5, "KnownLeader", &knownLeader)
    v.field(6, "NextToken", &nextToken)
  }
}

/// Answer of `POST /v1/job/:id/dispatch`.
public struct JobDispatchResponse: Record {
  public var dispatchedJobID = ""
  public var evalID: Identifier = .none
  public var evalCreateIndex: UInt64 = 0
  public var jobCreateIndex: UInt64 = 0
  public var index: UInt64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "DispatchedJobID", &dispatchedJobID)
    v.field(2, "EvalID", &evalID)
    v.field(3, "EvalCreateIndex", &evalCreateIndex)
    v.field(4, "JobCreateIndex", &jobCreateIndex)
    v.field(5, "Index", &index)
  }
}

/// Answer of `POST /v1/job/:id/periodic/force`.
public struct PeriodicForceResponse: Record {
  public var evalID: Identifier = .none
  public var evalCreateIndex: UInt64 = 0
  public var index: UInt64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "EvalID", &evalID)
    v.field(2, "EvalCreateIndex", &evalCreateIndex)
    v.field(3, "Index", &index)
  }
}

/// Answer of `POST /v1/job/:id/stable`.
public struct JobStabilityResponse: Record {
  public var jobModifyIndex: UInt64 = 0
  public var index: UInt64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "JobModifyIndex", &jobModifyIndex)
    v.field(2, "Index", &index)
  }
}
