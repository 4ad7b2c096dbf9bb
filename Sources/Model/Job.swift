public import Codec

/// A job as users write it and servers keep it. Parts that are optional are those that a sparse job may leave out;
/// `canonicalize()` fills them with the documented defaults.
public struct Job: Record {
  public var region: String?
  public var namespace: String?
  /// Unique within the namespace.
  public var id = ""
  public var name: String?
  public var type: JobType?
  public var priority: Int?
  public var allAtOnce: Bool?
  public var datacenters: [String] = []
  public var nodePool: String?
  public var constraints: [Constraint] = []
  public var affinities: [Affinity] = []
  public var taskGroups: [TaskGroup] = []
  /// The default for the groups' own `update`.
  @Indirect public var update: UpdateStrategy?
  @Indirect public var multiregion: Multiregion?
  public var spreads: [Spread] = []
  @Indirect public var periodic: PeriodicConfig?
  @Indirect public var parameterizedJob: ParameterizedJobConfig?
  /// The default for the groups' own `reschedule`.
  @Indirect public var reschedule: ReschedulePolicy?
  /// The default for the groups' own `migrate`.
  @Indirect public var migrate: MigrateStrategy?
  public var meta: [String: String] = [:]
  @Indirect public var ui: JobUI?
  /// Set when the job has been stopped and not purged.
  public var stop: Bool?
  /// The periodic or parameterized job that this one was launched from.
  public var parentID: String?
  public var dispatched = false
  public var dispatchIdempotencyToken: String?
  public var payload: Blob?
  public var consulNamespace: String?
  public var vaultNamespace: String?
  public var nomadTokenID: String?
  public var status: JobStatus?
  public var statusDescription: String?
  public var stable: Bool?
  /// Counts the registrations that changed the job, from 0.
  public var version: UInt64?
  /// Nanoseconds since 1970.
  public var submitTime: Int64?
  public var createIndex: UInt64?
  public var modifyIndex: UInt64?
  /// The index of the last registration; `ModifyIndex` also moves with the status.
  public var jobModifyIndex: UInt64?
  @Indirect public var versionTag: JobVersionTag?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Region", &region)
    v.field(2, "Namespace", &namespace)
    v.field(3, "ID", &id, .diffIgnore)
    v.field(4, "Name", &name)
    v.field(5, "Type", &type)
    v.field(6, "Priority", &priority)
    v.field(7, "AllAtOnce", &allAtOnce)
    v.field(8, "Datacenters", &datacenters)
    v.field(9, "NodePool", &nodePool)
    v.field(10, "Constraints", &constraints)
    v.field(11, "Affinities", &affinities)
    v.field(12, "TaskGroups", &taskGroups)
    v.field(13, "Update", &_update, .diffIgnore)
    v.field(14, "Multiregion", &_multiregion)
    v.field(15, "Spreads", &spreads)
    v.field(16, "Periodic", &_periodic)
    v.field(17, "ParameterizedJob", &_parameterizedJob)
    v.field(18, "Reschedule", &_reschedule, .diffIgnore)
    v.field(19, "Migrate", &_migrate, .diffIgnore)
    v.field(20, "Meta", &meta)
    v.field(21, "UI", &_ui)
    v.field(22, "Stop", &stop)
    v.field(23, "ParentID", &parentID)
    v.field(24, "Dispatched", &dispatched)
    v.field(25, "DispatchIdempotencyToken", &dispatchIdempotencyToken)
    v.field(26, "Payload", &payload)
    v.field(27, "ConsulNamespace", &consulNamespace)
    v.field(28, "VaultNamespace", &vaultNamespace)
    v.field(29, "NomadTokenID", &nomadTokenID, .diffIgnore)
    v.field(30, "Status", &status, .diffIgnore)
    v.field(31, "StatusDescription", &statusDescription, .diffIgnore)
    v.field(32, "Stable", &stable, .diffIgnore)
    v.field(33, "Version", &version, .diffIgnore)
    v.field(34, "SubmitTime", &submitTime, .diffIgnore)
    v.field(35, "CreateIndex", &createIndex, .diffIgnore)
    v.field(36, "ModifyIndex", &modifyIndex, .diffIgnore)
    v.field(37, "JobModifyIndex", &jobModifyIndex, .diffIgnore)
    v.field(38, "VersionTag", &_versionTag, .diffIgnore)
  }
}

/// The scheduler that a job is for.
public struct JobType: OpenText {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  public static let service: JobType = "service"
  public static let batch: JobType = "batch"
  public static let system: JobType = "system"
  public static let sysbatch: JobType = "sysbatch"
}

/// What a job is doing, summed up over its evaluations and allocations.
public struct JobStatus: OpenText {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  public static let pending: JobStatus = "pending"
  public static let running: JobStatus = "running"
  public static let dead: JobStatus = "dead"
}

/// A name given to one version of a job, which garbage collection then spares.
public struct JobVersionTag: Record {
  public var name = ""
  public var description = ""
  /// Nanoseconds since 1970.
  public var taggedTime: Int64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Description", &description)
    v.field(3, "TaggedTime", &taggedTime)
  }
}

/// What a user interface shows beside a job.
public struct JobUI: Record {
  public var description = ""
  public var links: [JobUILink] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Description", &description)
    v.field(2, "Links", &links)
  }
}

/// A link that a user interface shows beside a job.
public struct JobUILink: Record {
  public var label = ""
  public var url = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Label", &label)
    v.field(2, "URL", &url)
  }
}
