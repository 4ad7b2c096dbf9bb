import Codec
import Glibc

/// The Raft log, the term and the vote, in one SQLite file.
///
/// A row per entry, keyed by its index, so appending is adding at the right edge of one B-tree. Each entry carries a
/// checksum over index, term, kind and bytes that every read verifies; a hole in the indexes is found on reading too.
/// What SQLite itself can't tell from a torn write is damage inside the write-ahead log's not yet copied part: it ends
/// the log there. A server then comes back with a shorter log, as after losing a disk, which its peers repair.
///
/// Every mutating call is its own transaction and on the disk when it returns, unless `begin` opened one around it.
/// Calls block on the disk: run them on a thread made for that (`LogWriter`).
public struct LogStore: ~Copyable, Sendable {
  private let connection: Connection
  private var insert: Statement
  private var select: Statement
  private var saveState: Statement
  private var inTransaction = false

  private var known: Known

  /// What the log's rows say, kept in memory.
  private struct Known {
    var hardState = HardState()
    var compacted = LogPosition.zero
    var last = LogPosition.zero
  }

  /// The position that the last compaction or installed snapshot reached: entries up to here are gone from the log.
  public var compacted: LogPosition { known.compacted }
  /// The last position; equals `compacted` when the log holds nothing else.
  public var last: LogPosition { known.last }
  /// Term and vote.
  public var hardState: HardState { known.hardState }

  /// The index of the first entry that can be read; `last.index + 1` when there is none.
  public var firstIndex: UInt64 { compacted.index + 1 }
  /// The database file.
  public var path: String { connection.path }

  /// Opens or creates the log.
  /// - Parameters:
  ///   - path: the database file; its directory must exist.
  ///   - preallocateBytes: the size to which the write-ahead log is filled with zeros when it does not exist yet, so
  ///     that commits overwrite a file instead of growing it (that nearly halves an fdatasync). 0 for none.
  /// - Throws: `.corrupt`, `.foreign`, `.inUse`, `.inaccessible`, `.full`.
  public init(opening path: String, preallocateBytes: Int = 4 << 20) throws(StorageError) {
    let connection = try Connection.open(path, mode: .readWriteCreate, identity: .log)
    try preallocateWriteAheadLog(of: path, bytes: preallocateBytes)
    let insert = try connection.prepare(
      "INSERT INTO entries(position, term, kind, checksum, bytes) VALUES(?1, ?2, ?3, ?4, ?5)")
    var select = try connection.prepare(selectEntries)
    let saveState = try connection.prepare("INSERT OR REPLACE INTO state(name, checksum, bytes) VALUES(?1, ?2, ?3)")
    let known = try Self.load(connection, &select)
    self.connection = connection
    self.insert = insert
    self.select = select
    self.saveState = saveState
    self.known = known
  }

  private static func load(
    _ connection: borrowing Connection, _ select: inout Statement
  ) throws(StorageError) -> Known {
    let path = connection.path
    var known = Known()
    if let bytes = try state("hard state", connection) {
      guard let decoded = HardState(decoding: bytes) else { throw .corrupt("read term and vote", path, "malformed") }
      known.hardState = decoded
    }
    if let bytes = try state("compacted", connection) {
      guard bytes.count == 16 else { throw .corrupt("read the log's beginning", path, "malformed") }
      known.compacted = LogPosition(index: unsigned(bytes, at: 0), term: unsigned(bytes, at: 8))
    }
    known.last = known.compacted
    let first = known.compacted.index + 1
    guard let minimum = try connection.integer("SELECT min(position) FROM entries"),
      let maximum = try connection.integer("SELECT max(position) FROM entries")
    else { return known }
    guard UInt64(bitPattern: minimum) == first, maximum >= minimum else {
      throw .corrupt("open the log", path, "it begins at \(minimum), expected \(first)")
    }
    let end = try read(
      &select, from: UInt64(bitPattern: maximum), maximumCount: 1, maximumBytes: .max, path: path)
    guard let record = end.first else {
      throw .corrupt("open the log", path, "the last entry \(maximum) can't be read")
    }
    known.last = LogPosition(index: record.index, term: record.term)
    return known
  }

  private static func state(_ name: String, _ connection: borrowing Connection) throws(StorageError) -> [UInt8]? {
    var statement = try connection.prepare("SELECT checksum, bytes FROM state WHERE name = ?1")
    statement.bind(1, name)
    guard try statement.step() else { return nil }
    let (checksum, bytes) = (statement.unsigned(0), statement.bytes(1))
    guard XXHash64.hash(bytes) == checksum else {
      throw .corrupt("read \(name)", connection.path, "wrong checksum")
    }
    return bytes
  }

  private mutating func saveRow(_ name: String, _ bytes: [UInt8]) throws(StorageError) {
    saveState.bind(1, name)
    saveState.bind(2, XXHash64.hash(bytes))
    saveState.bind(3, bytes)
    try saveState.run()
  }

  /// A small value that belongs to the log, such as who the server is; nil when it was never saved.
  /// - Throws: `.corrupt` when its checksum is wrong.
  public func value(named name: String) throws(StorageError) -> [UInt8]? {
    try Self.state("value " + name, connection)
  }

  // MARK: Writing

  /// Saves a value for `value(named:)`.
  public mutating func save(_ bytes: [UInt8], named name: String) throws(StorageError) {
    try transaction("save \(name)") { store throws(StorageError) in try store.saveRow("value " + name, bytes) }
  }

  /// One change of the log in one transaction: entries that a new leader overrules go, new ones come, term and vote change.
  public mutating func write(
    truncateFrom: UInt64?, _ records: [LogRecord], _ hardState: HardState?
  ) throws(StorageError) {
    try transaction("write the log") { store throws(StorageError) in
      if let truncateFrom { try store.truncateSuffix(from: truncateFrom) }
      try store.append(records)
      if let hardState { try store.save(hardState) }
    }
  }

  /// Adds entries at the end; all of them or none.
  ///
  /// Throws `.conflict`, without touching the disk, when they don't continue the log without a gap or go back in term.
  public mutating func append(_ records: [LogRecord]) throws(StorageError) {
    guard !records.isEmpty else { return }
    try checkContinuation(records)
    try transaction("append log entries") { store throws(StorageError) in
      for record in records {
        store.insert.bind(1, record.index)
        store.insert.bind(2, record.term)
        store.insert.bind(3, Int64(record.kind))
        store.insert.bind(4, record.checksum)
        store.insert.bind(5, record.bytes)
        try store.insert.run()
        store.known.last = LogPosition(index: record.index, term: record.term)
      }
    }
  }

  private func checkContinuation(_ records: [LogRecord]) throws(StorageError) {
    var previous = last
    for record in records {
      guard record.index == previous.index + 1, record.term >= previous.term, record.index <= UInt64(Int64.max) else {
        throw StorageError(
          .conflict, "append log entries", path,
          detail: "entry \(record.index) of term \(record.term) after \(previous.index) of term \(previous.term)",
          advice: "report this as a bug of serai")
      }
      previous = LogPosition(index: record.index, term: record.term)
    }
  }

  /// Remembers term and vote. Must have returned before a vote or anything of that term is sent.
  public mutating func save(_ state: HardState) throws(StorageError) {
    try transaction("save term and vote") { store throws(StorageError) in
      try store.saveRow("hard state", state.encoded)
      store.known.hardState = state
    }
  }

  /// Removes the entries from `index` on: those that a new leader overrules.
  public mutating func truncateSuffix(from index: UInt64) throws(StorageError) {
    guard index <= last.index else { return }
    guard index >= firstIndex else {
      throw StorageError(
        .conflict, "truncate the log", path, detail: "\(index) is at or before the compacted \(compacted.index)",
        advice: "report this as a bug of serai")
    }
    let kept = index == firstIndex ? compacted : try position(at: index - 1)
    try transaction("truncate the log") { store throws(StorageError) in
      try store.connection.execute("DELETE FROM entries WHERE position >= \(index)")
      store.known.last = kept
    }
  }

  /// Removes the entries up to and including `index`, which a stored snapshot has made unnecessary. An index beyond
  /// the end is a conflict: that is what `install` is for.
  public mutating func compact(through index: UInt64) throws(StorageError) {
    guard index > compacted.index else { return }
    let position = try position(at: index)
    try transaction("compact the log") { store throws(StorageError) in
      try store.connection.execute("DELETE FROM entries WHERE position <= \(index)")
      try store.saveRow("compacted", littleEndian(position.index) + littleEndian(position.term))
      store.known.compacted = position
    }
  }

  /// Replaces the whole log by a snapshot that was received: the log is then empty and goes on after `position`.
  public mutating func install(_ position: LogPosition) throws(StorageError) {
    try transaction("replace the log by a snapshot") { store throws(StorageError) in
      try store.connection.execute("DELETE FROM entries")
      try store.saveRow("compacted", littleEndian(position.index) + littleEndian(position.term))
      store.known.compacted = position
      store.known.last = position
    }
  }

  // MARK: Reading

  /// Entries from `index` on, in order: at most `maximumCount`, and no more than fit in `maximumBytes` of payload, but
  /// always one if there is one. Throws `.conflict` for an index that was compacted, `.corrupt` for what is damaged.
  public mutating func entries(
    from index: UInt64, maximumCount: Int = .max, maximumBytes: Int = .max
  ) throws(StorageError) -> [LogRecord] {
    guard index >= firstIndex else {
      throw StorageError(
        .conflict, "read log entries", path, detail: "\(index) was compacted, the first is \(firstIndex)",
        advice: "send a snapshot instead")
    }
    return try read(&select, from: index, maximumCount: maximumCount, maximumBytes: maximumBytes, path: path)
  }

  /// The position of an entry that is in the log, or of the compacted end.
  public mutating func position(at index: UInt64) throws(StorageError) -> LogPosition {
    if index == compacted.index { return compacted }
    if index == last.index { return last }
    guard index <= last.index, let record = try entries(from: index, maximumCount: 1).first, record.index == index
    else {
      throw StorageError(
        .conflict, "read log entries", path, detail: "no entry \(index), the last is \(last.index)",
        advice: "report this as a bug of serai")
    }
    return LogPosition(index: record.index, term: record.term)
  }

  /// A connection of its own for reading, so that a follower which catches up does not wait behind the disk syncs.
  public func makeReader() throws(StorageError) -> LogReader {
    try LogReader(opening: path)
  }

  // MARK: Transactions

  /// Opens a transaction around the following calls, until `commit` or `rollback`.
  public mutating func begin() throws(StorageError) {
    try connection.execute("BEGIN IMMEDIATE")
    inTransaction = true
  }

  /// Makes everything since `begin` durable. When it throws, nothing of it is kept and `rollback` must be called.
  public mutating func commit() throws(StorageError) {
    try connection.execute("COMMIT")
    inTransaction = false
  }

  /// Drops everything since `begin`.
  public mutating func rollback() throws(StorageError) {
    inTransaction = false
    // SQLite has rolled back by itself after some errors (full disk, I/O); then there is nothing left to do.
    try? connection.execute("ROLLBACK")
    known = try Self.load(connection, &select)
  }

  private mutating func transaction(
    _ operation: String, _ body: (inout LogStore) throws(StorageError) -> Void
  ) throws(StorageError) {
    if inTransaction {
      do throws(StorageError) { try body(&self) } catch { throw error.during(operation) }
      return
    }
    try begin()
    do {
      try body(&self)
      try commit()
    } catch {
      try rollback()
      throw error.during(operation)
    }
  }

  /// Pages of the write-ahead log that wait to be copied into the database.
  var pendingPages: Int { connection.walPages }

  /// Copies the write-ahead log into the database. `LogWriter` does it when it is idle.
  public mutating func checkpoint() throws(StorageError) { try connection.checkpoint() }
}

private let selectEntries =
  "SELECT position, term, kind, checksum, bytes FROM entries WHERE position >= ?1 ORDER BY position"

/// Reads the log over a connection of its own, beside the `LogStore` that writes it.
public struct LogReader: ~Copyable, Sendable {
  private let connection: Connection
  private var select: Statement

  init(opening path: String) throws(StorageError) {
    let connection = try Connection.open(path, mode: .readOnly, identity: .log)
    let select = try connection.prepare(selectEntries)
    self.connection = connection
    self.select = select
  }

  /// As `LogStore.entries`, but a compacted or missing index gives no entries: the caller compares the first index
  /// with what it asked for. Sees what was committed when the call began.
  public mutating func entries(
    from index: UInt64, maximumCount: Int = .max, maximumBytes: Int = .max
  ) throws(StorageError) -> [LogRecord] {
    let records = try read(
      &select, from: index, maximumCount: maximumCount, maximumBytes: maximumBytes, path: connection.path,
      mayBeCompacted: true)
    return records.first?.index == index ? records : []
  }
}

private func read(
  _ select: inout Statement, from index: UInt64, maximumCount: Int, maximumBytes: Int, path: String,
  mayBeCompacted: Bool = false
) throws(StorageError) -> [LogRecord] {
  var records: [LogRecord] = []
  var total = 0
  select.bind(1, index)
  while records.count < maximumCount, try select.step() {
    total += select.byteCount(4)
    if !records.isEmpty, total > maximumBytes { break }
    let record = LogRecord(
      index: select.unsigned(0), term: select.unsigned(1), kind: UInt8(truncatingIfNeeded: select.integer(2)),
      bytes: select.bytes(4))
    let (checksum, expected) = (select.unsigned(3), index + UInt64(records.count))
    guard record.checksum == checksum else {
      select.reset()
      throw .corrupt("read log entries", path, "entry \(record.index) has the wrong checksum")
    }
    guard record.index == expected || (records.isEmpty && mayBeCompacted) else {
      select.reset()
      throw .corrupt("read log entries", path, "entry \(expected) is missing")
    }
    records.append(record)
    if records.count == 1, record.index != index { break }
  }
  select.reset()
  return records
}

/// Fills the write-ahead log up with zeros. SQLite takes no notice of what lies behind the last valid frame: in use it
/// goes by its shared index, and recovery stops at a frame whose salt does not match.
///
/// `fallocate` would not do: its extents are unwritten, and turning them into written ones is the metadata update that
/// this avoids. Only after opening: SQLite deletes the log of an empty database.
func preallocateWriteAheadLog(of path: String, bytes: Int) throws(StorageError) {
  guard bytes > 0 else { return }
  let file = try Files.Descriptor(opening: path + "-wal", flags: O_WRONLY | O_APPEND)
  var missing = bytes - (try file.size())
  guard missing > 0 else { return }
  while missing > 0 {
    let count = min(missing, 64 * 1024)
    try file.write([UInt8](repeating: 0, count: count))
    missing -= count
  }
  try file.sync()
}
