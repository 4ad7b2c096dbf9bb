/// Why a driver could not do what it was asked.
public struct DriverError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of failure it is. A struct, so that a new kind breaks nobody's `switch`.
  public struct Code: Hashable, Sendable {
    private let name: String

    /// The task's `config` block is wrong: starting it again cannot help.
    public static let configuration = Code(name: "configuration")
    /// The command is not in the task's root file system or is not executable.
    public static let commandNotFound = Code(name: "command not found")
    /// This host cannot enforce what the task asks for.
    public static let unsupported = Code(name: "unsupported")
    /// A kernel resource or the supervisor failed; the next attempt may succeed.
    public static let system = Code(name: "system")
    /// The supervisor does not know the task (any more).
    public static let unknownTask = Code(name: "unknown task")
  }

  /// The kind of failure.
  public var code: Code
  /// The whole sentence: what failed, on which object, why, what to do.
  public var message: String

  /// Makes an error; `message` is shown to users as it is.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// Whether the restart policy may try again.
  public var isRecoverable: Bool { code == .system || code == .unknownTask }

  /// The message.
  public var description: String { message }
}
