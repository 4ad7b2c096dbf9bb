import Glibc

/// The file system that holds a directory.
struct StorageInfo: Equatable, Sendable {
  /// The device or, for file systems without one, the file system's type.
  var volume = ""
  var mountPoint = ""
  var totalBytes = 0
  /// What root may still use.
  var freeBytes = 0
  var usedBytes = 0
  var inodesTotal = 0
  var inodesFree = 0

  /// Of 100; 0 for a file system without a size.
  var usedPercent: Double { totalBytes == 0 ? 0 : Double(usedBytes) / Double(totalBytes) * 100 }
  /// Of 100; 0 for a file system without a number of inodes.
  var inodesUsedPercent: Double {
    inodesTotal == 0 ? 0 : Double(inodesTotal - inodesFree) / Double(inodesTotal) * 100
  }

  /// Reads statvfs(3) and /proc/self/mountinfo for `directory`; nil when it does not exist.
  init?(ofDirectory directory: String) {
    var status = statvfs()
    guard statvfs(directory, &status) == 0 else { return nil }
    let block = Int(status.f_frsize)
    totalBytes = Int(status.f_blocks) * block
    freeBytes = Int(status.f_bavail) * block
    usedBytes = (Int(status.f_blocks) - Int(status.f_bfree)) * block
    inodesTotal = Int(status.f_files)
    inodesFree = Int(status.f_ffree)
    let mount = Self.mount(of: Self.resolved(directory), mountInfo: HostFiles.text("/proc/self/mountinfo") ?? "")
    volume = mount?.source ?? ""
    mountPoint = mount?.point ?? ""
  }

  private static func resolved(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// The mount that holds `path`: of those whose mount point contains it the longest, of equal ones the last mounted.
  static func mount(of path: String, mountInfo: String) -> (point: String, source: String)? {
    var best: (point: String, source: String)?
    for line in mountInfo.split(separator: "\n") {
      let columns = line.split(separator: " ")
      guard columns.count > 4, let dash = columns.firstIndex(of: "-"), dash + 2 < columns.count else { continue }
      let point = CgroupMounts.unescaped(columns[4])
      let isAbove = path == point || point == "/" || path.hasPrefix(point + "/")
      guard isAbove, point.utf8.count >= (best?.point.utf8.count ?? 0) else { continue }
      best = (point, CgroupMounts.unescaped(columns[dash + 2]))
    }
    return best
  }
}
