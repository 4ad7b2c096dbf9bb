internal import CLinux

/// A mount that is not (yet) in the tree, or the root of one that is: a descriptor of the new mount API.
///
/// Everything is set on the detached mount, then it is attached to an object that is named by descriptor, so nobody can
/// swap a path between check and use.
public struct DetachedMount: ~Copyable, Sendable {
  /// The mount's root.
  public let descriptor: FileDescriptor

  init(_ fd: Int32) { descriptor = FileDescriptor(adopting: fd) }

  /// The descriptor of the mount's root, for looking into it after `attach`.
  public consuming func intoDescriptor() -> FileDescriptor { descriptor }

  /// open_tree(2) with OPEN_TREE_CLONE: what a bind mount of the object would show.
  public static func clone(_ object: borrowing FileDescriptor, recursive: Bool) throws(SystemError) -> DetachedMount {
    DetachedMount(
      try check(serai_clone_tree(object.number, "", recursive ? 1 : 0), "open_tree", "fd \(object.number)"))
  }

  /// open_tree(2) with OPEN_TREE_CLONE of a path that nobody untrusted can change.
  public static func clone(path: String, recursive: Bool) throws(SystemError) -> DetachedMount {
    DetachedMount(try check(serai_clone_tree(SERAI_AT_FDCWD.intValue, path, recursive ? 1 : 0), "open_tree", path))
  }

  /// open_tree(2) with OPEN_TREE_CLONE of a path below a directory of the kernel's own (/proc, /sys), where nobody can
  /// swap names.
  public static func clone(kernelPath path: String, in directory: borrowing FileDescriptor, recursive: Bool)
    throws(SystemError) -> DetachedMount
  {
    DetachedMount(try check(serai_clone_tree(directory.number, path, recursive ? 1 : 0), "open_tree", path))
  }

  /// move_mount(2) onto such a path.
  public borrowing func attach(toKernelPath path: String, in directory: borrowing FileDescriptor) throws(SystemError) {
    try check(serai_attach_at(descriptor.number, directory.number, path), "move_mount", path)
  }

  /// fsopen(2), fsconfig(2) and fsmount(2): a new file system. Options without a value are flags.
  public static func create(
    type: String, options: [(String, String?)] = [], attributes: MountAttributes
  ) throws(SystemError) -> DetachedMount {
    let context = FileDescriptor(adopting: try check(serai_fsopen(type), "fsopen", type))
    for (key, value) in options {
      if let value {
        try check(serai_fsconfig_string(context.number, key, value), "fsconfig", "\(type): \(key)=\(value)")
      } else {
        try check(serai_fsconfig_flag(context.number, key), "fsconfig", "\(type): \(key)")
      }
    }
    try check(serai_fsconfig_create(context.number), "fsconfig create", type)
    return DetachedMount(try check(serai_fsmount(context.number, attributes.rawValue), "fsmount", type))
  }

  /// mount_setattr(2): adds and takes away attributes, optionally on the mounts below too.
  public borrowing func set(
    _ attributes: MountAttributes, clearing: MountAttributes = [], recursive: Bool = false
  ) throws(SystemError) {
    let result = serai_mount_setattr(
      descriptor.number, "", recursive ? 1 : 0, attributes.rawValue, clearing.rawValue, 0)
    try check(result, "mount_setattr", "fd \(descriptor.number)")
  }

  /// mount_setattr(2): what of the mounts made below shows up on the other side, optionally on the mounts below too.
  public borrowing func set(_ propagation: MountPropagation, recursive: Bool = false) throws(SystemError) {
    let result = serai_mount_setattr(descriptor.number, "", recursive ? 1 : 0, 0, 0, propagation.flag)
    try check(result, "mount_setattr", "fd \(descriptor.number)")
  }

  /// mount_setattr(2) of the mount whose root is open in `file`.
  public static func set(_ attributes: MountAttributes, mountOf file: borrowing FileDescriptor) throws(SystemError) {
    let result = serai_mount_setattr(file.number, "", 0, attributes.rawValue, 0, 0)
    try check(result, "mount_setattr", "fd \(file.number)")
  }

  /// move_mount(2) of the mount whose root is open in `file`.
  public static func attach(mountOf file: borrowing FileDescriptor, to target: borrowing FileDescriptor)
    throws(SystemError)
  {
    try check(serai_attach(file.number, target.number), "move_mount", "fd \(target.number)")
  }

  /// move_mount(2) onto an object of the same kind (directory or file).
  public borrowing func attach(to target: borrowing FileDescriptor) throws(SystemError) {
    try check(serai_attach(descriptor.number, target.number), "move_mount", "fd \(target.number)")
  }
}

/// Whether mounts and unmounts travel between a mount and where it was cloned from (mount_namespaces(7)).
public enum MountPropagation: UInt8, Sendable, Equatable {
  /// Neither way (MS_PRIVATE).
  case `private` = 0
  /// From where it came from to here (MS_SLAVE).
  case slave = 1
  /// Both ways, where the original is shared (MS_SHARED).
  case shared = 2

  var flag: UInt64 {
    switch self {
    case .private: 1 << 18
    case .slave: 1 << 19
    case .shared: 1 << 20
    }
  }
}

/// Calls on the mount tree of this process's mount namespace.
public enum MountTree {
  /// Makes every mount private (MS_PRIVATE) or a slave (MS_SLAVE) of where it came from: nothing mounted here
  /// afterwards shows up elsewhere; as a slave, what is mounted elsewhere still shows up here.
  public static func separate(slave: Bool) throws(SystemError) {
    let propagation: MountPropagation = slave ? .slave : .private
    try check(serai_mount_setattr(SERAI_AT_FDCWD.intValue, "/", 1, 0, 0, propagation.flag), "mount_setattr", "/")
  }

  /// pivot_root(2) of the working directory onto itself and detaching the old root: afterwards "/" is what the working
  /// directory was, and nothing else is reachable.
  public static func pivotToWorkingDirectory() throws(SystemError) {
    try check(serai_pivot_here(), "pivot_root", ".")
    try check(serai_unmount_detach("."), "umount2", "old root")
    try check(serai_chdir("/"), "chdir", "/")
  }

  /// umount2(2) with MNT_DETACH.
  public static func detach(_ path: String) throws(SystemError) {
    try check(serai_unmount_detach(path), "umount2", path)
  }
}
