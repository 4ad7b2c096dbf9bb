internal import Codec
public import Isolation
internal import Linux
public import Supervisor

/// A driver whose tasks run under the node's supervisor: what happens to a started task is the same for all of them.
public protocol SupervisedDriver: TaskDriver {
  /// How its tasks are reached.
  var tasks: SupervisedTasks { get }
}

extension SupervisedDriver {
  /// See `TaskDriver`.
  public func wait(_ handle: TaskHandle) async throws(DriverError) -> TaskOutcome { try await tasks.wait(handle) }
  /// See `TaskDriver`.
  public func signal(_ handle: TaskHandle, _ signal: Int32) async throws(DriverError) {
    try await tasks.signal(handle, signal)
  }
  /// See `TaskDriver`.
  public func kill(_ handle: TaskHandle) async throws(DriverError) { try await tasks.kill(handle) }
  /// See `TaskDriver`.
  public func execute(_ command: TaskCommand, in handle: TaskHandle) async throws(DriverError) -> TaskOutcome {
    try await tasks.execute(command, in: handle)
  }
  /// See `TaskDriver`.
  public func stats(_ handle: TaskHandle) async throws(DriverError) -> CgroupStatistics {
    try await tasks.stats(handle)
  }
  /// See `TaskDriver`.
  public func recover(_ handle: TaskHandle) async throws(DriverError) -> RecoveredTask {
    try await tasks.recover(handle)
  }
  /// See `TaskDriver`.
  public func destroy(_ handle: TaskHandle) async throws(DriverError) { try await tasks.destroy(handle) }

  /// The finding of a driver that is switched on and depends on the supervisor alone.
  func supervisedFingerprint(_ attributes: [String: String]) async -> DriverFingerprint {
    do {
      _ = try await tasks.link.connection()
    } catch {
      return DriverFingerprint(detected: true, healthy: false, description: "the supervisor does not run: \(error)")
    }
    return DriverFingerprint(detected: true, healthy: true, description: "Healthy", attributes: attributes)
  }
}

/// What every driver that runs its tasks under the supervisor does alike.
public struct SupervisedTasks: Sendable {
  let driver: String
  let link: SupervisorLink

  /// - Parameter notes: what users are told beside what the supervisor finds worth telling.
  func start(
    _ task: TaskStart, sandbox: Sandbox, notes: [String] = []
  ) async throws(DriverError) -> TaskHandle {
    let logs =
      task.logs.disabled
      ? nil
      : LogSpec(
        directory: task.logs.directory, task: task.taskName, maxFiles: UInt32(clamping: task.logs.maxFiles),
        maxFileBytes: UInt64(clamping: task.logs.maxFileBytes))
    let spec = TaskSpec(id: task.attemptID.description, sandbox: sandbox, logs: logs)
    let secrets = task.directories.secretsMount
    do throws(SystemError) {
      try secrets?.shift(to: sandbox.userNamespace?.firstID ?? 0)
    } catch {
      throw DriverError(.system, "give the task its secrets: \(error)")
    }
    do throws(SupervisorError) {
      let status = try await link.start(spec, mounts: secrets.map { [$0.number] } ?? [])
      return TaskHandle(
        driver: driver, id: spec.id, pid: Int(status.pid), startedAt: Timestamp(nanoseconds: status.startedNanoseconds),
        memoryBytes: Int(clamping: sandbox.limits.memoryBytes ?? 0), notes: notes + status.notes)
    } catch {
      throw Self.startError(error)
    }
  }

  func wait(_ handle: TaskHandle) async throws(DriverError) -> TaskOutcome {
    do throws(SupervisorError) {
      guard let exit = try await link.wait(for: handle.id) else {
        throw SupervisorError(.notFound, "the supervisor knows no task \(handle.id)")
      }
      return Self.outcome(exit, memoryBytes: handle.memoryBytes)
    } catch {
      throw Self.error(error)
    }
  }

  func signal(_ handle: TaskHandle, _ signal: Int32) async throws(DriverError) {
    do throws(SupervisorError) { try await link.signal(handle.id, signal) } catch {
      throw Self.error(error)
    }
  }

  func kill(_ handle: TaskHandle) async throws(DriverError) {
    do throws(SupervisorError) { try await link.kill(handle.id) } catch { throw Self.error(error) }
  }

  func execute(_ command: TaskCommand, in handle: TaskHandle) async throws(DriverError) -> TaskOutcome {
    do throws(SupervisorError) {
      let client = try await link.connection()
      let exit = try await client.execute(
        Command(command.name, arguments: command.arguments, environment: command.environment), in: handle.id,
        streams: command.streams, terminal: command.isTerminal)
      return Self.outcome(exit, memoryBytes: handle.memoryBytes)
    } catch {
      throw Self.startError(error)
    }
  }

  func stats(_ handle: TaskHandle) async throws(DriverError) -> CgroupStatistics {
    do throws(SupervisorError) {
      return try await link.connection().statistics(handle.id)
    } catch {
      throw Self.error(error)
    }
  }

  func recover(_ handle: TaskHandle) async throws(DriverError) -> RecoveredTask {
    do throws(SupervisorError) {
      guard let status = try await link.list().first(where: { $0.id == handle.id }) else { return .unknown }
      switch status.state {
      case .starting, .running: return .running
      case .exited(let exit): return .exited(Self.outcome(exit, memoryBytes: handle.memoryBytes))
      }
    } catch {
      throw Self.error(error)
    }
  }

  func destroy(_ handle: TaskHandle) async throws(DriverError) {
    do throws(SupervisorError) { try await link.acknowledge(handle.id) } catch { throw Self.error(error) }
  }

  static func outcome(_ exit: Supervisor.TaskExit, memoryBytes: Int) -> TaskOutcome {
    var parts: [String] = []
    if exit.oomKilled {
      let peak = exit.memoryPeakBytes > 0 ? " (peak \(exit.memoryPeakBytes >> 20) MiB)" : ""
      let limit = exit.memoryLimitBytes > 0 ? Int(clamping: exit.memoryLimitBytes) : memoryBytes
      parts.append(
        limit > 0 && !exit.wasHostShortOfMemory
          ? "OOM Killed: the task needed more than its memory limit of \(limit >> 20) MiB\(peak); raise resources.memory"
          : "OOM Killed: the host ran short of memory\(peak)")
    }
    if exit.dumpedCore { parts.append("core dumped") }
    if !exit.isKnown { parts.append("it ended while no supervisor ran, its exit status is not known") }
    let message = parts.joined(separator: "; ")
    return TaskOutcome(
      code: Int(exit.exitCode), signal: Int(exit.signal), outOfMemory: exit.oomKilled, message: message,
      time: Timestamp(nanoseconds: exit.endedNanoseconds))
  }

  /// Which failures of a start cannot go away by themselves: those of the steps that depend on the job alone.
  static func startError(_ error: SupervisorError) -> DriverError {
    guard error.kind == .startFailed else { return Self.error(error) }
    switch error.step {
    case "command", "execute", "workingDirectory": return DriverError(.commandNotFound, error.message)
    case "user", "identity": return DriverError(.configuration, error.message)
    default: return DriverError(.system, error.message)
    }
  }

  static func error(_ error: SupervisorError) -> DriverError {
    switch error.kind {
    case .invalidRequest: DriverError(.configuration, error.message)
    case .notFound: DriverError(.unknownTask, error.message)
    default: DriverError(.system, error.message)
    }
  }
}
