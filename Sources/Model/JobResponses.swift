// Bodies of the answers about jobs.

public import Codec

/// Answer to everything that changes a job.
public struct JobRegisterResponse: Record {
  /// The evaluation that will place it; none for periodic and parameterized jobs.
  public var evalID: Identifier = .none
  /// Log index at which that evaluation was created.
  public var evalCreateIndex: UInt64 = 0
  /// `JobModifyIndex` of the job after the registration.
  public var jobModifyIndex: UInt64 = 0
  /// What is allowed and probably not meant, one a line.
  public var warnings = ""
  /// State index that the answer is valid for, as in `X-Nomad-Index`.
  public var index: UInt64 = 0
  /// How long ago the answering server last heard from the leader, in nanoseconds; zero on the leader.
  public var lastContact: Nanoseconds = .zero
  /// Whether the answering server knew a leader.
  public var knownLeader = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// Whether the drivers' options were checked.
  public var driverConfigValidated = false
  /// Everything that is wrong, one entry each; null when nothing is.
  public var validationErrors: [String] = []
  /// What is allowed and probably not meant, one a line.
  public var warnings = ""
  /// `validationErrors` as one text.
  public var error = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "DriverConfigValidated", &driverConfigValidated)
    v.field(2, "ValidationErrors", &validationErrors)
    v.field(3, "Warnings", &warnings)
    v.field(4, "Error", &error)
  }
}

/// Answer of `PUT /v1/job/:id/plan`.
public struct JobPlanResponse: Record {
  /// What the scheduler would do, by group.
  @Indirect public var annotations: PlanAnnotations?
  /// Groups that could not be placed whole, with the counts that say why.
  public var failedTGAllocs: [String: AllocMetric] = [:]
  /// Index to give to `-check-index`, so that what was planned is what is registered.
  public var jobModifyIndex: UInt64 = 0
  /// Evaluations that would be created, such as for a later replacement.
  public var createdEvals: [Evaluation] = []
  /// Difference to the running version; absent unless asked for.
  @Indirect public var diff: JobDiff?
  /// When a periodic job would be launched next; zero for other jobs.
  public var nextPeriodicLaunch: Timestamp = .zeroValue
  /// What is allowed and probably not meant, one a line.
  public var warnings = ""
  /// State index that the answer is valid for, as in `X-Nomad-Index`.
  public var index: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// What would be done, by group.
  public var desiredTGUpdates: [String: DesiredUpdates] = [:]
  /// Allocations of other jobs that would be evicted.
  public var preemptedAllocs: [AllocationListStub] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "DesiredTGUpdates", &desiredTGUpdates)
    v.field(2, "PreemptedAllocs", &preemptedAllocs)
  }
}

/// What a plan would do to one group.
public struct DesiredUpdates: Record {
  /// Allocations left as they are.
  public var ignore: UInt64 = 0
  /// Allocations placed anew.
  public var place: UInt64 = 0
  /// Allocations moved off nodes that are drained.
  public var migrate: UInt64 = 0
  /// Allocations stopped.
  public var stop: UInt64 = 0
  /// Allocations changed while they run.
  public var inPlaceUpdate: UInt64 = 0
  /// Allocations replaced by such of the new version.
  public var destructiveUpdate: UInt64 = 0
  /// Canaries placed.
  public var canary: UInt64 = 0
  /// Allocations of other jobs evicted.
  public var preemptions: UInt64 = 0
  /// Allocations marked unknown, their nodes being out of reach.
  public var disconnect: UInt64 = 0
  /// Allocations that came back from unknown.
  public var reconnect: UInt64 = 0
  /// Failed allocations replaced at once.
  public var rescheduleNow: UInt64 = 0
  /// Failed allocations replaced after a delay.
  public var rescheduleLater: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// Versions kept, newest first.
  public var versions: [Job] = []
  /// With `?diffs=true`: how each differs from the one before, one fewer than versions.
  public var diffs: [JobDiff] = []
  /// State index that the answer is valid for, as in `X-Nomad-Index`.
  public var index: UInt64 = 0
  /// How long ago the answering server last heard from the leader, in nanoseconds; zero on the leader.
  public var lastContact: Nanoseconds = .zero
  /// Whether the answering server knew a leader.
  public var knownLeader = false
  /// Where the next page begins (`?next_token=`); empty on the last page.
  public var nextToken = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// Id of the launched job: that of the parameterized one, the time and a random part.
  public var dispatchedJobID = ""
  /// The evaluation that will place it.
  public var evalID: Identifier = .none
  /// Log index at which that evaluation was created.
  public var evalCreateIndex: UInt64 = 0
  /// Log index at which the job was launched.
  public var jobCreateIndex: UInt64 = 0
  /// State index that the answer is valid for, as in `X-Nomad-Index`.
  public var index: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// The evaluation that will place the launched job.
  public var evalID: Identifier = .none
  /// Log index at which that evaluation was created.
  public var evalCreateIndex: UInt64 = 0
  /// State index that the answer is valid for, as in `X-Nomad-Index`.
  public var index: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "EvalID", &evalID)
    v.field(2, "EvalCreateIndex", &evalCreateIndex)
    v.field(3, "Index", &index)
  }
}

/// Answer of `POST /v1/job/:id/stable`.
public struct JobStabilityResponse: Record {
  /// `JobModifyIndex` of the job after the change.
  public var jobModifyIndex: UInt64 = 0
  /// State index that the answer is valid for, as in `X-Nomad-Index`.
  public var index: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "JobModifyIndex", &jobModifyIndex)
    v.field(2, "Index", &index)
  }
}
