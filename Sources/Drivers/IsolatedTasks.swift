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
    sandbox.mounts = [.bind(task.directories.shared, at: "/alloc")] + config.mounts
    if !config.privateIPC { sandbox.namespaces.remove(.ipc) }
    sandbox.capabilities = config.capabilities
    sandbox.seccomp = config.seccomp
    sandbox.noNewPrivileges = config.noNewPrivileges
    sandbox.usesInit = config.usesInit
    sandbox.oomScoreAdjustment = config.oomScoreAdjustment
    sandbox.resourceLimits += config.resourceLimits
    sandbox.user = try user(of: task)
    sandbox.deniedUserIDs = settings.deniedUserIDs
    if settings.deniedUsers.contains("root") { sandbox.deniedUserIDs.append(0...0) }
    sandbox.deniedGroupIDs = settings.deniedGroupIDs
    sandbox.limits = task.resources.cgroupLimits
    if config.hasHardCPULimit { sandbox.limits.cpuQuotaMicroseconds = try quota(of: task) }
    return sandbox
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
