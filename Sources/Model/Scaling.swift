public import Codec

/// Within which bounds a group (or a task's resources) may be scaled (`scaling` block).
public struct ScalingPolicy: Record {
  public var min: Int64?
  public var max: Int64?
  public var policy: JSONObject?
  public var enabled: Bool?
  /// `horizontal`, `vertical_cpu` or `vertical_mem`.
  public var type = ""
  public var id = ""
  public var namespace = ""
  public var target: [String: String] = [:]
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

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
  public var id = ""
  public var enabled = false
  public var type = ""
  public var target: [String: String] = [:]
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

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
  public var count: Int64?
  public var target: [String: String] = [:]
  public var message = ""
  public var error = false
  public var meta = JSONObject()
  public var policyOverride = false

  public init() {}

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
  public var count: Int64?
  public var previousCount: Int64 = 0
  public var error = false
  public var message = ""
  public var meta = JSONObject()
  public var evalID: Identifier?
  /// Nanoseconds since 1970.
  public var time: UInt64 = 0
  public var createIndex: UInt64 = 0

  public init() {}

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
  public var jobID = ""
  public var namespace = ""
  public var jobCreateIndex: UInt64 = 0
  public var jobModifyIndex: UInt64 = 0
  public var jobStopped = false
  public var taskGroups: [String: TaskGroupScaleStatus] = [:]

  public init() {}

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
  public var desired = 0
  public var placed = 0
  public var running = 0
  public var healthy = 0
  public var unhealthy = 0
  public var events: [ScalingEvent] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Desired", &desired)
    v.field(2, "Placed", &placed)
    v.field(3, "Running", &running)
    v.field(4, "Healthy", &healthy)
    v.field(5, "Unhealthy", &unhealthy)
    v.field(6, "Events", &events)
  }
}
