import Codec
import Model
import State

/// One evaluation being worked on: what has been decided so far and what of the nodes is still free.
struct SchedulingRun {
  let evaluation: Evaluation
  let key: JobKey
  /// The job's current version; nil when it was purged.
  let job: Shared<Job>?
  let state: StateReader
  let now: Timestamp
  var use: NodeUse
  var plan = PlanResult()
  var annotations = PlanAnnotations()
  var placementMetrics: [String: AllocMetric] = [:]
  var failed: [String: AllocMetric] = [:]
  var queued: [String: Int] = [:]
  var classEligibility: [String: Bool] = [:]
  var escapesClasses = false
  /// Allocations of the job that are there when the plan is carried out: where, and of which group.
  var present: [Identifier: (slot: Int, group: String)] = [:]
  /// Allocations that the plan stops, those of other jobs that it preempts included.
  var stopped: Set<Identifier> = []
  /// The jobs of preempted allocations.
  private var preemptedJobs: [JobKey: Shared<Job>] = [:]
  private var nodePlaces: [Identifier: Int] = [:]

  var columns: NodeColumns { use.columns }

  init(
    evaluation: Evaluation, key: JobKey, job: Shared<Job>?, state: StateReader, columns: NodeColumns, now: Timestamp
  ) {
    self.evaluation = evaluation
    self.key = key
    self.job = job
    self.state = state
    self.now = now
    use = NodeUse(columns)
    plan.evaluationID = evaluation.id
    plan.namespace = key.namespace
    plan.jobID = key.id
    plan.jobVersion = job?.value.version ?? 0
  }

  // MARK: What can be asked of nodes

  func condition(of node: Identifier) -> GroupReconciler.NodeCondition {
    guard let record = state.node(node) else { return .gone }
    switch record.value.status {
    case .down, .disconnected: return .down(Timestamp(nanoseconds: record.value.statusUpdatedAt * 1_000_000_000))
    case .initializing, .ready: return .available
    }
  }

  /// The algorithm of the job's pool, or the region's.
  func usesSpreadAlgorithm(_ job: Job) -> Bool {
    let pool = state.nodePool(job.nodePool ?? "default")?.value.schedulerConfiguration
    if let algorithm = pool?.schedulerAlgorithm, !algorithm.isEmpty { return algorithm == "spread" }
    return state.schedulerConfiguration.schedulerAlgorithm == "spread"
  }

  /// Whether the job may preempt others.
  func mayPreempt(_ job: Job) -> Bool { PreemptionSwitch.isOn(for: job, state) }

  // MARK: Building the plan

  mutating func stop(_ allocation: Shared<StoredAllocation>, _ reason: StopReason) {
    var change = AllocationChange()
    change.id = allocation.value.id
    change.desiredStatus = .stop
    change.desiredDescription = reason.text
    // One that has ended keeps the status that its client reported.
    if !allocation.value.isClientTerminal { change.clientStatus = reason.clientStatus }
    plan.changes.append(change)
    present[allocation.value.id] = nil
    stopped.insert(allocation.value.id)
  }

  /// The node is not heard of; the allocation may come back.
  mutating func markUnknown(_ allocation: Shared<StoredAllocation>) {
    var change = AllocationChange()
    change.id = allocation.value.id
    change.clientStatus = .unknown
    plan.changes.append(change)
  }

  mutating func updateInPlace(_ allocation: Shared<StoredAllocation>) {
    var change = AllocationChange()
    change.id = allocation.value.id
    change.updatesJob = true
    plan.changes.append(change)
  }

  mutating func place(_ placement: Placement, group: String, choice: GroupRanking.Choice) {
    var placement = placement
    let node = columns.ids[choice.slot]
    if let known = nodePlaces[node] {
      placement.node = known
    } else {
      placement.node = plan.nodes.count
      nodePlaces[node] = plan.nodes.count
      plan.nodes.append(node)
    }
    placement.ports = choice.granted.ports
    placement.grants = choice.granted.grants
    placement.startsAfter = choice.startsAfter
    placement.preempted = choice.victims.map(\.value.id)
    for victim in choice.victims { preempt(victim, for: placement.id) }
    plan.placements.append(placement)
    if !choice.victims.isEmpty { use.evict(placement.preempted, slot: choice.slot) }
    use.take(choice.demand, holdings: choice.holdings, slot: choice.slot, incumbent: choice.takenOver)
    present[placement.id] = (choice.slot, group)
  }

  /// Ends an allocation of another job, which gets an evaluation of its own.
  private mutating func preempt(_ victim: Shared<StoredAllocation>, for placement: Identifier) {
    var change = AllocationChange()
    change.id = victim.value.id
    change.desiredStatus = .evict
    change.desiredDescription = "preempted by allocation \(placement)"
    change.preemptedBy = placement
    plan.changes.append(change)
    stopped.insert(victim.value.id)
    let key = victim.value.jobKey
    if preemptedJobs[key] == nil { preemptedJobs[key] = state.job(key)?.spec ?? victim.value.job }
    if evaluation.annotatePlan {
      annotations.preemptedAllocs.append(
        AllocationListStub(
          victim.value.allocation(includingJob: false), jobType: victim.value.job.value.type ?? .service,
          resources: true))
    }
  }

  /// What was preempted is to be placed anew elsewhere, at once.
  private func evaluationsOfPreemptedJobs(random: inout RandomBits) -> [Evaluation] {
    preemptedJobs.sorted { $0.key < $1.key }.map { key, job in
      var next = successor(.preemption, random: &random)
      next.namespace = key.namespace
      next.jobID = key.id
      next.priority = job.value.priority ?? 50
      next.type = (job.value.type ?? .service).rawValue
      next.jobModifyIndex = job.value.jobModifyIndex ?? 0
      next.status = .pending
      return next
    }
  }

  /// The allocations of the job that neither have ended nor are stopped by the plan, for a group's ranking.
  func occupants(group: String) -> [GroupRanking.Occupant] {
    present.values.map { GroupRanking.Occupant(slot: $0.slot, isOfGroup: $0.group == group) }
  }

  mutating func notePresent(_ allocations: [Shared<StoredAllocation>]) {
    for allocation in allocations where !allocation.value.isTerminal {
      guard let slot = columns.slot(of: allocation.value.nodeID) else { continue }
      present[allocation.value.id] = (slot, allocation.value.groupName)
    }
  }

  // MARK: Metrics

  func availability(_ selection: NodeSelection, into metric: inout AllocMetric) {
    var byDatacenter = [Int](repeating: 0, count: columns.datacenters.names.count)
    var inPool = 0
    let columns = columns
    for slot in 0..<columns.count where columns.isCandidate(slot) && selection.isInPool(slot, columns) {
      inPool += 1
      if selection.isInDatacenter(slot, columns) { byDatacenter[Int(columns.datacenter[slot])] += 1 }
    }
    metric.nodesInPool = inPool
    for (number, count) in byDatacenter.enumerated() where count > 0 {
      metric.nodesAvailable[columns.datacenters.names[number]] = count
    }
  }

  // MARK: The evaluations at the end

  /// Looks at allocations again later: one evaluation for all that are due within a few seconds of each other.
  mutating func followUp(
    _ delayed: [(allocation: Shared<StoredAllocation>, due: Timestamp)],
    because trigger: EvaluationTrigger = .allocFailure, random: inout RandomBits
  ) -> [Evaluation] {
    let window = Nanoseconds.seconds(5)
    var evaluations: [Evaluation] = []
    let open = delayed.filter { item in
      let known = item.allocation.value.followupEvalID
      guard !known.isNone, known != evaluation.id, let waiting = state.evaluation(known) else { return true }
      return waiting.value.status != .pending
    }
    for item in open.sorted(by: { ($0.due, $0.allocation.value.id) < ($1.due, $1.allocation.value.id) }) {
      if let last = evaluations.last, let wait = last.waitUntil, item.due - wait <= window {
        annotate(item.allocation, followUp: last.id)
        continue
      }
      var next = successor(trigger, random: &random)
      next.status = .pending
      next.statusDescription =
        trigger == .maxDisconnectTimeout
        ? "created to give up allocations whose node is not heard of" : "created for delayed rescheduling"
      next.waitUntil = item.due
      annotate(item.allocation, followUp: next.id)
      evaluations.append(next)
    }
    return evaluations
  }

  private mutating func annotate(_ allocation: Shared<StoredAllocation>, followUp: Identifier) {
    var change = AllocationChange()
    change.id = allocation.value.id
    change.followupEvalID = followUp
    plan.changes.append(change)
  }

  func successor(_ trigger: EvaluationTrigger, random: inout RandomBits) -> Evaluation {
    var next = Evaluation()
    next.id = Identifier(using: &random)
    next.namespace = key.namespace
    next.priority = evaluation.priority
    next.type = evaluation.type
    next.triggeredBy = trigger
    next.jobID = key.id
    next.jobModifyIndex = evaluation.jobModifyIndex
    next.previousEval = evaluation.id
    next.snapshotIndex = state.index
    next.createTime = now.nanoseconds
    next.modifyTime = now.nanoseconds
    return next
  }

  /// Ends the evaluation: complete, or, where something found no place, with one that waits for room. An evaluation that
  /// waited already goes on waiting itself.
  mutating func finish(followUps: [Evaluation], random: inout RandomBits) -> SchedulingResult {
    var done = evaluation
    done.snapshotIndex = state.index
    done.failedTGAllocs = failed
    done.queuedAllocations = queued
    done.deploymentID = plan.deploymentID
    done.modifyTime = now.nanoseconds
    done.status = .complete
    done.statusDescription = ""
    var blocked: Evaluation?
    if !failed.isEmpty {
      if evaluation.triggeredBy == .queuedAllocs {
        done.status = .blocked
        done.statusDescription = "waits for room for the remaining placements"
        done.classEligibility = classEligibility
        done.escapedComputedClass = escapesClasses
      } else {
        var waiting = successor(.queuedAllocs, random: &random)
        waiting.status = .blocked
        waiting.statusDescription = "created to place remaining allocations"
        waiting.classEligibility = classEligibility
        waiting.escapedComputedClass = escapesClasses
        waiting.failedTGAllocs = failed
        waiting.queuedAllocations = queued
        done.blockedEval = waiting.id
        blocked = waiting
      }
    }
    plan.evaluations = [done] + (blocked.map { [$0] } ?? []) + followUps
    plan.evaluations += evaluationsOfPreemptedJobs(random: &random)
    return SchedulingResult(plan: plan, annotations: annotations, placementMetrics: placementMetrics)
  }
}
