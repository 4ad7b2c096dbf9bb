internal import Codec
internal import Drivers
internal import Model

/// The life of an allocation, pure: it holds its tasks' machines, lets them begin in the order of their lifecycle hooks,
/// ends them together, and says how the allocation does and whether its deployment may count it as healthy.
///
/// - prestart tasks begin first; main tasks wait until those without `sidecar` have ended well and those with it run;
/// - poststart tasks begin when all main tasks run; poststop tasks when all others have ended;
/// - when the main tasks have ended, sidecars are ended; when the leader ends, or any task fails, all others are.
struct AllocationMachine: Sendable {
  enum Stage: Sendable, Equatable {
    case prestart, prestartSidecar, main, poststart, poststartSidecar, poststop

    var isSidecar: Bool { self == .prestartSidecar || self == .poststartSidecar }
  }

  /// A task and its place in the order.
  struct Member: Sendable {
    var stage: Stage
    var isLeader: Bool
    var machine: TaskMachine
  }

  enum Input: Sendable {
    /// Everything is ready to let the first tasks begin.
    case begin
    case task(String, TaskMachine.Input)
    /// The servers, or this node, want the allocation ended.
    case stop
    /// Restart running tasks; all that ended as well with `all`.
    case restart(tasks: [String], all: Bool, reason: String)
    case signal(tasks: [String], String, reason: String)
    /// The whole allocation cannot run; its tasks fail with this reason.
    case setUpFailed(String)
    case timer(Timer)
    /// A new job version is applied in place: the deployment counts anew.
    case watchHealth(HealthWatch?)
  }

  enum Timer: Hashable, Sendable {
    case task(String, TaskMachine.Timer)
    case minimumHealthyTime, healthyDeadline
  }

  enum Effect: Equatable, Sendable {
    case task(String, TaskMachine.Effect)
    case setTimer(Timer, after: Nanoseconds)
    /// The last task has ended.
    case finished
  }

  var members: [String: Member] = [:]
  /// Names in the job's order.
  private(set) var order: [String] = []
  var stopAsked = false
  var finished = false
  var health: HealthWatch?

  init() {}

  mutating func add(_ name: String, stage: Stage, isLeader: Bool, machine: TaskMachine) {
    order.append(name)
    members[name] = Member(stage: stage, isLeader: isLeader, machine: machine)
  }

  /// One step; effects are to be carried out in order.
  mutating func handle(_ input: Input, now: Moment, random: UInt64) -> [Effect] {
    var effects: [Effect] = []
    switch input {
    case .begin: break
    case .task(let name, let input): tell(name, input, now, random, &effects)
    case .stop: stopAsked = true
    case .restart(let tasks, let all, let reason):
      for name in tasks {
        guard let machine = members[name]?.machine, all || !machine.isDead, !stopAsked else { continue }
        tell(name, .restart(reason: reason), now, random, &effects)
      }
    case .signal(let tasks, let signal, let reason):
      for name in tasks { tell(name, .signal(signal, reason: reason), now, random, &effects) }
    case .setUpFailed(let problem):
      for name in order where members[name]?.machine.isDead == false {
        tell(name, .kill(event: .setupFailure(problem, at: now.wall), fails: true), now, random, &effects)
      }
    case .timer(.task(let name, let timer)): tell(name, .timer(timer), now, random, &effects)
    case .timer(.minimumHealthyTime), .timer(.healthyDeadline): break
    case .watchHealth(let watch):
      health = watch
      if let watch { effects.append(.setTimer(.healthyDeadline, after: max(watch.deadline - now.steady, .zero))) }
    }
    settle(now, random, &effects)
    watchHealth(now, &effects)
    if !finished, !order.isEmpty, all({ _ in true }, \.isDead) {
      finished = true
      effects.append(.finished)
    }
    return effects
  }

  private mutating func tell(
    _ name: String, _ input: TaskMachine.Input, _ now: Moment, _ random: UInt64, _ effects: inout [Effect]
  ) {
    guard members[name] != nil, let result = members[name]?.machine.handle(input, now: now, random: random) else {
      return
    }
    for effect in result { effects.append(.task(name, effect)) }
  }

  /// Applies the rules until nothing moves any more: each rule only ends tasks or lets them begin, so it ends.
  private mutating func settle(_ now: Moment, _ random: UInt64, _ effects: inout [Effect]) {
    var before = -1
    while effects.count != before || endingMoved {
      before = effects.count
      endingMoved = false
      endWhatMustEnd(now, random, &effects)
      beginWhatMayBegin(now, random, &effects)
    }
  }

  /// A task may end without an effect (it had not begun): the rules must be looked at again all the same.
  private var endingMoved = false

  private mutating func end(
    _ name: String, _ event: TaskEvent?, _ now: Moment, _ random: UInt64, _ effects: inout [Effect]
  ) {
    guard let machine = members[name]?.machine, !machine.isDead, !machine.killAsked else { return }
    tell(name, .kill(event: event, fails: false), now, random, &effects)
    endingMoved = true
  }

  private mutating func endWhatMustEnd(_ now: Moment, _ random: UInt64, _ effects: inout [Effect]) {
    let working = order.filter { members[$0]?.stage != .poststop }
    if let failed = working.first(where: { members[$0]?.machine.hasFailed == true }) {
      for name in working where name != failed {
        end(name, .siblingFailed(failed, at: now.wall), now, random, &effects)
      }
    }
    if let leader = order.first(where: { members[$0]?.isLeader == true }), members[leader]?.machine.isDead == true {
      for name in working where name != leader { end(name, .leaderDead(at: now.wall), now, random, &effects) }
    }
    if stopAsked { stopTasks(working, now, random, &effects) }
    let mains = order.filter { members[$0]?.stage == .main }
    if !mains.isEmpty, mains.allSatisfy({ members[$0]?.machine.isDead == true }) {
      for name in working where members[name]?.stage.isSidecar == true {
        end(name, .mainDead(at: now.wall), now, random, &effects)
      }
    }
  }

  /// The leader goes first, then main tasks and what runs only once, then sidecars, so that a log shipper sees the end.
  private mutating func stopTasks(_ working: [String], _ now: Moment, _ random: UInt64, _ effects: inout [Effect]) {
    if let leader = working.first(where: { members[$0]?.isLeader == true }), members[leader]?.machine.isDead == false {
      end(leader, nil, now, random, &effects)
      if members[leader]?.machine.isDead == false { return }
    }
    let sidecars = working.filter { members[$0]?.stage.isSidecar == true }
    let others = working.filter { members[$0]?.stage.isSidecar == false }
    for name in others { end(name, nil, now, random, &effects) }
    if others.allSatisfy({ members[$0]?.machine.isDead == true }) {
      for name in sidecars { end(name, nil, now, random, &effects) }
    }
  }

  private mutating func beginWhatMayBegin(_ now: Moment, _ random: UInt64, _ effects: inout [Effect]) {
    for name in order {
      guard let member = members[name], member.machine.phase == .waiting, mayBegin(member.stage) else { continue }
      tell(name, .mayStart, now, random, &effects)
    }
  }

  private func mayBegin(_ stage: Stage) -> Bool {
    switch stage {
    case .prestart, .prestartSidecar: return !stopAsked
    case .main:
      return !stopAsked && all({ $0 == .prestart }) { $0.isDead && !$0.hasFailed }
        && all({ $0 == .prestartSidecar }, \.isRunning)
    case .poststart, .poststartSidecar:
      return !stopAsked && all({ $0 == .main }, \.isRunning)
    case .poststop:
      return all({ $0 != .poststop }, \.isDead)
    }
  }

  private func all(_ stages: (Stage) -> Bool, _ condition: (TaskMachine) -> Bool) -> Bool {
    members.values.allSatisfy { !stages($0.stage) || condition($0.machine) }
  }

  // MARK: - What the servers are told

  /// The allocation's client status and its description.
  ///
  /// Law 6: while a task still has processes the allocation counts as running, even when it is known to fail, because
  /// its ports, memory and cores are taken.
  var status: (status: AllocationClientStatus, description: String) {
    let machines = members.values.map(\.machine)
    let failed = machines.contains(where: \.hasFailed)
    if machines.allSatisfy(\.isDead) {
      if machines.isEmpty { return (.pending, "No tasks have started") }
      return failed ? (.failed, "Failed tasks") : (.complete, "All tasks have completed")
    }
    if failed || machines.contains(where: { $0.isRunning || $0.mayHaveProcess && $0.attempt > 0 && $0.killAsked }) {
      return (.running, "Tasks are running")
    }
    if machines.contains(where: { !$0.state.startedAt.isZero }) { return (.running, "Tasks are running") }
    return (.pending, "No tasks have started")
  }

  private mutating func watchHealth(_ now: Moment, _ effects: inout [Effect]) {
    guard var watch = health, watch.verdict == nil, !stopAsked else { return }
    let watched = order.compactMap { members[$0] }.filter { $0.stage == .main || $0.stage.isSidecar }
    let finding = watch.look(at: watched.map(\.machine), now: now)
    switch finding {
    case .wait(let again): if let again { effects.append(.setTimer(.minimumHealthyTime, after: again)) }
    case .healthy: break
    case .unhealthy(let reason):
      for name in order where members[name]?.stage != .poststop {
        members[name]?.machine.emit(.unhealthy(reason, at: now.wall))
      }
    }
    health = watch
  }
}
