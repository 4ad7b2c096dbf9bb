internal import Codec
internal import Isolation
internal import Model

/// A task's usage counters at one moment; two of them make a rate.
struct UsageSample: Sendable {
  /// The attempt they belong to.
  var id: String
  var at: Timestamp
  var statistics: CgroupStatistics

  /// In the API's terms. Percentages are of one core; without an earlier sample they are averages since the start.
  func usage(since before: UsageSample?, startedAt: Timestamp, coreMHz: Int) -> ResourceUsage {
    let elapsed: Int64
    if let before {
      elapsed = (at - before.at).count
    } else {
      elapsed = (Moment.now.wall - startedAt).count
    }
    func percent(_ now: UInt64, _ then: UInt64?) -> Double {
      let used = now >= (then ?? 0) ? now - (then ?? 0) : 0
      return elapsed > 0 ? Double(used) / Double(elapsed) * 100 : 0
    }
    var cpu = CpuStats()
    cpu.userMode = percent(statistics.cpuUserNanoseconds, before?.statistics.cpuUserNanoseconds)
    cpu.systemMode = percent(statistics.cpuSystemNanoseconds, before?.statistics.cpuSystemNanoseconds)
    cpu.percent = percent(statistics.cpuNanoseconds, before?.statistics.cpuNanoseconds)
    cpu.totalTicks = cpu.percent / 100 * Double(coreMHz)
    cpu.throttledPeriods = statistics.throttledPeriods
    cpu.throttledTime = statistics.throttledNanoseconds
    cpu.measured = ["System Mode", "User Mode", "Percent", "Throttled Periods", "Throttled Time"]
    var memory = MemoryStats()
    memory.rss = statistics.memoryRSSBytes
    memory.cache = statistics.memoryCacheBytes
    memory.swap = statistics.swapBytes
    memory.usage = statistics.memoryBytes
    memory.maxUsage = statistics.memoryPeakBytes
    memory.kernelUsage = statistics.memoryKernelBytes
    memory.measured = ["RSS", "Cache", "Swap", "Usage", "Max Usage", "Kernel Usage"]
    var usage = ResourceUsage()
    usage.cpuStats = cpu
    usage.memoryStats = memory
    return usage
  }
}

/// Adds up what tasks use.
struct UsageSum {
  private var cpu = CpuStats()
  private var memory = MemoryStats()
  private var devices: [JSONValue] = []

  mutating func add(_ usage: ResourceUsage) {
    devices += usage.deviceStats
    if let more = usage.cpuStats {
      cpu.userMode += more.userMode
      cpu.systemMode += more.systemMode
      cpu.percent += more.percent
      cpu.totalTicks += more.totalTicks
      cpu.throttledPeriods += more.throttledPeriods
      cpu.throttledTime += more.throttledTime
      cpu.measured = more.measured
    }
    if let more = usage.memoryStats {
      memory.rss += more.rss
      memory.cache += more.cache
      memory.swap += more.swap
      memory.usage += more.usage
      memory.maxUsage += more.maxUsage
      memory.kernelUsage += more.kernelUsage
      memory.measured = more.measured
    }
  }

  var total: ResourceUsage {
    var usage = ResourceUsage()
    usage.cpuStats = cpu
    usage.memoryStats = memory
    usage.deviceStats = devices
    return usage
  }
}
