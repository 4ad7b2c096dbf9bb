import Codec
import Drivers
import Model
import Testing

@testable import Client

/// Drives a machine with a clock of its own and keeps what it asked for.
private struct Rig {
  var machine = AllocationMachine()
  var now = Moment(
    wall: Timestamp(nanoseconds: 1_700_000_000_000_000_000), steady: Timestamp(nanoseconds: 5_000_000_000_000))
  var effects: [AllocationMachine.Effect] = []

  mutating func add(
    _ name: String, _ stage: AllocationMachine.Stage = .main, leader: Bool = false, batch: Bool = false,
    attempts: Int = 1, shutdownDelay: Nanoseconds = .zero
  ) {
    var policy = RestartTracker.Policy()
    policy.attempts = attempts
    policy.delay = .seconds(4)
    var settings = TaskMachine.Settings()
    settings.name = name
    settings.shutdownDelay = shutdownDelay
    machine.add(
      name, stage: stage, isLeader: leader,
      machine: TaskMachine(
        settings: settings,
        tracker: RestartTracker(policy: policy, successEnds: batch || stage == .prestart || stage == .poststop)))
  }

  mutating func handle(_ input: AllocationMachine.Input) { effects = machine.handle(input, now: now, random: 0) }

  /// Set-up and start succeed.
  mutating func run(_ name: String) {
    handle(.task(name, .setUp))
    handle(.task(name, .started))
  }

  mutating func exit(_ name: String, _ code: Int, signal: Int = 0) {
    handle(.task(name, .exited(TaskOutcome(code: code, signal: signal, time: now.wall))))
  }

  func phase(_ name: String) -> TaskMachine.Phase? { machine.members[name]?.machine.phase }
  func types(_ name: String) -> [String] { machine.members[name]?.machine.state.events.map(\.type.rawValue) ?? [] }
  func texts(_ name: String) -> [String] { machine.members[name]?.machine.state.events.map(\.displayMessage) ?? [] }
}

@Suite struct AllocationMachineTests {
  @Test func aBatchTaskRunsAndCompletes() {
    var rig = Rig()
    rig.add("t", batch: true)
    #expect(rig.machine.status.status == .pending)
    rig.handle(.begin)
    #expect(rig.effects == [.task("t", .setUp)])
    rig.handle(.task("t", .setUp))
    #expect(rig.effects == [.task("t", .start(attempt: 1))])
    rig.handle(.task("t", .started))
    #expect(rig.machine.status.status == .running)
    rig.exit("t", 0)
    #expect(rig.effects == [.task("t", .cancelTimers), .task("t", .destroy), .task("t", .cancelTimers), .finished])
    #expect(rig.machine.status == (.complete, "All tasks have completed"))
    #expect(rig.types("t") == ["Task Setup", "Started", "Terminated"])
    #expect(rig.texts("t").last == "Exit Code: 0")
  }

  @Test func aFailingTaskIsRestartedPerPolicyThenFails() {
    var rig = Rig()
    rig.add("t")
    rig.handle(.begin)
    rig.run("t")
    rig.exit("t", 7)
    #expect(rig.effects.contains(.task("t", .setTimer(.restart, after: .seconds(4)))))
    #expect(rig.texts("t").last == "Task restarting in 4s")
    #expect(rig.machine.status.status == .running, "its resources are still held")
    rig.handle(.timer(.task("t", .restart)))
    rig.run("t")
    rig.exit("t", 7)
    #expect(rig.texts("t").last == "Exceeded allowed attempts 1 in interval 30m0s and mode is \"fail\"")
    #expect(rig.machine.status == (.failed, "Failed tasks"))
    #expect(rig.machine.members["t"]?.machine.state.restarts == 1)
    #expect(rig.machine.members["t"]?.machine.attempt == 2)
  }

  @Test func stoppingSignalsWaitsAndThenKillsTheWholeGroup() {
    var rig = Rig()
    rig.add("t")
    rig.handle(.begin)
    rig.run("t")
    rig.handle(.stop)
    #expect(rig.effects == [.task("t", .signal("SIGINT")), .task("t", .setTimer(.killTimeout, after: .seconds(5)))])
    #expect(rig.texts("t").last == "Sent interrupt. Waiting 5s before force killing")
    rig.handle(.timer(.task("t", .killTimeout)))
    #expect(rig.effects == [.task("t", .killAll)])
    #expect(rig.machine.status.status == .running)
    rig.exit("t", 137, signal: 9)
    #expect(rig.texts("t").suffix(2) == ["Exit Code: 137, Signal: 9", "Task successfully killed"])
    #expect(rig.machine.status.status == .complete)
    #expect(rig.effects.last == .finished)
  }

  @Test func shutdownDelayComesBeforeTheSignal() {
    var rig = Rig()
    rig.add("t", shutdownDelay: .seconds(3))
    rig.handle(.begin)
    rig.run("t")
    rig.handle(.stop)
    #expect(rig.effects == [.task("t", .setTimer(.shutdownDelay, after: .seconds(3)))])
    rig.handle(.timer(.task("t", .shutdownDelay)))
    #expect(rig.effects.first == .task("t", .signal("SIGINT")))
  }

  @Test func stopBeforeAndDuringTheStartLeavesNothingRunning() {
    var early = Rig()
    early.add("t")
    early.handle(.stop)
    #expect(early.phase("t") == .dead && early.effects.contains(.finished))

    var setUp = Rig()
    setUp.add("t")
    setUp.handle(.begin)
    setUp.handle(.stop)
    #expect(setUp.phase("t") == .settingUp)
    setUp.handle(.task("t", .setUp))
    #expect(setUp.phase("t") == .dead && setUp.effects.contains(.finished))

    var starting = Rig()
    starting.add("t")
    starting.handle(.begin)
    starting.handle(.task("t", .setUp))
    starting.handle(.stop)
    #expect(starting.phase("t") == .starting)
    starting.handle(.task("t", .started))
    #expect(starting.effects.contains(.task("t", .signal("SIGINT"))))
  }

  @Test func mainTasksWaitForPrestartAndSidecarsEndAfterThem() {
    var rig = Rig()
    rig.add("init", .prestart)
    rig.add("proxy", .prestartSidecar)
    rig.add("web")
    rig.add("warm", .poststart, batch: true)
    rig.add("clean", .poststop)
    rig.handle(.begin)
    #expect(rig.phase("init") == .settingUp && rig.phase("proxy") == .settingUp && rig.phase("web") == .waiting)
    rig.run("init")
    rig.exit("init", 0)
    #expect(rig.phase("web") == .waiting)
    rig.run("proxy")
    #expect(rig.phase("web") == .settingUp && rig.phase("warm") == .waiting)
    rig.run("web")
    #expect(rig.phase("warm") == .settingUp)
    rig.run("warm")
    rig.exit("warm", 0)
    rig.handle(.stop)
    #expect(rig.phase("web") == .killing && rig.phase("proxy") == .running)
    rig.exit("web", 0)
    #expect(rig.phase("proxy") == .killing && rig.phase("clean") == .waiting)
    rig.exit("proxy", 0)
    #expect(rig.phase("clean") == .settingUp)
    rig.run("clean")
    rig.exit("clean", 0)
    #expect(rig.effects.contains(.finished) && rig.machine.status.status == .complete)
  }

  @Test func aFailedPrestartTaskEndsTheAllocationWithoutAMainTask() {
    var rig = Rig()
    rig.add("init", .prestart, attempts: 0)
    rig.add("web")
    rig.handle(.begin)
    rig.run("init")
    rig.exit("init", 1)
    #expect(rig.phase("web") == .dead && rig.machine.status.status == .failed)
    #expect(rig.types("web") == ["Sibling Task Failed"])
    #expect(rig.effects.contains(.finished))
  }

  @Test func aFailedTaskEndsItsSiblingsAndTheAllocationCountsAsRunningUntilTheyAreGone() {
    var rig = Rig()
    rig.add("a", attempts: 0)
    rig.add("b")
    rig.handle(.begin)
    rig.run("a")
    rig.run("b")
    rig.exit("a", 1)
    #expect(rig.phase("b") == .killing && rig.machine.status.status == .running)
    #expect(rig.types("b").contains("Sibling Task Failed"))
    rig.exit("b", 0)
    #expect(rig.machine.status.status == .failed)
  }

  @Test func whenTheLeaderEndsTheOthersAreEnded() {
    var rig = Rig()
    rig.add("lead", leader: true, batch: true)
    rig.add("log")
    rig.handle(.begin)
    rig.run("lead")
    rig.run("log")
    rig.exit("lead", 0)
    #expect(rig.phase("log") == .killing && rig.types("log").contains("Leader Task Dead"))
  }

  @Test func onStopTheLeaderGoesFirst() {
    var rig = Rig()
    rig.add("log")
    rig.add("lead", leader: true)
    rig.handle(.begin)
    rig.run("log")
    rig.run("lead")
    rig.handle(.stop)
    #expect(rig.phase("lead") == .killing && rig.phase("log") == .running)
    rig.exit("lead", 0)
    #expect(rig.phase("log") == .killing)
  }

  @Test func anUnrecoverableStartFailureIsNotTriedAgain() {
    var rig = Rig()
    rig.add("t")
    rig.handle(.begin)
    rig.handle(.task("t", .setUp))
    rig.handle(.task("t", .startFailed(DriverError(.commandNotFound, "no /bin/x"))))
    #expect(rig.types("t") == ["Task Setup", "Driver Failure", "Not Restarting"])
    #expect(rig.machine.status.status == .failed)
  }

  @Test func aRecoverableStartFailureIsTriedAgainPerPolicy() {
    var rig = Rig()
    rig.add("t")
    rig.handle(.begin)
    rig.handle(.task("t", .setUp))
    rig.handle(.task("t", .startFailed(DriverError(.system, "EAGAIN"))))
    #expect(rig.phase("t") == .backingOff)
  }

  @Test func aUsersRestartDoesNotCountAgainstThePolicy() {
    var rig = Rig()
    rig.add("t")
    rig.handle(.begin)
    rig.run("t")
    rig.handle(.restart(tasks: ["t"], all: false, reason: "User requested task to restart"))
    #expect(rig.phase("t") == .killing)
    rig.exit("t", 0)
    #expect(rig.phase("t") == .settingUp)
    #expect(rig.machine.members["t"]?.machine.tracker.count == 0)
    rig.run("t")
    #expect(rig.machine.status.status == .running)
    #expect(rig.types("t").contains("Restart Signaled"))
  }

  @Test func stopDuringAUsersRestartEndsTheTask() {
    var rig = Rig()
    rig.add("t")
    rig.handle(.begin)
    rig.run("t")
    rig.handle(.restart(tasks: ["t"], all: false, reason: "r"))
    rig.handle(.stop)
    rig.exit("t", 0)
    #expect(rig.phase("t") == .dead && rig.effects.contains(.finished))
  }

  @Test func atMostTenEventsAreKept() {
    var rig = Rig()
    rig.add("t", attempts: 100)
    rig.handle(.begin)
    for _ in 0..<10 {
      rig.run("t")
      rig.exit("t", 1)
      rig.handle(.timer(.task("t", .restart)))
    }
    #expect(rig.types("t").count == 10 && rig.machine.members["t"]?.machine.state.restarts == 10)
  }

  /// Whatever phase the stored state says, and whatever the supervisor knows, the machine goes on without a second start.
  @Test(arguments: TaskMachine.Phase.allCases)
  func aTaskFoundRunningIsNeverStartedAgain(phase: TaskMachine.Phase) {
    var rig = Rig()
    rig.add("t")
    rig.machine.members["t"]?.machine.phase = phase
    rig.machine.members["t"]?.machine.attempt = 1
    rig.handle(.task("t", .recovered(.running, attempt: 1)))
    #expect(
      !rig.effects.contains(.task("t", .start(attempt: 1))) && !rig.effects.contains(.task("t", .start(attempt: 2))))
    #expect(!rig.effects.contains(.task("t", .setUp)))
  }

  @Test func anExitThatHappenedWhileTheAgentWasAwayIsDealtWith() {
    var rig = Rig()
    rig.add("t", batch: true)
    rig.machine.members["t"]?.machine.phase = .running
    rig.machine.members["t"]?.machine.attempt = 1
    rig.handle(.task("t", .recovered(.exited(TaskOutcome(code: 0, time: rig.now.wall)), attempt: 1)))
    #expect(rig.machine.status.status == .complete && rig.effects.contains(.finished))
  }

  @Test func aTaskLostInARebootStartsAgain() {
    var rig = Rig()
    rig.add("t")
    rig.machine.members["t"]?.machine.phase = .running
    rig.machine.members["t"]?.machine.attempt = 4
    rig.handle(.task("t", .recovered(.unknown, attempt: 0)))
    #expect(rig.effects == [.task("t", .setUp)])
    rig.handle(.task("t", .setUp))
    #expect(rig.effects == [.task("t", .start(attempt: 5))])
  }

  // MARK: - Deployment health

  private func watched() -> Rig {
    var rig = Rig()
    rig.add("t")
    rig.handle(.watchHealth(HealthWatch(minimumHealthyTime: .seconds(10), deadline: rig.now.steady + .seconds(60))))
    rig.handle(.begin)
    return rig
  }

  @Test func healthyAfterTheMinimumTime() {
    var rig = watched()
    rig.run("t")
    #expect(rig.effects.contains(.setTimer(.minimumHealthyTime, after: .seconds(10))))
    rig.now = rig.now + .seconds(9)
    rig.handle(.timer(.minimumHealthyTime))
    #expect(rig.machine.health?.verdict == nil)
    rig.now = rig.now + .seconds(1)
    rig.handle(.timer(.minimumHealthyTime))
    #expect(rig.machine.health?.verdict == true)
  }

  @Test func aJumpOfTheWallClockDecidesNothing() {
    var rig = watched()
    rig.run("t")
    rig.now.wall = rig.now.wall + .hours(5)
    rig.handle(.timer(.minimumHealthyTime))
    #expect(rig.machine.health?.verdict == nil)
    rig.now.wall = rig.now.wall + .hours(-9)
    rig.now.steady = rig.now.steady + .seconds(10)
    rig.handle(.timer(.minimumHealthyTime))
    #expect(rig.machine.health?.verdict == true)
  }

  /// What the supervisor has is older than what was stored: the start that was about to happen still has to.
  @Test func anOlderAttemptDoesNotStandForTheOneThatWasToBegin() {
    var rig = Rig()
    rig.add("t", batch: true)
    rig.machine.members["t"]?.machine.phase = .starting
    rig.machine.members["t"]?.machine.attempt = 3
    rig.handle(.task("t", .recovered(.exited(TaskOutcome(code: 1, time: rig.now.wall)), attempt: 2)))
    #expect(rig.effects == [.task("t", .destroy), .task("t", .start(attempt: 3))])
  }

  @Test func anEndThatWasDealtWithIsNotCountedTwice() {
    var rig = Rig()
    rig.add("t")
    rig.machine.members["t"]?.machine.phase = .backingOff
    rig.machine.members["t"]?.machine.attempt = 1
    rig.machine.members["t"]?.machine.state.restarts = 1
    rig.handle(.task("t", .recovered(.exited(TaskOutcome(code: 1, time: rig.now.wall)), attempt: 1)))
    #expect(rig.effects == [.task("t", .destroy), .task("t", .setUp)])
    #expect(rig.machine.members["t"]?.machine.state.restarts == 1)
  }

  @Test func aRestartBeginsTheMinimumTimeAnew() {
    var rig = watched()
    rig.run("t")
    rig.now = rig.now + .seconds(8)
    rig.exit("t", 1)
    rig.handle(.timer(.task("t", .restart)))
    rig.run("t")
    rig.now = rig.now + .seconds(8)
    rig.handle(.timer(.minimumHealthyTime))
    #expect(rig.machine.health?.verdict == nil)
  }

  @Test func unhealthyAtTheDeadlineAndWhenATaskFails() {
    var late = watched()
    late.now = late.now + .seconds(60)
    late.handle(.timer(.healthyDeadline))
    #expect(late.machine.health?.verdict == false && late.types("t").contains("Alloc Unhealthy"))

    var failed = watched()
    failed.handle(.task("t", .setUp))
    failed.handle(.task("t", .startFailed(DriverError(.configuration, "bad"))))
    #expect(failed.machine.health?.verdict == false)
  }
}
