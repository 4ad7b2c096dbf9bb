import Raft

extension Simulator {
  func begin(_ client: Int) {
    guard !clients[client].isWaiting, !isHealing || now < plan.duration + 900_000_000 else { return }
    clients[client].operation += 1
    clients[client].key = random.below(KeyValueMachine.keys)
    clients[client].began = now
    clients[client].isWaiting = true
    nextValue += 1
    let kind = random.below(10)
    switch kind {
    case 0..<4: clients[client].what = .read
    case 4..<7: clients[client].what = .write(nextValue)
    case 7..<9: clients[client].what = .add(1 << 32)
    default:
      let values = hosts[random.below(hosts.count)].machine.values
      clients[client].what = .swap(expected: values[clients[client].key], new: nextValue)
    }
    ask(client, clients[client].target, after: 0)
    queue.put(.giveUp(client: client, operation: clients[client].operation), at: now + 1_000_000_000)
  }

  func ask(_ client: Int, _ host: Int, after wait: UInt64) {
    clients[client].target = host
    let time = now + wait + random.between(50_000, 1_000_000)
    queue.put(.request(client: client, operation: clients[client].operation, host: host), at: time)
  }

  func request(_ client: Int, _ operation: Int, _ host: Host) {
    guard clients[client].operation == operation, clients[client].isWaiting else { return }
    guard let core = host.core else {
      respond(client, operation, .redirect(nil))
      return
    }
    guard host.pausedUntil <= now else {
      queue.put(.request(client: client, operation: operation, host: host.place), at: host.pausedUntil)
      return
    }
    let (key, what) = (clients[client].key, clients[client].what)
    if what == .read {
      if bug == .readsLocally, core.role == .leader {
        respond(client, operation, .done(.value(host.machine.values[key])))
        return
      }
      let id = host.nextRead
      host.nextRead += 1
      host.reads[id] = (client, operation)
      withCore(host) { core, now, jitter in
        core.read(id: id, plan.usesLease ? .lease : .linearizable, now: now, jitter: jitter)
      }
      if plan.usesLease, host.reads[id] == nil, let core = host.core, core.role == .leader,
        core.membership.membership.voters.count > 1
      {
        result.coverage.note(.readByLease)
      }
      return
    }
    withCore(host) { core, now, jitter in
      switch core.propose([Proposal(kind: 1, bytes: what.encoded(key: key))], now: now, jitter: jitter) {
      case .success(let index):
        host.proposals[index] = (core.term, client, operation)
        if bug == .answersBeforeCommit {
          var value = host.machine.values[key]
          respond(client, operation, .done(what.apply(to: &value)))
        }
      case .failure(.notLeader(let leader)):
        respond(client, operation, .redirect(leader.map { Int($0.rawValue) - 1 }))
      case .failure: respond(client, operation, .redirect(nil))
      }
    }
  }

  func respond(_ client: Int, _ operation: Int, _ answer: Answer) {
    queue.put(
      .response(client: client, operation: operation, answer), at: now + random.between(50_000, 1_000_000))
  }

  func response(_ client: Int, _ operation: Int, _ answer: Answer) {
    guard clients[client].operation == operation, clients[client].isWaiting else { return }
    switch answer {
    case .redirect(let host):
      ask(client, host ?? random.below(hosts.count), after: host == nil ? 30_000_000 : 0)
    case .unknown:
      result.coverage.note(.unknownOutcome)
      if bug == .repeatsWrites { ask(client, random.below(hosts.count), after: 0) } else { finish(client, nil) }
    case .done(let outcome):
      result.acknowledged += 1
      finish(client, outcome)
    }
  }

  /// Writes the operation into the history. Without an outcome it may have happened or may yet.
  func finish(_ client: Int, _ outcome: Outcome?) {
    let what = clients[client]
    clients[client].isWaiting = false
    checker.histories[what.key].calls.append(
      History.Call(operation: what.what, began: what.began, ended: outcome == nil ? nil : now, outcome: outcome))
    note("client \(client) \(what.what) of \(what.key): \(outcome.map { "\($0)" } ?? "unknown")")
    queue.put(.think(client: client), at: now + random.between(1_000_000, 60_000_000))
  }
}
