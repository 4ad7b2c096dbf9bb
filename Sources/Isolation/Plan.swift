public import Linux

/// A checked sandbox: the steps in the order in which the child takes them. This file is the one place where the order
/// can be read.
public struct Plan: Sendable, Equatable {
  /// The steps.
  public let steps: [Step]
  /// How many of them, from the first on, name nothing that is this task's alone: a child can take them before there is
  /// a task, and wait.
  public let commonCount: Int
  /// Namespaces that clone3 makes.
  public let cloneNamespaces: Namespaces
  /// Limits of the cgroup.
  public private(set) var limits: CgroupLimits
  /// Whether the in-task init runs.
  public let usesInit: Bool
  /// Whether a child that has taken the common steps of another such plan can go on with this one.
  public let canBegin: Bool
  /// Whether "/" becomes a directory of the task's own.
  public let hasOwnRoot: Bool

  /// Checks a sandbox and lists its steps.
  ///
  /// - Throws: SandboxError naming the part that cannot be had, before anything is done.
  public init(_ sandbox: Sandbox) throws(SandboxError) {
    try Self.check(sandbox)
    let common = Self.commonSteps(of: sandbox)
    commonCount = common.count
    var steps = common
    // While /proc is still the host's: afterwards it may be masked.
    if let score = sandbox.oomScoreAdjustment, score != 0 { steps.append(.oomScore(score)) }
    if let path = sandbox.networkNamespace { steps.append(.networkNamespace(path)) }
    // In the host's own tree.
    if sandbox.root == nil { steps += sandbox.mounts.map { .mount($0) } }
    if let root = sandbox.root { steps += Self.rootSteps(of: sandbox, root) }
    if let name = sandbox.hostname { steps.append(.hostname(name)) }
    steps += sandbox.resourceLimits.map { .resourceLimit($0) }
    // After the pivot: names are those of the task's own /etc/passwd.
    if let user = sandbox.user {
      steps.append(.user(user, deniedUsers: sandbox.deniedUserIDs, deniedGroups: sandbox.deniedGroupIDs))
    }
    // After the user, whom they belong to.
    steps += sandbox.files.map { .file($0) }
    // After the user: the pipes are given to it, so that it can open /dev/stdout.
    steps.append(.streams)
    steps += try Self.identity(of: sandbox)
    steps.append(.umask(sandbox.umask))
    // After the ids: the task's own rights decide where it may go and what it may execute.
    steps.append(.workingDirectory(Self.workingDirectory(of: sandbox)))
    if sandbox.noNewPrivileges { steps.append(.noNewPrivileges) }
    if Self.usesLandlock(sandbox) { steps.append(.landlock(sandbox.landlock)) }
    steps.append(.command(sandbox.command))
    steps.append(.gate)
    steps.append(.descriptors)
    // Last: the filter forbids most of what came before.
    if sandbox.seccomp != .unconfined { steps.append(.seccomp(logging: sandbox.logsRefusedCalls)) }
    steps.append(.execute(sandbox.command, useInit: sandbox.usesInit))
    self.steps = steps
    cloneNamespaces = sandbox.namespaces.subtracting([.cgroup, .user])
    limits = sandbox.limits
    usesInit = sandbox.usesInit
    // The filters that every child has, and the device rules that its cgroup was made with.
    let hasCommonFilter =
      sandbox.seccomp == .unconfined || (sandbox.seccomp == .standard && !sandbox.allowsForeignABI)
    let hasCommonDevices = sandbox.limits.devices == DeviceRule.standard && sandbox.devices.isEmpty
    // Mounts that the host shares are taken from its tree before a child leaves it.
    let hasPrivateMounts = sandbox.mounts.allSatisfy { $0.propagation == .private }
    canBegin =
      sandbox.root != nil && sandbox.namespaces.isSuperset(of: [.mount, .pid]) && hasCommonFilter && hasCommonDevices
      && hasPrivateMounts
    hasOwnRoot = sandbox.root != nil
  }

  /// What a child does that is to become a task later: the common steps alone.
  public var beginning: Plan { Plan(steps: Array(steps.prefix(commonCount)), of: self) }

  private init(steps: [Step], of plan: Plan) {
    self.steps = steps
    commonCount = steps.count
    cloneNamespaces = plan.cloneNamespaces
    limits = CgroupLimits()
    usesInit = plan.usesInit
    canBegin = plan.canBegin
    hasOwnRoot = plan.hasOwnRoot
  }

  /// Whether a child that has taken another plan's common steps has taken this one's.
  public func canGoOn(from beginning: Plan) -> Bool {
    canBegin && cloneNamespaces == beginning.cloneNamespaces && steps.prefix(commonCount).elementsEqual(beginning.steps)
  }

  /// What does not depend on whose task it is. /proc and /sys are built where nothing of the task is, and moved later.
  private static func commonSteps(of sandbox: Sandbox) -> [Step] {
    // The cgroup first: everything that follows is charged to it. The supervisor's own score protects it: not a task.
    var steps: [Step] = [.signals, .cgroup, .session, .oomScore(0)]
    if sandbox.namespaces.contains(.network) { steps.append(.loopback) }
    // After entering the cgroup: the namespace's root is where its maker is.
    if sandbox.namespaces.contains(.cgroup) { steps.append(.cgroupNamespace) }
    // A task that sees the host's tree sees also what is mounted there later.
    if sandbox.namespaces.contains(.mount) { steps.append(.mountPropagation(slave: sandbox.root == nil)) }
    guard sandbox.root != nil else { return steps }
    if sandbox.userNamespace != nil { steps.append(.holdUserNamespace) }
    // Landlock hides what is not ptraceable: then a command run inside would see none of the task's processes.
    steps.append(.mountProc(hidePID: !usesLandlock(sandbox)))
    steps += MaskedPath.all.filter { !$0.inSys }.map { .maskPath($0) }
    steps += MaskedPath.readOnlyInProc.map { .protectPath($0) }
    // It shows the network of whoever mounts it.
    if sandbox.networkNamespace == nil { steps += sysSteps }
    return steps
  }

  private static var sysSteps: [Step] {
    [.mountSys] + MaskedPath.all.filter(\.inSys).map { .maskPath($0) } + [.cgroupView]
  }

  private static func rootSteps(of sandbox: Sandbox, _ root: Root) -> [Step] {
    var steps: [Step] = []
    // Made now, because the mounts need it; entered when all is built, because building needs the host's privileges.
    if let range = sandbox.userNamespace { steps.append(.userNamespace(range)) }
    steps.append(.rootDirectory(root.taskDirectory))
    // "nobody" owns nothing in the host's system directories: a layer above them could never be written, and costs more
    // than all other mounts together.
    let isNobody = sandbox.user == "nobody" || sandbox.user == "65534"
    steps += root.entries.map { entry in
      let isReadOnly = sandbox.isRootReadOnly || (isNobody && ChrootEntry.defaults.contains(entry))
      return .chrootEntry(entry, layers: root.layersDirectory, readOnly: isReadOnly)
    }
    steps.append(.placeProc)
    steps += sandbox.sysctls.map { .sysctl($0) }
    // No privilege is needed then to serve on port 80 of a network that is the task's alone.
    if sandbox.hasOwnNetwork { steps.append(.unprivilegedPorts) }
    if sandbox.networkNamespace != nil { steps += sysSteps }
    steps.append(.placeSys)
    steps.append(
      .mountDevices(
        sharedMemoryBytes: sandbox.sharedMemoryBytes, ipc: sandbox.namespaces.contains(.ipc), own: sandbox.devices))
    if sandbox.isRootReadOnly { steps.append(.readOnlyRoot) }
    return steps + sandbox.mounts.map { .mount($0) } + [.pivot]
  }

  /// Adds the rules for the devices that the sandbox grants, whose numbers are the host's to say.
  ///
  /// - Throws: when a path is no device node.
  public mutating func addRules(for devices: [DeviceNode]) throws(SystemError) {
    for device in devices {
      let status = try FileDescriptor.open(device.source, [.path]).status()
      guard status.kind == .characterDevice || status.kind == .blockDevice else {
        throw SystemError("grant device", device.source, .noDevice, advice: "it is no device node")
      }
      limits.devices?.append(
        DeviceRule(
          isBlock: status.kind == .blockDevice, major: status.deviceMajor, minor: status.deviceMinor,
          isReadOnly: device.isReadOnly))
    }
  }

  /// Who the task is. In the user namespace first: entering it changes ids and capabilities. Then the bounding set, while
  /// CAP_SETPCAP is still there; groups before the user, which takes the right to change them.
  private static func identity(of sandbox: Sandbox) throws(SandboxError) -> [Step] {
    var steps: [Step] = []
    if sandbox.userNamespace != nil { steps.append(.enterUserNamespace) }
    let bounding = try sandbox.capabilities.map { names throws(SandboxError) in try Capability.mask(of: names) }
    if let bounding { steps.append(.boundingSet(bounding)) }
    if sandbox.user != nil { steps.append(.identity) }
    if let bounding {
      steps.append(.capabilities(bounding, ambient: try Capability.mask(of: sandbox.ambientCapabilities) & bounding))
    }
    return steps
  }

  private static func usesLandlock(_ sandbox: Sandbox) -> Bool {
    guard sandbox.root != nil else { return false }
    return switch sandbox.landlock {
    case .off: false
    case .whereShared:
      // The host's abstract sockets belong to its network, whatever ids a task has.
      sandbox.noNewPrivileges && (sandbox.userNamespace == nil || !sandbox.hasOwnNetwork)
    case .required: true
    }
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
    steps.append(.oomScore(sandbox.oomScoreAdjustment ?? 0))
    // The user namespace comes with the identity: until then the host's privileges are needed.
    let namespaces = sandbox.networkNamespace == nil ? sandbox.namespaces : sandbox.namespaces.union(.network)
    if !namespaces.isEmpty { steps.append(.joinTask(namespaces, sandbox.userNamespace)) }
    steps.append(.session)
    steps += sandbox.resourceLimits.map { .resourceLimit($0) }
    if let user = inner.user {
      steps.append(.user(user, deniedUsers: sandbox.deniedUserIDs, deniedGroups: sandbox.deniedGroupIDs))
    }
    steps.append(.streams)
    if terminal { steps.append(.terminal) }
    steps += try Self.identity(of: inner)
    steps.append(.umask(sandbox.umask))
    steps.append(.workingDirectory(Self.workingDirectory(of: inner)))
    if sandbox.noNewPrivileges { steps.append(.noNewPrivileges) }
    if Self.usesLandlock(sandbox) { steps.append(.landlock(sandbox.landlock)) }
    steps += [.command(inner.command), .descriptors]
    if sandbox.seccomp != .unconfined { steps.append(.seccomp(logging: sandbox.logsRefusedCalls)) }
    steps.append(.execute(inner.command, useInit: false))
    self.steps = steps
    commonCount = 0
    canBegin = false
    cloneNamespaces = []
    limits = sandbox.limits
    usesInit = false
    hasOwnRoot = sandbox.root != nil
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
      throw SandboxError("namespaces", "user", "give the range of ids in userNamespace instead")
    }
    if sandbox.namespaces.contains(.network), let path = sandbox.networkNamespace {
      throw SandboxError("networkNamespace", path, "a task cannot both join a network namespace and have a new one")
    }
    if let group = sandbox.networkGroup, group.isEmpty || !sandbox.namespaces.contains(.network) {
      throw SandboxError("networkGroup", group, "names the sharers of a network namespace: ask for one")
    }
    try checkIDs(sandbox)
    if sandbox.usesInit && !sandbox.namespaces.contains(.pid) {
      throw SandboxError("usesInit", "true", "the init is PID 1 of a pid namespace: ask for one or switch the init off")
    }
    if sandbox.seccomp != .unconfined && !sandbox.noNewPrivileges {
      throw SandboxError("noNewPrivileges", "false", "a system call filter needs it: switch both off or none")
    }
    if sandbox.landlock == .required && !sandbox.noNewPrivileges {
      throw SandboxError("noNewPrivileges", "false", "Landlock needs it: switch both off or none")
    }
    for name in sandbox.ambientCapabilities where Capability.number(of: name) == nil {
      throw SandboxError("ambientCapabilities", name, "no such capability; see capabilities(7) for the names")
    }
    if case .profile(let text) = sandbox.seccomp { _ = try SeccompProfile(json: text) }
    for sysctl in sandbox.sysctls { try check(sysctl, sandbox) }
    try checkRoot(sandbox)
  }

  private static func checkIDs(_ sandbox: Sandbox) throws(SandboxError) {
    guard let range = sandbox.userNamespace else { return }
    let text = "\(range.firstID)+\(range.count)"
    if range.firstID < 65536 {
      throw SandboxError("userNamespace", text, "the range must not hold ids of the host's users, 0 to 65535")
    }
    if range.count < 65536 || UInt64(range.firstID) + UInt64(range.count) > UInt64(UInt32.max) {
      throw SandboxError("userNamespace", text, "a range has 65536 ids or more, below 4294967295")
    }
    if sandbox.root == nil {
      throw SandboxError("userNamespace", text, "a user namespace needs a root file system of the task's own")
    }
    if sandbox.user == nil { throw SandboxError("user", "", "a task in a user namespace needs a user, e.g. root") }
  }

  /// Only settings that belong to a namespace of the task's own: any other would be the host's.
  private static func check(_ sysctl: Sysctl, _ sandbox: Sandbox) throws(SandboxError) {
    let letters = sysctl.name.utf8.allSatisfy {
      ($0 >= 97 && $0 <= 122) || ($0 >= 65 && $0 <= 90) || ($0 >= 48 && $0 <= 57) || [45, 46, 95, 47].contains($0)
    }
    let parts = sysctl.name.split(omittingEmptySubsequences: false) { $0 == "." || $0 == "/" }
    guard letters, parts.allSatisfy({ !$0.isEmpty }) else {
      throw SandboxError("sysctls", sysctl.name, "must be a name like net.core.somaxconn")
    }
    try checkText("sysctls", sysctl.value)
    let isNetwork = sysctl.name.hasPrefix("net.")
    let ipcNames: Set = [
      "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
      "kernel.shmmni", "kernel.shm_rmid_forced",
    ]
    let isIPC = ipcNames.contains(sysctl.name) || sysctl.name.hasPrefix("fs.mqueue.")
    guard isNetwork || isIPC else {
      throw SandboxError(
        "sysctls", sysctl.name,
        "is the whole host's: only net.*, fs.mqueue.* and the System V IPC settings are a task's"
      )
    }
    if isNetwork && !sandbox.hasOwnNetwork {
      throw SandboxError("sysctls", sysctl.name, "needs a network namespace: the task uses the host's network")
    }
    if isIPC && !sandbox.namespaces.contains(.ipc) {
      throw SandboxError("sysctls", sysctl.name, "needs an IPC namespace: the task uses the host's")
    }
    if sandbox.root == nil { throw SandboxError("sysctls", sysctl.name, "needs a root of the task's own") }
  }

  private static func checkRoot(_ sandbox: Sandbox) throws(SandboxError) {
    for (index, mount) in sandbox.mounts.enumerated() {
      if case .bind(let source) = mount.source { try checkPath("mounts[\(index)].source", source) }
      try checkTarget("mounts[\(index)].target", mount.target)
      if mount.hasTaskIDs && mount.recursive {
        throw SandboxError(
          "mounts[\(index)].recursive", "true", "a bind with the task's ids shows one file system only")
      }
      if mount.propagation != .private && (sandbox.userNamespace != nil || mount.hasTaskIDs) {
        throw SandboxError(
          "mounts[\(index)].propagation", mount.target, "only tasks with host ids share mounts with the host")
      }
    }
    guard let root = sandbox.root else {
      if let mount = sandbox.mounts.first, !sandbox.namespaces.contains(.mount) {
        throw SandboxError("mounts", mount.target, "mounts need a mount namespace of the task's own")
      }
      if let file = sandbox.files.first {
        throw SandboxError("files", file.path, "files need a root file system of the task's own")
      }
      if let device = sandbox.devices.first {
        throw SandboxError("devices", device.target, "devices need a root file system of the task's own")
      }
      if sandbox.namespaces.contains(.pid) {
        throw SandboxError("namespaces", "pid", "a pid namespace needs a root of its own, for its /proc")
      }
      return
    }
    if !sandbox.namespaces.contains(.mount) {
      throw SandboxError("root", root.taskDirectory, "needs a mount namespace")
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
    for (index, file) in sandbox.files.enumerated() {
      try checkTarget("files[\(index)].path", file.path)
      if file.content.count > 1 << 20 {
        throw SandboxError("files[\(index)]", file.path, "is longer than 1 MiB: put it into the task's directory")
      }
    }
    for (index, device) in sandbox.devices.enumerated() {
      try checkPath("devices[\(index)].source", device.source)
      try checkPath("devices[\(index)].target", device.target)
      guard device.source.hasPrefix("/dev/"), device.target.hasPrefix("/dev/") else {
        throw SandboxError("devices[\(index)]", device.source, "devices lie below /dev, on the host and in the task")
      }
      let name = device.target.dropFirst(5).split(separator: "/").first.map(String.init) ?? ""
      if Templates.deviceNames.contains(name) || name.isEmpty {
        throw SandboxError("devices[\(index)].target", device.target, "is the runtime's: choose another name")
      }
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
