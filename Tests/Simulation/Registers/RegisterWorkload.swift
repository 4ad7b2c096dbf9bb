import Raft

/// Clients that read and write registers, and their histories.
final class RegisterWorkload: Workload {
  private struct Client {
    var operation = 0
    var key = 0
    var what = Operation.read
    var began: UInt64 = 0
    var target = 0
    var isWaiting = false
  }

  private unowned let simulator: Simulator
  private var clients: [Client]
  private var histories = [History](repeating: History(), count: KeyValueMachine.keys)
  private var nextValue: UInt64 = 1

  init(_ simulator: Simulator, clients: Int) {
    self.simulator = simulator
    self.clients = [Client](repeating: Client(), count: clients)
  }

  private var bug: ShellBug? { simulator.bug }
  private var plan: Plan { simulator.plan }
  private var now: UInt64 { simulator.now }
  private var hosts: [Host] { simulator.hosts }

  private func server(on host: Host) -> RegisterServer? { host.server as? RegisterServer }

  // MARK: servers

  func makeServer(
    on host: Host, incarnation: Incarnation, limits: Limits, recovered: RaftCore.Recovered, snapshot: [UInt8]?,
    at moment: Moment
  ) -> any SimulatedServer {
    RegisterServer(
      core: RaftCore(
        id: host.id, incarnation: incarnation, limits: limits, recovered: recovered, now: moment.monotonic,
        jitter: moment.jitter),
      recovered: recovered, snapshot: snapshot, snapshotEvery: plan.snapshotEvery, bug: bug)
  }

  func started(_ host: Host) { checkState(host) }
  func crashed(_ host: Host) {}
  func inject(_ fault: WorkloadFault) {}
  func heal() {}

  private func checkState(_ host: Host) {
    guard let server = server(on: host) else { return }
    simulator.checker.state(at: server.machine.applied, is: server.machine.hash, on: host.id)
  }

  func handle(_ effect: Effect, on host: Host) {
    guard let server = server(on: host) else { return }
    switch effect {
    case .committed(let entry): apply(entry, server, host)
    case .read(let result): answer(result, server)
    case .replaced: checkState(host)
    case .publication, .failure, .readAnswer: break
    }
  }

  func handle(_ event: Output.Event, on host: Host) {
    guard case .uncertain(let index) = event, let server = server(on: host) else { return }
    for (place, proposal) in server.proposals.sorted(by: { $0.key < $1.key }) where place > index {
      server.proposals[place] = nil
      respond(proposal.client, proposal.operation, .unknown)
    }
  }

  private func apply(_ entry: Entry, _ server: RegisterServer, _ host: Host) {
    let outcome = server.apply(entry)
    simulator.checker.applied(entry, by: host.id, inTerm: server.core.term)
    checkState(host)
    if let proposal = server.proposals.removeValue(forKey: entry.index) {
      if proposal.term == entry.term, let outcome {
        respond(proposal.client, proposal.operation, .done(outcome))
      } else {
        // Another leader's entry took the place: this one never happens.
        respond(proposal.client, proposal.operation, .unknown)
      }
    }
    if !server.readyReads.isEmpty { answerReadyReads(server) }
  }

  private func answer(_ read: Output.ReadResult, _ server: RegisterServer) {
    guard let origin = server.reads.removeValue(forKey: read.id) else { return }
    guard let index = read.index else {
      respond(origin.client, origin.operation, .redirect(nil))
      return
    }
    if server.core.role != .leader {
      simulator.result.coverage.note(.readAtFollower)
    } else if !plan.usesLease {
      simulator.result.coverage.note(.readByRound)
    }
    server.readyReads.append((bug == .readsWithoutWaiting ? 0 : index, origin.client, origin.operation))
    answerReadyReads(server)
  }

  private func answerReadyReads(_ server: RegisterServer) {
    for read in server.readyReads where read.index <= server.machine.applied {
      respond(read.client, read.operation, .done(.value(server.machine.values[clients[read.client].key])))
    }
    server.readyReads.removeAll { $0.index <= server.machine.applied }
  }

  // MARK: clients

  func begin() {
    for client in clients.indices {
      simulator.queue.put(.workload(.think(client: client)), at: simulator.random.below(200_000_000 as UInt64))
    }
  }

  func handle(_ event: WorkloadEvent) {
    switch event {
    case .request(let client, let operation, let host): request(client, operation, hosts[host])
    case .response(let client, let operation, let answer): response(client, operation, answer)
    case .think(let client): begin(client)
    case .giveUp(let client, let operation):
      guard clients[client].operation == operation, clients[client].isWaiting else { return }
      if bug == .repeatsWrites, clients[client].what != .read {
        ask(client, simulator.random.below(hosts.count), after: 0)
        simulator.queue.put(.workload(event), at: now + 1_000_000_000)
      } else {
        finish(client, nil)
      }
    case .call, .answer, .expired, .node, .operate: break
    }
  }

  private func begin(_ client: Int) {
    guard !clients[client].isWaiting, !simulator.isHealing || now < plan.duration + 900_000_000 else { return }
    clients[client].operation += 1
    clients[client].key = simulator.random.below(KeyValueMachine.keys)
    clients[client].began = now
    clients[client].isWaiting = true
    nextValue += 1
    let kind = simulator.random.below(10)
    switch kind {
    case 0..<4: clients[client].what = .read
    case 4..<7: clients[client].what = .write(nextValue)
    case 7..<9: clients[client].what = .add(1 << 32)
    default:
      let values =
        server(on: hosts[simulator.random.below(hosts.count)])?.machine.values
        ?? [UInt64](repeating: 0, count: KeyValueMachine.keys)
      clients[client].what = .swap(expected: values[clients[client].key], new: nextValue)
    }
    ask(client, clients[client].target, after: 0)
    simulator.queue.put(
      .workload(.giveUp(client: client, operation: clients[client].operation)), at: now + 1_000_000_000)
  }

  private func ask(_ client: Int, _ host: Int, after wait: UInt64) {
    clients[client].target = host
    let time = now + wait + simulator.random.between(50_000, 1_000_000)
    simulator.queue.put(.workload(.request(client: client, operation: clients[client].operation, host: host)), at: time)
  }

  private func request(_ client: Int, _ operation: Int, _ host: Host) {
    guard clients[client].operation == operation, clients[client].isWaiting else { return }
    guard let server = server(on: host) else {
      respond(client, operation, .redirect(nil))
      return
    }
    guard host.pausedUntil <= now else {
      simulator.queue.put(
        .workload(.request(client: client, operation: operation, host: host.place)), at: host.pausedUntil)
      return
    }
    let (key, what) = (clients[client].key, clients[client].what)
    if what == .read {
      if bug == .readsLocally, server.core.role == .leader {
        respond(client, operation, .done(.value(server.machine.values[key])))
        return
      }
      let id = server.nextRead
      server.nextRead += 1
      server.reads[id] = (client, operation)
      simulator.order(host) { _, moment in server.read(id, plan.usesLease ? .lease : .linearizable, at: moment) }
      if plan.usesLease, server.reads[id] == nil, server.core.role == .leader,
        server.core.membership.membership.voters.count > 1
      {
        simulator.result.coverage.note(.readByLease)
      }
      return
    }
    simulator.order(host) { _, moment in
      switch server.propose(Proposal(kind: 1, bytes: what.encoded(key: key)), at: moment) {
      case .success(let index):
        server.proposals[index] = (server.core.term, client, operation)
        if bug == .answersBeforeCommit {
          var value = server.machine.values[key]
          respond(client, operation, .done(what.apply(to: &value)))
        }
      case .failure(.notLeader(let leader)):
        respond(client, operation, .redirect(leader.map { Int($0.rawValue) - 1 }))
      case .failure: respond(client, operation, .redirect(nil))
      }
    }
  }

  private func respond(_ client: Int, _ operation: Int, _ answer: Answer) {
    simulator.queue.put(
      .workload(.response(client: client, operation: operation, answer)),
      at: now + simulator.random.between(50_000, 1_000_000))
  }

  private func response(_ client: Int, _ operation: Int, _ answer: Answer) {
    guard clients[client].operation == operation, clients[client].isWaiting else { return }
    switch answer {
    case .redirect(let host):
      ask(client, host ?? simulator.random.below(hosts.count), after: host == nil ? 30_000_000 : 0)
    case .unknown:
      simulator.result.coverage.note(.unknownOutcome)
      if bug == .repeatsWrites {
        ask(client, simulator.random.below(hosts.count), after: 0)
      } else {
        finish(client, nil)
      }
    case .done(let outcome):
      simulator.result.acknowledged += 1
      finish(client, outcome)
    }
  }

  /// Writes the operation into the history. Without an outcome it may have happened or may yet.
  private func finish(_ client: Int, _ outcome: Outcome?) {
    let what = clients[client]
    clients[client].isWaiting = false
    histories[what.key].calls.append(
      History.Call(operation: what.what, began: what.began, ended: outcome == nil ? nil : now, outcome: outcome))
    simulator.note("client \(client) \(what.what) of \(what.key): \(outcome.map { "\($0)" } ?? "unknown")")
    simulator.queue.put(.workload(.think(client: client)), at: now + simulator.random.between(1_000_000, 60_000_000))
  }

  // MARK: looking

  var isAtRest: Bool { clients.allSatisfy { !$0.isWaiting } }

  var restlessness: String { "waiting clients \(clients.count { $0.isWaiting })" }

  func finish() -> Bool {
    var isDecided = true
    for (key, history) in histories.enumerated() {
      switch history.check() {
      case .linearizable: break
      case .violated: simulator.checker.fail("the history of register \(key) is not linearizable")
      case .undecided: isDecided = false
      }
    }
    return isDecided
  }
}
