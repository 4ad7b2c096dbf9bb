internal import CLinux

/// What statx(2) tells about a file.
public struct FileStatus: Sendable, Equatable {
  /// The kind of a file (S_IFMT).
  public enum Kind: UInt32, Sendable {
    /// S_IFIFO
    case fifo = 0o010000
    /// S_IFCHR
    case characterDevice = 0o020000
    /// S_IFDIR
    case directory = 0o040000
    /// S_IFBLK
    case blockDevice = 0o060000
    /// S_IFREG
    case regular = 0o100000
    /// S_IFLNK
    case symbolicLink = 0o120000
    /// S_IFSOCK
    case socket = 0o140000
  }
  /// The kind; nil for a value that Linux does not define.
  public var kind: Kind?
  /// Permission bits, with setuid, setgid and sticky.
  public var permissions: UInt32
  /// Owner.
  public var uid: UInt32
  /// Group.
  public var gid: UInt32
  /// Number of names.
  public var links: UInt32
  /// Size in bytes.
  public var size: UInt64
  /// Allocated 512-byte blocks.
  public var blocks: UInt64
  /// Inode number, unique within `device`.
  public var inode: UInt64
  /// Device the file lies on.
  public var device: UInt64
  /// Of a device node: its own major number.
  public var deviceMajor: UInt32
  /// Of a device node: its own minor number.
  public var deviceMinor: UInt32
  /// Last modification, nanoseconds since the epoch.
  public var modifiedNanoseconds: Int64
  /// Last status change, nanoseconds since the epoch.
  public var changedNanoseconds: Int64
  /// Id of the mount it was reached by (Linux 5.8; 0 before).
  public var mountID: UInt64
}

/// What fstatfs(2) tells about a file system.
public struct FileSystemStatus: Sendable, Equatable {
  /// The magic number of linux/magic.h.
  public var type: Int64
  /// Bytes in all.
  public var totalBytes: UInt64
  /// Bytes that an unprivileged process may still use.
  public var availableBytes: UInt64
  /// Bytes free, those reserved for root included.
  public var freeBytes: UInt64
  /// Inodes in all.
  public var files: UInt64
  /// Inodes free.
  public var filesFree: UInt64
}

/// One name in a directory.
public struct DirectoryEntry: Sendable, Equatable {
  /// The name, one path component.
  public var name: String
  /// Its kind, where the file system tells.
  public var kind: FileStatus.Kind?
}

extension FileDescriptor {
  /// open(2) of a path (relative: to the working directory), with O_CLOEXEC.
  public static func open(
    _ path: String, _ flags: OpenFlags = .readOnly, permissions: UInt32 = 0o600, advice: String = ""
  ) throws(SystemError) -> FileDescriptor {
    let fd = serai_openat(SERAI_AT_FDCWD.intValue, path, flags.rawValue, permissions)
    return FileDescriptor(adopting: try check(fd, "open", path, advice: advice))
  }

  /// openat2(2): opens `path` seen from this directory, walking only as `resolve` allows.
  public borrowing func open(
    beneath path: String, _ flags: OpenFlags = .readOnly, permissions: UInt32 = 0o600,
    resolve: ResolveFlags = [.beneath, .noMagicLinks, .noSymlinks]
  ) throws(SystemError) -> FileDescriptor {
    let fd = serai_openat2(number, path, UInt64(flags.rawValue), permissions, resolve.rawValue)
    return FileDescriptor(adopting: try check(fd, "openat2", path))
  }

  /// read(2): at most `capacity` bytes; empty at the end of the file.
  public borrowing func read(upTo capacity: Int) throws(SystemError) -> [UInt8] {
    var result = 0
    let fd = number
    let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      result = buffer.baseAddress.map { serai_read(fd, $0, capacity) } ?? 0
      count = max(result, 0)
    }
    try check(result, "read", "fd \(number)")
    return bytes
  }

  /// pread(2): at most `capacity` bytes from `offset`.
  public borrowing func read(upTo capacity: Int, at offset: Int64) throws(SystemError) -> [UInt8] {
    var result = 0
    let fd = number
    let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      result = buffer.baseAddress.map { serai_pread(fd, $0, capacity, offset) } ?? 0
      count = max(result, 0)
    }
    try check(result, "pread", "fd \(number)")
    return bytes
  }

  /// Reads to the end, at most `limit` bytes.
  ///
  /// - Throws: EMSGSIZE when there is more.
  public borrowing func readAll(limit: Int = 16 << 20) throws(SystemError) -> [UInt8] {
    var all: [UInt8] = []
    while true {
      let part = try read(upTo: min(65536, limit - all.count + 1))
      if part.isEmpty { return all }
      all += part
      if all.count > limit {
        throw SystemError("read", "fd \(number)", .messageTooLong, advice: "the file is longer than \(limit) bytes")
      }
    }
  }

  /// write(2) of what is left from `start` on: how many bytes were taken.
  public borrowing func write(_ bytes: [UInt8], from start: Int) throws(SystemError) -> Int {
    let fd = number
    let written = bytes[start...].withUnsafeBytes { buffer in
      buffer.baseAddress.map { serai_write(fd, $0, buffer.count) } ?? 0
    }
    return try check(written, "write", "fd \(number)")
  }

  /// write(2) until everything is written.
  public borrowing func writeAll(_ bytes: [UInt8]) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      let fd = number
      let written = bytes.withUnsafeBytes { buffer in
        buffer.baseAddress.map { serai_write(fd, $0 + done, buffer.count - done) } ?? 0
      }
      done += try check(written, "write", "fd \(number)")
    }
  }

  /// pwrite(2) of all bytes at `offset`.
  public borrowing func writeAll(_ bytes: [UInt8], at offset: Int64) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      let fd = number
      let written = bytes.withUnsafeBytes { buffer in
        buffer.baseAddress.map { serai_pwrite(fd, $0 + done, buffer.count - done, offset + Int64(done)) } ?? 0
      }
      done += try check(written, "pwrite", "fd \(number)")
    }
  }

  /// statx(2) of the open file.
  public borrowing func status() throws(SystemError) -> FileStatus {
    try status(of: "", flags: SERAI_AT_EMPTY_PATH.intValue)
  }

  /// statx(2) of a name in this directory; a symbolic link is not followed.
  public borrowing func status(of name: String) throws(SystemError) -> FileStatus {
    try status(of: name, flags: SERAI_AT_SYMLINK_NOFOLLOW.intValue)
  }

  private borrowing func status(of name: String, flags: Int32) throws(SystemError) -> FileStatus {
    var raw = serai_stat()
    try check(serai_stat(number, name, flags, &raw), "statx", name.isEmpty ? "fd \(number)" : name)
    return FileStatus(raw)
  }

  /// Whether there is something at a path seen from this directory (faccessat(2)).
  public borrowing func has(_ path: String) -> Bool { serai_faccessat(number, path, 0, 0) >= 0 }

  /// fstatfs(2).
  public borrowing func fileSystem() throws(SystemError) -> FileSystemStatus {
    var raw = serai_statfs()
    try check(serai_fstatfs(number, &raw), "fstatfs", "fd \(number)")
    return FileSystemStatus(
      type: raw.type, totalBytes: raw.blocks &* raw.block_size, availableBytes: raw.blocks_available &* raw.block_size,
      freeBytes: raw.blocks_free &* raw.block_size, files: raw.files, filesFree: raw.files_free)
  }

  /// mkdirat(2). `name` is one component.
  public borrowing func makeDirectory(_ name: String, permissions: UInt32 = 0o755) throws(SystemError) {
    try check(serai_mkdirat(number, name, permissions), "mkdir", name)
  }

  /// mkdirat(2) unless a directory is there already; opens it without following a link.
  public borrowing func ensureDirectory(_ name: String, permissions: UInt32 = 0o755) throws(SystemError)
    -> FileDescriptor
  {
    let made = serai_mkdirat(number, name, permissions)
    if made < 0, made != -Errno.fileExists.rawValue { try check(made, "mkdir", name) }
    return try open(beneath: name, [.readOnly, .directory, .noFollow])
  }

  /// mkfifoat(3).
  public borrowing func makeFIFO(_ name: String, permissions: UInt32 = 0o600) throws(SystemError) {
    try check(serai_mkfifoat(number, name, permissions), "mkfifo", name)
  }

  /// mknodat(2) of a character device.
  public borrowing func makeCharacterDevice(_ name: String, permissions: UInt32, major: UInt32, minor: UInt32)
    throws(SystemError)
  {
    let mode = FileStatus.Kind.characterDevice.rawValue | permissions
    try check(serai_mknodat(number, name, mode, major, minor), "mknod", name)
  }

  /// symlinkat(2): `name` in this directory will say `target`.
  public borrowing func makeSymbolicLink(_ name: String, to target: String) throws(SystemError) {
    try check(serai_symlinkat(target, number, name), "symlink", name)
  }

  /// readlinkat(2).
  public borrowing func readSymbolicLink(_ name: String) throws(SystemError) -> String {
    var result = 0
    let fd = number
    let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
      result = buffer.withMemoryRebound(to: CChar.self) { chars in
        chars.baseAddress.map { serai_readlinkat(fd, name, $0, 4096) } ?? 0
      }
      count = max(result, 0)
    }
    try check(result, "readlink", name)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// unlinkat(2) of a file, or of an empty directory.
  public borrowing func remove(_ name: String, directory: Bool = false) throws(SystemError) {
    let flags = directory ? SERAI_AT_REMOVEDIR.intValue : 0
    try check(serai_unlinkat(number, name, flags), directory ? "rmdir" : "unlink", name)
  }

  /// renameat2(2) inside this directory; an existing `new` is replaced.
  public borrowing func rename(_ old: String, to new: String) throws(SystemError) {
    try check(serai_renameat(number, old, number, new, 0), "rename", "\(old) to \(new)")
  }

  /// renameat2(2) into another directory of the same file system, under the same name; an empty directory of that name
  /// there is replaced.
  public borrowing func move(_ name: String, into directory: borrowing FileDescriptor) throws(SystemError) {
    try check(serai_renameat(number, name, directory.number, name, 0), "rename", name)
  }

  /// fchown(2) of the open file (also of one opened with `.path`).
  public borrowing func setOwner(uid: UInt32, gid: UInt32) throws(SystemError) {
    try check(serai_fchownat(number, "", uid, gid, SERAI_AT_EMPTY_PATH.intValue), "fchown", "fd \(number)")
  }

  /// fchmod(2).
  public borrowing func setPermissions(_ permissions: UInt32) throws(SystemError) {
    try check(serai_fchmod(number, permissions), "fchmod", "fd \(number)")
  }

  /// ftruncate(2).
  public borrowing func truncate(to size: Int64) throws(SystemError) {
    try check(serai_ftruncate(number, size), "ftruncate", "fd \(number)")
  }

  /// fallocate(2): reserves blocks for the range and grows the file to its end.
  public borrowing func allocate(offset: Int64 = 0, length: Int64) throws(SystemError) {
    try check(serai_fallocate(number, 0, offset, length), "fallocate", "fd \(number)")
  }

  /// fdatasync(2).
  public borrowing func synchronizeData() throws(SystemError) {
    try check(serai_fdatasync(number), "fdatasync", "fd \(number)")
  }

  /// fsync(2), which is also how a directory's names become durable.
  public borrowing func synchronize() throws(SystemError) {
    try check(serai_fsync(number), "fsync", "fd \(number)")
  }

  /// flock(2) without waiting.
  ///
  /// - Throws: EAGAIN when somebody else holds the lock.
  public borrowing func lock(exclusive: Bool = true) throws(SystemError) {
    try check(serai_flock(number, exclusive ? 1 : 0), "flock", "fd \(number)", advice: "another process holds the lock")
  }

  /// The names in this directory, unsorted, without "." and "..". At most `limit` names are returned.
  public borrowing func entries(limit: Int = .max) throws(SystemError) -> [DirectoryEntry] {
    var state = DirectoryListing(limit: limit)
    let result = withUnsafeMutablePointer(to: &state) { pointer in
      serai_list_directory(number, UnsafeMutableRawPointer(pointer)) { context, name, type in
        guard let listing = context?.assumingMemoryBound(to: DirectoryListing.self) else { return 1 }
        let entry = DirectoryEntry(name: String(cString: name), kind: .init(rawValue: UInt32(type) << 12))
        listing.pointee.entries.append(entry)
        return listing.pointee.entries.count >= listing.pointee.limit ? 1 : 0
      }
    }
    try check(result, "getdents64", "fd \(number)")
    return state.entries
  }
}

private struct DirectoryListing {
  var limit: Int
  var entries: [DirectoryEntry] = []
}

extension FileStatus {
  init(_ raw: serai_stat) {
    self.init(
      kind: Kind(rawValue: raw.mode & 0o170000), permissions: raw.mode & 0o7777, uid: raw.uid, gid: raw.gid,
      links: raw.nlink, size: raw.size, blocks: raw.blocks, inode: raw.inode, device: raw.device,
      deviceMajor: UInt32(truncatingIfNeeded: raw.rdev >> 32), deviceMinor: UInt32(truncatingIfNeeded: raw.rdev),
      modifiedNanoseconds: raw.modified_ns, changedNanoseconds: raw.changed_ns, mountID: raw.mount_id)
  }

  /// statx(2) of a path; `followLink` says whether a symbolic link in the last place is followed.
  public static func of(_ path: String, followLink: Bool = true) throws(SystemError) -> FileStatus {
    var raw = serai_stat()
    let flags = followLink ? 0 : SERAI_AT_SYMLINK_NOFOLLOW.intValue
    try check(serai_stat(SERAI_AT_FDCWD.intValue, path, flags, &raw), "statx", path)
    return FileStatus(raw)
  }
}
