// What `job plan` shows of the difference between two versions of a job.

public import Codec

/// The difference between two versions of a job.
public struct JobDiff: Record {
  /// Whether the job is new, gone, changed or the same.
  public var type: DiffType = .none
  /// Id of the job.
  public var id = ""
  /// Changed fields of the job itself, all of them when contextual fields are asked for.
  public var fields: [FieldDiff] = []
  /// Changed blocks of the job, such as `update` or a constraint.
  public var objects: [ObjectDiff] = []
  /// One entry per group of either version.
  public var taskGroups: [TaskGroupDiff] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Type", &type)
    v.field(2, "ID", &id)
    v.field(3, "Fields", &fields)
    v.field(4, "Objects", &objects)
    v.field(5, "TaskGroups", &taskGroups)
  }
}

/// What happened to a field, object, task or group.
public enum DiffType: String, ClosedText {
  case none = "None"
  case added = "Added"
  case deleted = "Deleted"
  case edited = "Edited"
}

/// The difference between two versions of a group.
public struct TaskGroupDiff: Record {
  /// Whether the group is new, gone, changed or the same.
  public var type: DiffType = .none
  /// Name of the group.
  public var name = ""
  /// Changed fields of the group itself.
  public var fields: [FieldDiff] = []
  /// Changed blocks of the group.
  public var objects: [ObjectDiff] = []
  /// One entry per task of either version.
  public var tasks: [TaskDiff] = []
  /// Filled in by the scheduler: how many instances are created, destroyed, updated in place and so on.
  public var updates: [String: UInt64] = [:]

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Type", &type)
    v.field(2, "Name", &name)
    v.field(3, "Fields", &fields)
    v.field(4, "Objects", &objects)
    v.field(5, "Tasks", &tasks)
    v.field(6, "Updates", &updates)
  }
}

/// The difference between two versions of a task.
public struct TaskDiff: Record {
  /// Whether the task is new, gone, changed or the same.
  public var type: DiffType = .none
  /// Name of the task.
  public var name = ""
  /// Changed fields of the task itself.
  public var fields: [FieldDiff] = []
  /// Changed blocks of the task.
  public var objects: [ObjectDiff] = []
  /// What the change does to running tasks, such as `forces create/destroy update`.
  public var annotations: [String] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Type", &type)
    v.field(2, "Name", &name)
    v.field(3, "Fields", &fields)
    v.field(4, "Objects", &objects)
    v.field(5, "Annotations", &annotations)
  }
}

/// The difference between two versions of a block.
public struct ObjectDiff: Record {
  /// Whether the block is new, gone, changed or the same.
  public var type: DiffType = .none
  /// Name of the block, as the API spells it.
  public var name = ""
  /// Its changed fields.
  public var fields: [FieldDiff] = []
  /// Its changed blocks.
  public var objects: [ObjectDiff] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Type", &type)
    v.field(2, "Name", &name)
    v.field(3, "Fields", &fields)
    v.field(4, "Objects", &objects)
  }
}

/// The difference between two values, as text.
public struct FieldDiff: Record {
  /// Whether the field is new, gone, changed or the same.
  public var type: DiffType = .none
  /// Name of the field, with the key in brackets for maps: `Env[PATH]`.
  public var name = ""
  /// Value in the running version as text, empty when it is new.
  public var old = ""
  /// Value in the submitted version as text, empty when it is gone.
  public var new = ""
  /// What the change does, such as `forces destroy`.
  public var annotations: [String] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Type", &type)
    v.field(2, "Name", &name)
    v.field(3, "Old", &old)
    v.field(4, "New", &new)
    v.field(5, "Annotations", &annotations)
  }
}
