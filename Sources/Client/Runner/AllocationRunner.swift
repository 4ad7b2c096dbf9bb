internal import Codec
internal import Devices
internal import Drivers
internal import Isolation
internal import Linux
internal import Log
internal import Model
internal import Storage

/// Runs one allocation: the shell around `AllocationMachine`. It carries out what the machine asks for (directories,
/// starts, signals, timers), tells the machine what came of it, stores every step and reports it to the servers.
///
/// The machine moves on in `handle` alone, which never waits: no step can slip between two others.
actor AllocationRunner {
  /// What the supervisor has of a task.
  struct Found: Sendable {
    var attempt: Int
    var pid: Int
    var startedAt: Timestamp
  }

  /// What the database has of an allocation.
  struct Stored: Sendable {
    var local = AllocationLocalState()
    var tasks: [String: TaskLocalState] = [:]
    var states: [String: TaskState] = [:]
  }

  let id: Identifier
  nonisolated let directory: AllocationDirectory
  private let context: RunnerContext
  private let log: Logger
  private(set) var allocation: Allocation
  private var plan: AllocationPlan
  private var machine: AllocationMachine
  private var handles: [String: TaskHandle] = [:]
  private var timers: [AllocationMachine.Timer: Task<Void, Never>] = [:]
  /// Which of the timers set for a purpose is the valid one.
  private var timerNumbers: [AllocationMachine.Timer: Int] = [:]
  private var timerCount = 0
  private var watchedDeployment: Identifier = .none
  private var lastReport: AllocationClientUpdate?
  private var samples: [String: UsageSample] = [:]
  private var portsChecked = false
  /// The first of the host ids that the allocation's users are; 0 before it has any.
  private var firstUserID: UInt32 = 0
  /// Set-ups that are under way, and the last one of each task.
  private var setUps: [String: Task<Void, Never>] = [:]
  /// What a task's templates with `env` hold.
  private var templateVariables: [String: [String: String]] = [:]
  private var templateWatches: [String: Task<Void, Never>] = [:]
  private var diskWatch: Task<Void, Never>?
  /// What isolated tasks have at /secrets.
  private var secrets: [String: SecretsMount] = [:]
  /// What tasks need in order to use the devices that they hold.
  private var reservations: [String: DeviceReservation] = [:]
  /// Nothing happens here any more: the allocation is deleted, or the agent ends and leaves its tasks to the next one.
  private var isDestroyed = false
  private var finishWaiters: [CheckedContinuation<Void, Never>] = []

  init(_ allocation: Allocation, context: RunnerContext) throws(ClientError) {
    id = allocation.id
    self.allocation = allocation
    self.context = context
    plan = try AllocationPlan(allocation)
    machine = plan.machine(configuration: context.configuration)
    directory = AllocationDirectory("\(context.configuration.allocationDirectory)/\(allocation.id)")
    log = context.log.named("alloc_runner", (key: "alloc_id", value: allocation.id.description))
  }

  // MARK: - Beginning

  /// Runs a new allocation. `found` is what the supervisor has of it already: an agent that died before it could store
  /// the allocation may have started tasks.
  /// - Parameters:
  ///   - previous: the allocation that this one replaces, when it is on this node: while it is being ended, this one
  ///     waits, and a sticky ephemeral disk is taken over from it.
  ///   - awaited: allocations in whose place this one stands: it begins when the last of them has ended.
  func start(
    found: [String: Found] = [:], after previous: AllocationRunner? = nil, awaiting awaited: [AllocationRunner] = []
  ) {
    let now = Moment.now
    context.store.write([.put(.allocations, key: id.description, Binary.encode(allocation))]) { [log] result in
      if case .failure(let error) = result { log.error("store the allocation", (key: "error", value: "\(error)")) }
    }
    for name in machine.order { machine.members[name]?.machine.emit(.received(at: now.wall)) }
    if allocation.desiredStatus != .run { machine.stopAsked = true }
    adopt(found)
    guard found.isEmpty, previous != nil || !awaited.isEmpty || bringsData else {
      watchHealth(now)
      handle(.begin)
      return
    }
    report()
    Task {
      await wait(for: awaited, takingOverFrom: previous)
      watchHealth(.now)
      handle(.begin)
    }
  }

  private func wait(for awaited: [AllocationRunner], takingOverFrom previous: AllocationRunner?) async {
    for other in awaited { await other.waitUntilFinished() }
    if let previous {
      await takeOver(from: previous)
    } else if bringsData {
      await bringData()
    }
  }

  /// Whether the data of an allocation on another node comes here first.
  private var bringsData: Bool {
    let disk = plan.group.ephemeralDisk
    return disk?.sticky == true && disk?.migrate == true && !allocation.previousAllocation.isNone
      && allocation.desiredStatus == .run
  }

  /// Without the data the allocation begins all the same, as one whose node was lost does; users are told.
  private func bringData() async {
    guard let transfer = context.transfer else { return }
    let previous = allocation.previousAllocation
    do throws(ClientError) {
      let bytes = try await transfer.fetch(previous, for: id, into: directory, tasks: machine.order)
      log.info(
        "brought the data of the allocation before", (key: "previous", value: previous.description),
        (key: "bytes", value: String(bytes)))
    } catch {
      log.error("bring the data of the allocation before, going on without", (key: "error", value: error.message))
      for name in machine.order {
        machine.members[name]?.machine.emit(
          .driverMessage(
            "The data of allocation \(previous) could not be brought here: \(error.message)", at: Moment.now.wall))
      }
    }
  }

  private func takeOver(from previous: AllocationRunner) async {
    let wanted = await previous.allocation.desiredStatus == .run
    let isOver = await previous.isFinished
    if wanted && !isOver { return }
    await previous.waitUntilFinished()
    guard plan.group.ephemeralDisk?.sticky == true, !isDestroyed else { return }
    let tasks = machine.order
    let (old, new) = (previous.directory, directory)
    do throws(SystemError) {
      try await context.work.run { () throws(SystemError) in try new.takeData(from: old, tasks: tasks) }
    } catch {
      log.error("take over the data of the allocation before, going on without", (key: "error", value: "\(error)"))
    }
  }

  /// Goes on with an allocation of an earlier agent. One that had not begun waits for others as when it was new.
  func restore(
    _ stored: Stored, found: [String: Found], after previous: AllocationRunner? = nil,
    awaiting awaited: [AllocationRunner] = []
  ) async {
    let now = Moment.now
    for (name, local) in stored.tasks {
      guard var member = machine.members[name]?.machine else { continue }
      local.restore(&member, state: stored.states[name] ?? TaskState())
      machine.members[name]?.machine = member
    }
    machine.stopAsked = stored.local.stopAsked || allocation.desiredStatus != .run
    machine.finished = stored.local.finished
    // One that was restored before may wait for this one already.
    if machine.finished { resumeFinishWaiters() }
    watchedDeployment = stored.local.deploymentID
    portsChecked = true
    firstUserID = UInt32(clamping: stored.local.firstUserID)
    if firstUserID > 0 { context.identifiers.restore(firstUserID, for: id.description) }
    restoreHealth(stored.local, now)
    lastReport = nil
    adopt(found)
    let hasBegun = !found.isEmpty || stored.states.values.contains { $0.state != .pending }
    if !hasBegun, previous != nil || !awaited.isEmpty || bringsData {
      Task {
        await wait(for: awaited, takingOverFrom: previous)
        handle(.begin)
      }
      return
    }
    for name in machine.order where found[name] == nil {
      handle(.task(name, .recovered(.unknown, attempt: 0)))
    }
    handle(.begin)
  }

  private func restoreHealth(_ local: AllocationLocalState, _ now: Moment) {
    guard local.deploymentID == allocation.deploymentID else { return }
    if let healthy = local.healthy {
      var watch = HealthWatch(minimumHealthyTime: .zero, deadline: now.steady)
      watch.verdict = healthy
      watch.decidedAt = local.healthDecidedAt
      machine.health = watch
    } else if var watch = plan.healthWatch(now: now) {
      // The deadline of the same boot holds; one of an earlier boot means nothing on this clock.
      if local.healthDeadline > now.steady, local.healthDeadline < watch.deadline {
        watch.deadline = local.healthDeadline
      }
      handle(.watchHealth(watch))
    }
  }

  private func adopt(_ found: [String: Found]) {
    for (name, task) in found {
      guard let job = plan.group.tasks.first(where: { $0.name == name }), let driver = context.drivers[job.driver]
      else {
        continue
      }
      let attemptID = AttemptID(allocation: id, task: name, attempt: task.attempt)
      let handle = TaskHandle(
        driver: job.driver, id: attemptID.description, pid: task.pid, startedAt: task.startedAt,
        memoryBytes: plan.limits(of: job).memoryBytes)
      handles[name] = handle
      if machine.members[name]?.machine.phase == .waiting {
        // It began already: nothing may let it begin again before the supervisor has said what became of it.
        machine.members[name]?.machine.phase = .starting
        machine.members[name]?.machine.attempt = task.attempt
      }
      Task { await recover(name, handle, driver, attempt: task.attempt) }
    }
  }

  private func recover(_ name: String, _ handle: TaskHandle, _ driver: any TaskDriver, attempt: Int) async {
    var delay = Duration.milliseconds(100)
    while !isDestroyed {
      do throws(DriverError) {
        let found = try await driver.recover(handle)
        if case .running = found {
          watchExit(name, handle, driver)
          beginDiskWatch()
        }
        self.handle(.task(name, .recovered(found, attempt: attempt)))
        if case .running = found {
          await resumeTemplates(of: name)
          // For the sessions in it; without its plugin they lack the devices' variables.
          try? await reserveDevices(of: name)
        }
        return
      } catch {
        log.warn(
          "ask for a task's state, trying again", (key: "task", value: name), (key: "error", value: error.message))
        try? await Task.sleep(for: delay)
        delay = min(delay * 2, .seconds(5))
      }
    }
  }

  // MARK: - The servers' word

  /// Takes the servers' newer record of the allocation.
  func update(_ newer: Allocation) {
    var newer = newer
    if newer.job == nil { newer.job = allocation.job }
    let before = allocation
    allocation = newer
    do throws(ClientError) {
      plan = try AllocationPlan(newer)
    } catch {
      log.error("take the servers' update, keeping the older job", (key: "error", value: error.message))
    }
    for task in plan.group.tasks {
      machine.members[task.name]?.machine.settings = plan.settings(of: task, configuration: context.configuration)
      machine.members[task.name]?.machine.tracker.policy = plan.policy(of: task)
    }
    context.store.write([.put(.allocations, key: id.description, Binary.encode(newer))]) { [log] result in
      if case .failure(let error) = result { log.error("store the allocation", (key: "error", value: "\(error)")) }
    }
    if newer.desiredStatus != .run {
      handle(.stop)
    } else if newer.deploymentID != before.deploymentID || newer.deploymentID != watchedDeployment {
      watchHealth(.now)
    }
    if disagrees(with: newer) { report(evenIfSame: true) }
  }

  private func watchHealth(_ now: Moment) {
    watchedDeployment = allocation.deploymentID
    handle(.watchHealth(plan.healthWatch(now: now)))
  }

  /// Whether the servers think otherwise about what only this client knows: an update got lost with an earlier agent.
  private func disagrees(with servers: Allocation) -> Bool {
    let ours = currentUpdate
    return servers.clientStatus != ours.clientStatus
      || servers.taskStates.mapValues { [$0.state.rawValue, String($0.restarts)] }
        != ours.taskStates.mapValues { [$0.state.rawValue, String($0.restarts)] }
      || (ours.deploymentStatus?.healthy != nil && servers.deploymentStatus?.healthy == nil)
  }

  func stop() { handle(.stop) }

  /// Restarts running tasks, or one; all that ended too with `all`.
  func restart(task: String?, all: Bool) throws(ClientError) {
    let names = try taskNames(task)
    if let task, machine.members[task]?.machine.isRunning != true, !all {
      throw ClientError(.conflict, "task \"\(task)\" of allocation \(id) is not running")
    }
    if machine.finished { throw ClientError(.conflict, "allocation \(id) has ended") }
    handle(.restart(tasks: names, all: all, reason: "User requested task to restart"))
  }

  func signal(task: String?, _ signal: String) throws(ClientError) {
    guard SignalNames.number(signal) != nil else {
      throw ClientError(
        .invalid, "invalid signal \"\(signal)\"; known are \(SignalNames.all.map(\.name).joined(separator: ", "))")
    }
    let names = try taskNames(task)
    if names.allSatisfy({ machine.members[$0]?.machine.isRunning != true }) {
      throw ClientError(
        .conflict, "\(task.map { "task \"\($0)\"" } ?? "every task") of allocation \(id) is not running")
    }
    handle(.signal(tasks: names, signal, reason: "User requested signal"))
  }

  private func taskNames(_ task: String?) throws(ClientError) -> [String] {
    guard let task, !task.isEmpty else { return machine.order }
    guard machine.members[task] != nil else {
      throw ClientError(
        .notFound, "allocation \(id) has no task \"\(task)\": it has \(machine.order.joined(separator: ", "))")
    }
    return [task]
  }

  /// A command that is to run in a running task.
  func session(_ request: ExecRequest) throws(ClientError) -> ExecSession {
    guard let name = request.command.first, !name.isEmpty else {
      throw ClientError(.invalid, "command is not present: name a program to run in the task")
    }
    let names = try taskNames(request.task)
    guard names.count == 1, let task = task(names[0]), let driver = driver(of: names[0]) else {
      throw ClientError(
        .invalid, "allocation \(id) has several tasks, name one of them: \(machine.order.joined(separator: ", "))")
    }
    guard driver.capabilities.executesCommands else {
      throw ClientError(.invalid, "driver \"\(task.driver)\" of task \"\(task.name)\" cannot run commands in a task")
    }
    guard machine.members[task.name]?.machine.isRunning == true, let handle = handles[task.name] else {
      throw ClientError(.conflict, "task \"\(task.name)\" of allocation \(id) is not running")
    }
    var variables = environment(of: task, driver).variables
    // Without it an editor or a pager does not know what it may do; what the task says itself holds.
    if request.hasTerminal, variables["TERM"] == nil { variables["TERM"] = "xterm" }
    return ExecSession(
      driver: driver, handle: handle, request: request, environment: TaskEnvironment.block(variables))
  }

  /// Returns when the last task has ended.
  func waitUntilFinished() async {
    if machine.finished || isDestroyed { return }
    await withCheckedContinuation { finishWaiters.append($0) }
  }

  var isFinished: Bool { machine.finished }
  /// It is to end, or has ended.
  var isStopping: Bool { machine.stopAsked || machine.finished }
  /// How long it may run while no server is reached; nil for as long as it likes.
  var stopOnClientAfter: Nanoseconds? {
    let asked = plan.group.disconnect?.stopOnClientAfter ?? plan.group.stopAfterClientDisconnect
    return asked.flatMap { $0 > .zero ? $0 : nil }
  }

  /// When the last task ended; zero while one has not.
  var finishedAt: Timestamp {
    machine.finished ? machine.members.values.map(\.machine.state.finishedAt).max() ?? .zeroValue : .zeroValue
  }

  /// Lets go of the tasks, which run on: from now on nothing is decided, stored or reported here.
  func detach() {
    isDestroyed = true
    for timer in timers.values { timer.cancel() }
    timers = [:]
    for watch in templateWatches.values { watch.cancel() }
    diskWatch?.cancel()
    resumeFinishWaiters()
  }

  private func resumeFinishWaiters() {
    for waiter in finishWaiters { waiter.resume() }
    finishWaiters = []
  }

  /// Ends what still runs, then deletes directories and records.
  func destroy() async {
    handle(.stop)
    await waitUntilFinished()
    isDestroyed = true
    diskWatch?.cancel()
    for timer in timers.values { timer.cancel() }
    timers = [:]
    let directory = directory
    do throws(SystemError) {
      try await context.work.run { () throws(SystemError) in try directory.remove() }
    } catch {
      log.error("delete the allocation's directory", (key: "error", value: "\(error)"))
    }
    do throws(StorageError) {
      try await context.store.forget(allocation: id.description)
    } catch {
      log.error("forget the allocation", (key: "error", value: "\(error)"))
    }
    context.identifiers.release(id.description)
  }

  // MARK: - The machine

  private func handle(_ input: AllocationMachine.Input) {
    guard !isDestroyed else { return }
    var generator = SystemRandomNumberGenerator()
    let effects = machine.handle(input, now: .now, random: generator.next())
    store()
    report()
    for effect in effects { perform(effect) }
    if machine.finished { resumeFinishWaiters() }
  }

  private func perform(_ effect: AllocationMachine.Effect) {
    switch effect {
    case .task(let name, let effect): perform(effect, of: name)
    case .setTimer(let timer, let delay): setTimer(timer, after: delay)
    case .finished:
      for timer in timers.values { timer.cancel() }
      timers = [:]
      diskWatch?.cancel()
      diskWatch = nil
      log.info("the allocation has ended", (key: "status", value: machine.status.status.rawValue))
    }
  }

  private func perform(_ effect: TaskMachine.Effect, of name: String) {
    switch effect {
    case .setUp: setUps[name] = Task { await setUp(name) }
    case .cancelSetUp: setUps[name]?.cancel()
    case .start(let attempt): Task { await startTask(name, attempt: attempt) }
    case .signal(let signal): Task { await send(signal, to: name) }
    case .killAll: Task { await killAll(name) }
    case .setTimer(let timer, let delay): setTimer(.task(name, timer), after: delay)
    case .cancelTimers:
      templateWatches.removeValue(forKey: name)?.cancel()
      for timer in [TaskMachine.Timer.restart, .shutdownDelay, .killTimeout] {
        timers.removeValue(forKey: .task(name, timer))?.cancel()
      }
    case .destroy:
      guard let handle = handles.removeValue(forKey: name), let driver = driver(of: name) else { return }
      Task { await destroy(handle, of: name, driver) }
    }
  }

  private func setTimer(_ timer: AllocationMachine.Timer, after delay: Nanoseconds) {
    timers[timer]?.cancel()
    timerCount += 1
    let number = timerCount
    timerNumbers[timer] = number
    timers[timer] = Task { [weak self] in
      do { try await Task.sleep(for: .nanoseconds(delay.count)) } catch { return }
      await self?.fired(timer, number)
    }
  }

  /// A timer that was set anew, or cancelled, while it was on its way here says nothing any more.
  private func fired(_ timer: AllocationMachine.Timer, _ number: Int) {
    guard timerNumbers[timer] == number, timers[timer] != nil else { return }
    timers[timer] = nil
    handle(.timer(timer))
  }

  private func task(_ name: String) -> JobTask? { plan.group.tasks.first { $0.name == name } }
  private func driver(of name: String) -> (any TaskDriver)? { task(name).flatMap { context.drivers[$0.driver] } }

  // MARK: - Carrying out

  /// The set-up of a task, before every start. The node has the task's driver, its kill signal exists, the allocation's
  /// ports are free on this host (before the first start on this node only), then what `TaskPreparation` lists.
  private func setUp(_ name: String) async {
    guard let task = task(name) else { return }
    if let problem = obstacle(to: task) {
      return handle(.task(name, .setUpFailed(.setupFailure(problem, at: Moment.now.wall))))
    }
    ensureSecrets(of: task)
    do throws(DeviceError) {
      try await reserveDevices(of: name)
    } catch {
      return handle(.task(name, .setUpFailedForNow(.setupFailure(error.message, at: Moment.now.wall))))
    }
    guard let preparation = preparation(of: task) else { return }
    do throws(PreparationFailure) {
      let outcome = try await preparation.run { [weak self] event in await self?.report(event, of: name) }
      machine.members[name]?.machine.hasArtifacts = true
      templateVariables[name] = outcome.variables
      watchTemplates(TemplateWatch(preparation: preparation, files: outcome.templateFiles), of: name)
      handle(.task(name, .setUp))
    } catch {
      handle(.task(name, error.isTemporary ? .setUpFailedForNow(error.event) : .setUpFailed(error.event)))
    }
  }

  private func heldDevices(of name: String) -> [AllocatedDeviceResource] {
    allocation.allocatedResources?.tasks[name]?.devices ?? []
  }

  /// Every start asks anew: a plugin may hand out the same device in another way after it was upgraded.
  private func reserveDevices(of name: String) async throws(DeviceError) {
    let held = heldDevices(of: name)
    if held.isEmpty { return }
    reservations[name] = try await context.devices.reserve(held)
  }

  private func report(_ event: TaskEvent, of name: String) { handle(.task(name, .report(event))) }

  /// Why a task cannot be set up at all; nil when nothing is in the way.
  private func obstacle(to task: JobTask) -> String? {
    guard context.drivers[task.driver] != nil else {
      let known = context.drivers.keys.sorted().joined(separator: ", ")
      return "driver \"\(task.driver)\" of task \"\(task.name)\" is not on this node: it has \(known)"
    }
    let signal = machine.members[task.name]?.machine.settings.killSignal ?? ""
    if SignalNames.number(signal) == nil { return "kill_signal \"\(signal)\" of task \"\(task.name)\" is no signal" }
    if let driver = context.drivers[task.driver] {
      do throws(ClientError) {
        _ = try volumes(of: task, driver, environment(of: task, driver, templates: false))
      } catch {
        return error.message
      }
    }
    if !portsChecked, let taken = PortCheck.firstTaken(plan.ports) { return taken }
    portsChecked = true
    return nil
  }

  /// Keeps what an earlier attempt had, where it can be attached once more.
  private func ensureSecrets(of task: JobTask) {
    guard context.drivers[task.driver]?.capabilities.isolation == .image, secrets[task.name]?.isReusable != true else {
      return
    }
    do throws(SystemError) {
      secrets[task.name] = try SecretsMount(sizeBytes: UInt64(clamping: task.resources?.secretsMB ?? 1) << 20)
      // What lay in it has gone with it.
      if task.artifacts.contains(where: { ($0.relativeDest ?? "").contains("secrets") }) {
        machine.members[task.name]?.machine.hasArtifacts = false
      }
    } catch {
      secrets[task.name] = nil
      log.warn(
        "make a file system in memory for secrets: using the task's directory", (key: "task", value: task.name),
        (key: "error", value: "\(error)"))
    }
  }

  private func directories(of name: String) -> TaskDirectories {
    var directories = directory.task(name)
    directories.secretsMount = secrets[name]
    return directories
  }

  private func preparation(of task: JobTask) -> TaskPreparation? {
    guard let driver = context.drivers[task.driver] else { return nil }
    return TaskPreparation(
      task: task, driver: driver, environment: environment(of: task, driver, templates: false), directory: directory,
      work: context.work, artifactLimits: context.configuration.artifacts, payload: plan.job.payload?.bytes,
      hasArtifacts: machine.members[task.name]?.machine.hasArtifacts ?? false, secrets: secrets[task.name])
  }

  // MARK: - Templates

  private func watchTemplates(_ watch: TemplateWatch, of name: String) {
    templateWatches.removeValue(forKey: name)?.cancel()
    guard watch.files.values.contains(where: { !$0.isEmpty }) else { return }
    templateWatches[name] = Task { [weak self] in
      await watch.run { [weak self] change in
        await self?.templateChanged(change, of: name)
      } failed: { [weak self] problem in
        await self?.report(.templateFailure(problem, at: Moment.now.wall), of: name)
      }
    }
  }

  /// Goes on with the templates of a task that ran while no agent did: what has changed meanwhile is dealt with now.
  private func resumeTemplates(of name: String) async {
    guard let task = task(name), !task.templates.isEmpty else { return }
    if secrets[name] == nil, let pid = handles[name]?.pid,
      context.drivers[task.driver]?.capabilities.isolation == .image
    {
      // A task that an agent of an earlier version has started has a directory there.
      secrets[name] = try? SecretsMount(ofRunning: pid)
    }
    guard let preparation = preparation(of: task) else { return }
    do throws(PreparationFailure) {
      let outcome = try await preparation.renderTemplates()
      templateVariables[name] = outcome.variables
      watchTemplates(TemplateWatch(preparation: preparation, files: outcome.templateFiles), of: name)
      for index in outcome.changedTemplates {
        if let change = TemplateWatch.change(of: task.templates[index]) { await templateChanged(change, of: name) }
      }
    } catch {
      report(error.event, of: name)
    }
  }

  private func templateChanged(_ change: TemplateWatch.Change, of name: String) async {
    switch change {
    case .restart:
      handle(.restart(tasks: [name], all: false, reason: "Template with change_mode restart re-rendered"))
    case .signal(let signal): handle(.signal(tasks: [name], signal, reason: "Template re-rendered"))
    case .script(let script): await runChangeScript(script, of: name)
    }
  }

  private func runChangeScript(_ script: ChangeScript, of name: String) async {
    let command = [script.command ?? ""] + (script.args ?? [])
    let problem = await changeScriptProblem(command, timeout: script.timeout ?? .seconds(5), of: name)
    guard let problem else { return }
    let event = TaskEvent.templateFailure(
      "Template script \(command.joined(separator: " ")): \(problem)", at: Moment.now.wall)
    handle(.task(name, script.failOnError == true ? .kill(event: event, fails: true) : .report(event)))
  }

  /// Runs the script in the task; nil when it has ended well.
  private func changeScriptProblem(_ command: [String], timeout: Nanoseconds, of name: String) async -> String? {
    do {
      let session = try session(ExecRequest(task: name, command: command, hasTerminal: false))
      let code = try await session.runUnattended(timeout: .nanoseconds(timeout.count))
      return code == 0 ? nil : "it exited with status \(code)"
    } catch {
      return "\(error)"
    }
  }

  /// - Parameter templates: with the variables that the task's templates hold, which stand above its own.
  private func environment(
    of task: JobTask, _ driver: any TaskDriver, templates: Bool = true
  ) -> TaskEnvironment {
    var input = plan.environmentInput(
      for: task, region: context.configuration.region, datacenter: context.datacenter)
    switch driver.capabilities.isolation {
    case .image: input.base = ["PATH": RunnerContext.defaultPath]
    case .none:
      let directories = directory.task(task.name)
      input.allocationDirectory = directories.shared
      input.taskDirectory = directories.local
      input.secretsDirectory = directories.secrets
      input.base = ["PATH": RunnerContext.defaultPath].merging(context.hostEnvironment) { _, host in host }
    }
    // The job's own variables stand above those of its devices.
    if let reservation = reservations[task.name] {
      input.base.merge(reservation.envs) { _, device in device }
    }
    let environment = TaskEnvironment(input, node: context.nodeValues)
    return templates ? environment.adding(templateVariables[task.name] ?? [:]) : environment
  }

  private func startTask(_ name: String, attempt: Int) async {
    guard let task = task(name), let driver = context.drivers[task.driver] else { return }
    let environment = environment(of: task, driver)
    var limits = plan.limits(of: task)
    limits.coreMHz = context.nodeValues["attr.cpu.frequency"].flatMap { Int($0) } ?? 0
    var request = TaskStart(
      allocationID: id, taskName: name, attempt: attempt, config: environment.interpolation(task.config),
      environment: environment.block, user: environment.interpolation(task.user), resources: limits,
      directories: directories(of: name), logs: plan.logs(of: task, directory: directory))
    request.userNamespace = context.identifiers.range(for: id.description)
    request.hasNoNetwork = plan.group.networks.first?.mode == "none"
    do throws(ClientError) {
      request.volumes = try volumes(of: task, driver, environment)
      try NodeDevices.apply(
        reservations[name] ?? DeviceReservation(), to: &request, driver.capabilities.isolation)
    } catch {
      return handle(.task(name, .setUpFailed(.setupFailure(error.message, at: Moment.now.wall))))
    }
    request.hostIDsReason = plan.ports.first { $0.hostPort < 1024 }.map {
      "port \($0.hostPort) of the host's network is a privileged one"
    }
    if let first = request.userNamespace?.firstID, first != firstUserID {
      // In the database before anything of the task belongs to these ids.
      firstUserID = first
      store()
    }
    do throws(DriverError) {
      let handle = try await driver.start(request)
      handles[name] = handle
      for note in handle.notes {
        log.info("started with a reservation", (key: "task", value: name), (key: "note", value: note))
        machine.members[name]?.machine.emit(.driverMessage(note, at: Moment.now.wall))
      }
      watchExit(name, handle, driver)
      beginDiskWatch()
      self.handle(.task(name, .started))
    } catch {
      log.warn("start a task", (key: "task", value: name), (key: "error", value: error.message))
      handle(.task(name, .startFailed(error)))
    }
  }

  private func volumes(
    of task: JobTask, _ driver: any TaskDriver, _ environment: TaskEnvironment
  ) throws(ClientError) -> [TaskVolume] {
    let index = TaskEnvironment.index(ofAllocationNamed: allocation.name)
    // A task that sees the host's file system finds its relative places in its own directory.
    let folder = driver.capabilities.isolation == .none ? directory.task(task.name).task : ""
    return try TaskVolumes(
      task: task, group: plan.group, index: index, offered: context.configuration.hostVolumes
    ).resolve(environment.interpolation, relativeTo: folder)
  }

  private func watchExit(_ name: String, _ handle: TaskHandle, _ driver: any TaskDriver) {
    Task { [weak self] in
      var delay = Duration.milliseconds(100)
      while true {
        do throws(DriverError) {
          let outcome = try await driver.wait(handle)
          await self?.ended(name, handle, outcome)
          return
        } catch {
          guard let self, await self.isStillOurs(name, handle) else { return }
          if error.code == .unknownTask {
            await self.handle(.task(name, .recovered(.unknown, attempt: 0)))
            return
          }
          try? await Task.sleep(for: delay)
          delay = min(delay * 2, .seconds(5))
        }
      }
    }
  }

  /// From the first task on; again after one has been found to take too much and others are started.
  private func beginDiskWatch() {
    guard diskWatch == nil, let limit = plan.group.ephemeralDisk?.sizeMB, limit > 0 else { return }
    diskWatch = watchDisk(limitMB: limit, context.work)
  }

  /// All tasks end as failed: they share what is taken, and whose it is cannot be told.
  func diskExceeded(used: UInt64, limitMB: Int) {
    diskWatch = nil
    guard !isDestroyed else { return }
    log.warn("more disk is taken than ephemeral_disk allows", (key: "MiB", value: "\(used >> 20)"))
    for name in machine.order where handles[name] != nil {
      handle(.task(name, .kill(event: .diskExceeded(used: used, limitMB: limitMB, at: Moment.now.wall), fails: true)))
    }
  }

  private func isStillOurs(_ name: String, _ handle: TaskHandle) -> Bool {
    !isDestroyed && handles[name]?.id == handle.id
  }

  private func ended(_ name: String, _ handle: TaskHandle, _ outcome: TaskOutcome) {
    guard isStillOurs(name, handle) else { return }
    self.handle(.task(name, .exited(outcome)))
  }

  private func send(_ signal: String, to name: String) async {
    guard let handle = handles[name], let driver = driver(of: name), let number = SignalNames.number(signal) else {
      return
    }
    do throws(DriverError) {
      try await driver.signal(handle, number)
    } catch {
      // It may have ended meanwhile, which is what a kill signal is for.
      log.debug("signal a task, ignoring", (key: "task", value: name), (key: "error", value: error.message))
    }
  }

  private func killAll(_ name: String) async {
    guard let handle = handles[name], let driver = driver(of: name) else { return }
    do throws(DriverError) {
      try await driver.kill(handle)
    } catch {
      log.warn("kill a task", (key: "task", value: name), (key: "error", value: error.message))
    }
  }

  /// Lets the driver forget an ended attempt, after its end is in the database.
  private func destroy(_ handle: TaskHandle, of name: String, _ driver: any TaskDriver) async {
    do {
      try await context.store.write(storedState)
      try await driver.destroy(handle)
    } catch {
      // The next agent finds the attempt, sees that it is done with, and does this again.
      log.debug("forget an ended task, ignoring", (key: "task", value: name), (key: "error", value: "\(error)"))
    }
  }

  // MARK: - Storing and reporting

  private func store() {
    context.store.write(storedState) { [log] result in
      if case .failure(let error) = result {
        log.error(
          "store the allocation's state: an agent restarted now may not know it", (key: "error", value: "\(error)"))
      }
    }
  }

  private var storedState: [ClientChange] {
    var local = AllocationLocalState()
    local.stopAsked = machine.stopAsked
    local.finished = machine.finished
    local.deploymentID = watchedDeployment
    local.healthy = machine.health?.verdict
    local.healthDecidedAt = machine.health?.decidedAt ?? .zeroValue
    local.healthDeadline = machine.health?.deadline ?? .zeroValue
    local.firstUserID = Int(firstUserID)
    var changes: [ClientChange] = [.put(.allocationState, key: id.description, Binary.encode(local))]
    for (name, member) in machine.members {
      let key = Bucket.taskKey(allocation: id.description, task: name)
      changes.append(.put(.taskLocalState, key: key, Binary.encode(TaskLocalState(member.machine))))
      changes.append(.put(.taskState, key: key, Binary.encode(member.machine.state)))
    }
    return changes
  }

  /// What the servers are to know.
  var currentUpdate: AllocationClientUpdate {
    var update = AllocationClientUpdate()
    update.id = id
    (update.clientStatus, update.clientDescription) = machine.status
    update.taskStates = machine.members.mapValues(\.machine.state)
    update.deploymentID = watchedDeployment
    if let watch = machine.health, let verdict = watch.verdict {
      var status = allocation.deploymentStatus ?? AllocDeploymentStatus()
      status.healthy = verdict
      status.timestamp = watch.decidedAt
      update.deploymentStatus = status
    }
    return update
  }

  private func report(evenIfSame: Bool = false) {
    var update = currentUpdate
    if !evenIfSame, var last = lastReport {
      last.modifyTime = .zeroValue
      if last == update { return }
    }
    update.modifyTime = Moment.now.wall
    lastReport = update
    context.updates.put(update)
  }

  /// The servers' record with this client's newest knowledge in it.
  var currentAllocation: Allocation {
    var current = allocation
    let update = currentUpdate
    current.clientStatus = update.clientStatus
    current.clientDescription = update.clientDescription
    current.taskStates = update.taskStates
    if let status = update.deploymentStatus { current.deploymentStatus = status }
    return current
  }

  // MARK: - Usage

  /// What the allocation's running tasks use; all zero for those that do not run.
  func usage(task: String?, coreMHz: Int) async throws(ClientError) -> AllocResourceUsage {
    var result = AllocResourceUsage()
    result.timestamp = Moment.now.wall.nanoseconds
    var sum = UsageSum()
    let holdsDevices = machine.order.contains { !heldDevices(of: $0).isEmpty }
    let deviceStatistics = holdsDevices ? await context.devices.statistics() : []
    for name in try taskNames(task) {
      guard let handle = handles[name], let driver = driver(of: name),
        machine.members[name]?.machine.isRunning == true
      else { continue }
      do throws(DriverError) {
        let statistics = try await driver.stats(handle)
        let sample = UsageSample(id: handle.id, at: Moment.now.steady, statistics: statistics)
        let before = samples[name].flatMap { $0.id == handle.id ? $0 : nil }
        samples[name] = sample
        var usage = TaskResourceUsage()
        usage.timestamp = Moment.now.wall.nanoseconds
        usage.resourceUsage = sample.usage(since: before, startedAt: handle.startedAt, coreMHz: coreMHz)
        usage.resourceUsage?.deviceStats = NodeDevices.statistics(deviceStatistics, of: heldDevices(of: name))
        result.tasks[name] = usage
        if let usage = usage.resourceUsage { sum.add(usage) }
      } catch {
        // The task may end between the look and the question; it then uses nothing.
        log.debug("ask for a task's usage, ignoring", (key: "task", value: name), (key: "error", value: error.message))
      }
    }
    result.resourceUsage = sum.total
    return result
  }

  /// Whether a task's log may still grow.
  func mayStillWrite(task: String) -> Bool { machine.members[task].map { !$0.machine.isDead } ?? false }
  var taskOrder: [String] { machine.order }
}
