internal import Codec
internal import Drivers
internal import Glibc
internal import Linux
internal import Model

/// One file, directory or link of an allocation's data on its way to another node, or some bytes of the last file.
struct ArchiveEntry: Record {
  enum Kind: Int {
    case file = 1
    case directory = 2
    case link = 3
    /// Everything was sent: a stream that ends without one was cut off.
    case end = 4
    /// The next bytes of the last file.
    case content = 5
  }

  /// Relative to the allocation's directory, such as `alloc/data/x`.
  var path = ""
  var kind = 0
  /// As the task sees them, which is also how they are on disk.
  var permissions = 0
  var uid = 0
  var gid = 0
  /// Nanoseconds since 1970.
  var modified: Int64 = 0
  /// Of a file, in bytes.
  var size: Int64 = 0
  /// What a link says.
  var target = ""
  var content = Blob([])

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Path", &path)
    v.field(2, "Kind", &kind)
    v.field(3, "Permissions", &permissions)
    v.field(4, "UID", &uid)
    v.field(5, "GID", &gid)
    v.field(6, "Modified", &modified)
    v.field(7, "Size", &size)
    v.field(8, "Target", &target)
    v.field(9, "Content", &content)
  }
}

/// Reads what an ended allocation left in `alloc/data` and its tasks' `local` directories, and hands it out piece by
/// piece. Files, directories and links; what else lies there (sockets, pipes, devices) has no content to bring.
///
/// Blocks; no link is followed.
struct DataArchiveReader {
  /// Bytes of a file in one piece.
  private static let pieceBytes = 256 << 10

  private let root: OpenDirectory
  /// What is still to be looked at, the next one last.
  private var waiting: [(path: String, kind: FileStatus.Kind?)] = []
  private var file: (descriptor: OpenDirectory, left: Int64)?
  private var isDone = false

  /// - Throws: when the allocation's directory is not there.
  init(_ directory: AllocationDirectory, tasks: [String]) throws(SystemError) {
    root = OpenDirectory(try FileDescriptor.open(directory.path, [.readOnly, .directory, .noFollow]))
    waiting = (["alloc/data"] + tasks.map { $0 + "/local" }).reversed().map { ($0, .directory) }
  }

  /// The next bytes; nil after the last ones.
  mutating func next() throws(SystemError) -> [UInt8]? {
    if let (descriptor, left) = file {
      var bytes = try descriptor.descriptor.read(upTo: min(Self.pieceBytes, Int(clamping: left)))
      // A file that is shorter than it was (somebody cuts it from outside) is filled up: its length has been told.
      if bytes.isEmpty { bytes = [UInt8](repeating: 0, count: min(Self.pieceBytes, Int(clamping: left))) }
      file = left > Int64(bytes.count) ? (descriptor, left - Int64(bytes.count)) : nil
      var piece = ArchiveEntry()
      piece.kind = ArchiveEntry.Kind.content.rawValue
      piece.content = Blob(bytes)
      return ClientRPC.frame(piece)
    }
    while let (path, kind) = waiting.popLast() {
      if let entry = try open(path, kind) { return ClientRPC.frame(entry) }
    }
    if isDone { return nil }
    isDone = true
    var end = ArchiveEntry()
    end.kind = ArchiveEntry.Kind.end.rawValue
    return ClientRPC.frame(end)
  }

  private mutating func open(_ path: String, _ kind: FileStatus.Kind?) throws(SystemError) -> ArchiveEntry? {
    var entry = ArchiveEntry()
    entry.path = path
    let status: FileStatus
    do throws(SystemError) {
      let file = try root.descriptor.open(beneath: path, [.path, .noFollow])
      status = try file.status()
      switch status.kind {
      case .directory:
        entry.kind = ArchiveEntry.Kind.directory.rawValue
        let listing = try root.descriptor.open(beneath: path, [.readOnly, .directory, .noFollow])
        waiting += try listing.entries().map { ("\(path)/\($0.name)", $0.kind) }
      case .regular:
        entry.kind = ArchiveEntry.Kind.file.rawValue
        entry.size = Int64(clamping: status.size)
        let content = try root.descriptor.open(beneath: path, [.readOnly, .noFollow, .nonBlocking])
        if entry.size > 0 { self.file = (OpenDirectory(content), entry.size) }
      case .symbolicLink:
        entry.kind = ArchiveEntry.Kind.link.rawValue
        entry.target = try Self.link(path, root.descriptor)
      default: return nil
      }
    } catch {
      // A task that never began has no directory of its own.
      if error.errno == .noSuchFile { return nil }
      throw error
    }
    entry.permissions = Int(status.permissions)
    entry.uid = Int(status.uid)
    entry.gid = Int(status.gid)
    entry.modified = status.modifiedNanoseconds
    return entry
  }

  private static func link(_ path: String, _ root: borrowing FileDescriptor) throws(SystemError) -> String {
    let (folder, name) = ArchivePath.split(path)
    return try root.open(beneath: folder, [.readOnly, .directory, .noFollow]).readSymbolicLink(name)
  }
}

/// Puts the pieces of a `DataArchiveReader` together again below another allocation's directory. Blocks.
struct DataArchiveWriter {
  private let root: OpenDirectory
  /// Where an entry may lie: the shared data and the tasks' own.
  private let places: [String]
  private var frames = ClientRPC.FrameReader()
  private var file: (descriptor: OpenDirectory, entry: ArchiveEntry, left: Int64)?
  /// Directories get their modes and times when everything in them is there.
  private var directories: [ArchiveEntry] = []
  /// Whether the last entry has come.
  private(set) var isComplete = false
  /// Of files.
  private(set) var bytes: Int64 = 0

  init(_ directory: AllocationDirectory, tasks: [String]) throws(SystemError) {
    try directory.ensure()
    root = OpenDirectory(try FileDescriptor.open(directory.path, [.readOnly, .directory, .noFollow]))
    for task in tasks { _ = try root.descriptor.ensureDirectory(task, permissions: 0o755) }
    places = ["alloc/data"] + tasks.map { $0 + "/local" }
  }

  /// Takes the next bytes.
  /// - Throws: `ClientError` for bytes that are no archive, or that cannot be written.
  mutating func add(_ more: [UInt8]) throws(ClientError) {
    frames.append(more)
    do {
      while let entry = try frames.next(ArchiveEntry.self) { try take(entry) }
    } catch let error as SystemError {
      throw ClientError(.system, "write data of the allocation before: \(error)")
    } catch let error as CodecError {
      throw ClientError(.invalid, "data of the allocation before can't be read: \(error)")
    } catch let error as ClientError {
      throw error
    } catch {
      throw ClientError(.system, "write data of the allocation before: \(error)")
    }
  }

  private mutating func take(_ entry: ArchiveEntry) throws {
    guard let kind = ArchiveEntry.Kind(rawValue: entry.kind) else {
      throw ClientError(.invalid, "data of the allocation before has an entry of unknown kind \(entry.kind)")
    }
    if kind == .content { return try write(entry.content.bytes) }
    guard file == nil, !isComplete else {
      throw ClientError(.invalid, "data of the allocation before: a file is shorter than it was announced")
    }
    if kind == .end {
      for directory in directories.reversed() { try finish(directory) }
      isComplete = true
      return
    }
    let isInPlace = places.contains { entry.path == $0 || entry.path.hasPrefix($0 + "/") }
    guard isInPlace, !entry.path.split(separator: "/").contains(".."), entry.size >= 0 else {
      throw ClientError(.invalid, "data of the allocation before has an entry that leads out of it: \(entry.path)")
    }
    let (folder, name) = ArchivePath.split(entry.path)
    let place = try root.descriptor.open(beneath: folder, [.readOnly, .directory, .noFollow])
    switch kind {
    case .directory:
      _ = try place.ensureDirectory(name, permissions: 0o700)
      directories.append(entry)
    case .link:
      try? place.remove(name)
      try place.makeSymbolicLink(name, to: entry.target)
      let link = try place.open(beneath: name, [.path, .noFollow])
      try setOwner(entry, of: link)
    case .file:
      let content = try place.open(
        beneath: name, [.writeOnly, .create, .truncate, .noFollow], permissions: 0o600)
      file = (OpenDirectory(content), entry, entry.size)
      if entry.size == 0 { try finishFile() }
    case .content, .end: break
    }
  }

  private mutating func write(_ content: [UInt8]) throws {
    guard let (descriptor, entry, left) = file, Int64(content.count) <= left else {
      throw ClientError(.invalid, "data of the allocation before: a file is longer than it was announced")
    }
    try descriptor.descriptor.writeAll(content)
    bytes += Int64(content.count)
    file = (descriptor, entry, left - Int64(content.count))
    if left == Int64(content.count) { try finishFile() }
  }

  private mutating func finishFile() throws(SystemError) {
    guard let (descriptor, entry, _) = file else { return }
    file = nil
    try setAttributes(entry, of: descriptor.descriptor)
  }

  private func finish(_ directory: ArchiveEntry) throws(SystemError) {
    try setAttributes(
      directory, of: try root.descriptor.open(beneath: directory.path, [.readOnly, .directory, .noFollow]))
  }

  private func setAttributes(_ entry: ArchiveEntry, of file: borrowing FileDescriptor) throws(SystemError) {
    try setOwner(entry, of: file)
    // After the owner, whose change takes setuid away.
    try file.setPermissions(UInt32(truncatingIfNeeded: entry.permissions) & 0o7777)
    let (seconds, nanoseconds) = (entry.modified / 1_000_000_000, entry.modified % 1_000_000_000)
    let time = timespec(tv_sec: Int(seconds), tv_nsec: Int(max(0, nanoseconds)))
    let times = [time, time]
    if futimens(file.number, times) != 0 {
      throw SystemError("futimens", entry.path, Errno(rawValue: errno), advice: "")
    }
  }

  private func setOwner(_ entry: ArchiveEntry, of file: borrowing FileDescriptor) throws(SystemError) {
    do throws(SystemError) {
      try file.setOwner(uid: UInt32(clamping: entry.uid), gid: UInt32(clamping: entry.gid))
    } catch {
      // An agent that is not root (a test): everything belongs to its user.
      if error.errno != .notPermitted || geteuid() == 0 { throw error }
    }
  }
}

/// A descriptor in a value that can be copied.
private final class OpenDirectory: Sendable {
  let descriptor: FileDescriptor
  init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
}

private enum ArchivePath {
  static func split(_ path: String) -> (folder: String, name: String) {
    let parts = path.split(separator: "/")
    return (parts.dropLast().joined(separator: "/"), parts.last.map(String.init) ?? "")
  }
}
