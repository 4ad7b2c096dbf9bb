import Codec
import Model
import Raft
import Replica
import Scheduler
import State

/// The servers' side of calls: what the shell makes of a request.
extension ClusterWorkload {
  func serve(_ number: Int, _ call: Call, _ host: Host) {
    guard let server = server(on: host) else { return }
    switch call.request {
    case .watch(let place):
      // Any server answers, however far it lags.
      let reader = server.replica.committed
      reply(number, .allocations(index: server.applied, reader.allocations(onNode: nodes[place].id)))
    case .readVariable(let key) where simulator.bug == .readsAnywhere:
      let stored = server.replica.committed.variable(key)
      reply(number, .variable(value: stored.value, index: stored.index))
    case .readVariable:
      simulator.order(host) { _, moment in
        server.read(token: UInt64(number), simulator.plan.usesLease ? .lease : .linearizable, at: moment)
      }
    case .heartbeat(let place): heartbeat(number, place, server, host)
    case .registerNode(let place):
      var payload = NodeRegistration()
      payload.node = nodes[place].registration
      propose(number, server, host) { state in
        payload.evaluations = self.systemEvaluations(state)
        return .nodeRegistration(payload)
      }
    case .report(let place, let updates):
      propose(number, server, host) { state in self.reports(updates, from: self.nodes[place].id, state) }
    case .change(.collectGarbage):
      guard server.replica.isLeading else { return reply(number, .redirect(nil)) }
      server.collectGarbage()
      simulator.give([], to: host)
      reply(number, .done(index: 0))
    case .change(let change): propose(number, server, host) { state in self.entry(for: change, state, host) }
    }
  }

  /// `make` sees the state with everything that is on its way; nil for what makes no sense there.
  private func propose(_ number: Int, _ server: ReplicaServer, _ host: Host, _ make: (StateReader) -> LogEntry?) {
    guard server.replica.isLeading else {
      let leader = server.core.leader.map { Int($0.rawValue) - 1 }
      return reply(number, .redirect(leader == host.place ? nil : leader))
    }
    simulator.order(host) { _, moment in
      guard let entry = make(server.replica.state.reader) else {
        reply(number, .refused(.malformed("there is nothing to do")))
        return
      }
      server.propose(entry, token: UInt64(number), at: moment)
      if simulator.bug == .answersChangesBeforeCommit {
        reply(number, .done(index: server.replica.core.last.index + 1))
      }
    }
  }

  private func heartbeat(_ number: Int, _ place: Int, _ server: ReplicaServer, _ host: Host) {
    guard server.replica.isLeading else {
      let leader = server.core.leader.map { Int($0.rawValue) - 1 }
      return reply(number, .redirect(leader == host.place ? nil : leader))
    }
    let id = nodes[place].id
    guard let node = server.replica.state.reader.node(id)?.value else {
      return reply(number, .heartbeat(.seconds(1), isKnown: false))
    }
    simulator.order(host) { _, moment in
      let ttl = server.beat(id, at: moment) ?? .seconds(1)
      if node.status == .ready || simulator.bug == .ignoresReturningNodes {
        reply(number, .heartbeat(ttl, isKnown: true))
        return
      }
      var payload = NodeStatusUpdate()
      var change = NodeStatusChange()
      change.node = id
      change.status = .ready
      change.message = "Node reregistered by heartbeat"
      payload.updates = [change]
      payload.evaluations = systemEvaluations(server.replica.state.reader)
      server.propose(.nodeStatusUpdate(payload), token: UInt64(number), at: moment)
    }
  }

  /// One evaluation for every job that wants an instance on each node.
  private func systemEvaluations(_ state: StateReader) -> [Evaluation] {
    state.jobs.compactMap { _, job in
      guard !job.isStopped, job.spec.value.runsOnEveryNode else { return nil }
      return evaluation(of: job.spec.value, .nodeUpdate)
    }
  }

  private func evaluation(of job: Job, _ trigger: EvaluationTrigger) -> Evaluation {
    Evaluation(of: job, because: trigger, random: &simulator.random)
  }

  private func reports(_ updates: [AllocationStatusChange], from node: Identifier, _ state: StateReader) -> LogEntry? {
    var payload = AllocationClientUpdates()
    var jobs: [JobKey: EvaluationTrigger] = [:]
    for update in updates {
      guard let allocation = state.allocation(update.id)?.value, allocation.nodeID == node else { continue }
      payload.updates.append(update)
      let isOver = [.failed, .complete, .lost].contains(update.clientStatus) && !allocation.isClientTerminal
      let isUnhealthy = update.deploymentStatus?.healthy == false && allocation.deploymentStatus?.healthy != false
      if isOver || isUnhealthy { jobs[allocation.jobKey] = .allocFailure }
      let isBack = allocation.clientStatus == .unknown && update.clientStatus != .unknown
      if isBack, jobs[allocation.jobKey] == nil { jobs[allocation.jobKey] = .reconnect }
    }
    for (key, trigger) in jobs.sorted(by: { $0.key < $1.key }) {
      guard let job = state.job(key)?.spec.value else { continue }
      payload.evaluations.append(evaluation(of: job, trigger))
    }
    return .allocationClientUpdates(payload)
  }

  private func entry(for change: CallRequest.Change, _ state: StateReader, _ host: Host) -> LogEntry? {
    func key(_ id: String) -> JobKey { JobKey("default", id) }
    switch change {
    case .register(let job):
      var payload = JobRegistration()
      payload.job = job
      payload.job.submitTime = host.clock.wall(now)
      payload.evaluations = [evaluation(of: job, .jobRegister)]
      return .jobRegistration(payload)
    case .scale(let id, let count):
      guard let job = state.job(key(id)), !job.isStopped else { return nil }
      var payload = JobScaling()
      payload.namespace = "default"
      payload.jobID = id
      payload.group = job.spec.value.taskGroups[0].name
      payload.event.count = Int64(count)
      payload.evaluations = [evaluation(of: job.spec.value, .jobScaling)]
      return .jobScaling(payload)
    case .stop(let id, let purge):
      guard let job = state.job(key(id)) else { return nil }
      var payload = JobDeregistration()
      payload.namespace = "default"
      payload.jobID = id
      payload.purge = purge
      payload.evaluations = [evaluation(of: job.spec.value, .jobDeregister)]
      return .jobDeregistration(payload)
    case .drain(let place, let deadline):
      guard let node = state.node(nodes[place].id) else { return nil }
      var payload = NodeDrainUpdate()
      payload.node = node.value.id
      var strategy = DrainStrategy()
      strategy.deadline = deadline
      if deadline > .zero {
        strategy.forceDeadline = Timestamp(nanoseconds: host.clock.wall(now)) + deadline
      }
      payload.strategy = strategy
      payload.evaluations = nodeEvaluations(node.value.id, state, random: &serverBits)
      return .nodeDrainUpdate(payload)
    case .endDrain(let place):
      guard let node = state.node(nodes[place].id), node.value.drainStrategy != nil else { return nil }
      var payload = NodeDrainUpdate()
      payload.node = node.value.id
      payload.markEligible = true
      payload.evaluations = systemEvaluations(state)
      return .nodeDrainUpdate(payload)
    case .setEligible(let place, let isEligible):
      guard let node = state.node(nodes[place].id), node.value.drainStrategy == nil else { return nil }
      var payload = NodeEligibilityUpdate()
      payload.node = node.value.id
      payload.eligibility = isEligible ? .eligible : .ineligible
      if isEligible { payload.evaluations = systemEvaluations(state) }
      return .nodeEligibilityUpdate(payload)
    case .stopAllocation(let id):
      guard let allocation = state.allocations(ofJob: key(id)).first(where: { !$0.value.isTerminal }) else {
        return nil
      }
      var payload = AllocationTransitions()
      payload.allocations = [allocation.value.id]
      payload.transition.migrate = true
      payload.evaluations = [evaluation(of: allocation.value.job.value, .allocStop)]
      return .allocationTransitions(payload)
    case .writeVariable(let place, let value): return .variableChange(variable(place, value))
    case .swapVariable(let place, let value, let index):
      var payload = variable(place, value)
      payload.expectedIndex = index
      return .variableChange(payload)
    case .collectGarbage: return nil
    }
  }

  private func variable(_ place: Int, _ value: UInt64) -> VariableChange {
    var payload = VariableChange()
    payload.namespace = "default"
    payload.path = "v/\(place)"
    payload.sealed = Blob(octets(value))
    return payload
  }
}
