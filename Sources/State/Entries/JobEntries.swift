// Entries about jobs.

public import Codec
public import Model

/// Adds a job, or a new version of it where the specification differs from the current one.
public struct JobRegistration: Record {
  /// Canonical: defaults filled in.
  public var job: Job = Job()
  /// Check-and-set: the `JobModifyIndex` that the job must have, 0 for a job that must not exist.
  public var expectedIndex: UInt64?
  /// Made or changed together with this, so that one cannot be there without the other.
  public var evaluations: [Evaluation] = []
  /// The text that the job was written as.
  @Indirect public var submission: JobSubmission?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Job", &job)
    v.field(2, "ExpectedIndex", &expectedIndex)
    v.field(3, "Evaluations", &evaluations)
    v.field(4, "Submission", &_submission)
  }
}

/// Stops a job: a new version that says so. With `purge` the job goes altogether.
public struct JobDeregistration: Record {
  /// The job's namespace.
  public var namespace: String = ""
  /// The job.
  public var jobID: String = ""
  /// Whether the job is removed with its versions instead of kept as stopped.
  public var purge: Bool = false
  /// Made or changed together with this, so that one cannot be there without the other.
  public var evaluations: [Evaluation] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "JobID", &jobID)
    v.field(3, "Purge", &purge)
    v.field(4, "Evaluations", &evaluations)
  }
}

/// Launches a job from a periodic or parameterized one. What the child has of its parent is not repeated.
public struct ChildJobLaunch: Record {
  /// The parent's namespace, which is the child's too.
  public var namespace: String = ""
  /// The periodic or parameterized job.
  public var parentID: String = ""
  /// The child's id and name.
  public var childID: String = ""
  /// Of a periodic launch: the time that it is for. Zero for a dispatch.
  public var launchTime: Timestamp = .zeroValue
  /// Of a dispatch.
  public var payload: Blob?
  /// Of a dispatch: added to the parent's.
  public var meta: [String: String] = [:]
  /// Of a dispatch: a second launch with the same token is refused.
  public var idempotencyToken: String = ""
  /// Instead of the parent's; nil for that one.
  public var priority: Int?
  /// Made or changed together with this, so that one cannot be there without the other.
  public var evaluations: [Evaluation] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "ParentID", &parentID)
    v.field(3, "ChildID", &childID)
    v.field(4, "LaunchTime", &launchTime)
    v.field(5, "Payload", &payload)
    v.field(6, "Meta", &meta)
    v.field(7, "IdempotencyToken", &idempotencyToken)
    v.field(8, "Priority", &priority)
    v.field(9, "Evaluations", &evaluations)
  }
}

/// Changes the count of a group, or only notes what an autoscaler says of it.
public struct JobScaling: Record {
  /// The job's namespace.
  public var namespace: String = ""
  /// The job.
  public var jobID: String = ""
  /// Name of the group.
  public var group: String = ""
  /// `count` nil for an event without a change. `previousCount`, `time` and `createIndex` are filled in.
  public var event: ScalingEvent = ScalingEvent()
  /// Check-and-set: the `JobModifyIndex` that the job must have.
  public var expectedIndex: UInt64?
  /// Made or changed together with this, so that one cannot be there without the other.
  public var evaluations: [Evaluation] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "JobID", &jobID)
    v.field(3, "Group", &group)
    v.field(4, "Event", &event)
    v.field(5, "ExpectedIndex", &expectedIndex)
    v.field(6, "Evaluations", &evaluations)
  }
}

/// Says whether a version of a job is known to work.
public struct JobStability: Record {
  /// The job's namespace.
  public var namespace: String = ""
  /// The job.
  public var jobID: String = ""
  /// The version concerned.
  public var version: UInt64 = 0
  /// Whether it is known to work.
  public var stable: Bool = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "JobID", &jobID)
    v.field(3, "Version", &version)
    v.field(4, "Stable", &stable)
  }
}

/// Puts a tag on a version, or takes it away.
public struct JobVersionTagging: Record {
  /// The job's namespace.
  public var namespace: String = ""
  /// The job.
  public var jobID: String = ""
  /// The version to tag; without one the tag is taken away.
  public var version: UInt64?
  /// The tag; only its name matters when it is taken away.
  public var tag: JobVersionTag = JobVersionTag()

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "JobID", &jobID)
    v.field(3, "Version", &version)
    v.field(4, "Tag", &tag)
  }
}

/// Removes what nobody asks for any more; what is not there is passed over.
public struct Reaping: Record {
  /// Evaluations to remove.
  public var evaluations: [Identifier] = []
  /// Allocations to remove.
  public var allocations: [Identifier] = []
  /// Deployments to remove.
  public var deployments: [Identifier] = []
  /// Jobs, as `id` and `namespace`.
  public var jobs: [JobName] = []
  /// Nodes to remove.
  public var nodes: [Identifier] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Evaluations", &evaluations)
    v.field(2, "Allocations", &allocations)
    v.field(3, "Deployments", &deployments)
    v.field(4, "Jobs", &jobs)
    v.field(5, "Nodes", &nodes)
  }
}

/// Names a job in an entry.
public struct JobName: Record {
  /// Namespace of the job.
  public var namespace: String = ""
  /// Id of the job.
  public var id: String = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "Id", &id)
  }
}
