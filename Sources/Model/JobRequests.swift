// Bodies of the requests about jobs.

public import Codec

/// Body of `PUT /v1/jobs` and `PUT /v1/job/:id`.
public struct JobRegisterRequest: Record {
  /// The job, which may be sparse.
  @Indirect public var job: Job?
  /// Register only if the job's `JobModifyIndex` is the one given below.
  public var enforceIndex = false
  /// The index to check against: 0 for a job that must not exist.
  public var jobModifyIndex: UInt64 = 0
  /// Enterprise's override of policies; accepted and without effect.
  public var policyOverride = false
  /// Groups that exist keep their counts.
  public var preserveCounts = false
  /// Tasks that exist keep their resources.
  public var preserveResources = false
  /// Priority of the evaluation, 1 to 100; 0 for the job's own.
  public var evalPriority = 0
  /// The text that the job was made from, kept for people.
  @Indirect public var submission: JobSubmission?
  /// Region to register in; the job's when empty.
  public var region = ""
  /// Namespace to register in; the job's when empty.
  public var namespace = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// The jobspec as it was written.
  public var source = ""
  /// `hcl2`, `hcl1` or `json`.
  public var format = ""
  /// Values given by `-var`, by name.
  public var variableFlags: [String: String] = [:]
  /// Content of the variable files, one after the other.
  public var variables = ""
  /// The job's namespace.
  public var namespace = ""
  /// The job.
  public var jobID = ""
  /// Version of the job that the text belongs to.
  public var version: UInt64 = 0
  /// `JobModifyIndex` of that version.
  public var jobIndex: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// The jobspec's text, HCL2.
  public var jobHCL = ""
  /// Content of variable files, HCL2.
  public var variables = ""
  /// Whether defaults are filled in.
  public var canonicalize = false
  /// Asks for the old HCL1 parser, which is refused.
  public var hclv1 = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "JobHCL", &jobHCL)
    v.field(2, "Variables", &variables)
    v.field(3, "Canonicalize", &canonicalize)
    v.field(4, "hclv1", &hclv1)
  }
}

/// Body of `PUT /v1/validate/job`.
public struct JobValidateRequest: Record {
  /// The job.
  @Indirect public var job: Job?
  /// Region whose rules apply.
  public var region = ""
  /// Namespace whose rules apply.
  public var namespace = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Job", &_job)
    v.field(2, "Region", &region)
    v.field(3, "Namespace", &namespace)
  }
}

/// Body of `PUT /v1/job/:id/plan`.
public struct JobPlanRequest: Record {
  /// The job as it would be registered.
  @Indirect public var job: Job?
  /// Whether the difference to the running version is wanted.
  public var diff = false
  /// Enterprise's override of policies; accepted and without effect.
  public var policyOverride = false
  /// Region to plan in.
  public var region = ""
  /// Namespace to plan in.
  public var namespace = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// The job; must agree with the request's path.
  public var jobID = ""
  /// What the evaluation may do besides.
  public var evalOptions = EvalOptions()

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "JobID", &jobID)
    v.field(2, "EvalOptions", &evalOptions)
  }
}

/// How a forced evaluation differs.
public struct EvalOptions: Record {
  /// Replace failed allocations even when their policy would not.
  public var forceReschedule = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ForceReschedule", &forceReschedule)
  }
}

/// Body of `POST /v1/job/:id/dispatch`.
public struct JobDispatchRequest: Record {
  /// The parameterized job; must agree with the request's path.
  public var jobID = ""
  /// What the launched job gets as a file; 16 KiB at most, Base64 in JSON.
  public var payload: Blob?
  /// Metadata, for the keys that the job names only.
  public var meta: [String: String] = [:]
  /// Used in place of the job's id at the begin of the launched job's id.
  public var idPrefixTemplate = ""
  /// Priority of the launched job, 1 to 100; 0 for the job's own.
  public var priority = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// The job; must agree with the request's path.
  public var jobID = ""
  /// The version to return to, which becomes a new version.
  public var jobVersion: UInt64 = 0
  /// Revert only if the current version is this one.
  public var enforcePriorVersion: UInt64?
  /// The version to return to by its tag, in place of `jobVersion`.
  public var taggedVersion = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "JobID", &jobID)
    v.field(2, "JobVersion", &jobVersion)
    v.field(3, "EnforcePriorVersion", &enforcePriorVersion)
    v.field(4, "TaggedVersion", &taggedVersion)
  }
}

/// Body of `POST /v1/job/:id/stable`.
public struct JobStabilityRequest: Record {
  /// The job; must agree with the request's path.
  public var jobID = ""
  /// The version concerned.
  public var jobVersion: UInt64 = 0
  /// Whether that version is one that `auto_revert` may return to.
  public var stable = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "JobID", &jobID)
    v.field(2, "JobVersion", &jobVersion)
    v.field(3, "Stable", &stable)
  }
}

/// Body of `POST /v1/job/:id/versions/:name/tag`.
public struct JobTagRequest: Record {
  /// The tag, unique among the job's versions.
  public var name = ""
  /// Free text.
  public var description = ""
  /// The version to tag; the current one when absent.
  public var version: UInt64?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Description", &description)
    v.field(3, "Version", &version)
  }
}
