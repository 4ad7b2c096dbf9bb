import Raft

/// The shell around a server: calls it and does what it says.
extension Simulator {
  func moment(of host: Host) -> Moment {
    Moment(monotonic: host.clock.monotonic(now), wall: host.clock.wall(now), jitter: random.next())
  }

  /// For what needs no random bits.
  func quietMoment(of host: Host) -> Moment {
    Moment(monotonic: host.clock.monotonic(now), wall: host.clock.wall(now), jitter: 0)
  }

  /// Tells a server what happened, at one moment.
  func give(_ inputs: [ServerInput], to host: Host) {
    _ = order(host) { server, moment in for input in inputs { server.take(input, at: moment) } }
  }

  /// Calls a server and does what it says. Nil when it is down.
  @discardableResult
  func order<Value>(_ host: Host, _ body: (any SimulatedServer, Moment) -> Value) -> Value? {
    let moment = moment(of: host)
    guard let server = host.server else { return nil }
    let value = body(server, moment)
    drain(host)
    return value
  }

  private func drain(_ host: Host) {
    while let output = host.server?.takeOutput(), !output.isEmpty { perform(output, host) }
    guard let deadline = host.server?.nextDeadline, deadline != .max else { return }
    let time = host.clock.real(of: deadline, from: now)
    if time < host.scheduledTick {
      host.scheduledTick = time
      queue.put(.tick(host: host.place, epoch: host.epoch), at: time)
    }
  }

  /// Counts outputs to an ordered crash. True when the process is gone.
  private func crashesNow(_ host: Host) -> Bool {
    guard let left = host.outputsLeft else { return false }
    host.outputsLeft = left - 1
    if left > 0 { return false }
    result.coverage.note(.crashBetweenOutputs)
    crash(host)
    return true
  }

  private func perform(_ output: ServerOutput, _ host: Host) {
    for notice in output.notices { note("\(host.id): \(notice)") }
    for event in output.events { perform(event, host) }
    for write in output.writes {
      if crashesNow(host) { return }
      host.disk.queued.append(.write(write))
      if bug == .answersBeforeSync {
        host.server?.take(.written(through: write.number), at: quietMoment(of: host))
      }
    }
    for message in output.messages {
      if crashesNow(host) { return }
      send(message)
    }
    for effect in output.effects {
      if effect.isStep, crashesNow(host) { return }
      workload.handle(effect, on: host)
    }
    for task in output.tasks {
      if crashesNow(host) { return }
      perform(task, host)
    }
    takeSnapshot(host, isForced: false)
    startSync(host)
  }

  private func perform(_ event: Output.Event, _ host: Host) {
    note("\(host.id) \(event)")
    switch event {
    case .elected(let term):
      result.elections += 1
      checker.elected(host.id, term: term)
      if let core = host.core { checker.checkCompleteness(of: core) }
      if let lost = lostLeaderAt { result.leaderless.append(now - lost) }
      lostLeaderAt = nil
    case .steppedDown:
      lostLeader()
      if let core = host.core, !core.membership.membership.isVoter(host.id) { result.coverage.note(.leaderRemoved) }
    case .membershipCommitted(let membership, _):
      result.changes += 1
      if membership.members.contains(where: { $0.role == .learner }) { result.coverage.note(.learner) }
    case .contradiction(let what): checker.fail("\(host.id): \(what)")
    // The simulated hosts never withdraw a core.
    case .withdrawn: break
    case .quarantined(let why):
      if bug != .forgetsQuarantine { host.disk.damage = why }
      result.quarantined += 1
      result.coverage.note(.quarantine)
    case .membership(let membership, _): if membership.isJoint { result.coverage.note(.jointMembership) }
    case .leader, .uncertain: break
    }
    workload.handle(event, on: host)
  }
}
