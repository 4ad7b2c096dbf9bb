internal import Codec
public import Model

/// Which of a task's outputs.
public enum LogKind: String, Sendable, CaseIterable {
  case stdout, stderr
}

/// Reads a task's log over all its rotated files, `<task>.stdout.0`, `.1`, …, as one text; with `follow` also what is
/// written later, until the task has ended for good. Pulled by the reader.
///
/// A file that is deleted by the rotation while it waits its turn is skipped: the oldest lines are gone then.
public struct LogReader: Sendable {
  private let files: AllocationFiles
  private let prefix: String
  private let follows: Bool
  private let mayGrow: @Sendable () async -> Bool
  private var index: Int
  private var offset: Int64

  /// Finds the file and the place in it for `offset` bytes from the start, or back from the end, of all files together.
  static func open(
    _ files: AllocationFiles, task: String, kind: LogKind, offset: Int64, fromEnd: Bool, follows: Bool,
    mayGrow: @escaping @Sendable () async -> Bool
  ) async throws(ClientError) -> LogReader {
    guard offset >= 0 else { throw ClientError(.invalid, "offset must not be negative") }
    let prefix = "\(task).\(kind.rawValue)."
    let all = try await sizes(files, prefix)
    var reader = LogReader(
      files: files, prefix: prefix, follows: follows, mayGrow: mayGrow, index: all.first?.index ?? 0, offset: 0)
    let total = all.reduce(0) { $0 + $1.size }
    var rest = fromEnd ? max(total - offset, 0) : offset
    for (position, file) in all.enumerated() {
      reader.index = file.index
      reader.offset = min(rest, file.size)
      // Exactly at a border the next file is meant, unless there is none.
      if rest < file.size || position == all.count - 1 { break }
      rest -= file.size
    }
    return reader
  }

  private init(
    files: AllocationFiles, prefix: String, follows: Bool, mayGrow: @escaping @Sendable () async -> Bool, index: Int,
    offset: Int64
  ) {
    self.files = files
    self.prefix = prefix
    self.follows = follows
    self.mayGrow = mayGrow
    self.index = index
    self.offset = offset
  }

  /// The log's files by number, ascending.
  static func sizes(
    _ files: AllocationFiles, _ prefix: String
  ) async throws(ClientError) -> [(index: Int, size: Int64)] {
    let infos: [AllocFileInfo]
    do throws(ClientError) {
      infos = try await files.list("alloc/logs")
    } catch {
      // The allocation has not begun yet: it has no log so far.
      if error.code == .notFound { return [] }
      throw error
    }
    return infos.compactMap { info in
      guard info.name.hasPrefix(prefix), let index = Int(info.name.dropFirst(prefix.count)) else { return nil }
      return (index, info.size)
    }.sorted { $0.index < $1.index }
  }

  /// The next piece; waits for one when following. Nil at the end. Cancel the task to stop waiting.
  public mutating func next() async throws -> StreamFrame? {
    while true {
      try Task.checkCancellation()
      // Asked before reading: what is written until the task ends is read in any case.
      let mayGrow = follows ? await mayGrow() : false
      if let frame = try await piece() { return frame }
      let newer = try await Self.sizes(files, prefix).first { $0.index > index }
      if let newer {
        // The rotation has moved on; the older file may have got its last bytes between the two looks.
        if let frame = try await piece() { return frame }
        index = newer.index
        offset = 0
        continue
      }
      guard mayGrow else { return nil }
      try await Task.sleep(for: FileFollower.pause)
    }
  }

  private mutating func piece() async throws -> StreamFrame? {
    let name = prefix + String(index)
    let bytes: [UInt8]
    do throws(ClientError) {
      bytes = try await files.read("alloc/logs/" + name, offset: offset, limit: FileFollower.pieceBytes)
    } catch {
      if error.code == .notFound { return nil }
      throw error
    }
    guard !bytes.isEmpty else { return nil }
    var frame = StreamFrame()
    frame.offset = offset
    frame.file = name
    frame.data = Blob(bytes)
    offset += Int64(bytes.count)
    return frame
  }
}
