// What `job plan` shows of the difference between two versions of a job.

public import Codec

/// The difference between two versions of a job.
public struct JobDiff: Record {
  public var type: DiffType = .none
  public var id = ""
  public var fields: [FieldDiff] = []
  public var objects: [ObjectDiff] = []
  public var taskGroups: [TaskGroupDiff] = []

  public init() {}

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
  public var type: DiffType = .none
  public var name = ""
  public var fields: [FieldDiff] = []
  public var objects: [ObjectDiff] = []
  public var tasks: [TaskDiff] = []
  /// Filled in by the scheduler: how many instances are created, destroyed, updated in place and so on.
  public var updates: [String: UInt64] = [:]

  public init() {}

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
  public var type: DiffType = .none
  public var name = ""
  public var fields: [FieldDiff] = []
  public var objects: [ObjectDiff] = []
  public var annotations: [String] = []

  public init() {}

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
  public var type: DiffType = .none
  public var name = ""
  public var fields: [FieldDiff] = []
  public var objects: [ObjectDiff] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Type", &type)
    v.field(2, "Name", &name)
    v.field(3, "Fields", &fields)
    v.field(4, "Objects", &objects)
  }
}

/// The difference between two values, as text.
public struct FieldDiff: Record {
  public var type: DiffType = .none
  public var name = ""
  public var old = ""
  public var new = ""
  public var annotations: [String] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Type", &type)
    v.field(2, "Name", &name)
    v.field(3, "Old", &old)
    v.field(4, "New", &new)
    v.field(5, "Annotations", &annotations)
  }
}
