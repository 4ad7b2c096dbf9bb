internal import Isolation
internal import Linux

/// The program `serai-supervisor`.
public enum SupervisorProgram {
  /// Runs with command line arguments (the program's name first) until it is told to end; returns the exit code.
  public static func run(_ arguments: [String]) -> Int32 {
    var options: Options
    do {
      options = try Options(Array(arguments.dropFirst()))
    } catch {
      log("\(error)")
      return 2
    }
    do {
      return try run(&options)
    } catch {
      log("\(error)")
      return 1
    }
  }

  private static func run(_ options: inout Options) throws(SystemError) -> Int32 {
    if !options.isInherited && !options.staysInForeground {
      // The caller waits for this process; the supervisor is its child and belongs to nobody.
      if case .parent = try cloneProcess(namespaces: []) { return 0 }
      // Fails only for a leader of a session, which a new child is not.
      try Myself.newSession()
    }
    Myself.setUmask(0o022)
    // Eight descriptors a task: as many as this host allows. A task's own limits are the job's.
    let files = try Myself.limit(ResourceLimit.Resource.openFiles.rawValue)
    try Myself.setLimit(ResourceLimit.Resource.openFiles.rawValue, soft: files.hard, hard: files.hard)
    // Whoever started us may ignore signals that tasks must not ignore.
    Myself.resetSignalDispositions()
    Myself.ignoreBrokenPipes()
    try Myself.changeDirectory("/")
    // Tasks must not be able to read our descriptors or memory, also those that run as root with host ids.
    try Myself.setDumpable(false)

    let runtime = RuntimeDirectory(path: options.runtime)
    try runtime.prepare()
    let lock: FileDescriptor
    let listener: UnixSocket
    if let inherited = options.inherited {
      lock = FileDescriptor(adopting: inherited.lock)
      try lock.setCloseOnExec(true)
      let socket = FileDescriptor(adopting: inherited.listener)
      try socket.setCloseOnExec(true)
      listener = UnixSocket(adopting: socket)
    } else {
      lock = try FileDescriptor.open(runtime.lockPath, [.readWrite, .create])
      do {
        try lock.lock()
      } catch {
        if error.errno == .wouldBlock {
          log("another supervisor serves \(options.runtime): ending")
          return 0
        }
        throw error
      }
      // Only the holder of the lock gets here: a socket that is there belongs to a dead one.
      try Files.remove(runtime.socketPath)
      listener = try UnixSocket.listen(at: runtime.socketPath)
    }
    let cgroups = try CgroupLayout.ofThisHost().driver
    try Templates.prepare(at: runtime.templatesPath, cgroups: cgroups)
    try cgroups.prepareParent(options.cgroup)
    try cgroups.prepareParent("\(options.cgroup)/task")
    var own = CgroupLimits()
    own.pids = nil
    own.devices = nil
    try cgroups.ensure("\(options.cgroup)/supervisor", limits: own)
    // While there is one thread.
    try cgroups.attachSelf("\(options.cgroup)/supervisor")

    let server = try SupervisorServer(
      runtime: runtime, cgroups: cgroups, cgroupName: options.cgroup, executable: options.executable,
      listener: listener, lock: lock)
    try server.adoptTasks()
    // Most supervisors have nothing to do for most of the time: they keep what their loop needs.
    ProcessMemory.giveBack()
    if let next = try server.run() { try become(next, server, options) }
    return 0
  }

  /// Replaces this program in place: same process, so tasks stay its children. The records say everything else; the
  /// lock and the listening socket go along, so that nobody gets in between and no connection is refused.
  private static func become(_ executable: String, _ server: SupervisorServer, _ options: Options) throws(SystemError) {
    try server.lock.descriptor.setCloseOnExec(false)
    try server.listener.socket.descriptor.setCloseOnExec(false)
    try Myself.execute(
      .path(executable),
      arguments: [
        "serai-supervisor", "-runtime", options.runtime, "-cgroup", options.cgroup, "-inherited",
        "\(server.lock.descriptor.number),\(server.listener.socket.descriptor.number)",
      ], environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
  }

  struct UsageError: Error, CustomStringConvertible {
    var problem: String
    var description: String {
      "\(problem)\nusage: serai-supervisor -runtime <directory> [-cgroup <name>] [-foreground]"
    }
  }

  struct Options {
    var runtime = ""
    var cgroup = "serai"
    var staysInForeground = false
    var inherited: (lock: Int32, listener: Int32)?
    var isInherited: Bool { inherited != nil }
    let executable: String

    init(_ arguments: [String]) throws(UsageError) {
      executable = (try? FileDescriptor.open("/proc/self", [.readOnly, .directory]).readSymbolicLink("exe")) ?? ""
      var rest = arguments[...]
      func value(_ name: String) throws(UsageError) -> String {
        guard let value = rest.popFirst() else { throw UsageError(problem: "\(name) needs a value") }
        return value
      }
      while let argument = rest.popFirst() {
        switch argument {
        case "-runtime": runtime = try value(argument)
        case "-cgroup": cgroup = try value(argument)
        case "-foreground": staysInForeground = true
        case "-inherited":
          let numbers = try value(argument).split(separator: ",").compactMap { Int32($0) }
          guard numbers.count == 2, numbers.allSatisfy({ $0 > 2 }) else {
            throw UsageError(problem: "-inherited takes two descriptor numbers")
          }
          inherited = (numbers[0], numbers[1])
        default: throw UsageError(problem: "unknown argument \(argument)")
        }
      }
      guard runtime.hasPrefix("/") else { throw UsageError(problem: "-runtime needs an absolute path") }
      guard TaskSpec.isValid(id: cgroup) else { throw UsageError(problem: "-cgroup needs a plain name") }
    }
  }
}

/// The supervisor's own messages go to its standard error, one line each; whoever starts it says where that leads.
func log(_ message: String) {
  let line = "serai-supervisor: \(message)\n"
  guard let stderr = try? FileDescriptor.duplicate(of: 2) else { return }
  // Nobody can be told that nobody can be told.
  try? stderr.writeAll(Array(line.utf8))
}
