internal import CLinux

/// A Landlock ruleset (landlock(7)): what this process, and all that it starts, may still do with files, and whom it may
/// reach. Can only be added to, never taken back.
public struct Landlock: ~Copyable, Sendable {
  private let ruleset: FileDescriptor
  private let access: UInt64

  /// The version of the interface that this kernel has; nil: none.
  public static var version: Int32? {
    let version = serai_landlock_abi()
    return version > 0 ? version : nil
  }

  /// A ruleset that refuses every access to files which this kernel's version can refuse, and, from version 6 on,
  /// connections to abstract sockets of processes outside.
  ///
  /// - Throws: ENOSYS or EOPNOTSUPP where there is no Landlock.
  public static func refusingAll() throws(SystemError) -> Landlock {
    let version = try check(
      serai_landlock_abi(), "landlock_create_ruleset", advice: "the kernel has no Landlock, or it is switched off")
    // LANDLOCK_ACCESS_FS_*: 13 in version 1, then REFER, TRUNCATE and, in version 5, IOCTL_DEV.
    let bits = version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13
    let access: UInt64 = (1 << UInt64(bits)) - 1
    let ruleset = try check(serai_landlock_create(access, version >= 6 ? 1 : 0), "landlock_create_ruleset")
    return Landlock(ruleset: FileDescriptor(adopting: ruleset), access: access)
  }

  private init(ruleset: consuming FileDescriptor, access: UInt64) {
    self.ruleset = ruleset
    self.access = access
  }

  /// Allows everything at and below an open directory.
  public borrowing func allow(beneath directory: borrowing FileDescriptor) throws(SystemError) {
    try check(serai_landlock_allow(ruleset.number, directory.number, access), "landlock_add_rule", "directory")
  }

  /// Allows everything with an open file. One that is in no file system (a socket, an anonymous pipe) needs no rule.
  public borrowing func allow(file: Int32) throws(SystemError) {
    // EXECUTE, WRITE_FILE, READ_FILE, TRUNCATE, IOCTL_DEV: the rights that files have.
    let rights: UInt64 = (0b111 | 1 << 14 | 1 << 15) & access
    let result = serai_landlock_allow(ruleset.number, file, rights)
    if result == -Self.noFileSystem || result == -Errno.badDescriptor.rawValue { return }
    try check(result, "landlock_add_rule", "fd \(file)")
  }

  /// landlock_restrict_self(2). Needs no_new_privs.
  public borrowing func restrictSelf() throws(SystemError) {
    try check(serai_landlock_restrict(ruleset.number), "landlock_restrict_self")
  }

  /// EBADFD
  private static let noFileSystem: Int32 = 77
}
