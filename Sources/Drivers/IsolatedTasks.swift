internal import Codec
public import Isolation
internal import Linux

/// How a driver with isolated tasks turns a start request into a sandbox.
struct IsolatedTasks: Sendable {
  let settings: IsolationSettings

  /// The sandbox of a task: everything that isolates it, as a value.
  func sandbox(for task: TaskStart, command: Command, config: IsolationConfig) throws(DriverError) -> Sandbox {
    var command = command
    command.environment = task.environment
    command.workingDirectory = config.workingDirectory
    var sandbox = Sandbox(command: command)
    sandbox.root = Root(
      taskDirectory: task.directories.task, layersDirectory: task.directories.layers, entries: settings.chroot)
    sandbox.isRootReadOnly = config.isRootReadOnly
    // The logs are the supervisor's, which writes them from outside: tasks read them (a sidecar that ships them), and can
    // neither replace nor remove their own or their siblings'.
    sandbox.mounts =
      [
        .bind(task.directories.shared, at: "/alloc", hasTaskIDs: true),
        .bind(task.directories.logs, at: "/alloc/logs", readOnly: true, hasTaskIDs: true),
      ] + config.mounts
    if task.directories.secretsMount != nil {
      sandbox.mounts.insert(Mount(source: .handedOver, target: "/secrets", attributes: [.noExecute]), at: 0)
    }
    sandbox.sysctls = config.sysctls
    if task.hasNoNetwork {
      sandbox.namespaces.insert(.network)
      sandbox.networkGroup = task.allocationID.description
    }
    if !config.privateIPC { sandbox.namespaces.remove(.ipc) }
    sandbox.capabilities = config.capabilities
    sandbox.ambientCapabilities += config.addedCapabilities.filter { !sandbox.ambientCapabilities.contains($0) }
    sandbox.ambientCapabilities.removeAll { !config.capabilities.contains($0) }
    sandbox.seccomp = config.seccomp
    sandbox.allowsForeignABI = settings.allows32BitPrograms
    sandbox.noNewPrivileges = config.noNewPrivileges
    sandbox.usesInit = config.usesInit
    sandbox.oomScoreAdjustment = config.oomScoreAdjustment
    sandbox.resourceLimits += config.resourceLimits
    sandbox.user = try user(of: task)
    sandbox.userNamespace = try userIDs(of: task, config).range
    sandbox.mounts += task.volumes.map { $0.mount(hasTaskIDs: sandbox.userNamespace != nil) }
    sandbox.devices = task.devices
    // What is denied are host ids: those of the allocation's own range are nobody's.
    if sandbox.userNamespace == nil {
      sandbox.deniedUserIDs = settings.deniedUserIDs
      sandbox.deniedGroupIDs = settings.deniedGroupIDs
    }
    if settings.deniedUsers.contains("root") { sandbox.deniedUserIDs.append(0...0) }
    sandbox.limits = task.resources.cgroupLimits
    if config.hasHardCPULimit { sandbox.limits.cpuQuotaMicroseconds = try quota(of: task) }
    return sandbox
  }

  /// The host ids that a task gets; no range stands for the host's own, with the reason where the job has not asked for
  /// them.
  func userIDs(
    of task: TaskStart, _ config: IsolationConfig
  ) throws(DriverError) -> (range: UserNamespace?, reason: String?) {
    if config.userIDs == .host { return (nil, nil) }
    var obstacle = settings.userNamespaceProblem.map { "this host cannot map ids: \($0)" }
    if obstacle == nil && task.userNamespace == nil { obstacle = "all ranges of ids on this node are taken" }
    if config.userIDs == .require {
      if let shared = task.volumes.first(where: { $0.propagation != .private }) {
        obstacle = obstacle ?? "\(shared.target) is to share its mounts with the host, which needs the host's ids"
      }
      if let obstacle {
        throw DriverError(.unsupported, "userns = \"require\" of task \"\(task.taskName)\": \(obstacle)")
      }
      return (task.userNamespace, nil)
    }
    let writable = config.mounts.first { mount in
      if case .bind = mount.source { return !mount.attributes.contains(.readOnly) }
      return false
    }
    let shared = task.volumes.first { $0.propagation != .private }
    let reason =
      obstacle ?? task.hostIDsReason
      ?? shared.map { "\($0.target) shares its mounts with the host" }
      ?? writable.map { "\($0.target) is a directory of the host that it may write to" }
    guard let reason else { return (task.userNamespace, nil) }
    guard settings.allowsHostIDs else {
      throw DriverError(
        .unsupported,
        "task \"\(task.taskName)\" needs the host's own user ids (\(reason)), which this node gives to none "
          + "(plugin option allow_host_userns = false)")
    }
    return (nil, reason)
  }

  /// What users are told when a task is started.
  func notes(of task: TaskStart, _ config: IsolationConfig) throws(DriverError) -> [String] {
    try userIDs(of: task, config).reason.map { ["The task has the host's user ids: \($0)"] } ?? []
  }

  private func quota(of task: TaskStart) throws(DriverError) -> UInt64 {
    guard let quota = task.resources.cpuQuotaMicroseconds else {
      throw DriverError(
        .unsupported,
        "cpu_hard_limit of task \"\(task.taskName)\": this node does not know how fast its cores are: set "
          + "client { cpu_total_compute } or leave the limit out")
    }
    return quota
  }

  private func user(of task: TaskStart) throws(DriverError) -> String {
    let user = task.user.isEmpty ? "nobody" : task.user
    if settings.deniedUsers.contains(String(user.prefix { $0 != ":" })) {
      throw DriverError(
        .configuration,
        "user \"\(user)\" of task \"\(task.taskName)\" is on this node's user.denylist: choose another user, or change "
          + "that client option")
    }
    return user
  }
}

extension TaskLimits {
  /// In the words of the sandbox.
  var cgroupLimits: CgroupLimits {
    var limits = CgroupLimits()
    limits.cpuShares = UInt64(clamping: min(max(cpuMHz, 2), 262_144))
    limits.memoryBytes = memoryBytes > 0 ? UInt64(memoryBytes) : nil
    limits.memoryReservationBytes = memoryReservationBytes > 0 ? UInt64(memoryReservationBytes) : nil
    limits.cpus = cores.isEmpty ? nil : cores
    return limits
  }

  /// The task's part of 100 ms on a core, at least 1 ms, which is the least that the kernel takes; nil when it is not
  /// known what part that is.
  var cpuQuotaMicroseconds: UInt64? {
    guard coreMHz > 0, cpuMHz > 0 else { return nil }
    return max(UInt64(cpuMHz) * 100_000 / UInt64(coreMHz), 1000)
  }
}
