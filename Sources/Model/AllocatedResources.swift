public import Codec

/// What an allocation holds.
public struct AllocatedResources: Record {
  /// What each task holds, by task name.
  public var tasks: [String: AllocatedTaskResources] = [:]
  /// When each task runs, by task name: tasks that never run together share their resources.
  public var taskLifecycles: [String: TaskLifecycle?] = [:]
  /// What the tasks hold together.
  public var shared = AllocatedSharedResources()

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Tasks", &tasks)
    v.field(2, "TaskLifecycles", &taskLifecycles)
    v.field(3, "Shared", &shared)
  }
}

/// What one task holds.
public struct AllocatedTaskResources: Record {
  /// CPU shares and reserved cores.
  public var cpu = AllocatedCpuResources()
  /// Memory reserved and its limit.
  public var memory = AllocatedMemoryResources()
  /// Networks of the task itself; only in old jobs.
  public var networks: [NetworkResource] = []
  /// Devices that the task may open.
  public var devices: [AllocatedDeviceResource] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Cpu", &cpu)
    v.field(2, "Memory", &memory)
    v.field(3, "Networks", &networks)
    v.field(4, "Devices", &devices)
  }
}

/// Processors that a task holds.
public struct AllocatedCpuResources: Record {
  /// MHz.
  public var cpuShares: Int64 = 0
  /// Ids of the cores that the task has for itself.
  public var reservedCores: [Int] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "CpuShares", &cpuShares)
    v.field(2, "ReservedCores", &reservedCores)
  }
}

/// Memory that a task holds.
public struct AllocatedMemoryResources: Record {
  /// MiB reserved, the limit unless `memoryMaxMB` is set.
  public var memoryMB: Int64 = 0
  /// Limit in MiB when it is above `memoryMB`; 0 otherwise.
  public var memoryMaxMB: Int64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "MemoryMB", &memoryMB)
    v.field(2, "MemoryMaxMB", &memoryMaxMB)
  }
}

/// Devices that a task holds.
public struct AllocatedDeviceResource: Record {
  /// Maker of the devices.
  public var vendor = ""
  /// Kind of the devices.
  public var type = ""
  /// Model of the devices.
  public var name = ""
  /// The plugin's ids of the devices.
  public var deviceIDs: [String] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Vendor", &vendor)
    v.field(2, "Type", &type)
    v.field(3, "Name", &name)
    v.field(4, "DeviceIDs", &deviceIDs)
  }
}

/// What the tasks of an allocation share.
public struct AllocatedSharedResources: Record {
  /// MiB reserved for `ephemeral_disk`.
  public var diskMB: Int64 = 0
  /// Networks of the group with the ports that were chosen.
  public var networks: [NetworkResource] = []
  /// Ports with their addresses, for both sides of the mapping.
  public var ports: [PortMapping] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "DiskMB", &diskMB)
    v.field(2, "Networks", &networks)
    v.field(3, "Ports", &ports)
  }
}

/// A port on the host and where it leads.
public struct PortMapping: Record {
  /// Label of the port in the jobspec.
  public var label = ""
  /// Number on the host.
  public var value = 0
  /// Number inside the allocation's network; that on the host when 0.
  public var to = 0
  /// Address on the host that the port is bound to.
  public var hostIP = ""
  /// Whether another allocation may have the same port.
  public var ignoreCollision = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Label", &label)
    v.field(2, "Value", &value)
    v.field(3, "To", &to)
    v.field(4, "HostIP", &hostIP)
    v.field(5, "IgnoreCollision", &ignoreCollision)
  }
}
