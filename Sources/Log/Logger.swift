import Glibc
import Synchronization

/// Writes log lines for one module of the program. Copies share the level, which may change while running (SIGHUP).
public struct Logger: Sendable {
  private final class Settings: Sendable {
    let level: Mutex<LogLevel>
    let sink: any LogSink
    let json: Bool

    init(level: LogLevel, sink: any LogSink, json: Bool) {
      self.level = Mutex(level)
      self.sink = sink
      self.json = json
    }
  }

  private let settings: Settings
  private let module: String
  private let fields: [(key: String, value: String)]

  /// A logger at the root of the tree of modules.
  /// - Parameters:
  ///   - module: printed before every message, "agent" for example.
  ///   - json: one JSON object a line instead of text (`log_json`).
  public init(module: String, level: LogLevel, sink: any LogSink, json: Bool = false) {
    settings = Settings(level: level, sink: sink, json: json)
    self.module = module
    fields = []
  }

  private init(settings: Settings, module: String, fields: [(key: String, value: String)]) {
    self.settings = settings
    self.module = module
    self.fields = fields
  }

  /// A logger that drops everything, for tests.
  public static var silent: Logger { Logger(module: "", level: .error, sink: CombinedSink([])) }

  /// The lowest level that is written; shared by every logger derived from the same root.
  public var level: LogLevel {
    get { settings.level.withLock { $0 } }
    nonmutating set { settings.level.withLock { $0 = newValue } }
  }

  /// A logger for a part of this module, `client` → `client.fingerprint`, whose lines carry `fields` first.
  public func named(_ part: String, _ fields: (key: String, value: String)...) -> Logger {
    Logger(
      settings: settings, module: module.isEmpty ? part : "\(module).\(part)", fields: self.fields + fields)
  }

  /// Writes one line when `level` is on; the message is not built otherwise.
  public func log(
    _ level: LogLevel, _ message: @autoclosure () -> String, _ fields: [(key: String, value: String)] = []
  ) {
    guard level >= self.level else { return }
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let record = LogLine(
      seconds: now.tv_sec, milliseconds: now.tv_nsec / 1_000_000, level: level, module: module, message: message(),
      fields: self.fields + fields)
    settings.sink.write(line: settings.json ? record.renderedAsJSON() : record.renderedAsText())
  }

  /// Something only a developer of Serai wants to see.
  public func trace(_ message: @autoclosure () -> String, _ fields: (key: String, value: String)...) {
    log(.trace, message(), fields)
  }

  /// Something an operator wants to see while looking into a problem.
  public func debug(_ message: @autoclosure () -> String, _ fields: (key: String, value: String)...) {
    log(.debug, message(), fields)
  }

  /// Something that happened as it should.
  public func info(_ message: @autoclosure () -> String, _ fields: (key: String, value: String)...) {
    log(.info, message(), fields)
  }

  /// Something that is tolerated, with what follows from it.
  public func warn(_ message: @autoclosure () -> String, _ fields: (key: String, value: String)...) {
    log(.warn, message(), fields)
  }

  /// Something that failed and that somebody must look at.
  public func error(_ message: @autoclosure () -> String, _ fields: (key: String, value: String)...) {
    log(.error, message(), fields)
  }
}
