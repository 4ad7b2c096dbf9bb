public import Linux

/// cgroup v2 (Documentation/admin-guide/cgroup-v2.rst): one hierarchy for all controllers.
public struct CgroupV2: CgroupDriver, Equatable {
  /// Mount point.
  public let mount: String

  /// The hierarchy at a mount point.
  public init(mount: String) { self.mount = mount }

  private func file(_ path: String, _ name: String) -> String { "\(mount)/\(path)/\(name)" }

  /// mkdir(2) for each missing level, see `CgroupDriver`.
  public func prepareParent(_ path: String) throws(SystemError) {
    var group = mount
    try Self.enableControllers(in: group)
    for component in path.split(separator: "/") {
      group += "/" + component
      try CgroupFile.makeDirectory(group)
      try Self.enableControllers(in: group)
    }
  }

  private static func enableControllers(in group: String) throws(SystemError) {
    let available = (CgroupFile.text("\(group)/cgroup.controllers") ?? "").split(whereSeparator: \.isWhitespace)
    let enabled = (CgroupFile.text("\(group)/cgroup.subtree_control") ?? "").split(whereSeparator: \.isWhitespace)
    for controller in ["cpu", "cpuset", "memory", "pids", "io", "hugetlb"] {
      let name = Substring(controller)
      guard available.contains(name), !enabled.contains(name) else { continue }
      try CgroupFile.write("\(group)/cgroup.subtree_control", "+\(controller)")
    }
  }

  /// mkdir(2) and the limit files, see `CgroupDriver`.
  public func ensure(_ path: String, limits: CgroupLimits) throws(SystemError) {
    try CgroupFile.makeDirectory("\(mount)/\(path)")
    try apply(limits, to: path)
    if let devices = limits.devices {
      try DeviceProgram(devices).attach(to: try FileDescriptor.open("\(mount)/\(path)", [.readOnly, .directory]))
    }
  }

  /// See `CgroupDriver`.
  public func unavailable(in parent: String) -> [String: String] {
    let enabled = Set(
      (CgroupFile.text(file(parent, "cgroup.subtree_control")) ?? "").split(whereSeparator: \.isWhitespace)
        .map(String.init))
    var reasons: [String: String] = [:]
    for (limit, controller) in [
      ("cpuQuotaMicroseconds", "cpu"), ("cpus", "cpuset"), ("memoryBytes", "memory"), ("pids", "pids"),
      ("ioWeight", "io"), ("hugePages", "hugetlb"),
    ] where !enabled.contains(controller) {
      reasons[limit] =
        "this host's cgroup v2 does not give the controller \(controller) to \(parent): see cgroup.controllers in its mount"
    }
    return reasons
  }

  /// None: memory.oom.group lets the kernel end all of the group.
  public func outOfMemoryEvents(_ path: String) throws(SystemError) -> FileDescriptor? { nil }

  /// Writes the limit files, see `CgroupDriver`.
  public func apply(_ limits: CgroupLimits, to path: String) throws(SystemError) {
    // A file of a controller that is not enabled here is missing; what was asked of it was refused before (`check`).
    let weight = "\(CgroupUnits.weight(shares: limits.cpuShares))"
    try CgroupFile.write(file(path, "cpu.weight"), weight, optional: true)
    let quota = limits.cpuQuotaMicroseconds.map { "\(max($0, 1000)) 100000" } ?? "max 100000"
    try CgroupFile.write(file(path, "cpu.max"), quota, optional: limits.cpuQuotaMicroseconds == nil)
    if let cpus = limits.cpus { try CgroupFile.write(file(path, "cpuset.cpus"), cpus) }
    if let weight = limits.ioWeight { try CgroupFile.write(file(path, "io.weight"), "default \(weight)") }
    for limit in limits.hugePages {
      try CgroupFile.write(file(path, "hugetlb.\(limit.size).max"), "\(limit.bytes)")
    }
    let memory = limits.memoryBytes.map { "\($0)" }
    try CgroupFile.write(file(path, "memory.max"), memory ?? "max", optional: memory == nil)
    try CgroupFile.write(file(path, "memory.low"), "\(limits.memoryReservationBytes ?? 0)", optional: true)
    try CgroupFile.write(file(path, "memory.swap.max"), "\(limits.swapBytes)", optional: true)
    // A task that loses one process to the OOM killer is restarted whole, not left half alive.
    try CgroupFile.write(file(path, "memory.oom.group"), "1", optional: true)
    let pids = limits.pids.map { "\($0)" }
    try CgroupFile.write(file(path, "pids.max"), pids ?? "max", optional: pids == nil)
  }

  /// Writes 0 to the membership file, see `CgroupDriver`.
  public func attachSelf(_ path: String) throws(SystemError) { try CgroupFile.write(file(path, "cgroup.procs"), "0") }

  /// See `CgroupDriver`.
  public var clonesIntoGroup: Bool { true }
  /// See `CgroupDriver`.
  public func directory(_ path: String) throws(SystemError) -> FileDescriptor? {
    try FileDescriptor.open("\(mount)/\(path)", [.readOnly, .directory])
  }

  /// Reads cgroup.procs, see `CgroupDriver`.
  public func processes(_ path: String) throws(SystemError) -> [Int32] {
    try CgroupFile.processes(inSubtree: "\(mount)/\(path)")
  }

  /// One round of killing, see `CgroupDriver`.
  public func kill(_ path: String) throws(SystemError) {
    do {
      try CgroupFile.write(file(path, "cgroup.kill"), "1")
    } catch  where error.errno == .noSuchFile {
      // Before Linux 5.14, or the group is gone.
      CgroupFile.killAll(try processes(path))
    } catch {
      throw error
    }
  }

  /// rmdir(2), see `CgroupDriver`.
  public func remove(_ path: String) throws(SystemError) {
    for group in CgroupFile.subtree("\(mount)/\(path)") { try Files.removeDirectory(group) }
  }

  /// The group itself, see `CgroupDriver`.
  public func views(_ path: String) -> [(name: String, directory: String)] { [("", "\(mount)/\(path)")] }

  /// The groups inside, see `CgroupDriver`.
  public func children(_ path: String) throws(SystemError) -> [String] {
    try CgroupFile.subdirectories("\(mount)/\(path)")
  }

  /// This version keeps a group's name for ever.
  public func rename(_ path: String, to target: String) throws(SystemError) -> Bool { false }

  /// The oom_kill counter, see `CgroupDriver`.
  public func oomKills(_ path: String) -> UInt64 { CgroupFile.table(file(path, "memory.events"))["oom_kill"] ?? 0 }

  /// Reads the usage files; one that is missing counts as 0.
  public func statistics(_ path: String) throws(SystemError) -> CgroupStatistics {
    var result = CgroupStatistics()
    let cpu = CgroupFile.table(file(path, "cpu.stat"))
    result.cpuNanoseconds = (cpu["usage_usec"] ?? 0) &* 1000
    result.cpuUserNanoseconds = (cpu["user_usec"] ?? 0) &* 1000
    result.cpuSystemNanoseconds = (cpu["system_usec"] ?? 0) &* 1000
    result.throttledPeriods = cpu["nr_throttled"] ?? 0
    result.throttledNanoseconds = (cpu["throttled_usec"] ?? 0) &* 1000
    result.memoryBytes = CgroupFile.number(file(path, "memory.current")) ?? 0
    result.memoryPeakBytes = CgroupFile.number(file(path, "memory.peak")) ?? 0
    result.swapBytes = CgroupFile.number(file(path, "memory.swap.current")) ?? 0
    let memory = CgroupFile.table(file(path, "memory.stat"))
    result.memoryRSSBytes = memory["anon"] ?? 0
    result.memoryCacheBytes = memory["file"] ?? 0
    result.memoryKernelBytes = memory["kernel"] ?? 0
    result.pids = CgroupFile.number(file(path, "pids.current")) ?? 0
    let events = CgroupFile.table(file(path, "memory.events"))
    result.oomKills = events["oom_kill"] ?? 0
    result.oomEvents = events["oom"] ?? 0
    let io = CgroupFile.text(file(path, "io.stat")) ?? ""
    result.ioReadBytes = CgroupFile.sum(io, key: "rbytes")
    result.ioWriteBytes = CgroupFile.sum(io, key: "wbytes")
    result.cpuPressureMicroseconds = CgroupFile.pressure(CgroupFile.text(file(path, "cpu.pressure")) ?? "")
    result.memoryPressureMicroseconds = CgroupFile.pressure(CgroupFile.text(file(path, "memory.pressure")) ?? "")
    result.ioPressureMicroseconds = CgroupFile.pressure(CgroupFile.text(file(path, "io.pressure")) ?? "")
    return result
  }
}
