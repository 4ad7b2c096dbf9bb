internal import CLinux

/// User namespaces (user_namespaces(7)) and what this process does with ids of its own.
public enum UserNamespaces {
  /// A new user namespace in which the ids 0 ..< `count` are this namespace's ids from `first` on.
  ///
  /// - Parameter proc: a procfs of the caller's pid namespace.
  /// - Throws: ENOSPC when the host's limit of user namespaces is reached, EPERM without CAP_SETUID and CAP_SETGID.
  public static func make(first: UInt32, count: UInt32, proc: borrowing FileDescriptor) throws(SystemError)
    -> FileDescriptor
  {
    try UserNamespaceHelper().open(first: first, count: count, proc: proc)
  }
}

/// A user namespace that maps no ids yet, held by a child of this process that shares its memory and does nothing.
public final class UserNamespaceHelper: Sendable {
  private let pid: Int32
  /// The address of the child's stack, which lives as long as the child.
  private let stack: UInt

  /// Makes the namespace.
  ///
  /// - Throws: ENOSPC when the host's limit of user namespaces is reached.
  public init() throws(SystemError) {
    var stack: UnsafeMutableRawPointer?
    pid = try check(
      serai_user_namespace_hold(&stack), "create user namespace",
      advice: "the kernel needs CONFIG_USER_NS, and user.max_user_namespaces must allow one more")
    self.stack = UInt(bitPattern: stack)
  }

  /// Maps the ids 0 ..< `count` to this namespace's from `first` on, and opens the namespace. The child is then told to
  /// end; whoever lets go of this value waits for that.
  ///
  /// - Parameter proc: a procfs of the caller's pid namespace.
  public func open(first: UInt32, count: UInt32, proc: borrowing FileDescriptor) throws(SystemError) -> FileDescriptor {
    let fd = try check(
      serai_user_namespace_map(proc.number, pid, first, count), "map user namespace", "ids from \(first)")
    _ = serai_kill(pid, 9)
    return FileDescriptor(adopting: fd)
  }

  deinit {
    // Not reaped so far: the number is still this child's.
    _ = serai_kill(pid, 9)
    serai_user_namespace_reap(pid, UnsafeMutableRawPointer(bitPattern: stack))
  }
}

extension Myself {
  /// setfsuid(2) and setfsgid(2): as whom files are made and opened.
  public static func setFileSystemIDs(uid: UInt32, gid: UInt32) throws(SystemError) {
    try check(serai_setfsids(uid, gid), "setfsuid", "\(uid)")
  }
  /// SECBIT_NO_SETUID_FIXUP on or off: whether changing ids leaves the capabilities alone.
  public static func keepCapabilitiesAcrossIDs(_ on: Bool) throws(SystemError) {
    try check(serai_secure_bits(on ? 4 : 0), "prctl PR_SET_SECUREBITS")
  }
  /// Brings "lo" of the network namespace up.
  public static func bringLoopbackUp() throws(SystemError) {
    try check(serai_loopback_up(), "ioctl SIOCSIFFLAGS", "lo")
  }
}

extension DetachedMount {
  /// MOUNT_ATTR_IDMAP: an id n on disk is seen as what n is in the user namespace, and the other way round.
  ///
  /// - Throws: EINVAL where the file system does not know idmapped mounts.
  public borrowing func mapIDs(as namespace: borrowing FileDescriptor) throws(SystemError) {
    try check(
      serai_mount_idmap(descriptor.number, namespace.number), "mount_setattr MOUNT_ATTR_IDMAP",
      "fd \(descriptor.number)", advice: "the file system must know idmapped mounts (ext4, xfs, btrfs, tmpfs do)")
  }
}
