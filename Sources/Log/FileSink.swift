import Glibc
import Synchronization

/// Lines to a file that is renamed when it is full or old: `name-<unix seconds>.ext`, the oldest deleted beyond a count.
///
/// The names and the three limits are those of Nomad's `log_file`, `log_rotate_bytes`, `log_rotate_duration` and
/// `log_rotate_max_files`.
public final class FileSink: LogSink {
  /// When a file is set aside.
  public struct Rotation: Sendable {
    /// Bytes after which the file is renamed; 0 for no limit.
    public var bytes: Int
    /// Seconds after which the file is renamed; 0 for no limit.
    public var seconds: Int
    /// How many renamed files stay; 0 for all.
    public var maxFiles: Int

    /// Nomad's defaults: no size limit, a day, all files kept.
    public init(bytes: Int = 0, seconds: Int = 86400, maxFiles: Int = 0) {
      self.bytes = bytes
      self.seconds = seconds
      self.maxFiles = maxFiles
    }
  }

  private struct OpenFile {
    var descriptor: Int32 = -1
    var bytes = 0
    var openedAt = 0
  }

  private let directory: String
  private let stem: String
  private let suffix: String
  private let rotation: Rotation
  private let clock: @Sendable () -> Int
  private let file: Mutex<OpenFile>

  /// Opens (and appends to) `path`; a path that ends in "/" gets the file name `serai.log`.
  /// - Parameter clock: seconds since the epoch.
  /// - Throws: `LogFileError` with the path and errno when the file cannot be opened.
  public init(path: String, rotation: Rotation = Rotation(), clock: @escaping @Sendable () -> Int) throws(LogFileError)
  {
    let whole = path.hasSuffix("/") ? path + "serai.log" : path
    let slash = whole.lastIndex(of: "/")
    directory = slash.map { String(whole[..<$0]) } ?? "."
    let name = slash.map { String(whole[whole.index(after: $0)...]) } ?? whole
    let dot = name.lastIndex(of: ".")
    stem = dot.map { String(name[..<$0]) } ?? name
    suffix = dot.map { String(name[$0...]) } ?? ""
    self.rotation = rotation
    self.clock = clock
    file = Mutex(OpenFile())
    let opened = Self.open(directory + "/" + name)
    if opened.descriptor < 0 { throw LogFileError(path: whole, errno: opened.errno) }
    file.withLock { $0 = OpenFile(descriptor: opened.descriptor, bytes: opened.size, openedAt: clock()) }
  }

  deinit { file.withLock { if $0.descriptor >= 0 { close($0.descriptor) } } }

  /// Renames the file first when the line would make it too large or it is too old; a line that cannot be written is
  /// dropped.
  public func write(line: String) {
    let now = clock()
    file.withLock { file in
      let size = line.utf8.count + 1
      let full = rotation.bytes > 0 && file.bytes > 0 && file.bytes + size > rotation.bytes
      let old = rotation.seconds > 0 && now - file.openedAt >= rotation.seconds && file.bytes > 0
      if full || old { rotate(&file, now: now) }
      writeWhole(line + "\n", to: file.descriptor)
      file.bytes += size
    }
  }

  private func rotate(_ file: inout OpenFile, now: Int) {
    let current = "\(directory)/\(stem)\(suffix)"
    var stamp = now
    while access("\(directory)/\(stem)-\(stamp)\(suffix)", F_OK) == 0 { stamp += 1 }
    guard rename(current, "\(directory)/\(stem)-\(stamp)\(suffix)") == 0 else {
      // The directory may be gone or full: keep writing to the file that is open rather than lose lines.
      file.openedAt = now
      return
    }
    let opened = Self.open(current)
    guard opened.descriptor >= 0 else { return }
    close(file.descriptor)
    file = OpenFile(descriptor: opened.descriptor, bytes: 0, openedAt: now)
    prune()
  }

  private func prune() {
    guard rotation.maxFiles > 0 else { return }
    let stamps = setAsideStamps().sorted()
    for stamp in stamps.dropLast(rotation.maxFiles) { unlink("\(directory)/\(stem)-\(stamp)\(suffix)") }
  }

  private func setAsideStamps() -> [Int] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var stamps: [Int] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name.hasPrefix(stem + "-"), name.hasSuffix(suffix) else { continue }
      if let stamp = Int(name.dropFirst(stem.utf8.count + 1).dropLast(suffix.utf8.count)) { stamps.append(stamp) }
    }
    return stamps
  }

  private static func open(_ path: String) -> (descriptor: Int32, size: Int, errno: Int32) {
    let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
    if descriptor < 0 { return (-1, 0, errno) }
    var status = stat()
    return (descriptor, fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0, 0)
  }
}

/// A log file that could not be opened.
public struct LogFileError: Error, CustomStringConvertible {
  /// The file that was to be opened.
  public let path: String
  /// What open(2) said.
  public let errno: Int32

  /// Path, reason and what to check.
  public var description: String {
    "open log file \"\(path)\" failed: \(String(cString: strerror(errno))): check log_file, its directory and its owner"
  }
}
