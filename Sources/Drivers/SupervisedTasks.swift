internal import Codec
internal import Isolation
public import Supervisor

/// What every driver that runs its tasks under the supervisor does alike.
struct SupervisedTasks: Sendable {
  let driver: String
  let link: SupervisorLink

  func start(_ task: TaskStart, sandbox: Sandbox) async throws(DriverError) -> TaskHandle {
    let logs =
      task.logs.disabled
      ? nil
      : LogSpec(
        directory: task.logs.directory, task: task.taskName, maxFiles: UInt32(clamping: task.logs.maxFiles),
        maxFileBytes: UInt64(clamping: task.logs.maxFileBytes))
    let spec = TaskSpec(id: task.attemptID.description, sandbox: sandbox, logs: logs)
    do throws(SupervisorError) {
      let status = try await link.start(spec)
      return TaskHandle(
        driver: driver, id: spec.id, pid: Int(status.pid), startedAt: Timestamp(nanoseconds: status.startedNanoseconds),
        memoryBytes: Int(clamping: sandbox.limits.memoryBytes ?? 0), notes: status.notes)
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
    var message = ""
    if exit.oomKilled {
      message = "OOM Killed"
      if memoryBytes > 0 {
        message += ": the task needed more than its memory limit of \(memoryBytes >> 20) MiB; raise resources.memory"
      }
    } else if !exit.isKnown {
      message = "it ended while no supervisor ran, its exit status is not known"
    }
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
