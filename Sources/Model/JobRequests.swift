// Bodies of the requests about jobs.

public import Codec

/// Body of `PUT /v1/jobs` and `PUT /v1/job/:id`.
public struct JobRegisterRequest: Record {
  @Indirect public var job: Job?
  public var enforceIndex = false
  public var jobModifyIndex: UInt64 = 0
  public var policyOverride = false
  public var preserveCounts = false
  public var preserveResources = false
  public var evalPriority = 0
  @Indirect public var submission: JobSubmission?
  public var region = ""
  public var namespace = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Job", &_job)
    v.field(2, "EnforceIndex", &enforceIndex)
    v.field(3, "JobModifyIndex", &jobModifyIndex)
    v.field(4, "PolicyOverride", &policyOverride)
    v.field(5, "PreserveCounts", &preserveCounts)
    v.field(6, "PreserveResources", &preserveResources)
    v.field(7, "EvalPriority", &evalPriority)
    v.field(8, "Submission", &_submission)
    v.field(9, "Region", &region)
    v.field(10, "Namespace", &namespace)
  }
}

/// The text that a job was written as.
public struct JobSubmission: Record {
  public var source = ""
  /// `hcl2`, `hcl1` or `json`.
  public var format = ""
  public var variableFlags: [String: String] = [:]
  public var variables = ""
  public var namespace = ""
  public var jobID = ""
  public var version: UInt64 = 0
  public var jobIndex: UInt64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Source", &source)
    v.field(2, "Format", &format)
    v.field(3, "VariableFlags", &variableFlags)
    v.field(4, "Variables", &variables)
    v.field(5, "Namespace", &namespace)
    v.field(6, "JobID", &jobID)
    v.field(7, "Version", &version)
    v.field(8, "JobIndex", &jobIndex)
  }
}

/// Body of `POST /v1/jobs/parse`.
public struct JobsParseRequest: Record {
  public var jobHCL = ""
  public var variables = ""
  public var canonicalize = false
  public var hclv1 = false

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "JobHCL", &jobHCL)
    v.field(2, "Variables", &variables)
    v.field(3, "Canonicalize", &canonicalize)
    v.field(4, "hclv1", &hclv1)
  }
}

/// Body of `PUT /v1/validate/job`.
public struct JobValidateRequest: Record {
  @Indirect public var job: Job?
  public var region = ""
  public var namespace = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Job", &_job)
    v.field(2, "Region", &region)
    v.field(3, "Namespace", &namespace)
  }
}

/// Body of `PUT /v1/job/:id/plan`.
public struct JobPlanRequest: Record {
  @Indirect public var job: Job?
  public var diff = false
  public var policyOverride = false
  public var region = ""
  public var namespace = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Job", &_job)
    v.field(2, "Diff", &diff)
    v.field(3, "PolicyOverride", &policyOverride)
    v.field(4, "Region", &region)
    v.field(5, "Namespace", &namespace)
  }
}

/// Body of `POST /v1/job/:id/evaluate`.
public struct JobEvaluateRequest: Record {
  public var jobID = ""
  public var evalOptions = EvalOptions()

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "JobID", &jobID)
    v.field(2, "EvalOptions", &evalOptions)
  }
}

/// How a forced evaluation differs.
public struct EvalOptions: Record {
  public var forceReschedule = false

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ForceReschedule", &forceReschedule)
  }
}

/// Body of `POST /v1/job/:id/dispatch`.
public struct JobDispatchRequest: Record {
  public var jobID = ""
  public var payload: Blob?
  public var meta: [String: String] = [:]
  public var idPrefixTemplate = ""
  public var priority = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "JobID", &jobID)
    v.field(2, "Payload", &payload)
    v.field(3, "Meta", &meta)
    v.field(4, "IdPrefixTemplate", &idPrefixTemplate)
    v.field(5, "Priority", &priority)
  }
}

/// Body of `POST /v1/job/:id/revert`.
public struct JobRevertRequest: Record {
  public var jobID = ""
  public var jobVersion: UInt64 = 0
  public var enforcePriorVersion: UInt64?
  public var taggedVersion = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "JobID", &jobID)
    v.field(2, "JobVersion", &jobVersion)
    v.field(3, "EnforcePriorVersion", &enforcePriorVersion)
    v.field(4, "TaggedVersion", &taggedVersion)
  }
}

/// Body of `POST /v1/job/:id/stable`.
public struct JobStabilityRequest: Record {
  public var jobID = ""
  public var jobVersion: UInt64 = 0
  public var stable = false

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "JobID", &jobID)
    v.field(2, "JobVersion", &jobVersion)
    v.field(3, "Stable", &stable)
  }
}

/// Body of `POST /v1/job/:id/versions/:name/tag`.
public struct JobTagRequest: Record {
  public var name = ""
  public var description = ""
  public var version: UInt64?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Description", &description)
    v.field(3, "Version", &version)
  }
}
