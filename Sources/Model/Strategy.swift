// How a group is updated, moved, restarted and rescheduled.

public import Codec

/// How a new version replaces an old one (`update` block).
public struct UpdateStrategy: Record {
  /// Between batches of a system job's updates.
  public var stagger: Nanoseconds?
  /// 0 for no deployment: everything at once.
  public var maxParallel: Int?
  /// `checks`, `task_states` or `manual`.
  public var healthCheck: String?
  public var minHealthyTime: Nanoseconds?
  public var healthyDeadline: Nanoseconds?
  public var progressDeadline: Nanoseconds?
  public var canary: Int?
  public var autoRevert: Bool?
  public var autoPromote: Bool?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Stagger", &stagger)
    v.field(2, "MaxParallel", &maxParallel)
    v.field(3, "HealthCheck", &healthCheck)
    v.field(4, "MinHealthyTime", &minHealthyTime)
    v.field(5, "HealthyDeadline", &healthyDeadline)
    v.field(6, "ProgressDeadline", &progressDeadline)
    v.field(7, "Canary", &canary)
    v.field(8, "AutoRevert", &autoRevert)
    v.field(9, "AutoPromote", &autoPromote)
  }
}

/// How allocations leave a draining node (`migrate` block).
public struct MigrateStrategy: Record {
  public var maxParallel: Int?
  public var healthCheck: String?
  public var minHealthyTime: Nanoseconds?
  public var healthyDeadline: Nanoseconds?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "MaxParallel", &maxParallel)
    v.field(2, "HealthCheck", &healthCheck)
    v.field(3, "MinHealthyTime", &minHealthyTime)
    v.field(4, "HealthyDeadline", &healthyDeadline)
  }
}

/// How a task that failed is started again on the same node (`restart` block).
public struct RestartPolicy: Record {
  public var interval: Nanoseconds?
  public var attempts: Int?
  public var delay: Nanoseconds?
  /// What happens after the attempts within an interval are used up: `fail` or `delay`.
  public var mode: String?
  public var renderTemplates: Bool?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Interval", &interval)
    v.field(2, "Attempts", &attempts)
    v.field(3, "Delay", &delay)
    v.field(4, "Mode", &mode)
    v.field(5, "RenderTemplates", &renderTemplates)
  }
}

/// How a failed allocation is replaced (`reschedule` block).
public struct ReschedulePolicy: Record {
  public var attempts: Int?
  public var interval: Nanoseconds?
  public var delay: Nanoseconds?
  /// `constant`, `exponential` or `fibonacci`.
  public var delayFunction: String?
  public var maxDelay: Nanoseconds?
  public var unlimited: Bool?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Attempts", &attempts)
    v.field(2, "Interval", &interval)
    v.field(3, "Delay", &delay)
    v.field(4, "DelayFunction", &delayFunction)
    v.field(5, "MaxDelay", &maxDelay)
    v.field(6, "Unlimited", &unlimited)
  }
}

/// What happens when the node of an allocation is not heard of (`disconnect` block).
public struct DisconnectStrategy: Record {
  public var lostAfter: Nanoseconds?
  public var stopOnClientAfter: Nanoseconds?
  public var replace: Bool?
  /// Which one stays when both are back: `best_score`, `keep_original`, `keep_replacement` or `longest_running`.
  public var reconcile: String?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "LostAfter", &lostAfter)
    v.field(2, "StopOnClientAfter", &stopOnClientAfter)
    v.field(3, "Replace", &replace)
    v.field(4, "Reconcile", &reconcile)
  }
}
