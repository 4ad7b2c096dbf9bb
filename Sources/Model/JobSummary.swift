public import Codec

/// How many allocations of a job are in which state.
public struct JobSummary: Record {
  public var jobID = ""
  public var namespace = ""
  public var summary: [String: TaskGroupSummary] = [:]
  @Indirect public var children: JobChildrenSummary?
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

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
  public var queued = 0
  public var complete = 0
  public var failed = 0
  public var running = 0
  public var starting = 0
  public var lost = 0
  public var unknown = 0

  public init() {}

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
  public var pending: Int64 = 0
  public var running: Int64 = 0
  public var dead: Int64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Pending", &pending)
    v.field(2, "Running", &running)
    v.field(3, "Dead", &dead)
  }
}

/// A job in a list.
public struct JobListStub: Record {
  public var id = ""
  public var parentID = ""
  public var name = ""
  public var namespace = ""
  public var datacenters: [String] = []
  public var nodePool = ""
  @Indirect public var multiregion: Multiregion?
  public var type = ""
  public var priority = 0
  public var periodic = false
  public var parameterizedJob = false
  public var stop = false
  public var status = ""
  public var statusDescription = ""
  @Indirect public var jobSummary: JobSummary?
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0
  public var jobModifyIndex: UInt64 = 0
  public var submitTime: Int64 = 0
  public var meta: [String: String] = [:]
  @Indirect public var versionTag: JobVersionTag?

  public init() {}

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
