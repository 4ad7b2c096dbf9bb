import CSQLite

/// A compiled SQL statement, finalised when its owner ends.
///
/// Sendable for the reason that `Connection` is: one owner, one thread at a time.
struct Statement: ~Copyable, @unchecked Sendable {
  private let handle: OpaquePointer
  private let path: String

  init(owning handle: OpaquePointer, path: String) {
    self.handle = handle
    self.path = path
  }

  deinit { sqlite3_finalize(handle) }

  // Binding can only fail for a wrong parameter number or when memory ends; both are told by `step`, which then runs
  // with NULL and meets the tables' NOT NULL.

  /// Parameter numbers begin at 1.
  mutating func bind(_ parameter: Int32, _ value: Int64) {
    sqlite3_bind_int64(handle, parameter, value)
  }

  mutating func bind(_ parameter: Int32, _ value: UInt64) {
    bind(parameter, Int64(bitPattern: value))
  }

  mutating func bind(_ parameter: Int32, _ value: String) {
    var value = value
    value.withUTF8 { utf8 in
      utf8.withMemoryRebound(to: CChar.self) { chars in
        if let base = chars.baseAddress {
          _ = sqlite3_bind_text(handle, parameter, base, Int32(clamping: chars.count), copied)
        } else {
          _ = sqlite3_bind_text(handle, parameter, "", 0, copied)
        }
      }
    }
  }

  mutating func bind(_ parameter: Int32, _ value: [UInt8]) {
    value.withUnsafeBytes { bytes in
      if let base = bytes.baseAddress, !bytes.isEmpty {
        _ = sqlite3_bind_blob64(handle, parameter, base, UInt64(bytes.count), copied)
      } else {
        _ = sqlite3_bind_zeroblob(handle, parameter, 0)
      }
    }
  }

  /// Advances to the next row: true if there is one. At the end the statement is reset and can be bound anew.
  mutating func step() throws(StorageError) -> Bool {
    switch sqlite3_step(handle) {
    case SQLITE_ROW:
      return true
    case SQLITE_DONE:
      sqlite3_reset(handle)
      return false
    case let code:
      let detail = sqlite3_db_handle(handle).map { String(cString: sqlite3_errmsg($0)) } ?? ""
      let sql = sqlite3_sql(handle).map { String(cString: $0) } ?? "statement"
      sqlite3_reset(handle)
      throw .sqlite(code, sql, path, detail: detail)
    }
  }

  /// Runs a statement that returns no rows.
  mutating func run() throws(StorageError) {
    while try step() {}
  }

  /// Ends a read before its last row, which lets go of the read snapshot.
  mutating func reset() {
    sqlite3_reset(handle)
  }

  func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

  func optionalInteger(_ column: Int32) -> Int64? {
    sqlite3_column_type(handle, column) == SQLITE_NULL ? nil : integer(column)
  }

  func unsigned(_ column: Int32) -> UInt64 { UInt64(bitPattern: integer(column)) }

  func text(_ column: Int32) -> String {
    guard let start = sqlite3_column_text(handle, column) else { return "" }
    let count = Int(sqlite3_column_bytes(handle, column))
    return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  func byteCount(_ column: Int32) -> Int { Int(sqlite3_column_bytes(handle, column)) }

  func bytes(_ column: Int32) -> [UInt8] {
    guard let start = sqlite3_column_blob(handle, column) else { return [] }
    return [UInt8](UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
  }
}

/// SQLITE_TRANSIENT: SQLite copies the value before the call returns. The C macro is a cast that Swift does not import.
private let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
