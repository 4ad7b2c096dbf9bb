import Codec
import Model
import Raft
import Replica
import Scheduler
import State

/// A whole cluster: servers with scheduler and duties, worker nodes with agents that run allocations, and operators who
/// register, scale, update and stop jobs, drain nodes and keep variables.
final class ClusterWorkload: Workload {
  unowned let simulator: Simulator
  var nodes: [SimulatedNode] = []
  var operators: [Operator]
  var calls: [Int: Call] = [:]
  private var nextCall = 1
  var histories = [History](repeating: History(), count: ClusterWorkload.variables)
  var nextValue: UInt64 = 1
  var check: StateCheck
  /// The highest index that somebody was told is done.
  private var acknowledged: UInt64 = 0
  /// By host: up to where entries were compared.
  private var compared: [UInt64]
  /// When the whole was last looked at.
  var lastLook: UInt64 = 0
  /// Identifiers that servers' endpoints draw.
  var serverBits: RandomBits

  static let variables = 4
  static let jobs = 6
  /// How long a client waits for an answer.
  static let patience: UInt64 = 2_000_000_000
  /// A state is hashed at every so many indexes.
  private static let hashEvery: UInt64 = 8

  init(_ simulator: Simulator, nodes: Int, operators: Int) {
    self.simulator = simulator
    self.operators = [Operator](repeating: Operator(), count: operators)
    compared = [UInt64](repeating: 0, count: simulator.plan.hosts)
    check = StateCheck()
    serverBits = RandomBits(seed: simulator.random.next())
    for place in 0..<nodes { self.nodes.append(SimulatedNode(place: place, random: &simulator.random)) }
  }

  var now: UInt64 { simulator.now }

  func server(on host: Host) -> ReplicaServer? { host.server as? ReplicaServer }

  func later(_ event: WorkloadEvent, after wait: UInt64) { simulator.queue.put(.workload(event), at: now + wait) }

  // MARK: servers

  func makeServer(
    on host: Host, incarnation: Incarnation, limits: Limits, recovered: RaftCore.Recovered, snapshot: [UInt8]?,
    at moment: Moment
  ) -> any SimulatedServer {
    var configuration = ReplicaConfiguration()
    configuration.limits = limits
    configuration.snapshotEntries = simulator.plan.snapshotEvery
    configuration.duties.minHeartbeatTTL = .seconds(1)
    configuration.duties.heartbeatGrace = .seconds(1)
    configuration.duties.gcInterval = .seconds(7)
    configuration.duties.evalGCThreshold = .seconds(5)
    configuration.duties.batchEvalGCThreshold = .seconds(5)
    configuration.duties.deploymentGCThreshold = .seconds(5)
    configuration.duties.jobGCThreshold = .seconds(9)
    var state = State()
    if let snapshot {
      if let read = State(encoded: snapshot) {
        state = read
      } else {
        simulator.checker.fail("server \(host.id) can't read its own snapshot")
      }
    }
    let instant = Instant(moment)
    compared[host.place] = recovered.snapshot?.position.index ?? recovered.base.index
    let replica = Replica(
      id: host.id, incarnation: incarnation, configuration: configuration, recovered: recovered, state: state,
      random: RandomBits(seed: moment.jitter ^ 0x5EED), at: instant)
    return ReplicaServer(replica, at: instant)
  }

  func started(_ host: Host) { checkHash(host) }

  func crashed(_ host: Host) {
    // Whoever waits there hears nothing any more, until patience ends.
  }

  func handle(_ event: Output.Event, on host: Host) {}

  func handle(_ effect: Effect, on host: Host) {
    switch effect {
    case .publication(.applied(let applied)): published(applied, host)
    case .publication(.replaced):
      compared[host.place] = max(compared[host.place], server(on: host)?.applied ?? 0)
      checkHash(host)
    case .failure(let token, let failure): failed(Int(token), failure)
    case .readAnswer(let read): readAnswered(Int(read.token), read.isConfirmed, host)
    case .committed, .read, .replaced: break
    }
  }

  private func published(_ applied: Applied, _ host: Host) {
    compareEntries(host)
    if check.index < applied.position.index {
      if let found = check.look(at: applied.reader, index: applied.position.index, changes: applied.changes) {
        simulator.checker.fail("entry \(applied.position.index): \(found)")
      }
    }
    if applied.position.index % Self.hashEvery == 0 {
      simulator.checker.state(at: applied.position.index, is: checksum(applied.reader.encoded), on: host.id)
    }
    guard let token = applied.token, calls[Int(token)] != nil else { return }
    acknowledged = max(acknowledged, applied.position.index)
    reply(Int(token), .done(index: applied.position.index))
  }

  /// What a server applies stands in its log, and must be what stands in the others'.
  private func compareEntries(_ host: Host) {
    guard let server = server(on: host) else { return }
    let entries = host.disk.safe.entries
    let base = host.disk.safe.base.index
    var index = max(compared[host.place], base) + 1
    while index <= server.applied, index - base <= UInt64(entries.count) {
      simulator.checker.applied(entries[Int(index - base) - 1], by: host.id, inTerm: server.replica.core.term)
      index += 1
    }
    compared[host.place] = max(compared[host.place], index - 1)
  }

  private func checkHash(_ host: Host) {
    guard let server = server(on: host), server.applied > 0 else { return }
    simulator.checker.state(at: server.applied, is: checksum(server.replica.committed.encoded), on: host.id)
  }

  private func failed(_ token: Int, _ failure: ProposalFailure) {
    switch failure {
    case .notLeader(let leader): reply(token, .redirect(leader.map { Int($0.rawValue) - 1 }))
    case .transferring(let target): reply(token, .redirect(Int(target.rawValue) - 1))
    case .busy, .storage, .overruled, .tooLarge: reply(token, .redirect(nil))
    case .refused(let error): reply(token, .refused(error))
    case .uncertain:
      simulator.result.coverage.note(.unknownOutcome)
      reply(token, .unknown)
    }
  }

  private func readAnswered(_ token: Int, _ isConfirmed: Bool, _ host: Host) {
    guard let call = calls[token], case .readVariable(let key) = call.request, let server = server(on: host) else {
      return
    }
    guard isConfirmed else { return reply(token, .redirect(nil)) }
    if server.replica.core.role != .leader {
      simulator.result.coverage.note(.readAtFollower)
    } else {
      simulator.result.coverage.note(simulator.plan.usesLease ? .readByLease : .readByRound)
    }
    let stored = server.replica.committed.variable(key)
    reply(token, .variable(value: stored.value, index: stored.index))
  }

  // MARK: calls

  func call(_ request: CallRequest, from caller: Caller, to host: Int) {
    let number = nextCall
    nextCall += 1
    calls[number] = Call(caller: caller, request: request, host: host)
    later(.call(number), after: travel())
    later(.expired(number), after: Self.patience)
  }

  private func travel() -> UInt64 { simulator.random.between(50_000, 1_500_000) }

  /// Whether what a node and a server say to each other is lost.
  private func isCut(_ caller: Caller) -> Bool {
    if case .node(let place, _) = caller { return nodes[place].cutUntil > now }
    return false
  }

  func reply(_ number: Int, _ answer: CallAnswer) {
    guard let call = calls[number], !isCut(call.caller) else { return }
    later(.answer(number, answer), after: travel())
  }

  private func arrived(_ number: Int) {
    guard let call = calls[number], !isCut(call.caller) else { return }
    let host = simulator.hosts[call.host]
    guard host.server != nil else { return redirect(number, to: nil) }
    if host.pausedUntil > now {
      simulator.queue.put(.workload(.call(number)), at: host.pausedUntil)
      return
    }
    serve(number, call, host)
  }

  /// Asks again where the last one said, or anywhere.
  private func redirect(_ number: Int, to host: Int?) {
    guard var call = calls[number] else { return }
    call.redirects += 1
    call.host = host ?? simulator.random.below(simulator.hosts.count)
    calls[number] = call
    later(.call(number), after: travel() + (host == nil || call.redirects > 4 ? 50_000_000 : 0))
  }

  func handle(_ event: WorkloadEvent) {
    switch event {
    case .call(let number): arrived(number)
    case .answer(let number, .redirect(let host)): redirect(number, to: host)
    case .answer(let number, let answer):
      guard let call = calls.removeValue(forKey: number) else { return }
      deliver(call, answer)
    case .expired(let number):
      guard let call = calls.removeValue(forKey: number) else { return }
      deliver(call, .unknown)
    case .node(let place, let epoch, let event): happen(event, on: place, epoch)
    case .operate(let number): operate(number)
    case .request, .response, .think, .giveUp: break
    }
  }

  private func deliver(_ call: Call, _ answer: CallAnswer) {
    switch call.caller {
    case .node(let place, let epoch):
      guard nodes[place].epoch == epoch, nodes[place].isUp else { return }
      answered(call, answer, on: place)
    case .operator_(let number): answered(call, answer, operator: number)
    }
  }

  // MARK: the whole

  func begin() {
    for place in nodes.indices {
      nodes[place].host = simulator.random.below(simulator.hosts.count)
      start(agent: place)
    }
    for number in operators.indices { later(.operate(number), after: simulator.random.below(3_000_000_000 as UInt64)) }
  }

  func heal() {
    for host in simulator.hosts { host.clock.setWall(error: 0) }
    for place in nodes.indices {
      nodes[place].cutUntil = 0
      if !nodes[place].isUp { start(agent: place) }
    }
  }

  func inject(_ fault: WorkloadFault) {
    switch fault {
    case .killMachine(let place, let wait):
      guard nodes[place].isUp else { return }
      simulator.result.coverage.note(.machineKilled)
      stop(agent: place, wait)
      for id in nodes[place].runs.keys.sorted() where nodes[place].runs[id]?.phase != .ended {
        nodes[place].runs[id]?.phase = .ended
        nodes[place].runs[id]?.hasFailed = true
        note(id, on: place)
      }
    case .killAgent(let place, let wait):
      guard nodes[place].isUp else { return }
      simulator.result.coverage.note(.agentKilled)
      stop(agent: place, wait)
    case .cutNode(let place, let time): nodes[place].cutUntil = now + time
    case .failTask(let place):
      let running = nodes[place].runs.filter { $0.value.phase == .running }.keys.sorted()
      guard nodes[place].isUp, !running.isEmpty else { return }
      simulator.result.coverage.note(.taskFailed)
      end(running[simulator.random.below(running.count)], on: place, failed: true)
    case .setWall(let host, let error):
      simulator.result.coverage.note(.wallClockSet)
      simulator.hosts[host].clock.setWall(error: error)
      simulator.give([.tick], to: simulator.hosts[host])
    }
  }

  func finish() -> Bool {
    for host in simulator.hosts { compareEntries(host) }
    if let leader = simulator.leaderHost, let server = server(on: leader), server.replica.isLeading,
      server.applied < acknowledged
    {
      simulator.checker.fail("\(acknowledged) was acknowledged, the leader's state ends at \(server.applied)")
    }
    var isDecided = true
    for (key, history) in histories.enumerated() {
      switch history.check() {
      case .linearizable: break
      case .violated: simulator.checker.fail("the history of variable \(key) is not linearizable")
      case .undecided: isDecided = false
      }
    }
    for host in simulator.hosts {
      guard let server = server(on: host), server.replica.halt == nil else { continue }
      if let found = StateCheck.columns(of: server.replica.state) {
        simulator.checker.fail("server \(host.id): \(found)")
      }
    }
    return isDecided
  }
}

extension StateReader {
  /// The number in a variable of the simulation, and the index at which it was written; 0 when there is none.
  func variable(_ key: Int) -> (value: UInt64, index: UInt64) {
    guard let stored = variables[VariableKey("default", "v/\(key)")], stored.value.sealed.bytes.count == 8 else {
      return (0, 0)
    }
    return (number(stored.value.sealed.bytes, 0), stored.value.modifyIndex)
  }
}
