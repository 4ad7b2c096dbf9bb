// Questions about states that many modules ask.

extension Job {
  /// Launched by a schedule; its launches are jobs of their own.
  public var isPeriodic: Bool { periodic?.enabled ?? (periodic != nil) }
  /// Launched by dispatches; a job that was dispatched is none.
  public var isParameterized: Bool { parameterizedJob != nil && !dispatched }
  /// Runs nothing itself: its children do, which are launched at times or by dispatches.
  public var launchesChildren: Bool { periodic != nil || isParameterized }
  /// Whether a user stopped the job; it is then kept until garbage collection.
  public var isStopped: Bool { stop ?? false }
  /// Whether the job runs once on every node that fits instead of a number of times.
  public var runsOnEveryNode: Bool { type == .system || type == .sysbatch }

  /// The group of that name, nil when the job has none.
  public func group(named name: String) -> TaskGroup? { taskGroups.first { $0.name == name } }
}

extension TaskGroup {
  /// The task of that name, nil when the group has none.
  public func task(named name: String) -> JobTask? { tasks.first { $0.name == name } }
}

extension AllocationClientStatus {
  /// The tasks have ended, or nobody will hear of them again.
  public var isTerminal: Bool { self == .complete || self == .failed || self == .lost }
}

extension AllocationDesiredStatus {
  /// Whether the servers want the allocation to end, by stop or by eviction.
  public var isTerminal: Bool { self != .run }
}

extension Allocation {
  /// It is to end or has ended.
  public var isTerminal: Bool { desiredStatus.isTerminal || clientStatus.isTerminal }

  /// `job.group[index]`.
  public static func name(job: String, group: String, index: Int) -> String { "\(job).\(group)[\(index)]" }

  /// The number between the brackets of the name; nil for a name that is no allocation's.
  public var index: Int? {
    guard name.last == "]", let bracket = name.lastIndex(of: "[") else { return nil }
    return Int(name[name.index(after: bracket)...].dropLast())
  }
}

extension EvaluationStatus {
  /// Nothing more will be done about it.
  public var isTerminal: Bool { self == .complete || self == .failed || self == .canceled }
}

extension DeploymentStatus {
  /// Allocations may still be placed for it.
  public var isActive: Bool {
    switch self {
    case .running, .paused, .initializing, .pending, .blocked, .unblocking: true
    case .failed, .successful, .cancelled: false
    }
  }
}
