public import Codec

/// Within which bounds a group (or a task's resources) may be scaled (`scaling` block).
public struct ScalingPolicy: Record {
  /// Smallest count that scaling may set.
  public var min: Int64?
  /// Largest count that scaling may set.
  public var max: Int64?
  /// Free form, for an autoscaler: kept and handed out, not looked into.
  public var policy: JSONObject?
  /// Whether an autoscaler is to act on it; true by default.
  public var enabled: Bool?
  /// `horizontal`, `vertical_cpu` or `vertical_mem`.
  public var type = ""
  /// UUID, made by the server at the first registration and kept by later ones.
  public var id = ""
  /// The job's namespace.
  public var namespace = ""
  /// What the policy is about: `Namespace`, `Job` and `Group`.
  public var target: [String: String] = [:]
  /// Log index at which it was created.
  public var createIndex: UInt64 = 0
  /// Log index of its last change.
  public var modifyIndex: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Min", &min)
    v.field(2, "Max", &max)
    v.field(3, "Policy", &policy, .diffObject)
    v.field(4, "Enabled", &enabled)
    v.field(5, "Type", &type)
    v.field(6, "ID", &id, .diffIgnore)
    v.field(7, "Namespace", &namespace, .diffIgnore)
    v.field(8, "Target", &target, .diffIgnore)
    v.field(9, "CreateIndex", &createIndex, .diffIgnore)
    v.field(10, "ModifyIndex", &modifyIndex, .diffIgnore)
  }
}

/// A scaling policy in a list.
public struct ScalingPolicyListStub: Record {
  /// UUID of the policy.
  public var id = ""
  /// Whether an autoscaler is to act on it.
  public var enabled = false
  /// `horizontal`, or Enterprise's `vertical_cpu` and `vertical_mem`.
  public var type = ""
  /// What the policy is about: `Namespace`, `Job` and `Group`.
  public var target: [String: String] = [:]
  /// Log index at which it was created.
  public var createIndex: UInt64 = 0
  /// Log index of its last change.
  public var modifyIndex: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Enabled", &enabled)
    v.field(3, "Type", &type)
    v.field(4, "Target", &target)
    v.field(5, "CreateIndex", &createIndex)
    v.field(6, "ModifyIndex", &modifyIndex)
  }
}

/// Body of `POST /v1/job/:id/scale`.
public struct ScalingRequest: Record {
  /// The new count of the group; absent to record an event and change nothing.
  public var count: Int64?
  /// The group, as `Group`; job and namespace come from the path and the query.
  public var target: [String: String] = [:]
  /// Why, for the record of events.
  public var message = ""
  /// Marks the event as a failure of the autoscaler; must come without `count`.
  public var error = false
  /// Further facts for the record of events.
  public var meta = JSONObject()
  /// Enterprise's override of policies; accepted and without effect.
  public var policyOverride = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Count", &count)
    v.field(2, "Target", &target)
    v.field(3, "Message", &message)
    v.field(4, "Error", &error)
    v.field(5, "Meta", &meta)
    v.field(6, "PolicyOverride", &policyOverride)
  }
}

/// What was scaled when and why.
public struct ScalingEvent: Record {
  /// The count that was set; absent when the event set none.
  public var count: Int64?
  /// The count before the event.
  public var previousCount: Int64 = 0
  /// Whether the event is a failure of the autoscaler.
  public var error = false
  /// Why, as the request said.
  public var message = ""
  /// Further facts, as the request gave them.
  public var meta = JSONObject()
  /// The evaluation that the change started.
  public var evalID: Identifier?
  /// Nanoseconds since 1970.
  public var time: UInt64 = 0
  /// Log index at which the event was recorded.
  public var createIndex: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Count", &count)
    v.field(2, "PreviousCount", &previousCount)
    v.field(3, "Error", &error)
    v.field(4, "Message", &message)
    v.field(5, "Meta", &meta)
    v.field(6, "EvalID", &evalID)
    v.field(7, "Time", &time)
    v.field(8, "CreateIndex", &createIndex)
  }
}

/// Answer of `GET /v1/job/:id/scale`.
public struct JobScaleStatus: Record {
  /// The job.
  public var jobID = ""
  /// The job's namespace.
  public var namespace = ""
  /// Log index of the job's first registration.
  public var jobCreateIndex: UInt64 = 0
  /// Log index of its last registration.
  public var jobModifyIndex: UInt64 = 0
  /// Whether it was stopped.
  public var jobStopped = false
  /// Counts and events by group name.
  public var taskGroups: [String: TaskGroupScaleStatus] = [:]

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "JobID", &jobID)
    v.field(2, "Namespace", &namespace)
    v.field(3, "JobCreateIndex", &jobCreateIndex)
    v.field(4, "JobModifyIndex", &jobModifyIndex)
    v.field(5, "JobStopped", &jobStopped)
    v.field(6, "TaskGroups", &taskGroups)
  }
}

/// How many instances a group has and should have.
public struct TaskGroupScaleStatus: Record {
  /// Count that the job asks for.
  public var desired = 0
  /// Allocations placed and not to stop.
  public var placed = 0
  /// Of those, how many run.
  public var running = 0
  /// Of those, how many a deployment found healthy.
  public var healthy = 0
  /// Of those, how many a deployment found unhealthy.
  public var unhealthy = 0
  /// Scaling events of the group, newest first.
  public var events: [ScalingEvent] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Desired", &desired)
    v.field(2, "Placed", &placed)
    v.field(3, "Running", &running)
    v.field(4, "Healthy", &healthy)
    v.field(5, "Unhealthy", &unhealthy)
    v.field(6, "Events", &events)
  }
}
