import CSQLite

/// An open SQLite database; the only owner of its handle, so it is closed exactly once.
///
/// Every store of this module is a WAL database with `synchronous=FULL`: a COMMIT that returned is on the disk
/// (sqlite.org/pragma.html#pragma_synchronous), which is what law 7 of the design asks.
///
/// Sendable though it holds a C pointer: the handle never leaves this value, the value can't be copied, and SQLite in
/// its multi-thread mode (SQLITE_OPEN_NOMUTEX) allows any thread to use a connection as long as only one does at a
/// time, which exclusive ownership guarantees.
struct Connection: ~Copyable, @unchecked Sendable {
  enum Mode { case readWriteCreate, readOnly }

  private let handle: OpaquePointer
  let path: String
  /// Pages in the write-ahead log after the last commit; SQLite's hook writes it, `walPages` reads it.
  private let walPageCount: UnsafeMutablePointer<Int32>

  private init(owning handle: OpaquePointer, path: String) {
    self.handle = handle
    self.path = path
    walPageCount = .allocate(capacity: 1)
    walPageCount.initialize(to: 0)
  }

  static func open(_ path: String, mode: Mode, identity: Identity) throws(StorageError) -> Connection {
    var opened: OpaquePointer?
    let access = mode == .readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    let code = sqlite3_open_v2(path, &opened, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
    guard code == SQLITE_OK, let opened else {
      let detail = opened.map { String(cString: sqlite3_errmsg($0)) } ?? ""
      if let opened { sqlite3_close_v2(opened) }
      throw .sqlite(code, "open database", path, detail: detail)
    }
    let connection = Connection(owning: opened, path: path)
    // A reader may meet a checkpoint that holds a lock for a moment.
    sqlite3_busy_timeout(opened, 5_000)
    if mode == .readWriteCreate {
      try connection.configureForWriting()
    } else {
      try connection.execute("PRAGMA query_only=ON")
    }
    try identity.checkOrStamp(connection, create: mode == .readWriteCreate)
    return connection
  }

  deinit {
    sqlite3_close_v2(handle)
    walPageCount.deallocate()
  }

  private borrowing func configureForWriting() throws(StorageError) {
    guard try text("PRAGMA journal_mode=WAL") == "wal" else {
      throw StorageError(
        .inaccessible, "switch to write-ahead logging", path,
        advice: "put data_dir on a local file system that supports shared memory mappings, not on a network file system"
      )
    }
    try execute("PRAGMA synchronous=FULL")
    // Debian compiles SQLITE_SECURE_DELETE in: without this, compaction would write zeros over all it drops.
    try execute("PRAGMA secure_delete=OFF")
    try execute("PRAGMA cell_size_check=ON")
    // The owner of the connection checkpoints after it has told its callers, not inside their COMMIT.
    try execute("PRAGMA wal_autocheckpoint=0")
    // A WAL that keeps its size is overwritten in place, so a commit's fdatasync has no file size to write; after a
    // burst it is cut back to this.
    try execute("PRAGMA journal_size_limit=67108864")
    var persist: Int32 = 1
    sqlite3_file_control(handle, "main", SQLITE_FCNTL_PERSIST_WAL, &persist)
    var chunk: Int32 = 1 << 20
    sqlite3_file_control(handle, "main", SQLITE_FCNTL_CHUNK_SIZE, &chunk)
    sqlite3_wal_hook(
      handle,
      { context, _, _, pages in
        context?.assumingMemoryBound(to: Int32.self).pointee = pages
        return SQLITE_OK
      }, walPageCount)
  }

  /// Pages that a checkpoint would have to copy into the database.
  var walPages: Int { Int(walPageCount.pointee) }

  /// Copies the write-ahead log into the database without waiting for readers; the log is then overwritten from its
  /// start. A failure loses nothing, as the log stays, so the next checkpoint tries again.
  borrowing func checkpoint() throws(StorageError) {
    let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
    guard code == SQLITE_OK || code & 0xff == SQLITE_BUSY else { throw failure(code, "checkpoint") }
    walPageCount.pointee = 0
  }

  /// Runs one or more statements that return nothing of interest.
  borrowing func execute(_ sql: String) throws(StorageError) {
    let code = sqlite3_exec(handle, sql, nil, nil, nil)
    guard code == SQLITE_OK else { throw failure(code, sql) }
  }

  /// Compiles a statement that is used many times. It must not outlive the connection's owner; SQLite keeps the
  /// connection open until the last statement is finalised, so an early end is no use of freed memory.
  borrowing func prepare(_ sql: String) throws(StorageError) -> Statement {
    var compiled: OpaquePointer?
    let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &compiled, nil)
    guard code == SQLITE_OK, let compiled else { throw failure(code, sql) }
    return Statement(owning: compiled, path: path)
  }

  /// The first column of the first row as text; nil if there is no row.
  borrowing func text(_ sql: String) throws(StorageError) -> String? {
    var statement = try prepare(sql)
    return try statement.step() ? statement.text(0) : nil
  }

  /// The first column of the first row as an integer; nil if there is no row or it is NULL.
  borrowing func integer(_ sql: String) throws(StorageError) -> Int64? {
    var statement = try prepare(sql)
    return try statement.step() ? statement.optionalInteger(0) : nil
  }

  /// Rows that the last statement inserted, changed or deleted.
  var changes: Int { Int(sqlite3_changes64(handle)) }

  private borrowing func failure(_ code: Int32, _ operation: String) -> StorageError {
    .sqlite(code, operation, path, detail: String(cString: sqlite3_errmsg(handle)))
  }
}

/// What makes a database file ours: SQLite's application id and the schema version in `user_version`.
struct Identity {
  /// Distinguishes the kinds of files; four ASCII letters, as the file(1) utility shows them.
  let applicationID: Int32
  /// Raised whenever a reader of the old schema would misread the new one.
  let schemaVersion: Int64
  let schema: String

  static let log = Identity(
    applicationID: 0x5352_4C47,  // "SRLG"
    schemaVersion: 1,
    schema: """
      CREATE TABLE entries(
        position INTEGER PRIMARY KEY, term INTEGER NOT NULL, kind INTEGER NOT NULL,
        checksum INTEGER NOT NULL, bytes BLOB NOT NULL);
      CREATE TABLE state(name TEXT PRIMARY KEY, checksum INTEGER NOT NULL, bytes BLOB NOT NULL) WITHOUT ROWID;
      """)

  static let client = Identity(
    applicationID: 0x5352_434C,  // "SRCL"
    schemaVersion: 1,
    schema: """
      CREATE TABLE records(
        bucket TEXT NOT NULL, key TEXT NOT NULL, checksum INTEGER NOT NULL, bytes BLOB NOT NULL,
        PRIMARY KEY(bucket, key)) WITHOUT ROWID;
      """)

  func checkOrStamp(_ connection: borrowing Connection, create: Bool) throws(StorageError) {
    let found = try connection.integer("PRAGMA application_id") ?? 0
    let version = try connection.integer("PRAGMA user_version") ?? 0
    if found == 0, version == 0, create, try connection.integer("SELECT count(*) FROM sqlite_master") == 0 {
      try connection.execute(
        "BEGIN IMMEDIATE; \(schema) PRAGMA application_id=\(applicationID); PRAGMA user_version=\(schemaVersion); COMMIT"
      )
      return
    }
    guard found == Int64(applicationID) else {
      throw StorageError(
        .foreign, "open database", connection.path, detail: "application id \(found), expected \(applicationID)",
        advice: "the file belongs to another program: point data_dir at an empty directory")
    }
    guard version == schemaVersion else {
      throw StorageError(
        .foreign, "open database", connection.path,
        detail: "schema version \(version), this serai knows \(schemaVersion)",
        advice: "start the version of serai that wrote it, or point data_dir at an empty directory")
    }
  }
}
