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
    if !options.isInherited && !options.staysInForeground && options.image == nil {
      // The caller waits for this process; the supervisor is its child and belongs to nobody.
      if case .parent = try cloneProcess(namespaces: []) { return 0 }
      // Fails only for a leader of a session, which a new child is not.
      try Myself.newSession()
    }
    try hideProgramFile(&options)
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
    // A reserve of its own: tasks that take all they can must not starve whoever ends them.
    own.cpuShares = 4096
    own.memoryReservationBytes = 16 << 20
    try cgroups.ensure("\(options.cgroup)/supervisor", limits: own)
    do {
      try Files.writeControl("/proc/self/oom_score_adj", "-900")
    } catch {
      log("cannot protect the supervisor from the OOM killer: \(error), ignoring")
    }
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

  /// Executes this program once more, from a mount of its file that is attached nowhere, read-only and, once it runs,
  /// noexec.
  ///
  /// Processes that enter a task run this program until their execve, and `#!/proc/self/exe` as a task's command names
  /// it (the class of CVE-2019-5736): the kernel then refuses to execute it, to root as well, the file cannot be written
  /// to through the link, and the link does not tell where the file lies. Unlike a copy in memory this costs none.
  private static func hideProgramFile(_ options: inout Options) throws(SystemError) {
    do {
      if let number = options.image {
        try DetachedMount.set(.noExecute, mountOf: FileDescriptor(adopting: number))
        options.image = nil
        return
      }
      let image = try DetachedMount.clone(path: "/proc/self/exe", recursive: false)
      try image.set(.readOnly)
      let file = image.intoDescriptor()
      try file.setCloseOnExec(false)
      try Myself.execute(
        .file(file.number),
        arguments: ["serai-supervisor"] + options.arguments
          + ["-executable", options.executable, "-image", "\(file.number)"],
        environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
    } catch {
      throw SystemError(
        "hide the program's file from tasks", options.executable, error.errno,
        advice: "\(error.operation) failed: the supervisor needs root and the mount calls of Linux 5.12")
    }
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
    /// Where the program's file lies on the host.
    var executable: String
    /// The mount that this program was executed from, see `hideProgramFile`.
    var image: Int32?
    /// As they were given.
    let arguments: [String]

    init(_ arguments: [String]) throws(UsageError) {
      self.arguments = arguments
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
        case "-executable": executable = try value(argument)
        case "-image":
          guard let number = Int32(try value(argument)), number > 2 else {
            throw UsageError(problem: "-image takes a descriptor number")
          }
          image = number
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
