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

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Job", &job)
    v.field(2, "ExpectedIndex", &expectedIndex)
    v.field(3, "Evaluations", &evaluations)
  }
}

/// Stops a job: a new version that says so. With `purge` the job goes altogether.
public struct JobDeregistration: Record {
  public var namespace: String = ""
  public var jobID: String = ""
  public var purge: Bool = false
  /// Made or changed together with this, so that one cannot be there without the other.
  public var evaluations: [Evaluation] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "JobID", &jobID)
    v.field(3, "Purge", &purge)
    v.field(4, "Evaluations", &evaluations)
  }
}

/// Says whether a version of a job is known to work.
public struct JobStability: Record {
  public var namespace: String = ""
  public var jobID: String = ""
  public var version: UInt64 = 0
  public var stable: Bool = false

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "JobID", &jobID)
    v.field(3, "Version", &version)
    v.field(4, "Stable", &stable)
  }
}

/// Puts a tag on a version, or takes it away.
public struct JobVersionTagging: Record {
  public var namespace: String = ""
  public var jobID: String = ""
  /// The version to tag; without one the tag is taken away.
  public var version: UInt64?
  public var tag: JobVersionTag = JobVersionTag()

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "JobID", &jobID)
    v.field(3, "Version", &version)
    v.field(4, "Tag", &tag)
  }
}

/// Removes what nobody asks for any more; what is not there is passed over.
public struct Reaping: Record {
  public var evaluations: [Identifier] = []
  public var allocations: [Identifier] = []
  public var deployments: [Identifier] = []
  /// Jobs, as `id` and `namespace`.
  public var jobs: [JobName] = []
  public var nodes: [Identifier] = []

  public init() {}

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
  public var namespace: String = ""
  public var id: String = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "Id", &id)
  }
}
