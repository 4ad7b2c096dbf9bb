public import Codec

/// A job as users write it and servers keep it. Parts that are optional are those that a sparse job may leave out;
/// `canonicalize()` fills them with the documented defaults.
public struct Job: Record {
  /// Region whose servers run the job; the default is the region of the agent that registers it.
  public var region: String?
  /// Namespace that the job lives in; `default` when it names none.
  public var namespace: String?
  /// Unique within the namespace.
  public var id = ""
  /// Name for people; the default is the id.
  public var name: String?
  /// Which scheduler places it; `service` when absent.
  public var type: JobType?
  /// 1 to 100, 50 by default: higher ones are scheduled first and may displace lower ones where preemption is on.
  public var priority: Int?
  /// Place all allocations of one evaluation or none (`all_at_once`); false by default.
  public var allAtOnce: Bool?
  /// Datacenters that may run it, globs allowed; `["*"]`, any, by default.
  public var datacenters: [String] = []
  /// Node pool that may run it; the namespace's default, usually `default`, when absent.
  public var nodePool: String?
  /// What a node must satisfy for any group of the job.
  public var constraints: [Constraint] = []
  /// What nodes are preferred or avoided for any group of the job.
  public var affinities: [Affinity] = []
  /// The units of placement, at least one; names are unique within the job.
  public var taskGroups: [TaskGroup] = []
  /// The default for the groups' own `update`.
  @Indirect public var update: UpdateStrategy?
  /// Rollout over several regions; kept, and refused at registration by this version.
  @Indirect public var multiregion: Multiregion?
  /// Attributes over whose values allocations of every group are to be spread.
  public var spreads: [Spread] = []
  /// Launch times, for a batch job that runs again and again.
  @Indirect public var periodic: PeriodicConfig?
  /// Makes the job a template that `job dispatch` launches with payload and metadata.
  @Indirect public var parameterizedJob: ParameterizedJobConfig?
  /// The default for the groups' own `reschedule`.
  @Indirect public var reschedule: ReschedulePolicy?
  /// The default for the groups' own `migrate`.
  @Indirect public var migrate: MigrateStrategy?
  /// Key and value pairs for people, constraints (`${meta.x}`) and tasks (`NOMAD_META_x`); inherited by groups and
  /// tasks.
  public var meta: [String: String] = [:]
  /// Description and links for user interfaces.
  @Indirect public var ui: JobUI?
  /// Set when the job has been stopped and not purged.
  public var stop: Bool?
  /// The periodic or parameterized job that this one was launched from.
  public var parentID: String?
  /// Set on jobs that `job dispatch` made from a parameterized one.
  public var dispatched = false
  /// A second dispatch with the same token launches nothing and answers with the first one's job.
  public var dispatchIdempotencyToken: String?
  /// What `job dispatch` was given, at most 16 KiB, for the task that asks for it; Base64 in JSON.
  public var payload: Blob?
  /// Consul namespace of the job's services and keys; refused by this version when set.
  public var consulNamespace: String?
  /// Vault namespace that the job's secrets are read from; refused by this version when set.
  public var vaultNamespace: String?
  /// Accessor of the ACL token that registered the job; filled by the server.
  public var nomadTokenID: String?
  /// Computed by the server; what a client sends is ignored.
  public var status: JobStatus?
  /// Why the job has its status, when the status alone does not say it.
  public var statusDescription: String?
  /// Whether a deployment of this version succeeded, which makes it a target of `auto_revert`.
  public var stable: Bool?
  /// Counts the registrations that changed the job, from 0.
  public var version: UInt64?
  /// Nanoseconds since 1970.
  public var submitTime: Int64?
  /// Log index of the job's first registration since it was last purged.
  public var createIndex: UInt64?
  /// Log index of the last change of any kind, status included.
  public var modifyIndex: UInt64?
  /// The index of the last registration; `ModifyIndex` also moves with the status.
  public var jobModifyIndex: UInt64?
  /// The name that `job tag apply` gave to this version, if any.
  @Indirect public var versionTag: JobVersionTag?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// The text, as it stands in JSON.
  public let rawValue: String
  /// Takes any text: one that this version does not know is kept as it is.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// Runs until stopped: allocations that end are restarted or replaced; updates are deployments.
  public static let service: JobType = "service"
  /// Runs to completion; allocations that exit with 0 are done.
  public static let batch: JobType = "batch"
  /// One allocation per group on every feasible node, new nodes included, until stopped.
  public static let system: JobType = "system"
  /// One allocation per group on every feasible node, each run to completion.
  public static let sysbatch: JobType = "sysbatch"
}

/// What a job is doing, summed up over its evaluations and allocations.
public struct JobStatus: OpenText {
  /// The text, as it stands in JSON.
  public let rawValue: String
  /// Takes any text: one that this version does not know is kept as it is.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// No allocation has started yet, or the job waits for capacity.
  public static let pending: JobStatus = "pending"
  /// At least one allocation runs, or a periodic or parameterized job stands ready to launch.
  public static let running: JobStatus = "running"
  /// Stopped, or every allocation is done.
  public static let dead: JobStatus = "dead"
}

/// A name given to one version of a job, which garbage collection then spares.
public struct JobVersionTag: Record {
  /// The tag, unique among the job's versions.
  public var name = ""
  /// Free text of the person who tagged it.
  public var description = ""
  /// Nanoseconds since 1970.
  public var taggedTime: Int64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Description", &description)
    v.field(3, "TaggedTime", &taggedTime)
  }
}

/// What a user interface shows beside a job.
public struct JobUI: Record {
  /// Shown beside the job; Markdown.
  public var description = ""
  /// Links shown beside the job, in order.
  public var links: [JobUILink] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Description", &description)
    v.field(2, "Links", &links)
  }
}

/// A link that a user interface shows beside a job.
public struct JobUILink: Record {
  /// Text of the link.
  public var label = ""
  /// Target of the link.
  public var url = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Label", &label)
    v.field(2, "URL", &url)
  }
}
