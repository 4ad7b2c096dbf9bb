internal import Codec
internal import Drivers
internal import Model

/// The events of a task's life, with the types, texts and detail keys that Nomad's API documents.
extension TaskEvent {
  private static func make(
    _ type: TaskEventType, _ time: Timestamp, _ text: String, _ details: [String: String] = [:]
  ) -> TaskEvent {
    TaskEvent(type, time: time.nanoseconds, message: text, details: details)
  }

  static func received(at time: Timestamp) -> TaskEvent { make(.received, time, "Task received by client") }

  static func settingUp(at time: Timestamp) -> TaskEvent {
    make(.taskSetup, time, "Building Task Directory", ["message": "Building Task Directory"])
  }

  static func setupFailure(_ problem: String, at time: Timestamp) -> TaskEvent {
    make(.setupFailure, time, problem, ["setup_error": problem, "fails_task": "true"])
  }

  static func downloadingArtifacts(at time: Timestamp) -> TaskEvent {
    make(.downloadingArtifacts, time, "Client is downloading artifacts")
  }

  static func artifactFailure(_ problem: String, at time: Timestamp) -> TaskEvent {
    make(.failedArtifactDownload, time, problem, ["download_error": problem, "message": problem])
  }

  static func templateFailure(_ problem: String, at time: Timestamp) -> TaskEvent {
    make(.template, time, problem, ["message": problem])
  }

  static func driverMessage(_ text: String, at time: Timestamp) -> TaskEvent {
    make(.driver, time, text, ["driver_message": text])
  }

  static func driverFailure(_ problem: String, at time: Timestamp) -> TaskEvent {
    make(.driverFailure, time, problem, ["driver_error": problem])
  }

  static func started(at time: Timestamp) -> TaskEvent { make(.started, time, "Task started by client") }

  static func terminated(_ exit: TaskOutcome) -> TaskEvent {
    var parts = ["Exit Code: \(exit.code)"]
    var details = ["exit_code": String(exit.code), "signal": String(exit.signal)]
    if exit.signal != 0 { parts.append("Signal: \(exit.signal)") }
    if !exit.message.isEmpty {
      parts.append("Exit Message: \"\(exit.message)\"")
      details["exit_message"] = exit.message
      details["message"] = exit.message
    }
    details["oom_killed"] = String(exit.outOfMemory)
    return make(.terminated, exit.time, parts.joined(separator: ", "), details)
  }

  static func restarting(after delay: Nanoseconds, reason: String, at time: Timestamp) -> TaskEvent {
    make(
      .restarting, time, "Task restarting in \(delay)", ["restart_reason": reason, "start_delay": String(delay.count)])
  }

  static func notRestarting(_ reason: String, at time: Timestamp) -> TaskEvent {
    make(.notRestarting, time, reason, ["restart_reason": reason, "fails_task": "true"])
  }

  static func restartSignaled(_ reason: String, at time: Timestamp) -> TaskEvent {
    make(.restartSignaled, time, reason, ["restart_reason": reason])
  }

  static func signaling(_ name: String, reason: String, at time: Timestamp) -> TaskEvent {
    let text = "Task being sent signal \(name)" + (reason.isEmpty ? "" : ": \(reason)")
    return make(.signaling, time, text, ["task_signal": name, "task_signal_reason": reason])
  }

  static func waitingForShutdownDelay(_ delay: Nanoseconds, at time: Timestamp) -> TaskEvent {
    make("Waiting for shutdown delay", time, "Waiting \(delay) before killing the task")
  }

  static func killing(timeout: Nanoseconds, at time: Timestamp) -> TaskEvent {
    make(
      .killing, time, "Sent interrupt. Waiting \(timeout) before force killing", ["kill_timeout": timeout.description])
  }

  static func killed(at time: Timestamp) -> TaskEvent { make(.killed, time, "Task successfully killed") }

  static func siblingFailed(_ sibling: String, at time: Timestamp) -> TaskEvent {
    make(.siblingFailed, time, "Task's sibling \"\(sibling)\" failed", ["failed_sibling": sibling])
  }

  static func leaderDead(at time: Timestamp) -> TaskEvent { make(.leaderDead, time, "Leader Task in Group dead") }

  static func mainDead(at time: Timestamp) -> TaskEvent { make(.mainTasksDead, time, "Main tasks in the group died") }

  static func unhealthy(_ reason: String, at time: Timestamp) -> TaskEvent {
    make(.allocUnhealthy, time, reason, ["message": reason])
  }

  static func restoreFailed(_ problem: String, at time: Timestamp) -> TaskEvent {
    make(.restoreFailed, time, problem, ["message": problem])
  }
}
