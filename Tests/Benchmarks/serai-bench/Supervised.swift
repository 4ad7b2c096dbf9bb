import Codec
import Drivers
import Isolation
import Linux
import Supervisor

/// Tasks of the exec driver under a supervisor of the benchmark's own: what a client does for a start, without the agent.
final class Supervised {
  let driver: ExecDriver
  private let link: SupervisorLink
  private let folder: String
  private var generator = SystemRandomNumberGenerator()

  /// - Parameter entries: what is laid into every root.
  init(_ place: Place, name: String, entries: [ChrootEntry]) throws {
    folder = "\(place.folder)/\(name)"
    try Files.makeDirectories(folder, permissions: 0o755)
    try place.makeGroup("\(Place.cgroup)-\(name)")
    link = SupervisorLink(
      launcher: SupervisorLauncher(
        executable: "\(place.release)/serai-supervisor", runtimeDirectory: folder + "/run",
        cgroup: "\(Place.cgroup)-\(name)", logFile: folder + "/supervisor.log"))
    var settings = IsolationSettings()
    settings.chroot = entries
    driver = ExecDriver(link: link, settings: settings)
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
  func task(_ program: String) throws -> TaskStart {
    let id = Identifier(using: &generator)
    let directories = TaskDirectories(allocation: "\(folder)/\(id)", task: "t")
    for path in [
      directories.task, directories.shared, directories.logs, directories.local, directories.secrets,
      directories.temporary, directories.layers,
    ] { try Files.makeDirectories(path, permissions: 0o755) }
    return TaskStart(
      allocationID: id, taskName: "t", attempt: 1, config: ["command": .string("\(Place.programsInside)/\(program)")],
      environment: ["PATH=/usr/bin:/bin"], user: "", resources: TaskLimits(cpuMHz: 100, memoryBytes: 64 << 20),
      directories: directories, logs: LogRotation(directory: directories.logs, maxFiles: 4, maxFileBytes: 64 << 20))
  }

  /// Starts a task that says when it began, waits for its end and forgets it.
  /// - Returns: from the request to the task's first instruction, in nanoseconds.
  func start() async throws -> Int64 {
    let task = try task("stamp")
    let began = Clock.monotonicNanoseconds
    let handle = try await driver.start(task)
    let outcome = try await driver.wait(handle)
    guard outcome.isSuccess else { throw Failure("a task ended with \(outcome.code): \(outcome.message)") }
    let time = try Self.stamp(task.directories.logs, "t")
    try await driver.destroy(handle)
    try Files.removeTree(task.directories.allocation)
    return time - began
  }

  /// The time that a task wrote to its output.
  static func stamp(_ logs: String, _ name: String, _ stream: String = "stdout") throws -> Int64 {
    let text = try Files.readText("\(logs)/\(name).\(stream).0")
    guard let time = Int64(text.prefix { $0 != "\n" }) else { throw Failure("no time in \"\(text)\"") }
    return time
  }

  func shutdown() async throws {
    try await link.connection().shutdown()
    await link.close()
  }
}
