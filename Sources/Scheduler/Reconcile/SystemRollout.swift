import Codec
import Model
import State

/// How one group of a system job goes over to a new version: as many nodes at a time as its `update` block allows, each
/// only after those before have proven healthy and `stagger` has passed, first on the nodes of its canaries.
///
/// Source: "update Block" of Nomad's public jobspec documentation. Of a system job `canary` is a percentage of the nodes
/// that the group runs on.
struct SystemRollout {
  let strategy: UpdateStrategy
  /// The group's part of the version's deployment; nil where that has not begun.
  let state: DeploymentState?
  let deployment: Deployment?

  /// - Returns: nil where everything is replaced at once.
  init?(_ job: Job, _ group: TaskGroup, _ deployment: Deployment?) {
    guard job.type == .system, let strategy = group.update ?? job.update, (strategy.maxParallel ?? 1) > 0 else {
      return nil
    }
    self.strategy = strategy
    self.deployment = deployment
    state = deployment?.taskGroups[group.name]
  }

  /// What one look at all nodes has found.
  struct Outcome {
    /// How many the group runs on when all is done.
    var nodes = 0
    /// How many run another version that has to be replaced.
    var outdated = 0
    /// On how many the version proves itself first.
    var canaries = 0
  }

  /// Paused by hand, or failed: the version has to be let go on, or be another one, before anything more gets it.
  var isHalted: Bool { deployment?.status == .paused || deployment?.status == .failed }

  struct Step: Equatable {
    /// How many nodes go over to the new version now.
    var replacements: Int
    /// Whether those are canaries.
    var areCanaries = false
    /// How many canaries the version has to prove itself on in all; 0 for none.
    var canaries = 0
    /// When the next step may be taken where that is only a matter of time.
    var due: Timestamp?
  }

  /// Within a deployment the watcher of its health asks for the next step; without one (it has ended, or has been
  /// collected) time alone does.
  /// - Parameters:
  ///   - outdated: how many nodes run another version that has to be replaced.
  ///   - nodes: how many nodes the group runs on, or is to.
  ///   - current: the group's allocations of the deployment.
  func step(outdated: Int, nodes: Int, current: [StoredAllocation], isDeployed: Bool, now: Timestamp) -> Step {
    let isPromoted = state?.promoted ?? false
    var step = Step(replacements: 0)
    let percentage = max(strategy.canary ?? 0, 0)
    if !isDeployed {
      step.replacements = isHalted ? 0 : min(strategy.maxParallel ?? 1, outdated)
      if outdated > step.replacements, !isHalted { step.due = now + (strategy.stagger ?? .seconds(30)) }
      return step
    }
    if percentage > 0, !isPromoted, outdated > 0 || (state?.desiredCanaries ?? 0) > 0 {
      // Decided when the deployment begins: nodes that join later do not move it.
      let asked = state.map { max($0.desiredCanaries, 0) } ?? 0
      step.canaries = asked > 0 ? asked : min(max((nodes * percentage + 99) / 100, 1), max(outdated, 1))
    }
    if outdated == 0 || isHalted { return step }
    if current.contains(where: { $0.deploymentStatus?.healthy == false }) { return step }
    let unproven = current.count { !$0.isTerminal && $0.deploymentStatus?.healthy == nil }
    var limit = max((strategy.maxParallel ?? 1) - unproven, 0)
    if step.canaries > 0 {
      let placed = current.count { !$0.isTerminal && $0.deploymentStatus?.canary == true }
      limit = min(limit, max(step.canaries - placed, 0))
      step.areCanaries = true
    }
    if limit == 0 { return step }
    let last = current.filter { !$0.previousAllocation.isNone }.map(\.createTime).max()
    if let last, let stagger = strategy.stagger, last + stagger > now {
      step.due = last + stagger
      return step
    }
    step.replacements = min(limit, outdated)
    return step
  }
}

extension SchedulingRun {
  /// The deployment of a system job's current version: the one that goes on, or a new one where something is to be proven.
  mutating func systemDeployment(
    _ job: Shared<Job>, _ allocations: [Shared<StoredAllocation>], random: inout RandomBits
  ) -> (known: Deployment?, new: Deployment?) {
    let latest = state.latestDeployment(ofJob: key)?.value
    let isOfThisVersion =
      latest.map { $0.jobVersion == job.value.version && $0.jobCreateIndex == job.value.createIndex } ?? false
    if let latest, latest.isActive, !isOfThisVersion {
      var change = DeploymentStatusChange()
      change.deployment = latest.id
      change.status = .cancelled
      change.description = "Cancelled due to newer version of job"
      plan.deploymentUpdates.append(change)
    }
    if isOfThisVersion { return (latest, nil) }
    let isFirstOfVersion = !allocations.contains {
      $0.value.job.value.version == job.value.version && $0.value.job.value.createIndex == job.value.createIndex
    }
    guard isFirstOfVersion else { return (nil, nil) }
    var deployment = Deployment()
    for group in job.value.taskGroups {
      guard let rollout = SystemRollout(job.value, group, nil) else { continue }
      var state = DeploymentState()
      state.autoRevert = rollout.strategy.autoRevert ?? false
      state.autoPromote = rollout.strategy.autoPromote ?? false
      state.progressDeadline = rollout.strategy.progressDeadline ?? .minutes(10)
      if state.progressDeadline > .zero { state.requireProgressBy = now + state.progressDeadline }
      deployment.taskGroups[group.name] = state
    }
    guard !deployment.taskGroups.isEmpty else { return (nil, nil) }
    deployment.id = Identifier(using: &random)
    deployment.namespace = key.namespace
    deployment.jobID = key.id
    deployment.jobVersion = job.value.version ?? 0
    deployment.jobModifyIndex = job.value.modifyIndex ?? 0
    deployment.jobSpecModifyIndex = job.value.jobModifyIndex ?? 0
    deployment.jobCreateIndex = job.value.createIndex ?? 0
    deployment.status = .running
    deployment.evalPriority = evaluation.priority
    return (nil, deployment)
  }

  /// Enters what the groups' passes have found into the deployment.
  mutating func finish(_ known: Deployment?, _ new: Deployment?, _ rollouts: [String: SystemRollout.Outcome]) {
    if var new {
      // Where nothing is placed or updated there is nothing to prove.
      let deployed = Set(new.taskGroups.keys)
      let updates = deployed.compactMap { annotations.desiredTGUpdates[$0] }
      guard updates.contains(where: { $0.place + $0.destructiveUpdate + $0.inPlaceUpdate + $0.canary > 0 }) else {
        return
      }
      for (name, rollout) in rollouts {
        new.taskGroups[name]?.desiredTotal = rollout.nodes
        new.taskGroups[name]?.desiredCanaries = rollout.canaries
      }
      let needsPromotion = new.taskGroups.values.contains { $0.desiredCanaries > 0 && !$0.autoPromote }
      let promotesItself = new.taskGroups.values.contains { $0.desiredCanaries > 0 && $0.autoPromote }
      new.statusDescription =
        needsPromotion
        ? "Deployment is running but requires manual promotion"
        : promotesItself ? "Deployment is running pending automatic promotion" : "Deployment is running"
      plan.deployment = new
      plan.deploymentID = new.id
      return
    }
    guard let known, known.isActive else { return }
    plan.deploymentID = known.id
    for (name, rollout) in rollouts {
      if let state = known.taskGroups[name], state.desiredTotal != rollout.nodes {
        plan.desiredTotals[name] = rollout.nodes
      }
    }
    let isProven = known.taskGroups.allSatisfy { name, state in
      guard let rollout = rollouts[name] else { return true }
      return rollout.outdated == 0 && state.healthyAllocs >= rollout.nodes
        && (state.desiredCanaries == 0 || state.promoted)
    }
    guard known.status == .running, isProven, failed.isEmpty else { return }
    var change = DeploymentStatusChange()
    change.deployment = known.id
    change.status = .successful
    change.description = "Deployment completed successfully"
    plan.deploymentUpdates.append(change)
  }
}
