internal import CArchive
internal import Linux

/// Unpacks what came over the network into a directory that tasks can write to, and nowhere else: libarchive only reads
/// here, every file is made by openat2(2) beneath the directory and no link is followed.
struct ArchiveExtraction {
  /// Where to.
  let directory: ArtifactDirectory
  let limits: ArtifactLimits
  let isCancelled: @Sendable () -> Bool
  private var bytesLeft: Int64
  private var filesLeft: Int

  init(into directory: ArtifactDirectory, limits: ArtifactLimits, isCancelled: @escaping @Sendable () -> Bool) {
    self.directory = directory
    self.limits = limits
    self.isCancelled = isCancelled
    bytesLeft = limits.unpackedBytes
    filesLeft = limits.files
  }

  /// Unpacks a tree.
  /// - Parameters:
  ///   - file: the archive.
  ///   - subdirectory: what of it is wanted; "" for all.
  /// - Throws: `.refused` for a broken archive, one over the limits or one that leads out of the directory.
  mutating func unpack(
    _ file: borrowing FileDescriptor, subdirectory: String, _ what: String
  ) throws(ArtifactError) {
    let reader = try ArchiveReader.open(file, isTree: true, what)
    var found = subdirectory.isEmpty
    while let entry = try reader.next() {
      if isCancelled() { throw ArtifactError(.cancelled, "\(what): no longer wanted") }
      guard let path = try Self.relative(entry.path, below: subdirectory, what) else { continue }
      found = true
      if path.isEmpty { continue }
      filesLeft -= 1
      if filesLeft < 0 {
        throw ArtifactError(.refused, "\(what): the archive has more than \(limits.files) entries")
      }
      try make(entry, path, below: subdirectory, reader, what)
    }
    if !found { throw ArtifactError(.refused, "\(what): the archive has no \"\(subdirectory)\"") }
  }

  /// Unpacks one compressed file.
  mutating func unpackFile(_ file: borrowing FileDescriptor, as path: String, _ what: String) throws(ArtifactError) {
    let reader = try ArchiveReader.open(file, isTree: false, what)
    guard try reader.next() != nil else { throw ArtifactError(.refused, "\(what): it is empty") }
    try write(reader, to: path, permissions: 0o644, what)
  }

  /// The path of an entry below the wanted part; nil for an entry outside of it, "" for that part itself.
  static func relative(_ path: String, below subdirectory: String, _ what: String) throws(ArtifactError) -> String? {
    let parts = path.split(separator: "/").filter { $0 != "." }
    if parts.contains("..") || path.utf8.contains(0) {
      throw ArtifactError(.refused, "\(what): the archive's entry \"\(path)\" leads out of it")
    }
    let wanted = subdirectory.split(separator: "/")
    guard parts.starts(with: wanted) else { return nil }
    return parts.dropFirst(wanted.count).joined(separator: "/")
  }

  /// Whether a link at `path` that reads `target` stays in the tree.
  static func staysInside(link path: String, to target: String) -> Bool {
    if target.isEmpty || target.hasPrefix("/") { return false }
    var depth = path.split(separator: "/").count - 1
    for part in target.split(separator: "/") where part != "." {
      depth += part == ".." ? -1 : 1
      if depth < 0 { return false }
    }
    return true
  }

  private mutating func make(
    _ entry: ArchiveReader.Entry, _ path: String, below subdirectory: String, _ reader: borrowing ArchiveReader,
    _ what: String
  ) throws(ArtifactError) {
    switch entry.kind {
    case .directory: try directory.makeDirectory(path, permissions: entry.permissions, what)
    case .file: try write(reader, to: path, permissions: entry.permissions, what)
    case .symbolicLink(let target):
      guard Self.staysInside(link: path, to: target) else {
        throw ArtifactError(
          .refused, "\(what): the archive's link \"\(entry.path)\" leads out of it, to \"\(target)\"")
      }
      try directory.makeLink(path, to: target, what)
    case .hardLink(let target):
      guard let source = try Self.relative(target, below: subdirectory, what), !source.isEmpty else {
        throw ArtifactError(
          .refused, "\(what): the archive's entry \"\(entry.path)\" is \"\(target)\", which was not asked for")
      }
      bytesLeft -= try directory.copy(source, to: path, permissions: entry.permissions, limit: bytesLeft, what)
    case .other:
      throw ArtifactError(
        .refused, "\(what): the archive's entry \"\(entry.path)\" is neither a file, a directory nor a link")
    }
  }

  private mutating func write(
    _ reader: borrowing ArchiveReader, to path: String, permissions: UInt32, _ what: String
  ) throws(ArtifactError) {
    let file = try directory.makeFile(path, what)
    var first: [UInt8] = []
    while true {
      if isCancelled() { throw ArtifactError(.cancelled, "\(what): no longer wanted") }
      let bytes = try reader.read()
      if bytes.isEmpty { break }
      if first.isEmpty { first = Array(bytes.prefix(4)) }
      bytesLeft -= Int64(bytes.count)
      if bytesLeft < 0 {
        throw ArtifactError(
          .refused, "\(what): unpacked it is larger than the \(limits.unpackedBytes) bytes that this node takes")
      }
      do throws(SystemError) { try file.writeAll(bytes) } catch { throw ArtifactError(error, "unpack \(what)") }
    }
    try directory.finish(file, permissions: permissions, what)
  }
}

/// libarchive's reader over a descriptor: formats that artifacts have, no helper programs.
private struct ArchiveReader: ~Copyable {
  enum Kind {
    case file, directory, other
    case symbolicLink(String)
    /// The same file as an earlier entry.
    case hardLink(String)
  }

  struct Entry {
    var path: String
    var kind: Kind
    var permissions: UInt32
  }

  private let archive: OpaquePointer
  private let what: String

  private init(_ archive: OpaquePointer, _ what: String) {
    self.archive = archive
    self.what = what
  }

  /// - Parameters:
  ///   - file: read from where it stands; must stay open.
  ///   - isTree: tar or zip; else one file whose content is all there is.
  static func open(
    _ file: borrowing FileDescriptor, isTree: Bool, _ what: String
  ) throws(ArtifactError) -> ArchiveReader {
    guard let archive = archive_read_new() else { throw ArtifactError(.system, "unpack \(what): no memory") }
    let reader = ArchiveReader(archive, what)
    for add in [
      archive_read_support_filter_gzip, archive_read_support_filter_bzip2, archive_read_support_filter_xz,
      archive_read_support_filter_lzma, archive_read_support_filter_zstd,
    ] { _ = add(archive) }
    if isTree {
      archive_read_support_format_tar(archive)
      archive_read_support_format_zip(archive)
    } else {
      archive_read_support_format_raw(archive)
    }
    if archive_read_open_fd(archive, file.number, 64 << 10) != ARCHIVE_OK { throw reader.broken() }
    return reader
  }

  deinit { archive_read_free(archive) }

  private borrowing func broken() -> ArtifactError {
    let reason = archive_error_string(archive).map { String(cString: $0) } ?? "unknown reason"
    return ArtifactError(.refused, "\(what): it cannot be unpacked: \(reason)")
  }

  /// The next entry; nil at the end.
  borrowing func next() throws(ArtifactError) -> Entry? {
    var pointer: OpaquePointer?
    let result = archive_read_next_header(archive, &pointer)
    if result == ARCHIVE_EOF { return nil }
    guard result == ARCHIVE_OK || result == ARCHIVE_WARN, let pointer else { throw broken() }
    guard let path = Self.text(archive_entry_pathname_utf8(pointer) ?? archive_entry_pathname(pointer)) else {
      throw ArtifactError(.refused, "\(what): an entry's name cannot be read")
    }
    let kind: Kind
    if let target = Self.text(archive_entry_hardlink_utf8(pointer) ?? archive_entry_hardlink(pointer)) {
      kind = .hardLink(target)
    } else {
      switch UInt32(archive_entry_filetype(pointer)) {
      case UInt32(SERAI_ARCHIVE_REGULAR): kind = .file
      case UInt32(SERAI_ARCHIVE_DIRECTORY): kind = .directory
      case UInt32(SERAI_ARCHIVE_LINK):
        kind = .symbolicLink(Self.text(archive_entry_symlink_utf8(pointer) ?? archive_entry_symlink(pointer)) ?? "")
      default: kind = .other
      }
    }
    return Entry(path: path, kind: kind, permissions: UInt32(archive_entry_perm(pointer)) & 0o777)
  }

  private static func text(_ pointer: UnsafePointer<CChar>?) -> String? { pointer.map { String(cString: $0) } }

  /// The next bytes of the entry; empty at its end.
  borrowing func read() throws(ArtifactError) -> [UInt8] {
    var result = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, count in
      result = archive_read_data(archive, buffer.baseAddress, buffer.count)
      count = max(result, 0)
    }
    if result < 0 { throw broken() }
    return bytes
  }
}
