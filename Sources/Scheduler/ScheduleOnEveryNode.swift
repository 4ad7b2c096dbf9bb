import Codec
import Model
import State

extension SchedulingRun {
  /// System and sysbatch jobs: one allocation of each group on every node that suits.
  mutating func scheduleOnEveryNode(_ job: Shared<Job>, random: inout RandomBits) -> SchedulingResult {
    let allocations = state.allocations(ofJob: key)
    notePresent(allocations)
    let (known, new) = systemDeployment(job, allocations, random: &random)
    var rollouts: [String: SystemRollout.Outcome] = [:]
    var byGroup: [String: [Shared<StoredAllocation>]] = [:]
    for allocation in allocations { byGroup[allocation.value.groupName, default: []].append(allocation) }
    var followUps: [Evaluation] = []
    for (index, group) in job.value.taskGroups.enumerated() {
      var pass = NodePass(job: job.value, group: group, groupIndex: index, deployment: known, run: self)
      pass.isDeployed = new?.taskGroups[group.name] != nil || (known?.isActive == true && pass.rollout?.state != nil)
      pass.run(byGroup.removeValue(forKey: group.name) ?? [], plan: &self, random: &random)
      followUps += followUp(pass.timeouts, because: .maxDisconnectTimeout, random: &random)
      if pass.rollout != nil { rollouts[group.name] = pass.outcome }
      if let due = pass.due, !followUps.contains(where: { $0.triggeredBy == .rollingUpdate }) {
        var next = successor(.rollingUpdate, random: &random)
        next.waitUntil = due
        next.statusDescription = "created for the next step of a rolling update"
        followUps.append(next)
      }
    }
    for name in byGroup.keys.sorted() {
      var updates = DesiredUpdates()
      for allocation in byGroup[name] ?? [] where !allocation.value.isTerminal {
        stop(allocation, .groupRemoved)
        updates.stop += 1
      }
      annotations.desiredTGUpdates[name] = updates
    }
    finish(known, new, rollouts)
    return finish(followUps: followUps, random: &random)
  }
}

/// One group of a system or sysbatch job, node by node.
private struct NodePass {
  let job: Job
  let group: TaskGroup
  let groupIndex: Int
  let requirement: GroupRequirement
  let selection: NodeSelection
  var feasibility: ClassFeasibility
  var counts = FilterCounts()
  var updates = DesiredUpdates()
  /// nil where everything is replaced at once.
  let rollout: SystemRollout?
  /// Whether what is placed is part of a deployment.
  var isDeployed = false
  var outcome = SystemRollout.Outcome()
  /// When the next step of the rollout may be taken, where that is only a matter of time.
  var due: Timestamp?
  /// Allocations on nodes that are not heard of, and when they are given up.
  var timeouts: [(allocation: Shared<StoredAllocation>, due: Timestamp)] = []
  private var verdicts: [UInt64: Bool] = [:]
  /// The plan's placements that are of this group, to get their metric when all counts are known.
  private var placed: [Int] = []

  init(job: Job, group: TaskGroup, groupIndex: Int, deployment: Deployment?, run: SchedulingRun) {
    self.job = job
    self.group = group
    self.groupIndex = groupIndex
    requirement = GroupRequirement(job: job, group: group)
    selection = NodeSelection(job, run.columns)
    feasibility = ClassFeasibility(requirement, classes: run.columns.classes.count)
    rollout = SystemRollout(job, group, deployment)
  }

  mutating func run(
    _ allocations: [Shared<StoredAllocation>], plan: inout SchedulingRun, random: inout RandomBits
  ) {
    var occupied: Set<Int> = []
    var outdated: [(slot: Int, allocation: Shared<StoredAllocation>)] = []
    for allocation in allocations.sorted(by: Self.newestFirst) {
      sort(allocation, &occupied, &outdated, &plan)
    }
    let known = rollout?.deployment?.id
    let current = allocations.map(\.value).filter { known != nil && $0.deploymentID == known }
    let step =
      rollout?.step(
        outdated: outdated.count, nodes: occupied.count, current: current, isDeployed: isDeployed, now: plan.now)
      ?? SystemRollout.Step(replacements: outdated.count)
    outcome.canaries = step.canaries
    outcome.outdated = outdated.count
    due = step.due
    for (position, item) in outdated.sorted(by: { $0.allocation.value.nodeID < $1.allocation.value.nodeID })
      .enumerated()
    {
      if position >= step.replacements {
        updates.ignore += 1
        continue
      }
      if step.areCanaries { updates.canary += 1 } else { updates.destructiveUpdate += 1 }
      place(on: item.slot, replacing: item.allocation, isCanary: step.areCanaries, &plan, &random)
    }
    outcome.nodes = occupied.count
    // What has failed, or was halted by hand, is not tried on further nodes.
    if rollout?.isHalted == true { return finish(&plan) }
    let columns = plan.columns
    // In the order of the nodes' ids: slots depend on who registered first.
    let ids = columns.ids
    let order = selection.slots(columns).sorted { ids[Int($0)] < ids[Int($1)] }
    for slot32 in order where !occupied.contains(Int(slot32)) {
      let slot = Int(slot32)
      counts.evaluated += 1
      guard let node = columns.nodes[slot] else { continue }
      if case .filtered(let reason) = feasibility.verdict(
        class: Int(columns.computedClass[slot]), node: node.value, columns)
      {
        counts.filter(reason, slot, columns)
        continue
      }
      if place(on: slot, replacing: nil, &plan, &random) {
        updates.place += 1
        outcome.nodes += 1
      }
    }
    finish(&plan)
  }

  private static func newestFirst(_ left: Shared<StoredAllocation>, _ right: Shared<StoredAllocation>) -> Bool {
    (right.value.createIndex, right.value.id) < (left.value.createIndex, left.value.id)
  }

  private mutating func sort(
    _ allocation: Shared<StoredAllocation>, _ occupied: inout Set<Int>,
    _ outdated: inout [(slot: Int, allocation: Shared<StoredAllocation>)], _ plan: inout SchedulingRun
  ) {
    let value = allocation.value
    if value.isServerTerminal { return }
    let isCurrent = value.job.value.version == job.version && value.job.value.createIndex == job.createIndex
    if value.isClientTerminal {
      // A sysbatch allocation runs once on each node; of the other kind any that has ended is made up for.
      if job.type == .sysbatch, isCurrent, value.clientStatus != .lost, let slot = plan.columns.slot(of: value.nodeID) {
        occupied.insert(slot)
        updates.ignore += 1
      }
      return
    }
    switch plan.condition(of: value.nodeID) {
    case .down(let since): return keepOrLose(allocation, silentSince: since, &plan)
    case .gone: return end(allocation, .nodeGone, &plan)
    case .available: break
    }
    guard let slot = plan.columns.slot(of: value.nodeID) else { return end(allocation, .nodeGone, &plan) }
    if value.job.value.createIndex != job.createIndex { return end(allocation, .jobReplaced, &plan) }
    if value.desiredTransition.migrate == true {
      plan.stop(allocation, .migrating)
      updates.migrate += 1
      // On a node that still takes allocations the stop was meant as a restart.
      if !plan.columns.isCandidate(slot) { occupied.insert(slot) }
      return
    }
    guard occupied.insert(slot).inserted else { return end(allocation, .countReduced, &plan) }
    guard suits(slot, plan.columns) else { return end(allocation, .nodeNoLongerEligible, &plan) }
    if isCurrent {
      updates.ignore += 1
    } else if needsReplacement(value) {
      outdated.append((slot, allocation))
    } else {
      plan.updateInPlace(allocation)
      updates.inPlaceUpdate += 1
    }
  }

  /// Nobody stands in for it: its place is on that node.
  private mutating func keepOrLose(
    _ allocation: Shared<StoredAllocation>, silentSince since: Timestamp, _ plan: inout SchedulingRun
  ) {
    switch DisconnectPolicy(group).verdict(on: allocation.value, silentSince: since, now: plan.now) {
    case .lost: end(allocation, .nodeLost, &plan)
    case .unknown(let end):
      if allocation.value.clientStatus != .unknown {
        plan.markUnknown(allocation)
        updates.disconnect += 1
      } else {
        updates.ignore += 1
      }
      if let end { timeouts.append((allocation, end)) }
    case .running(let end):
      updates.ignore += 1
      timeouts.append((allocation, end))
    }
  }

  private mutating func end(_ allocation: Shared<StoredAllocation>, _ reason: StopReason, _ plan: inout SchedulingRun) {
    plan.stop(allocation, reason)
    updates.stop += 1
  }

  private mutating func suits(_ slot: Int, _ columns: NodeColumns) -> Bool {
    guard selection.isInPool(slot, columns), selection.isInDatacenter(slot, columns), let node = columns.nodes[slot],
      case .feasible = feasibility.verdict(class: Int(columns.computedClass[slot]), node: node.value, columns)
    else { return false }
    return true
  }

  private mutating func needsReplacement(_ allocation: StoredAllocation) -> Bool {
    let version = allocation.job.value.version ?? 0
    if let known = verdicts[version] { return known }
    let result = UpdateEffect.needsReplacement(group: group.name, old: allocation.job.value, new: job)
    verdicts[version] = result
    return result
  }

  /// Places the group's allocation on a node where it fits; otherwise counts why it doesn't.
  @discardableResult
  private mutating func place(
    on slot: Int, replacing incumbent: Shared<StoredAllocation>?, isCanary: Bool = false, _ plan: inout SchedulingRun,
    _ random: inout RandomBits
  ) -> Bool {
    let columns = plan.columns
    guard columns.isCandidate(slot), let node = columns.nodes[slot] else { return false }
    let held = incumbent.flatMap { $0.value.holdsResources ? $0.value : nil }
    let demand = requirement.demand(on: node.value)
    var choice = GroupRanking.Choice(slot: slot, score: 0, demand: demand, takenOver: held?.demand)
    choice.startsAfter = held.map { [$0.id] } ?? []
    var obstacle: (dimension: Dimension?, text: String)?
    let free = held.map { plan.use.free(slot, replacing: $0.demand) } ?? plan.use.free(slot)
    if let dimension = free.lacking(demand) {
      obstacle = (dimension, dimension.text)
    } else if requirement.asksNamedThings {
      var holdings = plan.use.holdings(slot)
      if let held { holdings.give(held) }
      do throws(PortAssignment.Obstacle) {
        choice.granted = try requirement.grant(
          on: node.value, cores: columns.cores[slot], index: 0, from: &holdings, random: &random)
        if let held { holdings.take(held) }
        choice.holdings = holdings
      } catch {
        obstacle = (nil, error.text)
      }
    }
    if let obstacle {
      guard incumbent == nil, let preempting = preempting(on: slot, plan, &random) else {
        if let dimension = obstacle.dimension {
          counts.exhausted[dimension.rawValue] += 1
          counts.exhaustedSlots.append(Int32(slot))
        } else {
          counts.exhaust(obstacle.text, slot, columns)
        }
        return false
      }
      choice = preempting
    }
    var placement = Placement()
    placement.id = Identifier(using: &random)
    placement.group = groupIndex
    placement.nameIndex = 0
    placement.previous = incumbent?.value.id ?? .none
    placement.canary = isCanary
    placement.outsideDeployment = !isDeployed
    if let incumbent { plan.stop(incumbent, .updated) }
    placed.append(plan.plan.placements.count)
    plan.place(placement, group: group.name, choice: choice)
    return true
  }

  /// The choice of a node on which allocations of lower priority make room; nil where that is switched off or not enough.
  private func preempting(on slot: Int, _ plan: SchedulingRun, _ random: inout RandomBits) -> GroupRanking.Choice? {
    guard plan.mayPreempt(job) else { return nil }
    var preemption = NodePreemption(
      requirement: requirement, state: plan.state, priority: job.priority ?? 50, own: Set(plan.present.keys))
    guard let solution = preemption.solve(slot, use: plan.use, stopped: plan.stopped) else { return nil }
    return preemption.choice(slot, solution, index: 0, use: plan.use, stopped: plan.stopped, random: &random)
  }

  private func finish(_ plan: inout SchedulingRun) {
    plan.annotations.desiredTGUpdates[group.name] = updates
    var metric = counts.metric(plan.columns, group)
    plan.availability(selection, into: &metric)
    if !placed.isEmpty {
      for index in placed { plan.plan.placements[index].metric = plan.plan.metrics.count }
      plan.plan.metrics.append(PlacementMetric(metric))
    }
    plan.queued[group.name] = counts.exhaustedSlots.count
    if counts.exhaustedSlots.isEmpty {
      plan.placementMetrics[group.name] = metric
    } else {
      metric.coalescedFailures = counts.exhaustedSlots.count - 1
      plan.failed[group.name] = metric
      plan.classEligibility.merge(feasibility.eligibility(plan.columns)) { $0 || $1 }
      plan.escapesClasses = plan.escapesClasses || feasibility.escapesClasses
    }
  }
}
