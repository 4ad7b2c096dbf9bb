import Codec
import Model

extension State {
  /// An allocation that is not there any more was collected while its client still spoke of it: passed over.
  mutating func apply(_ payload: AllocationClientUpdates, _ changes: inout Changes) {
    for update in payload.updates {
      guard let old = reader.allocations[update.id] else { continue }
      // What has ended or is given up holds nothing, and its room may be others' by now: a word that it runs is late, or of
      // a client that was not heard of. That client is told to end it, and lets nothing begin in its place before.
      if old.value.isClientTerminal, ![.complete, .failed].contains(update.clientStatus) { continue }
      var allocation = old.value
      if old.value.clientStatus == .unknown, update.clientStatus != .unknown {
        note(update.clientStatus, in: &allocation)
      }
      allocation.clientStatus = update.clientStatus
      allocation.clientDescription = update.clientDescription
      if !update.taskStates.isEmpty { allocation.taskStates = update.taskStates }
      if update.networkStatus != nil || !update.allocStates.isEmpty {
        allocation.changeRare { rare in
          if let status = update.networkStatus { rare.networkStatus = status }
          if !update.allocStates.isEmpty { rare.allocStates = update.allocStates }
        }
      }
      let health = (old.value.deploymentStatus?.healthy, update.deploymentStatus?.healthy)
      if let healthy = health.1, health.0 != healthy {
        setHealth(healthy, at: update.deploymentStatus?.timestamp ?? reader.time, of: &allocation)
        countHealth(of: allocation, from: health.0, to: healthy, &changes)
      }
      put(allocation, replacing: old, &changes)
    }
    put(payload.evaluations, &changes)
  }

  mutating func apply(_ payload: AllocationTransitions, _ changes: inout Changes) throws(StateError) {
    for id in payload.allocations where reader.allocations[id] == nil { throw .noSuchAllocation(id) }
    for id in payload.allocations {
      guard let old = reader.allocations[id] else { continue }
      var allocation = old.value
      let asked = payload.transition
      allocation.desiredTransition.migrate = asked.migrate ?? allocation.desiredTransition.migrate
      allocation.desiredTransition.reschedule = asked.reschedule ?? allocation.desiredTransition.reschedule
      allocation.desiredTransition.forceReschedule =
        asked.forceReschedule ?? allocation.desiredTransition.forceReschedule
      allocation.desiredTransition.noShutdownDelay =
        asked.noShutdownDelay ?? allocation.desiredTransition.noShutdownDelay
      allocation.allocModifyIndex = reader.index
      put(allocation, replacing: old, &changes)
    }
    put(payload.evaluations, &changes)
  }

  /// Remembers when an allocation became unknown, and when it was heard of again.
  func note(_ status: AllocationClientStatus, in allocation: inout StoredAllocation) {
    var state = AllocState()
    state.field = AllocState.clientStatusField
    state.value = status.rawValue
    state.time = reader.time
    allocation.changeRare { rare in
      rare.allocStates.append(state)
      if rare.allocStates.count > Self.keptAllocationStates { rare.allocStates.removeFirst() }
    }
  }

  func setHealth(_ healthy: Bool, at time: Timestamp, of allocation: inout StoredAllocation) {
    var status = allocation.deploymentStatus ?? AllocDeploymentStatus()
    status.healthy = healthy
    status.timestamp = time.isZero ? reader.time : time
    status.modifyIndex = reader.index
    allocation.deploymentStatus = status
  }

  /// Moves an allocation between the counts of its deployment. One that became healthy is progress.
  mutating func countHealth(
    of allocation: StoredAllocation, from old: Bool?, to new: Bool, _ changes: inout Changes
  ) {
    guard var deployment = reader.deployments[allocation.deploymentID]?.value else { return }
    var state = deployment.taskGroups[allocation.groupName] ?? DeploymentState()
    if old == true { state.healthyAllocs -= 1 }
    if old == false { state.unhealthyAllocs -= 1 }
    if new { state.healthyAllocs += 1 } else { state.unhealthyAllocs += 1 }
    if new, !state.progressDeadline.isZero {
      let deadline = (allocation.deploymentStatus?.timestamp ?? reader.time) + state.progressDeadline
      if state.requireProgressBy < deadline { state.requireProgressBy = deadline }
    }
    deployment.taskGroups[allocation.groupName] = state
    put(deployment, &changes)
  }
}
