import Codec
import Drivers
import Isolation
import Linux
import Supervisor

/// Isolated tasks under a supervisor of the benchmark's own: what a client does for a start, without the agent.
final class Supervised: Sendable {
  private let link: SupervisorLink
  private let folder: String
  private let entries: [ChrootEntry]
  private let change: @Sendable (inout Sandbox) -> Void

  /// - Parameters:
  ///   - entries: what is laid into every root.
  ///   - change: what the tasks have different from the exec driver's defaults.
  init(
    _ place: Place, name: String, entries: [ChrootEntry], change: @escaping @Sendable (inout Sandbox) -> Void = { _ in }
  ) throws {
    folder = "\(place.folder)/\(name)"
    self.entries = entries
    self.change = change
    try Files.makeDirectories(folder, permissions: 0o755)
    try place.makeGroup("\(Place.cgroup)-\(name)")
    link = SupervisorLink(
      launcher: SupervisorLauncher(
        executable: "\(place.release)/serai-supervisor", runtimeDirectory: folder + "/run",
        cgroup: "\(Place.cgroup)-\(name)", logFile: folder + "/supervisor.log"))
  }

  /// Ids and a network of the task's own.
  static let userAndNetwork: @Sendable (inout Sandbox) -> Void = { sandbox in
    sandbox.userNamespace = UserNamespace(firstID: IDRangePool.defaultFirstID)
    sandbox.namespaces.insert(.network)
  }

  /// The supervisor's process.
  var pid: Int32 {
    get throws {
      let processes = try FileDescriptor.open("/proc", [.directory]).entries().compactMap { Int32($0.name) }
      for process in processes {
        let words = ((try? Files.readText("/proc/\(process)/cmdline")) ?? "").split(separator: "\0")
        if words.first?.hasSuffix("serai-supervisor") == true, words.contains(Substring(folder + "/run")) {
          return process
        }
      }
      throw Failure("the supervisor of \(folder) does not run")
    }
  }

  /// A task that can be started, its directories made.
  struct Request: Sendable {
    var spec: TaskSpec
    /// Where everything of it lies.
    var folder: String
    var logs: String { folder + "/alloc/logs" }
  }

  func task(_ program: String) throws -> Request {
    var generator = SystemRandomNumberGenerator()
    let id = Identifier(using: &generator).description
    let allocation = "\(folder)/\(id)"
    for path in ["alloc/logs", "t/local", "t/secrets", "t/tmp", ".layers/t"] {
      try Files.makeDirectories("\(allocation)/\(path)", permissions: 0o755)
    }
    var sandbox = Sandbox(
      command: Command("\(Place.programsInside)/\(program)", environment: ["PATH=/usr/bin:/bin"]))
    sandbox.root = Root(taskDirectory: allocation + "/t", layersDirectory: allocation + "/.layers/t", entries: entries)
    sandbox.mounts = [.bind(allocation + "/alloc", at: "/alloc", hasTaskIDs: true)]
    sandbox.limits.cpuShares = 100
    sandbox.limits.memoryBytes = 64 << 20
    change(&sandbox)
    let logs = LogSpec(directory: allocation + "/alloc/logs", task: "t", maxFiles: 4, maxFileBytes: 64 << 20)
    return Request(spec: TaskSpec(id: id, sandbox: sandbox, logs: logs), folder: allocation)
  }

  func start(_ request: Request) async throws { _ = try await link.start(request.spec) }

  /// Waits for a task's end and lets the supervisor forget it.
  func end(_ request: Request) async throws {
    guard let exit = try await link.wait(for: request.spec.id) else { throw Failure("a task is not known any more") }
    guard exit.exitCode == 0 || exit.signal == 9 else { throw Failure("a task ended with status \(exit.exitCode)") }
    try await link.acknowledge(request.spec.id)
  }

  func kill(_ request: Request) async throws {
    try await link.kill(request.spec.id)
    try await end(request)
  }

  /// What all of these use, in one answer.
  func statistics(_ requests: [Request]) async throws {
    let usage = try await link.connection().usage(of: requests.map(\.spec.id))
    guard usage.count == requests.count, usage.values.allSatisfy({ $0.memoryBytes > 0 && $0.pids > 0 }) else {
      throw Failure("a running task uses nothing")
    }
  }

  /// Runs a command in a running task.
  /// - Returns: from the request until it has ended, in nanoseconds.
  func session(_ request: Request) async throws -> Int64 {
    let null = try FileDescriptor.open("/dev/null", [.readWrite])
    let began = Clock.monotonicNanoseconds
    let exit = try await link.connection().execute(
      Command("\(Place.programsInside)/stamp"), in: request.spec.id,
      streams: [null.number, null.number, null.number])
    let ended = Clock.monotonicNanoseconds
    guard exit.exitCode == 0 else { throw Failure("a command ended with status \(exit.exitCode)") }
    return ended - began
  }

  /// Starts a task that says when it began, waits for its end and forgets it.
  /// - Returns: from the request to the task's first instruction, in nanoseconds.
  func start() async throws -> Int64 {
    let request = try task("stamp")
    let began = Clock.monotonicNanoseconds
    try await start(request)
    try await end(request)
    let time = try Self.stamp(request.logs, "t")
    try Files.removeTree(request.folder)
    return time - began
  }

  /// The time that a task wrote to its output.
  static func stamp(_ logs: String, _ name: String) throws -> Int64 {
    let text = try Files.readText("\(logs)/\(name).stdout.0")
    guard let time = Int64(text.prefix { $0 != "\n" }) else { throw Failure("no time in \"\(text)\"") }
    return time
  }

  func shutdown() async throws {
    try await link.connection().shutdown()
    await link.close()
  }
}
