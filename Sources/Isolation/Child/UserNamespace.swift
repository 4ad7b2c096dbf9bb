import Linux

// The user namespace of a task: made early, because idmapped mounts need it, and entered late, because everything that
// is built before needs the host's privileges. So the namespaces and mounts belong to the host: not even the task's
// root, with every capability, can change them.
extension Child {
  mutating func makeUserNamespace(_ range: UserNamespace) throws(SystemError) {
    guard let proc, let settings, let helper = namespaceHelper else {
      throw SystemError("create user namespace", "", .badDescriptor, advice: "the plan holds none, or mounts no /proc")
    }
    userNamespace = OpenFile(try helper.open(first: range.firstID, count: range.count, proc: proc.descriptor))
    userLimits = OpenFile(try settings.descriptor.open(beneath: "user", [.path, .directory]))
    firstID = range.firstID
    idCount = range.count
    // Files are made as the task's root (see `asTaskRoot`), with the privileges of the host's.
    try Myself.keepCapabilitiesAcrossIDs(true)
  }

  /// Gives a mount the task's ids: what belongs to n on disk belongs to n in the task.
  func mapIDs(of mount: borrowing DetachedMount) throws(SystemError) {
    if let userNamespace { try mount.mapIDs(as: userNamespace.descriptor) }
  }

  /// Runs `body` with the file ids of the task's root: on an idmapped mount nothing can be made with ids of the host.
  func asTaskRoot<Result: ~Copyable>(_ body: () throws(SystemError) -> Result) throws(SystemError) -> Result {
    if firstID == 0 { return try body() }
    try Myself.setFileSystemIDs(uid: firstID, gid: firstID)
    let result: Result
    do {
      result = try body()
    } catch {
      try Myself.setFileSystemIDs(uid: 0, gid: 0)
      throw error
    }
    try Myself.setFileSystemIDs(uid: 0, gid: 0)
    return result
  }

  mutating func enterUserNamespace() throws(SystemError) {
    if let number = resources.joined {
      // Its limits are set already.
      return try Myself.join(try FileDescriptor.duplicate(of: number), .user)
    }
    guard let namespace = userNamespace, let userLimits else {
      throw SystemError("setns", "user", .badDescriptor, advice: "the plan makes no user namespace")
    }
    // The process that made it had a number of the task's: it is given back, so that the first command is number 2
    // below the init whatever the task's ids are. A kernel without the file (CHECKPOINT_RESTORE) only counts on.
    namespaceHelper = nil
    try? settings?.descriptor.open(beneath: "kernel/ns_last_pid", [.writeOnly]).writeAll(Array("1".utf8))
    try Myself.join(namespace.descriptor, .user)
    self.userNamespace = nil
    // None inside: what a nested one opens up in the kernel is not the task's business. The setting is that of the
    // namespace we are in; whoever opens the file for writing must have its CAP_SYS_RESOURCE, as we do for a moment.
    let file = try userLimits.descriptor.open(beneath: "max_user_namespaces", [.writeOnly])
    try file.writeAll(Array("0".utf8))
  }
}
