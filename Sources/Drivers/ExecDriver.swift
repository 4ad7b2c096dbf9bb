public import Codec
public import Isolation
internal import Linux

/// `exec`: a command in a root file system, with namespaces and limits of its own.
public struct ExecDriver: TaskDriver {
  public let name = "exec"
  public let capabilities = DriverCapabilities(isolation: .image, executesCommands: false)
  private let tasks: SupervisedTasks
  private let settings: Settings

  /// What the node's configuration says about the driver.
  public struct Settings: Sendable {
    /// What of the host is laid into a task's root (`chroot_env`).
    public var chroot = ChrootEntry.defaults
    /// Capabilities that a job may add (`allow_caps`).
    public var allowedCapabilities = Capability.defaultNames
    /// Whether tasks have an IPC namespace of their own unless they say otherwise (`default_ipc_mode`).
    public var privateIPC = true
    /// Users as whom no task may run (`user.denylist`).
    public var deniedUsers: [String] = ["root", "Administrator"]
    public var deniedUserIDs: [ClosedRange<UInt32>] = []
    public var deniedGroupIDs: [ClosedRange<UInt32>] = []
    /// Why the driver cannot run tasks here; nil when it can.
    public var problem: String?

    /// The documented defaults.
    public init() {}
  }

  /// A driver that starts its tasks through `link`.
  public init(link: SupervisorLink, settings: Settings = Settings()) {
    tasks = SupervisedTasks(driver: "exec", link: link)
    self.settings = settings
  }

  public func fingerprint() async -> DriverFingerprint {
    if let problem = settings.problem { return .absent(problem) }
    do {
      _ = try await tasks.link.connection()
    } catch {
      return DriverFingerprint(detected: true, healthy: false, description: "the supervisor does not run: \(error)")
    }
    return DriverFingerprint(
      detected: true, healthy: true, description: "Healthy", attributes: ["driver.exec": "1"])
  }

  public func validate(_ config: JSONObject) throws(DriverError) { _ = try Config(config, settings) }

  public func start(_ task: TaskStart) async throws(DriverError) -> TaskHandle {
    try await tasks.start(task, sandbox: sandbox(for: task))
  }

  public func wait(_ handle: TaskHandle) async throws(DriverError) -> TaskOutcome { try await tasks.wait(handle) }
  public func signal(_ handle: TaskHandle, _ signal: Int32) async throws(DriverError) {
    try await tasks.signal(handle, signal)
  }
  public func kill(_ handle: TaskHandle) async throws(DriverError) { try await tasks.kill(handle) }
  public func stats(_ handle: TaskHandle) async throws(DriverError) -> CgroupStatistics {
    try await tasks.stats(handle)
  }
  public func recover(_ handle: TaskHandle) async throws(DriverError) -> RecoveredTask {
    try await tasks.recover(handle)
  }
  public func destroy(_ handle: TaskHandle) async throws(DriverError) { try await tasks.destroy(handle) }

  /// The sandbox of a task: everything that isolates it, as a value.
  func sandbox(for task: TaskStart) throws(DriverError) -> Sandbox {
    let config = try Config(task.config, settings)
    var sandbox = Sandbox(
      command: Command(
        config.command, arguments: config.arguments, environment: task.environment,
        workingDirectory: config.workingDirectory))
    sandbox.root = Root(
      taskDirectory: task.directories.task, layersDirectory: task.directories.layers, entries: settings.chroot)
    sandbox.mounts = [.bind(task.directories.shared, at: "/alloc")]
    if !config.privateIPC { sandbox.namespaces.remove(.ipc) }
    sandbox.capabilities = config.capabilities
    sandbox.user = try user(of: task)
    sandbox.deniedUserIDs = settings.deniedUserIDs
    if settings.deniedUsers.contains("root") { sandbox.deniedUserIDs.append(0...0) }
    sandbox.deniedGroupIDs = settings.deniedGroupIDs
    sandbox.limits = task.resources.cgroupLimits
    return sandbox
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

  /// The `config` block.
  struct Config {
    var command: String
    var arguments: [String]
    var workingDirectory: String?
    var privateIPC: Bool
    var capabilities: [String]

    init(_ config: JSONObject, _ settings: Settings) throws(DriverError) {
      var decoder = ConfigDecoder(driver: "exec", config: config)
      command = decoder.string("command", required: true) ?? ""
      arguments = decoder.strings("args") ?? []
      workingDirectory = decoder.string("work_dir")
      if let workingDirectory, !workingDirectory.hasPrefix("/") {
        decoder.refuse("work_dir must be an absolute path inside the task's root")
      }
      switch decoder.string("pid_mode") ?? "" {
      case "", "private": break
      case "host": decoder.refuse("pid_mode \"host\" is not run by this version: leave it out")
      case let mode: decoder.refuse("pid_mode must be \"private\" or \"host\", not \"\(mode)\"")
      }
      privateIPC = settings.privateIPC
      switch decoder.string("ipc_mode") ?? "" {
      case "": break
      case "private": privateIPC = true
      case "host": privateIPC = false
      case let mode: decoder.refuse("ipc_mode must be \"private\" or \"host\", not \"\(mode)\"")
      }
      let add = decoder.strings("cap_add") ?? []
      let drop = decoder.strings("cap_drop") ?? []
      capabilities = []
      do throws(SandboxError) {
        let allowed = try Capability.mask(of: settings.allowedCapabilities)
        let wanted = try Capability.names(base: [], add: add, drop: [])
        if try Capability.mask(of: wanted) & ~allowed != 0 {
          decoder.refuse(
            "cap_add asks for more than this node allows (allow_caps: \(settings.allowedCapabilities.joined(separator: ", ")))"
          )
        }
        capabilities = try Capability.names(
          base: Capability.defaultNames.filter { settings.allowedCapabilities.contains($0) }, add: add, drop: drop)
      } catch {
        decoder.refuse("\(error.problem) (\(error.field) \"\(error.value)\")")
      }
      try decoder.finish()
    }
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
}
