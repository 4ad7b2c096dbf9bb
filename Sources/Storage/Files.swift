import Glibc

/// The few file operations that the stores need beside SQLite.
enum Files {
  /// A descriptor that is closed when its owner ends.
  struct Descriptor: ~Copyable {
    let number: Int32
    let path: String

    init(opening path: String, flags: Int32, mode: mode_t = 0o600) throws(StorageError) {
      let result = retrying { open(path, flags | O_CLOEXEC, mode) }
      guard result >= 0 else { throw .errno(errno, "open", path) }
      number = result
      self.path = path
    }

    deinit { close(number) }

    func write(_ bytes: [UInt8]) throws(StorageError) {
      var done = 0
      while done < bytes.count {
        let result = bytes.withUnsafeBytes { raw in
          retrying { Glibc.write(number, raw.baseAddress.map { $0 + done }, raw.count - done) }
        }
        guard result >= 0 else { throw .errno(errno, "write", path) }
        done += result
      }
    }

    /// Up to `count` bytes from the current position; empty at the end of the file.
    func read(_ count: Int) throws(StorageError) -> [UInt8] {
      var result = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        result = retrying { Glibc.read(number, buffer.baseAddress, count) }
        filled = max(result, 0)
      }
      guard result >= 0 else { throw .errno(errno, "read", path) }
      return bytes
    }

    func size() throws(StorageError) -> Int {
      var status = stat()
      guard fstat(number, &status) == 0 else { throw .errno(errno, "stat", path) }
      return Int(status.st_size)
    }

    /// `fsync(2)`: contents and size are on the disk.
    func sync() throws(StorageError) {
      guard retrying({ fsync(number) }) == 0 else { throw .errno(errno, "fsync", path) }
    }
  }

  /// Reads a file whole; nil if it does not exist. Refuses more than `limit` bytes.
  static func contents(of path: String, limit: Int) throws(StorageError) -> [UInt8]? {
    guard exists(path) else { return nil }
    let file = try Descriptor(opening: path, flags: O_RDONLY)
    var bytes: [UInt8] = []
    while true {
      let more = try file.read(64 * 1024)
      if more.isEmpty { return bytes }
      bytes += more
      guard bytes.count <= limit else {
        throw .corrupt("read", path, "more than \(limit) bytes where a short file is expected")
      }
    }
  }

  /// Replaces a file at once: readers see the old or the new contents, also after a crash.
  static func replace(_ path: String, with bytes: [UInt8]) throws(StorageError) {
    let temporary = path + ".tmp"
    do {
      let file = try Descriptor(opening: temporary, flags: O_WRONLY | O_CREAT | O_TRUNC)
      try file.write(bytes)
      try file.sync()
    }
    try rename(temporary, to: path)
  }

  /// Renames and syncs the directory, so that the new name outlives a crash.
  static func rename(_ from: String, to: String) throws(StorageError) {
    guard Glibc.rename(from, to) == 0 else { throw .errno(errno, "rename to \(to)", from) }
    try syncDirectory(parent(of: to))
  }

  static func syncDirectory(_ path: String) throws(StorageError) {
    try Descriptor(opening: path, flags: O_RDONLY | O_DIRECTORY).sync()
  }

  /// Creates a directory that only this user can enter; one that exists is left as it is.
  static func makeDirectory(_ path: String) throws(StorageError) {
    if mkdir(path, 0o700) == 0 { return try syncDirectory(parent(of: path)) }
    guard errno == EEXIST else { throw .errno(errno, "create directory", path) }
    var status = stat()
    guard stat(path, &status) == 0 else { throw .errno(errno, "stat", path) }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw .errno(ENOTDIR, "create directory", path) }
  }

  /// The names in a directory, sorted, without `.` and `..`.
  static func names(in path: String) throws(StorageError) -> [String] {
    guard let stream = opendir(path) else { throw .errno(errno, "list directory", path) }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        guard errno == 0 else { throw .errno(errno, "list directory", path) }
        return names.sorted()
      }
      let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
  }

  /// Removes a file; one that is not there is fine.
  static func remove(_ path: String) throws(StorageError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw .errno(errno, "remove", path) }
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}

/// Repeats a call that a signal interrupted.
private func retrying<Value: FixedWidthInteger>(_ call: () -> Value) -> Value {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}
