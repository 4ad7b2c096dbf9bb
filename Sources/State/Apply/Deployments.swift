import Codec
public import Model

extension State {
  mutating func apply(_ payload: DeploymentStatusUpdates, _ changes: inout Changes) throws(StateError) {
    for update in payload.updates where reader.deployments[update.deployment] == nil {
      throw .noSuchDeployment(update.deployment)
    }
    if let job = payload.revertedJob { try check(job) }
    for update in payload.updates { setStatus(update, &changes) }
    if let job = payload.revertedJob { register(job.job, submission: job.submission, &changes) }
    put(payload.evaluations, &changes)
  }

  mutating func setStatus(_ update: DeploymentStatusChange, _ changes: inout Changes) {
    guard var deployment = reader.deployments[update.deployment]?.value else { return }
    deployment.status = update.status
    deployment.statusDescription = update.description
    put(deployment, &changes)
    if update.status == .successful {
      setStable(JobKey(deployment.namespace, deployment.jobID), deployment.jobVersion, true, &changes)
    }
  }

  mutating func apply(_ payload: DeploymentPromotion, _ changes: inout Changes) throws(StateError) {
    guard var deployment = reader.deployments[payload.deployment]?.value else {
      throw .noSuchDeployment(payload.deployment)
    }
    guard deployment.isActive else { throw .deploymentEnded(payload.deployment) }
    let asked = payload.groups.isEmpty ? deployment.taskGroups.keys.sorted() : payload.groups.sorted()
    let groups = asked.filter { name in
      guard let state = deployment.taskGroups[name] else { return false }
      return state.desiredCanaries > 0 && !state.promoted
    }
    guard !groups.isEmpty else { throw .nothingToPromote(payload.deployment) }
    for name in groups {
      guard let state = deployment.taskGroups[name] else { continue }
      let healthy = state.placedCanaries.filter { id in
        guard let canary = reader.allocations[id]?.value else { return false }
        return !canary.isTerminal && canary.deploymentStatus?.healthy == true
      }.count
      guard healthy >= state.desiredCanaries else {
        throw .canariesNotHealthy(group: name, healthy: healthy, desired: state.desiredCanaries)
      }
    }
    for name in groups {
      for id in deployment.taskGroups[name]?.placedCanaries ?? [] {
        guard let old = reader.allocations[id], old.value.deploymentStatus?.canary == true else { continue }
        var allocation = old.value
        allocation.deploymentStatus?.canary = false
        allocation.deploymentStatus?.modifyIndex = reader.index
        allocation.allocModifyIndex = reader.index
        put(allocation, replacing: old, &changes)
      }
      deployment.taskGroups[name]?.promoted = true
    }
    put(deployment, &changes)
    put(payload.evaluations, &changes)
  }

  mutating func apply(_ payload: DeploymentHealth, _ changes: inout Changes) throws(StateError) {
    guard let deployment = reader.deployments[payload.deployment] else { throw .noSuchDeployment(payload.deployment) }
    guard deployment.value.isActive else { throw .deploymentEnded(payload.deployment) }
    for id in payload.healthy + payload.unhealthy {
      guard let allocation = reader.allocations[id], allocation.value.deploymentID == payload.deployment else {
        throw .noSuchAllocation(id)
      }
    }
    if let job = payload.revertedJob { try check(job) }
    for (ids, healthy) in [(payload.healthy, true), (payload.unhealthy, false)] {
      for id in ids {
        guard let old = reader.allocations[id] else { continue }
        let before = old.value.deploymentStatus?.healthy
        guard before != healthy else { continue }
        var allocation = old.value
        setHealth(healthy, at: reader.time, of: &allocation)
        allocation.allocModifyIndex = reader.index
        countHealth(of: allocation, from: before, to: healthy, &changes)
        put(allocation, replacing: old, &changes)
      }
    }
    if var update = payload.update {
      update.deployment = payload.deployment
      setStatus(update, &changes)
    }
    if let job = payload.revertedJob { register(job.job, submission: job.submission, &changes) }
    put(payload.evaluations, &changes)
  }
}

extension Deployment {
  /// Whether it can still go on.
  public var isActive: Bool {
    switch status {
    case .running, .paused, .initializing, .pending, .blocked, .unblocking: true
    case .failed, .successful, .cancelled: false
    }
  }
}
