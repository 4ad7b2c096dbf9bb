import Isolation
import Linux

/// The node's supervisor: one thread, one epoll loop. It owns every task's process, log streams and records; clients
/// come and go. Nothing it does waits for a task, a client or a disk: set-up runs in the cloned child, file writes on
/// the writer thread.
///
/// The code is in six files: this one (loop and events), Starting.swift, Spares.swift, Ending.swift, Sessions.swift,
/// Clients.swift.
final class SupervisorServer {
  /// What a token of the event queue stands for.
  enum Source {
    case listener
    case signals
    case writer
    case client(ClientConnection)
    case report(SupervisedTask)
    case process(SupervisedTask)
    case log(SupervisedTask, LogStream)
    case memory(SupervisedTask)
    case spare(Spare)
    case sessionReport(ExecSession)
    case sessionProcess(ExecSession)
  }

  let runtime: RuntimeDirectory
  let cgroups: any CgroupDriver
  /// `serai`: holds `supervisor` and `task`.
  let cgroupName: String
  let executable: String
  let initProgram: OpenFile
  let null: OpenFile
  let filters: FilterCache
  let queue: EventQueue
  let listener: OpenSocket
  let lock: OpenFile
  let signals: SignalQueue
  let writer: PipeWriter
  var sources: [UInt64: Source] = [:]
  var nextToken: UInt64 = 1
  var tasks: [String: SupervisedTask] = [:]
  var clients: [UInt64: ClientConnection] = [:]
  var isStopping = false
  var upgradeTo: String?
  /// Children that wait for a task, what kinds of them are wanted, most recent first, and when they are made.
  var spares: [Spare] = []
  var wantedSpares: [Plan] = []
  var spareAt: Int64?
  /// How many files of `UsageFiles` are open, and how many may be: the descriptors are for tasks first.
  var keptUsageFiles = 0
  let usageFileLimit: Int
  /// Groups of no task that are to be removed.
  var strayGroups: Set<String> = []
  /// When the loop must look at ending tasks again (CLOCK_MONOTONIC); nil: nothing to look at.
  var wakeAt: Int64?

  init(
    runtime: RuntimeDirectory, cgroups: any CgroupDriver, cgroupName: String, executable: String,
    listener: consuming UnixSocket, lock: consuming FileDescriptor
  ) throws(SystemError) {
    self.runtime = runtime
    self.cgroups = cgroups
    self.cgroupName = cgroupName
    self.executable = executable
    usageFileLimit = Int(clamping: try Myself.limit(ResourceLimit.Resource.openFiles.rawValue).hard / 3)
    self.listener = OpenSocket(listener)
    self.lock = OpenFile(lock)
    let queue = try EventQueue()
    // SIGHUP too: the session that started us may end.
    let signals = try SignalQueue([1, 2, 15])
    initProgram = OpenFile(try FileDescriptor.inTaskInit())
    null = OpenFile(try FileDescriptor.open("/dev/null", [.readWrite]))
    do {
      filters = try FilterCache()
    } catch {
      throw SystemError("compile the system call filter", "", .invalidArgument, advice: "\(error)")
    }
    // Last: from here on there are two threads.
    let writer = try PipeWriter()
    self.queue = queue
    self.signals = signals
    self.writer = writer
    try watch(self.listener.socket.descriptor.number, .readable, .listener)
    try watch(self.signals.descriptor.number, .readable, .signals)
    try watch(self.writer.descriptor.number, .readable, .writer)
  }

  @discardableResult
  func watch(_ fd: Int32, _ interest: EventQueue.Interest, _ source: Source) throws(SystemError) -> UInt64 {
    let token = nextToken
    nextToken += 1
    try queue.add(fd, interest, token: token)
    sources[token] = source
    return token
  }

  /// Forgets a token; the descriptor must still be open.
  func unwatch(_ fd: Int32, token: UInt64) {
    guard sources.removeValue(forKey: token) != nil else { return }
    // It is in the queue: it was added when the token was made, and is open.
    try? queue.remove(fd)
  }

  /// Runs until it is told to end. Returns the program to become, if any.
  func run() throws(SystemError) -> String? {
    while !isStopping && upgradeTo == nil {
      let now = Clock.monotonicNanoseconds
      let timeout = wakeAt.map { Int32(clamping: max(0, ($0 - now + 999_999) / 1_000_000)) }
      for event in try queue.wait(timeoutMilliseconds: timeout) { handle(event) }
      if let due = wakeAt, Clock.monotonicNanoseconds >= due {
        wakeAt = nil
        for task in tasks.values { progress(task) }
        makeSpares()
        removeStrayGroups()
      }
    }
    discardSpares()
    return upgradeTo
  }

  func wake(inMilliseconds delay: Int64) {
    let at = Clock.monotonicNanoseconds + delay * 1_000_000
    wakeAt = min(wakeAt ?? at, at)
  }

  private func handle(_ event: EventQueue.Event) {
    // A token may have gone with an earlier event of the same round.
    guard let source = sources[event.token] else { return }
    switch source {
    case .listener: acceptClients()
    case .signals: takeSignals()
    case .writer: takeOutcomes()
    case .client(let client): serve(client, event.events)
    case .report(let task): readReports(of: task)
    case .process(let task): processEnded(task)
    case .log(_, let stream): pump(stream, token: event.token)
    case .memory(let task): endIfKilledForMemory(task)
    case .spare(let spare): hear(spare)
    case .sessionReport(let session): readReports(of: session)
    case .sessionProcess(let session): processEnded(session)
    }
  }

  private func takeSignals() {
    // A signalfd read fails only when it is closed.
    while let signal = try? signals.next() {
      if signal == 15 || signal == 2 { isStopping = true }
    }
  }

  // MARK: Logs

  func watchLogs(of task: SupervisedTask) throws(SystemError) {
    for stream in [task.output, task.error] {
      guard let stream else { continue }
      try watch(stream.pipe.number, [.readable, .oneShot], .log(task, stream))
    }
  }

  /// Bytes wait: one job to the writer thread. The descriptor is silent until the job is done.
  private func pump(_ stream: LogStream, token: UInt64) {
    guard !stream.isBusy, !stream.isFinished else { return }
    let job = stream.nextJob(now: Clock.monotonicNanoseconds)
    stream.isBusy = true
    do {
      try writer.submit(token: token, pipe: stream.pipe.number, file: job.file, offset: job.offset, count: job.count)
    } catch {
      // The queue is full: more than 4,096 streams are waiting for a disk. Ask again when one is done.
      stream.isBusy = false
      rearm(stream, token)
    }
  }

  private func rearm(_ stream: LogStream, _ token: UInt64) {
    // The descriptor is open and in the queue as long as its source exists.
    try? queue.modify(stream.pipe.number, [.readable, .oneShot], token: token)
  }

  private func takeOutcomes() {
    writer.drain()
    let now = Clock.monotonicNanoseconds
    while let outcome = writer.next() {
      guard case .log(let task, let stream)? = sources[outcome.token] else { continue }
      stream.finished(moved: outcome.moved, errno: outcome.errno, now: now)
      if stream.isFinished {
        unwatch(stream.pipe.number, token: outcome.token)
        progress(task)
      } else {
        rearm(stream, outcome.token)
      }
    }
  }
}

/// A descriptor that lives in a class.
final class OpenFile {
  let descriptor: FileDescriptor
  init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
}

/// Compiled system call filters: the standard one from the start, others from their first task on.
final class FilterCache {
  private struct Key: Hashable {
    var policy: SeccompPolicy
    var allowsForeignABI: Bool
    /// Only profiles look at them.
    var capabilities: UInt64 = 0
  }
  private var filters: [Key: SeccompFilter] = [:]
  /// Profiles are few; a client that sends ever new ones does not make us grow.
  private static let limit = 32

  /// What tasks have that ask for nothing else.
  let standard: SeccompFilter

  init() throws(SandboxError) {
    standard = try SeccompFilter.standard()
    filters[Key(policy: .standard, allowsForeignABI: false)] = standard
  }

  /// The filter for a task; nil when it has none.
  func filter(for sandbox: Sandbox) throws(SandboxError) -> SeccompFilter? {
    var key = Key(policy: sandbox.seccomp, allowsForeignABI: sandbox.allowsForeignABI)
    if case .profile = sandbox.seccomp {
      key.capabilities =
        try sandbox.capabilities.map { names throws(SandboxError) in try Capability.mask(of: names) } ?? .max
    }
    if let known = filters[key] { return known }
    let made = try SeccompFilter.compile(
      key.policy, allowsForeignABI: key.allowsForeignABI, capabilities: key.capabilities)
    if filters.count < Self.limit { filters[key] = made }
    return made
  }
}
