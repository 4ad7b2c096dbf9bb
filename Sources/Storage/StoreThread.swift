internal import Linux
import Synchronization

/// A store whose calls can be grouped into one transaction.
protocol TransactionalStore: ~Copyable, Sendable {
  var path: String { get }
  var pendingPages: Int { get }
  mutating func begin() throws(StorageError)
  mutating func commit() throws(StorageError)
  mutating func rollback() throws(StorageError)
  mutating func checkpoint() throws(StorageError)
}

extension LogStore: TransactionalStore {}

/// A thread that owns a store and does its blocking work; callers hand it jobs and are called back.
///
/// Group commit: everything queued while one commit waits for the disk goes into the next, so the number of syncs
/// follows the speed of the disk and not the number of writers. Jobs run in the order of their arrival; a read sees
/// every write that was queued before it, durably committed.
///
/// What happens to a transaction that fails:
/// - a job that was refused (`.conflict`) fails alone; it has changed nothing;
/// - any other failure rolls everything of that transaction back, and each of its jobs gets the error;
/// - after an input/output or corruption error the store refuses all further work (`.closed`): after a failed fsync
///   the kernel may have dropped the written pages, so a later success would prove nothing.
final class StoreThread<Store: TransactionalStore & ~Copyable>: Sendable {
  /// What a job did, told after the commit: nil when it is durable.
  typealias Finish = @Sendable (StorageError?) -> Void

  enum Job: Sendable {
    /// Throws to refuse; returns what is to be called when the transaction has ended.
    case write(@Sendable (inout Store) throws(StorageError) -> Finish, refused: @Sendable (StorageError) -> Void)
    case read(@Sendable (inout Store) -> Void, refused: @Sendable (StorageError) -> Void)
    case stop(@Sendable () -> Void)
  }

  /// At this many pages (4 MB) the write-ahead log is copied into the database as soon as the queue is empty …
  static var idleCheckpointPages: Int { 1_000 }
  /// … and at this many (16 MB) in any case.
  static var forcedCheckpointPages: Int { 4_000 }

  private let mailbox: Mailbox<Job>
  /// The store's file.
  let path: String

  /// Starts the thread. `name` shows in ps and top; the kernel keeps 15 bytes of it.
  init(owning store: consuming Store, name: String) throws(StorageError) {
    let mailbox = Mailbox<Job>()
    self.mailbox = mailbox
    path = store.path
    let box = Box(store)
    do throws(SystemError) {
      // SQLite's own stack use is small but unbounded by contract: the C library's default.
      try DetachedThread.start(named: name, stackBytes: 0) {
        if let store = box.take() { serve(store, mailbox) }
      }
    } catch {
      throw .errno(error.errno.rawValue, "start the storage thread", path)
    }
  }

  /// Lets the thread finish what is queued and close the store.
  deinit { _ = mailbox.put(.stop {}) }

  private func submit(_ job: Job) {
    guard !mailbox.put(job) else { return }
    switch job {
    case .write(_, let refused), .read(_, let refused): refused(refusal(path: path, after: nil))
    case .stop(let done): done()
    }
  }

  /// Queues a change. `completion` runs on the storage thread, which waits for it: hand the result on, don't work there.
  func write<Value: Sendable>(
    _ body: @escaping @Sendable (inout Store) throws(StorageError) -> Value,
    completion: @escaping @Sendable (Result<Value, StorageError>) -> Void
  ) {
    submit(
      .write(
        { store throws(StorageError) in
          let value = try body(&store)
          return { error in completion(error.map { .failure($0) } ?? .success(value)) }
        }, refused: { completion(.failure($0)) }))
  }

  /// Queues a read; as `write`.
  func read<Value: Sendable>(
    _ body: @escaping @Sendable (inout Store) throws(StorageError) -> Value,
    completion: @escaping @Sendable (Result<Value, StorageError>) -> Void
  ) {
    submit(
      .read(
        { store in
          do throws(StorageError) { completion(.success(try body(&store))) } catch { completion(.failure(error)) }
        }, refused: { completion(.failure($0)) }))
  }

  /// `write` for a task: suspends until the change is durable.
  func write<Value: Sendable>(
    _ body: @escaping @Sendable (inout Store) throws(StorageError) -> Value
  ) async throws(StorageError) -> Value {
    let result: Result<Value, StorageError> = await withCheckedContinuation { continuation in
      write(body) { continuation.resume(returning: $0) }
    }
    return try result.get()
  }

  /// `read` for a task.
  func read<Value: Sendable>(
    _ body: @escaping @Sendable (inout Store) throws(StorageError) -> Value
  ) async throws(StorageError) -> Value {
    let result: Result<Value, StorageError> = await withCheckedContinuation { continuation in
      read(body) { continuation.resume(returning: $0) }
    }
    return try result.get()
  }

  /// Finishes what is queued, closes the store and ends the thread. Later jobs fail with `.closed`.
  func close() async {
    await withCheckedContinuation { continuation in
      submit(.stop { continuation.resume() })
    }
  }

  /// Hands the store to the thread once; a closure can't consume what it captured.
  private final class Box: Sendable {
    private let store: Mutex<Store?>
    init(_ store: consuming Store) { self.store = Mutex(store) }
    func take() -> Store? { store.withLock { $0.take() } }
  }
}

/// The thread's loop, until a stop job.
private func serve<Store: TransactionalStore & ~Copyable>(
  _ owned: consuming Store, _ mailbox: Mailbox<StoreThread<Store>.Job>
) {
  var store = consume owned
  let path = store.path
  var failure: StorageError?
  var stopped: [@Sendable () -> Void] = []
  while stopped.isEmpty {
    var jobs = mailbox.takeAll()[...]
    while let job = jobs.first {
      switch job {
      case .stop(let done):
        jobs.removeFirst()
        stopped.append(done)
      case .read(let body, let refused):
        jobs.removeFirst()
        if let failure { refused(refusal(path: path, after: failure)) } else { body(&store) }
      case .write:
        let count = jobs.prefix { if case .write = $0 { true } else { false } }.count
        let batch = jobs.prefix(count)
        jobs = jobs.dropFirst(count)
        if let failure {
          for case .write(_, let refused) in batch { refused(refusal(path: path, after: failure)) }
          continue
        }
        if let error = commit(batch, to: &store), error.reason == .inputOutput || error.reason == .corrupt {
          failure = error
        }
        let pages = store.pendingPages
        if pages >= StoreThread<Store>.forcedCheckpointPages
          || (pages >= StoreThread<Store>.idleCheckpointPages && mailbox.isEmpty)
        {
          // Nothing is lost when it fails: the log keeps what it has, and the next commit meets the same disk.
          try? store.checkpoint()
        }
      }
    }
  }
  end(store)
  for job in mailbox.close() {
    switch job {
    case .write(_, let refused), .read(_, let refused): refused(refusal(path: path, after: failure))
    case .stop(let done): stopped.append(done)
    }
  }
  for done in stopped { done() }
}

/// Closes a store: the last use of its owner.
private func end<Store: TransactionalStore & ~Copyable>(_ store: consuming Store) {}

private func refusal(path: String, after cause: StorageError?) -> StorageError {
  StorageError(
    .closed, "use the store", path, code: cause?.code ?? "",
    detail: cause.map { "it stopped after \($0.operation) failed" } ?? "it is closed",
    advice: cause?.advice ?? "start the agent again")
}

/// Runs write jobs as one transaction and tells each how it ended. Returns what failed the transaction, if anything.
private func commit<Store: TransactionalStore & ~Copyable>(
  _ batch: ArraySlice<StoreThread<Store>.Job>, to store: inout Store
) -> StorageError? {
  var finishes: [StoreThread<Store>.Finish] = []
  var refusals: [(@Sendable (StorageError) -> Void, StorageError)] = []
  var unfinished = batch
  do throws(StorageError) {
    try store.begin()
    while case .write(let body, let refused)? = unfinished.first {
      do throws(StorageError) {
        finishes.append(try body(&store))
      } catch {
        guard error.reason == .conflict else { throw error }
        refusals.append((refused, error))
      }
      unfinished.removeFirst()
    }
    try store.commit()
    for finish in finishes { finish(nil) }
    for (refused, error) in refusals { refused(error) }
    return nil
  } catch {
    var failure = error
    do throws(StorageError) { try store.rollback() } catch { failure = error }
    for finish in finishes { finish(error) }
    for (refused, error) in refusals { refused(error) }
    for case .write(_, let refused) in unfinished { refused(error) }
    return failure
  }
}

/// A queue from many threads to one.
final class Mailbox<Element: Sendable>: Sendable {
  private struct Queue {
    var elements: [Element] = []
    var isClosed = false
  }

  private let queue = Mutex(Queue())
  private let wakeUp = Semaphore()

  /// False when the queue is closed; the element is then not in it.
  func put(_ element: Element) -> Bool {
    let (accepted, wake) = queue.withLock { queue in
      guard !queue.isClosed else { return (false, false) }
      queue.elements.append(element)
      return (true, queue.elements.count == 1)
    }
    if wake { wakeUp.signal() }
    return accepted
  }

  /// Refuses further elements and returns those that nobody took.
  func close() -> [Element] {
    queue.withLock { queue in
      queue.isClosed = true
      let elements = queue.elements
      queue.elements = []
      return elements
    }
  }

  /// Waits until there is something and takes all of it.
  func takeAll() -> [Element] {
    while true {
      let taken = queue.withLock { queue in
        let elements = queue.elements
        queue.elements = []
        return elements
      }
      if !taken.isEmpty { return taken }
      wakeUp.wait()
    }
  }

  var isEmpty: Bool { queue.withLock { $0.elements.isEmpty } }
}
