import CSQLite
import Glibc

/// Why something could not be stored or read, on which file, and what to do about it.
public struct StorageError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What went wrong, for callers that act on it. A struct, so that a new reason breaks nobody's `switch`.
  public struct Reason: Hashable, Sendable, CustomStringConvertible {
    /// The reason's name as it appears in logs.
    public let description: String

    /// No space is left; nothing of the failed operation was kept, and it may be tried again.
    public static let full = Reason(description: "full")
    /// Permission, read-only file system, or a path that can't be opened.
    public static let inaccessible = Reason(description: "inaccessible")
    /// What was read is not what was written.
    public static let corrupt = Reason(description: "corrupt")
    /// Somebody else holds the file or the directory.
    public static let inUse = Reason(description: "in use")
    /// The files belong to another program or to a version that this one does not know.
    public static let foreign = Reason(description: "foreign")
    /// The request contradicts what is stored, e.g. log entries that leave a gap.
    public static let conflict = Reason(description: "conflict")
    /// The disk or file system failed; what the kernel still holds of the file can't be trusted.
    public static let inputOutput = Reason(description: "input/output")
    /// The store was closed, or refuses work after an input/output failure.
    public static let closed = Reason(description: "closed")
    /// A mistake in this program.
    public static let misuse = Reason(description: "misuse")
  }

  /// What went wrong.
  public let reason: Reason
  /// What was being done, e.g. "append log entries".
  public let operation: String
  /// The file or directory it was done on.
  public let path: String
  /// The name of the SQLite result code or errno, e.g. `SQLITE_FULL`, `ENOSPC`; empty where there is none.
  public let code: String
  /// What SQLite or this module has to say beyond the code; may be empty.
  public let detail: String
  /// What the operator can do.
  public let advice: String

  init(_ reason: Reason, _ operation: String, _ path: String, code: String = "", detail: String = "", advice: String) {
    self.reason = reason
    self.operation = operation
    self.path = path
    self.code = code
    self.detail = detail
    self.advice = advice
  }

  /// One line: operation, file, code, detail, advice.
  public var description: String {
    var text = "\(operation) on \(path) failed"
    if !code.isEmpty { text += ": \(code)" }
    if !detail.isEmpty { text += " (\(detail))" }
    return advice.isEmpty ? text : text + "; \(advice)"
  }

  /// The same failure, told as part of a larger operation.
  func during(_ outer: String) -> StorageError {
    StorageError(reason, outer, path, code: code, detail: detail, advice: advice)
  }

  /// From a SQLite extended result code (sqlite.org/rescode.html).
  static func sqlite(_ code: Int32, _ operation: String, _ path: String, detail: String) -> StorageError {
    let (reason, advice) = meaning(ofSQLite: code)
    return StorageError(reason, operation, path, code: sqliteName(code), detail: detail, advice: advice(path))
  }

  /// From errno.
  static func errno(_ number: Int32, _ operation: String, _ path: String) -> StorageError {
    let (reason, advice): (Reason, String) =
      switch number {
      case ENOSPC, EDQUOT: (.full, Advice.full(path))
      case EACCES, EPERM, EROFS, ENOENT, ENOTDIR, ELOOP, EISDIR: (.inaccessible, Advice.inaccessible(path))
      case EMFILE, ENFILE: (.inaccessible, "raise the limit on open files (RLIMIT_NOFILE, fs.file-max)")
      default: (.inputOutput, Advice.inputOutput(path))
      }
    return StorageError(reason, operation, path, code: errnoName(number), detail: errnoText(number), advice: advice)
  }

  static func corrupt(_ operation: String, _ path: String, _ detail: String) -> StorageError {
    StorageError(.corrupt, operation, path, detail: detail, advice: Advice.corrupt(path))
  }
}

/// The sentences that tell the operator what to do.
enum Advice {
  static func full(_ path: String) -> String {
    "free space on the file system of \(path) or give data_dir a larger one; nothing already acknowledged is lost"
  }
  static func inaccessible(_ path: String) -> String {
    "check that \(path) and the directories above it exist, are writable for this user and not on a read-only mount"
  }
  static func corrupt(_ path: String) -> String {
    "stop the agent, check the disk (dmesg, smartctl), then restore \(path) from a backup; where other servers hold the "
      + "same data, move the directory away and let this one join them anew"
  }
  static func inputOutput(_ path: String) -> String {
    "check the disk under \(path) (dmesg, smartctl), then restart the agent: what is in memory can't be trusted to be on disk"
  }
}

private func meaning(ofSQLite code: Int32) -> (StorageError.Reason, (String) -> String) {
  // SQLITE_IOERR's extended codes say which call failed; only short reads and corrupt file systems mean bad data.
  switch code & 0xff {
  case SQLITE_FULL: (.full, Advice.full)
  case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT: (.corrupt, Advice.corrupt)
  case SQLITE_IOERR:
    switch code >> 8 {
    case 2, 33: (.corrupt, Advice.corrupt)  // IOERR_SHORT_READ, IOERR_CORRUPTFS
    default: (.inputOutput, Advice.inputOutput)
    }
  case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL:
    (.inUse, { "another process has \($0) open; find it with fuser \($0) and stop it" })
  case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_READONLY, SQLITE_AUTH, SQLITE_NOLFS: (.inaccessible, Advice.inaccessible)
  case SQLITE_NOMEM: (.inaccessible, { _ in "free memory or raise the agent's memory limit" })
  case SQLITE_TOOBIG: (.misuse, { _ in "a single value may hold 1,000,000,000 bytes at most" })
  default: (.misuse, { _ in "report this as a bug of serai" })
  }
}

/// The name of a primary result code with the extended part as a number, e.g. `SQLITE_IOERR/12`.
private func sqliteName(_ code: Int32) -> String {
  let names = [
    "SQLITE_OK", "SQLITE_ERROR", "SQLITE_INTERNAL", "SQLITE_PERM", "SQLITE_ABORT", "SQLITE_BUSY", "SQLITE_LOCKED",
    "SQLITE_NOMEM", "SQLITE_READONLY", "SQLITE_INTERRUPT", "SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTFOUND",
    "SQLITE_FULL", "SQLITE_CANTOPEN", "SQLITE_PROTOCOL", "SQLITE_EMPTY", "SQLITE_SCHEMA", "SQLITE_TOOBIG",
    "SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_MISUSE", "SQLITE_NOLFS", "SQLITE_AUTH", "SQLITE_FORMAT",
    "SQLITE_RANGE", "SQLITE_NOTADB",
  ]
  let primary = Int(code & 0xff)
  let name = names.indices.contains(primary) ? names[primary] : "SQLITE_\(primary)"
  return code > 0xff ? "\(name)/\(code >> 8)" : name
}

private func errnoName(_ number: Int32) -> String {
  switch number {
  case ENOSPC: "ENOSPC"
  case EDQUOT: "EDQUOT"
  case EACCES: "EACCES"
  case EPERM: "EPERM"
  case EROFS: "EROFS"
  case ENOENT: "ENOENT"
  case ENOTDIR: "ENOTDIR"
  case EISDIR: "EISDIR"
  case ELOOP: "ELOOP"
  case EEXIST: "EEXIST"
  case EIO: "EIO"
  case EMFILE: "EMFILE"
  case ENFILE: "ENFILE"
  case EINVAL: "EINVAL"
  case ENAMETOOLONG: "ENAMETOOLONG"
  case EWOULDBLOCK: "EWOULDBLOCK"
  default: "errno \(number)"
  }
}

/// glibc's strerror keeps its text per thread (since 2.32).
private func errnoText(_ number: Int32) -> String {
  strerror(number).map { String(cString: $0) } ?? ""
}
