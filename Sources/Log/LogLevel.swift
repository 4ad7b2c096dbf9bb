/// How much a log line matters, ordered from the chattiest to the gravest.
public enum LogLevel: Int, Comparable, Sendable, CaseIterable {
  case trace, debug, info, warn, error

  /// The upper-case word printed in a line.
  public var label: String {
    switch self {
    case .trace: "TRACE"
    case .debug: "DEBUG"
    case .info: "INFO"
    case .warn: "WARN"
    case .error: "ERROR"
    }
  }

  /// Reads a configured level (`log_level`), in any case; "ERR" and "WARNING" are taken too, as users write them.
  public init?(named text: String) {
    switch text.uppercased() {
    case "TRACE": self = .trace
    case "DEBUG": self = .debug
    case "INFO": self = .info
    case "WARN", "WARNING": self = .warn
    case "ERROR", "ERR": self = .error
    default: return nil
    }
  }

  /// Chattier is less.
  public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}
