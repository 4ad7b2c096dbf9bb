public import Codec

/// What a task asks for; also the sums that older API fields show.
public struct Resources: Record {
  /// MHz.
  public var cpu: Int?
  /// Whole cores, instead of MHz.
  public var cores: Int?
  /// Memory in MiB that is reserved and, without `memoryMaxMB`, the limit; 300 by default.
  public var memoryMB: Int?
  /// What the task may use when the node has it free; -1 for no limit.
  public var memoryMaxMB: Int?
  /// Of old jobs, in MiB; superseded by the group's `ephemeral_disk` and ignored.
  public var diskMB: Int?
  /// Of old jobs; superseded by the group's `network` and refused with ports in a task.
  public var networks: [NetworkResource] = []
  /// Devices asked for, one entry per kind.
  public var devices: [RequestedDevice] = []
  /// Whether cores and devices have to come from one NUMA node.
  @Indirect public var numa: NUMAResource?
  /// Size of the task's `secrets` directory in MiB; absent for the client's default.
  public var secretsMB: Int?
  /// Has no effect any more.
  public var iops: Int?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "CPU", &cpu)
    v.field(2, "Cores", &cores)
    v.field(3, "MemoryMB", &memoryMB)
    v.field(4, "MemoryMaxMB", &memoryMaxMB)
    v.field(5, "DiskMB", &diskMB)
    v.field(6, "Networks", &networks)
    v.field(7, "Devices", &devices)
    v.field(8, "NUMA", &_numa)
    v.field(9, "SecretsMB", &secretsMB)
    v.field(10, "IOPS", &iops)
  }
}

/// Devices that a task asks for: `type`, `vendor/type` or `vendor/type/name`.
public struct RequestedDevice: Record {
  /// `<type>`, `<vendor>/<type>` or `<vendor>/<type>/<name>`, such as `nvidia/gpu`.
  public var name = ""
  /// How many instances; 1 by default.
  public var count: UInt64?
  /// What an instance's attributes must satisfy (`${device.attr.memory}` …).
  public var constraints: [Constraint] = []
  /// What attributes are preferred among those that do.
  public var affinities: [Affinity] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Count", &count)
    v.field(3, "Constraints", &constraints)
    v.field(4, "Affinities", &affinities)
  }
}

/// How cores are chosen with regard to NUMA nodes.
public struct NUMAResource: Record {
  /// `none`, `prefer` or `require`.
  public var affinity = ""
  /// Names of the `device` blocks whose instances have to be near the cores.
  public var devices: [String] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Affinity", &affinity)
    v.field(2, "Devices", &devices)
  }
}
