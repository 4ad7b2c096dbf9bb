import Isolation
import Linux

/// A connected client.
final class ClientConnection {
  let id: UInt64
  let socket: UnixSocket
  var token: UInt64 = 0
  var hasGreeted = false
  /// Its commands inside tasks, by the number of the request.
  var sessions: [UInt64: ExecSession] = [:]
  /// Messages that the socket had no room for.
  var outbox: [[UInt8]] = []

  init(id: UInt64, socket: consuming UnixSocket) {
    self.id = id
    self.socket = socket
  }
}

// The socket's side of the supervisor.
extension SupervisorServer {
  /// A client that reads nothing for this many messages is cut off: it can list what it missed when it comes back.
  private static let outboxLimit = 8192

  func acceptClients() {
    while true {
      do {
        guard let socket = try listener.socket.accept() else { return }
        let peer = try socket.peer()
        // The socket lies in a root-only directory already; this holds when somebody opens that directory up.
        guard peer.uid == 0 else {
          log("connection of uid \(peer.uid) refused")
          continue
        }
        let client = ClientConnection(id: nextToken, socket: socket)
        client.token = try watch(client.socket.descriptor.number, .readable, .client(client))
        clients[client.id] = client
      } catch {
        log("accept: \(error), ignoring")
        return
      }
    }
  }

  func drop(_ client: ClientConnection) {
    guard clients.removeValue(forKey: client.id) != nil else { return }
    unwatch(client.socket.descriptor.number, token: client.token)
    // Nobody holds the other end of their streams any more.
    for session in client.sessions.values { end(session) }
    client.sessions = [:]
  }

  func serve(_ client: ClientConnection, _ events: EventQueue.Interest) {
    if events.contains(.writable) { flush(client) }
    guard !events.isDisjoint(with: [.readable, .hangUp, .error, .peerClosed]) else { return }
    // A few requests a turn, so that no client starves the others.
    for _ in 0..<16 {
      do {
        switch try Channel.receive(from: client.socket, blocking: false) {
        case .nothing: return
        case .closed: return drop(client)
        case .message(let received):
          let files = received.descriptors.map { OpenFile(FileDescriptor(adopting: $0)) }
          let request = try Numbered<Request>(decoding: received.bytes)
          answer(request.body, number: request.number, from: client, files: files)
        }
      } catch {
        log("client: \(error), dropping it")
        return drop(client)
      }
      if clients[client.id] == nil || isStopping || upgradeTo != nil { return }
    }
  }

  private func answer(_ request: Request, number: UInt64, from client: ClientConnection, files: [OpenFile]) {
    if case .hello(let version) = request {
      guard version == protocolVersion else {
        let text = "this supervisor speaks protocol \(protocolVersion), the client \(version): upgrade the supervisor"
        return send(.failed(SupervisorError(.version, text)), to: client, number: number)
      }
      client.hasGreeted = true
      let pid = (try? Proc.ownPID()) ?? 0
      return send(.welcome(version: protocolVersion, pid: pid, executable: executable), to: client, number: number)
    }
    guard client.hasGreeted else { return drop(client) }
    if case .endCommand(let request) = request {
      if let session = client.sessions[request] { end(session) }
      return send(.done, to: client, number: number)
    }
    if case .start(let spec) = request { return start(spec, mounts: files, for: client, request: number) }
    if case .execute(let id, let command, let user, let terminal) = request {
      do throws(SupervisorError) {
        let task = try running(id)
        try execute(command, in: task, user: user, terminal: terminal, streams: files, for: client, request: number)
      } catch {
        send(.failed(error), to: client, number: number)
      }
      return
    }
    do {
      send(try reply(to: request), to: client, number: number)
    } catch {
      send(.failed(error), to: client, number: number)
    }
  }

  private func reply(to request: Request) throws(SupervisorError) -> Reply {
    switch request {
    case .hello, .start, .execute, .endCommand: return .done
    case .list: return .tasks(tasks.values.map(\.status).sorted { $0.id < $1.id })
    case .signal(let id, let signal):
      let task = try running(id)
      guard (1...64).contains(signal), let process = task.process else {
        throw SupervisorError(.invalidRequest, "signal \(signal) cannot be sent to task \(id)")
      }
      try system("signal task \(id)") { () throws(SystemError) in try process.handle.signal(signal) }
      return .done
    case .kill(let id):
      killOnce(try running(id))
      return .done
    case .acknowledge(let id):
      guard let task = tasks[id] else { return .done }
      guard case .ended = task.phase else {
        throw SupervisorError(.invalidRequest, "task \(id) has not ended: kill it first")
      }
      tasks[id] = nil
      removeDirectory(of: task)
      return .done
    case .statistics(let id):
      let task = try running(id)
      return .statistics(
        try system("task \(id)") { () throws(SystemError) in try cgroups.statistics(task.record.cgroup) })
    case .usage(let ids): return .usage(ids.compactMap { usage(of: $0) })
    case .setLimits(let id, let limits):
      let task = try running(id)
      try system("task \(id)") { () throws(SystemError) in
        try cgroups.apply(limits, to: task.record.cgroup)
        task.record.spec.sandbox.limits = limits
        try task.directory.write(task.record)
      }
      return .done
    case .shutdown:
      isStopping = true
      return .done
    case .upgrade(let path):
      guard Myself.refusalToExecute(path) == nil else {
        throw SupervisorError(.invalidRequest, "\(path) cannot be executed")
      }
      upgradeTo = path
      return .done
    }
  }

  private func usage(of id: String) -> TaskUsage? {
    guard let task = tasks[id] else { return nil }
    if case .ended = task.phase { return nil }
    let isThrottled = task.record.spec.sandbox.limits.cpuQuotaMicroseconds != nil
    if task.usageFiles == nil && keptUsageFiles + UsageFiles.most <= usageFileLimit {
      task.usageFiles = cgroups.usageFiles(task.record.cgroup)
      if task.usageFiles != nil { keptUsageFiles += UsageFiles.most }
    }
    let kept = task.usageFiles.flatMap { cgroups.usage(of: $0, isThrottled: isThrottled) }
    // One whose group has gone by now has ended.
    guard var usage = try? kept ?? cgroups.usage(task.record.cgroup, isThrottled: isThrottled) else { return nil }
    usage.oomKills = max(usage.oomKills, task.oomKills)
    return TaskUsage(id: id, usage: usage)
  }

  private func running(_ id: String) throws(SupervisorError) -> SupervisedTask {
    guard let task = tasks[id] else { throw SupervisorError(.notFound, "no task \(id) here") }
    if case .ended = task.phase { throw SupervisorError(.notFound, "task \(id) has ended") }
    return task
  }

  private func system<Value>(_ what: String, _ body: () throws(SystemError) -> Value) throws(SupervisorError) -> Value {
    do {
      return try body()
    } catch {
      throw SupervisorError(.system, "\(what): \(error)")
    }
  }

  // MARK: Sending

  func broadcast(_ event: Reply) {
    for client in Array(clients.values) where client.hasGreeted { send(event, to: client, number: 0) }
  }

  func send(_ reply: Reply, to client: ClientConnection, number: UInt64) {
    client.outbox.append(NumberedReply(number: number, body: reply).encoded)
    if client.outbox.count > Self.outboxLimit {
      log("a client does not read its messages: dropping it")
      return drop(client)
    }
    flush(client)
  }

  private func flush(_ client: ClientConnection) {
    var sent = 0
    do {
      while sent < client.outbox.count {
        guard try Channel.send(client.outbox[sent], over: client.socket, blocking: false) else { break }
        sent += 1
      }
    } catch {
      // EPIPE, ECONNRESET: it has gone.
      return drop(client)
    }
    client.outbox.removeFirst(sent)
    let interest: EventQueue.Interest = client.outbox.isEmpty ? .readable : [.readable, .writable]
    try? queue.modify(client.socket.descriptor.number, interest, token: client.token)
  }
}
