import Isolation
import Linux

/// A command that runs inside a running task for a client.
final class ExecSession {
  let client: UInt64
  let request: UInt64
  /// The process that was cloned first, and the one in the task's pid namespace once it is known.
  var process: OpenProcess?
  var processToken: UInt64 = 0
  var report: OpenSocket?
  var reportToken: UInt64 = 0
  var failure: Report?
  /// The first process has handed over to another one: its end is not the session's.
  var handedOver = false
  /// Killed as soon as it is known.
  var isEndAsked = false

  init(client: UInt64, request: UInt64) {
    self.client = client
    self.request = request
  }
}

// Commands inside running tasks. The child joins the task's cgroup and namespaces and then drops everything the task
// does not have; the client's descriptors become its streams.
extension SupervisorServer {
  func execute(
    _ command: Command, in task: SupervisedTask, user: String?, terminal: Bool, streams: [OpenFile],
    for client: ClientConnection, request: UInt64
  ) throws(SupervisorError) {
    guard streams.count == 3 else {
      throw SupervisorError(.invalidRequest, "a command needs three descriptors: input, output, error")
    }
    guard let target = task.process else { throw SupervisorError(.notFound, "task \(task.id) has ended") }
    let plan: Plan
    let filter: SeccompFilter?
    do {
      filter = try filters.filter(for: task.record.spec.sandbox)
      plan = try Plan(running: command, in: task.record.spec.sandbox, user: user, terminal: terminal)
    } catch {
      throw SupervisorError(.invalidRequest, "\(error)")
    }
    let session = ExecSession(client: client.id, request: request)
    do {
      try launch(session, plan, filter, in: task, target: target, streams: streams)
    } catch {
      throw SupervisorError(.system, "run a command in task \(task.id): \(error)")
    }
  }

  private func launch(
    _ session: ExecSession, _ plan: Plan, _ filter: SeccompFilter?, in task: SupervisedTask, target: OpenProcess,
    streams: [OpenFile]
  ) throws(SystemError) {
    let pair = try UnixSocket.pair()
    let ours = OpenSocket(UnixSocket(adopting: FileDescriptor(adopting: pair.first)))
    let theirs = FileDescriptor(adopting: pair.second)
    let group: OpenFile?
    if let opened = try cgroups.directory(task.record.cgroup) { group = OpenFile(opened) } else { group = nil }
    switch try cloneProcess(namespaces: [], cgroup: group?.descriptor.number) {
    case .child:
      var resources = ChildResources(
        streams: streams.map { $0.descriptor.number }, report: theirs.number, status: null.descriptor.number,
        initProgram: null.descriptor.number, cgroup: task.record.cgroup, isInCgroup: group != nil,
        templates: runtime.templatesPath, filter: filter)
      resources.joined = target.handle.descriptor.number
      Child.run(plan, resources, cgroups: cgroups)
    case .parent(_, let handle):
      session.process = OpenProcess(handle)
    }
    session.report = ours
    if let process = session.process {
      session.processToken = try watch(process.handle.descriptor.number, .readable, .sessionProcess(session))
    }
    session.reportToken = try watch(ours.socket.descriptor.number, .readable, .sessionReport(session))
    clients[session.client]?.sessions[session.request] = session
  }

  /// SIGKILL to a command and to its process group: whoever asked for it has gone. What it has put elsewhere in the task
  /// ends with the task.
  func end(_ session: ExecSession) {
    session.isEndAsked = true
    guard let process = session.process else { return }
    // It is not reaped before its session is over, so that the group's number cannot be somebody else's.
    try? process.handle.signalGroup(9)
    // The command may have not begun a session yet: then it alone is meant. One that has ended is no error.
    try? process.handle.signal(9)
  }

  func readReports(of session: ExecSession) {
    guard let report = session.report else { return }
    // A socket of ours that cannot be read is as good as closed.
    while let message = try? Self.nextReport(on: report.socket) {
      if message.bytes.isEmpty {
        unwatch(report.socket.descriptor.number, token: session.reportToken)
        session.report = nil
        return
      }
      if message.bytes.first == Report.processKind, let number = message.descriptors.first {
        takeOver(session, ProcessHandle(adopting: FileDescriptor(adopting: number)))
      } else if let record = Report(decoding: message.bytes), record.isFailure {
        session.failure = record
      }
    }
  }

  private func takeOver(_ session: ExecSession, _ handle: consuming ProcessHandle) {
    session.handedOver = true
    if let first = session.process {
      unwatch(first.handle.descriptor.number, token: session.processToken)
      // It exits right after handing over.
      _ = try? poll(first.handle.descriptor, .readable, timeoutMilliseconds: 1000)
      _ = try? first.handle.reap()
    }
    let process = OpenProcess(handle)
    session.process = process
    do {
      session.processToken = try watch(process.handle.descriptor.number, .readable, .sessionProcess(session))
    } catch {
      log("session: \(error)")
    }
    if session.isEndAsked { end(session) }
  }

  func processEnded(_ session: ExecSession) {
    // The first process may have ended because it has handed over: its message comes before.
    let first = session.process
    readReports(of: session)
    guard let process = session.process, process === first else { return }
    // A reap that fails means that the status is lost, not that the process runs.
    let status = (try? process.handle.reap()) ?? nil
    unwatch(process.handle.descriptor.number, token: session.processToken)
    session.process = nil
    if let report = session.report {
      unwatch(report.socket.descriptor.number, token: session.reportToken)
      session.report = nil
    }
    guard let client = clients[session.client] else { return }
    client.sessions[session.request] = nil
    if let failure = session.failure {
      let error = SupervisorError(.startFailed, "\(failure)", step: "\(failure.step)")
      return send(.failed(error), to: client, number: session.request)
    }
    let signal = status?.signal ?? 0
    let exit = TaskExit(
      exitCode: status.map { $0.exitCode ?? 128 + signal } ?? -1, signal: signal,
      dumpedCore: status?.dumpedCore ?? false, oomKilled: false, isKnown: status != nil,
      endedNanoseconds: Clock.realtimeNanoseconds, memoryPeakBytes: 0, memoryLimitBytes: 0,
      wasHostShortOfMemory: false)
    send(.executed(exit), to: client, number: session.request)
  }
}
