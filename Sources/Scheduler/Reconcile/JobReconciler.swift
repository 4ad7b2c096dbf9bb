import Codec
import Model
import State

/// Compares what runs of a service or batch job with what should, group by group, and decides about its deployments.
struct JobReconciler {
  /// The job's current version; nil when it was purged.
  let job: Job?
  let allocations: [Shared<StoredAllocation>]
  let latestDeployment: Deployment?
  let now: Timestamp
  let evaluationPriority: Int
  let nodeCondition: (Identifier) -> GroupReconciler.NodeCondition
  let stillSuits: (TaskGroup, Identifier) -> Bool
  let score: (TaskGroup, Identifier) -> Double

  struct Decision {
    var groups: [GroupDecision] = []
    /// The rollout that placements belong to; active.
    var deployment: Deployment?
    /// Whether `deployment` is begun by this evaluation.
    var beginsDeployment = false
    var deploymentChanges: [DeploymentStatusChange] = []
    var desiredTotals: [String: Int] = [:]
  }

  func decide(random: inout RandomBits) -> Decision {
    var decision = Decision()
    guard let job, job.stop != true else {
      stopEverything(into: &decision)
      return decision
    }
    var byGroup: [String: [Shared<StoredAllocation>]] = [:]
    for allocation in allocations { byGroup[allocation.value.groupName, default: []].append(allocation) }

    let isForThisVersion =
      latestDeployment.map { $0.jobVersion == job.version && $0.jobCreateIndex == job.createIndex } ?? false
    let current = isForThisVersion ? latestDeployment : nil
    let superseded = isForThisVersion ? nil : latestDeployment
    if let superseded, superseded.isActive {
      decision.deploymentChanges.append(
        Self.change(superseded, .cancelled, "Cancelled due to newer version of job"))
    }

    for (index, group) in job.taskGroups.enumerated() {
      let reconciler = GroupReconciler(
        job: job, group: group, groupIndex: index, now: now, deployment: current, supersededDeployment: superseded,
        nodeCondition: nodeCondition, stillSuits: stillSuits, score: score)
      decision.groups.append(reconciler.decide(byGroup.removeValue(forKey: group.name) ?? []))
    }
    for name in byGroup.keys.sorted() {
      stop(byGroup[name] ?? [], group: name, reason: .groupRemoved, into: &decision)
    }
    decideDeployment(job, current: current, into: &decision, random: &random)
    for index in decision.groups.indices { decision.groups[index].countStops() }
    return decision
  }

  // MARK: The end of a job

  private func stopEverything(into decision: inout Decision) {
    var byGroup: [String: [Shared<StoredAllocation>]] = [:]
    for allocation in allocations { byGroup[allocation.value.groupName, default: []].append(allocation) }
    for name in byGroup.keys.sorted() { stop(byGroup[name] ?? [], group: name, reason: .jobStopped, into: &decision) }
    if let latestDeployment, latestDeployment.isActive {
      decision.deploymentChanges.append(
        Self.change(latestDeployment, .cancelled, "Cancelled because job is stopped"))
    }
    for index in decision.groups.indices { decision.groups[index].countStops() }
  }

  private func stop(
    _ allocations: [Shared<StoredAllocation>], group: String, reason: StopReason, into decision: inout Decision
  ) {
    var ending = GroupDecision(name: group, groupIndex: nil)
    for allocation in allocations where !allocation.value.isTerminal {
      switch nodeCondition(allocation.value.nodeID) {
      case .down: ending.stops.append((allocation, .nodeLost))
      case .gone: ending.stops.append((allocation, .nodeGone))
      case .available: ending.stops.append((allocation, reason))
      }
    }
    decision.groups.append(ending)
  }

  // MARK: Deployments

  private func decideDeployment(
    _ job: Job, current: Deployment?, into decision: inout Decision, random: inout RandomBits
  ) {
    if let current {
      guard current.isActive else { return }
      decision.deployment = current
      for group in job.taskGroups {
        if let state = current.taskGroups[group.name], state.desiredTotal != max(group.count ?? 1, 0) {
          decision.desiredTotals[group.name] = max(group.count ?? 1, 0)
        }
      }
      if isComplete(current, job: job, decision: decision) {
        decision.deploymentChanges.append(
          Self.change(current, .successful, "Deployment completed successfully"))
      }
      return
    }
    let isFirstOfVersion = !allocations.contains {
      $0.value.job.value.version == job.version && $0.value.job.value.createIndex == job.createIndex
    }
    let hasUpdates = decision.groups.contains {
      !$0.inPlace.isEmpty || !$0.destructive.isEmpty || $0.waiting > 0 || $0.updates.canary > 0
    }
    let hasPlacements = decision.groups.contains { !$0.placements.isEmpty }
    guard hasUpdates || (isFirstOfVersion && hasPlacements) else { return }
    var deployment = Deployment()
    for group in job.taskGroups {
      guard job.type == .service, let strategy = group.update ?? job.update, (strategy.maxParallel ?? 1) > 0,
        max(group.count ?? 1, 0) > 0
      else { continue }
      deployment.taskGroups[group.name] = state(of: group, strategy: strategy, decision: decision)
    }
    guard !deployment.taskGroups.isEmpty else { return }
    let needsPromotion = deployment.taskGroups.values.contains { $0.desiredCanaries > 0 && !$0.autoPromote }
    let promotesItself = deployment.taskGroups.values.contains { $0.desiredCanaries > 0 && $0.autoPromote }
    deployment.id = Identifier(using: &random)
    deployment.namespace = job.namespace ?? "default"
    deployment.jobID = job.id
    deployment.jobVersion = job.version ?? 0
    deployment.jobModifyIndex = job.modifyIndex ?? 0
    deployment.jobSpecModifyIndex = job.jobModifyIndex ?? 0
    deployment.jobCreateIndex = job.createIndex ?? 0
    deployment.status = .running
    deployment.statusDescription =
      needsPromotion
      ? "Deployment is running but requires manual promotion"
      : promotesItself ? "Deployment is running pending automatic promotion" : "Deployment is running"
    deployment.evalPriority = evaluationPriority
    decision.deployment = deployment
    decision.beginsDeployment = true
  }

  private func state(of group: TaskGroup, strategy: UpdateStrategy, decision: Decision) -> DeploymentState {
    var state = DeploymentState()
    state.autoRevert = strategy.autoRevert ?? false
    state.autoPromote = strategy.autoPromote ?? false
    state.progressDeadline = strategy.progressDeadline ?? .minutes(10)
    if state.progressDeadline > .zero { state.requireProgressBy = now + state.progressDeadline }
    state.desiredTotal = max(group.count ?? 1, 0)
    if let groupDecision = decision.groups.first(where: { $0.name == group.name }), groupDecision.updates.canary > 0 {
      state.desiredCanaries = strategy.canary ?? 0
    }
    return state
  }

  /// Everything placed, proven, and nothing left to replace.
  private func isComplete(_ deployment: Deployment, job: Job, decision: Decision) -> Bool {
    guard deployment.status == .running else { return false }
    for (name, state) in deployment.taskGroups {
      guard let group = decision.groups.first(where: { $0.name == name }), group.groupIndex != nil else { continue }
      if group.advancesVersion { return false }
      if state.desiredCanaries > 0 && !state.promoted { return false }
      if state.healthyAllocs < decision.desiredTotals[name] ?? state.desiredTotal { return false }
    }
    return true
  }

  private static func change(
    _ deployment: Deployment, _ status: DeploymentStatus, _ description: String
  ) -> DeploymentStatusChange {
    var change = DeploymentStatusChange()
    change.deployment = deployment.id
    change.status = status
    change.description = description
    return change
  }
}

extension GroupDecision {
  /// Fills in how many allocations are stopped without being replaced one for one.
  mutating func countStops() {
    var count = 0
    for stop in stops {
      switch stop.reason {
      case .migrating, .rescheduled: continue
      default: count += 1
      }
    }
    updates.stop = UInt64(count)
  }
}
