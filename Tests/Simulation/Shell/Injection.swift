import Raft

extension Simulator {
  var leaderHost: Host? {
    hosts.filter { $0.core?.role == .leader }.max { ($0.core?.term ?? 0) < ($1.core?.term ?? 0) }
  }

  /// Makes a fault happen, and later its end: both are events of the plan's numbering, the end a closure of time only.
  func inject(_ fault: Fault, _ number: Int) {
    note("fault: \(fault)")
    switch fault {
    case .crash(let host, let after): orderCrash(hosts[host], after)
    case .crashLeader(let after): if let leader = leaderHost { orderCrash(leader, after) }
    case .crashAll(let after): for host in hosts { orderCrash(host, after) }
    case .partition(let mask, let time):
      for one in hosts.indices {
        for other in hosts.indices where (mask >> one) & 1 != (mask >> other) & 1 { cut[one][other] = now + time }
      }
    case .oneWay(let from, let to, let time): cut[from][to] = now + time
    case .isolateLeader(let time):
      guard let leader = leaderHost?.place else { return }
      for other in hosts.indices where other != leader {
        cut[leader][other] = now + time
        cut[other][leader] = now + time
      }
    case .slowDisk(let host, let time):
      hosts[host].disk.syncTime = (5_000_000, 150_000_000)
      ending.append((now + time, .speedUp(host)))
    case .fullDisk(let host, let time):
      hosts[host].disk.isFull = true
      ending.append((now + time, .free(host)))
    case .pause(let host, let time): hosts[host].pausedUntil = now + time
    case .pauseLeader(let time): leaderHost?.pausedUntil = now + time
    case .drift(let host, let millionths):
      hosts[host].clock.setDrift(millionths, at: now)
      if millionths != 0 { result.coverage.note(.clockDrift) }
    case .jump(let host, let amount):
      hosts[host].clock.jump(by: amount, at: now)
      result.coverage.note(.clockJump)
      give([.tick], to: hosts[host])
    case .transfer(let place):
      guard let leader = leaderHost else { return }
      order(leader) { server, moment in
        let answer = server.transferLeadership(to: hosts[place].id, at: moment)
        if case .success = answer { result.coverage.note(.leadershipTransfer) }
      }
    case .change(let voters, let learners): change(voters, learners)
    case .snapshot(let host):
      takeSnapshot(hosts[host], isForced: true)
      startSync(hosts[host])
    case .olderDisk(let host, let after): rollBack(hosts[host], after, number)
    case .workload(let fault): workload.inject(fault)
    }
    scheduleEnd()
  }

  /// The process stops after handling a few more outputs.
  private func orderCrash(_ host: Host, _ after: UInt64) {
    guard host.server != nil else { return }
    ending.append((now + after, .start(host.place)))
    if random.chance(500) { crash(host) } else { host.outputsLeft = random.below(12) }
  }

  private func change(_ voters: Int, _ learners: Int) {
    guard let leader = leaderHost else { return }
    var members: [Member] = []
    for host in hosts {
      let isVoter = (voters >> host.place) & 1 == 1
      guard isVoter || (learners >> host.place) & 1 == 1 else { continue }
      members.append(Member(id: host.id, address: "host\(host.place):4647", role: isVoter ? .voter : .learner))
    }
    order(leader) { server, moment in
      let answer = server.changeMembership(to: Membership(members), at: moment)
      if case .success = answer { result.coverage.note(.membershipChange) }
      note("change to \(members.map { "\($0.id)\($0.role == .voter ? "" : "l")" }): \(answer)")
    }
  }

  /// The first time the disk is remembered, the second time the server comes back with that. Once in a run: who lost two
  /// disks lost data.
  private func rollBack(_ host: Host, _ after: UInt64, _ number: Int) {
    guard !hasRolledBack else { return }
    guard let old = host.disk.old else {
      host.disk.old = host.disk.safe
      queue.put(.fault(number), at: now + 700_000_000)
      return
    }
    hasRolledBack = true
    crash(host)
    host.disk.safe = old
    host.disk.syncing = []
    host.disk.queued = []
    ending.append((now + after, .start(host.place)))
  }

  // MARK: ends

  enum End {
    case start(Int)
    case speedUp(Int)
    case free(Int)
  }

  func scheduleEnd() {
    guard let next = ending.map(\.time).min() else { return }
    queue.put(.ends, at: next)
  }

  func endFaults() {
    let due = ending.filter { $0.time <= now }
    ending.removeAll { $0.time <= now }
    for (_, end) in due {
      switch end {
      case .start(let host):
        hosts[host].outputsLeft = nil
        start(hosts[host])
      case .speedUp(let host): hosts[host].disk.syncTime = (50_000, 500_000)
      case .free(let host): freeDisk(hosts[host])
      }
    }
    scheduleEnd()
  }

  /// From here on nothing goes wrong any more.
  func heal() {
    isHealing = true
    note("faults end")
    for host in hosts.indices {
      cut[host] = [UInt64](repeating: 0, count: hosts.count)
      hosts[host].outputsLeft = nil
      hosts[host].pausedUntil = 0
      hosts[host].disk.syncTime = (50_000, 500_000)
      freeDisk(hosts[host])
      start(hosts[host])
    }
    ending = []
    workload.heal()
  }

  // MARK: rest

  /// One leader, whose members all have applied what it has committed, and nobody waits.
  var isAtRest: Bool {
    guard let leader = leaderHost?.core, leader.isSettled, !leader.membership.membership.isJoint,
      leader.commit == leader.last.index, workload.isAtRest
    else { return false }
    return leader.membership.membership.members.allSatisfy { member in
      let host = hosts[Int(member.id.rawValue) - 1]
      return host.core?.quarantine != nil || (host.server?.applied == leader.commit && host.core?.leader == leader.id)
    }
  }

  /// Servers in quarantine may leave the others without a majority; then nothing may happen, and rightly.
  var isRestPossible: Bool {
    hosts.allSatisfy { $0.core?.quarantine == nil }
  }

  var restlessness: String {
    workload.restlessness + "; servers: "
      + hosts.map { host in
        guard let core = host.core else { return "\(host.id) down" }
        return "\(host.id) \(core.role) term \(core.term) commit \(core.commit) last \(core.last.index) applied "
          + "\(host.server?.applied ?? 0) leader \(core.leader.map(\.description) ?? "none") members "
          + core.membership.membership.members.map { "\($0.id):\($0.role)\($0.votesInOutgoing ? "*" : "")" }.joined(
            separator: " ")
      }.joined(separator: "; ")
      + " \(leaderHost?.core?.replicationState ?? "")"
  }
}
