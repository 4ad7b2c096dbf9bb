import Codec
import Glibc

/// A stored snapshot of the replicated state.
public struct SnapshotDescription: Hashable, Sendable {
  /// The last log entry that it contains.
  public let position: LogPosition
  /// The file.
  public let path: String

  /// A file that holds the state up to `position`.
  public init(position: LogPosition, path: String) {
    self.position = position
    self.path = path
  }
}

/// Snapshots as files in a folder of their own.
///
/// Files and not rows: a snapshot is written once, in one direction, and read whole. In the database its gigabytes would
/// pass the disk twice (write-ahead log, then database) and hold up the commits of the log behind them.
///
/// File: the header "SERAISNP", format version, index, term (eight little-endian bytes each); then chunks, each with
/// its length, its XXH64 and its bytes; then an end chunk of length 0 whose checksum covers the header and the chunks'
/// checksums, so a file that was cut between chunks is told from a whole one. A snapshot appears under its name only
/// when it is complete and synced. The newest two are kept, so one that turns out to be damaged has a predecessor.
public struct SnapshotStore: Sendable {
  static let magic: UInt64 = 0x504E_5349_4152_4553  // "SERAISNP" read as little-endian
  static let formatVersion: UInt64 = 1
  /// The version of the files' format.
  public static var format: UInt64 { formatVersion }
  /// Upper bound for a chunk: a damaged length must not make the reader allocate what is not there.
  public static let maximumChunkBytes = 64 << 20
  static let kept = 2

  /// The folder.
  public let folder: String

  /// Opens a folder, made if it isn't there, and removes what an interrupted writer left.
  public init(folder: String) throws(StorageError) {
    try Files.makeDirectory(folder)
    self.folder = folder
    for name in try Files.names(in: folder) where name.hasSuffix(".tmp") { try Files.remove(folder + "/" + name) }
  }

  /// Opens a folder that is only read from.
  public init(reading folder: String) { self.folder = folder }

  /// The place that a file's first 32 bytes name; nil when they are no snapshot's.
  public static func position(inHeader bytes: [UInt8]) -> LogPosition? {
    guard bytes.count >= 32, unsigned(bytes, at: 0) == magic else { return nil }
    return LogPosition(index: unsigned(bytes, at: 16), term: unsigned(bytes, at: 24))
  }

  /// The stored snapshots, newest first. The newest that reads without an error is the one to start from.
  public func list() throws(StorageError) -> [SnapshotDescription] {
    try Files.names(in: folder).compactMap { name in
      guard name.hasPrefix("snapshot-"), !name.hasSuffix(".tmp") else { return nil }
      let parts = name.dropFirst(9).split(separator: "-")
      guard parts.count == 2, let index = UInt64(parts[0], radix: 16), let term = UInt64(parts[1], radix: 16) else {
        return nil
      }
      return SnapshotDescription(position: LogPosition(index: index, term: term), path: folder + "/" + name)
    }.sorted { ($0.position.index, $0.position.term) > ($1.position.index, $1.position.term) }
  }

  /// Begins a snapshot that contains the log up to `position`.
  public func makeWriter(at position: LogPosition) throws(StorageError) -> SnapshotWriter {
    try SnapshotWriter(store: self, position: position)
  }

  /// Opens a stored snapshot for reading.
  public func makeReader(of snapshot: SnapshotDescription) throws(StorageError) -> SnapshotReader {
    try SnapshotReader(snapshot)
  }

  func path(of position: LogPosition) -> String {
    func hex(_ value: UInt64) -> String {
      let digits = String(value, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }
    return "\(folder)/snapshot-\(hex(position.index))-\(hex(position.term))"
  }

  func removeOld() throws(StorageError) {
    for old in try list().dropFirst(Self.kept) { try Files.remove(old.path) }
  }
}

/// Writes one snapshot; nothing of it is visible before `finish`. Dropped before that, it leaves nothing behind.
/// Calls block on the disk.
public struct SnapshotWriter: ~Copyable, Sendable {
  private let store: SnapshotStore
  private let position: LogPosition
  private let file: Files.Descriptor
  private var summary: XXHash64

  init(store: SnapshotStore, position: LogPosition) throws(StorageError) {
    let file = try Files.Descriptor(opening: store.path(of: position) + ".tmp", flags: O_WRONLY | O_CREAT | O_TRUNC)
    let header =
      littleEndian(SnapshotStore.magic) + littleEndian(SnapshotStore.formatVersion) + littleEndian(position.index)
      + littleEndian(position.term)
    var summary = XXHash64()
    summary.update(header)
    try file.write(header)
    self.store = store
    self.position = position
    self.file = file
    self.summary = summary
  }

  deinit { unlink(file.path) }

  /// Adds a chunk; chunks come back as they were written. An empty one is left out, as it would mean the end.
  public mutating func write(_ chunk: [UInt8]) throws(StorageError) {
    guard !chunk.isEmpty else { return }
    guard chunk.count <= SnapshotStore.maximumChunkBytes else {
      throw StorageError(
        .misuse, "write snapshot", file.path, detail: "a chunk of \(chunk.count) bytes",
        advice: "report this as a bug of serai")
    }
    let checksum = XXHash64.hash(chunk)
    summary.update(checksum)
    try file.write(littleEndian(UInt64(chunk.count)) + littleEndian(checksum))
    try file.write(chunk)
  }

  /// Makes the snapshot durable and visible, and removes those older than the last two.
  public consuming func finish() throws(StorageError) -> SnapshotDescription {
    try file.write(littleEndian(0) + littleEndian(summary.value))
    try file.sync()
    let path = store.path(of: position)
    try Files.rename(file.path, to: path)
    try store.removeOld()
    return SnapshotDescription(position: position, path: path)
  }
}

/// Reads a snapshot chunk by chunk. Calls block on the disk.
public struct SnapshotReader: ~Copyable, Sendable {
  /// The last log entry that the snapshot contains.
  public let position: LogPosition
  private let file: Files.Descriptor
  private var summary: XXHash64
  private var ended = false

  init(_ snapshot: SnapshotDescription) throws(StorageError) {
    let file = try Files.Descriptor(opening: snapshot.path, flags: O_RDONLY)
    let header = try Self.bytes(32, of: file)
    guard unsigned(header, at: 0) == SnapshotStore.magic else {
      throw .corrupt("read snapshot", file.path, "no header")
    }
    let version = unsigned(header, at: 8)
    guard version == SnapshotStore.formatVersion else {
      throw StorageError(
        .foreign, "read snapshot", file.path,
        detail: "format \(version), this serai knows \(SnapshotStore.formatVersion)",
        advice: "start the version of serai that wrote it")
    }
    let position = LogPosition(index: unsigned(header, at: 16), term: unsigned(header, at: 24))
    guard position == snapshot.position else {
      throw .corrupt("read snapshot", file.path, "name and contents disagree about the position")
    }
    var summary = XXHash64()
    summary.update(header)
    self.position = position
    self.file = file
    self.summary = summary
  }

  /// The next chunk; nil after the last, when the whole file has been verified. Until then the contents may still turn
  /// out to be cut off: don't put them into use before.
  public mutating func next() throws(StorageError) -> [UInt8]? {
    guard !ended else { return nil }
    let head = try Self.bytes(16, of: file)
    let (length, checksum) = (unsigned(head, at: 0), unsigned(head, at: 8))
    if length == 0 {
      guard checksum == summary.value, try file.read(1).isEmpty else {
        throw .corrupt("read snapshot", file.path, "wrong checksum of the whole")
      }
      ended = true
      return nil
    }
    guard length <= UInt64(SnapshotStore.maximumChunkBytes) else {
      throw .corrupt("read snapshot", file.path, "a chunk of \(length) bytes")
    }
    let chunk = try Self.bytes(Int(length), of: file)
    guard XXHash64.hash(chunk) == checksum else { throw .corrupt("read snapshot", file.path, "wrong checksum") }
    summary.update(checksum)
    return chunk
  }

  private static func bytes(_ count: Int, of file: borrowing Files.Descriptor) throws(StorageError) -> [UInt8] {
    var bytes = try file.read(count)
    while bytes.count < count {
      let more = try file.read(count - bytes.count)
      guard !more.isEmpty else { throw .corrupt("read snapshot", file.path, "it ends too early") }
      bytes += more
    }
    return bytes
  }
}
