import Isolation
import Linux

/// A child that was cloned ahead: it has its namespaces, cgroup, /proc, /sys, pipes and runtime directory, has taken the
/// steps that do not depend on whose task it is, and waits. It has no right that the supervisor's child does not have
/// while it builds a sandbox, and runs no code of anybody's. When the supervisor goes, however it goes, the socket between
/// them closes and the child ends.
final class Spare {
  let beginning: Plan
  let directory: TaskDirectory
  let cgroup: String
  let pid: Int32
  let startTime: UInt64
  let process: OpenProcess
  let socket: OpenSocket
  var token: UInt64 = 0
  /// It has taken its steps and waits.
  var isReady = false

  init(
    beginning: Plan, directory: TaskDirectory, cgroup: String, pid: Int32, startTime: UInt64, process: OpenProcess,
    socket: OpenSocket
  ) {
    self.beginning = beginning
    self.directory = directory
    self.cgroup = cgroup
    self.pid = pid
    self.startTime = startTime
    self.process = process
    self.socket = socket
  }
}

// Spare children: most of a start's time goes into what all tasks have alike, and is spent before anybody asks.
extension SupervisorServer {
  /// So many kinds of tasks have a spare child, those that were started last: one each.
  private static let kinds = 2
  /// A start shall not compete with the making of the next spare, nor shall a burst of them.
  private static let restNanoseconds: Int64 = 4_000_000

  /// A task like this one was started: the next one may find a child.
  func wantSpare(like plan: Plan) {
    guard plan.canBegin else { return }
    let beginning = plan.beginning
    wantedSpares.removeAll { $0 == beginning }
    wantedSpares.insert(beginning, at: 0)
    if wantedSpares.count > Self.kinds { wantedSpares.removeLast() }
    spareAt = Clock.monotonicNanoseconds + Self.restNanoseconds
    wake(inMilliseconds: (Self.restNanoseconds + 999_999) / 1_000_000)
  }

  /// Makes one that is missing, if the time has come; lets go of those that nobody wants any more.
  func makeSpares() {
    guard let at = spareAt, !isStopping, upgradeTo == nil else { return }
    let now = Clock.monotonicNanoseconds
    if now < at { return wake(inMilliseconds: (at - now + 999_999) / 1_000_000) }
    spareAt = nil
    for spare in spares where !wantedSpares.contains(spare.beginning) { discard(spare) }
    for beginning in wantedSpares where !spares.contains(where: { $0.beginning == beginning }) {
      do {
        try makeSpare(beginning)
      } catch {
        // Tasks start without one, and say what is wrong. Not tried again before the next start.
        log("prepare a child for the next task: \(error), ignoring")
      }
    }
  }

  private func makeSpare(_ beginning: Plan) throws(SystemError) {
    // No task's id begins with a dot, and the clock never says the same twice.
    let name = ".spare-\(Clock.monotonicNanoseconds)"
    let directory = runtime.task(name)
    let cgroup = "\(cgroupName)/task/\(name)"
    do {
      try directory.create(withLogs: true)
      let out = try FileDescriptor.open(directory.outputPath, [.readWrite])
      let err = try FileDescriptor.open(directory.errorPath, [.readWrite])
      let status = try directory.createStatus()
      let pair = try UnixSocket.pair()
      let ours = UnixSocket(adopting: FileDescriptor(adopting: pair.first))
      let theirs = FileDescriptor(adopting: pair.second)
      let group = try openCgroup(cgroup, limits: beginning.limits)
      switch try cloneProcess(namespaces: beginning.cloneNamespaces, cgroup: group?.descriptor.number) {
      case .child:
        let kept = try SpareChild.keep([
          null.descriptor.number, out.number, err.number, theirs.number, status.number, initProgram.descriptor.number,
        ])
        let child = Child.begin(
          beginning,
          ChildResources(
            streams: Array(kept[..<3]), report: kept[3], status: kept[4], initProgram: kept[5], cgroup: cgroup,
            isInCgroup: group != nil, templates: runtime.templatesPath, filter: filters.standard), cgroups: cgroups)
        // Moved, not copied: what it holds for a while must go when it lets go of it.
        SpareChild.waitForTask(consume child, on: kept[3])
      case .parent(let pid, let handle):
        let spare = Spare(
          beginning: beginning, directory: directory, cgroup: cgroup, pid: pid, startTime: try Proc.startTime(pid: pid),
          process: OpenProcess(handle), socket: OpenSocket(ours))
        spares.append(spare)
        spare.token = try watch(spare.socket.socket.descriptor.number, .readable, .spare(spare))
      }
    } catch {
      try? directory.remove()
      removeLater(cgroup)
      throw error
    }
  }

  /// The one that can go on with a plan; it is no spare any more.
  func takeSpare(for plan: Plan) -> Spare? {
    for spare in spares where !spare.isReady { hear(spare) }
    // Somebody may have ended one whose socket has not been looked at since.
    for spare in spares {
      let events = try? poll(spare.process.handle.descriptor, .readable, timeoutMilliseconds: 0)
      if events?.isEmpty != true { discard(spare) }
    }
    guard let index = spares.firstIndex(where: { $0.isReady && plan.canGoOn(from: $0.beginning) }) else { return nil }
    let spare = spares.remove(at: index)
    unwatch(spare.socket.socket.descriptor.number, token: spare.token)
    return spare
  }

  /// It has said something: that it is ready, or why it cannot be had; or it has ended.
  func hear(_ spare: Spare) {
    do {
      guard let message = try Self.nextReport(on: spare.socket.socket) else { return }
      if message.bytes == [Report.readyKind] {
        spare.isReady = true
        return
      }
      if let report = Report(decoding: message.bytes) {
        log("prepare a child for the next task: \(report), ignoring")
      }
    } catch {
      log("hear of a child that waits: \(error), ignoring")
    }
    discard(spare)
  }

  /// Ends one that nobody takes. It may be amidst its steps.
  func discard(_ spare: Spare) {
    spares.removeAll { $0 === spare }
    unwatch(spare.socket.socket.descriptor.number, token: spare.token)
    // ESRCH: it has ended.
    try? spare.process.handle.signal(9)
    _ = try? poll(spare.process.handle.descriptor, .readable, timeoutMilliseconds: 1000)
    _ = try? spare.process.handle.reap()
    try? spare.directory.remove()
    removeLater(spare.cgroup)
  }

  /// All of them, and what they had: before this program ends or becomes another one.
  func discardSpares() {
    wantedSpares = []
    for spare in spares { discard(spare) }
    let deadline = Clock.monotonicNanoseconds + 1_000_000_000
    while !strayGroups.isEmpty && Clock.monotonicNanoseconds < deadline {
      removeStrayGroups()
      if !strayGroups.isEmpty { Clock.sleep(nanoseconds: 1_000_000) }
    }
  }

  /// Removes a group that no task has, as soon as what is in it has gone.
  func removeLater(_ group: String) {
    strayGroups.insert(group)
    removeStrayGroups()
  }

  func removeStrayGroups() {
    for group in strayGroups {
      // Its name may be a task's by now.
      if tasks.values.contains(where: { $0.record.cgroup == group }) {
        strayGroups.remove(group)
        continue
      }
      try? cgroups.kill(group)
      if (try? cgroups.remove(group)) != nil { strayGroups.remove(group) }
    }
    if !strayGroups.isEmpty { wake(inMilliseconds: 20) }
  }
}

/// The child's side.
enum SpareChild {
  /// Puts these descriptors at 3 and on and closes all others. Connections and log files that the supervisor closes must
  /// not stay open in a child that waits for long, nor its lock, nor its ends of other children's sockets.
  static func keep(_ numbers: [Int32]) throws(SystemError) -> [Int32] {
    var aside: [Int32] = []
    for number in numbers { aside.append(try FileDescriptor.duplicate(of: number, lowest: 64).release()) }
    for (index, number) in aside.enumerated() { try Myself.place(number, at: 3 + Int32(index)) }
    try Myself.closeDescriptors(from: UInt32(3 + numbers.count))
    return numbers.indices.map { 3 + Int32($0) }
  }

  /// Waits for the task and becomes it; ends when the supervisor has gone.
  static func waitForTask(_ child: consuming Child, on number: Int32) -> Never {
    do {
      let socket = UnixSocket(adopting: try FileDescriptor.duplicate(of: number))
      _ = try socket.send([Report.readyKind], blocking: true)
      guard case .message(let received) = try Channel.receive(from: socket, blocking: true) else { exitNow(126) }
      let order = try SpareOrder(decoding: received.bytes)
      // The supervisor has made the same plan of it: this cannot fail.
      (consume child).goOn(with: try Plan(order.spec.sandbox), cgroup: order.cgroup, mounts: received.descriptors)
    } catch {
      exitNow(126)
    }
  }
}

/// What a spare child is told.
struct SpareOrder: WireValue {
  var spec: TaskSpec
  var cgroup: String

  init(spec: TaskSpec, cgroup: String) {
    self.spec = spec
    self.cgroup = cgroup
  }
  func encode(to w: inout WireWriter) {
    w.field(1, spec)
    w.field(2, cgroup)
  }
  init(from r: WireReader) throws(WireError) {
    spec = try r.value(1)
    cgroup = try r.string(2)
  }
}
