public import Codec

/// What a task asks for; also the sums that older API fields show.
public struct Resources: Record {
  /// MHz.
  public var cpu: Int?
  /// Whole cores, instead of MHz.
  public var cores: Int?
  public var memoryMB: Int?
  /// What the task may use when the node has it free; -1 for no limit.
  public var memoryMaxMB: Int?
  public var diskMB: Int?
  public var networks: [NetworkResource] = []
  public var devices: [RequestedDevice] = []
  @Indirect public var numa: NUMAResource?
  public var secretsMB: Int?
  /// Has no effect any more.
  public var iops: Int?

  public init() {}

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
  public var name = ""
  public var count: UInt64?
  public var constraints: [Constraint] = []
  public var affinities: [Affinity] = []

  public init() {}

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
  public var devices: [String] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Affinity", &affinity)
    v.field(2, "Devices", &devices)
  }
}
