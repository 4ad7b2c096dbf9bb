public import Linux

/// cgroup v1 and the hybrid layout (Documentation/admin-guide/cgroup-v1): one group in each controller's hierarchy.
public struct CgroupV1: CgroupDriver, Equatable {
  /// Mount point of each controller.
  public let mounts: [String: String]
  /// Distinct mount points (cpu and cpuacct may share one), in a fixed order.
  private let points: [String]

  /// Controllers at their mount points.
  public init(mounts: [String: String]) {
    self.mounts = mounts
    points = Set(mounts.values).sorted()
  }

  private func file(_ controller: String, _ path: String, _ name: String) -> String? {
    mounts[controller].map { "\($0)/\(path)/\(name)" }
  }

  /// mkdir(2) for each missing level, see `CgroupDriver`.
  public func prepareParent(_ path: String) throws(SystemError) {
    for point in points {
      var made = point
      for component in path.split(separator: "/") {
        let above = made
        made += "/" + component
        try CgroupFile.makeDirectory(made)
        // A new cpuset group is empty and takes no process until it has CPUs and memory nodes.
        if point == mounts["cpuset"] {
          try Self.inheritCPUSet(from: above, to: made)
          // The kernel then does it for groups inside.
          try CgroupFile.write("\(made)/cgroup.clone_children", "1", optional: true)
        }
      }
    }
  }

  /// mkdir(2) and the limit files, see `CgroupDriver`.
  public func ensure(_ path: String, limits: CgroupLimits) throws(SystemError) {
    for point in points {
      let group = point + "/" + path
      try CgroupFile.makeDirectory(group)
      if point == mounts["cpuset"] { try Self.inheritCPUSet(from: Files.parent(of: group), to: group) }
    }
    try apply(limits, to: path)
    if let devices = limits.devices, let deny = file("devices", path, "devices.deny"),
      let allow = file("devices", path, "devices.allow")
    {
      try CgroupFile.write(deny, "a")
      try CgroupFile.write(allow, each: devices.map(\.ruleText))
    }
  }

  /// See `CgroupDriver`.
  public func unavailable(in parent: String) -> [String: String] {
    var reasons: [String: String] = [:]
    for (limit, controller) in [
      ("cpuQuotaMicroseconds", "cpu"), ("cpus", "cpuset"), ("memoryBytes", "memory"), ("pids", "pids"),
      ("ioWeight", "blkio"), ("hugePages", "hugetlb"), ("devices", "devices"),
    ] where mounts[controller] == nil {
      reasons[limit] = "this host has no cgroup v1 hierarchy with the controller \(controller): mount one"
    }
    if reasons["cpuQuotaMicroseconds"] == nil, file("cpu", parent, "cpu.cfs_quota_us").map(Files.exists) == false {
      reasons["cpuQuotaMicroseconds"] = "this kernel was built without CONFIG_CFS_BANDWIDTH"
    }
    if reasons["ioWeight"] == nil, weightFile(parent) == nil {
      reasons["ioWeight"] = "this kernel's disks have no scheduler with weights: it was built without BFQ"
    }
    return reasons
  }

  private func weightFile(_ path: String) -> String? {
    ["blkio.bfq.weight", "blkio.weight"].compactMap { file("blkio", path, $0) }.first(where: Files.exists)
  }

  /// An eventfd that the kernel counts up whenever the group is out of memory (memory.oom_control).
  public func outOfMemoryEvents(_ path: String) throws(SystemError) -> FileDescriptor? {
    guard let control = file("memory", path, "memory.oom_control"),
      let register = file("memory", path, "cgroup.event_control"), Files.exists(register)
    else { return nil }
    let events = try WakeUp().intoDescriptor()
    let source = try FileDescriptor.open(control)
    try CgroupFile.write(register, "\(events.number) \(source.number)")
    return events
  }

  private static func inheritCPUSet(from above: String, to group: String) throws(SystemError) {
    // The last that is set: with it both are.
    if (CgroupFile.text("\(group)/cpuset.mems") ?? "").count > 1 { return }
    for name in ["cpuset.cpus", "cpuset.mems"] where (CgroupFile.text("\(group)/\(name)") ?? "").count <= 1 {
      guard let value = CgroupFile.text("\(above)/\(name)") else { continue }
      try CgroupFile.write("\(group)/\(name)", value)
    }
  }

  /// Writes the limit files, see `CgroupDriver`.
  public func apply(_ limits: CgroupLimits, to path: String) throws(SystemError) {
    if let shares = file("cpu", path, "cpu.shares") {
      try CgroupFile.write(shares, "\(min(max(limits.cpuShares, 2), 262_144))")
    }
    if let quota = file("cpu", path, "cpu.cfs_quota_us"), let period = file("cpu", path, "cpu.cfs_period_us") {
      if let microseconds = limits.cpuQuotaMicroseconds {
        try CgroupFile.write(period, "100000")
        try CgroupFile.write(quota, "\(max(microseconds, 1000))")
      } else {
        try CgroupFile.write(quota, "-1", optional: true)
      }
    }
    if let cpus = limits.cpus, let file = file("cpuset", path, "cpuset.cpus") { try CgroupFile.write(file, cpus) }
    if let weight = limits.ioWeight, let file = weightFile(path) {
      // v1 counts from 10 to 1000, with 500 in the middle; v2 from 1 to 10000, with 100.
      try CgroupFile.write(file, "\(min(max(weight * 5, 10), 1000))")
    }
    for limit in limits.hugePages {
      guard let file = file("hugetlb", path, "hugetlb.\(limit.size).limit_in_bytes") else { continue }
      try CgroupFile.write(file, "\(limit.bytes)")
    }
    if let pids = file("pids", path, "pids.max") { try CgroupFile.write(pids, limits.pids.map { "\($0)" } ?? "max") }
    try applyMemory(limits, to: path)
  }

  private func applyMemory(_ limits: CgroupLimits, to path: String) throws(SystemError) {
    guard let hard = file("memory", path, "memory.limit_in_bytes"),
      let both = file("memory", path, "memory.memsw.limit_in_bytes"),
      let soft = file("memory", path, "memory.soft_limit_in_bytes"),
      let swappiness = file("memory", path, "memory.swappiness")
    else { return }
    let memory = limits.memoryBytes.map { "\($0)" } ?? "-1"
    let withSwap = limits.memoryBytes.map { "\($0 &+ limits.swapBytes)" } ?? "-1"
    // memory <= memory+swap must hold at every moment: raising needs the sum first, lowering needs it last.
    do {
      try CgroupFile.write(hard, memory)
    } catch  where error.errno == .invalidArgument {
      try CgroupFile.write(both, withSwap, optional: true)
      try CgroupFile.write(hard, memory)
    } catch  where error.errno == .busy {
      throw SystemError(
        error.operation, error.object, .busy,
        advice: "the task uses more memory than the new limit and nothing can be reclaimed")
    } catch {
      throw error
    }
    // Kernels without swap accounting have no such file.
    try CgroupFile.write(both, withSwap, optional: true)
    if limits.swapBytes == 0 { try CgroupFile.write(swappiness, "0", optional: true) }
    try CgroupFile.write(soft, limits.memoryReservationBytes.map { "\($0)" } ?? "-1", optional: true)
  }

  /// Writes 0 to the membership file, see `CgroupDriver`.
  public func attachSelf(_ path: String) throws(SystemError) {
    // "tasks" moves one thread and skips the grace period that writing cgroup.procs waits for (5-9 ms).
    for point in points { try CgroupFile.write("\(point)/\(path)/tasks", "0") }
  }

  /// See `CgroupDriver`.
  public var clonesIntoGroup: Bool { false }
  /// See `CgroupDriver`.
  public func directory(_ path: String) throws(SystemError) -> FileDescriptor? { nil }

  /// The hierarchy that is asked which processes there are: every process is in each.
  private var reference: String {
    mounts["freezer"] ?? mounts["pids"] ?? mounts["memory"] ?? points.first ?? "/sys/fs/cgroup"
  }

  /// Reads cgroup.procs, see `CgroupDriver`.
  public func processes(_ path: String) throws(SystemError) -> [Int32] {
    try CgroupFile.processes(inSubtree: "\(reference)/\(path)")
  }

  /// One round of killing, see `CgroupDriver`.
  public func kill(_ path: String) throws(SystemError) {
    let first = try processes(path)
    if first.isEmpty { return }
    // Frozen processes cannot fork: the list is complete, and the signals act on thawing. A process in an
    // uninterruptible call delays freezing; then this round kills what it sees and the next one sees the rest.
    let state = file("freezer", path, "freezer.state")
    if let state {
      try CgroupFile.write(state, "FROZEN", optional: true)
      for _ in 0..<20 where CgroupFile.text(state)?.hasPrefix("FREEZING") == true {}
    }
    CgroupFile.killAll(try processes(path))
    if let state { try CgroupFile.write(state, "THAWED", optional: true) }
  }

  /// rmdir(2), see `CgroupDriver`.
  public func remove(_ path: String) throws(SystemError) {
    for point in points {
      for group in CgroupFile.subtree("\(point)/\(path)") { try Files.removeDirectory(group) }
    }
  }

  /// The group in each hierarchy that tells of limits, see `CgroupDriver`.
  public func views(_ path: String) -> [(name: String, directory: String)] {
    let telling = Set(["cpu", "cpuacct", "cpuset", "memory", "pids"].compactMap { mounts[$0] })
    return points.filter { telling.contains($0) }.map { point in
      (String(point.split(separator: "/").last ?? ""), "\(point)/\(path)")
    }
  }

  /// The groups inside, see `CgroupDriver`.
  public func children(_ path: String) throws(SystemError) -> [String] {
    var names = Set<String>()
    for point in points { names.formUnion(try CgroupFile.subdirectories("\(point)/\(path)")) }
    return names.sorted()
  }

  /// The oom_kill counter, see `CgroupDriver`.
  public func oomKills(_ path: String) -> UInt64 {
    file("memory", path, "memory.oom_control").map { CgroupFile.table($0)["oom_kill"] ?? 0 } ?? 0
  }

  /// Moves the group's directory in each hierarchy, see `CgroupDriver`.
  public func rename(_ path: String, to target: String) throws(SystemError) -> Bool {
    for point in points { try Files.rename("\(point)/\(path)", to: "\(point)/\(target)") }
    return true
  }

  /// What it has used, and what became of it at its limit.
  public func statistics(_ path: String) throws(SystemError) -> CgroupStatistics {
    var result = usage(path, isThrottled: true)
    result.oomKills = oomKills(path)
    // Only where somebody may ask why: most tasks are never killed.
    if result.oomKills > 0 {
      func number(_ name: String) -> UInt64 { file("memory", path, name).flatMap { CgroupFile.number($0) } ?? 0 }
      result.oomEvents = number("memory.failcnt") + number("memory.memsw.failcnt")
      // Newer kernels do not count any more (6.18 does not): a group that was at its limit, less what is charged in
      // advance, was killed for that.
      let limit = number("memory.limit_in_bytes")
      if result.oomEvents == 0 && result.memoryPeakBytes &+ 256 << 10 >= limit { result.oomEvents = 1 }
    }
    return result
  }

  /// In the order of `UsageFile`.
  private static let usageNames: [(controller: String, name: StaticString)] = [
    ("cpuacct", "cpuacct.usage_all"), ("memory", "memory.usage_in_bytes"), ("memory", "memory.max_usage_in_bytes"),
    ("memory", "memory.stat"), ("pids", "pids.current"), ("blkio", "blkio.throttle.io_service_bytes_recursive"),
    ("cpu", "cpu.stat"),
  ]
  private enum UsageFile: Int, CaseIterable {
    case processorTime, memory, memoryPeak, memoryParts, pids, io, throttling
  }

  /// See `CgroupDriver`.
  public func usageFiles(_ path: String) -> UsageFiles? {
    UsageFiles(
      Self.usageNames.map { controller, name in
        guard let mount = mounts[controller] else { return nil }
        return try? OpenFile(FileDescriptor.open("\(mount)/\(path)/\(name)"))
      })
  }

  /// See `CgroupDriver`.
  public func usage(of files: UsageFiles, isThrottled: Bool) -> CgroupStatistics? {
    var isGone = false
    let result = usage(isThrottled: isThrottled) { file in
      guard let open = files[file.rawValue] else { return [] }
      do throws(SystemError) {
        return try open.descriptor.read(upTo: 2048, at: 0)[...]
      } catch {
        // ENODEV: the group has been removed.
        isGone = true
        return []
      }
    }
    return isGone ? nil : result
  }

  /// Reads the usage files, no more of them than are needed; one that is missing counts as 0.
  public func usage(_ path: String, isThrottled: Bool) -> CgroupStatistics {
    var buffer = [UInt8](repeating: 0, count: 4096)
    return usage(isThrottled: isThrottled) { file in
      let (controller, name) = Self.usageNames[file.rawValue]
      guard let mount = mounts[controller], let count = Files.readSmall("\(mount)/\(path)", name, into: &buffer) else {
        return []
      }
      return buffer[..<count]
    }
  }

  private func usage(isThrottled: Bool, _ read: (UsageFile) -> ArraySlice<UInt8>) -> CgroupStatistics {
    var result = CgroupStatistics()
    addProcessorTime(read(.processorTime), to: &result)
    if isThrottled {
      let cpu = CgroupFile.values(["nr_throttled", "throttled_time"], in: read(.throttling))
      (result.throttledPeriods, result.throttledNanoseconds) = (cpu[0], cpu[1])
    }
    result.memoryBytes = CgroupFile.number(in: read(.memory))
    result.memoryPeakBytes = CgroupFile.number(in: read(.memoryPeak))
    let memory = CgroupFile.values(["total_rss", "total_cache", "total_swap"], in: read(.memoryParts))
    (result.memoryRSSBytes, result.memoryCacheBytes, result.swapBytes) = (memory[0], memory[1], memory[2])
    // All that is charged and is neither: the file that says it too (memory.kmem.usage_in_bytes) need not be read.
    let pages = result.memoryRSSBytes &+ result.memoryCacheBytes
    result.memoryKernelBytes = result.memoryBytes > pages ? result.memoryBytes - pages : 0
    result.pids = CgroupFile.number(in: read(.pids))
    let io = read(.io)
    // A task that has not used a disk has the line of the sum alone.
    if io.count > 16 {
      let text = String(decoding: io, as: UTF8.self)
      result.ioReadBytes = CgroupFile.sum(text, key: "Read")
      result.ioWriteBytes = CgroupFile.sum(text, key: "Write")
    }
    return result
  }

  /// A line "cpu user system" for the names, then one of numbers for each processor, in nanoseconds.
  private func addProcessorTime(_ text: ArraySlice<UInt8>, to result: inout CgroupStatistics) {
    var columns: [UInt64] = [0, 0, 0]
    var column = 0
    var isFirst = true
    for byte in text {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9") where !isFirst && column < 3:
        columns[column] = columns[column] &* 10 &+ UInt64(byte - 48)
      case UInt8(ascii: " "): column += 1
      case UInt8(ascii: "\n"):
        result.cpuUserNanoseconds &+= columns[1]
        result.cpuSystemNanoseconds &+= columns[2]
        columns = [0, 0, 0]
        column = 0
        isFirst = false
      default: break
      }
    }
    result.cpuNanoseconds = result.cpuUserNanoseconds &+ result.cpuSystemNanoseconds
  }
}
