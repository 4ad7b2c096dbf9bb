public import Codec

/// What a task is doing and what happened to it.
public struct TaskState: Record {
  public var state: TaskRunState = .pending
  public var failed = false
  public var restarts: UInt64 = 0
  public var lastRestart: Timestamp = .zeroValue
  public var startedAt: Timestamp = .zeroValue
  public var finishedAt: Timestamp = .zeroValue
  /// The last ten, oldest first.
  public var events: [TaskEvent] = []

  public init() {}

  @_specialize(where V == JSONWriter)
  @_specialize(where V == BinaryWriter)
  @_specialize(where V == BinaryReader)
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "State", &state)
    v.field(2, "Failed", &failed)
    v.field(3, "Restarts", &restarts)
    v.field(4, "LastRestart", &lastRestart)
    v.field(5, "StartedAt", &startedAt)
    v.field(6, "FinishedAt", &finishedAt)
    v.field(7, "Events", &events)
  }
}

/// Where a task is in its life.
public enum TaskRunState: String, ClosedText {
  case pending, running, dead
}
