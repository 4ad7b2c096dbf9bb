import Isolation
import Linux

/// A task in the supervisor's hands. The event loop owns it and is the only one to touch it.
final class SupervisedTask {
  /// What is going on.
  enum Phase {
    /// The child builds its sandbox; `client` and `request` wait for the answer.
    case starting
    case running
    /// The first process has ended; what is left in the cgroup is being killed.
    case ending(WaitStatus?, since: Int64)
    case ended(TaskExit)
  }

  var record: TaskRecord
  let directory: TaskDirectory
  var phase: Phase
  /// nil once the process has been reaped, or when it was gone before we came.
  var process: OpenProcess?
  var processToken: UInt64 = 0
  /// Our end of the report socket while starting.
  var report: OpenSocket?
  var reportToken: UInt64 = 0
  var failure: Report?
  /// Who waits for the start.
  var starter: (client: UInt64, request: UInt64)?
  var output: LogStream?
  var error: LogStream?
  var oomKills: UInt64 = 0
  var oomEvents: UInt64 = 0
  /// Readable when the task is out of memory, and since when it is (CLOCK_MONOTONIC): on cgroup v1 the kernel kills one
  /// process of it, and we the rest.
  var memoryEvents: OpenFile?
  var memoryToken: UInt64 = 0
  var outOfMemorySince: Int64?
  var memoryPeakBytes: UInt64 = 0
  /// For who asks again and again what it uses.
  var usageFiles: UsageFiles?
  /// Somebody asked to kill it: repeated until the cgroup is empty.
  var isKillAsked = false

  init(record: TaskRecord, directory: TaskDirectory, phase: Phase) {
    self.record = record
    self.directory = directory
    self.phase = phase
  }

  var id: String { record.spec.id }

  var status: TaskStatus {
    let state: TaskStatus.State =
      switch phase {
      case .starting: .starting
      case .running, .ending: .running
      case .ended(let exit): .exited(exit)
      }
    return TaskStatus(
      id: id, state: state, pid: record.pid, startedNanoseconds: record.startedNanoseconds, notes: record.notes)
  }

  /// Opens the reading ends of the log pipes and the files behind them.
  func openLogs() throws(SystemError) {
    guard let logs = record.spec.logs else { return }
    output = try LogStream(fifo: directory.outputPath, spec: logs, stream: "stdout")
    error = try LogStream(fifo: directory.errorPath, spec: logs, stream: "stderr")
  }
}

/// A pidfd that lives in a class.
final class OpenProcess {
  let handle: ProcessHandle
  init(_ handle: consuming ProcessHandle) { self.handle = handle }
}

/// A socket that lives in a class.
final class OpenSocket {
  let socket: UnixSocket
  init(_ socket: consuming UnixSocket) { self.socket = socket }
}
