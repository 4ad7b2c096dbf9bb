internal import Codec
internal import Glibc
internal import Linux
internal import Log
internal import Model
internal import Synchronization

/// The `serai agent` command.
public enum AgentCommand {
  /// Runs an agent until a signal ends it.
  ///
  /// Called on the main thread, before any other exists: the signals are blocked here for all threads and waited for here.
  /// - Parameter flags: values by flag name (`AgentFlags`), in the order given.
  /// - Returns: the exit status.
  public static func run(flags: [String: [String]]) -> Int32 {
    var waited = sigset_t()
    sigemptyset(&waited)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGUSR2] { sigaddset(&waited, signal) }
    pthread_sigmask(SIG_BLOCK, &waited, nil)
    signal(SIGPIPE, SIG_IGN)
    let isDevelopment = flags["dev"]?.last == "true"
    var temporary: String?
    do {
      var (configuration, object) = try load(flags, isDevelopment: isDevelopment)
      if isDevelopment, configuration.dataDir.isEmpty {
        configuration.dataDir = try makeTemporaryDirectory()
        temporary = configuration.dataDir
      }
      try ConfigurationCheck.run(configuration, object)
      let logger = try makeLogger(configuration)
      for option in UnusedOptions(in: object).withoutEffect {
        logger.warn("this option has no effect in this version", ("option", option))
      }
      let settings = Settings(
        configuration, isDevelopment: isDevelopment, version: SeraiVersion.text, files: flags["config"] ?? [])
      let agent = Agent(settings: settings, object: object, logger: logger.named("agent"))
      banner(settings)
      let status = serve(agent, flags: flags, isDevelopment: isDevelopment, logger, &waited)
      if let temporary { remove(temporary, logger) }
      return status
    } catch {
      DescriptorSink(descriptor: STDERR_FILENO).write(line: "==> \(error)")
      if let temporary { rmdir(temporary) }
      return 1
    }
  }

  /// Files, then flags, over the defaults (those of `-dev` where that is given).
  static func load(
    _ flags: [String: [String]], isDevelopment: Bool
  ) throws(ConfigurationError) -> (AgentConfiguration, JSONObject) {
    var object = isDevelopment ? developmentDefaults : JSONObject()
    object = merged(object, with: try ConfigurationFiles.read(flags["config"] ?? []))
    object = merged(object, with: try AgentFlags.overlay(flags))
    do throws(CodecError) {
      return (try JSON.decode(AgentConfiguration.self, from: JSON.encode(object)), object)
    } catch {
      throw ConfigurationError("the configuration can't be used: \(error)")
    }
  }

  private static let developmentDefaults: JSONObject = [
    "BindAddr": "127.0.0.1", "LogLevel": "DEBUG", "EnableDebug": true,
    "Server": ["Enabled": true, "BootstrapExpect": 1], "Client": ["Enabled": true],
  ]

  private static func makeLogger(_ configuration: AgentConfiguration) throws -> Logger {
    var sinks: [any LogSink] = [DescriptorSink(descriptor: STDERR_FILENO)]
    if !configuration.logFile.isEmpty {
      let rotation = FileSink.Rotation(
        bytes: configuration.logRotateBytes,
        seconds: Nanoseconds(parsing: configuration.logRotateDuration).map { Int($0.count / 1_000_000_000) } ?? 86400,
        maxFiles: configuration.logRotateMaxFiles)
      sinks.append(
        try FileSink(
          path: configuration.logFile, rotation: rotation, clock: { Int(Clock.realtimeNanoseconds / 1_000_000_000) }))
    }
    return Logger(
      module: "", level: LogLevel(named: configuration.logLevel) ?? .info, sink: CombinedSink(sinks),
      json: configuration.logJson)
  }

  private static func banner(_ settings: Settings) {
    let configuration = settings.configuration
    DescriptorSink(descriptor: STDOUT_FILENO).write(
      line: """
        ==> Serai agent v\(settings.version)

             Client: \(configuration.client.enabled)
           Data dir: \(configuration.dataDir)
          Log level: \(configuration.logLevel)
               Node: \(settings.nodeName)
             Region: \(configuration.region) (DC: \(configuration.datacenter))
             Server: \(configuration.server.enabled)

        ==> Log data follows:

        """)
  }

  /// Starts the agent and waits for signals: SIGHUP reloads, SIGINT and SIGTERM end it; a second one ends it at once.
  private static func serve(
    _ agent: Agent, flags: [String: [String]], isDevelopment: Bool, _ logger: Logger, _ waited: inout sigset_t
  ) -> Int32 {
    let outcome = Outcome()
    let pid = getpid()
    agent.whenFailed { reason in
      logger.error("the agent can't go on", ("error", reason))
      Task.detached {
        await agent.stop()
        outcome.status = 1
        kill(pid, SIGUSR2)
      }
    }
    Task.detached {
      do {
        try await agent.start()
      } catch {
        logger.error("the agent can't start", ("error", "\(error)"))
        outcome.status = 1
        kill(pid, SIGUSR2)
      }
    }
    var isStopping = false
    while true {
      var number: Int32 = 0
      sigwait(&waited, &number)
      switch number {
      case SIGUSR2:
        if let status = outcome.status { return status }
      case SIGHUP:
        do throws(ConfigurationError) {
          let (configuration, object) = try load(flags, isDevelopment: isDevelopment)
          try agent.reload(configuration, object)
        } catch {
          logger.error("the configuration was not reloaded", ("error", "\(error)"))
        }
      case SIGINT, SIGTERM:
        if isStopping {
          logger.warn("second signal, ending at once")
          return 1
        }
        isStopping = true
        logger.info("caught signal, stopping", ("signal", number == SIGINT ? "interrupt" : "terminated"))
        let isLeaving = agent.leaves(on: number)
        Task.detached {
          await agent.stop(leaving: isLeaving)
          outcome.status = 0
          kill(pid, SIGUSR2)
        }
      default: continue
      }
    }
  }

  /// How the agent ended, set by the task that starts or stops it.
  private final class Outcome: Sendable {
    private let value = Mutex<Int32?>(nil)
    var status: Int32? {
      get { value.withLock { $0 } }
      set { value.withLock { $0 = newValue } }
    }
  }

  // MARK: the directory of a development agent

  private static func makeTemporaryDirectory() throws(ConfigurationError) -> String {
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(base)/serai-dev-XXXXXX".utf8CString)
    guard let path = mkdtemp(&template) else {
      throw ConfigurationError(
        "no temporary directory in \(base): \(String(cString: strerror(errno))): name one with -data-dir")
    }
    // Tasks must be able to pass through to their own directories.
    chmod(path, 0o755)
    return String(cString: path)
  }

  private static func remove(_ path: String, _ logger: Logger) {
    do throws(SystemError) {
      try Files.removeTree(path)
    } catch {
      logger.warn("the temporary directory could not be removed", ("path", path), ("error", "\(error)"))
    }
  }
}
