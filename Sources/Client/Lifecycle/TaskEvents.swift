internal import Codec
internal import Drivers
internal import Model

/// The events of a task's life, with the types, texts and detail keys that Nomad's API documents.
extension TaskEvent {
  private static func make(
    _ type: String, _ time: Timestamp, _ text: String, _ details: [String: String] = [:]
  ) -> TaskEvent {
    var event = TaskEvent()
    event.type = type
    event.time = time.nanoseconds
    event.displayMessage = text
    event.details = details
    return event
  }

  static func received(at time: Timestamp) -> TaskEvent { make("Received", time, "Task received by client") }

  static func settingUp(at time: Timestamp) -> TaskEvent {
    var event = make("Task Setup", time, "Building Task Directory", ["message": "Building Task Directory"])
    event.message = "Building Task Directory"
    return event
  }

  static func setupFailure(_ problem: String, at time: Timestamp) -> TaskEvent {
    var event = make("Setup Failure", time, problem, ["setup_error": problem, "fails_task": "true"])
    event.setupError = problem
    event.failsTask = true
    return event
  }

  static func driverFailure(_ problem: String, at time: Timestamp) -> TaskEvent {
    var event = make("Driver Failure", time, problem, ["driver_error": problem])
    event.driverError = problem
    return event
  }

  static func driverMessage(_ text: String, at time: Timestamp) -> TaskEvent {
    var event = make("Driver", time, text, ["driver_message": text])
    event.driverMessage = text
    return event
  }

  static func started(at time: Timestamp) -> TaskEvent { make("Started", time, "Task started by client") }

  static func terminated(_ exit: TaskExit) -> TaskEvent {
    var parts = ["Exit Code: \(exit.code)"]
    var details = ["exit_code": String(exit.code), "signal": String(exit.signal)]
    if exit.signal != 0 { parts.append("Signal: \(exit.signal)") }
    if !exit.message.isEmpty {
      parts.append("Exit Message: \"\(exit.message)\"")
      details["exit_message"] = exit.message
    }
    details["oom_killed"] = String(exit.outOfMemory)
    var event = make("Terminated", exit.time, parts.joined(separator: ", "), details)
    event.exitCode = exit.code
    event.signal = exit.signal
    event.message = exit.message
    return event
  }

  static func restarting(after delay: Nanoseconds, reason: String, at time: Timestamp) -> TaskEvent {
    let text = "Task restarting in \(delay)"
    var event = make(
      "Restarting", time, text, ["restart_reason": reason, "start_delay": String(delay.count)])
    event.restartReason = reason
    event.startDelay = delay.count
    return event
  }

  static func notRestarting(_ reason: String, at time: Timestamp) -> TaskEvent {
    var event = make("Not Restarting", time, reason, ["restart_reason": reason, "fails_task": "true"])
    event.restartReason = reason
    event.failsTask = true
    return event
  }

  static func restartSignaled(_ reason: String, at time: Timestamp) -> TaskEvent {
    var event = make("Restart Signaled", time, reason, ["restart_reason": reason])
    event.restartReason = reason
    return event
  }

  static func signaling(_ name: String, reason: String, at time: Timestamp) -> TaskEvent {
    var event = make(
      "Signaling", time, reason.isEmpty ? "Task being sent signal \(name)" : "Task being sent signal \(name): \(reason)",
      ["task_signal": name, "task_signal_reason": reason])
    event.taskSignal = name
    event.taskSignalReason = reason
    return event
  }

  static func waitingForShutdownDelay(_ delay: Nanoseconds, at time: Timestamp) -> TaskEvent {
    make("Waiting for shutdown delay", time, "Waiting \(delay) before killing the task")
  }

  static func killing(timeout: Nanoseconds, reason: String, at time: Timestamp) -> TaskEvent {
    var details = ["kill_timeout": timeout.description]
    if !reason.isEmpty { details["kill_reason"] = reason }
    let text = reason.isEmpty ? "Sent interrupt. Waiting \(timeout) before force killing" : "Killing task: \(reason)"
    var event = make("Killing", time, text, details)
    event.killTimeout = timeout
    event.killReason = reason
    return event
  }

  static func killed(problem: String = "", at time: Timestamp) -> TaskEvent {
    var event = make(
      "Killed", time, problem.isEmpty ? "Task successfully killed" : problem,
      problem.isEmpty ? [:] : ["kill_error": problem])
    event.killError = problem
    return event
  }

  static func siblingFailed(_ sibling: String, at time: Timestamp) -> TaskEvent {
    var event = make(
      "Sibling Task Failed", time, "Task's sibling \"\(sibling)\" failed", ["failed_sibling": sibling])
    event.failedSibling = sibling
    return event
  }

  static func leaderDead(at time: Timestamp) -> TaskEvent { make("Leader Task Dead", time, "Leader Task in Group dead") }

  static func mainDead(at time: Timestamp) -> TaskEvent { make("Main Tasks Dead", time, "Main tasks in the group died") }

  static func unhealthy(_ reason: String, at time: Timestamp) -> TaskEvent {
    var event = make("Alloc Unhealthy", time, reason, ["message": reason])
    event.message = reason
    return event
  }
}
