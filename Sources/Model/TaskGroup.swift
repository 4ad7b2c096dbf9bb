public import Codec

/// Tasks that run together on one node; `count` says how many instances of the group there are.
public struct TaskGroup: Record {
  public var name = ""
  public var count: Int?
  public var constraints: [Constraint] = []
  public var affinities: [Affinity] = []
  public var tasks: [JobTask] = []
  public var spreads: [Spread] = []
  public var volumes: [String: VolumeRequest] = [:]
  @Indirect public var restartPolicy: RestartPolicy?
  @Indirect public var disconnect: DisconnectStrategy?
  @Indirect public var reschedulePolicy: ReschedulePolicy?
  @Indirect public var ephemeralDisk: EphemeralDisk?
  @Indirect public var update: UpdateStrategy?
  @Indirect public var migrate: MigrateStrategy?
  public var networks: [NetworkResource] = []
  public var meta: [String: String] = [:]
  public var services: [Service] = []
  public var shutdownDelay: Nanoseconds?
  /// The group's allocations are stopped when they have run this long.
  public var maxRunDuration: Nanoseconds?
  /// Superseded by `disconnect`.
  public var stopAfterClientDisconnect: Nanoseconds?
  /// Superseded by `disconnect`.
  public var maxClientDisconnect: Nanoseconds?
  @Indirect public var scaling: ScalingPolicy?
  @Indirect public var consul: Consul?
  /// Superseded by `disconnect`.
  public var preventRescheduleOnLost: Bool?

  public init() {}

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
  public var sizeMB: Int?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Sticky", &sticky)
    v.field(2, "Migrate", &migrate)
    v.field(3, "SizeMB", &sizeMB)
  }
}
