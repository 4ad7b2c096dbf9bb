import Glibc
import Isolation
import Linux
import Supervisor
import Testing

/// Whether this process may do what the supervisor does.
let isRoot = geteuid() == 0
let needsRoot: Comment = "starts isolated tasks: needs root"

/// A supervisor of its own, with a runtime directory, a cgroup and a task area that exist for one test only.
final class Fixture: Sendable {
  let name: String
  let base: String
  let launcher: SupervisorLauncher

  init() throws {
    let random = try Randomness.bytes(4).map { String($0, radix: 16) }.joined()
    name = "serai-test-\(random)"
    // On disk, not tmpfs: overlays get their upper layer here as they do in a data directory.
    base = "\(getenv("SERAI_BASE").map { String(cString: $0) } ?? "/var/tmp")/\(name)"
    try Files.makeDirectories(base, permissions: 0o755)
    launcher = SupervisorLauncher(
      executable: try Self.supervisorPath(), runtimeDirectory: "\(Self.runtimeParent)/\(name)", cgroup: name,
      logFile: base + "/supervisor.log")
  }

  /// /run, or SERAI_RUNTIME on machines where that is no tmpfs.
  static var runtimeParent: String { getenv("SERAI_RUNTIME").map { String(cString: $0) } ?? "/run" }

  /// The supervisor that was built with the tests lies beside the test program.
  static func supervisorPath() throws -> String {
    if let named = getenv("SERAI_SUPERVISOR") { return String(cString: named) }
    var directory = Files.parent(of: try FileDescriptor.open("/proc/self", [.directory]).readSymbolicLink("exe"))
    // `swift test` runs a helper of the toolchain; the bundle it loads is in its arguments.
    for argument in CommandLine.arguments where argument.contains(".build/") {
      let bundle = argument.split(separator: "=").last.map(String.init) ?? argument
      directory = Files.parent(of: bundle)
      if Files.exists(directory + "/serai-supervisor") { break }
    }
    let path = directory + "/serai-supervisor"
    try #require(Files.exists(path), "no serai-supervisor beside the tests in \(directory)")
    return path
  }

  func task(_ id: String, _ script: String, change: (inout Sandbox) -> Void = { _ in }) throws -> TaskSpec {
    try spec(id, Command("/bin/sh", arguments: ["-c", script]), change: change)
  }

  func spec(_ id: String, _ command: Command, change: (inout Sandbox) -> Void = { _ in }) throws -> TaskSpec {
    let directory = "\(base)/\(id)"
    for part in ["local", "secrets", "tmp"] { try Files.makeDirectories("\(directory)/\(part)") }
    try Files.makeDirectories("\(base)/alloc/logs")
    // What the task may write, as in an allocation directory.
    for part in ["\(directory)/local", "\(directory)/tmp"] { _ = chmod(part, 0o777) }
    var sandbox = Sandbox(command: command)
    sandbox.command.environment = ["PATH=/usr/local/bin:/usr/bin:/bin"]
    sandbox.root = Root(taskDirectory: directory, layersDirectory: "\(base)/.layers/\(id)")
    sandbox.limits.memoryBytes = 64 << 20
    change(&sandbox)
    return TaskSpec(id: "\(name).\(id)", sandbox: sandbox, logs: LogSpec(directory: base + "/alloc/logs", task: id))
  }

  func log(_ id: String, _ stream: String = "stdout", _ number: Int = 0) -> String {
    (try? Files.readText("\(base)/alloc/logs/\(id).\(stream).\(number)")) ?? "<no log>"
  }

  var supervisorLog: String { (try? Files.readText(base + "/supervisor.log")) ?? "" }

  /// Ends the supervisor and everything it started, and removes every trace, whatever the test did.
  func cleanUp(_ client: SupervisorClient?) async {
    let own = try? await launcher.connect()
    for task in (try? await own?.list()) ?? [] {
      try? await own?.kill(task.id)
    }
    let deadline = Clock.monotonicNanoseconds + 10_000_000_000
    while Clock.monotonicNanoseconds < deadline {
      let left = ((try? await own?.list()) ?? []).filter { if case .exited = $0.state { false } else { true } }
      if left.isEmpty { break }
      try? await Task.sleep(for: .milliseconds(5))
    }
    for task in (try? await own?.list()) ?? [] { try? await own?.acknowledge(task.id) }
    if let own {
      try? await own.shutdown()
      own.close()
    }
    client?.close()
    let cgroups = (try? CgroupLayout.ofThisHost())?.driver
    while Clock.monotonicNanoseconds < deadline {
      do {
        for part in ["task", "supervisor"] { try cgroups?.remove("\(name)/\(part)") }
        try cgroups?.remove(name)
        break
      } catch {
        try? await Task.sleep(for: .milliseconds(5))
      }
    }
    try? Files.removeTree(base)
    try? Files.removeTree(launcher.runtimeDirectory)
  }
}

/// Runs a test body with a fixture and a connected client, and cleans up afterwards.
func withSupervisor(_ body: (Fixture, SupervisorClient) async throws -> Void) async throws {
  let fixture = try Fixture()
  var client: SupervisorClient?
  do {
    let connected = try await fixture.launcher.connect()
    client = connected
    try await body(fixture, connected)
  } catch {
    Issue.record("\(error); supervisor log: \(fixture.supervisorLog)")
  }
  await fixture.cleanUp(client)
}

extension SupervisorClient {
  /// Waits until the task has ended, at most `seconds`.
  func exit(of id: String, seconds: Int = 20) async throws -> TaskExit {
    let deadline = Clock.monotonicNanoseconds + Int64(seconds) * 1_000_000_000
    while Clock.monotonicNanoseconds < deadline {
      for task in try await list() where task.id == id {
        if case .exited(let exit) = task.state { return exit }
      }
      try await Task.sleep(for: .milliseconds(5))
    }
    throw SupervisorError(.system, "task \(id) did not end within \(seconds) s")
  }
}

/// Polls until a condition holds.
func eventually(seconds: Int = 60, _ condition: () async throws -> Bool) async throws -> Bool {
  let deadline = Clock.monotonicNanoseconds + Int64(seconds) * 1_000_000_000
  while Clock.monotonicNanoseconds < deadline {
    if try await condition() { return true }
    try await Task.sleep(for: .milliseconds(5))
  }
  return false
}
