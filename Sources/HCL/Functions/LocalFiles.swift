import Glibc

/// The file system of this host, for programs that evaluate their own user's files: the command line, never a server.
public struct LocalFiles: FileAccess {
  /// Files larger than this are refused, in bytes.
  public static let maximumFileSize = 16 << 20

  /// Where relative paths start, absolute.
  public let workingDirectory: String
  /// What `~` stands for; nil where there is none.
  public let homeDirectory: String?

  /// - Parameters:
  ///   - workingDirectory: where relative paths start, absolute.
  ///   - homeDirectory: what `~` stands for.
  public init(workingDirectory: String, homeDirectory: String?) {
    self.workingDirectory = workingDirectory
    self.homeDirectory = homeDirectory
  }

  private func failure(_ operation: String, _ path: String) -> FunctionFailure {
    FunctionFailure("can't \(operation) \"\(path)\": \(String(cString: strerror(errno)))", argument: 0)
  }

  /// The whole file; a failure names the path and the reason.
  public func contents(of path: String) throws(FunctionFailure) -> [UInt8] {
    // Without O_NONBLOCK a pipe would keep the caller waiting for a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure("open", path) }
    defer { close(descriptor) }
    var out: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure("read", path) }
      if count == 0 { return out }
      out += buffer[..<count]
      if out.count > LocalFiles.maximumFileSize {
        throw FunctionFailure("the file \"\(path)\" is larger than \(LocalFiles.maximumFileSize) bytes", argument: 0)
      }
    }
  }

  /// What stands at the path; an absent file is an answer, not a failure.
  public func kind(of path: String) throws(FunctionFailure) -> FileKind {
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return .absent }
      throw failure("look at", path)
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file
    case S_IFDIR: return .directory
    default: return .other
    }
  }

  /// Names in the directory, in no order, without `.` and `..`.
  public func entries(of path: String) throws(FunctionFailure) -> [String] {
    guard let directory = opendir(path) else { throw failure("list", path) }
    defer { closedir(directory) }
    var out: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { out.append(name) }
    }
    return out
  }
}
