internal import Glibc
internal import Linux
internal import Synchronization

/// Runs an actor on one thread of its own.
///
/// The state has one writer (the design's law 2). A thread and not a task of the cooperative pool: an evaluation of a large
/// job takes milliseconds of processor, during which heartbeats and requests elsewhere must go on; and a leader that is
/// late with its own heartbeats is deposed.
///
/// Work comes in turns: everything that is queued, then the end of the turn, which hands disk and network what came of
/// all of it together.
final class CoreExecutor: SerialExecutor, Sendable {
  private struct Queue {
    var jobs: [UnownedJob] = []
    var isWoken = false
    var isClosed = false
    /// Runs on the thread after each turn; says when the next one is due although nothing is queued, in
    /// `Clock.monotonicNanoseconds`.
    var endOfTurn: (@Sendable () -> Int64)?
  }

  private let queue = Mutex(Queue())
  private let wakeUp = Semaphore()
  private let thread = Atomic<UInt64>(0)

  /// Starts the thread.
  init() throws(SystemError) {
    try DetachedThread.start(named: "server-core", stackBytes: 8 << 20) { [self] in
      thread.store(UInt64(pthread_self()), ordering: .releasing)
      run()
    }
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let isFirst = queue.withLock { queue in
      queue.jobs.append(job)
      return queue.jobs.count == 1 && !queue.isWoken
    }
    if isFirst { wakeUp.signal() }
  }

  /// Has a turn run although no job is queued.
  func wake() {
    let isFirst = queue.withLock { queue in
      defer { queue.isWoken = true }
      return queue.jobs.isEmpty && !queue.isWoken
    }
    if isFirst { wakeUp.signal() }
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  /// The end of a turn is no job, but runs on the thread all the same.
  func checkIsolated() {
    precondition(
      thread.load(ordering: .acquiring) == UInt64(pthread_self()), "the server's core is used on another thread")
  }

  /// From now on this runs at the end of each turn; nil ends that.
  func setEndOfTurn(_ action: (@Sendable () -> Int64)?) {
    queue.withLock { $0.endOfTurn = action }
    wake()
  }

  /// Ends the thread after what is queued. Nothing may be sent to the actor afterwards.
  func close() {
    queue.withLock { $0.isClosed = true }
    wakeUp.signal()
  }

  private func run() {
    var deadline = Int64.max
    while true {
      if deadline == .max { wakeUp.wait() } else { _ = wakeUp.wait(until: deadline) }
      var ends = false
      repeat {
        let (jobs, endOfTurn, isClosed) = queue.withLock { queue in
          let jobs = queue.jobs
          queue.jobs.removeAll(keepingCapacity: true)
          queue.isWoken = false
          return (jobs, queue.endOfTurn, queue.isClosed)
        }
        for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
        deadline = endOfTurn?() ?? .max
        ends = isClosed && jobs.isEmpty
      } while queue.withLock { !$0.jobs.isEmpty || $0.isWoken }
      if ends { return }
    }
  }
}
