public import Codec

/// How many allocations of a job are in which state.
public struct JobSummary: Record {
  /// The job that is summed up.
  public var jobID = ""
  /// The job's namespace.
  public var namespace = ""
  /// Counts by group name.
  public var summary: [String: TaskGroupSummary] = [:]
  /// Counts of launched jobs, for a periodic or parameterized job.
  @Indirect public var children: JobChildrenSummary?
  /// Log index at which it was created.
  public var createIndex: UInt64 = 0
  /// Log index of its last change.
  public var modifyIndex: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "JobID", &jobID)
    v.field(2, "Namespace", &namespace)
    v.field(3, "Summary", &summary)
    v.field(4, "Children", &_children)
    v.field(5, "CreateIndex", &createIndex)
    v.field(6, "ModifyIndex", &modifyIndex)
  }
}

/// Allocations of a group by state.
public struct TaskGroupSummary: Record {
  /// Wanted and not placed yet.
  public var queued = 0
  /// Ended with success.
  public var complete = 0
  /// Ended with failure.
  public var failed = 0
  /// Running now.
  public var running = 0
  /// Placed, and their tasks not running yet.
  public var starting = 0
  /// On nodes that went down.
  public var lost = 0
  /// On nodes that are disconnected and may come back.
  public var unknown = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Queued", &queued)
    v.field(2, "Complete", &complete)
    v.field(3, "Failed", &failed)
    v.field(4, "Running", &running)
    v.field(5, "Starting", &starting)
    v.field(6, "Lost", &lost)
    v.field(7, "Unknown", &unknown)
  }
}

/// Jobs launched from a periodic or parameterized one, by status.
public struct JobChildrenSummary: Record {
  /// Launched jobs that have not started.
  public var pending: Int64 = 0
  /// Launched jobs that run.
  public var running: Int64 = 0
  /// Launched jobs that are done.
  public var dead: Int64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Pending", &pending)
    v.field(2, "Running", &running)
    v.field(3, "Dead", &dead)
  }
}

/// A job in a list.
public struct JobListStub: Record {
  /// Unique within the namespace.
  public var id = ""
  /// The periodic or parameterized job that it was launched from; empty for none.
  public var parentID = ""
  /// Name for people, the id unless given.
  public var name = ""
  /// Namespace that it lives in.
  public var namespace = ""
  /// Datacenters that may run it.
  public var datacenters: [String] = []
  /// Node pool that may run it.
  public var nodePool = ""
  /// Rollout over several regions, if any.
  @Indirect public var multiregion: Multiregion?
  /// `service`, `batch`, `system` or `sysbatch`.
  public var type = ""
  /// 1 to 100.
  public var priority = 0
  /// Whether it is launched by a schedule.
  public var periodic = false
  /// Whether it is launched by `job dispatch`.
  public var parameterizedJob = false
  /// Whether it was stopped.
  public var stop = false
  /// `pending`, `running` or `dead`.
  public var status = ""
  /// Why it has its status, where that needs saying.
  public var statusDescription = ""
  /// Its allocations by group and state.
  @Indirect public var jobSummary: JobSummary?
  /// Log index at which it was created.
  public var createIndex: UInt64 = 0
  /// Log index of its last change.
  public var modifyIndex: UInt64 = 0
  /// Log index of its last registration, as against `modifyIndex`, which also moves with the status.
  public var jobModifyIndex: UInt64 = 0
  /// Nanoseconds since 1970 of that registration.
  public var submitTime: Int64 = 0
  /// Only with `?meta=true`: the job's key and value pairs.
  public var meta: [String: String] = [:]
  /// Tag of the current version, if any.
  @Indirect public var versionTag: JobVersionTag?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "ParentID", &parentID)
    v.field(3, "Name", &name)
    v.field(4, "Namespace", &namespace)
    v.field(5, "Datacenters", &datacenters)
    v.field(6, "NodePool", &nodePool)
    v.field(7, "Multiregion", &_multiregion)
    v.field(8, "Type", &type)
    v.field(9, "Priority", &priority)
    v.field(10, "Periodic", &periodic)
    v.field(11, "ParameterizedJob", &parameterizedJob)
    v.field(12, "Stop", &stop)
    v.field(13, "Status", &status)
    v.field(14, "StatusDescription", &statusDescription)
    v.field(15, "JobSummary", &_jobSummary)
    v.field(16, "CreateIndex", &createIndex)
    v.field(17, "ModifyIndex", &modifyIndex)
    v.field(18, "JobModifyIndex", &jobModifyIndex)
    v.field(19, "SubmitTime", &submitTime)
    v.field(20, "Meta", &meta, .omitEmpty)
    v.field(21, "VersionTag", &_versionTag, .omitEmpty)
  }
}
