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
    self.account = account
  }

  /// The text of a file that the task may have written: never a FIFO or device, never more than 1 MiB. A missing one is
  /// empty.
  private func accountFile(_ path: String) throws(SystemError) -> String {
    do throws(SystemError) {
      let file = try FileDescriptor.open(path, [.readOnly, .nonBlocking, .noControllingTerminal])
      guard try file.status().kind == .regular else {
        throw SystemError("read", path, .invalidArgument, advice: "it must be a regular file")
      }
      return String(decoding: try file.readAll(limit: 1 << 20), as: UTF8.self)
    } catch {
      if error.errno == .noSuchFile { return "" }
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
      if try stream.status().kind == .fifo { try stream.setOwner(uid: account.uid, gid: account.gid) }
    }
  }

  func becomeUser() throws(SystemError) {
    guard let account else { return }
    // Always, also with none: the supervisor's own groups must not be inherited.
    try Myself.setGroups(account.groups)
    try Myself.setGroup(account.gid)
    try Myself.setUser(account.uid)
  }

  /// With host ids a capability acts on the host's objects: a user other than root gets none, root gets the given set.
  func setCapabilities(_ mask: UInt64) throws(SystemError) {
    try Myself.clearAmbientCapabilities()
    let isRoot = account.map { $0.uid == 0 } ?? true
    let keep = isRoot ? try Myself.capabilities().permitted & mask : 0
    try Myself.setCapabilities(effective: keep, permitted: keep, inheritable: 0)
  }
}
