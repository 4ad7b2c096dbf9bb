public import Codec
internal import Isolation
internal import Linux

/// `exec`: a command in a root file system, with namespaces and limits of its own.
public struct ExecDriver: SupervisedDriver {
  /// See `TaskDriver`.
  public let name = "exec"
  /// See `TaskDriver`.
  public let capabilities = DriverCapabilities(isolation: .image, executesCommands: true)
  /// See `SupervisedDriver`.
  public let tasks: SupervisedTasks
  private let isolation: IsolatedTasks

  /// A driver that starts its tasks through `link`.
  public init(link: SupervisorLink, settings: IsolationSettings = IsolationSettings()) {
    tasks = SupervisedTasks(driver: "exec", link: link)
    isolation = IsolatedTasks(settings: settings)
  }

  /// See `TaskDriver`.
  public func fingerprint() async -> DriverFingerprint {
    if let problem = isolation.settings.problem { return .absent(problem) }
    return await supervisedFingerprint(["driver.exec": "1"])
  }

  /// See `TaskDriver`.
  public func validate(_ config: JSONObject) throws(DriverError) { _ = try Config(config, isolation.settings) }

  /// See `TaskDriver`.
  public func start(_ task: TaskStart) async throws(DriverError) -> TaskHandle {
    let config = try Config(task.config, isolation.settings)
    return try await tasks.start(
      task, sandbox: sandbox(for: task), notes: isolation.notes(of: task, config.isolation))
  }

  /// The sandbox of a task: everything that isolates it, as a value.
  func sandbox(for task: TaskStart) throws(DriverError) -> Sandbox {
    let config = try Config(task.config, isolation.settings)
    return try isolation.sandbox(
      for: task, command: Command(config.command, arguments: config.arguments), config: config.isolation)
  }

  /// The `config` block.
  struct Config {
    var command: String
    var arguments: [String]
    var isolation: IsolationConfig

    init(_ config: JSONObject, _ settings: IsolationSettings) throws(DriverError) {
      var decoder = ConfigDecoder(driver: "exec", config: config)
      command = decoder.string("command", required: true) ?? ""
      arguments = decoder.strings("args") ?? []
      isolation = IsolationConfig(&decoder, settings)
      try decoder.finish()
    }
  }
}
