public import Codec
internal import Isolation

/// `java`: a class or a jar on one of the host's Java runtimes, isolated as `exec` does it. The runtime's directory is
/// laid into the task's root, and the heap is sized from the task's memory unless the job says otherwise.
public struct JavaDriver: SupervisedDriver {
  /// See `TaskDriver`.
  public let name = "java"
  /// See `TaskDriver`.
  public let capabilities = DriverCapabilities(isolation: .image, executesCommands: true)
  /// See `SupervisedDriver`.
  public let tasks: SupervisedTasks
  private let isolation: IsolatedTasks
  private let runtimes: JavaRuntimes

  /// A driver that starts its tasks through `link`.
  /// - Parameter homes: directories of Java runtimes beside those in PATH and /usr/lib/jvm; the first is the default.
  public init(link: SupervisorLink, settings: IsolationSettings = IsolationSettings(), homes: [String] = []) {
    tasks = SupervisedTasks(driver: "java", link: link)
    isolation = IsolatedTasks(settings: settings)
    runtimes = JavaRuntimes(homes: homes)
  }

  /// See `TaskDriver`.
  public func fingerprint() async -> DriverFingerprint {
    if let problem = isolation.settings.problem { return .absent(problem) }
    let found = await runtimes.all()
    guard let first = found.first else {
      return .absent("no Java runtime in PATH, in /usr/lib/jvm or in the plugin's java_homes: install one")
    }
    return await supervisedFingerprint([
      "driver.java": "1", "driver.java.version": first.version, "driver.java.runtime": first.runtime,
      "driver.java.vm": first.vm, "driver.java.versions": found.map(\.version).joined(separator: ","),
    ])
  }

  /// See `TaskDriver`.
  public func validate(_ config: JSONObject) throws(DriverError) { _ = try Config(config, isolation.settings) }

  /// See `TaskDriver`.
  public func start(_ task: TaskStart) async throws(DriverError) -> TaskHandle {
    let config = try Config(task.config, isolation.settings)
    let sandbox = try sandbox(for: task, among: await runtimes.all())
    return try await tasks.start(task, sandbox: sandbox, notes: isolation.notes(of: task, config.isolation))
  }

  /// The sandbox of a task: everything that isolates it, as a value.
  func sandbox(for task: TaskStart, among found: [JavaRuntime]) throws(DriverError) -> Sandbox {
    let config = try Config(task.config, isolation.settings)
    let runtime = config.version.map { wanted in found.first { $0.isVersion(wanted) } } ?? found.first
    guard let runtime else {
      let versions = found.map(\.version).joined(separator: ", ")
      throw DriverError(
        .unsupported,
        "task \"\(task.taskName)\" needs Java\(config.version.map { " \($0)" } ?? ""), this node has "
          + (versions.isEmpty ? "none" : versions) + ": put a constraint on ${attr.driver.java.versions}")
    }
    var task = task
    if !task.environment.contains(where: { $0.hasPrefix("JAVA_HOME=") }) {
      task.environment.append("JAVA_HOME=\(runtime.home)")
    }
    let arguments = heapOption(for: task, config) + config.arguments
    var sandbox = try isolation.sandbox(
      for: task, command: Command(runtime.program, arguments: arguments), config: config.isolation)
    let isThere = isolation.settings.chroot.contains { entry in
      entry.source == entry.target && (runtime.home == entry.source || runtime.home.hasPrefix(entry.source + "/"))
    }
    if !isThere { sandbox.root?.entries.append(ChrootEntry(runtime.home)) }
    return sandbox
  }

  /// `-Xmx` for a job that says nothing about its heap: three quarters of the task's memory, and at least 64 MiB less
  /// than all of it, for the runtime's own needs; never less than half.
  private func heapOption(for task: TaskStart, _ config: Config) -> [String] {
    let memory =
      task.resources.memoryReservationBytes > 0 ? task.resources.memoryReservationBytes : task.resources.memoryBytes
    let fromEnvironment = task.environment
      .filter { $0.hasPrefix("JAVA_TOOL_OPTIONS=") || $0.hasPrefix("JDK_JAVA_OPTIONS=") }
      .flatMap { $0.drop { $0 != "=" }.dropFirst().split(separator: " ").map(String.init) }
    let isTold = (config.options + fromEnvironment).contains { option in
      ["-Xmx", "-XX:MaxHeapSize=", "-XX:MaxRAM"].contains { option.hasPrefix($0) }
    }
    if isTold || memory <= 0 { return [] }
    let heap = max(memory / 2, memory - max(memory / 4, 64 << 20))
    return ["-Xmx\(heap >> 20)m"]
  }

  /// The `config` block.
  struct Config {
    /// Options of the virtual machine.
    var options: [String]
    /// Everything that follows the program's name but the heap's size.
    var arguments: [String]
    /// The version asked for; nil for the node's default.
    var version: String?
    var isolation: IsolationConfig

    init(_ config: JSONObject, _ settings: IsolationSettings) throws(DriverError) {
      var decoder = ConfigDecoder(driver: "java", config: config)
      options = decoder.strings("jvm_options") ?? []
      let classPath = decoder.string("class_path") ?? ""
      let className = decoder.string("class") ?? ""
      let jar = decoder.string("jar_path") ?? ""
      if className.isEmpty == jar.isEmpty { decoder.refuse("give either class or jar_path") }
      version = decoder.string("java_version")
      arguments = options
      if !classPath.isEmpty { arguments += ["-cp", classPath] }
      arguments += jar.isEmpty ? [className] : ["-jar", jar]
      arguments += decoder.strings("args") ?? []
      isolation = IsolationConfig(&decoder, settings)
      try decoder.finish()
    }
  }
}
