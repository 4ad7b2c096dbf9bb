import Codec

/// The kinds of records that a client agent keeps. A struct, so that a driver or hook can have a bucket of its own.
public struct Bucket: Hashable, Sendable, CustomStringConvertible {
  /// The bucket's name in the file.
  public let name: String

  /// A bucket of its own for a driver or a hook; the name must be unlike those below.
  public init(_ name: String) { self.name = name }

  /// Allocations as the servers sent them; key: allocation id.
  public static let allocations = Bucket("allocations")
  /// What the allocation runner remembers, e.g. its network; key: allocation id.
  public static let allocationState = Bucket("allocation-state")
  /// What a task runner needs to go on after a restart, e.g. finished hooks; key: `Bucket.taskKey`.
  public static let taskLocalState = Bucket("task-local")
  /// Task states with their events, as reported to the servers; key: `Bucket.taskKey`.
  public static let taskState = Bucket("task-state")
  /// Drivers' handles of running tasks; key: `Bucket.taskKey`.
  public static let driverHandles = Bucket("driver-handles")
  /// Facts about this node: id, secret; key: the fact's name.
  public static let node = Bucket("node")
  /// Metadata of the node that was set while it ran; key: that of the metadata.
  public static let nodeMetadata = Bucket("node-metadata")

  /// The key of a task's records: allocation id and task name, so that a prefix finds all tasks of an allocation.
  public static func taskKey(allocation: String, task: String) -> String { allocation + "/" + task }

  /// The name.
  public var description: String { name }
}

/// One change of a client's database.
public enum ClientChange: Hashable, Sendable {
  /// Writes a record, replacing an older one.
  case put(Bucket, key: String, [UInt8])
  /// Removes a record; none is fine.
  case delete(Bucket, key: String)
  /// Removes every record of the bucket whose key begins with `prefix`.
  case deleteAll(Bucket, prefix: String)
}

/// A record of a client's database.
public struct ClientRecord: Hashable, Sendable {
  /// The key within its bucket.
  public let key: String
  /// The value.
  public let bytes: [UInt8]
}

/// The client agent's state in one SQLite file: buckets of keys and checksummed values. Blocks on the disk; tasks use
/// `ClientStore`, which runs it on a thread.
public struct ClientDatabase: ~Copyable, Sendable {
  private let connection: Connection
  private var put: Statement
  private var delete: Statement
  private var deleteRange: Statement
  private var get: Statement
  private var list: Statement

  /// The database file.
  public var path: String { connection.path }

  /// Opens or creates the database; the directory of `path` must exist.
  public init(opening path: String) throws(StorageError) {
    let connection = try Connection.open(path, mode: .readWriteCreate, identity: .client)
    let put = try connection.prepare(
      "INSERT OR REPLACE INTO records(bucket, key, checksum, bytes) VALUES(?1, ?2, ?3, ?4)")
    let delete = try connection.prepare("DELETE FROM records WHERE bucket = ?1 AND key = ?2")
    // Keys compare as bytes, and no UTF-8 text holds 0xFF: this finds exactly the keys that begin with the prefix.
    let range = "bucket = ?1 AND key >= ?2 AND key < CAST(CAST(?2 AS BLOB) || x'ff' AS TEXT)"
    let deleteRange = try connection.prepare("DELETE FROM records WHERE \(range)")
    let get = try connection.prepare("SELECT checksum, bytes, key FROM records WHERE bucket = ?1 AND key = ?2")
    let list = try connection.prepare("SELECT checksum, bytes, key FROM records WHERE \(range) ORDER BY key")
    self.connection = connection
    self.put = put
    self.delete = delete
    self.deleteRange = deleteRange
    self.get = get
    self.list = list
  }

  /// Makes the changes in order, all or none, durable on return.
  public mutating func write(_ changes: [ClientChange]) throws(StorageError) {
    try begin()
    do {
      try apply(changes)
      try commit()
    } catch {
      try rollback()
      throw error.during("write client state")
    }
  }

  /// Makes the changes within a transaction of the caller.
  mutating func apply(_ changes: [ClientChange]) throws(StorageError) {
    for change in changes {
      switch change {
      case .put(let bucket, let key, let bytes):
        put.bind(1, bucket.name)
        put.bind(2, key)
        put.bind(3, Self.checksum(key, bytes))
        put.bind(4, bytes)
        try put.run()
      case .delete(let bucket, let key):
        delete.bind(1, bucket.name)
        delete.bind(2, key)
        try delete.run()
      case .deleteAll(let bucket, let prefix):
        deleteRange.bind(1, bucket.name)
        deleteRange.bind(2, prefix)
        try deleteRange.run()
      }
    }
  }

  /// The value of a key; nil if there is none.
  public mutating func value(_ bucket: Bucket, key: String) throws(StorageError) -> [UInt8]? {
    get.bind(1, bucket.name)
    get.bind(2, key)
    return try Self.records(&get, bucket, path).first?.bytes
  }

  /// The records of a bucket whose keys begin with `prefix`, in byte order of their keys.
  public mutating func records(_ bucket: Bucket, prefix: String = "") throws(StorageError) -> [ClientRecord] {
    list.bind(1, bucket.name)
    list.bind(2, prefix)
    return try Self.records(&list, bucket, path)
  }

  private static func records(
    _ statement: inout Statement, _ bucket: Bucket, _ path: String
  ) throws(StorageError) -> [ClientRecord] {
    var records: [ClientRecord] = []
    while try statement.step() {
      let record = ClientRecord(key: statement.text(2), bytes: statement.bytes(1))
      guard checksum(record.key, record.bytes) == statement.unsigned(0) else {
        statement.reset()
        throw .corrupt("read client state", path, "\(bucket)/\(record.key) has the wrong checksum")
      }
      records.append(record)
    }
    return records
  }

  private static func checksum(_ key: String, _ bytes: [UInt8]) -> UInt64 {
    XXHash64.hash(bytes, seed: XXHash64.hash(Array(key.utf8)))
  }
}

extension ClientDatabase: TransactionalStore {
  var pendingPages: Int { connection.walPages }
  mutating func begin() throws(StorageError) { try connection.execute("BEGIN IMMEDIATE") }
  mutating func commit() throws(StorageError) { try connection.execute("COMMIT") }
  mutating func rollback() throws(StorageError) {
    // SQLite has rolled back by itself after some errors (full disk, I/O); then there is nothing left to do.
    try? connection.execute("ROLLBACK")
  }
  mutating func checkpoint() throws(StorageError) { try connection.checkpoint() }
}

/// A client's database behind a thread of its own, with group commit: what many task runners write at once is one sync.
public final class ClientStore: Sendable {
  private let thread: StoreThread<ClientDatabase>

  /// Takes the database and starts the thread.
  public init(owning database: consuming ClientDatabase) throws(StorageError) {
    thread = try StoreThread(owning: database, name: "serai-client-db")
  }

  /// The database file.
  public var path: String { thread.path }

  /// Makes the changes in order, all or none; durable when it returns.
  public func write(_ changes: [ClientChange]) async throws(StorageError) {
    try await thread.write { database throws(StorageError) in try database.apply(changes) }
  }

  /// As `write`, calling back on the storage thread, which waits for it.
  public func write(
    _ changes: [ClientChange], completion: @escaping @Sendable (Result<Void, StorageError>) -> Void
  ) {
    thread.write({ database throws(StorageError) in try database.apply(changes) }, completion: completion)
  }

  /// Writes one record.
  public func put(_ bucket: Bucket, key: String, _ bytes: [UInt8]) async throws(StorageError) {
    try await write([.put(bucket, key: key, bytes)])
  }

  /// Removes one record; none is fine.
  public func delete(_ bucket: Bucket, key: String) async throws(StorageError) {
    try await write([.delete(bucket, key: key)])
  }

  /// The value of a key; nil if there is none. Sees every write that was called before.
  public func value(_ bucket: Bucket, key: String) async throws(StorageError) -> [UInt8]? {
    try await thread.read { database throws(StorageError) in try database.value(bucket, key: key) }
  }

  /// The records of a bucket whose keys begin with `prefix`, in byte order of their keys.
  public func records(_ bucket: Bucket, prefix: String = "") async throws(StorageError) -> [ClientRecord] {
    try await thread.read { database throws(StorageError) in try database.records(bucket, prefix: prefix) }
  }

  /// Removes everything about an allocation in one transaction.
  public func forget(allocation id: String) async throws(StorageError) {
    let tasks = id + "/"
    try await write([
      .delete(.allocations, key: id), .delete(.allocationState, key: id),
      .deleteAll(.taskLocalState, prefix: tasks), .deleteAll(.taskState, prefix: tasks),
      .deleteAll(.driverHandles, prefix: tasks),
    ])
  }

  /// Finishes what is queued and closes the database. Later calls fail with `.closed`.
  public func close() async { await thread.close() }
}
