internal import Codec
internal import Drivers
internal import Model

/// The life of one task, pure: what happened goes in, what to do comes out.
///
///     waiting ─mayStart→ settingUp ─→ starting ─→ running ─exit→ (dead | backingOff ─timer→ settingUp)
///                                                   │ kill or restart asked
///                                                   └→ shutdownDelay ─timer→ killing ─timer→ forceKilling ─exit→ …
///
/// The set-up runs before every start: its steps are idempotent, and a directory that a task broke is mended.
struct TaskMachine: Sendable {
  /// What the job says about the task, with the node's bounds applied.
  struct Settings: Sendable, Equatable {
    var name = ""
    var killTimeout = Nanoseconds.seconds(5)
    var killSignal = "SIGINT"
    var shutdownDelay = Nanoseconds.zero
  }

  enum Phase: String, Sendable, CaseIterable {
    case waiting, settingUp, starting, running, backingOff, shutdownDelay, killing, forceKilling, dead
  }

  enum Timer: Hashable, Sendable {
    case restart, shutdownDelay, killTimeout
  }

  enum Input: Sendable {
    /// The order of the group's tasks lets this one begin.
    case mayStart
    case setUp
    /// The set-up cannot be done: the task has failed.
    case setUpFailed(TaskEvent)
    /// The set-up failed and may go well another time: the restart policy decides.
    case setUpFailedForNow(TaskEvent)
    /// Something worth an event, which changes nothing.
    case report(TaskEvent)
    case started
    case startFailed(DriverError)
    case exited(TaskOutcome)
    case timer(Timer)
    /// End the task for good. `event` says why, when there is more to say than that the allocation is stopped.
    case kill(event: TaskEvent?, fails: Bool)
    /// Stop the task and start it again, outside of the restart policy.
    case restart(reason: String)
    case signal(String, reason: String)
    /// The agent came back and the driver says what became of the task's latest attempt; 0 when it knows of none.
    case recovered(RecoveredTask, attempt: Int)
  }

  enum Effect: Equatable, Sendable {
    case setUp
    /// The set-up that is under way is not wanted any more; its end is still told.
    case cancelSetUp
    case start(attempt: Int)
    case signal(String)
    case killAll
    case setTimer(Timer, after: Nanoseconds)
    case cancelTimers
    /// The attempt's records at the driver are not needed any more.
    case destroy
  }

  var settings: Settings
  var phase = Phase.waiting
  /// Counts starts; 0 before the first.
  var attempt = 0
  var tracker: RestartTracker
  /// The task is to end for good; decided before or while it runs.
  var killAsked = false
  var killFails = false
  /// After the next exit the task starts again at once.
  var restartAsked = false
  /// The artifacts were downloaded; later starts find what the task has made of them.
  var hasArtifacts = false
  /// What users see.
  var state = TaskState()

  /// Nomad keeps as many events per task.
  static let eventLimit = 10

  init(settings: Settings, tracker: RestartTracker) {
    self.settings = settings
    self.tracker = tracker
    state.state = .pending
  }

  var isDead: Bool { phase == .dead }
  var isRunning: Bool { state.state == .running }
  var hasFailed: Bool { state.failed }
  /// Whether a process of the task may exist.
  var mayHaveProcess: Bool {
    switch phase {
    case .starting, .running, .shutdownDelay, .killing, .forceKilling: true
    case .waiting, .settingUp, .backingOff, .dead: false
    }
  }

  mutating func emit(_ event: TaskEvent) {
    state.events.append(event)
    if state.events.count > Self.eventLimit { state.events.removeFirst(state.events.count - Self.eventLimit) }
  }

  /// One step.
  /// - Parameter random: bits for the jitter of a restart.
  mutating func handle(_ input: Input, now: Moment, random: UInt64) -> [Effect] {
    switch input {
    case .mayStart: return phase == .waiting ? beginSetUp(now) : []
    case .setUp: return phase == .settingUp ? beginStart(now) : []
    case .setUpFailed(let event):
      guard phase == .settingUp else { return [] }
      if killAsked { return die(failed: killFails, now) }
      emit(event)
      return die(failed: true, now)
    case .setUpFailedForNow(let event):
      guard phase == .settingUp else { return [] }
      if killAsked { return die(failed: killFails, now) }
      emit(event)
      return decide(tracker.startFailed(now: now.steady, jitter: random), now)
    case .report(let event):
      if phase != .dead { emit(event) }
      return []
    case .started: return started(now)
    case .startFailed(let error): return startFailed(error, now, random)
    case .exited(let exit): return exited(exit, now, random)
    case .timer(let timer): return fired(timer, now)
    case .kill(let event, let fails): return kill(event, fails, now)
    case .restart(let reason): return restart(reason, now)
    case .signal(let name, let reason):
      guard phase == .running else { return [] }
      emit(.signaling(name, reason: reason, at: now.wall))
      return [.signal(name)]
    case .recovered(let found, let attempt):
      return recovered(found, attempt: attempt, now, random)
    }
  }

  private mutating func beginSetUp(_ now: Moment) -> [Effect] {
    if killAsked { return die(failed: killFails, now) }
    phase = .settingUp
    if attempt == 0 { emit(.settingUp(at: now.wall)) }
    return [.setUp]
  }

  private mutating func beginStart(_ now: Moment) -> [Effect] {
    if killAsked { return die(failed: killFails, now) }
    phase = .starting
    attempt += 1
    return [.start(attempt: attempt)]
  }

  private mutating func started(_ now: Moment) -> [Effect] {
    guard phase == .starting else { return [] }
    phase = .running
    state.state = .running
    if state.startedAt.isZero { state.startedAt = now.wall }
    emit(.started(at: now.wall))
    if killAsked { return beginKilling(now) }
    if restartAsked { return beginKilling(now) }
    return []
  }

  private mutating func startFailed(_ error: DriverError, _ now: Moment, _ random: UInt64) -> [Effect] {
    guard phase == .starting else { return [] }
    emit(.driverFailure(error.message, at: now.wall))
    if killAsked { return [.destroy] + die(failed: killFails, now) }
    guard error.isRecoverable else {
      emit(.notRestarting("Error was unrecoverable", at: now.wall))
      return [.destroy] + die(failed: true, now)
    }
    return [.destroy] + decide(tracker.startFailed(now: now.steady, jitter: random), now)
  }

  private mutating func exited(_ exit: TaskOutcome, _ now: Moment, _ random: UInt64) -> [Effect] {
    guard mayHaveProcess else { return phase == .dead ? [.destroy] : [] }
    if phase == .starting {
      // Ended before the agent heard that it had started: the start happened all the same.
      if state.startedAt.isZero { state.startedAt = exit.time }
      emit(.started(at: exit.time))
    }
    emit(.terminated(exit))
    let effects: [Effect] = [.cancelTimers, .destroy]
    if killAsked {
      emit(.killed(at: now.wall))
      return effects + die(failed: killFails, now)
    }
    if restartAsked {
      restartAsked = false
      return effects + goAgain(after: .zero, reason: "", now)
    }
    return effects + decide(tracker.taskEnded(exitedWell: exit.isSuccess, now: now.steady, jitter: random), now)
  }

  private mutating func decide(_ decision: RestartTracker.Decision, _ now: Moment) -> [Effect] {
    switch decision {
    case .finished: return die(failed: false, now)
    case .restart(let delay, let reason): return goAgain(after: delay, reason: reason, now)
    case .fail(let reason):
      emit(.notRestarting(reason, at: now.wall))
      return die(failed: true, now)
    }
  }

  private mutating func goAgain(after delay: Nanoseconds, reason: String, _ now: Moment) -> [Effect] {
    state.restarts += 1
    state.lastRestart = now.wall
    state.state = .pending
    emit(.restarting(after: delay, reason: reason, at: now.wall))
    phase = .backingOff
    return delay > .zero ? [.setTimer(.restart, after: delay)] : beginSetUp(now)
  }

  private mutating func die(failed: Bool, _ now: Moment) -> [Effect] {
    phase = .dead
    state.state = .dead
    state.failed = failed
    state.finishedAt = now.wall
    return [.cancelTimers]
  }

  private mutating func fired(_ timer: Timer, _ now: Moment) -> [Effect] {
    switch (timer, phase) {
    case (.restart, .backingOff): return beginSetUp(now)
    case (.shutdownDelay, .shutdownDelay): return sendKillSignal(now)
    case (.killTimeout, .killing):
      phase = .forceKilling
      return [.killAll]
    default: return []
    }
  }

  private mutating func kill(_ event: TaskEvent?, _ fails: Bool, _ now: Moment) -> [Effect] {
    guard phase != .dead, !killAsked else { return [] }
    killAsked = true
    killFails = fails
    if let event { emit(event) }
    switch phase {
    case .waiting, .backingOff:
      return die(failed: fails, now)
    case .running: return beginKilling(now)
    // A download may take long: it is given up. The set-up's end looks at `killAsked`.
    case .settingUp: return [.cancelSetUp]
    // The start is under way: its end looks at `killAsked`. A restart's kill is one already.
    case .starting, .shutdownDelay, .killing, .forceKilling, .dead: return []
    }
  }

  private mutating func restart(_ reason: String, _ now: Moment) -> [Effect] {
    guard !killAsked, !restartAsked else { return [] }
    switch phase {
    case .running, .starting:
      restartAsked = true
      emit(.restartSignaled(reason, at: now.wall))
      return phase == .running ? beginKilling(now) : []
    case .backingOff:
      emit(.restartSignaled(reason, at: now.wall))
      return [.cancelTimers] + beginSetUp(now)
    case .dead:
      // A user may start a task of a running allocation again that has ended.
      emit(.restartSignaled(reason, at: now.wall))
      state.failed = false
      state.finishedAt = Timestamp(nanoseconds: 0)
      return goAgain(after: .zero, reason: reason, now)
    case .waiting, .settingUp, .shutdownDelay, .killing, .forceKilling: return []
    }
  }

  private mutating func beginKilling(_ now: Moment) -> [Effect] {
    guard settings.shutdownDelay > .zero else { return sendKillSignal(now) }
    phase = .shutdownDelay
    emit(.waitingForShutdownDelay(settings.shutdownDelay, at: now.wall))
    return [.setTimer(.shutdownDelay, after: settings.shutdownDelay)]
  }

  private mutating func sendKillSignal(_ now: Moment) -> [Effect] {
    phase = .killing
    emit(.killing(timeout: settings.killTimeout, at: now.wall))
    return [.signal(settings.killSignal), .setTimer(.killTimeout, after: settings.killTimeout)]
  }

  /// Goes on where an earlier agent stopped; `found` is the driver's word about the latest attempt that it knows.
  private mutating func recovered(
    _ found: RecoveredTask, attempt: Int, _ now: Moment, _ random: UInt64
  ) -> [Effect] {
    if attempt > self.attempt {
      // The start is newer than what was stored.
      self.attempt = attempt
      if phase != .dead { phase = .starting }
    } else if attempt < self.attempt, phase == .starting, found != .unknown {
      // Only the attempt before is left: the one that was to begin never did.
      return [.destroy] + recovered(.unknown, attempt: self.attempt, now, random)
    }
    switch found {
    case .exited(let exit):
      if mayHaveProcess { return exited(exit, now, random) }
      // This end was dealt with before the crash; only the attempt's record was not destroyed yet.
      switch phase {
      case .backingOff: return [.destroy] + beginSetUp(now)
      case .settingUp: return [.destroy, .setUp]
      default: return [.destroy]
      }
    case .running:
      switch phase {
      case .dead:
        // Never adopt what was given up: it must not run on behind everybody's back.
        return [.killAll]
      case .starting, .settingUp, .waiting, .backingOff:
        // The start is newer than what was stored.
        phase = .starting
        return started(now)
      case .running: return killAsked ? beginKilling(now) : []
      case .shutdownDelay: return [.setTimer(.shutdownDelay, after: settings.shutdownDelay)]
      case .killing: return [.signal(settings.killSignal), .setTimer(.killTimeout, after: settings.killTimeout)]
      case .forceKilling: return [.killAll]
      }
    case .unknown:
      switch phase {
      case .dead, .waiting: return []
      case .settingUp: return [.setUp]
      case .starting: return [.start(attempt: attempt)]
      case .backingOff: return beginSetUp(now)
      case .running, .shutdownDelay, .killing, .forceKilling:
        let exit = TaskOutcome(
          code: 0, message: "The task is gone: this host or its supervisor was restarted while no agent ran",
          time: now.wall)
        emit(.terminated(exit))
        if killAsked { return die(failed: killFails, now) }
        return goAgain(after: .zero, reason: "Task was lost while the agent was away", now)
      }
    }
  }
}
