public import Codec

/// A named set of nodes; jobs choose one.
public struct NodePool: Record {
  /// Unique in the region; `all` and `default` are built in.
  public var name = ""
  /// Free text.
  public var description = ""
  /// Key and value pairs for people.
  public var meta: [String: String] = [:]
  /// Departures from the cluster's scheduler configuration; absent for none.
  @Indirect public var schedulerConfiguration: NodePoolSchedulerConfiguration?
  /// Log index at which it was created.
  public var createIndex: UInt64 = 0
  /// Log index of its last change.
  public var modifyIndex: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Description", &description)
    v.field(3, "Meta", &meta)
    v.field(4, "SchedulerConfiguration", &_schedulerConfiguration)
    v.field(5, "CreateIndex", &createIndex)
    v.field(6, "ModifyIndex", &modifyIndex)
  }
}

/// What the scheduler does differently in a pool.
public struct NodePoolSchedulerConfiguration: Record {
  /// `binpack` or `spread`; empty for the cluster's.
  public var schedulerAlgorithm = ""
  /// Whether `memory_max` may exceed `memory` in this pool; absent for the cluster's setting.
  public var memoryOversubscriptionEnabled: Bool?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "SchedulerAlgorithm", &schedulerAlgorithm)
    v.field(2, "MemoryOversubscriptionEnabled", &memoryOversubscriptionEnabled)
  }
}

/// What operators can change in the scheduler of the region.
public struct SchedulerConfiguration: Record {
  /// `binpack` or `spread`.
  public var schedulerAlgorithm = ""
  /// For which job types the scheduler may evict lower priorities.
  public var preemptionConfig = PreemptionConfig()
  /// Whether `memory_max` may exceed `memory`; false by default.
  public var memoryOversubscriptionEnabled = false
  /// Refuses registrations, dispatches and scalings of everyone without a management token.
  public var rejectJobRegistration = false
  /// Keeps new evaluations waiting until it is set back.
  public var pauseEvalBroker = false
  /// Log index at which it was created.
  public var createIndex: UInt64 = 0
  /// Log index of its last change.
  public var modifyIndex: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "SchedulerAlgorithm", &schedulerAlgorithm)
    v.field(2, "PreemptionConfig", &preemptionConfig)
    v.field(3, "MemoryOversubscriptionEnabled", &memoryOversubscriptionEnabled)
    v.field(4, "RejectJobRegistration", &rejectJobRegistration)
    v.field(5, "PauseEvalBroker", &pauseEvalBroker)
    v.field(6, "CreateIndex", &createIndex)
    v.field(7, "ModifyIndex", &modifyIndex)
  }
}

/// For which schedulers an allocation of lower priority may make room.
public struct PreemptionConfig: Record {
  /// Preemption for system jobs; true by default.
  public var systemSchedulerEnabled = false
  /// Preemption for sysbatch jobs; false by default.
  public var sysBatchSchedulerEnabled = false
  /// Preemption for batch jobs; false by default.
  public var batchSchedulerEnabled = false
  /// Preemption for service jobs; false by default.
  public var serviceSchedulerEnabled = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "SystemSchedulerEnabled", &systemSchedulerEnabled)
    v.field(2, "SysBatchSchedulerEnabled", &sysBatchSchedulerEnabled)
    v.field(3, "BatchSchedulerEnabled", &batchSchedulerEnabled)
    v.field(4, "ServiceSchedulerEnabled", &serviceSchedulerEnabled)
  }
}

/// Answer of `GET /v1/operator/scheduler/configuration`.
public struct SchedulerConfigurationResponse: Record {
  /// The configuration in force.
  @Indirect public var schedulerConfig: SchedulerConfiguration?
  /// State index that the answer is valid for, as in `X-Nomad-Index`.
  public var index: UInt64 = 0
  /// How long ago the answering server last heard from the leader, in nanoseconds; zero on the leader.
  public var lastContact: Nanoseconds = .zero
  /// Whether the answering server knew a leader.
  public var knownLeader = false
  /// Where the next page begins (`?next_token=`); empty on the last page.
  public var nextToken = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "SchedulerConfig", &_schedulerConfig)
    v.field(2, "Index", &index)
    v.field(3, "LastContact", &lastContact)
    v.field(4, "KnownLeader", &knownLeader)
    v.field(5, "NextToken", &nextToken)
  }
}

/// Answer of `PUT /v1/operator/scheduler/configuration`.
public struct SchedulerSetConfigurationResponse: Record {
  /// Whether it was written: false when `?cas=` named another index.
  public var updated = false
  /// State index that the answer is valid for, as in `X-Nomad-Index`.
  public var index: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Updated", &updated)
    v.field(2, "Index", &index)
  }
}
