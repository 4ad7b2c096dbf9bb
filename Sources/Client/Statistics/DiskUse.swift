internal import Linux

/// How much of a disk a directory takes, and when to look again.
enum DiskUse {
  /// Bytes in blocks of everything below a directory on the same file system: a file with several names counts once, a
  /// hole not at all. Tasks change the tree meanwhile: what goes while it is looked at counts as nothing.
  ///
  /// - Throws: when the directory itself cannot be opened.
  static func bytes(below path: String) throws(SystemError) -> UInt64 {
    var known = Set<UInt64>()
    let directory = try FileDescriptor.open(path, [.readOnly, .directory, .noFollow])
    return count(directory, depth: 0, &known)
  }

  /// - Parameter known: inodes with several names that have been counted.
  private static func count(_ directory: borrowing FileDescriptor, depth: Int, _ known: inout Set<UInt64>) -> UInt64 {
    guard let own = try? directory.status(), depth < 1000 else { return 0 }
    var sum = own.blocks * 512
    for entry in (try? directory.entries()) ?? [] {
      guard let status = try? directory.status(of: entry.name), status.device == own.device else { continue }
      guard status.kind == .directory else {
        if status.links < 2 || known.insert(status.inode).inserted { sum += status.blocks * 512 }
        continue
      }
      // A name that has become a link or a mount point meanwhile is not entered.
      if let inner = try? directory.open(
        beneath: entry.name, [.readOnly, .directory, .noFollow], resolve: [.beneath, .noSymlinks, .noCrossDevice])
      {
        sum += count(inner, depth: depth + 1, &known)
      }
    }
    return sum
  }

  /// How long to wait after a look that took so long: a hundredth of a CPU at most, ten seconds at least.
  static func interval(afterNanoseconds took: Int64) -> Duration {
    .nanoseconds(min(max(took.multipliedReportingOverflow(by: 100).partialValue, 10_000_000_000), 600_000_000_000))
  }
}
