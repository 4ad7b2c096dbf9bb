public import Codec

/// A named set of nodes; jobs choose one.
public struct NodePool: Record {
  public var name = ""
  public var description = ""
  public var meta: [String: String] = [:]
  @Indirect public var schedulerConfiguration: NodePoolSchedulerConfiguration?
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

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
  public var schedulerAlgorithm = ""
  public var memoryOversubscriptionEnabled: Bool?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "SchedulerAlgorithm", &schedulerAlgorithm)
    v.field(2, "MemoryOversubscriptionEnabled", &memoryOversubscriptionEnabled)
  }
}

/// What operators can change in the scheduler of the region.
public struct SchedulerConfiguration: Record {
  /// `binpack` or `spread`.
  public var schedulerAlgorithm = ""
  public var preemptionConfig = PreemptionConfig()
  public var memoryOversubscriptionEnabled = false
  public var rejectJobRegistration = false
  public var pauseEvalBroker = false
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

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
  public var systemSchedulerEnabled = false
  public var sysBatchSchedulerEnabled = false
  public var batchSchedulerEnabled = false
  public var serviceSchedulerEnabled = false

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "SystemSchedulerEnabled", &systemSchedulerEnabled)
    v.field(2, "SysBatchSchedulerEnabled", &sysBatchSchedulerEnabled)
    v.field(3, "BatchSchedulerEnabled", &batchSchedulerEnabled)
    v.field(4, "ServiceSchedulerEnabled", &serviceSchedulerEnabled)
  }
}

/// Answer of `GET /v1/operator/scheduler/configuration`.
public struct SchedulerConfigurationResponse: Record {
  @Indirect public var schedulerConfig: SchedulerConfiguration?
  public var index: UInt64 = 0
  public var lastContact: Nanoseconds = .zero
  public var knownLeader = false
  public var nextToken = ""

  public init() {}

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
  public var updated = false
  public var index: UInt64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Updated", &updated)
    v.field(2, "Index", &index)
  }
}
