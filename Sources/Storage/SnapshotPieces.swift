import Codec
import Glibc

/// Stored snapshots as files that go from one server to another in pieces.
extension SnapshotStore {
  /// A snapshot's file: its length and the XXH64 of all of it. Blocks on the disk.
  public func measure(_ snapshot: SnapshotDescription) throws(StorageError) -> (size: UInt64, checksum: UInt64) {
    let file = try Files.Descriptor(opening: snapshot.path, flags: O_RDONLY)
    var hash = XXHash64()
    var size: UInt64 = 0
    while true {
      let bytes = try file.read(1 << 20)
      if bytes.isEmpty { return (size, hash.value) }
      hash.update(bytes)
      size += UInt64(bytes.count)
    }
  }

  /// Bytes of a snapshot's file; nil when there is no snapshot of that place (any more).
  public func piece(of position: LogPosition, offset: UInt64, count: Int) throws(StorageError) -> [UInt8]? {
    let path = path(of: position)
    guard Files.exists(path) else { return nil }
    let file = try Files.Descriptor(opening: path, flags: O_RDONLY)
    guard lseek(file.number, off_t(offset), SEEK_SET) >= 0 else { throw .errno(errno, "seek", path) }
    var bytes: [UInt8] = []
    while bytes.count < count {
      let more = try file.read(count - bytes.count)
      if more.isEmpty { break }
      bytes += more
    }
    return bytes
  }

  private var incomingPath: String { folder + "/incoming.tmp" }

  /// Stores a piece of a snapshot that another server sends, durably. At offset 0 an unfinished one before it goes.
  public func store(_ bytes: [UInt8], at offset: UInt64) throws(StorageError) {
    let file = try Files.Descriptor(
      opening: incomingPath, flags: O_WRONLY | O_CREAT | (offset == 0 ? O_TRUNC : 0))
    guard lseek(file.number, off_t(offset), SEEK_SET) >= 0 else { throw .errno(errno, "seek", incomingPath) }
    try file.write(bytes)
    try file.sync()
  }

  /// Makes a snapshot of what `store` has stored, if its checksum is right and it reads from end to end.
  public func adopt(at position: LogPosition, checksum: UInt64) throws(StorageError) -> SnapshotDescription {
    let whole = try measure(SnapshotDescription(position: position, path: incomingPath))
    guard whole.checksum == checksum else {
      throw .corrupt("take a snapshot from another server", incomingPath, "wrong checksum")
    }
    return try adopt(at: position)
  }

  /// The same without a checksum of the whole; the file has its own.
  public func adopt(at position: LogPosition) throws(StorageError) -> SnapshotDescription {
    var reader = try makeReader(of: SnapshotDescription(position: position, path: incomingPath))
    while try reader.next() != nil {}
    let path = path(of: position)
    try Files.rename(incomingPath, to: path)
    try removeOld()
    return SnapshotDescription(position: position, path: path)
  }
}
