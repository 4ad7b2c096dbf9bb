public import Codec
internal import Devices
internal import Drivers
internal import Isolation
internal import Linux
public import Log
public import Model
public import Storage
internal import Supervisor
public import Transport

/// A node's client agent: makes the node known to the servers and runs the allocations that they place on it.
///
/// Ending the client, by `stop` or by SIGKILL, ends no task: the next one on the same data directory takes them back.
public actor Client {
  private let configuration: ClientConfiguration
  private let endpoint: RPCEndpoint
  private let store: ClientStore
  private let log: Logger
  private let work = BlockingWork()
  private let updates = UpdateQueue()
  private let link: SupervisorLink
  private var drivers: [String: any TaskDriver] = [:]
  private var identity = NodeIdentity(id: .none, secretID: .none)
  /// Metadata that was set while the node ran; nil for what was taken away.
  private var metadata: [String: String?] = [:]
  private var registeredNode = Node()
  private var runners: [Identifier: AllocationRunner] = [:]
  private var context: RunnerContext?
  private let devices: DeviceManager
  private var servers: ServerLink?
  private var hostStatistics = HostStatistics()
  private var chores: [Task<Void, Never>] = []
  /// Tasks that the supervisor has and no allocation known here explains: tasks of allocations that the servers may
  /// still send. What is left after the first complete list is ended.
  private var unexplained: [Identifier: [TaskStatus]] = [:]
  private var destroying: Set<Identifier> = []
  private var coreMHz = 0
  /// Since when no server was reached, and what watches over it; nil while one is.
  private var silence: (since: Moment, watch: Task<Void, Never>)?

  /// A client that has not begun.
  /// - Parameters:
  ///   - endpoint: the agent's RPC endpoint; the client connects to servers through it, and servers call back over the
  ///     same connection.
  ///   - store: the client's database under its state directory.
  public init(configuration: ClientConfiguration, endpoint: RPCEndpoint, store: ClientStore, log: Logger) {
    self.configuration = configuration
    self.endpoint = endpoint
    self.store = store
    self.log = log.named("client")
    devices = NodeDevices.makeManager(configuration, log: log)
    let directory =
      configuration.supervisorDirectory.isEmpty
      ? configuration.stateDirectory + "/supervisor" : configuration.supervisorDirectory
    link = SupervisorLink(
      launcher: SupervisorLauncher(
        executable: configuration.supervisorPath, runtimeDirectory: directory,
        cgroup: configuration.supervisorCgroup, logFile: configuration.stateDirectory + "/supervisor.log"))
  }

  // MARK: - Life

  /// Looks at the host, takes back what an earlier agent ran, and begins to talk to the servers. Returns when tasks are
  /// back in hand, before a server was reached.
  /// - Throws: `.system` when the data directory or the database cannot be used.
  public func start() async throws(ClientError) {
    try await ensureDirectories()
    identity = try await loadIdentity()
    metadata = try await loadMetadata()
    let configuration = configuration
    drivers = makeDrivers(await work.run { () throws(Never) in HostIsolation(configuration) })
    await devices.start { [weak self] in await self?.lookAgain() }
    let fingerprint = await fingerprint()
    coreMHz = fingerprint.processor.frequencyMHz
    let node = await makeNode(fingerprint)
    registeredNode = node
    var context = RunnerContext(
      configuration: configuration, nodeValues: NodeValues.all(of: node, region: configuration.region),
      datacenter: node.datacenter, drivers: drivers, store: store, work: work, updates: updates, log: log,
      hostEnvironment: RunnerContext.hostEnvironment(denied: configuration.options["env.denylist"]),
      identifiers: try UserIDRanges(configuration.options["userns.pool"]), devices: devices)
    let secretID = identity.secretID
    let servers = ServerLink(
      endpoint: endpoint, servers: configuration.servers,
      client: ServerLink.Client(
        node: { [weak self] in await self?.node ?? Node() }, secretID: secretID,
        received: { [weak self] message in await self?.received(message) }, updates: updates,
        isReached: { [weak self] reached in await self?.serversAreReached(reached) }),
      log: log.named("rpc"))
    self.servers = servers
    context.transfer = AllocationDataTransfer(servers: servers, node: node.id, secretID: secretID, work: work)
    self.context = context
    try await restore(context)
    // Until the first answer nobody knows how long the servers have waited.
    serversAreReached(false)
    await servers.start()
    chores = [
      Task { [weak self] in
        while let interval = await self?.configuration.garbageCollection.interval {
          do { try await Task.sleep(for: .nanoseconds(interval.count)) } catch { return }
          await self?.collectByThresholds()
        }
      },
      Task { [weak self] in
        while let interval = self?.fingerprintInterval {
          do { try await Task.sleep(for: interval) } catch { return }
          await self?.devices.refresh()
          await self?.lookAgain()
        }
      },
    ]
    log.info(
      "client started", (key: "node_id", value: node.id.description), (key: "name", value: node.name),
      (key: "allocations", value: String(runners.count)))
  }

  /// How often the host is looked at for changes: drivers that got well or ill, addresses, memory.
  private nonisolated var fingerprintInterval: Duration { .seconds(60) }

  private func fingerprint() async -> NodeFingerprint {
    let configuration = configuration
    return await work.run { () throws(Never) in NodeFingerprint(configuration: configuration) }
  }

  private func makeNode(_ fingerprint: NodeFingerprint) async -> Node {
    var node = Node()
    node.id = identity.id
    node.secretID = identity.secretID
    node.status = .ready
    fingerprint.apply(to: &node, configuration: configuration)
    await addDrivers(to: &node)
    node.nodeResources?.devices = await devices.groups
    node.meta = merged(configuration.meta, metadata)
    return node
  }

  /// Registers again when something that placements depend on has changed. Free disk space moves all the time and alone
  /// is no reason.
  private func lookAgain() async {
    // Before the node is registered for the first time there is nothing to correct.
    guard context != nil else { return }
    let node = await makeNode(await fingerprint())
    guard NodeFingerprint.differ(node, registeredNode) else { return }
    log.info("this node has changed, registering again")
    registeredNode = node
    context?.nodeValues = NodeValues.all(of: node, region: configuration.region)
    await servers?.registerAgain()
  }

  /// Ends the client.
  /// - Parameter endingTasks: end all tasks first and delete what they left (a development agent); else they run on.
  public func stop(endingTasks: Bool = false) async {
    for chore in chores { chore.cancel() }
    silence?.watch.cancel()
    if endingTasks {
      // The servers hear of the ends as long as the connection stands.
      await withTaskGroup(of: Void.self) { group in
        for runner in runners.values { group.addTask { await runner.destroy() } }
      }
      runners = [:]
    }
    for runner in runners.values { await runner.detach() }
    await devices.stop()
    await servers?.close()
    if endingTasks, let supervisor = try? await link.connection() {
      // Nothing runs under it any more; one that cannot be asked has ended already.
      try? await supervisor.shutdown()
      await removeCgroups()
    }
    await link.close()
  }

  /// The supervisor leaves its own group a moment after it has answered; groups that stay are empty and in nobody's way.
  private func removeCgroups() async {
    let name = configuration.supervisorCgroup
    let deadline = ContinuousClock.now + .seconds(2)
    while ContinuousClock.now < deadline {
      do {
        let cgroups = try CgroupLayout.ofThisHost().driver
        for group in ["\(name)/task", "\(name)/supervisor", name] { try cgroups.remove(group) }
        return
      } catch {
        do { try await Task.sleep(for: .milliseconds(5)) } catch { return }
      }
    }
    log.debug("the agent's control groups are still in use, ignoring", (key: "cgroup", value: name))
  }

  private func ensureDirectories() async throws(ClientError) {
    let configuration = configuration
    do throws(SystemError) {
      try await work.run { () throws(SystemError) in
        try Files.makeDirectories(configuration.stateDirectory, permissions: 0o700)
        try Files.makeDirectories(configuration.allocationDirectory, permissions: 0o711)
        for path in [configuration.stateDirectory, configuration.allocationDirectory] {
          _ = try FileDescriptor.open(
            path, [.readOnly, .directory], advice: "it must be a directory of this agent's own")
        }
      }
    } catch {
      throw ClientError(.system, "prepare the client's directories: \(error)")
    }
  }

  private func loadIdentity() async throws(ClientError) -> NodeIdentity {
    do {
      return try await NodeIdentity.loadOrMake(store)
    } catch {
      throw ClientError(.system, "read this node's identity: \(error)")
    }
  }

  // MARK: - Metadata

  private func loadMetadata() async throws(ClientError) -> [String: String?] {
    do throws(StorageError) {
      var found: [String: String?] = [:]
      for record in try await store.records(.nodeMetadata) {
        // An empty record stands for a key that was taken away, one with a leading byte for a value.
        found[record.key] =
          record.bytes.isEmpty ? .some(nil) : String(decoding: record.bytes.dropFirst(), as: UTF8.self)
      }
      return found
    } catch {
      throw ClientError(.system, "read this node's metadata: \(error)")
    }
  }

  /// The node's metadata and where it comes from.
  public var nodeMetadata: NodeMetadata {
    var result = NodeMetadata()
    result.meta = registeredNode.meta
    result.dynamic = metadata
    result.fixed = configuration.meta
    return result
  }

  /// Sets and takes away metadata of the node; it is on disk and known to the servers' next evaluation when this returns.
  /// - Throws: `.invalid` for a key that no constraint could name.
  public func changeMetadata(_ changes: [String: String?]) async throws(ClientError) -> NodeMetadata {
    for (key, value) in changes {
      guard !key.isEmpty, key.utf8.count <= 256, key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
        throw ClientError(.invalid, "\"\(key)\" is no metadata key: 1 to 256 visible ASCII characters")
      }
      guard (value ?? "").utf8.count <= 64 << 10 else {
        throw ClientError(.invalid, "the value of \"\(key)\" has more than 64 KiB")
      }
    }
    do throws(StorageError) {
      try await store.write(
        changes.map { key, value in
          .put(.nodeMetadata, key: key, value.map { [1] + Array($0.utf8) } ?? [])
        })
    } catch {
      throw ClientError(.system, "keep this node's metadata: \(error)")
    }
    for (key, value) in changes { metadata[key] = .some(value) }
    var node = registeredNode
    node.meta = merged(configuration.meta, metadata)
    registeredNode = node
    context?.nodeValues = NodeValues.all(of: node, region: configuration.region)
    await servers?.registerAgain()
    return nodeMetadata
  }

  private func merged(_ fixed: [String: String], _ dynamic: [String: String?]) -> [String: String] {
    var meta = fixed
    for (key, value) in dynamic { meta[key] = value }
    return meta
  }

  private func makeDrivers(_ host: HostIsolation) -> [String: any TaskDriver] {
    let exec = ExecDriver(link: link, settings: DriverSettings.exec(configuration, host))
    let java = DriverSettings.java(configuration, host)
    let all: [any TaskDriver] = [
      exec, JavaDriver(link: link, settings: java.settings, homes: java.homes),
      RawExecDriver(link: link, settings: DriverSettings.rawExec(configuration)),
    ]
    return Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
  }

  private func addDrivers(to node: inout Node) async {
    for (name, driver) in drivers {
      let found = await driver.fingerprint()
      var info = DriverInfo()
      info.detected = found.detected
      info.healthy = found.healthy
      info.healthDescription = found.description
      info.attributes = found.attributes
      info.updateTime = Moment.now.wall
      node.drivers[name] = info
      guard found.detected, found.healthy else {
        if found.detected {
          log.error("a driver is not healthy", (key: "driver", value: name), (key: "reason", value: found.description))
        }
        continue
      }
      node.attributes.merge(found.attributes) { _, new in new }
    }
  }

  // MARK: - Restoring

  private func restore(_ context: RunnerContext) async throws(ClientError) {
    var found = await tasksOfSupervisor()
    let stored: [(Allocation, AllocationRunner.Stored)]
    do {
      stored = try await StoredAllocations.load(store)
    } catch {
      throw ClientError(.system, "read the allocations of an earlier agent: \(error)")
    }
    for (allocation, _) in stored {
      do throws(ClientError) {
        runners[allocation.id] = try AllocationRunner(allocation, context: context)
      } catch {
        log.error(
          "restore an allocation", (key: "alloc_id", value: allocation.id.description),
          (key: "error", value: error.message))
      }
    }
    for (allocation, state) in stored {
      guard let runner = runners[allocation.id] else { continue }
      let tasks = found.removeValue(forKey: allocation.id) ?? []
      await runner.restore(
        state, found: await adopt(tasks, names: runner.taskOrder), after: runners[allocation.previousAllocation],
        awaiting: allocation.startsAfter.compactMap { runners[$0] })
    }
    unexplained = found
  }

  /// What the supervisor has, by allocation; empty when it cannot be asked (then nothing of an earlier agent can run).
  private func tasksOfSupervisor() async -> [Identifier: [TaskStatus]] {
    do throws(SupervisorError) {
      let all = try await link.list()
      return Dictionary(grouping: all) { AttemptID($0.id)?.allocation ?? .none }
    } catch {
      log.error("ask the supervisor for its tasks", (key: "error", value: error.message))
      return [:]
    }
  }

  /// The latest attempt of each task; older ones are ended and forgotten.
  private func adopt(_ tasks: [TaskStatus], names: [String]) async -> [String: AllocationRunner.Found] {
    var latest: [String: (attempt: AttemptID, status: TaskStatus)] = [:]
    var stale: [TaskStatus] = []
    for status in tasks {
      guard let attempt = AttemptID(status.id), let name = names.first(where: { attempt.isOf(task: $0) }) else {
        stale.append(status)
        continue
      }
      if let other = latest[name] {
        stale.append(other.attempt.attempt < attempt.attempt ? other.status : status)
        if other.attempt.attempt > attempt.attempt { continue }
      }
      latest[name] = (attempt, status)
    }
    await end(stale)
    return latest.mapValues {
      AllocationRunner.Found(
        attempt: $0.attempt.attempt, pid: Int($0.status.pid),
        startedAt: Timestamp(nanoseconds: $0.status.startedNanoseconds))
    }
  }

  /// Ends tasks that nobody wants, and lets the supervisor forget them.
  private func end(_ tasks: [TaskStatus]) async {
    for task in tasks {
      log.warn("end a task that no allocation explains", (key: "task", value: task.id))
      let link = link
      let log = log
      Task {
        do throws(SupervisorError) {
          if case .exited = task.state {} else { try await link.connection().kill(task.id) }
          _ = try await link.wait(for: task.id)
          try await link.acknowledge(task.id)
        } catch {
          log.warn(
            "end a task that no allocation explains", (key: "task", value: task.id),
            (key: "error", value: error.message))
        }
      }
    }
  }

  // MARK: - Silence

  /// Without servers, allocations that say so (`stop_on_client_after`) are ended after a time: the servers start others
  /// in their place.
  private func serversAreReached(_ reached: Bool) {
    if reached {
      silence?.watch.cancel()
      silence = nil
    } else if silence == nil {
      silence = (
        .now,
        Task { [weak self] in
          while let pause = await self?.endWhatMayNotRunAlone() {
            do { try await Task.sleep(for: pause) } catch { return }
          }
        }
      )
    }
  }

  /// Ends the allocations whose time is up. Returns when to look again; nil while servers are reached.
  private func endWhatMayNotRunAlone() async -> Duration? {
    guard let silence else { return nil }
    let silent = Moment.now.steady - silence.since.steady
    for (id, runner) in runners {
      guard let limit = await runner.stopOnClientAfter, silent >= limit, await !runner.isStopping else { continue }
      log.warn("end an allocation that may not run without servers", (key: "alloc_id", value: id.description))
      await runner.stop()
    }
    return .milliseconds(500)
  }

  // MARK: - The servers' word

  private func received(_ message: NodeAllocationsMessage) async {
    for allocation in message.allocations {
      if let runner = runners[allocation.id] {
        await runner.update(allocation)
      } else {
        await add(allocation)
      }
    }
    for id in message.removed { remove(id) }
    guard message.isComplete else { return }
    let wanted = Set(message.allocations.map(\.id))
    for id in runners.keys where !wanted.contains(id) { remove(id) }
    let orphans = unexplained.values.flatMap { $0 }
    unexplained = [:]
    await end(orphans)
  }

  private func add(_ allocation: Allocation) async {
    let isOver = [.complete, .failed, .lost].contains(allocation.clientStatus)
    let tasks = unexplained.removeValue(forKey: allocation.id) ?? []
    guard let context, allocation.desiredStatus == .run, !isOver else {
      await end(tasks)
      // Never begun here, and not wanted any more: the servers are told that nothing of it runs.
      if !isOver { reportNeverRan(allocation) }
      return
    }
    do throws(ClientError) {
      let runner = try AllocationRunner(allocation, context: context)
      runners[allocation.id] = runner
      await runner.start(
        found: await adopt(tasks, names: runner.taskOrder), after: runners[allocation.previousAllocation],
        awaiting: allocation.startsAfter.compactMap { runners[$0] })
    } catch {
      log.error(
        "run an allocation", (key: "alloc_id", value: allocation.id.description), (key: "error", value: error.message))
      var update = AllocationClientUpdate()
      update.id = allocation.id
      update.clientStatus = .failed
      update.clientDescription = error.message
      update.modifyTime = Moment.now.wall
      updates.put(update)
    }
  }

  private func reportNeverRan(_ allocation: Allocation) {
    var update = AllocationClientUpdate()
    update.id = allocation.id
    update.clientStatus = .complete
    update.clientDescription = "The allocation was stopped before it began"
    update.taskStates = allocation.taskStates
    update.modifyTime = Moment.now.wall
    updates.put(update)
  }

  /// Deletes an allocation and everything of it; ends it first if it still runs.
  private func remove(_ id: Identifier) {
    guard let runner = runners[id], destroying.insert(id).inserted else { return }
    Task {
      await runner.destroy()
      removed(id)
    }
  }

  private func removed(_ id: Identifier) {
    runners[id] = nil
    destroying.remove(id)
  }

  // MARK: - For the API

  /// The node as it is registered; its `secretID` is set.
  public var node: Node { registeredNode }
  /// The node's id; the same over restarts of the agent on one data directory.
  public var nodeID: Identifier { identity.id }

  /// The server this client is registered at now, `host:port`; nil while there is none.
  public var server: String? { get async { await servers?.server } }
  /// Every server address this client knows.
  public var knownServers: [String] { get async { await servers?.knownServers ?? configuration.servers } }

  /// A connection to a server, for requests that are forwarded to one.
  /// - Throws: `RPCError.unavailable` when none could be reached in the time.
  public func serverConnection(timeout: Duration = .seconds(5)) async throws(RPCError) -> RPCConnection {
    guard let servers else { throw RPCError(.unavailable, "the client has not started yet") }
    return try await servers.connection(timeout: timeout)
  }

  /// The ids of the allocations that have a directory here, ended ones included.
  public var allocationIDs: [Identifier] { runners.keys.sorted() }

  /// The servers' record of an allocation with this client's newest knowledge in it; nil for one that is not here.
  public func allocation(_ id: Identifier) async -> Allocation? { await runners[id]?.currentAllocation }

  /// What an allocation uses.
  /// - Parameter task: one task only.
  public func usage(
    ofAllocation id: Identifier, task: String? = nil
  ) async throws(ClientError) -> AllocResourceUsage {
    try await runner(id).usage(task: task, coreMHz: coreMHz)
  }

  /// What the whole host uses; rates since the call before.
  public func hostStats() async -> HostStats {
    let configuration = configuration
    let coreMHz = coreMHz
    var statistics = hostStatistics
    let (stats, after) = await work.run { [statistics] () throws(Never) in
      var copy = statistics
      let stats = copy.sample(configuration: configuration, coreMHz: coreMHz)
      return (stats, copy)
    }
    statistics = after
    hostStatistics = statistics
    var all = stats
    all.deviceStats = await devices.statistics().map(NodeDevices.json)
    return all
  }

  /// The files of an allocation.
  public func files(ofAllocation id: Identifier) async throws(ClientError) -> AllocationFiles {
    let runner = try runner(id)
    return AllocationFiles(directory: runner.directory.path, tasks: await runner.taskOrder, work: work)
  }

  /// A task's log.
  /// - Parameters:
  ///   - offset: bytes from the start, or back from the end.
  ///   - follow: wait for what is written later, until the task has ended for good.
  public func logs(
    ofAllocation id: Identifier, task: String, kind: LogKind, offset: Int64 = 0, fromEnd: Bool = false,
    follow: Bool = false
  ) async throws(ClientError) -> LogReader {
    let runner = try runner(id)
    let files = try await files(ofAllocation: id)
    guard files.tasks.contains(task) else {
      throw ClientError(
        .notFound, "allocation \(id) has no task \"\(task)\": it has \(files.tasks.joined(separator: ", "))")
    }
    return try await LogReader.open(
      files, task: task, kind: kind, offset: offset, fromEnd: fromEnd, follows: follow,
      mayGrow: { await runner.mayStillWrite(task: task) })
  }

  /// Restarts an allocation's running tasks, or one; with `all` also those that have ended.
  public func restart(allocation id: Identifier, task: String? = nil, all: Bool = false) async throws(ClientError) {
    try await runner(id).restart(task: task, all: all)
  }

  /// Sends a signal, by name, to all running tasks of an allocation or to one.
  public func signal(allocation id: Identifier, task: String? = nil, signal: String) async throws(ClientError) {
    try await runner(id).signal(task: task, signal)
  }

  /// A command in a running task, ready to be run over a channel.
  /// - Throws: `.notFound`, `.invalid`, or `.conflict` when the task does not run.
  public func session(
    inAllocation id: Identifier, _ request: ExecRequest
  ) async throws(ClientError) -> ExecSession {
    if configuration.disablesRemoteExec {
      throw ClientError(.forbidden, "this node lets nobody run commands in its tasks (client { disable_remote_exec })")
    }
    return try await runner(id).session(request)
  }

  /// Deletes an ended allocation's directory.
  public func collectGarbage(allocation id: Identifier) async throws(ClientError) {
    guard await (try runner(id)).isFinished else {
      throw ClientError(.conflict, "allocation \(id) has not ended: stop its job first")
    }
    remove(id)
  }

  /// Deletes the directories of all ended allocations.
  public func collectGarbage() async {
    for candidate in await endedAllocations() { remove(candidate.id) }
  }

  /// Sends what an allocation left, when it has ended.
  func sendData(of id: Identifier, to stream: RPCStream) async throws {
    guard let runner = runners[id] else { throw RPCError(.notFound, "allocation \(id) is not on this node any more") }
    await runner.waitUntilFinished()
    try await AllocationDataSender.send(
      runner.directory, tasks: await runner.taskOrder, work: work, to: stream)
  }

  private func runner(_ id: Identifier) throws(ClientError) -> AllocationRunner {
    guard let runner = runners[id] else { throw ClientError(.notFound, "allocation \(id) is not on this node") }
    return runner
  }

  private func endedAllocations() async -> [GarbageCollection.Candidate] {
    var ended: [GarbageCollection.Candidate] = []
    for (id, runner) in runners where !destroying.contains(id) {
      if await runner.isFinished {
        ended.append(GarbageCollection.Candidate(id: id, finishedAt: await runner.finishedAt))
      }
    }
    return ended
  }

  private func collectByThresholds() async {
    let directory = configuration.allocationDirectory
    let storage = await work.run { () throws(Never) in StorageInfo(ofDirectory: directory) }
    let victims = GarbageCollection.victims(
      await endedAllocations(), total: runners.count,
      fullness: storage.map { .init(diskPercent: $0.usedPercent, inodePercent: $0.inodesUsedPercent) },
      limits: configuration.garbageCollection)
    for id in victims {
      log.info("delete an ended allocation's directory to make room", (key: "alloc_id", value: id.description))
      remove(id)
    }
  }
}
