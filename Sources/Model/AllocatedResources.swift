public import Codec

/// What an allocation holds.
public struct AllocatedResources: Record {
  public var tasks: [String: AllocatedTaskResources] = [:]
  public var taskLifecycles: [String: TaskLifecycle?] = [:]
  public var shared = AllocatedSharedResources()

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Tasks", &tasks)
    v.field(2, "TaskLifecycles", &taskLifecycles)
    v.field(3, "Shared", &shared)
  }
}

/// What one task holds.
public struct AllocatedTaskResources: Record {
  public var cpu = AllocatedCpuResources()
  public var memory = AllocatedMemoryResources()
  public var networks: [NetworkResource] = []
  public var devices: [AllocatedDeviceResource] = []

  public init() {}

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
  public var reservedCores: [Int] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "CpuShares", &cpuShares)
    v.field(2, "ReservedCores", &reservedCores)
  }
}

/// Memory that a task holds.
public struct AllocatedMemoryResources: Record {
  public var memoryMB: Int64 = 0
  public var memoryMaxMB: Int64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "MemoryMB", &memoryMB)
    v.field(2, "MemoryMaxMB", &memoryMaxMB)
  }
}

/// Devices that a task holds.
public struct AllocatedDeviceResource: Record {
  public var vendor = ""
  public var type = ""
  public var name = ""
  public var deviceIDs: [String] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Vendor", &vendor)
    v.field(2, "Type", &type)
    v.field(3, "Name", &name)
    v.field(4, "DeviceIDs", &deviceIDs)
  }
}

/// What the tasks of an allocation share.
public struct AllocatedSharedResources: Record {
  public var diskMB: Int64 = 0
  public var networks: [NetworkResource] = []
  public var ports: [PortMapping] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "DiskMB", &diskMB)
    v.field(2, "Networks", &networks)
    v.field(3, "Ports", &ports)
  }
}

/// A port on the host and where it leads.
public struct PortMapping: Record {
  public var label = ""
  public var value = 0
  public var to = 0
  public var hostIP = ""
  public var ignoreCollision = false

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Label", &label)
    v.field(2, "Value", &value)
    v.field(3, "To", &to)
    v.field(4, "HostIP", &hostIP)
    v.field(5, "IgnoreCollision", &ignoreCollision)
  }
}
