public import Codec

/// Answer of `GET /v1/client/allocation/:id/stats`.
public struct AllocResourceUsage: Record {
  @Indirect public var resourceUsage: ResourceUsage?
  public var tasks: [String: TaskResourceUsage] = [:]
  /// Nanoseconds since 1970.
  public var timestamp: Int64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ResourceUsage", &_resourceUsage)
    v.field(2, "Tasks", &tasks)
    v.field(3, "Timestamp", &timestamp)
  }
}

/// What a task uses.
public struct TaskResourceUsage: Record {
  @Indirect public var resourceUsage: ResourceUsage?
  /// Nanoseconds since 1970.
  public var timestamp: Int64 = 0
  public var pids: [String: ResourceUsage] = [:]

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ResourceUsage", &_resourceUsage)
    v.field(2, "Timestamp", &timestamp)
    v.field(3, "Pids", &pids)
  }
}

/// Processor and memory use.
public struct ResourceUsage: Record {
  @Indirect public var memoryStats: MemoryStats?
  @Indirect public var cpuStats: CpuStats?
  public var deviceStats: [JSONValue] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "MemoryStats", &_memoryStats)
    v.field(2, "CpuStats", &_cpuStats)
    v.field(3, "DeviceStats", &deviceStats)
  }
}

/// Memory use in bytes; `measured` names the figures that this host gives.
public struct MemoryStats: Record {
  public var rss: UInt64 = 0
  public var cache: UInt64 = 0
  public var swap: UInt64 = 0
  public var mappedFile: UInt64 = 0
  public var usage: UInt64 = 0
  public var maxUsage: UInt64 = 0
  public var kernelUsage: UInt64 = 0
  public var kernelMaxUsage: UInt64 = 0
  public var measured: [String] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "RSS", &rss)
    v.field(2, "Cache", &cache)
    v.field(3, "Swap", &swap)
    v.field(4, "MappedFile", &mappedFile)
    v.field(5, "Usage", &usage)
    v.field(6, "MaxUsage", &maxUsage)
    v.field(7, "KernelUsage", &kernelUsage)
    v.field(8, "KernelMaxUsage", &kernelMaxUsage)
    v.field(9, "Measured", &measured)
  }
}

/// Processor use; percentages are of one core, ticks are MHz.
public struct CpuStats: Record {
  public var systemMode: Double = 0
  public var userMode: Double = 0
  public var totalTicks: Double = 0
  public var throttledPeriods: UInt64 = 0
  public var throttledTime: UInt64 = 0
  public var percent: Double = 0
  public var measured: [String] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "SystemMode", &systemMode)
    v.field(2, "UserMode", &userMode)
    v.field(3, "TotalTicks", &totalTicks)
    v.field(4, "ThrottledPeriods", &throttledPeriods)
    v.field(5, "ThrottledTime", &throttledTime)
    v.field(6, "Percent", &percent)
    v.field(7, "Measured", &measured)
  }
}

/// Answer of `GET /v1/client/stats`.
public struct HostStats: Record {
  public var memory = HostMemoryStats()
  public var cpu: [HostCPUStats] = []
  public var diskStats: [HostDiskStats] = []
  @Indirect public var allocDirStats: HostDiskStats?
  public var deviceStats: [JSONValue] = []
  /// Seconds.
  public var uptime: UInt64 = 0
  public var cpuTicksConsumed: Double = 0
  /// Nanoseconds since 1970.
  public var timestamp: Int64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Memory", &memory)
    v.field(2, "CPU", &cpu)
    v.field(3, "DiskStats", &diskStats)
    v.field(4, "AllocDirStats", &_allocDirStats)
    v.field(5, "DeviceStats", &deviceStats)
    v.field(6, "Uptime", &uptime)
    v.field(7, "CPUTicksConsumed", &cpuTicksConsumed)
    v.field(8, "Timestamp", &timestamp)
  }
}

/// Memory of the host in bytes.
public struct HostMemoryStats: Record {
  public var total: UInt64 = 0
  public var available: UInt64 = 0
  public var used: UInt64 = 0
  public var free: UInt64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Total", &total)
    v.field(2, "Available", &available)
    v.field(3, "Used", &used)
    v.field(4, "Free", &free)
  }
}

/// One core of the host, in percent.
public struct HostCPUStats: Record {
  public var cpu = ""
  public var user: Double = 0
  public var system: Double = 0
  public var idle: Double = 0
  public var totalPercent: Double = 0
  public var totalTicks: Double = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "CPU", &cpu)
    v.field(2, "User", &user)
    v.field(3, "System", &system)
    v.field(4, "Idle", &idle)
    v.field(5, "TotalPercent", &totalPercent)
    v.field(6, "TotalTicks", &totalTicks)
  }
}

/// A file system of the host; sizes in bytes.
public struct HostDiskStats: Record {
  public var device = ""
  public var mountpoint = ""
  public var size: UInt64 = 0
  public var used: UInt64 = 0
  public var available: UInt64 = 0
  public var usedPercent: Double = 0
  public var inodesUsedPercent: Double = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Device", &device)
    v.field(2, "Mountpoint", &mountpoint)
    v.field(3, "Size", &size)
    v.field(4, "Used", &used)
    v.field(5, "Available", &available)
    v.field(6, "UsedPercent", &usedPercent)
    v.field(7, "InodesUsedPercent", &inodesUsedPercent)
  }
}
