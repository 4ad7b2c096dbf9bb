public import Codec

/// Something that happened to a task.
///
/// Kept are the kind, the time, the sentence for people and the details by name. The fields that the API had before there
/// were details are still shown; they are views of the details and take no room.
public struct TaskEvent: Record {
  public var type: TaskEventType = ""
  /// Nanoseconds since 1970.
  public var time: Int64 = 0
  public var displayMessage = ""
  public var details: [String: String] = [:]

  public init() {}

  public init(_ type: TaskEventType, time: Int64, message: String, details: [String: String] = [:]) {
    self.type = type
    self.time = time
    self.displayMessage = message
    self.details = details
  }

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
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  public static let received: TaskEventType = "Received"
  public static let taskSetup: TaskEventType = "Task Setup"
  public static let setupFailure: TaskEventType = "Setup Failure"
  public static let failedValidation: TaskEventType = "Failed Validation"
  public static let driver: TaskEventType = "Driver"
  public static let driverFailure: TaskEventType = "Driver Failure"
  public static let started: TaskEventType = "Started"
  public static let terminated: TaskEventType = "Terminated"
  public static let restarting: TaskEventType = "Restarting"
  public static let notRestarting: TaskEventType = "Not Restarting"
  public static let restartSignaled: TaskEventType = "Restart Signaled"
  public static let signaling: TaskEventType = "Signaling"
  public static let killing: TaskEventType = "Killing"
  public static let killed: TaskEventType = "Killed"
  public static let downloadingArtifacts: TaskEventType = "Downloading Artifacts"
  public static let failedArtifactDownload: TaskEventType = "Failed Artifact Download"
  public static let siblingFailed: TaskEventType = "Sibling Task Failed"
  public static let leaderDead: TaskEventType = "Leader Task Dead"
  public static let mainTasksDead: TaskEventType = "Main Tasks Dead"
  public static let diskExceeded: TaskEventType = "Disk Resources Exceeded"
  public static let template: TaskEventType = "Template"
  public static let allocUnhealthy: TaskEventType = "Alloc Unhealthy"
  public static let hookFailed: TaskEventType = "Task hook failed"
  public static let hookMessage: TaskEventType = "Task hook message"
  public static let restoreFailed: TaskEventType = "Failed Restoring Task"
  public static let reconnected: TaskEventType = "Reconnected"
  public static let pluginUnhealthy: TaskEventType = "Plugin became unhealthy"
  public static let pluginHealthy: TaskEventType = "Plugin became healthy"
}
