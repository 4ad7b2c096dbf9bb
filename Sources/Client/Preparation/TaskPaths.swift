internal import Drivers
internal import Linux

/// A place that a job names in a task's directories, as a host directory that no task can replace and a path below it.
///
/// Jobs write `local/x`, `/local/x`, `${NOMAD_TASK_DIR}/x`, `/alloc/data/x` and, with drivers that do not isolate, host
/// paths of the same places. Nothing else of the host can be named.
struct TaskPath: Equatable, Sendable {
  /// The task's directory or the allocation's shared one.
  var base: String
  /// Relative, without ".."; "" for the base itself.
  var relative: String
  /// What holds `base`, where it is no directory of the host.
  private var holder: SecretsMount?

  /// nil for a path that leads out of the task's directories.
  init?(_ path: String, _ directories: TaskDirectories) {
    var path = path[...]
    for (host, inside) in [(directories.task, ""), (directories.shared, "/alloc")] {
      if path == host || path.hasPrefix(host + "/") { path = (inside + path.dropFirst(host.count))[...] }
    }
    var parts = path.split(separator: "/").filter { $0 != "." }
    if parts.contains("..") || path.utf8.contains(0) { return nil }
    base = directories.task
    if let mount = directories.secretsMount, parts.first == "secrets" {
      parts.removeFirst()
      base = mount.path
      holder = mount
    } else if parts.first == "alloc" {
      parts.removeFirst()
      base = directories.shared
    }
    relative = parts.joined(separator: "/")
  }

  /// The bytes of the regular file there; no link is followed.
  func read(limit: Int) throws(SystemError) -> [UInt8] {
    let root = try FileDescriptor.open(base, [.path, .directory, .noFollow])
    let file = try root.open(
      beneath: relative.isEmpty ? "." : relative, [.readOnly, .nonBlocking, .noControllingTerminal, .noFollow])
    guard try file.status().kind == .regular else {
      throw SystemError("read", relative, .invalidArgument, advice: "it is no regular file")
    }
    return try file.readAll(limit: limit)
  }

  /// Puts a file there, in the place of any that is there, making directories; no link is followed.
  /// - Parameter owner: whom the file belongs to; nil for root.
  /// - Returns: whether the file has changed.
  @discardableResult
  func write(
    _ bytes: [UInt8], permissions: UInt32, owner: (uid: UInt32, gid: UInt32)?
  ) throws(SystemError) -> Bool {
    var parts = relative.split(separator: "/").map(String.init)
    guard let name = parts.popLast() else {
      throw SystemError("write", relative, .isDirectory, advice: "name a file")
    }
    if let before = try? read(limit: bytes.count), before == bytes { return false }
    var place = try FileDescriptor.open(base, [.readOnly, .directory, .noFollow])
    for part in parts { place = try place.ensureDirectory(part) }
    let temporary = ".\(name).new"
    do throws(SystemError) {
      try place.remove(temporary)
    } catch {
      if error.errno != .noSuchFile { throw error }
    }
    let file = try place.open(beneath: temporary, [.writeOnly, .create, .exclusive], permissions: 0o600)
    try file.writeAll(bytes)
    try file.setPermissions(permissions)
    let offset = holder?.firstID ?? 0
    if let owner {
      try file.setOwner(uid: owner.uid + offset, gid: owner.gid + offset)
    } else if offset != 0 {
      try file.setOwner(uid: offset, gid: offset)
    }
    try place.rename(temporary, to: name)
    return true
  }
}
