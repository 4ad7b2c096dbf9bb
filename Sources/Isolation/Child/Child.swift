import Linux

/// What the supervisor hands to the child besides the plan. The numbers are the child's copies of open descriptors.
public struct ChildResources: Sendable {
  /// Standard input, output and error.
  public var streams: [Int32]
  /// The child's end of the report socket.
  public var report: Int32
  /// The status file for the init.
  public var status: Int32
  /// The init's executable.
  public var initProgram: Int32
  /// The cgroup's path.
  public var cgroup: String
  /// Whether clone3 has put the child into it.
  public var isInCgroup: Bool
  /// Where the templates of /dev and of masks are (see `Templates`).
  public var templates: String

  /// The pidfd of the task that a command is run in; nil for a task's own start.
  public var joined: Int32?
  /// Detached mounts for those of the plan that are handed over, in their order.
  public var mounts: [Int32] = []
  /// The compiled system call filter; nil: none.
  public var filter: SeccompFilter?

  /// All of it.
  public init(
    streams: [Int32], report: Int32, status: Int32, initProgram: Int32, cgroup: String, isInCgroup: Bool,
    templates: String, filter: SeccompFilter?
  ) {
    self.streams = streams
    self.report = report
    self.status = status
    self.initProgram = initProgram
    self.cgroup = cgroup
    self.isInCgroup = isInCgroup
    self.templates = templates
    self.filter = filter
  }
}

/// The child's side: takes the steps of a plan one after the other, in the cloned process, and becomes the task.
///
/// Descriptors that a step opens and does not need again are closed by their owners; the rest goes with close_range.
public struct Child {
  var plan: Plan
  var resources: ChildResources
  let cgroups: any CgroupDriver
  /// The task's root once `rootDirectory` is done.
  var root: OpenFile?
  /// The task directory as the host sees it.
  var taskDirectory: OpenFile?
  /// Covers of masked paths that are attached, to be copied, by whether they are directories.
  var covers: [Bool: OpenFile] = [:]
  /// The new /proc and /sys while they are being masked.
  var proc: OpenFile?
  var sys: OpenFile?
  /// Its "sys", opened before it was protected.
  var settings: OpenFile?
  /// /proc/sys/user, likewise.
  var userLimits: OpenFile?
  /// Holds the user namespace until it has its ids and is open.
  var namespaceHelper: UserNamespaceHelper?
  /// The user namespace, from the mounts that need it until it is entered.
  var userNamespace: OpenFile?
  /// The host id of the task's id 0; 0: the task has host ids.
  var firstID: UInt32 = 0
  var idCount: UInt32 = 0
  var account: Account?
  /// "/" is the task's own.
  var isInRoot = false
  /// Copies of bound directories that share mounts with the host, by place inside: they have to be made before the
  /// task's mounts are separated from the host's.
  var propagated: [String: OpenFile] = [:]
  /// What to execute, once found.
  var program = ""

  /// Runs the plan and never returns: the process becomes the task, or reports what failed and exits.
  public static func run(_ plan: Plan, _ resources: ChildResources, cgroups: any CgroupDriver) -> Never {
    var child = Child(plan: plan, resources: resources, cgroups: cgroups)
    child.take(plan.steps[...])
    exitNow(127)
  }

  /// Takes the steps of a plan's `beginning`; reports what failed and exits.
  public static func begin(_ beginning: Plan, _ resources: ChildResources, cgroups: any CgroupDriver) -> Child {
    var child = Child(plan: beginning, resources: resources, cgroups: cgroups)
    child.take(beginning.steps[...])
    return child
  }

  /// Takes the other steps of a plan that can go on from that beginning, and never returns.
  ///
  /// - Parameters:
  ///   - cgroup: what the child's cgroup is called by now.
  ///   - mounts: detached ones, see `ChildResources`.
  public consuming func goOn(with plan: Plan, cgroup: String, mounts: [Int32]) -> Never {
    self.plan = plan
    resources.mounts = mounts
    resources.cgroup = cgroup
    take(plan.steps.dropFirst(plan.commonCount))
    exitNow(127)
  }

  private mutating func take(_ steps: ArraySlice<Step>) {
    for step in steps {
      do {
        try take(step)
      } catch {
        send(Report(isFailure: true, step: step.name, error))
        exitNow(127)
      }
    }
  }

  /// Sends a record; when the supervisor is gone nobody needs it.
  func send(_ report: Report) {
    guard let copy = try? FileDescriptor.duplicate(of: reportSocket) else { return }
    _ = try? UnixSocket(adopting: copy).send(report.encoded, blocking: true)
  }

  /// Where the report socket is: `streams` moves it.
  var reportSocket: Int32 { streamsPlaced ? InTaskInit.reportDescriptor : resources.report }
  var streamsPlaced = false

  private mutating func take(_ step: Step) throws(SystemError) {
    switch step {
    case .signals:
      // The supervisor handles none and ignores only this one.
      Myself.defaultBrokenPipes()
      try Myself.blockSignals([])
    case .cgroup:
      try enterCgroup()
    case .session:
      try Myself.newSession()
    case .oomScore(let score):
      try Files.writeControl("/proc/self/oom_score_adj", "\(score)")
    case .networkNamespace(let path):
      try Myself.join(try FileDescriptor.open(path), .network)
    case .loopback: try Myself.bringLoopbackUp()
    case .cgroupNamespace:
      try Myself.unshare(.cgroup)
    case .mountPropagation(let slave):
      try takePropagatedMounts()
      try MountTree.separate(slave: slave)
    case .holdUserNamespace: namespaceHelper = try UserNamespaceHelper()
    case .userNamespace(let range): try makeUserNamespace(range)
    case .enterUserNamespace: try enterUserNamespace()
    case .rootDirectory(let path):
      try openRoot(path)
    case .chrootEntry(let entry, let layers, let readOnly): try addEntry(entry, layers: layers, readOnly: readOnly)
    case .mountProc(let hidePID): try mountProc(hidePID: hidePID)
    case .placeProc: try place(proc, at: "/proc")
    case .sysctl(let sysctl): try set(sysctl)
    case .unprivilegedPorts: try allowUnprivilegedPorts()
    case .maskPath(let masked): try mask(masked)
    case .protectPath(let path): try protect(path)
    case .mountSys: try mountSys()
    case .cgroupView: try showCgroup()
    case .placeSys: try place(sys, at: "/sys")
    case .mountDevices(let bytes, let ipc, let own): try mountDevices(sharedMemoryBytes: bytes, ipc: ipc, own: own)
    case .readOnlyRoot: try makeRootReadOnly()
    case .mount(let mount): try addMount(mount)
    case .file(let file): try write(file)
    case .pivot: try pivot()
    case .hostname(let name):
      try Myself.setHostname(name)
    case .resourceLimit(let limit): try apply(limit)
    case .user(let name, let users, let groups): try lookUp(name, deniedUsers: users, deniedGroups: groups)
    case .streams: try placeStreams()
    case .joinTask(let namespaces, let range):
      firstID = range?.firstID ?? 0
      idCount = range?.count ?? 0
      try joinTask(namespaces)
    case .terminal:
      try Terminal.control(0)
      // So that programs can open it by its name, and nobody else can: the group is tty, which may write to it.
      if let account {
        try FileDescriptor.duplicate(of: 0).setOwner(uid: hostID(account.uid), gid: hostID(5))
      }
    case .boundingSet(let mask):
      for number in Int32(0)..<64 where mask & (1 << UInt64(number)) == 0 {
        // The first that the kernel does not know is behind its last.
        if !(try Myself.dropFromBoundingSet(number)) { break }
      }
    case .identity:
      try becomeUser()
      // Changing ids makes a process dumpable again: until execve the task could trace us and read what we hold.
      try Myself.setDumpable(false)
    case .capabilities(let mask, let ambient): try setCapabilities(mask, ambient: ambient)
    case .umask(let mask): Myself.setUmask(mask)
    case .workingDirectory(let path): try enterWorkingDirectory(path)
    case .noNewPrivileges:
      try Myself.setNoNewPrivileges()
    case .landlock(let policy): try restrictFiles(policy)
    case .command(let command): program = try findProgram(command)
    case .gate: try waitForSupervisor()
    case .descriptors:
      // 3 and 4 are the init's; it closes them before the task runs. 5 is the init itself, gone with execve.
      try Myself.closeDescriptors(from: plan.usesInit ? 6 : 5)
    case .seccomp(let logging):
      guard let filter = resources.filter else {
        throw SystemError("seccomp", "", .invalidArgument, advice: "the supervisor has no filter for this task")
      }
      for program in filter.programs { try Myself.installFilter(program, logging: logging) }
    case .execute(let command, let useInit): try execute(command, useInit: useInit)
    }
  }

  /// Enters the namespaces of a running task. A pid namespace takes only new processes: the rest of the plan goes on in
  /// one that is the supervisor's child, like this one, and whose pidfd is handed over.
  private mutating func joinTask(_ namespaces: Namespaces) throws(SystemError) {
    guard let number = resources.joined else {
      throw SystemError("join", "task", .badDescriptor, advice: "the plan is for a command inside a task")
    }
    try Myself.join(try FileDescriptor.duplicate(of: number), namespaces)
    isInRoot = namespaces.contains(.mount)
    guard namespaces.contains(.pid) else { return }
    switch try cloneSibling() {
    case .child: return
    case .parent(_, let handle):
      let socket = UnixSocket(adopting: try FileDescriptor.duplicate(of: reportSocket))
      _ = try socket.send([Report.processKind], descriptors: [handle.descriptor.number], blocking: true)
      exitNow(0)
    }
  }

  private func enterCgroup() throws(SystemError) {
    if resources.isInCgroup { return }
    if resources.joined == nil { try cgroups.ensure(resources.cgroup, limits: plan.limits) }
    try cgroups.attachSelf(resources.cgroup)
  }

  private func apply(_ limit: ResourceLimit) throws(SystemError) {
    let number = limit.resource.rawValue
    let (_, hard) = try Myself.limit(number)
    do {
      try Myself.setLimit(number, soft: min(limit.soft, limit.hard), hard: limit.hard)
    } catch {
      // Only CAP_SYS_RESOURCE can raise a hard limit, and not every host gives it to root.
      guard error.errno == .notPermitted else { throw error }
      try Myself.setLimit(number, soft: min(limit.soft, hard), hard: min(limit.hard, hard))
      let what = "\(limit.resource) \(limit.hard) is above this host's hard limit and was set to \(hard)"
      send(Report(isFailure: false, step: .resourceLimit, errno: error.errno, object: what))
    }
  }

  private func waitForSupervisor() throws(SystemError) {
    let socket = UnixSocket(adopting: try FileDescriptor.duplicate(of: reportSocket))
    let message = try socket.receive(capacity: 8, blocking: true)
    // No bytes: the supervisor died before it wrote down that we exist, and nobody would know of the task.
    if message?.bytes.isEmpty ?? true { exitNow(126) }
  }
}
