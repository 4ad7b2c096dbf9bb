import Codec
import Model
import Replica
import State

/// What a cluster must come to once nothing goes wrong any more.
extension ClusterWorkload {
  /// Looked at not more often than so, as it looks at everything.
  static let restInterval: UInt64 = 500_000_000

  var isAtRest: Bool {
    guard now >= lastLook + Self.restInterval else { return false }
    lastLook = now
    return unrest == nil
  }

  var restlessness: String { unrest ?? "the cluster is at rest" }

  /// The first thing that is not as it should be in the end.
  private var unrest: String? {
    if let waiting = operators.firstIndex(where: \.isWaiting) { return "operator \(waiting) waits" }
    guard let leader = simulator.leaderHost, let server = server(on: leader), server.replica.isLeading else {
      return "nobody leads"
    }
    let state = server.replica.committed
    for node in nodes {
      guard let known = state.node(node.id)?.value else { return "node \(node.place) is not registered" }
      guard known.status == .ready else { return "node \(node.place) is \(known.status)" }
      if known.drainStrategy != nil, !canLinger(known, state) { return "node \(node.place) is being drained" }
    }
    for (id, evaluation) in state.evaluations where evaluation.value.status == .pending {
      return "evaluation \(id) of \(evaluation.value.jobID) is pending (\(evaluation.value.triggeredBy))"
    }
    for (_, job) in state.jobs { if let found = unrest(of: job, state) { return found } }
    return machines(state)
  }

  /// A drain without a deadline waits for what only ends by itself or can't go elsewhere.
  private func canLinger(_ node: Node, _ state: StateReader) -> Bool {
    node.drainStrategy?.deadline == .zero
      && state.allocations(onNode: node.id).contains { !$0.value.isClientTerminal }
  }

  private func unrest(of job: StoredJob, _ state: StateReader) -> String? {
    let spec = job.spec.value
    let key = JobKey("default", spec.id)
    let all = state.allocations(ofJob: key).map(\.value)
    let live = all.filter { !$0.isTerminal }
    if job.isStopped {
      let left = all.filter { !$0.isClientTerminal }
      return left.isEmpty ? nil : "\(spec.id) is stopped and \(left.count) of it run"
    }
    if let starting = live.first(where: { $0.clientStatus != .running }) {
      let node = nodes.first { $0.id == starting.nodeID }
      return "\(starting.name) \(starting.id) is \(starting.clientStatus); node \(node?.place ?? -1) has it "
        + "\(node?.runs[starting.id].map { "\($0.phase)" } ?? "not"), reports \(node?.reports[starting.id].map { "\($0.clientStatus)" } ?? "nothing"), "
        + "saw the list of \(node?.index ?? 0), is \((node?.isUp ?? false) ? "up" : "down"), \((node?.isReporting ?? false) ? "reports" : "")"
    }
    let isBlocked = state.evaluations(ofJob: key).contains { $0.value.status == .blocked }
    for group in spec.taskGroups {
      let running = live.filter { $0.groupName == group.name }
      let wanted = group.count ?? 1
      switch spec.type ?? .service {
      case .service:
        if running.count == wanted { continue }
        if running.count > wanted { return "\(spec.id) has \(running.count) of \(wanted)" }
        if hasFailedDeployment(spec, state) { continue }
        if !isBlocked {
          return "\(spec.id) has \(running.count) of \(wanted) and nothing is blocked\(account(of: key, state))"
        }
        if let place = Placeability.node(for: group, of: spec, state) {
          return "\(spec.id) has \(running.count) of \(wanted) and is blocked, but would fit on \(place)"
        }
      case .batch:
        let done = all.filter { $0.clientStatus == .complete && $0.desiredStatus == .run && $0.groupName == group.name }
        if !running.isEmpty { return "\(spec.id) still runs" }
        if done.count < min(wanted, 1), wanted > 0, !isBlocked, all.isEmpty == false {
          return "\(spec.id) has done \(done.count) of \(wanted)"
        }
      default: break
      }
    }
    return nil
  }

  /// After a deployment has failed the servers place nothing of its version any more but what stands in for the lost.
  private func hasFailedDeployment(_ job: Job, _ state: StateReader) -> Bool {
    guard let deployment = state.latestDeployment(ofJob: JobKey("default", job.id))?.value else { return false }
    return deployment.status == .failed && deployment.jobVersion == job.version
  }

  /// What the servers think runs, runs; and nothing else does.
  private func machines(_ state: StateReader) -> String? {
    for node in nodes {
      for allocation in state.allocations(onNode: node.id).map(\.value) where !allocation.isClientTerminal {
        guard let run = node.runs[allocation.id], run.phase != .ended else {
          return "\(allocation.name) \(allocation.id) does not run on node \(node.place)"
        }
      }
      for (id, run) in node.runs.sorted(by: { $0.key < $1.key }) where run.phase != .ended {
        guard let known = state.allocation(id)?.value, !known.isClientTerminal else {
          return "\(run.allocation.value.name) \(id) runs on node \(node.place), and the servers think it has ended"
        }
      }
    }
    return nil
  }
}

/// Whether one more instance would fit somewhere, found out without the scheduler.
enum Placeability {
  /// A node that would take it; nil when none would.
  static func node(for group: TaskGroup, of job: Job, _ state: StateReader) -> String? {
    let demand = Demand(of: group)
    let devices = group.tasks.reduce(0) { $0 + ($1.resources?.devices.reduce(0) { $0 + Int($1.count ?? 1) } ?? 0) }
    let statics = group.networks.flatMap(\.reservedPorts).map(\.value)
    for (_, node) in state.nodes {
      let node = node.value
      guard node.status == .ready, node.schedulingEligibility == .eligible, node.drainStrategy == nil else { continue }
      let holding = state.allocations(onNode: node.id).map(\.value).filter(\.holdsResources)
      let used = holding.map { Demand(of: $0.group ?? TaskGroup(), grants: $0.grants) }
      func isLeft(_ has: Int64?, _ part: (Demand) -> Int32) -> Bool {
        used.reduce(Int64(part(demand))) { $0 + Int64(part($1)) } <= has ?? 0
      }
      guard isLeft(node.nodeResources?.cpu.cpuShares, \.cpu), isLeft(node.nodeResources?.memory.memoryMB, \.memory),
        isLeft(node.nodeResources?.disk.diskMB, \.disk)
      else { continue }
      if holding.contains(where: { $0.ports.contains { statics.contains($0.value) } }) { continue }
      let instances = node.nodeResources?.devices.reduce(0) { $0 + $1.instances.count } ?? 0
      let given = holding.reduce(0) {
        $0 + $1.grants.values.reduce(0) { $0 + $1.devices.reduce(0) { $0 + $1.deviceIDs.count } }
      }
      if devices > instances - given { continue }
      return node.name
    }
    return nil
  }
}
