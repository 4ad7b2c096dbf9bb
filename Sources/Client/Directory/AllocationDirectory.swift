internal import Drivers
internal import Glibc
internal import Linux

/// The directories of one allocation on the host:
///
///     <alloc dir>/<id>/            0755 root
///       alloc/{data,logs,tmp}      0777: shared by the tasks of the group
///       <task>/                    0755 root: the root directory of an isolated task
///         local  tmp               0777 (tmp with the sticky bit)
///         secrets                  0700, the task's user
///       .layers/<task>/            0700 root: what the task writes into the overlays of its root
///
/// `<alloc dir>` itself is 0711 root, so that other users of the host cannot list it. Tasks can write into their part at
/// any time: everything below is made and opened relative to open directories, and no symbolic link is followed.
struct AllocationDirectory: Sendable {
  /// `<alloc dir>/<id>`, absolute.
  let path: String

  static let layersName = ".layers"

  init(_ path: String) { self.path = path }

  /// The directories of a task.
  func task(_ name: String) -> TaskDirectories { TaskDirectories(allocation: path, task: name) }

  /// Makes sure that the allocation's shared directories are there with their modes.
  func ensure() throws(SystemError) {
    try Files.makeDirectories(Files.parent(of: path), permissions: 0o711)
    try Files.makeDirectories(path, permissions: 0o755)
    let root = try FileDescriptor.open(path, [.readOnly, .directory, .noFollow])
    let shared = try root.ensureDirectory("alloc", permissions: 0o777)
    try shared.setPermissions(0o777)
    for name in ["data", "logs", "tmp"] {
      let directory = try shared.ensureDirectory(name, permissions: 0o777)
      try directory.setPermissions(name == "tmp" ? 0o1777 : 0o777)
    }
    let layers = try root.ensureDirectory(Self.layersName, permissions: 0o700)
    try layers.setPermissions(0o700)
  }

  /// Makes sure that a task's directories are there with their modes.
  /// - Parameter owner: whom `secrets` belongs to.
  func ensure(task name: String, owner: (uid: UInt32, gid: UInt32)) throws(SystemError) {
    let root = try FileDescriptor.open(path, [.readOnly, .directory, .noFollow])
    let task = try root.ensureDirectory(name, permissions: 0o755)
    try task.setPermissions(0o755)
    try task.setOwner(uid: 0, gid: 0, toleratingUnprivileged: true)
    let local = try task.ensureDirectory("local", permissions: 0o777)
    try local.setPermissions(0o777)
    let temporary = try task.ensureDirectory("tmp", permissions: 0o777)
    try temporary.setPermissions(0o1777)
    let secrets = try task.ensureDirectory("secrets", permissions: 0o700)
    try secrets.setPermissions(0o700)
    try secrets.setOwner(uid: owner.uid, gid: owner.gid, toleratingUnprivileged: true)
    let layers = try root.open(beneath: Self.layersName, [.readOnly, .directory, .noFollow])
    _ = try layers.ensureDirectory(name, permissions: 0o700)
  }

  /// Makes sure that a directory is there in a task's own, for a mount to lie on.
  /// - Parameter path: relative, without "..".
  func ensurePlace(_ path: String, inTask name: String) throws(SystemError) {
    var place = try FileDescriptor.open(self.path, [.readOnly, .directory, .noFollow])
      .open(beneath: name, [.readOnly, .directory, .noFollow])
    for part in path.split(separator: "/").map(String.init) where part != "." {
      place = try place.ensureDirectory(part, permissions: 0o755)
    }
  }

  /// Writes a file below a task's `local`, with the directories on the way to it.
  /// - Parameter file: relative to `local`; a path that leads out of it is refused with EXDEV.
  func write(_ bytes: [UInt8], to file: String, localTo task: String) throws(SystemError) {
    var directory = try FileDescriptor.open(path, [.readOnly, .directory, .noFollow])
      .open(beneath: task + "/local", [.readOnly, .directory, .noFollow])
    let parts = file.split(separator: "/").map(String.init)
    for name in parts.dropLast() {
      directory =
        name == ".."
        ? try directory.open(beneath: name, [.readOnly, .directory]) : try directory.ensureDirectory(name)
    }
    let target = try directory.open(
      beneath: parts.last ?? ".", [.writeOnly, .create, .truncate, .noFollow], permissions: 0o644)
    try target.writeAll(bytes)
    try target.setPermissions(0o644)
  }

  /// Moves `alloc/data` and every task's `local` here from the allocation that this one replaces (`ephemeral_disk` with
  /// `sticky`). What is not there any more, because it was moved before, is left alone. The directories lie on one file
  /// system, so nothing is copied.
  func takeData(from old: AllocationDirectory, tasks: [String]) throws(SystemError) {
    try ensure()
    let from = try Self.open(old.path)
    let to = try Self.open(path)
    for name in tasks { _ = try to.ensureDirectory(name, permissions: 0o755) }
    for place in ["alloc/data"] + tasks.map({ $0 + "/local" }) {
      let parts = place.split(separator: "/").map(String.init)
      do throws(SystemError) {
        let source = try from.open(beneath: parts[0], [.readOnly, .directory, .noFollow])
        let target = try to.open(beneath: parts[0], [.readOnly, .directory, .noFollow])
        try source.move(parts[1], into: target)
      } catch {
        if error.errno != .noSuchFile && error.errno != .notEmpty && error.errno != .fileExists { throw error }
      }
    }
  }

  /// Removes what lies in `alloc/data` and the tasks' `local` directories, of an allocation whose tasks have not begun.
  func clearData(tasks: [String]) throws(SystemError) {
    for place in ["alloc/data"] + tasks.map({ $0 + "/local" }) { try Files.removeTree(path + "/" + place) }
    try ensure()
  }

  private static func open(_ path: String) throws(SystemError) -> FileDescriptor {
    try FileDescriptor.open(path, [.readOnly, .directory, .noFollow])
  }

  /// Deletes everything. Links are removed, never followed; what is not there is no error.
  func remove() throws(SystemError) { try Files.removeTree(path) }
}

extension FileDescriptor {
  /// fchown(2), which an agent that is not root (a test) may not do; then everything belongs to that agent's user.
  fileprivate borrowing func setOwner(uid: UInt32, gid: UInt32, toleratingUnprivileged: Bool) throws(SystemError) {
    do throws(SystemError) {
      try setOwner(uid: uid, gid: gid)
    } catch {
      if toleratingUnprivileged, error.errno == .notPermitted, geteuid() != 0 { return }
      throw error
    }
  }
}
