internal import Linux
internal import Synchronization

/// Runs an actor on one thread of its own.
///
/// The state has one writer (the design's law 2). A thread and not a task of the cooperative pool: an evaluation of a large
/// job takes milliseconds of processor, during which heartbeats and requests elsewhere must go on.
final class CoreExecutor: SerialExecutor, Sendable {
  private struct Queue {
    var jobs: [UnownedJob] = []
    var isClosed = false
  }

  private let queue = Mutex(Queue())
  private let wakeUp = Semaphore()

  /// Starts the thread.
  init() throws(SystemError) {
    try DetachedThread.start(named: "server-core", stackBytes: 8 << 20) { [self] in run() }
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let isFirst = queue.withLock { queue in
      queue.jobs.append(job)
      return queue.jobs.count == 1
    }
    if isFirst { wakeUp.signal() }
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  /// Ends the thread after what is queued. Nothing may be sent to the actor afterwards.
  func close() {
    queue.withLock { $0.isClosed = true }
    wakeUp.signal()
  }

  private func run() {
    while true {
      wakeUp.wait()
      while true {
        let (jobs, isClosed) = queue.withLock { queue in
          let jobs = queue.jobs
          queue.jobs.removeAll(keepingCapacity: true)
          return (jobs, queue.isClosed)
        }
        if jobs.isEmpty {
          if isClosed { return }
          break
        }
        for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
      }
    }
  }
}
