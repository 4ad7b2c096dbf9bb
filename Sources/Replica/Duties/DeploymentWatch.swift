internal import Codec
public import Model
internal import Scheduler
public import State

/// Moves deployments on: the next step when one became healthy, the end when all are, or when time is up.
public struct DeploymentWatch: Sendable {
  private var active: [Identifier: Deployment] = [:]
  private var changed: [Identifier] = []

  mutating func begin(_ state: StateReader) {
    self = DeploymentWatch()
    for (_, deployment) in state.deployments { note(deployment.value) }
  }

  mutating func note(_ deployment: Deployment) {
    guard deployment.isActive else { return forget(deployment.id) }
    active[deployment.id] = deployment
    if !changed.contains(deployment.id) { changed.append(deployment.id) }
  }

  mutating func forget(_ id: Identifier) {
    active[id] = nil
    changed.removeAll { $0 == id }
  }

  /// When the next deployment runs out of time.
  var nextDeadline: Timestamp? {
    active.values.filter { $0.status == .running }.flatMap { $0.taskGroups.values }
      .filter { !$0.requireProgressBy.isZero && $0.healthyAllocs < $0.desiredTotal }.map(\.requireProgressBy).min()
  }

  /// The next entry that a deployment needs; nil when none does.
  mutating func next(_ state: StateReader, now: Timestamp, random: inout RandomBits) -> LogEntry? {
    while let id = changed.first {
      changed.removeFirst()
      guard let deployment = active[id], deployment.status == .running else { continue }
      if let entry = step(deployment, state, random: &random) { return entry }
    }
    let late = active.values.filter { deployment in
      deployment.status == .running
        && deployment.taskGroups.values.contains {
          !$0.requireProgressBy.isZero && $0.healthyAllocs < $0.desiredTotal && $0.requireProgressBy <= now
        }
    }
    guard let deployment = late.min(by: { $0.id < $1.id }) else { return nil }
    return failed(deployment, state, "Failed due to progress deadline", random: &random)
  }

  private func step(_ deployment: Deployment, _ state: StateReader, random: inout RandomBits) -> LogEntry? {
    let groups = deployment.taskGroups.values
    if groups.contains(where: { $0.unhealthyAllocs > 0 }) {
      return failed(deployment, state, "Failed due to unhealthy allocations", random: &random)
    }
    let needsPromotion = groups.contains { $0.desiredCanaries > 0 && !$0.promoted }
    let isDone = groups.allSatisfy { $0.healthyAllocs >= $0.desiredTotal } && !needsPromotion
    if isDone {
      var update = DeploymentStatusUpdates()
      update.updates = [Self.change(deployment, .successful, "Deployment completed successfully")]
      update.evaluations = Self.evaluations(deployment, state, &random)
      return .deploymentStatusUpdates(update)
    }
    let canariesReady = groups.contains { group in
      group.desiredCanaries > 0 && !group.promoted && group.autoPromote
    }
    if canariesReady,
      groups.allSatisfy({ $0.desiredCanaries == 0 || $0.promoted || $0.healthyAllocs >= $0.desiredCanaries })
    {
      var promotion = DeploymentPromotion()
      promotion.deployment = deployment.id
      promotion.evaluations = Self.evaluations(deployment, state, &random)
      return .deploymentPromotion(promotion)
    }
    // Something became healthy and more is to be placed: the next step of the rolling update.
    guard
      groups.contains(where: {
        $0.healthyAllocs > 0 && $0.healthyAllocs == $0.placedAllocs && $0.placedAllocs < $0.desiredTotal
      })
    else { return nil }
    var update = EvaluationUpdate()
    update.evaluations = Self.evaluations(deployment, state, &random)
    return update.evaluations.isEmpty ? nil : .evaluationUpdate(update)
  }

  private func failed(
    _ deployment: Deployment, _ state: StateReader, _ reason: String, random: inout RandomBits
  ) -> LogEntry {
    .deploymentStatusUpdates(Self.failure(of: deployment, state, reason, random: &random).update)
  }

  /// Ends a deployment as failed. Where a group asks for it, the job goes back to its last stable version.
  /// - Returns: the entry's payload, and the version that the job goes back to.
  public static func failure<G: RandomNumberGenerator>(
    of deployment: Deployment, _ state: StateReader, _ reason: String, random: inout G
  ) -> (update: DeploymentStatusUpdates, revertsTo: UInt64?) {
    var update = DeploymentStatusUpdates()
    var description = reason
    var version: UInt64?
    let key = JobKey(deployment.namespace, deployment.jobID)
    if deployment.taskGroups.values.contains(where: \.autoRevert) {
      let stable = state.job(key)?.versions.first {
        $0.stable && ($0.spec.value.version ?? 0) != deployment.jobVersion
      }
      if let stable, (state.job(key)?.spec.value.version ?? 0) == deployment.jobVersion {
        var registration = JobRegistration()
        registration.job = stable.spec.value
        registration.job.stop = false
        registration.submission = stable.submission?.value
        update.revertedJob = registration
        version = stable.spec.value.version ?? 0
        description += " - rolling back to job version \(version ?? 0)"
      } else {
        description += " - no stable job version to auto revert to"
      }
    }
    update.updates = [change(deployment, .failed, description)]
    update.evaluations = evaluations(deployment, state, &random)
    return (update, version)
  }

  private static func change(_ deployment: Deployment, _ status: DeploymentStatus, _ description: String)
    -> DeploymentStatusChange
  {
    var change = DeploymentStatusChange()
    change.deployment = deployment.id
    change.status = status
    change.description = description
    return change
  }

  private static func evaluations<G: RandomNumberGenerator>(
    _ deployment: Deployment, _ state: StateReader, _ random: inout G
  ) -> [Evaluation] {
    guard let job = state.job(JobKey(deployment.namespace, deployment.jobID)) else { return [] }
    var evaluation = Evaluation(of: job.spec.value, because: .deploymentWatcher, random: &random)
    evaluation.deploymentID = deployment.id
    return [evaluation]
  }
}
