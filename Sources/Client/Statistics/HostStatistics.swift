internal import Codec
internal import Model

/// What the whole host uses, from /proc and statvfs(3). Holds the counters of the last look, so that the next one gives
/// rates since then.
struct HostStatistics: Sendable {
  private var before: [String: ProcessorTimes] = [:]

  /// Looks once. Blocks on /proc. Percentages are since the look before, or since boot at the first.
  mutating func sample(configuration: ClientConfiguration, coreMHz: Int) -> HostStats {
    var stats = HostStats()
    stats.timestamp = Moment.now.wall.nanoseconds
    let memory = MemoryInfo(meminfo: HostFiles.text("/proc/meminfo") ?? "")
    stats.memory.total = UInt64(clamping: memory.total)
    stats.memory.available = UInt64(clamping: memory.available)
    stats.memory.free = UInt64(clamping: memory.free)
    stats.memory.used = UInt64(clamping: memory.total - memory.available)
    let times = ProcessorTimes.all(stat: HostFiles.text("/proc/stat") ?? "")
    for core in times where core.name != "cpu" {
      stats.cpu.append(Self.rate(core, since: before[core.name], coreMHz: coreMHz))
    }
    stats.cpuTicksConsumed = stats.cpu.reduce(0) { $0 + $1.totalTicks }
    before = Dictionary(times.map { ($0.name, $0) }) { _, new in new }
    stats.uptime = UInt64(Double(HostFiles.line("/proc/uptime").split(separator: " ").first ?? "0") ?? 0)
    stats.allocDirStats = StorageInfo(ofDirectory: configuration.allocationDirectory).map(Self.disk)
    stats.diskStats = Self.fileSystems()
    return stats
  }

  static func rate(_ now: ProcessorTimes, since before: ProcessorTimes?, coreMHz: Int) -> HostCPUStats {
    var stats = HostCPUStats()
    stats.cpu = now.name
    let total = now.total - (before?.total ?? 0)
    func percent(_ now: Int, _ then: Int?) -> Double {
      total > 0 ? max(Double(now - (then ?? 0)) / Double(total) * 100, 0) : 0
    }
    stats.user = percent(now.user, before?.user)
    stats.system = percent(now.system, before?.system)
    stats.idle = percent(now.idle, before?.idle)
    stats.totalPercent = total > 0 ? max(100 - stats.idle, 0) : 0
    stats.total = stats.totalPercent
    stats.totalTicks = stats.totalPercent / 100 * Double(coreMHz)
    return stats
  }

  private static func disk(_ storage: StorageInfo) -> HostDiskStats {
    var disk = HostDiskStats()
    disk.device = storage.volume
    disk.mountpoint = storage.mountPoint
    disk.size = UInt64(clamping: storage.totalBytes)
    disk.used = UInt64(clamping: storage.usedBytes)
    disk.available = UInt64(clamping: storage.freeBytes)
    disk.usedPercent = storage.usedPercent
    disk.inodesUsedPercent = storage.inodesUsedPercent
    return disk
  }

  /// The file systems on devices, each device once.
  private static func fileSystems() -> [HostDiskStats] {
    var seen: Set<String> = []
    var disks: [HostDiskStats] = []
    for line in (HostFiles.text("/proc/self/mounts") ?? "").split(separator: "\n") {
      let columns = line.split(separator: " ")
      guard columns.count > 2, columns[0].hasPrefix("/dev/"), seen.insert(String(columns[0])).inserted,
        let storage = StorageInfo(ofDirectory: CgroupMounts.unescaped(columns[1]))
      else { continue }
      disks.append(disk(storage))
    }
    return disks
  }
}
