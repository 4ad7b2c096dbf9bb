public import Isolation
internal import Linux
internal import Synchronization

/// The agent's side of the supervisor's socket.
///
/// One thread of its own reads answers and events; requests are sent by whoever makes them. All methods may be called
/// from any task or thread, several at a time. When the connection breaks, requests in flight fail with
/// `.disconnected`, `events` delivers `.disconnected` and ends: make a new client and `list` what there is.
public final class SupervisorClient: Sendable {
  /// What happened to tasks since the connection was made. One consumer. Events that nobody takes are kept.
  public let events: AsyncStream<SupervisorEvent>
  /// The supervisor's process id.
  public let pid: Int32
  /// The path of the program it runs.
  public let executable: String

  private let socket: SharedSocket
  private let pending: Pending

  /// Connects and says hello. Blocks for as long as the supervisor takes to answer: call it from a thread of your own,
  /// or use `open`.
  public init(connectingTo path: String) throws(SupervisorError) {
    do {
      socket = SharedSocket(try UnixSocket.connect(to: path))
    } catch {
      throw SupervisorError(.disconnected, "\(error)")
    }
    let (events, continuation) = AsyncStream<SupervisorEvent>.makeStream(bufferingPolicy: .unbounded)
    self.events = events
    pending = Pending(events: continuation)
    let hello = Numbered(number: 1, body: Request.hello(version: protocolVersion))
    do {
      _ = try Channel.send(hello.encoded, over: socket.socket, blocking: true)
      guard case .message(let received) = try Channel.receive(from: socket.socket, blocking: true) else {
        throw SupervisorError(.disconnected, "the supervisor at \(path) closed the connection")
      }
      switch try NumberedReply(decoding: received.bytes).body {
      case .welcome(_, let pid, let executable):
        self.pid = pid
        self.executable = executable
      case .failed(let error): throw error
      default: throw SupervisorError(.version, "the supervisor at \(path) answered something else to hello")
      }
    } catch let error as SupervisorError {
      throw error
    } catch {
      throw SupervisorError(.disconnected, "\(error)")
    }
    do {
      try DetachedThread.start { [socket, pending] in Self.read(from: socket, into: pending) }
    } catch {
      throw SupervisorError(.system, "\(error)")
    }
  }

  deinit { close() }

  /// `init(connectingTo:)` on a thread of its own.
  public static func open(_ path: String) async throws(SupervisorError) -> SupervisorClient {
    let result: Result<SupervisorClient, SupervisorError> = await withCheckedContinuation { continuation in
      do {
        try DetachedThread.start {
          do throws(SupervisorError) {
            continuation.resume(returning: .success(try SupervisorClient(connectingTo: path)))
          } catch {
            continuation.resume(returning: .failure(error))
          }
        }
      } catch {
        continuation.resume(returning: .failure(SupervisorError(.system, "\(error)")))
      }
    }
    return try result.get()
  }

  /// Ends the connection. The tasks run on.
  public func close() { socket.shutDown() }

  /// Starts a task; returns once its command has been executed.
  ///
  /// - Throws: `.startFailed` with the failed step; `.alreadyExists` when the id is taken by a task that runs or has
  ///   not been acknowledged.
  ///
  /// - Parameter mounts: detached mounts for the sandbox's mounts that are handed over, in their order; the caller keeps
  ///   owning them.
  public func start(_ spec: TaskSpec, mounts: [Int32] = []) async throws(SupervisorError) -> TaskStatus {
    guard case .task(let status) = try await ask(.start(spec), descriptors: mounts) else { throw Self.unexpected }
    return status
  }

  /// Every task the supervisor knows: running ones, and ended ones that wait for `acknowledge`.
  public func list() async throws(SupervisorError) -> [TaskStatus] {
    guard case .tasks(let all) = try await ask(.list) else { throw Self.unexpected }
    return all
  }

  /// Sends a signal to the task's main process (through the in-task init where there is one).
  public func signal(_ id: String, _ signal: Int32) async throws(SupervisorError) {
    _ = try await ask(.signal(id: id, signal))
  }

  /// Kills every process of the task. Returns at once; `.exited` follows when nothing is left.
  public func kill(_ id: String) async throws(SupervisorError) { _ = try await ask(.kill(id: id)) }

  /// Lets the supervisor forget an ended task, once the caller has stored how it ended. An id that it does not know is
  /// no error.
  public func acknowledge(_ id: String) async throws(SupervisorError) { _ = try await ask(.acknowledge(id: id)) }

  /// What the task's cgroup has used.
  public func statistics(_ id: String) async throws(SupervisorError) -> CgroupStatistics {
    guard case .statistics(let statistics) = try await ask(.statistics(id: id)) else { throw Self.unexpected }
    return statistics
  }

  /// What many tasks use, in one round: those that do not run are left out.
  public func usage(of ids: [String]) async throws(SupervisorError) -> [String: CgroupStatistics] {
    guard case .usage(let all) = try await ask(.usage(ids: ids)) else { throw Self.unexpected }
    return Dictionary(all.map { ($0.id, $0.usage) }) { $1 }
  }

  /// Changes the limits of a running task (devices excepted).
  public func setLimits(_ id: String, _ limits: CgroupLimits) async throws(SupervisorError) {
    _ = try await ask(.setLimits(id: id, limits))
  }

  /// Runs a command inside a running task, with the task's namespaces, cgroup, limits, capabilities and filter; returns
  /// when it has ended.
  ///
  /// - Parameters:
  ///   - command: without an environment it gets the task's.
  ///   - user: nil: the task's.
  ///   - streams: input, output and error; the caller keeps owning them and may close them once this has been called.
  ///     For a terminal, three times the same `Terminal.peer`.
  ///   - terminal: makes stream 0 the controlling terminal of the command's session.
  ///
  /// When the calling task is cancelled the command and its process group are killed.
  public func execute(
    _ command: Command, in id: String, user: String? = nil, streams: [Int32], terminal: Bool = false
  ) async throws(SupervisorError) -> TaskExit {
    let request = Request.execute(id: id, command, user: user, terminal: terminal)
    let number = RequestNumber()
    let result: Result<Reply, SupervisorError> = await withTaskCancellationHandler {
      do throws(SupervisorError) {
        return .success(try await ask(request, descriptors: streams) { number.set($0) })
      } catch {
        return .failure(error)
      }
    } onCancel: {
      if let number = number.value { endCommand(number) }
    }
    guard case .executed(let exit) = try result.get() else { throw Self.unexpected }
    return exit
  }

  /// Kills the command of that request. Its end is the answer; the one to this request is not waited for.
  private func endCommand(_ request: UInt64) {
    guard let number = pending.add({ _ in }) else { return }
    let message = Numbered(number: number, body: Request.endCommand(request: request)).encoded
    // A connection that is gone has ended the command with it.
    _ = try? Channel.send(message, descriptors: [], over: socket.socket, blocking: true)
  }

  /// Ends the supervisor, leaving the tasks to the next one.
  public func shutdown() async throws(SupervisorError) { _ = try await ask(.shutdown) }

  /// Replaces the supervisor's program by the one at `executable`, in place: tasks stay its children. The connection
  /// breaks; connect again.
  public func upgrade(executable: String) async throws(SupervisorError) {
    _ = try await ask(.upgrade(executable: executable))
  }

  private static let unexpected = SupervisorError(.version, "the supervisor answered something else than was asked")

  /// - Parameter sent: told the request's number once it is sent.
  private func ask(
    _ request: Request, descriptors: [Int32] = [], sent: (@Sendable (UInt64) -> Void)? = nil
  ) async throws(SupervisorError) -> Reply {
    let result: Result<Reply, SupervisorError> = await withCheckedContinuation { continuation in
      guard let number = pending.add({ continuation.resume(returning: $0) }) else {
        continuation.resume(returning: .failure(SupervisorError(.disconnected, "the supervisor has gone")))
        return
      }
      do {
        let message = Numbered(number: number, body: request).encoded
        _ = try Channel.send(message, descriptors: descriptors, over: socket.socket, blocking: true)
        sent?(number)
        // Cancelled before there was anything to end: the handler ran and found no number.
        if sent != nil, Task.isCancelled { endCommand(number) }
      } catch {
        pending.complete(number, .failure(SupervisorError(.disconnected, "\(error)")))
      }
    }
    let reply = try result.get()
    if case .failed(let error) = reply { throw error }
    return reply
  }

  private static func read(from socket: SharedSocket, into pending: Pending) {
    var reason = "the supervisor closed the connection"
    do {
      loop: while true {
        switch try Channel.receive(from: socket.socket, blocking: true) {
        case .nothing: continue
        case .closed: break loop
        case .message(let received):
          received.descriptors.forEach { _ = FileDescriptor(adopting: $0) }
          let reply = try NumberedReply(decoding: received.bytes)
          switch reply.body {
          case .started(let status): pending.deliver(.started(status))
          case .exited(let id, let exit): pending.deliver(.exited(id: id, exit))
          default: pending.complete(reply.number, .success(reply.body))
          }
        }
      }
    } catch {
      reason = "\(error)"
    }
    pending.fail(reason)
  }
}

/// The socket, shared by the reading thread and those who send.
private final class SharedSocket: Sendable {
  let socket: UnixSocket
  init(_ socket: consuming UnixSocket) { self.socket = socket }
  /// Wakes the reading thread, which then lets go of the socket.
  func shutDown() { socket.shutDown() }
}

/// The number of a request, for who may want to take it back.
private final class RequestNumber: Sendable {
  private let number = Mutex<UInt64?>(nil)
  var value: UInt64? { number.withLock { $0 } }
  func set(_ value: UInt64) { number.withLock { $0 = value } }
}

/// Requests that wait for their answer.
private final class Pending: Sendable {
  typealias Completion = @Sendable (Result<Reply, SupervisorError>) -> Void
  private struct State {
    var next: UInt64 = 2
    var waiting: [UInt64: Completion] = [:]
    var isClosed = false
  }
  private let state = Mutex(State())
  private let events: AsyncStream<SupervisorEvent>.Continuation

  init(events: AsyncStream<SupervisorEvent>.Continuation) { self.events = events }

  /// A number for a request; nil when the connection is gone.
  func add(_ completion: @escaping Completion) -> UInt64? {
    state.withLock { state in
      if state.isClosed { return nil }
      let number = state.next
      state.next += 1
      state.waiting[number] = completion
      return number
    }
  }

  func complete(_ number: UInt64, _ result: Result<Reply, SupervisorError>) {
    let completion = state.withLock { $0.waiting.removeValue(forKey: number) }
    completion?(result)
  }

  func deliver(_ event: SupervisorEvent) { events.yield(event) }

  func fail(_ reason: String) {
    let all = state.withLock { state in
      state.isClosed = true
      defer { state.waiting = [:] }
      return state.waiting
    }
    for completion in all.values { completion(.failure(SupervisorError(.disconnected, reason))) }
    events.yield(.disconnected(reason))
    events.finish()
  }
}
