/// What a task may use, in the jobspec's terms; each cgroup version writes it its own way.
public struct CgroupLimits: Sendable, Equatable {
  /// CPU shares relative to others, 2…262144 (in the jobspec: MHz).
  public var cpuShares: UInt64 = 1024
  /// Microseconds of CPU per 100 ms; nil: no hard limit.
  public var cpuQuotaMicroseconds: UInt64?
  /// CPU list as in cpuset(7), "0-1,4"; nil: all.
  public var cpus: String?
  /// Hard memory limit in bytes; nil: none.
  public var memoryBytes: UInt64?
  /// Memory that reclaim spares, in bytes (soft limit); nil: none.
  public var memoryReservationBytes: UInt64?
  /// Swap in bytes on top of memory.
  public var swapBytes: UInt64 = 0
  /// Processes and threads; nil: no limit.
  public var pids: UInt64? = 4096
  /// Share of the disks' time relative to others, 1…10000 (100 is the kernel's own default); nil: the default.
  public var ioWeight: UInt64?
  /// Huge pages, by size; none: no limit.
  public var hugePages: [HugePageLimit] = []
  /// Devices that may be opened; nil: no rule.
  public var devices: [DeviceRule]? = DeviceRule.standard

  /// The defaults: 1024 shares, 4096 pids, the standard devices, no memory limit.
  public init() {}
}

/// Most bytes in huge pages of one size.
public struct HugePageLimit: Sendable, Equatable {
  /// The size as the kernel writes it: "2MB", "1GB".
  public var size: String
  /// Bytes.
  public var bytes: UInt64

  /// A limit.
  public init(size: String, bytes: UInt64) {
    self.size = size
    self.bytes = bytes
  }
}

/// A device that a task may open; making device nodes is never allowed.
public struct DeviceRule: Sendable, Equatable {
  /// Block or character device.
  public var isBlock: Bool
  /// Major number.
  public var major: UInt32
  /// Minor number; nil: all.
  public var minor: UInt32?
  /// Whether it may only be read.
  public var isReadOnly: Bool

  /// A character device, for reading and writing, unless said otherwise.
  public init(isBlock: Bool = false, major: UInt32, minor: UInt32?, isReadOnly: Bool = false) {
    self.isBlock = isBlock
    self.major = major
    self.minor = minor
    self.isReadOnly = isReadOnly
  }

  /// null, zero, full, random, urandom, tty, ptmx and pseudo-terminals.
  public static let standard: [DeviceRule] =
    [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 2)].map { DeviceRule(major: $0.0, minor: $0.1) }
    + [DeviceRule(major: 136, minor: nil)]

  /// As cgroup v1's devices.allow takes it.
  public var ruleText: String {
    "\(isBlock ? "b" : "c") \(major):\(minor.map { "\($0)" } ?? "*") \(isReadOnly ? "r" : "rw")"
  }
}

/// What a cgroup has used.
public struct CgroupStatistics: Sendable, Equatable {
  /// CPU time, nanoseconds.
  public var cpuNanoseconds: UInt64 = 0
  /// Of it in user mode.
  public var cpuUserNanoseconds: UInt64 = 0
  /// Of it in the kernel.
  public var cpuSystemNanoseconds: UInt64 = 0
  /// Periods in which the CPU quota was used up.
  public var throttledPeriods: UInt64 = 0
  /// Time spent waiting for it, nanoseconds.
  public var throttledNanoseconds: UInt64 = 0
  /// Memory charged, bytes, page cache included.
  public var memoryBytes: UInt64 = 0
  /// Most ever charged.
  public var memoryPeakBytes: UInt64 = 0
  /// Anonymous memory.
  public var memoryRSSBytes: UInt64 = 0
  /// Page cache.
  public var memoryCacheBytes: UInt64 = 0
  /// Swap.
  public var swapBytes: UInt64 = 0
  /// Kernel memory.
  public var memoryKernelBytes: UInt64 = 0
  /// Processes and threads.
  public var pids: UInt64 = 0
  /// Processes that the kernel killed for want of memory.
  public var oomKills: UInt64 = 0
  /// How often the group was at its own memory limit and nothing could be reclaimed. Kills without any of these were for
  /// want of memory on the host.
  public var oomEvents: UInt64 = 0
  /// Bytes read from disks.
  public var ioReadBytes: UInt64 = 0
  /// Bytes written to disks.
  public var ioWriteBytes: UInt64 = 0
  /// Time in which some process waited for CPU, microseconds (PSI, v2 only; the same below).
  public var cpuPressureMicroseconds: UInt64 = 0
  /// Time in which some process waited for memory.
  public var memoryPressureMicroseconds: UInt64 = 0
  /// Time in which some process waited for disks.
  public var ioPressureMicroseconds: UInt64 = 0

  /// All zero.
  public init() {}
}

/// Conversions between the two versions' units.
public enum CgroupUnits {
  /// v2 weight of v1 shares: the formula that container runtimes have agreed on (2 → 1, 1024 → 100, 262144 → 10000).
  public static func weight(shares: UInt64) -> UInt64 {
    if shares <= 2 { return 1 }
    if shares >= 262_144 { return 10_000 }
    let l = log2(Double(shares))
    let weight = pow(10, (l * l + 125 * l) / 612 - 7.0 / 34)
    return min(10_000, max(1, UInt64(weight.rounded(.up))))
  }
}
