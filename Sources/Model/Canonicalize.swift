import Codec

// Filling in what a sparse job leaves out, with the defaults that the job specification documents. The result is what
// `POST /v1/jobs/parse` gives with `Canonicalize`, and what servers keep.
//
// Doing it twice changes nothing. The parts are in CanonicalizeGroup.swift, CanonicalizeTask.swift and
// CanonicalizeService.swift.

extension Job {
  /// Fills in every documented default. A job that is invalid stays so: `validate()` says what is wrong with it.
  public mutating func canonicalize() {
    fill(&name, id)
    fill(&parentID, "")
    fill(&namespace, "default")
    fill(&priority, JobLimits.defaultPriority)
    fill(&stop, false)
    fill(&region, "global")
    fill(&nodePool, "")
    fill(&type, .service)
    fill(&allAtOnce, false)
    fill(&consulNamespace, "")
    fill(&vaultNamespace, "")
    fill(&nomadTokenID, "")
    fill(&status, "")
    fill(&statusDescription, "")
    fill(&stable, false)
    fill(&version, 0)
    fill(&createIndex, 0)
    fill(&modifyIndex, 0)
    fill(&jobModifyIndex, 0)
    edit(&periodic) { $0.canonicalize() }
    if (type == .service || type == .system) && update == nil { update = UpdateStrategy() }
    edit(&update) { $0.canonicalize() }
    edit(&multiregion) { $0.canonicalize() }
    for index in affinities.indices { fill(&affinities[index].weight, Affinity.defaultWeight) }
    for index in spreads.indices { fill(&spreads[index].weight, Spread.defaultWeight) }
    for index in taskGroups.indices {
      var group = taskGroups[index]
      group.canonicalize(in: self)
      taskGroups[index] = group
    }
  }
}

extension Job {
  /// Fills in what a server decides when a job is registered, beyond `canonicalize()`: every datacenter when none is
  /// named, and the namespace's default pool.
  public mutating func fillRegistrationDefaults(nodePool: String = "default") {
    if datacenters.isEmpty { datacenters = ["*"] }
    if (self.nodePool ?? "").isEmpty { self.nodePool = nodePool }
  }
}

/// Sets what is not set.
func fill<T>(_ place: inout T?, _ value: @autoclosure () -> T) {
  if place == nil { place = value() }
}

/// Sets a text that is empty.
func fill(_ place: inout String, _ value: @autoclosure () -> String) {
  if place.isEmpty { place = value() }
}

/// Changes what is set.
func edit<T>(_ place: inout T?, _ change: (inout T) -> Void) {
  guard var value = place else { return }
  change(&value)
  place = value
}

extension Affinity {
  static let defaultWeight = 50
}

extension Spread {
  static let defaultWeight = 50
}

extension PeriodicConfig {
  mutating func canonicalize() {
    fill(&enabled, true)
    fill(&spec, "")
    fill(&specs, [])
    fill(&specType, "cron")
    fill(&prohibitOverlap, false)
    if (timeZone ?? "").isEmpty { timeZone = "UTC" }
  }
}

extension Multiregion {
  mutating func canonicalize() {
    fill(&strategy, MultiregionStrategy())
    edit(&strategy) {
      fill(&$0.maxParallel, 0)
      fill(&$0.onFailure, "")
    }
    for index in regions.indices {
      fill(&regions[index].count, 1)
      fill(&regions[index].datacenters, [])
      fill(&regions[index].meta, [:])
    }
  }
}

extension UpdateStrategy {
  mutating func canonicalize() {
    fill(&stagger, .seconds(30))
    fill(&maxParallel, 1)
    fill(&healthCheck, "checks")
    fill(&minHealthyTime, .seconds(10))
    fill(&healthyDeadline, .minutes(5))
    fill(&progressDeadline, .minutes(10))
    fill(&canary, 0)
    fill(&autoRevert, false)
    fill(&autoPromote, false)
  }

  /// What `other` sets counts.
  mutating func merge(_ other: UpdateStrategy) {
    stagger = other.stagger ?? stagger
    maxParallel = other.maxParallel ?? maxParallel
    healthCheck = other.healthCheck ?? healthCheck
    minHealthyTime = other.minHealthyTime ?? minHealthyTime
    healthyDeadline = other.healthyDeadline ?? healthyDeadline
    progressDeadline = other.progressDeadline ?? progressDeadline
    canary = other.canary ?? canary
    autoRevert = other.autoRevert ?? autoRevert
    autoPromote = other.autoPromote ?? autoPromote
  }
}

extension MigrateStrategy {
  mutating func canonicalize() {
    fill(&maxParallel, 1)
    fill(&healthCheck, "checks")
    fill(&minHealthyTime, .seconds(10))
    fill(&healthyDeadline, .minutes(5))
  }

  /// What `other` sets counts.
  mutating func merge(_ other: MigrateStrategy) {
    maxParallel = other.maxParallel ?? maxParallel
    healthCheck = other.healthCheck ?? healthCheck
    minHealthyTime = other.minHealthyTime ?? minHealthyTime
    healthyDeadline = other.healthyDeadline ?? healthyDeadline
  }
}

extension RestartPolicy {
  /// The documented default depends on the type of the job.
  static func standard(for type: JobType) -> RestartPolicy {
    var policy = RestartPolicy()
    let batch = type == .batch || type == .sysbatch
    policy.interval = batch ? .hours(24) : .minutes(30)
    policy.attempts = batch ? 3 : 2
    policy.delay = .seconds(15)
    policy.mode = "fail"
    policy.renderTemplates = false
    return policy
  }

  /// What `other` sets counts.
  mutating func merge(_ other: RestartPolicy) {
    interval = other.interval ?? interval
    attempts = other.attempts ?? attempts
    delay = other.delay ?? delay
    mode = other.mode ?? mode
    renderTemplates = other.renderTemplates ?? renderTemplates
  }
}

extension ReschedulePolicy {
  /// The documented default depends on the type of the job; system jobs are never rescheduled.
  static func standard(for type: JobType) -> ReschedulePolicy? {
    var policy = ReschedulePolicy()
    switch type {
    case .service:
      policy.attempts = 0
      policy.interval = .zero
      policy.delay = .seconds(30)
      policy.delayFunction = "exponential"
      policy.maxDelay = .hours(1)
      policy.unlimited = true
    case .batch:
      policy.attempts = 1
      policy.interval = .hours(24)
      policy.delay = .seconds(5)
      policy.delayFunction = "constant"
      policy.maxDelay = .zero
      policy.unlimited = false
    default: return nil
    }
    return policy
  }

  /// What `other` sets counts.
  mutating func merge(_ other: ReschedulePolicy) {
    attempts = other.attempts ?? attempts
    interval = other.interval ?? interval
    delay = other.delay ?? delay
    delayFunction = other.delayFunction ?? delayFunction
    maxDelay = other.maxDelay ?? maxDelay
    unlimited = other.unlimited ?? unlimited
  }
}
