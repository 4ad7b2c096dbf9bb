internal import Codec
internal import Model
internal import State

/// Finds what nobody asks for any more: ended evaluations with their allocations, dead jobs, old deployments, nodes that
/// are gone.
struct GarbageCollection {
  private let configuration: DutyConfiguration
  private(set) var nextDeadline: Timestamp?
  private var isForced = false

  init(_ configuration: DutyConfiguration) { self.configuration = configuration }

  mutating func begin(now: Timestamp) { nextDeadline = now + configuration.gcInterval }

  /// The next round takes everything, whatever its age.
  mutating func force() { isForced = true }

  /// The entry of a round that is due; nil when none is, or when there is nothing to remove.
  mutating func next(_ state: StateReader, now: Timestamp) -> Reaping? {
    guard isForced || (nextDeadline.map { $0 <= now } ?? false) else { return nil }
    let force = isForced
    isForced = false
    nextDeadline = now + configuration.gcInterval
    var reaping = Reaping()
    collectEvaluations(state, now, force, &reaping)
    collectDeployments(state, now, force, &reaping)
    collectJobs(state, now, force, &reaping)
    collectNodes(state, now, force, &reaping)
    let isEmpty =
      reaping.evaluations.isEmpty && reaping.allocations.isEmpty && reaping.deployments.isEmpty && reaping.jobs.isEmpty
      && reaping.nodes.isEmpty
    return isEmpty ? nil : reaping
  }

  /// An evaluation goes when it has ended and all its allocations have, and nothing may be rescheduled from them.
  private func collectEvaluations(_ state: StateReader, _ now: Timestamp, _ force: Bool, _ reaping: inout Reaping) {
    for (id, record) in state.evaluations {
      let evaluation = record.value
      guard !evaluation.isOpen else { continue }
      let isBatch = evaluation.type == JobType.batch.rawValue || evaluation.type == JobType.sysbatch.rawValue
      let threshold = isBatch ? configuration.batchEvalGCThreshold : configuration.evalGCThreshold
      guard force || evaluation.modifyTime + threshold.count <= now.nanoseconds else { continue }
      let job = state.job(JobKey(evaluation.namespace, evaluation.jobID))
      // A batch job that still exists needs its finished allocations: they say that the work is done.
      if isBatch, let job, !job.isStopped { continue }
      let allocations = state.allocations(ofEvaluation: id)
      guard allocations.allSatisfy({ canGo($0.value, state) }) else { continue }
      reaping.evaluations.append(id)
      reaping.allocations += allocations.map(\.value.id)
    }
  }

  private func canGo(_ allocation: StoredAllocation, _ state: StateReader) -> Bool {
    guard allocation.isClientTerminal else { return false }
    guard let job = state.job(allocation.jobKey), !job.isStopped else { return true }
    // A failed one that has no replacement yet may still be rescheduled.
    if allocation.clientStatus == .failed, allocation.nextAllocation.isNone, allocation.desiredStatus == .run {
      return !allocation.followupEvalID.isNone ? false : allocation.isServerTerminal
    }
    return true
  }

  private func collectDeployments(_ state: StateReader, _ now: Timestamp, _ force: Bool, _ reaping: inout Reaping) {
    for (id, record) in state.deployments {
      let deployment = record.value
      guard !deployment.isActive else { continue }
      guard force || deployment.modifyTime + configuration.deploymentGCThreshold.count <= now.nanoseconds else {
        continue
      }
      let latest = state.latestDeployment(ofJob: JobKey(deployment.namespace, deployment.jobID))
      if latest?.value.id == id, state.job(JobKey(deployment.namespace, deployment.jobID))?.isStopped == false {
        continue
      }
      if state.allocations(ofDeployment: id).contains(where: { !$0.value.isTerminal }) { continue }
      reaping.deployments.append(id)
    }
  }

  private func collectJobs(_ state: StateReader, _ now: Timestamp, _ force: Bool, _ reaping: inout Reaping) {
    let goingEvaluations = Set(reaping.evaluations)
    let goingAllocations = Set(reaping.allocations)
    for (key, job) in state.jobs {
      guard job.status == .dead, job.isStopped || job.spec.value.type == .batch else { continue }
      if job.versions.contains(where: { $0.tag != nil }) { continue }
      let age = now.nanoseconds - (job.spec.value.submitTime ?? 0)
      guard force || age >= configuration.jobGCThreshold.count else { continue }
      let evaluations = state.evaluations(ofJob: key)
      let allocations = state.allocations(ofJob: key)
      if job.isStopped {
        guard evaluations.allSatisfy({ goingEvaluations.contains($0.value.id) }),
          allocations.allSatisfy({ goingAllocations.contains($0.value.id) })
        else { continue }
      } else {
        // A finished batch job goes as a whole: job, evaluations and allocations.
        guard evaluations.allSatisfy({ !$0.value.isOpen }), allocations.allSatisfy({ $0.value.isClientTerminal }) else {
          continue
        }
        reaping.evaluations += evaluations.map(\.value.id)
        reaping.allocations += allocations.map(\.value.id)
      }
      var name = JobName()
      name.namespace = key.namespace
      name.id = key.id
      reaping.jobs.append(name)
    }
  }

  private func collectNodes(_ state: StateReader, _ now: Timestamp, _ force: Bool, _ reaping: inout Reaping) {
    for (id, record) in state.nodes where record.value.status == .down {
      let age = now.nanoseconds - record.value.statusUpdatedAt * 1_000_000_000
      guard force || age >= configuration.nodeGCThreshold.count else { continue }
      if state.allocations(onNode: id).contains(where: { !$0.value.isClientTerminal }) { continue }
      reaping.nodes.append(id)
    }
  }
}
