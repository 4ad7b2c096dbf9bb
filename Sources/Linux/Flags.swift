internal import CLinux

// Swift imports C's anonymous enums as UInt32 or Int32 constants, depending on their values; these bring them to one type.
extension UInt32 {
  var intValue: Int32 { Int32(bitPattern: self) }
}
extension Int32 {
  var intValue: Int32 { self }
}
extension Int {
  var intValue: Int32 { Int32(truncatingIfNeeded: self) }
}

/// Flags of open(2); O_CLOEXEC is always set.
public struct OpenFlags: OptionSet, Sendable {
  /// The O_ bits.
  public let rawValue: Int32
  /// Wraps O_ bits.
  public init(rawValue: Int32) { self.rawValue = rawValue }
  /// O_RDONLY.
  public static let readOnly: OpenFlags = []
  /// O_WRONLY.
  public static let writeOnly = OpenFlags(rawValue: SERAI_O_WRONLY.intValue)
  /// O_RDWR.
  public static let readWrite = OpenFlags(rawValue: SERAI_O_RDWR.intValue)
  /// O_CREAT.
  public static let create = OpenFlags(rawValue: SERAI_O_CREAT.intValue)
  /// O_EXCL.
  public static let exclusive = OpenFlags(rawValue: SERAI_O_EXCL.intValue)
  /// O_TRUNC.
  public static let truncate = OpenFlags(rawValue: SERAI_O_TRUNC.intValue)
  /// O_APPEND.
  public static let append = OpenFlags(rawValue: SERAI_O_APPEND.intValue)
  /// O_DIRECTORY.
  public static let directory = OpenFlags(rawValue: SERAI_O_DIRECTORY.intValue)
  /// O_NOFOLLOW.
  public static let noFollow = OpenFlags(rawValue: SERAI_O_NOFOLLOW.intValue)
  /// O_NONBLOCK.
  public static let nonBlocking = OpenFlags(rawValue: SERAI_O_NONBLOCK.intValue)
  /// O_NOCTTY.
  public static let noControllingTerminal = OpenFlags(rawValue: SERAI_O_NOCTTY.intValue)
  /// O_PATH: names the object without opening it.
  public static let path = OpenFlags(rawValue: SERAI_O_PATH.intValue)
}

/// How openat2(2) may walk a path (RESOLVE_*).
public struct ResolveFlags: OptionSet, Sendable {
  /// The RESOLVE_ bits.
  public let rawValue: UInt64
  /// Wraps RESOLVE_ bits.
  public init(rawValue: UInt64) { self.rawValue = rawValue }
  /// RESOLVE_NO_XDEV: no mount point is crossed.
  public static let noCrossDevice = ResolveFlags(rawValue: 1)
  /// RESOLVE_NO_MAGICLINKS: no /proc-style link is followed.
  public static let noMagicLinks = ResolveFlags(rawValue: 2)
  /// RESOLVE_NO_SYMLINKS: no symbolic link is followed.
  public static let noSymlinks = ResolveFlags(rawValue: 4)
  /// RESOLVE_BENEATH: leaving the directory is refused with EXDEV.
  public static let beneath = ResolveFlags(rawValue: 8)
  /// RESOLVE_IN_ROOT: the directory is "/" for the walk.
  public static let inRoot = ResolveFlags(rawValue: 16)
}

/// Attributes of a mount (MOUNT_ATTR_*).
public struct MountAttributes: OptionSet, Sendable, Hashable {
  /// The MOUNT_ATTR_ bits.
  public let rawValue: UInt64
  /// Wraps MOUNT_ATTR_ bits.
  public init(rawValue: UInt64) { self.rawValue = rawValue }
  /// MOUNT_ATTR_RDONLY.
  public static let readOnly = MountAttributes(rawValue: 1)
  /// MOUNT_ATTR_NOSUID.
  public static let noSetuid = MountAttributes(rawValue: 2)
  /// MOUNT_ATTR_NODEV.
  public static let noDevices = MountAttributes(rawValue: 4)
  /// MOUNT_ATTR_NOEXEC.
  public static let noExecute = MountAttributes(rawValue: 8)
  /// MOUNT_ATTR_NOATIME.
  public static let noAccessTime = MountAttributes(rawValue: 16)
}

/// Namespaces of a process, as clone(2), unshare(2) and setns(2) name them.
public struct Namespaces: OptionSet, Sendable, Hashable {
  /// The CLONE_NEW bits.
  public let rawValue: UInt64
  /// Wraps CLONE_NEW bits.
  public init(rawValue: UInt64) { self.rawValue = rawValue }
  /// CLONE_NEWNS.
  public static let mount = Namespaces(rawValue: SERAI_CLONE_NEWNS)
  /// CLONE_NEWPID.
  public static let pid = Namespaces(rawValue: SERAI_CLONE_NEWPID)
  /// CLONE_NEWIPC.
  public static let ipc = Namespaces(rawValue: SERAI_CLONE_NEWIPC)
  /// CLONE_NEWUTS.
  public static let uts = Namespaces(rawValue: SERAI_CLONE_NEWUTS)
  /// CLONE_NEWCGROUP.
  public static let cgroup = Namespaces(rawValue: SERAI_CLONE_NEWCGROUP)
  /// CLONE_NEWNET.
  public static let network = Namespaces(rawValue: SERAI_CLONE_NEWNET)
  /// CLONE_NEWUSER.
  public static let user = Namespaces(rawValue: SERAI_CLONE_NEWUSER)
}
