public import Isolation

/// What the supervisor is asked to start: a name, a sandbox, and where the output goes.
public struct TaskSpec: Sendable, Equatable {
  /// Names the task on this node, for ever unique: letters, digits, "-", "_" and "." (e.g. `<allocation id>.<task>`),
  /// 1 to 128 bytes, not starting with ".". It is also the cgroup's name.
  public var id: String
  /// The sandbox.
  public var sandbox: Sandbox
  /// The log files; nil: the output is thrown away.
  public var logs: LogSpec?

  /// A task.
  public init(id: String, sandbox: Sandbox, logs: LogSpec?) {
    self.id = id
    self.sandbox = sandbox
    self.logs = logs
  }

  /// Whether a name can be a task's.
  public static func isValid(id: String) -> Bool {
    guard (1...128).contains(id.utf8.count), id.utf8.first != UInt8(ascii: ".") else { return false }
    return id.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        true
      default: false
      }
    }
  }
}

/// Where a task's output goes: `<directory>/<task>.stdout.<n>` and `<task>.stderr.<n>`, n counting up from 0.
public struct LogSpec: Sendable, Equatable {
  /// An existing directory; a symbolic link in the last place is refused.
  public var directory: String
  /// The first part of the file names, one path component.
  public var task: String
  /// How many files of each stream are kept.
  public var maxFiles: UInt32
  /// A new file is begun at this size.
  public var maxFileBytes: UInt64

  /// The documented defaults: 10 files of 10 MB.
  public init(directory: String, task: String, maxFiles: UInt32 = 10, maxFileBytes: UInt64 = 10 << 20) {
    self.directory = directory
    self.task = task
    self.maxFiles = maxFiles
    self.maxFileBytes = maxFileBytes
  }
}

/// A task as the supervisor sees it.
public struct TaskStatus: Sendable, Equatable {
  /// What it is doing.
  public enum State: Sendable, Equatable {
    /// The sandbox is being built.
    case starting
    /// It runs.
    case running
    /// It has ended and nothing of it is left: no process, no cgroup, no mount.
    case exited(TaskExit)
  }
  /// Its id.
  public var id: String
  /// What it is doing.
  public var state: State
  /// Process id on the host of its first process (the in-task init where there is one).
  public var pid: Int32
  /// When it was started, nanoseconds since the epoch.
  public var startedNanoseconds: Int64
  /// What the sandbox could only do in part, for the user to know.
  public var notes: [String]
}

/// How a task ended.
public struct TaskExit: Sendable, Equatable {
  /// Exit code: the program's own, or 128 + signal. -1 when it is not known (see `isKnown`).
  public var exitCode: Int32
  /// The signal that killed it, 0 for none.
  public var signal: Int32
  /// Whether it dumped core.
  public var dumpedCore: Bool
  /// Whether the kernel killed any of its processes for want of memory.
  public var oomKilled: Bool
  /// False when it ended while no supervisor was there and left no status.
  public var isKnown: Bool
  /// When it was noticed, nanoseconds since the epoch.
  public var endedNanoseconds: Int64
  /// Most memory it ever used, bytes; 0 when not known.
  public var memoryPeakBytes: UInt64
  /// Its memory limit, bytes; 0 for none.
  public var memoryLimitBytes: UInt64
  /// With `oomKilled`: the task was not at its own limit, the host had no memory left.
  public var wasHostShortOfMemory: Bool
}

/// What happened to a task, as the supervisor tells every client that is connected.
public enum SupervisorEvent: Sendable, Equatable {
  /// It runs.
  case started(TaskStatus)
  /// It has ended, and everything it held is free. Kept until `acknowledge`.
  case exited(id: String, TaskExit)
  /// The connection is lost: the tasks run on; connect again and `list`.
  case disconnected(String)
}

/// Why a request was refused.
public struct SupervisorError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Kinds that callers tell apart.
  public enum Kind: UInt8, Sendable {
    /// The request makes no sense; doing it again will not help.
    case invalidRequest = 1
    /// A task of that id exists.
    case alreadyExists = 2
    /// No task of that id exists.
    case notFound = 3
    /// The sandbox could not be built or the command not be executed.
    case startFailed = 4
    /// A system call of the supervisor failed.
    case system = 5
    /// The connection is gone.
    case disconnected = 6
    /// The other side speaks another protocol version.
    case version = 7
  }
  /// The kind.
  public var kind: Kind
  /// What failed, on which object, why, and what to do.
  public var message: String
  /// The name of the failed step (`StepName`), when the start failed in the child.
  public var step: String

  /// An error.
  public init(_ kind: Kind, _ message: String, step: String = "") {
    self.kind = kind
    self.message = message
    self.step = step
  }

  /// The message.
  public var description: String { message }
}
