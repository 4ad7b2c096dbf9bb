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
  /// How long an allocation must have been healthy to count; 10 s by default.
  public var minHealthyTime: Nanoseconds?
  /// How long it may take to become healthy before it counts as unhealthy; 5 min by default.
  public var healthyDeadline: Nanoseconds?
  /// How long the deployment may go without a further healthy allocation before it fails; 10 min by default, zero for
  /// no limit.
  public var progressDeadline: Nanoseconds?
  /// How many allocations of a new version run beside the old ones until promoted; 0 by default, for none.
  public var canary: Int?
  /// Return to the latest stable version when the deployment fails; false by default.
  public var autoRevert: Bool?
  /// Promote canaries without an operator once all are healthy; false by default.
  public var autoPromote: Bool?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// How many allocations a drain moves at a time; 1 by default.
  public var maxParallel: Int?
  /// What health means: `checks` (the default) or `task_states`.
  public var healthCheck: String?
  /// How long a replacement must have been healthy before the next one moves; 10 s by default.
  public var minHealthyTime: Nanoseconds?
  /// How long it may take to become healthy; 5 min by default.
  public var healthyDeadline: Nanoseconds?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "MaxParallel", &maxParallel)
    v.field(2, "HealthCheck", &healthCheck)
    v.field(3, "MinHealthyTime", &minHealthyTime)
    v.field(4, "HealthyDeadline", &healthyDeadline)
  }
}

/// How a task that failed is started again on the same node (`restart` block).
public struct RestartPolicy: Record {
  /// Window in which `attempts` are counted; 30 min for services, 24 h for batch jobs by default.
  public var interval: Nanoseconds?
  /// Restarts allowed within the window; 2 for services, 3 for batch jobs by default.
  public var attempts: Int?
  /// Wait before a restart, to which up to a quarter is added at random; 15 s by default.
  public var delay: Nanoseconds?
  /// What happens after the attempts within an interval are used up: `fail` or `delay`.
  public var mode: String?
  /// Render templates again before a restart; false by default.
  public var renderTemplates: Bool?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// Replacements allowed within `interval`, unless `unlimited`; 1 for batch jobs by default.
  public var attempts: Int?
  /// Window in which `attempts` are counted; 24 h for batch jobs by default.
  public var interval: Nanoseconds?
  /// Wait before the first replacement; 30 s for services, 5 s for batch jobs by default.
  public var delay: Nanoseconds?
  /// `constant`, `exponential` or `fibonacci`.
  public var delayFunction: String?
  /// Longest wait; 1 h by default.
  public var maxDelay: Nanoseconds?
  /// No limit on the number of replacements; true for services, false for batch jobs by default.
  public var unlimited: Bool?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// How long a node may be out of reach before its allocations are lost; absent for at once.
  public var lostAfter: Nanoseconds?
  /// How long a client out of reach lets the tasks run before it stops them itself; absent for ever.
  public var stopOnClientAfter: Nanoseconds?
  /// Whether a replacement is placed while the node is out of reach; true by default.
  public var replace: Bool?
  /// Which one stays when both are back: `best_score`, `keep_original`, `keep_replacement` or `longest_running`.
  public var reconcile: String?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "LostAfter", &lostAfter)
    v.field(2, "StopOnClientAfter", &stopOnClientAfter)
    v.field(3, "Replace", &replace)
    v.field(4, "Reconcile", &reconcile)
  }
}
