public import Codec

/// Tasks that run together on one node; `count` says how many instances of the group there are.
public struct TaskGroup: Record {
  /// Unique within the job.
  public var name = ""
  /// How many allocations there are to be; 1 by default. System jobs take only 0 and 1.
  public var count: Int?
  /// What a node must satisfy, besides the job's.
  public var constraints: [Constraint] = []
  /// What nodes are preferred, besides the job's.
  public var affinities: [Affinity] = []
  /// The tasks, which run on the same node; at least one.
  public var tasks: [JobTask] = []
  /// Attributes over whose values the group's allocations are to be spread.
  public var spreads: [Spread] = []
  /// Volumes that the group's tasks may mount, by name.
  public var volumes: [String: VolumeRequest] = [:]
  /// What follows an exit of a task; defaults depend on the job's type.
  @Indirect public var restartPolicy: RestartPolicy?
  /// What follows when the node is out of reach.
  @Indirect public var disconnect: DisconnectStrategy?
  /// When and how often a failed allocation is replaced; the job's by default.
  @Indirect public var reschedulePolicy: ReschedulePolicy?
  /// Disk of the allocation directory.
  @Indirect public var ephemeralDisk: EphemeralDisk?
  /// How a new version is rolled out; the job's by default.
  @Indirect public var update: UpdateStrategy?
  /// How a drain moves the group's allocations; the job's by default.
  @Indirect public var migrate: MigrateStrategy?
  /// The group's network and its ports; one entry at most.
  public var networks: [NetworkResource] = []
  /// Key and value pairs, over the job's.
  public var meta: [String: String] = [:]
  /// Services that the group provides as a whole.
  public var services: [Service] = []
  /// Nanoseconds between deregistration of its services and the kill signals.
  public var shutdownDelay: Nanoseconds?
  /// The group's allocations are stopped when they have run this long.
  public var maxRunDuration: Nanoseconds?
  /// Superseded by `disconnect`.
  public var stopAfterClientDisconnect: Nanoseconds?
  /// Superseded by `disconnect`.
  public var maxClientDisconnect: Nanoseconds?
  /// Bounds and policy of scaling; absent when only the job may set the count.
  @Indirect public var scaling: ScalingPolicy?
  /// Consul namespace and cluster of the group's services; refused by this version when it names one.
  @Indirect public var consul: Consul?
  /// Superseded by `disconnect`.
  public var preventRescheduleOnLost: Bool?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name, .diffKey)
    v.field(2, "Count", &count)
    v.field(3, "Constraints", &constraints)
    v.field(4, "Affinities", &affinities)
    v.field(5, "Tasks", &tasks)
    v.field(6, "Spreads", &spreads)
    v.field(7, "Volumes", &volumes)
    v.field(8, "RestartPolicy", &_restartPolicy)
    v.field(9, "Disconnect", &_disconnect)
    v.field(10, "ReschedulePolicy", &_reschedulePolicy)
    v.field(11, "EphemeralDisk", &_ephemeralDisk)
    v.field(12, "Update", &_update)
    v.field(13, "Migrate", &_migrate)
    v.field(14, "Networks", &networks)
    v.field(15, "Meta", &meta)
    v.field(16, "Services", &services)
    v.field(17, "ShutdownDelay", &shutdownDelay)
    v.field(18, "MaxRunDuration", &maxRunDuration)
    v.field(19, "StopAfterClientDisconnect", &stopAfterClientDisconnect)
    v.field(20, "MaxClientDisconnect", &maxClientDisconnect)
    v.field(21, "Scaling", &_scaling)
    v.field(22, "Consul", &_consul)
    v.field(23, "PreventRescheduleOnLost", &preventRescheduleOnLost)
  }
}

/// The disk space that an allocation's tasks share (`ephemeral_disk` block).
public struct EphemeralDisk: Record {
  /// A replacement on the same node keeps the data.
  public var sticky: Bool?
  /// A replacement on another node gets a copy of the data.
  public var migrate: Bool?
  /// MiB reserved on the node, 300 by default; not enforced as a limit.
  public var sizeMB: Int?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Sticky", &sticky)
    v.field(2, "Migrate", &migrate)
    v.field(3, "SizeMB", &sizeMB)
  }
}
