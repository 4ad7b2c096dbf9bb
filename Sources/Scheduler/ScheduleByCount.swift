import Codec
import Model
import State

extension SchedulingRun {
  /// Service and batch jobs: as many allocations as the groups' counts say, each on the best node.
  mutating func scheduleByCount(random: inout RandomBits) -> SchedulingResult {
    let allocations = state.allocations(ofJob: key)
    notePresent(allocations)
    let suitability = NodeSuitability(job: job?.value, columns: columns)
    let reconciler = JobReconciler(
      job: job?.value, allocations: allocations, latestDeployment: state.latestDeployment(ofJob: key)?.value, now: now,
      evaluationPriority: evaluation.priority, nodeCondition: { [self] in condition(of: $0) },
      stillSuits: { suitability.suits(group: $0, node: $1) }, score: { suitability.score(group: $0, node: $1) })
    let decision = reconciler.decide(random: &random)

    if let deployment = decision.deployment {
      plan.deploymentID = deployment.id
      if decision.beginsDeployment { plan.deployment = deployment }
    }
    plan.deploymentUpdates = decision.deploymentChanges
    plan.desiredTotals = decision.desiredTotals
    for group in decision.groups {
      annotations.desiredTGUpdates[group.name] = group.updates
      for stop in group.stops { self.stop(stop.allocation, stop.reason) }
      for allocation in group.inPlace { updateInPlace(allocation) }
      for allocation in group.unknown { markUnknown(allocation) }
    }
    var delayed: [(allocation: Shared<StoredAllocation>, due: Timestamp)] = []
    var timeouts: [(allocation: Shared<StoredAllocation>, due: Timestamp)] = []
    let unplaced = self
    for group in decision.groups {
      delayed += group.delayed
      timeouts += group.timeouts
      if let index = group.groupIndex {
        place(group, groupIndex: index, deployment: decision.deployment, random: &random)
      }
    }
    if job?.value.allAtOnce == true, !failed.isEmpty { giveUp(decision, restoring: unplaced) }
    var followUps = followUp(delayed, random: &random)
    followUps += followUp(timeouts, because: .maxDisconnectTimeout, random: &random)
    return finish(followUps: followUps, random: &random)
  }

  /// Either all of a job's placements are made or none (`all_at_once`): what was placed is taken back and waits with what
  /// found no room.
  private mutating func giveUp(_ decision: JobReconciler.Decision, restoring unplaced: SchedulingRun) {
    let (failed, eligibility, escapes) = (failed, classEligibility, escapesClasses)
    self = unplaced
    self.failed = failed
    classEligibility = eligibility
    escapesClasses = escapes
    for group in decision.groups where group.groupIndex != nil {
      queued[group.name] = group.placements.count
      guard !group.placements.isEmpty else { continue }
      if failed[group.name] == nil {
        // It would have room; the counts of the group that has none say why it waits.
        self.failed[group.name] = AllocMetric()
      }
      self.failed[group.name]?.coalescedFailures = group.placements.count - 1
    }
  }

  private mutating func place(
    _ group: GroupDecision, groupIndex: Int, deployment: Deployment?, random: inout RandomBits
  ) {
    guard let job else { return }
    queued[group.name] = 0
    if group.placements.isEmpty { return }
    let isDeployed = deployment?.taskGroups[group.name] != nil
    // Requests of one version share what is known about the nodes; those for the current version come first.
    var others: [UInt64: (spec: Shared<Job>, requests: [PlacementRequest])] = [:]
    var own: [PlacementRequest] = []
    for request in group.placements {
      if let other = request.otherVersion {
        others[other.value.version ?? 0, default: (other, [])].requests.append(request)
      } else {
        own.append(request)
      }
    }
    place(own, of: job, groupIndex: groupIndex, isOtherVersion: false, isDeployed: isDeployed, random: &random)
    for version in others.keys.sorted() {
      guard let (spec, requests) = others[version],
        let index = spec.value.taskGroups.firstIndex(where: { $0.name == group.name })
      else { continue }
      place(requests, of: spec, groupIndex: index, isOtherVersion: true, isDeployed: false, random: &random)
    }
  }

  /// How many nodes an explanation of a placement shows.
  static var explainedNodes: Int { 5 }
  /// Up to so many placements are explained one by one; of more, the first one's explanation stands for all: an evaluation
  /// of a thousand would otherwise spend its time on explaining itself.
  static var explainedPlacements: Int { 4 }

  private mutating func place(
    _ requests: [PlacementRequest], of spec: Shared<Job>, groupIndex: Int, isOtherVersion: Bool, isDeployed: Bool,
    random: inout RandomBits
  ) {
    if requests.isEmpty { return }
    let group = spec.value.taskGroups[groupIndex]
    let requirement = GroupRequirement(job: spec.value, group: group)
    let selection = NodeSelection(spec.value, columns)
    let candidates = selection.slots(columns)
    let seed = random.next()
    let usesSpread = usesSpreadAlgorithm(spec.value)
    var ranking = GroupRanking(
      requirement, candidates: candidates, occupants: occupants(group: group.name), use: use,
      usesSpreadAlgorithm: usesSpread, seed: seed, placements: requests.count)
    var preemption: PreemptionRanking?
    var metric: Int?
    for request in requests {
      // What has failed once fails again, but for an update: each of those may take the place that it leaves.
      // With volumes that have the allocations' numbers in their names, every number has nodes of its own.
      if failed[group.name] != nil && request.cause != .update && requirement.volumesPerAllocation.isEmpty {
        fail(group.name)
        continue
      }
      let incumbent = incumbent(of: request, group: group.name)
      let avoided = request.avoidedNodes.compactMap { columns.slot(of: $0) }
      let sticky =
        requirement.prefersPreviousNode ? request.previous.flatMap { columns.slot(of: $0.value.nodeID) } : nil
      let explains = requests.count <= Self.explainedPlacements || metric == nil
      var chosen = ranking.choose(
        index: request.nameIndex, avoiding: avoided, replacing: incumbent, preferring: sticky,
        explaining: explains ? Self.explainedNodes : 0, use: use, random: &random)
      if chosen == nil, request.cause != .update, mayPreempt(spec.value) {
        if preemption == nil {
          preemption = PreemptionRanking(
            NodePreemption(
              requirement: requirement, state: state, priority: spec.value.priority ?? 50, own: Set(present.keys)),
            ranking: ranking, use: use, stopped: stopped)
        }
        chosen = preemption?.choose(
          index: request.nameIndex, ranking: ranking, use: use, stopped: stopped, random: &random)
      }
      guard let choice = chosen else {
        if failed[group.name] == nil {
          // Counted anew: earlier placements of this plan may be what exhausts a node now.
          var fresh = GroupRanking(
            requirement, candidates: candidates, occupants: occupants(group: group.name), use: use,
            usesSpreadAlgorithm: usesSpread, seed: seed, placements: 1)
          _ = fresh.choose(
            index: request.nameIndex, avoiding: [], replacing: nil, preferring: nil, explaining: 0, use: use,
            random: &random)
          var metric = fresh.counts.metric(columns, group)
          availability(selection, into: &metric)
          failed[group.name] = metric
          queued[group.name, default: 0] += 1
          classEligibility.merge(fresh.feasibility.eligibility(columns)) { $0 || $1 }
          escapesClasses = escapesClasses || fresh.feasibility.escapesClasses
        } else {
          fail(group.name)
        }
        continue
      }
      if explains {
        var explained = ranking.counts.metric(columns, group)
        availability(selection, into: &explained)
        explained.scoreMetaData = choice.bestNodes
        if placementMetrics[group.name] == nil { placementMetrics[group.name] = explained }
        metric = plan.metrics.count
        plan.metrics.append(PlacementMetric(explained))
      }
      var placement = Placement()
      placement.id = Identifier(using: &random)
      placement.group = groupIndex
      placement.nameIndex = request.nameIndex
      placement.metric = metric
      if isOtherVersion { placement.jobVersion = spec.value.version }
      placement.previous = request.previous?.value.id ?? .none
      placement.canary = request.cause == .canary
      placement.rescheduleTracker = request.rescheduleTracker
      placement.outsideDeployment = !isDeployed
      switch (request.cause, request.previous) {
      case (.update, let previous?): stop(previous, .updated)
      case (.rescheduled, let previous?): stop(previous, .rescheduled)
      default: break
      }
      place(placement, group: group.name, choice: choice)
      ranking.placed(choice, replacing: incumbent, use: use)
      preemption?.changed(choice.slot, ranking: ranking, use: use, stopped: stopped)
    }
  }

  private mutating func fail(_ group: String) {
    failed[group]?.coalescedFailures += 1
    queued[group, default: 0] += 1
  }

  /// What the predecessor still holds: its replacement can have that on the same node, after its release. An allocation
  /// that is lost or has ended holds nothing.
  private func incumbent(of request: PlacementRequest, group: String) -> GroupRanking.Incumbent? {
    guard request.cause == .update || request.cause == .migrating, let previous = request.previous?.value,
      previous.holdsResources, let slot = columns.slot(of: previous.nodeID)
    else { return nil }
    return GroupRanking.Incumbent(slot: slot, allocation: previous, isCounted: request.cause == .update)
  }
}

/// Whether nodes still meet what a job asks, for allocations that could go on running there under a new version.
final class NodeSuitability {
  private let job: Job?
  private let columns: NodeColumns
  private let selection: NodeSelection?
  private var feasibility: [String: ClassFeasibility] = [:]

  init(job: Job?, columns: NodeColumns) {
    self.job = job
    self.columns = columns
    selection = job.map { NodeSelection($0, columns) }
  }

  /// How good a node is for one of the group's allocations that it has already: how full it is, and the affinities.
  func score(group: TaskGroup, node: Identifier) -> Double {
    guard let job, let slot = columns.slot(of: node) else { return -.infinity }
    var known =
      feasibility[group.name]
      ?? ClassFeasibility(GroupRequirement(job: job, group: group), classes: columns.classes.count)
    defer { feasibility[group.name] = known }
    let affinity = known.affinity(class: Int(columns.computedClass[slot]), slot: slot, columns)
    func share(_ total: Int32, _ used: Int32) -> Double { total > 0 ? Double(total - used) / Double(total) : 1 }
    let fit = FitScore.binPack(
      freeCPU: share(columns.cpuTotal[slot], columns.cpuUsed[slot]),
      freeMemory: share(columns.memoryTotal[slot], columns.memoryUsed[slot]))
    return affinity == 0 ? fit / FitScore.maximum : (fit / FitScore.maximum + affinity) / 2
  }

  /// A node that takes no new allocations may keep those that it has.
  func suits(group: TaskGroup, node: Identifier) -> Bool {
    guard let job, let selection, let slot = columns.slot(of: node), let record = columns.nodes[slot] else {
      return false
    }
    guard selection.isInPool(slot, columns), selection.isInDatacenter(slot, columns) else { return false }
    var known =
      feasibility[group.name]
      ?? ClassFeasibility(GroupRequirement(job: job, group: group), classes: columns.classes.count)
    defer { feasibility[group.name] = known }
    if case .feasible = known.verdict(class: Int(columns.computedClass[slot]), node: record.value, columns) {
      return true
    }
    return false
  }
}
