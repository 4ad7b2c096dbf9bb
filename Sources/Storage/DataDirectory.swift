import Glibc

/// The agent's data directory, owned by this process as long as the value lives.
///
/// Two agents on one directory would overwrite each other's log, and an agent on a directory of a version that it does
/// not know would misread it. Both are refused here, before anything is touched:
/// - `agent.lock` is held with `flock(2)` and names the owner's pid. The kernel drops the lock however the owner ends,
///   so a stale file never needs cleaning up.
/// - `version` names the layout of the directory.
public struct DataDirectory: ~Copyable, Sendable {
  /// The layout that this version reads and writes. Raised when an older agent would misread what is inside.
  public static let layoutVersion = 1

  /// The directory, as given.
  public let path: String
  private let lock: Files.Descriptor

  /// The server's Raft log: log, term and vote.
  public var logPath: String { path + "/server/raft.db" }
  /// What only the server keeps: its identity, its gossip.
  public var serverPath: String { path + "/server" }
  /// The folder of the server's snapshots.
  public var snapshotsPath: String { path + "/server/snapshots" }
  /// The client's state.
  public var clientStatePath: String { path + "/client/state.db" }
  /// The allocation directories.
  public var allocationsPath: String { path + "/alloc" }

  /// Creates the directory where needed (its parent must exist) and takes it.
  ///
  /// Throws `.inUse` when another agent has it, `.foreign` when another program or version does, `.full` and
  /// `.inaccessible` for what they say. Nothing is changed in a directory that is refused, but for the lock file.
  public init(owning path: String) throws(StorageError) {
    try Files.makeDirectory(path)
    let lock = try Files.Descriptor(opening: path + "/agent.lock", flags: O_RDWR | O_CREAT)
    guard flock(lock.number, LOCK_EX | LOCK_NB) == 0 else {
      let number = errno
      guard number == EWOULDBLOCK else { throw .errno(number, "lock", lock.path) }
      let owner = String(decoding: try lock.read(32), as: UTF8.self).prefix { $0.isNumber }
      throw StorageError(
        .inUse, "take the data directory", path, code: "EWOULDBLOCK",
        detail: owner.isEmpty ? "another agent has it" : "the agent with pid \(owner) has it",
        advice: "stop that agent, or give this one a data_dir of its own")
    }
    try Self.checkVersion(of: path)
    guard ftruncate(lock.number, 0) == 0 else { throw .errno(errno, "write", lock.path) }
    try lock.write(Array("\(getpid())\n".utf8))
    for folder in ["server", "server/snapshots", "client", "alloc"] {
      try Files.makeDirectory(path + "/" + folder)
    }
    self.path = path
    self.lock = lock
  }

  private static func checkVersion(of path: String) throws(StorageError) {
    let marker = path + "/version"
    guard let bytes = try Files.contents(of: marker, limit: 4096) else {
      // Without a marker the directory must be unused: these are the names under which agents of this kind keep data.
      if let found = try Files.names(in: path).first(where: { ["server", "client", "alloc"].contains($0) }) {
        throw StorageError(
          .foreign, "take the data directory", path, detail: "it holds \(found) but no version file of serai",
          advice: "it belongs to another program: point data_dir at an empty directory")
      }
      return try Files.replace(marker, with: Array("serai data directory\nlayout \(layoutVersion)\n".utf8))
    }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard lines.count >= 2, lines[0] == "serai data directory", lines[1].hasPrefix("layout "),
      let layout = Int(lines[1].dropFirst(7))
    else {
      throw StorageError(
        .foreign, "take the data directory", path, detail: "its version file is not one of serai",
        advice: "point data_dir at an empty directory, or restore \(marker)")
    }
    guard layout == layoutVersion else {
      throw StorageError(
        .foreign, "take the data directory", path,
        detail: "its layout is \(layout), this serai knows \(layoutVersion)",
        advice: layout > layoutVersion
          ? "a newer serai wrote it: start that version, or point data_dir at an empty directory"
          : "an older serai wrote it and this one has no migration: start that version, or use an empty directory")
    }
  }
}
