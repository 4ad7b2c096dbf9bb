public import Codec
internal import Isolation
internal import Linux

/// `raw_exec`: a command on the host, isolated by nothing; only its processes are kept together in a control group, so
/// that they can all be ended. Volumes are laid into the host's tree in a mount namespace, where the task alone sees them. Off unless the node's configuration switches it on.
public struct RawExecDriver: SupervisedDriver {
  /// See `TaskDriver`.
  public let name = "raw_exec"
  /// See `TaskDriver`.
  public let capabilities = DriverCapabilities(isolation: .none, executesCommands: true)
  /// See `SupervisedDriver`.
  public let tasks: SupervisedTasks
  private let settings: Settings

  /// What the node's configuration says about the driver.
  public struct Settings: Sendable {
    /// Off unless the node says so: a task of this driver can do whatever its user can.
    public var isEnabled = false
    /// Variables that no task gets, "*" standing for anything (`denied_envvars`).
    public var deniedVariables: [String] = []
    /// Host user ids that no task may have (`denied_host_uids`).
    public var deniedUserIDs: [ClosedRange<UInt32>] = []
    /// Host group ids that no task may have (`denied_host_gids`).
    public var deniedGroupIDs: [ClosedRange<UInt32>] = []
    /// Why the driver cannot run tasks here; nil when it can.
    public var problem: String?

    /// Switched off.
    public init() {}
  }

  /// A driver that starts its tasks through `link`.
  public init(link: SupervisorLink, settings: Settings) {
    tasks = SupervisedTasks(driver: "raw_exec", link: link)
    self.settings = settings
  }

  /// See `TaskDriver`.
  public func fingerprint() async -> DriverFingerprint {
    guard settings.isEnabled else {
      return .absent("disabled: set plugin \"raw_exec\" { config { enabled = true } } in the agent's configuration")
    }
    if let problem = settings.problem { return .absent(problem) }
    return await supervisedFingerprint(["driver.raw_exec": "1"])
  }

  /// See `TaskDriver`.
  public func validate(_ config: JSONObject) throws(DriverError) { _ = try Config(config) }

  /// See `TaskDriver`.
  public func start(_ task: TaskStart) async throws(DriverError) -> TaskHandle {
    guard settings.isEnabled else {
      throw DriverError(
        .unsupported, "driver \"raw_exec\" is disabled on this node: enable it in the agent's plugin block")
    }
    return try await tasks.start(task, sandbox: sandbox(for: task))
  }

  /// A cgroup with CPU shares, and nothing else: memory is not limited, as Nomad documents for this driver.
  func sandbox(for task: TaskStart) throws(DriverError) -> Sandbox {
    let config = try Config(task.config)
    let environment = task.environment.filter { line in
      !(config.deniedVariables + settings.deniedVariables).contains {
        Self.matches(line.prefix { $0 != "=" }, pattern: $0[...])
      }
    }
    var sandbox = Sandbox.unconfined(
      Command(
        config.command, arguments: config.arguments, environment: environment,
        workingDirectory: config.workingDirectory, taskDirectory: task.directories.task))
    sandbox.user = task.user.isEmpty ? nil : task.user
    sandbox.deniedUserIDs = settings.deniedUserIDs
    sandbox.deniedGroupIDs = settings.deniedGroupIDs
    // Without a user of the job's own the task is the agent's user, which the same rules are for.
    if task.user.isEmpty, !settings.deniedUserIDs.isEmpty || !settings.deniedGroupIDs.isEmpty { sandbox.user = "root" }
    sandbox.oomScoreAdjustment = config.oomScoreAdjustment
    var limits = task.resources.cgroupLimits
    limits.memoryBytes = nil
    limits.memoryReservationBytes = nil
    limits.pids = nil
    limits.devices = nil
    sandbox.limits = limits
    if !task.volumes.isEmpty {
      // The host's tree with the volumes in it, which only this task sees.
      sandbox.namespaces = [.mount]
      sandbox.mounts = task.volumes.map { $0.mount(hasTaskIDs: false) }
    }
    return sandbox
  }

  /// Whether a variable's name matches a pattern in which "*" stands for anything.
  static func matches(_ name: Substring, pattern: Substring) -> Bool {
    guard let star = pattern.firstIndex(of: "*") else { return name == pattern }
    guard name.hasPrefix(pattern[..<star]) else { return false }
    let rest = pattern[pattern.index(after: star)...]
    var start = name.index(name.startIndex, offsetBy: pattern[..<star].count)
    while true {
      if matches(name[start...], pattern: rest) { return true }
      if start == name.endIndex { return false }
      start = name.index(after: start)
    }
  }

  /// The `config` block.
  struct Config {
    var command: String
    var arguments: [String]
    var workingDirectory: String?
    var oomScoreAdjustment: Int32?
    var deniedVariables: [String]

    init(_ config: JSONObject) throws(DriverError) {
      var decoder = ConfigDecoder(driver: "raw_exec", config: config)
      command = decoder.string("command", required: true) ?? ""
      arguments = decoder.strings("args") ?? []
      workingDirectory = decoder.string("work_dir")
      if let workingDirectory, !workingDirectory.hasPrefix("/") { decoder.refuse("work_dir must be an absolute path") }
      oomScoreAdjustment = decoder.int("oom_score_adj").map { Int32(clamping: $0) }
      if let oomScoreAdjustment, !(0...1000).contains(oomScoreAdjustment) {
        decoder.refuse("oom_score_adj must be between 0 and 1000")
      }
      deniedVariables = decoder.strings("denied_envvars") ?? []
      for key in ["cgroup_v1_override", "cgroup_v2_override"] {
        let isThere = decoder.has(key)
        decoder.ignore(key)
        if isThere { decoder.refuse("\(key) is not run by this version: leave it out") }
      }
      try decoder.finish()
    }
  }
}
