import Codec
import Model

extension State {
  mutating func apply(_ plan: PlanResult, _ changes: inout Changes) throws(StateError) {
    let key = JobKey(plan.namespace, plan.jobID)
    try check(plan, key)
    if let deployment = plan.deployment { put(deployment, &changes) }
    for update in plan.deploymentUpdates { setStatus(update, &changes) }
    var placed = DeploymentProgress()
    let metrics = plan.metrics.map { Shared($0) }
    // The plan's own version is what nearly every placement runs; its groups' demands are worked out once.
    let own = reader.jobs[key]?.version(plan.jobVersion)?.spec
    let demands = own?.value.taskGroups.map { Demand(of: $0) } ?? []
    var new = NewAllocations(plan, reader, columns)
    for placement in plan.placements {
      let other = placement.jobVersion.flatMap { $0 == plan.jobVersion ? nil : reader.jobs[key]?.version($0)?.spec }
      guard let spec = other ?? own else { continue }
      let isPlain = other == nil && placement.grants.isEmpty
      let demand =
        isPlain
        ? demands[placement.group] : Demand(of: spec.value.taskGroups[placement.group], grants: placement.grants)
      let metric = placement.metric.flatMap { metrics.indices.contains($0) ? metrics[$0] : nil }
      place(placement, of: plan, spec, demand, metric, &placed, &new, &changes)
    }
    index(new, of: plan, key, &changes)
    for change in plan.changes { apply(change, of: plan, own, demands, &placed, &changes) }
    finish(placed, of: plan, &changes)
    cancelBlocked(by: plan, key, &changes)
    put(plan.evaluations, &changes)
  }

  /// An evaluation that is complete has looked at the whole job: what waited for room before is out of date. Where
  /// something still has no place, the plan brings the one evaluation that waits from now on.
  private mutating func cancelBlocked(by plan: PlanResult, _ key: JobKey, _ changes: inout Changes) {
    guard let done = plan.evaluations.first(where: { $0.id == plan.evaluationID }), done.status == .complete,
      (reader.activity[key]?.openEvaluations ?? 0) > 0
    else { return }
    for record in reader.evaluations(ofJob: key) where record.value.status == .blocked {
      var evaluation = record.value
      guard !plan.evaluations.contains(where: { $0.id == evaluation.id }) else { continue }
      evaluation.status = .canceled
      evaluation.statusDescription = "evaluation \"\(done.id)\" has looked at the job since"
      // Those of the complete evaluation count.
      evaluation.queuedAllocations = [:]
      put(evaluation, &changes)
    }
  }

  private func check(_ plan: PlanResult, _ key: JobKey) throws(StateError) {
    let job = reader.jobs[key]
    var groups: [UInt64: Int] = [:]
    func groupCount(_ version: UInt64) throws(StateError) -> Int {
      if let known = groups[version] { return known }
      guard let job else { throw .noSuchJob(key) }
      guard let found = job.version(version) else { throw .noSuchJobVersion(key, version) }
      groups[version] = found.spec.value.taskGroups.count
      return found.spec.value.taskGroups.count
    }
    for node in plan.nodes where reader.nodes[node] == nil { throw .noSuchNode(node) }
    for placement in plan.placements {
      guard plan.nodes.indices.contains(placement.node) else {
        throw .malformed("placement \(placement.id) names node \(placement.node) of \(plan.nodes.count)")
      }
      let count = try groupCount(placement.jobVersion ?? plan.jobVersion)
      guard placement.group >= 0, placement.group < count, UInt32(exactly: placement.nameIndex) != nil else {
        throw .malformed("placement \(placement.id) names group \(placement.group) of \(count)")
      }
      guard !placement.id.isNone, reader.allocations[placement.id] == nil else {
        throw .duplicateAllocation(placement.id)
      }
    }
    let ids = plan.placements.map(\.id).sorted()
    for position in ids.indices.dropFirst() where ids[position] == ids[position - 1] {
      throw .duplicateAllocation(ids[position])
    }
    for change in plan.changes {
      guard let allocation = reader.allocations[change.id] else { throw .noSuchAllocation(change.id) }
      if change.updatesJob {
        _ = try groupCount(plan.jobVersion)
        guard allocation.value.jobKey == key,
          job?.version(plan.jobVersion)?.spec.value.taskGroups.contains(where: {
            $0.name == allocation.value.groupName
          }) == true
        else {
          throw .malformed("allocation \(change.id) is updated to a version of another job or without its group")
        }
      }
    }
    for update in plan.deploymentUpdates where reader.deployments[update.deployment] == nil {
      throw .noSuchDeployment(update.deployment)
    }
    if !plan.deploymentID.isNone, plan.deployment?.id != plan.deploymentID,
      reader.deployments[plan.deploymentID] == nil
    {
      throw .noSuchDeployment(plan.deploymentID)
    }
  }

  private mutating func place(
    _ placement: Placement, of plan: PlanResult, _ spec: Shared<Job>, _ demand: Demand,
    _ metric: Shared<PlacementMetric>?, _ placed: inout DeploymentProgress, _ new: inout NewAllocations,
    _ changes: inout Changes
  ) {
    let nodeID = plan.nodes[placement.node]
    var allocation = StoredAllocation(
      id: placement.id, job: spec, groupIndex: UInt16(placement.group), nameIndex: UInt32(placement.nameIndex),
      nodeID: nodeID, nodeName: new.nodes[placement.node].name, evalID: plan.evaluationID, demand: demand,
      ports: placement.ports)
    allocation.previousAllocation = placement.previous
    allocation.createIndex = reader.index
    allocation.allocModifyIndex = reader.index
    allocation.createTime = reader.time
    allocation.metric = metric
    allocation.oversubscribesMemory = reader.memoryOversubscription(inPool: spec.value.nodePool ?? "default")
    if placement.rescheduleTracker != nil || !placement.preempted.isEmpty || !placement.grants.isEmpty
      || !placement.startsAfter.isEmpty
    {
      allocation.changeRare { rare in
        rare.rescheduleTracker = placement.rescheduleTracker
        rare.preemptedAllocations = placement.preempted
        rare.grants = placement.grants
        rare.startsAfter = placement.startsAfter
      }
    }
    if !plan.deploymentID.isNone, !placement.outsideDeployment {
      allocation.deploymentID = plan.deploymentID
      if placement.canary {
        var status = AllocDeploymentStatus()
        status.canary = true
        status.modifyIndex = reader.index
        allocation.deploymentStatus = status
      }
      placed.add(allocation.groupName, canary: placement.canary ? placement.id : nil)
    }
    if !placement.previous.isNone, let previous = reader.allocations[placement.previous] {
      var replaced = previous.value
      replaced.nextAllocation = placement.id
      replaced.allocModifyIndex = reader.index
      put(replaced, replacing: previous, &changes)
    }
    allocation.modifyIndex = reader.index
    allocation.modifyTime = reader.time
    let record = Shared(allocation)
    reader.allocations.set(allocation.id, record)
    if let slot = new.nodes[placement.node].slot { columns.take(allocation, slot) }
    changes.records.append(.allocation(record))
    new.add(record, node: placement.node)
  }

  /// A plan's new allocations, indexed and counted together: they are of one job and one evaluation, and mostly on few
  /// nodes.
  private struct NewAllocations {
    /// The plan's nodes.
    let nodes: [(name: String, slot: Int?)]
    var records: [Shared<StoredAllocation>] = []
    var byNode: [[Identifier]]

    init(_ plan: PlanResult, _ reader: StateReader, _ columns: NodeColumns) {
      nodes = plan.nodes.map { (reader.nodes[$0]?.value.name ?? "", columns.slot(of: $0)) }
      byNode = Array(repeating: [], count: plan.nodes.count)
      records.reserveCapacity(plan.placements.count)
    }

    mutating func add(_ record: Shared<StoredAllocation>, node: Int) {
      records.append(record)
      byNode[node].append(record.value.id)
    }
  }

  private mutating func index(_ new: NewAllocations, of plan: PlanResult, _ key: JobKey, _ changes: inout Changes) {
    if new.records.isEmpty { return }
    let nothing = StateReader.Nothing()
    let ids = new.records.map(\.value.id).sorted()
    for (position, node) in plan.nodes.enumerated() where !new.byNode[position].isEmpty {
      reader.allocationsByNode.modify(node, initial: OrderedTable()) { set in
        set.insert(ascending: new.byNode[position].sorted(), value: nothing)
        return true
      }
    }
    reader.allocationsByJob.modify(key, initial: OrderedTable()) { set in
      set.insert(ascending: ids, value: nothing)
      return true
    }
    reader.allocationsByEvaluation.modify(plan.evaluationID, initial: OrderedTable()) { set in
      set.insert(ascending: ids, value: nothing)
      return true
    }
    let deployed = new.records.filter { !$0.value.deploymentID.isNone }.map(\.value.id).sorted()
    if !deployed.isEmpty {
      reader.allocationsByDeployment.modify(plan.deploymentID, initial: OrderedTable()) { set in
        set.insert(ascending: deployed, value: nothing)
        return true
      }
    }
    reader.activity.modify(key, initial: JobActivity()) { activity in
      for record in new.records { activity.count(record.value, 1) }
      return true
    }
    touchedJobs.append(key)
    changes.tables.formUnion([.allocations, .jobSummaries])
  }

  private mutating func apply(
    _ change: AllocationChange, of plan: PlanResult, _ spec: Shared<Job>?, _ demands: [Demand],
    _ placed: inout DeploymentProgress, _ changes: inout Changes
  ) {
    // Looked up here and not when checking: an earlier placement may have made it somebody's predecessor.
    guard let old = reader.allocations[change.id] else { return }
    var allocation = old.value
    if let status = change.desiredStatus { allocation.desiredStatus = status }
    if let description = change.desiredDescription { allocation.desiredDescription = description }
    if let status = change.clientStatus {
      if status == .unknown, allocation.clientStatus != .unknown { note(status, in: &allocation) }
      allocation.clientStatus = status
    }
    if let evaluation = change.followupEvalID { allocation.followupEvalID = evaluation }
    if let ports = change.ports { allocation.ports = ports }
    if let preemptedBy = change.preemptedBy {
      allocation.changeRare { $0.preemptedByAllocation = preemptedBy }
    }
    // An allocation of another job is here because it makes room; it stays with its own job's evaluation.
    if !plan.evaluationID.isNone, allocation.jobKey == JobKey(plan.namespace, plan.jobID) {
      allocation.evalID = plan.evaluationID
    }
    if change.updatesJob, let spec {
      let name = allocation.groupName
      if let group = spec.value.taskGroups.firstIndex(where: { $0.name == name }) {
        allocation.job = spec
        allocation.groupIndex = UInt16(group)
        let grants = allocation.grants
        allocation.demand = grants.isEmpty ? demands[group] : Demand(of: spec.value.taskGroups[group], grants: grants)
        if !plan.deploymentID.isNone, allocation.deploymentID != plan.deploymentID,
          reader.deployments[plan.deploymentID]?.value.taskGroups[name] != nil
        {
          allocation.deploymentID = plan.deploymentID
          allocation.deploymentStatus = nil
          placed.add(name, canary: nil)
        }
      }
    }
    allocation.allocModifyIndex = reader.index
    put(allocation, replacing: old, &changes)
  }

  /// What a plan adds to its deployment, by group in the order of their first placement.
  struct DeploymentProgress {
    var groups: [(name: String, placed: Int, canaries: [Identifier])] = []

    mutating func add(_ name: String, canary: Identifier?) {
      let at = groups.firstIndex { $0.name == name } ?? groups.count
      if at == groups.count { groups.append((name, 0, [])) }
      groups[at].placed += 1
      if let canary { groups[at].canaries.append(canary) }
    }
  }

  private mutating func finish(_ placed: DeploymentProgress, of plan: PlanResult, _ changes: inout Changes) {
    guard !plan.deploymentID.isNone, var deployment = reader.deployments[plan.deploymentID]?.value,
      !placed.groups.isEmpty || !plan.desiredTotals.isEmpty
    else { return }
    for group in placed.groups {
      var state = deployment.taskGroups[group.name] ?? DeploymentState()
      state.placedAllocs += group.placed
      state.placedCanaries += group.canaries
      if state.requireProgressBy.isZero, !state.progressDeadline.isZero {
        state.requireProgressBy = reader.time + state.progressDeadline
      }
      deployment.taskGroups[group.name] = state
    }
    for (name, total) in plan.desiredTotals {
      deployment.taskGroups[name, default: DeploymentState()].desiredTotal = total
    }
    put(deployment, &changes)
  }
}
