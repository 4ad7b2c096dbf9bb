import Codec
import Glibc
import Model
import Scheduler
import State
import Storage
import Synchronization

/// A state, a scheduler and a log, driven as the server drives them: an entry is applied at once, the log gets it in
/// batches and syncs them on a thread of its own, and an entry is committed when its batch is on the disk.
struct SimulatedCluster {
  var state = State()
  var random = RandomBits(seed: 7)
  let time = Timestamp(nanoseconds: 1_700_000_000_000_000_000)
  private var index: UInt64 = 1
  private let log: BenchLog?

  /// - Parameter directory: where the log is written; nil for none.
  init(logIn directory: String? = nil) throws {
    log = try directory.map { try BenchLog($0 + "/log.db") }
  }

  var reader: StateReader { state.reader }

  @discardableResult
  mutating func apply(_ entry: LogEntry) throws -> Changes {
    index += 1
    let changes = try state.apply(entry, index: index, time: time).get()
    if let log { log.add(LogRecord(index: index, term: 1, kind: entry.kind, bytes: entry.encoded(at: time))) }
    return changes
  }

  /// Hands what was applied to the log.
  func flush() { log?.flush() }

  /// Waits until all of it is on the disk.
  func waitUntilCommitted() async throws { try await log?.drain() }

  /// Bytes that went into the log.
  var logBytes: Int { log?.bytes ?? 0 }
  var logSyncs: Int { log?.batches ?? 0 }

  // MARK: What the server does

  mutating func add(_ nodes: [Node]) throws {
    for node in nodes {
      var payload = NodeRegistration()
      payload.node = node
      try apply(.nodeRegistration(payload))
    }
  }

  func evaluation(of job: Job, _ trigger: EvaluationTrigger = .jobRegister, random: inout RandomBits) -> Evaluation {
    var evaluation = Evaluation()
    evaluation.id = Identifier(using: &random)
    evaluation.namespace = "default"
    evaluation.jobID = job.id
    evaluation.type = job.type?.rawValue ?? "service"
    evaluation.priority = job.priority ?? 50
    evaluation.triggeredBy = trigger
    evaluation.status = .pending
    return evaluation
  }

  /// Registers a job with its evaluation, in one entry.
  mutating func register(_ job: Job) throws -> Evaluation {
    var payload = JobRegistration()
    payload.job = job
    payload.evaluations = [evaluation(of: job, random: &random)]
    try apply(.jobRegistration(payload))
    return payload.evaluations[0]
  }

  mutating func schedule(_ evaluation: Evaluation) -> SchedulingResult {
    Scheduler.schedule(evaluation, state: state.reader, columns: state.columns, now: time, random: &random)
  }

  /// Registers, schedules and applies; returns how long the scheduler and the apply took.
  @discardableResult
  mutating func run(_ job: Job) throws -> (placed: Int, schedule: Int64, apply: Int64) {
    let evaluation = try register(job)
    let start = threadNanoseconds()
    let result = schedule(evaluation)
    let scheduled = threadNanoseconds()
    try apply(.planResult(result.plan))
    return (result.plan.placements.count, scheduled - start, threadNanoseconds() - scheduled)
  }

  mutating func configure(_ change: (inout SchedulerConfiguration) -> Void) throws {
    var payload = SchedulerConfigurationUpdate()
    payload.configuration = reader.schedulerConfiguration
    change(&payload.configuration)
    try apply(.schedulerConfiguration(payload))
  }
}

/// The log behind `LogWriter`, in batches as the server's core hands them over.
final class BenchLog: Sendable {
  private struct Queue {
    var records: [LogRecord] = []
    var bytes = 0
    var batches = 0
    var failure: StorageError?
  }

  private let writer: LogWriter
  private let queue = Mutex(Queue())

  init(_ path: String) throws { writer = try LogWriter(owning: LogStore(opening: path)) }

  func add(_ record: LogRecord) {
    queue.withLock {
      $0.bytes += record.bytes.count
      // The log of the bench starts at 1; the state's index counts from 2.
      var record = record
      record.index -= 1
      $0.records.append(record)
    }
  }

  func flush() {
    let records = queue.withLock { queue in
      let records = queue.records
      queue.records = []
      if !records.isEmpty { queue.batches += 1 }
      return records
    }
    guard !records.isEmpty else { return }
    writer.append(records) { result in
      if case .failure(let error) = result { self.queue.withLock { $0.failure = error } }
    }
  }

  func drain() async throws {
    flush()
    // A read is served after every write that was queued before it.
    _ = try await writer.entries(from: 1, maximumCount: 1)
    if let failure = queue.withLock({ $0.failure }) { throw failure }
  }

  var bytes: Int { queue.withLock { $0.bytes } }
  var batches: Int { queue.withLock { $0.batches } }
}
