import Codec

extension TaskGroup {
  mutating func canonicalize(in job: Job) {
    let type = job.type ?? .service
    let instances = count ?? scaling?.min.map { Int($0) } ?? 1
    count = instances
    edit(&scaling) { $0.canonicalize(count: instances) }
    for index in affinities.indices { fill(&affinities[index].weight, Affinity.defaultWeight) }
    for index in spreads.indices { fill(&spreads[index].weight, Spread.defaultWeight) }
    fill(&ephemeralDisk, EphemeralDisk())
    edit(&ephemeralDisk) {
      fill(&$0.sticky, false)
      fill(&$0.migrate, false)
      fill(&$0.sizeMB, JobLimits.defaultEphemeralDiskMB)
    }
    edit(&consul) { $0.canonicalize() }
    canonicalizeStrategies(in: job, type)
    edit(&disconnect) {
      fill(&$0.replace, true)
      fill(&$0.reconcile, "best_score")
    }
    let group = self
    for index in tasks.indices { tasks[index].canonicalize(in: job, group) }
    for index in services.indices { services[index].canonicalize(job: job, group: group, task: nil) }
  }

  private mutating func canonicalizeStrategies(in job: Job, _ type: JobType) {
    if var merged = job.update {
      if let own = update { merged.merge(own) }
      update = merged
    }
    edit(&update) { $0.canonicalize() }

    var reschedule = ReschedulePolicy.standard(for: type)
    if let policy = job.reschedule { reschedule = merged(reschedule, policy) }
    if let policy = reschedulePolicy { reschedule = merged(reschedule, policy) }
    reschedulePolicy = reschedule

    if type == .service {
      var strategy = job.migrate ?? MigrateStrategy()
      if let own = migrate { strategy.merge(own) }
      migrate = strategy
    }
    edit(&migrate) { $0.canonicalize() }

    var restart = RestartPolicy.standard(for: type)
    if let own = restartPolicy { restart.merge(own) }
    restartPolicy = restart
  }

  private func merged(_ base: ReschedulePolicy?, _ policy: ReschedulePolicy) -> ReschedulePolicy {
    var result = base ?? ReschedulePolicy()
    result.merge(policy)
    return result
  }
}

extension ScalingPolicy {
  /// `count` is how many instances the group asks for: the default of the lower bound.
  mutating func canonicalize(count: Int?) {
    fill(&enabled, true)
    fill(&type, "horizontal")
    if let count { fill(&min, Int64(count)) }
  }
}

extension Consul {
  mutating func canonicalize() {
    fill(&cluster, "default")
  }
}
