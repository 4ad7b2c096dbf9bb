import Isolation
import Linux

// From a start request to a running task.
extension SupervisorServer {
  /// - Parameter mounts: detached ones, for the sandbox's mounts that are handed over.
  func start(_ spec: TaskSpec, mounts: [OpenFile], for client: ClientConnection, request: UInt64) {
    do throws(SupervisorError) {
      let network = try sharedNetwork(of: spec.sandbox)
      var spec = spec
      let asked = spec.sandbox
      if let network {
        // The rest of the plan is that of a task that joins one.
        spec.sandbox.namespaces.remove(.network)
        spec.sandbox.networkGroup = nil
        spec.sandbox.networkNamespace = "/proc/self/fd/\(network.descriptor.number)"
      }
      let plan = try check(spec)
      let handed = spec.sandbox.mounts.count { $0.source == .handedOver }
      guard handed == mounts.count else {
        throw SupervisorError(.invalidRequest, "\(handed) mounts are to be handed over, \(mounts.count) came")
      }
      // A child that is there already does not have the descriptor.
      if network == nil, let task = startInSpare(spec, plan, mounts) {
        task.starter = (client.id, request)
      } else {
        let task = try prepare(spec)
        task.starter = (client.id, request)
        // What was asked is what is written down: a command inside enters it all, and later tasks join this one.
        let files = task.record.spec.sandbox.files
        task.record.spec.sandbox = asked
        task.record.spec.sandbox.files = files
        tasks[spec.id] = task
        do {
          try launch(task, plan, spec, mounts)
        } catch {
          try undo(task, error)
        }
      }
      if network == nil { wantSpare(like: plan) }
    } catch {
      send(.failed(error), to: client, number: request)
    }
  }

  /// The network namespace of a running task of the same group; nil when there is none.
  private func sharedNetwork(of sandbox: Sandbox) throws(SupervisorError) -> OpenFile? {
    guard let group = sandbox.networkGroup else { return nil }
    for task in tasks.values where task.record.spec.sandbox.networkGroup == group {
      guard let process = task.process else { continue }
      switch task.phase {
      case .ending, .ended: continue
      case .starting, .running: break
      }
      // Opened first and asked afterwards: a process that still runs then is the one whose namespace this is.
      guard let namespace = try? FileDescriptor.open("/proc/\(task.record.pid)/ns/net"),
        let events = try? poll(process.handle.descriptor, .readable, timeoutMilliseconds: 0), events.isEmpty
      else { continue }
      return OpenFile(namespace)
    }
    return nil
  }

  /// Nothing runs yet: takes back what was made, and says why.
  private func undo(_ task: SupervisedTask, _ error: SystemError) throws(SupervisorError) {
    tasks[task.id] = nil
    removeLater(task.record.cgroup)
    try? task.directory.remove()
    throw SupervisorError(.system, "start task \(task.id): \(error)")
  }

  /// A fault of the sandbox is the requester's, and is found before anything is made.
  private func check(_ spec: TaskSpec) throws(SupervisorError) -> Plan {
    guard TaskSpec.isValid(id: spec.id) else {
      throw SupervisorError(
        .invalidRequest,
        "task id \"\(spec.id)\": 1 to 128 letters, digits, \"-\", \"_\" or \".\", not starting with \".\"")
    }
    if tasks[spec.id] != nil {
      throw SupervisorError(.alreadyExists, "a task \(spec.id) runs here, or has ended and was not acknowledged")
    }
    if let logs = spec.logs,
      logs.task.isEmpty || logs.task.contains("/") || logs.task.contains("\0") || logs.task.hasPrefix(".")
    {
      throw SupervisorError(.invalidRequest, "log name \"\(logs.task)\" must be one path component")
    }
    do {
      let plan = try Plan(spec.sandbox)
      _ = try filters.filter(for: spec.sandbox)
      try cgroups.check(plan.limits, in: "\(cgroupName)/task")
      return plan
    } catch {
      throw SupervisorError(.invalidRequest, "\(error)")
    }
  }

  private func newTask(_ spec: TaskSpec, cgroup: String, _ directory: TaskDirectory) -> SupervisedTask {
    let task = SupervisedTask(record: TaskRecord(spec: spec, cgroup: cgroup), directory: directory, phase: .starting)
    // Secrets are for the child alone: nothing of them stays here, and nothing is written down.
    task.record.spec.sandbox.files = []
    return task
  }

  private func prepare(_ spec: TaskSpec) throws(SupervisorError) -> SupervisedTask {
    let directory = runtime.task(spec.id)
    do {
      // Left over from a crash between mkdir and the first record: nothing was ever made for it.
      try directory.remove()
      try directory.create(withLogs: spec.logs != nil)
      // No record yet: until the child has its go, a crash leaves nothing that must be remembered.
      return newTask(spec, cgroup: "\(cgroupName)/task/\(spec.id)", directory)
    } catch {
      throw SupervisorError(.system, "start task \(spec.id): \(error)")
    }
  }

  // MARK: With a child that is there already

  /// Hands the task to a spare child. nil when there is none, or when it cannot have the task: then nothing is left of
  /// either.
  private func startInSpare(_ spec: TaskSpec, _ plan: Plan, _ mounts: [OpenFile]) -> SupervisedTask? {
    guard spec.logs != nil, let spare = takeSpare(for: plan) else { return nil }
    let directory = runtime.task(spec.id)
    let named = "\(cgroupName)/task/\(spec.id)"
    do {
      do {
        try Files.rename(spare.directory.path, to: directory.path)
      } catch {
        // Left over from a crash, see `prepare`.
        try directory.remove()
        try Files.rename(spare.directory.path, to: directory.path)
      }
      let group = try cgroups.rename(spare.cgroup, to: named) ? named : spare.cgroup
      let order = SpareOrder(spec: spec, cgroup: group).encoded
      _ = try Channel.send(
        order, descriptors: mounts.map { $0.descriptor.number }, over: spare.socket.socket, blocking: true)
      let task = newTask(spec, cgroup: group, directory)
      task.record.pid = spare.pid
      task.record.startTime = spare.startTime
      task.process = spare.process
      task.report = spare.socket
      tasks[spec.id] = task
      // While the child builds the rest.
      try cgroups.apply(plan.limits, to: group)
      try letGo(task)
      return task
    } catch {
      log("task \(spec.id): hand it to a prepared child: \(error), starting it without one")
      if let task = tasks.removeValue(forKey: spec.id) { forget(task) }
      discard(spare)
      try? directory.remove()
      removeLater(named)
      return nil
    }
  }

  /// Lets go of what a start has opened.
  private func forget(_ task: SupervisedTask) {
    closeReport(of: task)
    if let process = task.process { unwatch(process.handle.descriptor.number, token: task.processToken) }
    for stream in [task.output, task.error] {
      guard let stream else { continue }
      for case (let token, .log(_, let other)) in sources where other === stream {
        unwatch(stream.pipe.number, token: token)
      }
    }
  }

  // MARK: With a new child

  private func launch(
    _ task: SupervisedTask, _ plan: Plan, _ spec: TaskSpec, _ mounts: [OpenFile]
  ) throws(SystemError) {
    let filter: SeccompFilter?
    var plan = plan
    try plan.addRules(for: spec.sandbox.devices)
    do {
      filter = try filters.filter(for: spec.sandbox)
    } catch {
      throw SystemError("compile the system call filter", task.id, .invalidArgument, advice: "\(error)")
    }
    // Open for reading and writing: the task itself keeps the pipe alive while no supervisor reads.
    let hasLogs = spec.logs != nil
    let out = try FileDescriptor.open(hasLogs ? task.directory.outputPath : "/dev/null", [.readWrite])
    let err = try FileDescriptor.open(hasLogs ? task.directory.errorPath : "/dev/null", [.readWrite])
    let status =
      try plan.usesInit ? task.directory.createStatus() : FileDescriptor.duplicate(of: null.descriptor.number)
    let pair = try UnixSocket.pair()
    let ours = UnixSocket(adopting: FileDescriptor(adopting: pair.first))
    let theirs = FileDescriptor(adopting: pair.second)
    let group = try openCgroup(task.record.cgroup, limits: plan.limits)
    switch try cloneProcess(namespaces: plan.cloneNamespaces, cgroup: group?.descriptor.number) {
    case .child:
      // The child's copy of our end: with it open the gate would never see that the supervisor is gone, and the child
      // would wait for ever, with the lock of the runtime directory, which no other supervisor could then take.
      _ = FileDescriptor(adopting: pair.first)
      var resources = ChildResources(
        streams: [null.descriptor.number, out.number, err.number], report: theirs.number, status: status.number,
        initProgram: initProgram.descriptor.number, cgroup: task.record.cgroup, isInCgroup: group != nil,
        templates: runtime.templatesPath,
        filter: filter)
      resources.mounts = mounts.map { $0.descriptor.number }
      Child.run(plan, resources, cgroups: cgroups)
    case .parent(let pid, let handle):
      task.record.pid = pid
      task.process = OpenProcess(handle)
    }
    do {
      task.record.startTime = try Proc.startTime(pid: task.record.pid)
      task.report = OpenSocket(ours)
      try letGo(task)
    } catch {
      // The child waits at the gate or works on its sandbox: it must not become a task that nobody knows of.
      if let process = task.process {
        try? process.handle.signal(9)
        _ = try? poll(process.handle.descriptor, .readable, timeoutMilliseconds: 1000)
        _ = try? process.handle.reap()
      }
      throw error
    }
  }

  /// Writes the task down, while its child builds the sandbox, and then lets the child become the task.
  private func letGo(_ task: SupervisedTask) throws(SystemError) {
    guard let report = task.report else { return }
    task.record.startedNanoseconds = Clock.realtimeNanoseconds
    try task.openLogs()
    try task.directory.create(task.record)
    // Written down: now the child may become the task. One that has failed before it came to the gate is gone
    // (EPIPE): its report and its end, which are watched from here on, say why.
    do { _ = try report.socket.send([1], blocking: true) } catch  where error.errno == .brokenPipe {}
    try watchProcess(of: task)
    task.reportToken = try watch(report.socket.descriptor.number, .readable, .report(task))
    try watchLogs(of: task)
  }

  func watchProcess(of task: SupervisedTask) throws(SystemError) {
    guard let process = task.process else { return }
    task.processToken = try watch(process.handle.descriptor.number, .readable, .process(task))
  }

  /// On v2 the group must be there before the clone; on v1 the child makes and enters it itself.
  func openCgroup(_ group: String, limits: CgroupLimits) throws(SystemError) -> OpenFile? {
    guard cgroups.clonesIntoGroup else { return nil }
    try cgroups.ensure(group, limits: limits)
    guard let directory = try cgroups.directory(group) else { return nil }
    return OpenFile(directory)
  }

  /// The child has said something, or its end of the socket has closed: it was executed, or has failed.
  func readReports(of task: SupervisedTask) {
    guard let report = task.report else { return }
    while true {
      // A socket of ours that cannot be read is as good as closed.
      guard let message = try? Self.nextReport(on: report.socket) else { break }
      if message.bytes.isEmpty {
        closeReport(of: task)
        if task.failure == nil { becameRunning(task) }
        return
      }
      guard let record = Report(decoding: message.bytes) else { continue }
      if record.isFailure {
        task.failure = record
      } else if task.record.notes.count < 32 {
        task.record.notes.append("\(record)")
      }
    }
  }

  /// The next message of a child; nil when none waits.
  ///
  /// A child that fails before it has taken its go from the socket leaves that byte unread: the kernel then says
  /// ECONNRESET, once and ahead of the reports that the child sent before (unix(7) does not say so; net/unix/af_unix.c,
  /// unix_release_sock).
  static func nextReport(on socket: borrowing UnixSocket) throws(SystemError) -> UnixSocket.Message? {
    do {
      return try socket.receive(capacity: 4096, blocking: false)
    } catch  where error.errno == .connectionReset {
      return try socket.receive(capacity: 4096, blocking: false)
    }
  }

  func closeReport(of task: SupervisedTask) {
    guard let report = task.report else { return }
    unwatch(report.socket.descriptor.number, token: task.reportToken)
    task.report = nil
  }

  /// Also for a child that was killed before it could say anything: it was started, and then ended.
  func becameRunning(_ task: SupervisedTask) {
    guard case .starting = task.phase else { return }
    task.phase = .running
    task.record.isRunning = true
    // Only what is nice to know changed since the record was written: an adopter looks at the process anyway.
    if !task.record.notes.isEmpty { try? task.directory.write(task.record) }
    if let starter = task.starter, let client = clients[starter.client] {
      send(.task(task.status), to: client, number: starter.request)
    }
    task.starter = nil
    watchMemory(of: task)
    broadcast(.started(task.status))
  }
}
