import Isolation
import Linux

// From a start request to a running task.
extension SupervisorServer {
  func start(_ spec: TaskSpec, for client: ClientConnection, request: UInt64) {
    do throws(SupervisorError) {
      let (task, plan) = try prepare(spec)
      task.starter = (client.id, request)
      tasks[spec.id] = task
      do {
        try launch(task, plan)
      } catch {
        // Nothing runs yet: undo, and say why.
        tasks[spec.id] = nil
        try? cgroups.remove(task.record.cgroup)
        try? task.directory.remove()
        throw SupervisorError(.system, "start task \(spec.id): \(error)")
      }
    } catch {
      send(.failed(error), to: client, number: request)
    }
  }

  private func prepare(_ spec: TaskSpec) throws(SupervisorError) -> (SupervisedTask, Plan) {
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
    // A fault of the sandbox is the requester's, and is found before anything is made.
    let plan: Plan
    do {
      plan = try Plan(spec.sandbox)
      _ = try filters.filter(for: spec.sandbox)
      try cgroups.check(plan.limits, in: "\(cgroupName)/task")
    } catch {
      throw SupervisorError(.invalidRequest, "\(error)")
    }
    let directory = runtime.task(spec.id)
    do {
      // Left over from a crash between mkdir and the first record: nothing was ever made for it.
      try directory.remove()
      try directory.create(withLogs: spec.logs != nil)
      // No record yet: until the child has its go, a crash leaves nothing that must be remembered.
      let record = TaskRecord(spec: spec, cgroup: "\(cgroupName)/task/\(spec.id)")
      let task = SupervisedTask(record: record, directory: directory, phase: .starting)
      // Secrets are for the child alone: nothing of them stays here, and nothing is written down.
      task.record.spec.sandbox.files = []
      return (task, plan)
    } catch {
      throw SupervisorError(.system, "start task \(spec.id): \(error)")
    }
  }

  private func launch(_ task: SupervisedTask, _ plan: Plan) throws(SystemError) {
    let filter: SeccompFilter?
    var plan = plan
    try plan.addRules(for: task.record.spec.sandbox.devices)
    do {
      filter = try filters.filter(for: task.record.spec.sandbox)
    } catch {
      throw SystemError("compile the system call filter", task.id, .invalidArgument, advice: "\(error)")
    }
    // Open for reading and writing: the task itself keeps the pipe alive while no supervisor reads.
    let hasLogs = task.record.spec.logs != nil
    let out = try FileDescriptor.open(hasLogs ? task.directory.outputPath : "/dev/null", [.readWrite])
    let err = try FileDescriptor.open(hasLogs ? task.directory.errorPath : "/dev/null", [.readWrite])
    let status =
      try plan.usesInit ? task.directory.createStatus() : FileDescriptor.duplicate(of: null.descriptor.number)
    let pair = try UnixSocket.pair()
    let ours = UnixSocket(adopting: FileDescriptor(adopting: pair.first))
    let theirs = FileDescriptor(adopting: pair.second)

    let groupDirectory: OpenFile?
    if let opened = try openCgroup(task, limits: plan.limits) {
      groupDirectory = OpenFile(opened)
    } else {
      groupDirectory = nil
    }
    switch try cloneProcess(namespaces: plan.cloneNamespaces, cgroup: groupDirectory?.descriptor.number) {
    case .child:
      // The child's copy of our end: with it open the gate would never see that the supervisor is gone, and the child
      // would wait for ever, with the lock of the runtime directory, which no other supervisor could then take.
      _ = FileDescriptor(adopting: pair.first)
      Child.run(
        plan,
        ChildResources(
          streams: [null.descriptor.number, out.number, err.number], report: theirs.number, status: status.number,
          initProgram: initProgram.descriptor.number, cgroup: task.record.cgroup, isInCgroup: groupDirectory != nil,
          templates: runtime.templatesPath,
          filter: filter),
        cgroups: cgroups)
    case .parent(let pid, let handle):
      task.record.pid = pid
      task.process = OpenProcess(handle)
    }
    do {
      task.record.startTime = try Proc.startTime(pid: task.record.pid)
      task.record.startedNanoseconds = Clock.realtimeNanoseconds
      // While the child builds the sandbox.
      try task.openLogs()
      try task.directory.create(task.record)
      // Written down: now the child may become the task. One that has failed before it came to the gate is gone
      // (EPIPE): its report and its end, which are watched from here on, say why.
      do { _ = try ours.send([1], blocking: true) } catch  where error.errno == .brokenPipe {}
      task.report = OpenSocket(ours)
      try watchProcess(of: task)
      if let report = task.report {
        task.reportToken = try watch(report.socket.descriptor.number, .readable, .report(task))
      }
      try watchLogs(of: task)
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

  func watchProcess(of task: SupervisedTask) throws(SystemError) {
    guard let process = task.process else { return }
    task.processToken = try watch(process.handle.descriptor.number, .readable, .process(task))
  }

  /// On v2 the group must be there before the clone; on v1 the child makes and enters it itself.
  private func openCgroup(_ task: SupervisedTask, limits: CgroupLimits) throws(SystemError) -> FileDescriptor? {
    guard cgroups.clonesIntoGroup else { return nil }
    try cgroups.ensure(task.record.cgroup, limits: limits)
    return try cgroups.directory(task.record.cgroup)
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
