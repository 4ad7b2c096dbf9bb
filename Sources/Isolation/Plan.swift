public import Linux

/// A checked sandbox: the steps in the order in which the child takes them. This file is the one place where the order
/// can be read.
public struct Plan: Sendable, Equatable {
  /// The steps.
  public let steps: [Step]
  /// Namespaces that clone3 makes.
  public let cloneNamespaces: Namespaces
  /// Limits of the cgroup.
  public let limits: CgroupLimits
  /// Whether the in-task init runs.
  public let usesInit: Bool

  /// Checks a sandbox and lists its steps.
  ///
  /// - Throws: SandboxError naming the part that cannot be had, before anything is done.
  public init(_ sandbox: Sandbox) throws(SandboxError) {
    try Self.check(sandbox)
    var steps: [Step] = [.signals]
    // The cgroup first: everything that follows is charged to it.
    steps.append(.cgroup)
    steps.append(.session)
    // While /proc is still the host's: afterwards it may be masked.
    if let score = sandbox.oomScoreAdjustment { steps.append(.oomScore(score)) }
    if let path = sandbox.networkNamespace { steps.append(.networkNamespace(path)) }
    // After entering the cgroup: the namespace's root is where its maker is.
    if sandbox.namespaces.contains(.cgroup) { steps.append(.cgroupNamespace) }
    if sandbox.namespaces.contains(.mount) { steps.append(.mountPropagation) }
    if let root = sandbox.root {
      steps.append(.rootDirectory(root.taskDirectory))
      steps += root.entries.map { .chrootEntry($0, layers: root.layersDirectory) }
      steps.append(.mountProc)
      steps += MaskedPath.all.filter { !$0.inSys }.map { .maskPath($0) }
      steps += MaskedPath.readOnlyInProc.map { .protectPath($0) }
      steps.append(.mountSys)
      steps += MaskedPath.all.filter(\.inSys).map { .maskPath($0) }
      steps.append(
        .mountDevices(sharedMemoryBytes: sandbox.sharedMemoryBytes, ipc: sandbox.namespaces.contains(.ipc)))
      steps += sandbox.mounts.map { .mount($0) }
      steps.append(.pivot)
    }
    if let name = sandbox.hostname { steps.append(.hostname(name)) }
    steps += sandbox.resourceLimits.map { .resourceLimit($0) }
    // After the pivot: names are those of the task's own /etc/passwd.
    if let user = sandbox.user {
      steps.append(.user(user, deniedUsers: sandbox.deniedUserIDs, deniedGroups: sandbox.deniedGroupIDs))
    }
    // After the user: the pipes are given to it, so that it can open /dev/stdout.
    steps.append(.streams)
    // The bounding set while CAP_SETPCAP is still there; groups before the user, which takes the right to change them.
    let bounding = try sandbox.capabilities.map { names throws(SandboxError) in try Capability.mask(of: names) }
    if let bounding { steps.append(.boundingSet(bounding)) }
    if sandbox.user != nil { steps.append(.identity) }
    if let bounding { steps.append(.capabilities(bounding)) }
    steps.append(.umask(sandbox.umask))
    // After the ids: the task's own rights decide where it may go and what it may execute.
    steps.append(.workingDirectory(Self.workingDirectory(of: sandbox)))
    if sandbox.noNewPrivileges { steps.append(.noNewPrivileges) }
    steps.append(.command(sandbox.command))
    steps.append(.gate)
    steps.append(.descriptors)
    // Last: the filter forbids most of what came before.
    if sandbox.seccomp != .unconfined { steps.append(.seccomp(sandbox.seccomp)) }
    steps.append(.execute(sandbox.command, useInit: sandbox.usesInit))
    self.steps = steps
    cloneNamespaces = sandbox.namespaces.subtracting([.cgroup, .user])
    limits = sandbox.limits
    usesInit = sandbox.usesInit
  }

  /// The steps of a command that is run inside a running task: never with more than the task itself has.
  ///
  /// - Parameters:
  ///   - command: without an environment it gets the task's.
  ///   - user: nil: the task's.
  public init(running command: Command, in sandbox: Sandbox, user: String?, terminal: Bool) throws(SandboxError) {
    var inner = sandbox
    inner.command = command
    if command.environment.isEmpty { inner.command.environment = sandbox.command.environment }
    inner.command.taskDirectory = sandbox.command.taskDirectory
    inner.user = user ?? sandbox.user
    try Self.check(inner)
    var steps: [Step] = [.signals, .cgroup]
    if let score = sandbox.oomScoreAdjustment { steps.append(.oomScore(score)) }
    let namespaces = sandbox.networkNamespace == nil ? sandbox.namespaces : sandbox.namespaces.union(.network)
    if !namespaces.isEmpty { steps.append(.joinTask(namespaces)) }
    steps.append(.session)
    steps += sandbox.resourceLimits.map { .resourceLimit($0) }
    if let user = inner.user {
      steps.append(.user(user, deniedUsers: sandbox.deniedUserIDs, deniedGroups: sandbox.deniedGroupIDs))
    }
    steps.append(.streams)
    if terminal { steps.append(.terminal) }
    let bounding = try sandbox.capabilities.map { names throws(SandboxError) in try Capability.mask(of: names) }
    if let bounding { steps.append(.boundingSet(bounding)) }
    if inner.user != nil { steps.append(.identity) }
    if let bounding { steps.append(.capabilities(bounding)) }
    steps.append(.umask(sandbox.umask))
    steps.append(.workingDirectory(Self.workingDirectory(of: inner)))
    if sandbox.noNewPrivileges { steps.append(.noNewPrivileges) }
    steps += [.command(inner.command), .descriptors]
    if sandbox.seccomp != .unconfined { steps.append(.seccomp(sandbox.seccomp)) }
    steps.append(.execute(inner.command, useInit: false))
    self.steps = steps
    cloneNamespaces = []
    limits = sandbox.limits
    usesInit = false
  }

  private static func workingDirectory(of sandbox: Sandbox) -> String {
    sandbox.command.workingDirectory ?? (sandbox.root == nil ? sandbox.command.taskDirectory ?? "/" : "/")
  }

  private static func check(_ sandbox: Sandbox) throws(SandboxError) {
    let command = sandbox.command
    if command.name.isEmpty { throw SandboxError("command", "", "name a program") }
    try checkText("command", command.name)
    for (index, text) in command.arguments.enumerated() { try checkText("arguments[\(index)]", text) }
    for line in command.environment {
      try checkText("environment", line)
      guard let equals = line.utf8.firstIndex(of: UInt8(ascii: "=")), equals != line.utf8.startIndex else {
        throw SandboxError("environment", line, "must be NAME=value")
      }
    }
    if let directory = command.workingDirectory { try checkPath("workingDirectory", directory) }
    if let name = sandbox.hostname, name.isEmpty || name.utf8.count > 64 || name.contains("\0") {
      throw SandboxError("hostname", name, "must have 1 to 64 bytes")
    }
    if let path = sandbox.networkNamespace { try checkPath("networkNamespace", path) }
    if let score = sandbox.oomScoreAdjustment, !(0...1000).contains(score) {
      throw SandboxError("oomScoreAdjustment", "\(score)", "must be between 0 and 1000")
    }
    if let memory = sandbox.limits.memoryBytes, memory < 512 << 10 {
      throw SandboxError("limits.memoryBytes", "\(memory)", "no program starts with less than 512 KiB")
    }
    if let user = sandbox.user { try checkText("user", user) }
    if sandbox.namespaces.contains(.user) {
      throw SandboxError("namespaces", "user", "this version has no user namespaces yet: leave it out")
    }
    if sandbox.namespaces.contains(.network) {
      throw SandboxError("namespaces", "network", "give the path of a network namespace instead")
    }
    if sandbox.usesInit && !sandbox.namespaces.contains(.pid) {
      throw SandboxError("usesInit", "true", "the init is PID 1 of a pid namespace: ask for one or switch the init off")
    }
    if sandbox.seccomp != .unconfined && !sandbox.noNewPrivileges {
      throw SandboxError("noNewPrivileges", "false", "a system call filter needs it: switch both off or none")
    }
    try checkRoot(sandbox)
  }

  private static func checkRoot(_ sandbox: Sandbox) throws(SandboxError) {
    guard let root = sandbox.root else {
      if let mount = sandbox.mounts.first {
        throw SandboxError("mounts", mount.target, "mounts need a root file system of the task's own")
      }
      if sandbox.namespaces.contains(.pid) {
        throw SandboxError("namespaces", "pid", "a pid namespace needs a root of its own, for its /proc")
      }
      return
    }
    if !sandbox.namespaces.isSuperset(of: [.mount, .pid]) {
      throw SandboxError("root", root.taskDirectory, "needs a mount and a pid namespace")
    }
    try checkPath("root.taskDirectory", root.taskDirectory)
    try checkPath("root.layersDirectory", root.layersDirectory)
    if root.layersDirectory == root.taskDirectory || root.layersDirectory.hasPrefix(root.taskDirectory + "/") {
      throw SandboxError("root.layersDirectory", root.layersDirectory, "must lie outside the task directory")
    }
    for entry in root.entries {
      try checkPath("root.entries.source", entry.source)
      try checkTarget("root.entries.target", entry.target)
    }
    for (index, mount) in sandbox.mounts.enumerated() {
      if case .bind(let source) = mount.source { try checkPath("mounts[\(index)].source", source) }
      try checkTarget("mounts[\(index)].target", mount.target)
    }
  }

  private static func checkText(_ field: String, _ text: String) throws(SandboxError) {
    if text.utf8.contains(0) {
      throw SandboxError(field, text.split(separator: "\0").first.map(String.init) ?? "", "contains a NUL byte")
    }
  }

  private static func checkPath(_ field: String, _ path: String) throws(SandboxError) {
    try checkText(field, path)
    if !path.hasPrefix("/") { throw SandboxError(field, path, "must be an absolute path") }
    if path.split(separator: "/").contains("..") { throw SandboxError(field, path, "must not contain \"..\"") }
    if path.utf8.count > 3000 { throw SandboxError(field, path, "is too long") }
  }

  private static func checkTarget(_ field: String, _ path: String) throws(SandboxError) {
    try checkPath(field, path)
    guard let first = path.split(separator: "/").first else {
      throw SandboxError(field, path, "the root itself cannot be mounted over")
    }
    if ["proc", "sys", "dev"].contains(first) {
      throw SandboxError(field, path, "/proc, /sys and /dev are the runtime's: choose another place")
    }
  }
}
