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

  func run() {
    namesAreUnique()
    nothingIsPlacedAndStopped()
    nodesHoldWhatTheyCan()
    portsAreHeldOnce()
    placementsGoToCandidates()
    failuresWait()
  }

  private var plan: PlanResult { result.plan }

  /// At most one allocation that is to run bears a name; a canary shares it with the one that it may replace. (On every
  /// node of a system job the name is the same.)
  private func namesAreUnique() {
    guard let job = after.reader.job(JobKey(plan.namespace, plan.jobID)), job.spec.value.type != .system,
      job.spec.value.type != .sysbatch
    else { return }
    var seen: Set<String> = []
    for allocation in after.reader.allocations(ofJob: JobKey(plan.namespace, plan.jobID))
    where !allocation.value.isTerminal {
      if allocation.value.deploymentStatus?.canary == true { continue }
      #expect(seen.insert(allocation.value.name).inserted, "two allocations are \(allocation.value.name)")
    }
  }

  private func nothingIsPlacedAndStopped() {
    let placed = Set(plan.placements.map(\.id))
    for change in plan.changes { #expect(!placed.contains(change.id)) }
    #expect(placed.count == plan.placements.count)
    #expect(
      Set(plan.changes.filter { $0.desiredStatus != nil }.map(\.id)).count
        == plan.changes.filter { $0.desiredStatus != nil }.count)
  }

  /// An allocation that waits for its predecessor on the same node stands in that one's place: of the two the larger
  /// counts. Everything else adds up, stopping allocations included.
  private func nodesHoldWhatTheyCan() {
    for node in Set(plan.nodes) {
      guard let slot = after.columns.slot(of: node) else { continue }
      var (cpu, memory, disk) = (Int64(0), Int64(0), Int64(0))
      let holding = after.reader.allocations(onNode: node).filter(\.value.holdsResources)
      for allocation in holding {
        let value = allocation.value
        let successor = holding.first { $0.value.id == value.nextAllocation }
        if value.isServerTerminal, let successor {
          cpu += Int64(max(value.demand.cpu - successor.value.demand.cpu, 0))
          memory += Int64(max(value.demand.memory - successor.value.demand.memory, 0))
          disk += Int64(max(value.demand.disk - successor.value.demand.disk, 0))
        } else {
          cpu += Int64(value.demand.cpu)
          memory += Int64(value.demand.memory)
          disk += Int64(value.demand.disk)
        }
      }
      #expect(cpu <= Int64(after.columns.cpuTotal[slot]))
      #expect(memory <= Int64(after.columns.memoryTotal[slot]))
      #expect(disk <= Int64(after.columns.diskTotal[slot]))
    }
  }

  private func portsAreHeldOnce() {
    for node in Set(plan.nodes) {
      var owners: [String: Identifier] = [:]
      for allocation in after.reader.allocations(onNode: node).filter(\.value.holdsResources) {
        let value = allocation.value
        for port in value.ports where !port.ignoreCollision {
          let key = "\(port.hostIP):\(port.value)"
          if let other = owners[key].flatMap({ after.reader.allocation($0)?.value }) {
            let handedOver = other.nextAllocation == value.id || value.nextAllocation == other.id
            #expect(handedOver, "port \(key) is held by two allocations")
          }
          owners[key] = value.id
        }
      }
    }
  }

  private func placementsGoToCandidates() {
    for node in plan.nodes {
      guard let slot = before.columns.slot(of: node) else {
        Issue.record("placed on a node that doesn't exist")
        continue
      }
      #expect(before.columns.isCandidate(slot))
    }
  }

  private func failuresWait() {
    let failed = result.evaluation.failedTGAllocs
    let waits = result.blockedEvaluation != nil || result.evaluation.status == .blocked
    #expect(failed.isEmpty == !waits)
    for (group, metric) in failed {
      #expect(result.evaluation.queuedAllocations[group] == metric.coalescedFailures + 1)
    }
  }
}
