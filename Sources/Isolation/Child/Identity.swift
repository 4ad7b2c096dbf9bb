import Linux

// Who the task is: user, groups, capabilities, and the standard streams that belong to it.
extension Child {
  mutating func lookUp(
    _ name: String, deniedUsers: [ClosedRange<UInt32>], deniedGroups: [ClosedRange<UInt32>]
  ) throws(SystemError) {
    let accounts = Accounts(passwd: try accountFile("/etc/passwd"), group: try accountFile("/etc/group"))
    guard let account = accounts.account(name) else {
      throw SystemError(
        "look up user", name, .invalidArgument, advice: "it is not in the task's /etc/passwd, and is no decimal user id"
      )
    }
    if deniedUsers.contains(where: { $0.contains(account.uid) }) {
      throw SystemError(
        "become user", name, .permissionDenied,
        advice: "it has the id \(account.uid), which this client denies to tasks")
    }
    if let gid = ([account.gid] + account.groups).first(where: { gid in deniedGroups.contains { $0.contains(gid) } }) {
      throw SystemError(
        "become user", name, .permissionDenied, advice: "it is in group \(gid), which this client denies to tasks")
    }
    if let id = ([account.uid, account.gid] + account.groups).first(where: { firstID != 0 && $0 >= idCount }) {
      throw SystemError(
        "become user", name, .invalidArgument,
        advice:
          "the id \(id) is above the \(idCount) ids of the task's user namespace: use a lower one, or userns = \"host\""
      )
    }
    self.account = account
  }

  /// What an id of the task is on the host.
  func hostID(_ id: UInt32) -> UInt32 { firstID + id }

  /// The text of a file that the task may have written: never a FIFO or device, never more than 1 MiB. A missing one is
  /// empty.
  private func accountFile(_ path: String) throws(SystemError) -> [UInt8] {
    do throws(SystemError) {
      let file = try FileDescriptor.open(path, [.readOnly, .nonBlocking, .noControllingTerminal])
      guard try file.status().kind == .regular else {
        throw SystemError("read", path, .invalidArgument, advice: "it must be a regular file")
      }
      return try file.readAll(limit: 1 << 20)
    } catch {
      if error.errno == .noSuchFile { return [] }
      throw error
    }
  }

  /// Moves the streams to 0-2, the status file to 3, the report socket to 4 and the init to 5.
  mutating func placeStreams() throws(SystemError) {
    // First all of them out of the way, so that none is overwritten before it is moved.
    var sources: [Int32] = []
    for number in resources.streams + [resources.status, resources.report, resources.initProgram] {
      sources.append(try FileDescriptor.duplicate(of: number, lowest: 64).release())
    }
    for (target, number) in sources.enumerated() { try Myself.place(number, at: Int32(target)) }
    try Myself.setCloseOnExec(5)
    if !plan.usesInit {
      try Myself.setCloseOnExec(InTaskInit.reportDescriptor)
      try Myself.setCloseOnExec(InTaskInit.statusDescriptor)
    }
    streamsPlaced = true
    guard let account else { return }
    // Without this the task could write to its streams but not open /dev/stdout.
    for number: Int32 in [1, 2] {
      let stream = try FileDescriptor.duplicate(of: number)
      if try stream.status().kind == .fifo {
        try stream.setOwner(uid: hostID(account.uid), gid: hostID(account.gid))
      }
    }
  }

  func becomeUser() throws(SystemError) {
    guard let account else { return }
    // The capabilities that the plan gives are cut out of what is left after the change of ids.
    let setsCapabilities = plan.steps.contains { if case .capabilities = $0 { true } else { false } }
    if setsCapabilities { try Myself.keepCapabilities(true) }
    // Always, also with none: the supervisor's own groups must not be inherited.
    try Myself.setGroups(account.groups)
    try Myself.setGroup(account.gid)
    try Myself.setUser(account.uid)
  }

  /// Root gets the given set, another user only what is made ambient: with the rest it could reach into the files and
  /// processes of other users.
  func setCapabilities(_ mask: UInt64, ambient: UInt64) throws(SystemError) {
    try Myself.clearAmbientCapabilities()
    let isRoot = account.map { $0.uid == 0 } ?? true
    let keep = try Myself.capabilities().permitted & (isRoot ? mask : ambient)
    try Myself.setCapabilities(effective: keep, permitted: keep, inheritable: isRoot ? 0 : keep)
    if isRoot { return }
    for number in Int32(0)..<64 where keep & (1 << UInt64(number)) != 0 { try Myself.raiseAmbientCapability(number) }
  }

  /// The second wall of a task with host ids: even a descriptor that leads out of its root opens nothing there.
  func restrictFiles(_ policy: LandlockPolicy) throws(SystemError) {
    // Version 1 refuses every rename from one directory into another.
    guard let version = Landlock.version, version >= 2 else {
      if policy == .required {
        throw SystemError(
          "landlock_create_ruleset", "", .notImplemented, advice: "this kernel has no Landlock 2 or newer")
      }
      let what = "this kernel has no Landlock 2 or newer: the task is confined by the other walls alone"
      return send(Report(isFailure: false, step: .landlock, errno: .notImplemented, object: what))
    }
    let rules = try Landlock.refusingAll()
    try rules.allow(beneath: try FileDescriptor.open("/", [.path, .directory]))
    // The streams lie elsewhere; a task may open them again, as /dev/stdout.
    for number: Int32 in 0...2 { try rules.allow(file: number) }
    try rules.restrictSelf()
  }
}
