public import Codec

/// What a task is doing and what happened to it.
public struct TaskState: Record {
  /// Whether it waits, runs or is done.
  public var state: TaskRunState = .pending
  /// Whether its last run failed, or it could not be started.
  public var failed = false
  /// How many times it was started again.
  public var restarts: UInt64 = 0
  /// When that was last; zero for never.
  public var lastRestart: Timestamp = .zeroValue
  /// When its current or last run began; zero for never.
  public var startedAt: Timestamp = .zeroValue
  /// When it was done for good; zero until then.
  public var finishedAt: Timestamp = .zeroValue
  /// The last ten, oldest first.
  public var events: [TaskEvent] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
