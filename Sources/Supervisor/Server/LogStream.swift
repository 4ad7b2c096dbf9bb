import Linux

/// Names and order of a stream's files: `<task>.<stream>.<n>`, n counting up. Pure, so that it can be tested.
struct LogRotation: Equatable {
  var prefix: String
  var maxFiles: Int
  var maxFileBytes: Int64
  /// Number of the file that is written, and how far.
  private(set) var current: Int
  private(set) var offset: Int64

  /// Continues after what is there: in the newest file while it has room.
  ///
  /// - Parameters:
  ///   - existing: names in the directory.
  ///   - size: the size of one of them.
  init(prefix: String, maxFiles: Int, maxFileBytes: Int64, existing: [String], size: (String) -> Int64) {
    self.prefix = prefix
    self.maxFiles = max(maxFiles, 1)
    self.maxFileBytes = max(maxFileBytes, 1)
    let newest = existing.compactMap { Self.number(of: $0, prefix: prefix) }.max()
    current = newest ?? 0
    offset = newest.map { size("\(prefix).\($0)") } ?? 0
    if offset >= self.maxFileBytes { advance() }
  }

  var fileName: String { "\(prefix).\(current)" }
  /// How many bytes the current file still takes.
  var room: Int64 { maxFileBytes - offset }

  /// Counts written bytes; true when the file is full and the next one begins.
  mutating func wrote(_ count: Int64) -> Bool {
    offset += count
    if offset < maxFileBytes { return false }
    advance()
    return true
  }

  private mutating func advance() {
    current += 1
    offset = 0
  }

  /// Which of the existing files are one too many.
  func expired(_ existing: [String]) -> [String] {
    existing.filter { name in
      guard let number = Self.number(of: name, prefix: prefix) else { return false }
      return number <= current - maxFiles
    }
  }

  private static func number(of name: String, prefix: String) -> Int? {
    guard name.hasPrefix(prefix + ".") else { return nil }
    let digits = name.dropFirst(prefix.count + 1)
    guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
    return Int(digits)
  }
}

/// One output stream of a task: a FIFO that the event loop watches, and the file its bytes go to.
///
/// The reading end is ours; the task holds its end open for reading and writing, so its writes never fail for want of a
/// reader: while no supervisor runs they wait in the pipe.
final class LogStream {
  /// Bytes moved per turn: more than a pipe holds by default, so one turn empties it.
  static let bytesPerTurn = 256 << 10

  let pipe: FileDescriptor
  /// Opened when a file is begun: a thousand tasks need not hold two thousand directories open.
  private let directory: String
  private var rotation: LogRotation
  private var file: Int32 = -1
  /// A job of this stream is with the writer thread.
  var isBusy = false
  /// The pipe has no writer left and is empty.
  var isFinished = false
  /// Bytes thrown away because the file could not be written (a full disk).
  private(set) var lostBytes: UInt64 = 0
  /// After a write error bytes are thrown away until this time (CLOCK_MONOTONIC), then the file is tried again.
  private var discardUntil: Int64 = 0
  /// The job that is with the writer thread throws its bytes away.
  private var isDiscarding = false

  /// - Throws: when the directory or the FIFO cannot be opened.
  init(fifo: String, spec: LogSpec, stream: String) throws(SystemError) {
    pipe = try FileDescriptor.open(fifo, [.readOnly, .nonBlocking, .noFollow])
    directory = spec.directory
    let folder = try Self.open(spec.directory)
    let names = try folder.entries().map(\.name)
    rotation = LogRotation(
      prefix: "\(spec.task).\(stream)", maxFiles: Int(spec.maxFiles),
      maxFileBytes: Int64(clamping: spec.maxFileBytes), existing: names
    ) { name in (try? folder.status(of: name)).map { Int64(clamping: $0.size) } ?? 0 }
    // The file exists from the start: whoever follows the log need not wait for the first byte.
    openFile(now: Clock.monotonicNanoseconds)
  }

  deinit { closeFile() }

  private static func open(_ directory: String) throws(SystemError) -> FileDescriptor {
    try FileDescriptor.open(
      directory, [.readOnly, .directory, .noFollow], advice: "the log directory must exist and be no link")
  }

  private func closeFile() {
    if file >= 0 { _ = FileDescriptor(adopting: file) }
    file = -1
  }

  private func openFile(now: Int64) {
    do {
      // A task may have planted something under this name: no link is followed, and only a plain file is written.
      let directory = try Self.open(directory)
      let opened = try directory.open(
        beneath: rotation.fileName, [.writeOnly, .create, .nonBlocking, .noControllingTerminal], permissions: 0o644)
      guard try opened.status().kind == .regular else {
        throw SystemError("open", rotation.fileName, .invalidArgument)
      }
      try opened.setPermissions(0o644)
      file = opened.release()
      if rotation.current >= rotation.maxFiles {
        for name in rotation.expired(try directory.entries().map(\.name)) { try? directory.remove(name) }
      }
    } catch {
      // A full disk, or a name that is no file: the output is lost, the task is not.
      discardUntil = now + 1_000_000_000
    }
  }

  /// The next job for the writer thread: file (nil: throw away), offset, count.
  func nextJob(now: Int64) -> (file: Int32?, offset: Int64, count: Int) {
    if file < 0 && now >= discardUntil { openFile(now: now) }
    isDiscarding = file < 0 || now < discardUntil
    if isDiscarding { return (nil, 0, Self.bytesPerTurn) }
    return (file, rotation.offset, Int(min(rotation.room, Int64(Self.bytesPerTurn))))
  }

  /// Takes the result of the job that was made last.
  func finished(moved: Int, errno: Errno?, now: Int64) {
    isBusy = false
    if let errno {
      if errno != .wouldBlock { discardUntil = now + 1_000_000_000 }
      return
    }
    if moved == 0 {
      isFinished = true
      return
    }
    if isDiscarding {
      lostBytes += UInt64(moved)
      return
    }
    if rotation.wrote(Int64(moved)) {
      closeFile()
      openFile(now: now)
    }
  }
}
