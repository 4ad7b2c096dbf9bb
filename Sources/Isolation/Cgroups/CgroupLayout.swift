internal import Glibc
public import Linux

func log2(_ x: Double) -> Double { Glibc.log2(x) }
func pow(_ x: Double, _ y: Double) -> Double { Glibc.pow(x, y) }

/// Where a host has its cgroups.
public enum CgroupLayout: Sendable, Equatable {
  /// One hierarchy with all controllers (cgroup2) at this mount point.
  case v2(String)
  /// Version 1, also the hybrid layout: mount point of each controller.
  case v1([String: String])

  /// The controllers this project uses.
  static let controllers = ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "hugetlb"]

  /// Finds the layout in the text of /proc/self/mountinfo. `unifiedControllers` gives the cgroup.controllers file of a
  /// cgroup2 mount: without cpu, memory and pids in it the hierarchy is only the side of a hybrid layout.
  ///
  /// - Returns: nil when no cgroups are mounted.
  public static func find(mountinfo: String, unifiedControllers: (String) -> String) -> CgroupLayout? {
    let mounts = Proc.mounts(in: mountinfo)
    if let unified = mounts.first(where: { $0.type == "cgroup2" }) {
      let available = Set(unifiedControllers(unified.target).split(whereSeparator: \.isWhitespace).map(String.init))
      if available.isSuperset(of: ["cpu", "memory", "pids"]) { return .v2(unified.target) }
    }
    var v1: [String: String] = [:]
    for mount in mounts where mount.type == "cgroup" {
      for controller in controllers where mount.superOptions.contains(controller) {
        v1[controller] = v1[controller] ?? mount.target
      }
    }
    return v1.isEmpty ? nil : .v1(v1)
  }

  /// The layout of this host.
  public static func ofThisHost() throws(SystemError) -> CgroupLayout {
    let mountinfo = try Files.readText("/proc/self/mountinfo")
    let found = find(mountinfo: mountinfo) { (try? Files.readText($0 + "/cgroup.controllers")) ?? "" }
    guard let found else {
      throw SystemError("find cgroups", "/proc/self/mountinfo", .noSuchFile, advice: "mount cgroup2 on /sys/fs/cgroup")
    }
    return found
  }
}

/// Control groups of one version. Paths are relative to the hierarchy's mount point, e.g. `serai/task/x`; every call
/// can be repeated.
public protocol CgroupDriver: Sendable {
  /// Makes a group that will hold groups (and, on v2, enables the controllers for them).
  func prepareParent(_ path: String) throws(SystemError)
  /// What this host cannot enforce, by the names of the limits in `CgroupLimits`, and why. A group must be there, of
  /// which control files the answer is read.
  func unavailable(in parent: String) -> [String: String]
  /// Makes a group, its parent being there, and sets its limits.
  func ensure(_ path: String, limits: CgroupLimits) throws(SystemError)
  /// Puts the calling process, which has one thread, into the group.
  func attachSelf(_ path: String) throws(SystemError)
  /// Gives a group another name, below the same parent; its processes stay in it. Says no where this version cannot.
  func rename(_ path: String, to target: String) throws(SystemError) -> Bool
  /// Changes the limits of an existing group.
  func apply(_ limits: CgroupLimits, to path: String) throws(SystemError)
  /// Whether clone3 puts a child into its group (v2). Else the child makes and enters it itself.
  var clonesIntoGroup: Bool { get }
  /// A descriptor for clone3's CLONE_INTO_CGROUP; nil where the child must attach itself.
  func directory(_ path: String) throws(SystemError) -> FileDescriptor?
  /// The processes in the group; none when it does not exist.
  func processes(_ path: String) throws(SystemError) -> [Int32]
  /// One round of killing every process in the group: call again until `processes` is empty.
  func kill(_ path: String) throws(SystemError)
  /// Removes an empty group. A group that does not exist is no error.
  ///
  /// - Throws: EBUSY while processes are in it.
  func remove(_ path: String) throws(SystemError)
  /// What the group has used, with what became of it at its memory limit.
  func statistics(_ path: String) throws(SystemError) -> CgroupStatistics
  /// What the group uses now, with as few files as will do.
  ///
  /// - Parameter isThrottled: whether it has a hard CPU limit, so that throttling is worth a look.
  func usage(_ path: String, isThrottled: Bool) throws(SystemError) -> CgroupStatistics
  /// Opens the files that `usage` reads, for groups that are asked about again and again: most of the time goes into
  /// opening them. nil where that would not help. Every open file takes some kilobytes of the kernel's memory.
  func usageFiles(_ path: String) -> UsageFiles?
  /// The same from open files; nil when the group has gone.
  func usage(of files: UsageFiles, isThrottled: Bool) -> CgroupStatistics?
  /// A counter that becomes readable when the group is at its memory limit; nil where the kernel ends the whole group
  /// itself (v2), or cannot tell.
  func outOfMemoryEvents(_ path: String) throws(SystemError) -> FileDescriptor?
  /// How many of its processes the kernel has killed for want of memory.
  func oomKills(_ path: String) -> UInt64
  /// The directories of a group that a task is shown below /sys/fs/cgroup, and their names there ("" for itself).
  func views(_ path: String) -> [(name: String, directory: String)]
  /// The groups inside a group.
  func children(_ path: String) throws(SystemError) -> [String]
}

extension CgroupLayout {
  /// The calls for this layout.
  public var driver: any CgroupDriver {
    switch self {
    case .v1(let mounts): CgroupV1(mounts: mounts)
    case .v2(let mount): CgroupV2(mount: mount)
    }
  }
}

extension CgroupDriver {
  /// Only version 1 spreads it over many.
  public func usageFiles(_ path: String) -> UsageFiles? { nil }
  /// See `usageFiles`.
  public func usage(of files: UsageFiles, isThrottled: Bool) -> CgroupStatistics? { nil }
  /// Where one file tells most of it there is nothing to save.
  public func usage(_ path: String, isThrottled: Bool) throws(SystemError) -> CgroupStatistics { try statistics(path) }

  /// Refuses limits that this host cannot enforce.
  ///
  /// - Parameter parent: the group in which the limited one will be.
  /// - Throws: SandboxError naming the first limit and why.
  public func check(_ limits: CgroupLimits, in parent: String) throws(SandboxError) {
    let asked: [(String, String?)] = [
      ("cpuQuotaMicroseconds", limits.cpuQuotaMicroseconds.map { "\($0)" }), ("cpus", limits.cpus),
      ("memoryBytes", limits.memoryBytes.map { "\($0)" }), ("pids", limits.pids.map { "\($0)" }),
      ("ioWeight", limits.ioWeight.map { "\($0)" }), ("hugePages", limits.hugePages.first?.size),
      ("devices", limits.devices.map { "\($0.count) rules" }),
    ]
    if asked.allSatisfy({ $0.1 == nil }) { return }
    let missing = unavailable(in: parent)
    for (name, value) in asked {
      if let value, let reason = missing[name] { throw SandboxError("limits.\(name)", value, reason) }
    }
    if let weight = limits.ioWeight, !(1...10_000).contains(weight) {
      throw SandboxError("limits.ioWeight", "\(weight)", "must be between 1 and 10000")
    }
    for limit in limits.hugePages
    where !limit.size.utf8.allSatisfy({ ($0 >= 48 && $0 <= 57) || ($0 >= 65 && $0 <= 90) }) {
      throw SandboxError("limits.hugePages", limit.size, "must be a size as the kernel writes it, e.g. 2MB")
    }
  }
}

/// The open usage files of one group.
public final class UsageFiles: Sendable {
  /// How many there are at most.
  public static let most = 7
  fileprivate let files: [OpenFile?]
  init(_ files: [OpenFile?]) { self.files = files }
  subscript(index: Int) -> OpenFile? { files[index] }
}

/// Readers of cgroup control files.
enum CgroupFile {
  static func text(_ path: String) -> String? { try? Files.readText(path, limit: 1 << 20) }

  /// A file that fits into one read, which most of the kernel's do: half the calls.
  static func brief(_ path: String) -> String? {
    guard let bytes = try? FileDescriptor.open(path).read(upTo: 4096) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A single number; "max" is `UInt64.max`.
  static func number(_ path: String) -> UInt64? {
    brief(path).flatMap { number(in: $0) }
  }

  static func number(in text: String) -> UInt64? {
    let trimmed = text.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
    return trimmed == "max" ? .max : UInt64(trimmed)
  }

  /// "name number" lines.
  static func table(_ path: String) -> [String: UInt64] { table(in: brief(path) ?? "") }

  /// The values of some names in "name value" lines, 0 for what is missing.
  static func values(_ names: [StaticString], in bytes: ArraySlice<UInt8>) -> [UInt64] {
    var result = [UInt64](repeating: 0, count: names.count)
    bytes.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return }
      var start = 0
      while start < bytes.count {
        var end = start
        var blank = -1
        while end < bytes.count, bytes[end] != UInt8(ascii: "\n") {
          if bytes[end] == UInt8(ascii: " ") && blank < 0 { blank = end }
          end += 1
        }
        if blank > start {
          for index in names.indices where names[index].utf8CodeUnitCount == blank - start {
            if memcmp(names[index].utf8Start, base + start, blank - start) == 0 {
              result[index] = number(in: bytes[(blank + 1)..<end])
            }
          }
        }
        start = end + 1
      }
    }
    return result
  }

  /// The decimal number at the beginning of some bytes; 0 when there is none.
  static func number(in digits: some Sequence<UInt8>) -> UInt64 {
    var value: UInt64 = 0
    for digit in digits {
      guard digit >= 48, digit <= 57 else { break }
      value = value &* 10 &+ UInt64(digit - 48)
    }
    return value
  }

  static func table(in text: String) -> [String: UInt64] {
    var result: [String: UInt64] = [:]
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      if fields.count == 2, let value = UInt64(fields[1]) { result[String(fields[0])] = value }
    }
    return result
  }

  /// The sum of the values of `key` in lines of "key=value" words (io.stat), or of "device key value" lines (v1 blkio).
  static func sum(_ text: String, key: String) -> UInt64 {
    var sum: UInt64 = 0
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 3, words[1] == key { sum &+= UInt64(words[2]) ?? 0 }
      for word in words where word.hasPrefix(key + "=") { sum &+= UInt64(word.dropFirst(key.utf8.count + 1)) ?? 0 }
    }
    return sum
  }

  /// The "some" total of a pressure file, microseconds.
  static func pressure(_ text: String) -> UInt64 {
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("some ") }) else { return 0 }
    return sum(String(line), key: "total")
  }

  /// A group and all groups inside it, innermost first: processes may have made some (as root with the host's view).
  static func subtree(_ path: String, depth: Int = 0) -> [String] {
    if depth > 32 { return [path] }
    let inner = (try? subdirectories(path)) ?? []
    return inner.flatMap { subtree("\(path)/\($0)", depth: depth + 1) } + [path]
  }

  /// The processes of a group and of all groups inside it.
  static func processes(inSubtree path: String) throws(SystemError) -> [Int32] {
    var all: [Int32] = []
    for group in subtree(path) { all += try processes("\(group)/cgroup.procs") }
    return all
  }

  /// Writes; a file that this kernel lacks is skipped when `optional`.
  static func write(_ path: String, _ value: String, optional: Bool = false) throws(SystemError) {
    do {
      try Files.writeControl(path, value)
    } catch {
      if optional && (error.errno == .noSuchFile || error.errno == .permissionDenied) { return }
      throw error
    }
  }

  /// Writes values one after the other, each with a call of its own.
  static func write(_ path: String, each values: [String]) throws(SystemError) {
    let file = try FileDescriptor.open(path, [.writeOnly, .noFollow])
    for value in values {
      do {
        try file.writeAll(Array(value.utf8), at: 0)
      } catch {
        throw SystemError("write \"\(value)\" to", path, error.errno)
      }
    }
  }

  static func processes(_ path: String) throws(SystemError) -> [Int32] {
    do {
      return try Files.readText(path).split(separator: "\n").compactMap { Int32($0) }
    } catch  where error.errno == .noSuchFile || error.errno == .noDevice {
      return []
    } catch {
      throw error
    }
  }

  static func makeDirectory(_ path: String) throws(SystemError) {
    try Files.makeDirectories(path)
  }

  static func subdirectories(_ path: String) throws(SystemError) -> [String] {
    do {
      let directory = try FileDescriptor.open(path, [.readOnly, .directory])
      return try directory.entries().filter { $0.kind == .directory }.map(\.name).sorted()
    } catch  where error.errno == .noSuchFile {
      return []
    } catch {
      throw error
    }
  }

  static func killAll(_ pids: [Int32]) {
    // A process that is gone already (ESRCH) is what we want.
    for pid in pids where pid > 1 { _ = Glibc.kill(pid, SIGKILL) }
  }
}
