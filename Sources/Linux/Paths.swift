internal import CLinux

/// Whole files and trees by path. For paths that nobody untrusted can change; inside a task's tree use the calls of
/// `FileDescriptor`, which are anchored at an open directory.
public enum Files {
  /// Reads a whole file of at most `limit` bytes.
  public static func read(_ path: String, limit: Int = 16 << 20) throws(SystemError) -> [UInt8] {
    try FileDescriptor.open(path).readAll(limit: limit)
  }

  /// Reads a whole file as text; bytes that are no UTF-8 become U+FFFD.
  public static func readText(_ path: String, limit: Int = 16 << 20) throws(SystemError) -> String {
    String(decoding: try read(path, limit: limit), as: UTF8.self)
  }

  /// Writes to an existing file, as the kernel's control files want it: one write(2), no truncation.
  public static func writeControl(_ path: String, _ text: String) throws(SystemError) {
    let file = try FileDescriptor.open(path, [.writeOnly, .noFollow])
    var text = text
    let written = text.withUTF8 { buffer in
      buffer.baseAddress.map { serai_write(file.number, $0, buffer.count) } ?? 0
    }
    if written < 0 { throw SystemError("write \"\(text)\" to", path, Errno(rawValue: Int32(-written))) }
  }

  /// readlink(2); nil when the path is no symbolic link, or not there.
  public static func readLink(_ path: String) throws(SystemError) -> String? {
    var result = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
      result = buffer.withMemoryRebound(to: CChar.self) { chars in
        chars.baseAddress.map { serai_readlinkat(at, path, $0, 4096) } ?? 0
      }
      count = max(result, 0)
    }
    if [Errno.invalidArgument, .noSuchFile, .notDirectory].contains(Errno(rawValue: Int32(-result))) { return nil }
    try check(result, "readlink", path)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Replaces a file's content: a reader sees the old or the new one, never a part.
  public static func replace(_ path: String, with bytes: [UInt8], permissions: UInt32 = 0o600, durable: Bool = false)
    throws(SystemError)
  {
    let temporary = path + ".new"
    let file = try FileDescriptor.open(
      temporary, [.writeOnly, .create, .truncate, .noFollow], permissions: permissions)
    try file.writeAll(bytes)
    if durable { try file.synchronizeData() }
    try check(serai_renameat(at, temporary, at, path, 0), "rename", path)
    if durable { try FileDescriptor.open(parent(of: path), [.readOnly, .directory]).synchronize() }
  }

  /// rename(2); what is at `target` is replaced, where that is possible.
  public static func rename(_ path: String, to target: String) throws(SystemError) {
    try check(serai_renameat(at, path, at, target, 0), "rename", path)
  }

  /// Reads a small file of the kernel's own (cgroup, procfs) with one read(2) into a buffer that the caller keeps:
  /// statistics of a thousand tasks are ten thousand of them.
  ///
  /// - Returns: how many bytes of `buffer` are the file's; nil when it cannot be read.
  public static func readSmall(_ directory: String, _ name: StaticString, into buffer: inout [UInt8]) -> Int? {
    let count = buffer.withUnsafeMutableBytes { room in
      guard let base = room.baseAddress else { return -22 }
      return name.withUTF8Buffer { text in
        // A literal ends with a NUL.
        text.withMemoryRebound(to: CChar.self) { characters in
          characters.baseAddress.map { serai_read_below(at, directory, $0, base, room.count) } ?? -22
        }
      }
    }
    return count < 0 ? nil : count
  }

  /// mkdir -p. Existing directories keep their mode.
  public static func makeDirectories(_ path: String, permissions: UInt32 = 0o755) throws(SystemError) {
    let made = serai_mkdirat(at, path, permissions)
    if made >= 0 || made == -Errno.fileExists.rawValue { return }
    let above = parent(of: path)
    guard made == -Errno.noSuchFile.rawValue, above != path else {
      try check(made, "mkdir", path)
      return
    }
    try makeDirectories(above, permissions: permissions)
    let again = serai_mkdirat(at, path, permissions)
    if again != -Errno.fileExists.rawValue { try check(again, "mkdir", path) }
  }

  /// Whether a path exists (a dangling link does not).
  public static func exists(_ path: String) -> Bool { serai_faccessat(at, path, 0, 0) >= 0 }

  /// unlink(2); a file that is not there is no error.
  public static func remove(_ path: String) throws(SystemError) {
    let result = serai_unlinkat(at, path, 0)
    if result != -Errno.noSuchFile.rawValue { try check(result, "unlink", path) }
  }

  /// rmdir(2); a directory that is not there is no error.
  public static func removeDirectory(_ path: String) throws(SystemError) {
    let result = serai_unlinkat(at, path, SERAI_AT_REMOVEDIR.intValue)
    if result != -Errno.noSuchFile.rawValue { try check(result, "rmdir", path) }
  }

  /// Removes a file or a whole tree. Symbolic links are removed, never followed, and no mount point is entered, also
  /// when somebody swaps names meanwhile. What is not there is no error.
  public static func removeTree(_ path: String) throws(SystemError) {
    let flat = serai_unlinkat(at, path, 0)
    if flat >= 0 || flat == -Errno.noSuchFile.rawValue { return }
    guard flat == -Errno.isDirectory.rawValue || flat == -Errno.notPermitted.rawValue else {
      try check(flat, "unlink", path)
      return
    }
    let directory: FileDescriptor
    do {
      directory = try FileDescriptor.open(path, [.readOnly, .directory, .noFollow])
    } catch {
      throw SystemError("open", path, error.errno)
    }
    try removeContents(of: directory, depth: 0)
    try removeDirectory(path)
  }

  private static func removeContents(of directory: borrowing FileDescriptor, depth: Int) throws(SystemError) {
    if depth > 1000 {
      throw SystemError("remove", "fd \(directory.number)", .nameTooLong, advice: "more than 1000 directories deep")
    }
    // Names that appear while we delete make rmdir fail with ENOTEMPTY: a few rounds, then the caller hears of it.
    for _ in 0..<8 {
      let entries = try directory.entries()
      if entries.isEmpty { return }
      for entry in entries {
        let flat = serai_unlinkat(directory.number, entry.name, 0)
        if flat >= 0 || flat == -Errno.noSuchFile.rawValue { continue }
        guard flat == -Errno.isDirectory.rawValue || flat == -Errno.notPermitted.rawValue else {
          try check(flat, "unlink", entry.name)
          continue
        }
        do {
          let child = try directory.open(
            beneath: entry.name, [.readOnly, .directory, .noFollow],
            resolve: [.beneath, .noSymlinks, .noCrossDevice])
          try removeContents(of: child, depth: depth + 1)
        }
        let gone = serai_unlinkat(directory.number, entry.name, SERAI_AT_REMOVEDIR.intValue)
        if gone != -Errno.noSuchFile.rawValue { try check(gone, "rmdir", entry.name) }
      }
    }
  }

  /// The directory part of a path: "/" for "/a", "." for "a".
  public static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static var at: Int32 { SERAI_AT_FDCWD.intValue }
}
