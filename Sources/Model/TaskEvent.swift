public import Codec

/// Something that happened to a task.
///
/// Kept are the kind, the time, the sentence for people and the details by name. The fields that the API had before there
/// were details are still shown; they are views of the details and take no room.
public struct TaskEvent: Record {
  /// What happened.
  public var type: TaskEventType = ""
  /// Nanoseconds since 1970.
  public var time: Int64 = 0
  /// What happened, for people; what the command line shows as description.
  public var displayMessage = ""
  /// Facts by name, such as `exit_code`, `signal`, `oom_killed`.
  public var details: [String: String] = [:]

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// An event at `time`, nanoseconds since 1970.
  public init(_ type: TaskEventType, time: Int64, message: String, details: [String: String] = [:]) {
    self.type = type
    self.time = time
    self.displayMessage = message
    self.details = details
  }

  /// Each field once, with the tag of the binary format and the name in JSON.
  @_specialize(where V == JSONWriter)
  @_specialize(where V == BinaryWriter)
  @_specialize(where V == BinaryReader)
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    visitEvent(&v)
    visitDetails(&v)
  }

  @_specialize(where V == JSONWriter)
  private mutating func visitEvent<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Type", &type)
    v.field(2, "Time", &time)
    v.field(3, "DisplayMessage", &displayMessage)
    v.field(4, "Details", &details, .emptyCollection)
  }

  /// The details that have fields of their own.
  @_specialize(where V == JSONWriter)
  private mutating func visitDetails<V: FieldVisitor>(_ v: inout V) {
    text(&v, 5, "Message", "message")
    truth(&v, 6, "FailsTask", "fails_task")
    text(&v, 7, "RestartReason", "restart_reason")
    text(&v, 8, "SetupError", "setup_error")
    text(&v, 9, "DriverError", "driver_error")
    number(&v, 10, "ExitCode", "exit_code")
    number(&v, 11, "Signal", "signal")
    duration(&v, 12, "KillTimeout", "kill_timeout")
    text(&v, 13, "KillError", "kill_error")
    text(&v, 14, "KillReason", "kill_reason")
    duration(&v, 15, "StartDelay", "start_delay")
    text(&v, 16, "DownloadError", "download_error")
    text(&v, 17, "ValidationError", "validation_error")
    number(&v, 18, "DiskLimit", "disk_limit")
    text(&v, 19, "FailedSibling", "failed_sibling")
    text(&v, 20, "VaultError", "vault_renew_error")
    text(&v, 21, "TaskSignalReason", "task_signal_reason")
    text(&v, 22, "TaskSignal", "task_signal")
    text(&v, 23, "DriverMessage", "driver_message")
    text(&v, 24, "GenericSource", "generic_source")
  }

  /// Most events have no details, and lists hold many events: then the fields that show details are always the same bytes,
  /// two thirds of the event's text.
  public func write(to writer: inout JSONWriter) {
    var copy = self
    writer.beginObject()
    copy.visitEvent(&writer)
    if details.isEmpty, writer.isCompact {
      writer.append(members: Self.withoutDetails)
    } else {
      copy.visitDetails(&writer)
    }
    writer.endObject()
  }

  private static let withoutDetails: [UInt8] = {
    var event = TaskEvent()
    var writer = JSONWriter()
    event.visitDetails(&writer)
    return writer.bytes
  }()

  /// Most events have no details; then twenty look-ups can be saved.
  private func detail(_ key: String) -> String { details.isEmpty ? "" : details[key] ?? "" }

  /// A detail as a text of its own; one that is read goes into the details, unless they have it already.
  private mutating func text<V: FieldVisitor>(_ v: inout V, _ tag: Int, _ name: StaticString, _ key: String) {
    var value = detail(key)
    v.field(tag, name, &value, .jsonOnly)
    if !value.isEmpty { details[key] = value }
  }

  private mutating func number<V: FieldVisitor>(_ v: inout V, _ tag: Int, _ name: StaticString, _ key: String) {
    let text = detail(key)
    let before = text.isEmpty ? 0 : Int64(text) ?? 0
    var value = before
    v.field(tag, name, &value, .jsonOnly)
    if value != before { details[key] = String(value) }
  }

  private mutating func truth<V: FieldVisitor>(_ v: inout V, _ tag: Int, _ name: StaticString, _ key: String) {
    let before = detail(key) == "true"
    var value = before
    v.field(tag, name, &value, .jsonOnly)
    if value != before { details[key] = String(value) }
  }

  /// The detail holds a Go duration or nanoseconds.
  private mutating func duration<V: FieldVisitor>(_ v: inout V, _ tag: Int, _ name: StaticString, _ key: String) {
    let text = detail(key)
    let before = text.isEmpty ? .zero : Int64(text).map(Nanoseconds.init) ?? Nanoseconds(parsing: text) ?? .zero
    var value = before
    v.field(tag, name, &value, .jsonOnly)
    if value != before { details[key] = value.description }
  }
}

/// The kinds of task events that the API documents.
public struct TaskEventType: OpenText {
  /// The text, as it stands in JSON.
  public let rawValue: String
  /// Takes any text: one that this version does not know is kept as it is.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// The client took the allocation over.
  public static let received: TaskEventType = "Received"
  /// The task's directory and root are being built.
  public static let taskSetup: TaskEventType = "Task Setup"
  /// Something before the start failed.
  public static let setupFailure: TaskEventType = "Setup Failure"
  /// The task does not pass the client's checks.
  public static let failedValidation: TaskEventType = "Failed Validation"
  /// A message of the driver while it prepares the task.
  public static let driver: TaskEventType = "Driver"
  /// The driver could not start the task.
  public static let driverFailure: TaskEventType = "Driver Failure"
  /// The task runs.
  public static let started: TaskEventType = "Started"
  /// The task's main process ended; exit code or signal are in the details.
  public static let terminated: TaskEventType = "Terminated"
  /// It will be started again after a delay.
  public static let restarting: TaskEventType = "Restarting"
  /// It will not be started again.
  public static let notRestarting: TaskEventType = "Not Restarting"
  /// A restart was asked for, by a user, a template or a check.
  public static let restartSignaled: TaskEventType = "Restart Signaled"
  /// A signal is being sent.
  public static let signaling: TaskEventType = "Signaling"
  /// The kill signal is being sent.
  public static let killing: TaskEventType = "Killing"
  /// Every process of the task is gone.
  public static let killed: TaskEventType = "Killed"
  /// Artifacts are being fetched.
  public static let downloadingArtifacts: TaskEventType = "Downloading Artifacts"
  /// An artifact could not be fetched or unpacked.
  public static let failedArtifactDownload: TaskEventType = "Failed Artifact Download"
  /// A task of the same group failed, so this one is stopped.
  public static let siblingFailed: TaskEventType = "Sibling Task Failed"
  /// The group's leader ended, so this one is stopped.
  public static let leaderDead: TaskEventType = "Leader Task Dead"
  /// The main tasks ended, so this sidecar is stopped.
  public static let mainTasksDead: TaskEventType = "Main Tasks Dead"
  /// The task used more disk than it may.
  public static let diskExceeded: TaskEventType = "Disk Resources Exceeded"
  /// A template waits, was rendered or failed.
  public static let template: TaskEventType = "Template"
  /// The deployment found the allocation unhealthy.
  public static let allocUnhealthy: TaskEventType = "Alloc Unhealthy"
  /// A step before or after the task failed.
  public static let hookFailed: TaskEventType = "Task hook failed"
  /// A message of a step before or after the task.
  public static let hookMessage: TaskEventType = "Task hook message"
  /// A restarted client could not take the task back.
  public static let restoreFailed: TaskEventType = "Failed Restoring Task"
  /// The client reached the servers again.
  public static let reconnected: TaskEventType = "Reconnected"
  /// A plugin that the task is stopped answering.
  public static let pluginUnhealthy: TaskEventType = "Plugin became unhealthy"
  /// A plugin that the task is answers.
  public static let pluginHealthy: TaskEventType = "Plugin became healthy"
}
