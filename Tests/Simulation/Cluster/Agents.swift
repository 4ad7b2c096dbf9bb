import Codec
import Model
import State

/// The workers' side: what agents do, and what happens to what they run.
extension ClusterWorkload {
  private func schedule(_ event: NodeEvent, on place: Int, after wait: UInt64) {
    later(.node(place, epoch: nodes[place].epoch, event), after: wait)
  }

  private func ask(_ request: CallRequest, on place: Int) {
    call(request, from: .node(place, epoch: nodes[place].epoch), to: nodes[place].host)
  }

  func start(agent place: Int) {
    nodes[place].isUp = true
    nodes[place].epoch += 1
    nodes[place].isReporting = false
    nodes[place].isRegistering = true
    ask(.registerNode(place), on: place)
    schedule(.poll, on: place, after: 100_000_000)
    // Looks after what an earlier agent began.
    for id in nodes[place].runs.keys.sorted() where nodes[place].runs[id]?.phase != .ended {
      schedule(.step(id), on: place, after: simulator.random.between(10_000_000, 400_000_000))
    }
  }

  func stop(agent place: Int, _ wait: UInt64) {
    nodes[place].isUp = false
    nodes[place].epoch += 1
    schedule(.restart, on: place, after: wait)
  }

  func happen(_ event: NodeEvent, on place: Int, _ epoch: Int) {
    guard nodes[place].epoch == epoch else { return }
    if case .restart = event {
      if !nodes[place].isUp { start(agent: place) }
      return
    }
    guard nodes[place].isUp else { return }
    switch event {
    case .beat: ask(.heartbeat(place), on: place)
    case .poll:
      // Agents spread over the servers; one that is no member any more, or not yet, has nothing to tell.
      if simulator.random.chance(200) { nodes[place].host = simulator.random.below(simulator.hosts.count) }
      ask(.watch(place), on: place)
      report(place)
    case .step(let id): step(id, on: place)
    case .restart: break
    }
  }

  func answered(_ call: Call, _ answer: CallAnswer, on place: Int) {
    if case .unknown = answer { nodes[place].host = simulator.random.below(simulator.hosts.count) }
    switch (call.request, answer) {
    case (.registerNode, .done):
      nodes[place].isRegistering = false
      schedule(.beat, on: place, after: 300_000_000)
    case (.registerNode, _):
      // Whether it happened or not: to register twice does no harm.
      ask(.registerNode(place), on: place)
    case (.heartbeat, .heartbeat(let ttl, let isKnown)):
      if isKnown {
        schedule(.beat, on: place, after: UInt64(ttl.count) / 2)
      } else if !nodes[place].isRegistering {
        nodes[place].isRegistering = true
        ask(.registerNode(place), on: place)
      }
    case (.heartbeat, _): schedule(.beat, on: place, after: 200_000_000)
    case (.watch, let answer):
      if case .allocations(let index, let list) = answer { received(list, index, on: place) }
      schedule(.poll, on: place, after: simulator.random.between(100_000_000, 300_000_000))
    case (.report(_, let sent), let answer):
      nodes[place].isReporting = false
      var isHeard = simulator.bug == .reportsOnce
      if case .done = answer { isHeard = true }
      if isHeard {
        for update in sent where nodes[place].reports[update.id] == update { nodes[place].reports[update.id] = nil }
      }
    default: break
    }
  }

  private func report(_ place: Int) {
    guard !nodes[place].isReporting, !nodes[place].isRegistering, !nodes[place].reports.isEmpty else { return }
    nodes[place].isReporting = true
    ask(.report(place, nodes[place].reports.keys.sorted().compactMap { nodes[place].reports[$0] }), on: place)
  }

  /// What the servers want of this node.
  private func received(_ list: [Shared<StoredAllocation>], _ index: UInt64, on place: Int) {
    guard index >= nodes[place].index || simulator.bug == .takesOlderLists else { return }
    nodes[place].index = index
    for allocation in list {
      let id = allocation.value.id
      let wantsIt = allocation.value.desiredStatus == .run && !allocation.value.isClientTerminal
      if allocation.value.isClientTerminal { nodes[place].runs[id]?.isGivenUp = true }
      switch nodes[place].runs[id]?.phase {
      case nil:
        if wantsIt {
          nodes[place].runs[id] = .init(
            allocation: allocation, phase: .waiting, isBad: simulator.random.chance(simulator.isHealing ? 0 : 60))
          schedule(.step(id), on: place, after: simulator.random.between(1_000_000, 20_000_000))
        } else if !allocation.value.isClientTerminal {
          // Stopped before it began: nothing of it runs.
          nodes[place].runs[id] = .init(allocation: allocation, phase: .ended)
          note(id, on: place)
        }
      case .waiting? where !wantsIt:
        nodes[place].runs[id]?.phase = .ended
        note(id, on: place)
      case .starting? where !wantsIt, .running? where !wantsIt:
        nodes[place].runs[id]?.phase = .stopping
        schedule(.step(id), on: place, after: simulator.random.between(20_000_000, 1_500_000_000))
      case .ended?:
        // What it said may have been lost, or overruled by what somebody else thought.
        if !allocation.value.isClientTerminal, nodes[place].reports[id] == nil, simulator.bug != .reportsOnce {
          note(id, on: place)
        }
      case .waiting?, .starting?, .running?, .stopping?:
        // Back after having been given up for a while: what it is now has to be said once more.
        if allocation.value.clientStatus == .unknown, nodes[place].reports[id] == nil { note(id, on: place) }
      }
    }
    let known = Set(list.map(\.value.id))
    for id in nodes[place].runs.keys.sorted() where !known.contains(id) {
      nodes[place].runs[id]?.isGivenUp = true
      switch nodes[place].runs[id]?.phase {
      case .running?, .starting?:
        nodes[place].runs[id]?.phase = .stopping
        schedule(.step(id), on: place, after: simulator.random.between(20_000_000, 500_000_000))
      case .ended?, .waiting?:
        nodes[place].runs[id] = nil
        nodes[place].reports[id] = nil
      case .stopping?, nil: break
      }
    }
  }

  private func step(_ id: Identifier, on place: Int) {
    guard let run = nodes[place].runs[id] else { return }
    switch run.phase {
    case .waiting:
      let isHeldUp =
        nodes[place].hasGivenUp
        || run.allocation.value.startsAfter.contains { other in
          nodes[place].runs[other].map { $0.phase != .ended } ?? false
        }
      if isHeldUp, simulator.bug != .beginsBeforeEnd {
        schedule(.step(id), on: place, after: 30_000_000)
        return
      }
      if let found = StateCheck.collision(of: run, with: nodes[place].held, on: nodes[place].registration) {
        simulator.checker.fail("node \(place): \(found)")
      }
      simulator.note("node \(place) starts \(run.allocation.value.name) \(id)")
      nodes[place].runs[id]?.phase = .starting
      schedule(.step(id), on: place, after: simulator.random.between(5_000_000, 400_000_000))
    case .starting:
      nodes[place].runs[id]?.phase = .running
      note(id, on: place)
      schedule(.step(id), on: place, after: simulator.random.between(100_000_000, 1_200_000_000))
    case .running:
      let type = run.allocation.value.job.value.type
      if run.isBad {
        end(id, on: place, failed: true)
      } else if type == .batch || type == .sysbatch {
        end(id, on: place, failed: false)
      } else if run.isHealthy == nil {
        nodes[place].runs[id]?.isHealthy = true
        note(id, on: place)
      }
    case .stopping: end(id, on: place, failed: false)
    case .ended: break
    }
  }

  func end(_ id: Identifier, on place: Int, failed: Bool) {
    guard let run = nodes[place].runs[id], run.phase != .ended else { return }
    simulator.note("node \(place) ends \(run.allocation.value.name) \(id)\(failed ? " with a failure" : "")")
    nodes[place].runs[id]?.phase = .ended
    nodes[place].runs[id]?.hasFailed = failed
    note(id, on: place)
  }

  /// What is to be said of an allocation next.
  func note(_ id: Identifier, on place: Int) {
    guard let run = nodes[place].runs[id] else { return }
    var update = AllocationStatusChange()
    update.id = id
    var task = TaskState()
    switch run.phase {
    case .waiting, .starting: update.clientStatus = .pending
    case .running, .stopping:
      update.clientStatus = .running
      task.state = .running
    case .ended:
      update.clientStatus = run.hasFailed ? .failed : .complete
      task.state = .dead
      task.failed = run.hasFailed
      task.finishedAt = Timestamp(nanoseconds: SimulatedClock.wall(now, error: 0))
    }
    update.taskStates = ["main": task]
    let isDeployed = !run.allocation.value.deploymentID.isNone
    if isDeployed, run.hasFailed || run.isHealthy != nil {
      var health = AllocDeploymentStatus()
      health.healthy = !run.hasFailed
      health.timestamp = Timestamp(nanoseconds: SimulatedClock.wall(now, error: 0))
      update.deploymentStatus = health
    }
    nodes[place].reports[id] = update
  }
}
