import Codec
import Model
import Scheduler
import State
import Testing

/// What must be true of every plan, whatever the job and the history: kept apart from the scenarios, so that each of them
/// checks it.
struct InvariantCheck {
  let before: State
  let after: State
  let result: SchedulingResult
  private var violations: [String] = []

  init(before: State, after: State, result: SchedulingResult) {
    self.before = before
    self.after = after
    self.result = result
  }

  /// What is not as it must be; empty for a good plan.
  mutating func run() -> [String] {
    namesAreUnique()
    nothingIsPlacedAndStopped()
    nodesHoldWhatTheyCan()
    namedThingsAreHeldOnce()
    victimsAreOfLowerPriority()
    placementsGoToCandidates()
    failuresWait()
    updatesKeepTheirLimit()
    return violations
  }

  private mutating func check(_ holds: Bool, _ text: @autoclosure () -> String) {
    if !holds { violations.append(text()) }
  }

  /// Of a group with an `update` block no more is replaced than `max_parallel` allows, what is not healthy yet included.
  private mutating func updatesKeepTheirLimit() {
    guard let job = after.reader.job(JobKey(plan.namespace, plan.jobID))?.spec.value,
      job.type == .service || job.type == .system, job.stop != true
    else { return }
    for group in job.taskGroups {
      guard let limit = (group.update ?? job.update)?.maxParallel, limit > 0 else { continue }
      let replaced = plan.placements.filter { placement in
        guard let previous = before.reader.allocation(placement.previous)?.value, previous.groupName == group.name,
          placement.jobVersion == nil, previous.job.value.createIndex == job.createIndex
        else { return false }
        // Replaced although it could have run on.
        let node = before.reader.node(previous.nodeID)?.value
        return !previous.isTerminal && previous.clientStatus != .unknown && node?.status == .ready
          && previous.desiredTransition.migrate != true && previous.job.value.version != job.version
      }
      check(replaced.count <= limit, "\(replaced.count) allocations are replaced at once, max_parallel is \(limit)")
    }
  }

  private var plan: PlanResult { result.plan }

  /// At most one allocation that is to run bears a name; a canary shares it with the one that it may replace. (On every
  /// node of a system job the name is the same.)
  private mutating func namesAreUnique() {
    guard let job = after.reader.job(JobKey(plan.namespace, plan.jobID)), job.spec.value.type != .system,
      job.spec.value.type != .sysbatch
    else { return }
    var seen: Set<String> = []
    for allocation in after.reader.allocations(ofJob: JobKey(plan.namespace, plan.jobID))
    where !allocation.value.isTerminal {
      if allocation.value.deploymentStatus?.canary == true { continue }
      // One whose node is not heard of has a stand-in of the same name.
      if allocation.value.clientStatus == .unknown { continue }
      check(seen.insert(allocation.value.name).inserted, "two allocations are \(allocation.value.name)")
    }
  }

  private mutating func nothingIsPlacedAndStopped() {
    let placed = Set(plan.placements.map(\.id))
    for change in plan.changes { check(!placed.contains(change.id), "!placed.contains(change.id)") }
    check(placed.count == plan.placements.count, "placed.count == plan.placements.count")
    check(
      Set(plan.changes.filter { $0.desiredStatus != nil }.map(\.id)).count
        == plan.changes.filter { $0.desiredStatus != nil }.count,
      "Set(plan.changes.filter { $0.desiredStatus != nil }.map(\\.id)).count == plan.changes.filter { $0.desiredStatus != nil }.count"
    )
  }

  /// Those that wait for others on the node, and for which.
  private func waiting(_ holding: [StoredAllocation]) -> [Identifier: Set<Identifier>] {
    let present = Set(holding.map(\.id))
    var result: [Identifier: Set<Identifier>] = [:]
    for allocation in holding {
      let awaited = present.intersection(allocation.startsAfter)
      if !awaited.isEmpty { result[allocation.id] = awaited }
    }
    return result
  }

  /// At no time more runs on a node than it has: not now, where some wait; not when one of those begins because those it
  /// waits for have ended; and not in the end, when all that is being stopped has gone.
  private mutating func nodesHoldWhatTheyCan() {
    for node in Set(plan.nodes) {
      guard let slot = after.columns.slot(of: node) else { continue }
      let holding = after.reader.allocations(onNode: node).filter(\.value.holdsResources).map(\.value)
      let waiting = waiting(holding)
      fits(holding.filter { waiting[$0.id] == nil }, slot, "now")
      for (id, awaited) in waiting {
        fits(holding.filter { $0.id == id || (waiting[$0.id] == nil && !awaited.contains($0.id)) }, slot, "with \(id)")
      }
      fits(holding.filter { !$0.isServerTerminal }, slot, "in the end")
    }
  }

  private mutating func fits(_ allocations: [StoredAllocation], _ slot: Int, _ when: String) {
    func sum(_ part: (Demand) -> Int32) -> Int64 { allocations.reduce(0) { $0 + Int64(part($1.demand)) } }
    check(sum(\.cpu) <= Int64(after.columns.cpuTotal[slot]), "\(when)")
    check(sum(\.memory) <= Int64(after.columns.memoryTotal[slot]), "\(when)")
    check(sum(\.disk) <= Int64(after.columns.diskTotal[slot]), "\(when)")
  }

  /// Ports, cores and devices have one holder, or two of which one waits for the other's end.
  private mutating func namedThingsAreHeldOnce() {
    for node in Set(plan.nodes) {
      var owners: [String: [StoredAllocation]] = [:]
      for allocation in after.reader.allocations(onNode: node).filter(\.value.holdsResources).map(\.value) {
        var things = allocation.ports.filter { !$0.ignoreCollision }.map { "port \($0.hostIP):\($0.value)" }
        for grant in allocation.grants.values {
          things += grant.cores.map { "core \($0)" }
          things += grant.instances.map { "device \($0.group) \($0.id)" }
        }
        things += allocation.volumeClaims.filter(\.isExclusive).map { "volume \($0.volume)" }
        for thing in things {
          for other in owners[thing] ?? [] {
            let handedOver =
              other.startsAfter.contains(allocation.id) || allocation.startsAfter.contains(other.id)
            check(handedOver, "\(thing) is held by two allocations")
          }
          owners[thing, default: []].append(allocation)
        }
      }
    }
  }

  private mutating func victimsAreOfLowerPriority() {
    for placement in plan.placements {
      for id in placement.preempted {
        guard let victim = before.reader.allocation(id)?.value,
          let job = after.reader.job(JobKey(plan.namespace, plan.jobID))?.spec.value
        else {
          check(false, "a victim that doesn't exist")
          continue
        }
        check(victim.priority + 10 <= job.priority ?? 50, "victim.priority + 10 <= job.priority ?? 50")
        check(
          !victim.isServerTerminal && placement.startsAfter.contains(id),
          "!victim.isServerTerminal && placement.startsAfter.contains(id)")
        check(
          after.reader.allocation(id)?.value.desiredStatus == .evict,
          "after.reader.allocation(id)?.value.desiredStatus == .evict")
        check(
          after.reader.allocation(id)?.value.preemptedByAllocation == placement.id,
          "after.reader.allocation(id)?.value.preemptedByAllocation == placement.id")
      }
    }
    let jobs = Set(plan.placements.flatMap(\.preempted).compactMap { before.reader.allocation($0)?.value.jobKey })
    for key in jobs {
      check(
        plan.evaluations.contains { $0.jobID == key.id && $0.triggeredBy == .preemption && $0.status == .pending },
        "plan.evaluations.contains { $0.jobID == key.id && $0.triggeredBy == .preemption && $0.status == .pending }")
    }
  }

  private mutating func placementsGoToCandidates() {
    for node in plan.nodes {
      guard let slot = before.columns.slot(of: node) else {
        check(false, "placed on a node that doesn't exist")
        continue
      }
      check(before.columns.isCandidate(slot), "before.columns.isCandidate(slot)")
    }
  }

  private mutating func failuresWait() {
    let failed = result.evaluation.failedTGAllocs
    let waits = result.blockedEvaluation != nil || result.evaluation.status == .blocked
    check(failed.isEmpty == !waits, "failed.isEmpty == !waits")
    for (group, metric) in failed {
      check(
        result.evaluation.queuedAllocations[group] == metric.coalescedFailures + 1,
        "result.evaluation.queuedAllocations[group] == metric.coalescedFailures + 1")
    }
  }
}
