public import Codec

/// Answer of `GET /v1/client/allocation/:id/stats`.
public struct AllocResourceUsage: Record {
  /// Sum over the tasks.
  @Indirect public var resourceUsage: ResourceUsage?
  /// Use of each running task, by task name.
  public var tasks: [String: TaskResourceUsage] = [:]
  /// Nanoseconds since 1970.
  public var timestamp: Int64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ResourceUsage", &_resourceUsage)
    v.field(2, "Tasks", &tasks)
    v.field(3, "Timestamp", &timestamp)
  }
}

/// What a task uses.
public struct TaskResourceUsage: Record {
  /// Use of the task's whole control group.
  @Indirect public var resourceUsage: ResourceUsage?
  /// Nanoseconds since 1970.
  public var timestamp: Int64 = 0
  /// Use of single processes by pid; empty when the driver measures the group as a whole.
  public var pids: [String: ResourceUsage] = [:]

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ResourceUsage", &_resourceUsage)
    v.field(2, "Timestamp", &timestamp)
    v.field(3, "Pids", &pids)
  }
}

/// Processor and memory use.
public struct ResourceUsage: Record {
  /// Memory; absent when it could not be read.
  @Indirect public var memoryStats: MemoryStats?
  /// CPU; absent when it could not be read.
  @Indirect public var cpuStats: CpuStats?
  /// Statistics of device plugins, as they report them.
  public var deviceStats: [JSONValue] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "MemoryStats", &_memoryStats)
    v.field(2, "CpuStats", &_cpuStats)
    v.field(3, "DeviceStats", &deviceStats)
  }
}

/// Memory use in bytes; `measured` names the figures that this host gives.
public struct MemoryStats: Record {
  /// Bytes of anonymous memory.
  public var rss: UInt64 = 0
  /// Bytes of page cache charged to the group.
  public var cache: UInt64 = 0
  /// Bytes swapped out.
  public var swap: UInt64 = 0
  /// Bytes of file mappings.
  public var mappedFile: UInt64 = 0
  /// Bytes charged in all, as the limit counts them.
  public var usage: UInt64 = 0
  /// Highest `usage` since the start.
  public var maxUsage: UInt64 = 0
  /// Bytes of kernel memory charged.
  public var kernelUsage: UInt64 = 0
  /// Highest `kernelUsage` since the start.
  public var kernelMaxUsage: UInt64 = 0
  /// Names of the fields above that this host's cgroups provide; the others are zero and mean nothing.
  public var measured: [String] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// Per cent of one core spent in the kernel since the last sample.
  public var systemMode: Double = 0
  /// Per cent of one core spent in user space since the last sample.
  public var userMode: Double = 0
  /// MHz used: `percent` of a core's frequency.
  public var totalTicks: Double = 0
  /// Scheduler periods in which the group was held back by its quota, since the start.
  public var throttledPeriods: UInt64 = 0
  /// Nanoseconds that it was held back, since the start.
  public var throttledTime: UInt64 = 0
  /// Per cent of one core in all since the last sample; 200 is two full cores.
  public var percent: Double = 0
  /// Names of the fields above that this host's cgroups provide.
  public var measured: [String] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// Memory of the machine.
  public var memory = HostMemoryStats()
  /// Use of each core.
  public var cpu: [HostCPUStats] = []
  /// File systems that are mounted from disks.
  public var diskStats: [HostDiskStats] = []
  /// The file system that holds the allocation directories.
  @Indirect public var allocDirStats: HostDiskStats?
  /// Statistics of device plugins, as they report them.
  public var deviceStats: [JSONValue] = []
  /// Seconds.
  public var uptime: UInt64 = 0
  /// MHz used by all cores together.
  public var cpuTicksConsumed: Double = 0
  /// Nanoseconds since 1970.
  public var timestamp: Int64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// Bytes of RAM.
  public var total: UInt64 = 0
  /// Bytes that programs could still get without swapping.
  public var available: UInt64 = 0
  /// Bytes in use, caches not counted.
  public var used: UInt64 = 0
  /// Bytes that hold nothing at all.
  public var free: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Total", &total)
    v.field(2, "Available", &available)
    v.field(3, "Used", &used)
    v.field(4, "Free", &free)
  }
}

/// One core of the host, in percent.
public struct HostCPUStats: Record {
  /// `cpu0`, `cpu1` …
  public var cpu = ""
  /// Per cent spent in user space since the last sample.
  public var user: Double = 0
  /// Per cent spent in the kernel since the last sample.
  public var system: Double = 0
  /// Per cent spent idle since the last sample.
  public var idle: Double = 0
  /// Per cent spent on anything since the last sample.
  public var totalPercent: Double = 0
  /// MHz used: that share of the core's frequency.
  public var totalTicks: Double = 0
  /// The same as `totalPercent`, under the name that the API had for it before.
  public var total: Double = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "CPU", &cpu)
    v.field(2, "User", &user)
    v.field(3, "System", &system)
    v.field(4, "Idle", &idle)
    v.field(5, "TotalPercent", &totalPercent)
    v.field(6, "TotalTicks", &totalTicks)
    v.field(7, "Total", &total)
  }
}

/// A file system of the host; sizes in bytes.
public struct HostDiskStats: Record {
  /// Device file, such as `/dev/sda1`.
  public var device = ""
  /// Where it is mounted.
  public var mountpoint = ""
  /// Bytes in all.
  public var size: UInt64 = 0
  /// Bytes in use.
  public var used: UInt64 = 0
  /// Bytes that unprivileged users may still write.
  public var available: UInt64 = 0
  /// `used` in per cent of `size`.
  public var usedPercent: Double = 0
  /// Inodes in use, in per cent; 0 where the file system has no fixed number.
  public var inodesUsedPercent: Double = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
