public import Supervisor

/// This agent's connection to the node's supervisor, made anew whenever it breaks; tasks run on meanwhile.
public actor SupervisorLink {
  private let launcher: SupervisorLauncher
  private var client: SupervisorClient?
  private var connecting: Task<Result<Made, SupervisorError>, Never>?
  /// Tasks that have ended and are not acknowledged yet.
  private var ended: [String: Supervisor.TaskExit] = [:]
  /// Tasks that the supervisor had when it was last asked, or started since.
  private var known: Set<String> = []
  private var waiters: [String: [CheckedContinuation<Result<Supervisor.TaskExit?, SupervisorError>, Never>]] = [:]
  private var isClosed = false

  /// A link that connects when it is first needed.
  public init(launcher: SupervisorLauncher) { self.launcher = launcher }

  /// The connection, made first if there is none; starts a supervisor if none runs.
  public func connection() async throws(SupervisorError) -> SupervisorClient {
    if let client { return client }
    if isClosed { throw SupervisorError(.disconnected, "this agent is shutting down") }
    let attempt = connecting ?? Task { [launcher] in await Self.connect(launcher) }
    connecting = attempt
    let result = await attempt.value
    // The first to come back takes the connection over; the others find it, or make the next attempt.
    if connecting == attempt {
      connecting = nil
      if case .success(let made) = result { takeOver(made.client, made.tasks) }
    }
    if let client { return client }
    throw result.failure ?? SupervisorError(.disconnected, "the supervisor ended the connection at once")
  }

  /// Connects and asks for all tasks: nobody may use a connection before it is known which tasks there are, or a task
  /// that runs would count as lost.
  private static func connect(_ launcher: SupervisorLauncher) async -> Result<Made, SupervisorError> {
    do throws(SupervisorError) {
      let client = try await launcher.connect()
      return .success(Made(client: client, tasks: try await client.list()))
    } catch {
      return .failure(error)
    }
  }

  private struct Made: Sendable {
    var client: SupervisorClient
    var tasks: [TaskStatus]
  }

  private func takeOver(_ made: SupervisorClient, _ tasks: [TaskStatus]) {
    if isClosed { return made.close() }
    client = made
    known = Set(tasks.map(\.id))
    for task in tasks { if case .exited(let exit) = task.state { finished(task.id, exit) } }
    for id in waiters.keys where !known.contains(id) {
      for waiter in waiters.removeValue(forKey: id) ?? [] { waiter.resume(returning: .success(nil)) }
    }
    // Events since the connection was made are kept for us, so none is missed and some are old news.
    let events = made.events
    Task { [weak self] in
      for await event in events { await self?.received(event) }
    }
  }

  private func received(_ event: SupervisorEvent) async {
    switch event {
    case .started(let status): known.insert(status.id)
    case .exited(let id, let exit): finished(id, exit)
    case .disconnected:
      client = nil
      known = []
      // Somebody waits for a task: find it again. Backs off, for a supervisor that cannot start must not be hammered.
      var delay = Duration.milliseconds(50)
      while !waiters.isEmpty, !isClosed, client == nil {
        do throws(SupervisorError) {
          _ = try await connection()
        } catch {
          // Cancellation cannot happen here: nobody holds this task.
          try? await Task.sleep(for: delay)
          delay = min(delay * 2, .seconds(2))
        }
      }
    }
  }

  private func finished(_ id: String, _ exit: Supervisor.TaskExit) {
    ended[id] = exit
    for waiter in waiters.removeValue(forKey: id) ?? [] { waiter.resume(returning: .success(exit)) }
  }

  // MARK: - What drivers do

  /// Starts a task, or finds the one of that id. A supervisor that dies before it has answered may have started it: the
  /// next one is asked, and finds it.
  /// - Parameter mounts: for the mounts of the sandbox that are handed over, in their order.
  public func start(_ spec: TaskSpec, mounts: [Int32] = []) async throws(SupervisorError) -> TaskStatus {
    let deadline = ContinuousClock.now + Self.patience
    while true {
      do throws(SupervisorError) {
        let client = try await connection()
        known.insert(spec.id)
        return try await start(spec, mounts, at: client)
      } catch {
        if await mayAskAgain(after: error, until: deadline) { continue }
        known.remove(spec.id)
        throw error
      }
    }
  }

  private func start(
    _ spec: TaskSpec, _ mounts: [Int32], at client: SupervisorClient
  ) async throws(SupervisorError) -> TaskStatus {
    do throws(SupervisorError) {
      return try await client.start(spec, mounts: mounts)
    } catch {
      guard error.kind == .alreadyExists else { throw error }
      let all = try await client.list()
      guard let status = all.first(where: { $0.id == spec.id }) else { throw error }
      return status
    }
  }

  /// Sends a signal to the task's main process; twice when a supervisor dies in between, rather than never.
  public func signal(_ id: String, _ signal: Int32) async throws(SupervisorError) {
    try await ask { client throws(SupervisorError) in try await client.signal(id, signal) }
  }

  /// Kills every process of a task.
  public func kill(_ id: String) async throws(SupervisorError) {
    try await ask { client throws(SupervisorError) in try await client.kill(id) }
  }

  /// Asks what may be asked twice.
  private func ask(
    _ request: @Sendable (SupervisorClient) async throws(SupervisorError) -> Void
  ) async throws(SupervisorError) {
    let deadline = ContinuousClock.now + Self.patience
    while true {
      do throws(SupervisorError) {
        return try await request(try await connection())
      } catch {
        guard await mayAskAgain(after: error, until: deadline) else { throw error }
      }
    }
  }

  /// How long a request is repeated for want of a supervisor.
  private static let patience = Duration.seconds(20)

  /// Whether the connection is what failed and there is time for another; waits until its end can have been noticed.
  private func mayAskAgain(after error: SupervisorError, until deadline: ContinuousClock.Instant) async -> Bool {
    guard error.kind == .disconnected, !isClosed, ContinuousClock.now < deadline else { return false }
    do { try await Task.sleep(for: .milliseconds(20)) } catch { return false }
    return true
  }

  /// Returns when the task has ended; nil when the supervisor knows no such task.
  public func wait(for id: String) async throws(SupervisorError) -> Supervisor.TaskExit? {
    if let exit = ended[id] { return exit }
    _ = try await connection()
    if let exit = ended[id] { return exit }
    guard known.contains(id) else { return nil }
    let result: Result<Supervisor.TaskExit?, SupervisorError> = await withCheckedContinuation {
      waiters[id, default: []].append($0)
    }
    return try result.get()
  }

  /// Every task the supervisor has.
  public func list() async throws(SupervisorError) -> [TaskStatus] { try await connection().list() }

  /// Lets the supervisor, and this link, forget an ended task.
  public func acknowledge(_ id: String) async throws(SupervisorError) {
    try await ask { client throws(SupervisorError) in try await client.acknowledge(id) }
    ended[id] = nil
    known.remove(id)
  }

  /// Ends the connection; tasks and supervisor stay.
  public func close() {
    isClosed = true
    client?.close()
    client = nil
    let error = SupervisorError(.disconnected, "this agent is shutting down")
    for waiter in waiters.values.joined() { waiter.resume(returning: .failure(error)) }
    waiters = [:]
  }
}

extension Result {
  /// The error, nil for a success.
  fileprivate var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
