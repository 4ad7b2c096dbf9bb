/// The Raft log behind a thread of its own, with group commit.
///
/// Calls return at once. Operations take effect in the order of the calls; whatever is queued while the disk syncs is
/// committed together. Completions run on the storage thread in that order and must only hand the result on.
///
/// After `.full` or `.conflict` the log is as it was before the failed operation and takes new ones; entries appended
/// after a failed append are then refused with `.conflict`, as they would leave a gap. After `.inputOutput` or
/// `.corrupt` everything is refused with `.closed` until the log is opened anew.
public final class LogWriter: Sendable {
  private let thread: StoreThread<LogStore>

  /// What the log contained when the writer took it.
  public struct Opening: Hashable, Sendable {
    /// Term and vote.
    public let hardState: HardState
    /// Where the log begins.
    public let compacted: LogPosition
    /// Where it ends.
    public let last: LogPosition
  }

  /// What was there at the start.
  public let opening: Opening

  /// Takes the log and starts the thread.
  public init(owning store: consuming LogStore) throws(StorageError) {
    opening = Opening(hardState: store.hardState, compacted: store.compacted, last: store.last)
    thread = try StoreThread(owning: store, name: "serai-log")
  }

  /// The database file.
  public var path: String { thread.path }

  /// Appends entries and, in the same transaction, saves term and vote if given.
  /// - Parameter completion: the last durable position of the log after this append, or why nothing was appended.
  public func append(
    _ records: [LogRecord], hardState: HardState? = nil,
    completion: @escaping @Sendable (Result<LogPosition, StorageError>) -> Void
  ) {
    thread.write(appending(records, hardState), completion: completion)
  }

  /// `append` for a task.
  @discardableResult
  public func append(_ records: [LogRecord], hardState: HardState? = nil) async throws(StorageError) -> LogPosition {
    try await thread.write(appending(records, hardState))
  }

  private func appending(
    _ records: [LogRecord], _ hardState: HardState?
  ) -> @Sendable (inout LogStore) throws(StorageError) -> LogPosition {
    { store throws(StorageError) in
      // The append can be refused as a conflict, which must come before anything is written.
      try store.append(records)
      if let hardState { try store.save(hardState) }
      return store.last
    }
  }

  /// `LogStore.write`: one change of the log, all of it or nothing.
  public func write(
    truncateFrom: UInt64?, _ records: [LogRecord], _ hardState: HardState?,
    completion: @escaping @Sendable (Result<Void, StorageError>) -> Void
  ) {
    thread.write(
      { store throws(StorageError) in try store.write(truncateFrom: truncateFrom, records, hardState) },
      completion: completion)
  }

  /// `LogStore.save(_:named:)`.
  public func save(
    _ bytes: [UInt8], named name: String, completion: @escaping @Sendable (Result<Void, StorageError>) -> Void
  ) {
    thread.write({ store throws(StorageError) in try store.save(bytes, named: name) }, completion: completion)
  }

  /// Replaces the log by a received snapshot, which must be stored already, and saves a value with it.
  public func install(
    _ position: LogPosition, saving bytes: [UInt8], named name: String,
    completion: @escaping @Sendable (Result<Void, StorageError>) -> Void
  ) {
    thread.write(
      { store throws(StorageError) in
        try store.install(position)
        try store.save(bytes, named: name)
      }, completion: completion)
  }

  /// Term and vote, and where the log begins and ends, as they are on disk now.
  public func current() async throws(StorageError) -> Opening {
    try await thread.read { store throws(StorageError) in
      Opening(hardState: store.hardState, compacted: store.compacted, last: store.last)
    }
  }

  /// Saves term and vote.
  public func save(
    _ hardState: HardState, completion: @escaping @Sendable (Result<Void, StorageError>) -> Void
  ) {
    thread.write({ store throws(StorageError) in try store.save(hardState) }, completion: completion)
  }

  /// Removes the entries from `index` on.
  public func truncateSuffix(
    from index: UInt64, completion: @escaping @Sendable (Result<LogPosition, StorageError>) -> Void
  ) {
    thread.write(
      { store throws(StorageError) in
        try store.truncateSuffix(from: index)
        return store.last
      }, completion: completion)
  }

  /// Removes the entries up to and including `index`; call it when a snapshot of them is stored.
  public func compact(
    through index: UInt64, completion: @escaping @Sendable (Result<LogPosition, StorageError>) -> Void
  ) {
    thread.write(
      { store throws(StorageError) in
        try store.compact(through: index)
        return store.compacted
      }, completion: completion)
  }

  /// Replaces the log by a received snapshot, which must be stored already.
  public func install(
    _ position: LogPosition, completion: @escaping @Sendable (Result<Void, StorageError>) -> Void
  ) {
    thread.write({ store throws(StorageError) in try store.install(position) }, completion: completion)
  }

  /// Reads entries; see `LogStore.entries`.
  public func entries(
    from index: UInt64, maximumCount: Int = .max, maximumBytes: Int = .max
  ) async throws(StorageError) -> [LogRecord] {
    try await thread.read { store throws(StorageError) in
      try store.entries(from: index, maximumCount: maximumCount, maximumBytes: maximumBytes)
    }
  }

  /// Reads entries; see `LogStore.entries`.
  public func entries(
    from index: UInt64, maximumCount: Int = .max, maximumBytes: Int = .max,
    completion: @escaping @Sendable (Result<[LogRecord], StorageError>) -> Void
  ) {
    thread.read(
      { store throws(StorageError) in
        try store.entries(from: index, maximumCount: maximumCount, maximumBytes: maximumBytes)
      }, completion: completion)
  }

  /// Finishes what is queued and closes the log. Later calls fail with `.closed`.
  public func close() async { await thread.close() }
}
