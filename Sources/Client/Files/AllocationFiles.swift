public import Codec
internal import Drivers
internal import Linux
public import Model

/// The files of one allocation, as the API shows them: read only, never outside of the allocation's directory, never a
/// task's secrets. Tasks write there at any time, so every path is opened by openat2(2) beneath the directory, and no
/// symbolic link is followed.
public struct AllocationFiles: Sendable {
  let directory: String
  /// The names of the tasks, whose `secrets` are refused.
  let tasks: [String]
  let work: BlockingWork

  /// The entries of a directory, sorted by name.
  public func list(_ path: String) async throws(ClientError) -> [AllocFileInfo] {
    let relative = try checked(path)
    let directory = directory
    return try await work.run { () throws(ClientError) in
      let folder = try Self.open(relative, beneath: directory, [.readOnly, .directory])
      do throws(SystemError) {
        var infos: [AllocFileInfo] = []
        for entry in try folder.entries() {
          if relative == "." && entry.name == AllocationDirectory.layersName { continue }
          // A file may go away between the listing and the look at it.
          guard let status = try? folder.status(of: entry.name) else { continue }
          infos.append(Self.info(entry.name, status))
        }
        return infos.sorted { $0.name < $1.name }
      } catch {
        throw Self.error(error, path)
      }
    }
  }

  /// What is known of one file or directory.
  public func status(_ path: String) async throws(ClientError) -> AllocFileInfo {
    let relative = try checked(path)
    let directory = directory
    return try await work.run { () throws(ClientError) in
      let file = try Self.open(relative, beneath: directory, [.path])
      do throws(SystemError) {
        let status = try file.status()
        var info = Self.info(
          relative == "." ? "/" : relative.split(separator: "/").last.map(String.init) ?? "/", status)
        if status.kind == .regular { info.contentType = try Self.contentType(relative, directory) }
        return info
      } catch {
        throw Self.error(error, path)
      }
    }
  }

  /// At most `limit` bytes from `offset`; empty at the end of the file.
  public func read(_ path: String, offset: Int64, limit: Int) async throws(ClientError) -> [UInt8] {
    let relative = try checked(path)
    let directory = directory
    guard offset >= 0, limit >= 0 else { throw ClientError(.invalid, "offset and limit must not be negative") }
    return try await work.run { () throws(ClientError) in
      let file = try Self.openRegular(relative, beneath: directory)
      do throws(SystemError) {
        return try file.read(upTo: min(limit, 1 << 20), at: offset)
      } catch {
        throw Self.error(error, path)
      }
    }
  }

  /// Reads a file piece by piece, and with `follow` what is appended to it later.
  /// - Parameter fromEnd: `offset` counts backwards from the end of the file.
  public func stream(
    _ path: String, offset: Int64, fromEnd: Bool, follow: Bool
  ) async throws(ClientError) -> FileFollower {
    let info = try await status(path)
    if info.isDir { throw ClientError(.invalid, "\"\(path)\" is a directory") }
    let start = fromEnd ? max(info.size - offset, 0) : offset
    guard start >= 0 else { throw ClientError(.invalid, "offset must not be negative") }
    return FileFollower(files: self, path: path, offset: start, follows: follow)
  }

  // MARK: - Paths

  /// The path relative to the allocation's directory, "." for the directory itself.
  /// - Throws: `.forbidden` for a path that leaves it or leads into a task's secrets.
  func checked(_ path: String) throws(ClientError) -> String {
    if path.utf8.contains(0) { throw ClientError(.invalid, "a path cannot contain a NUL byte") }
    var parts: [Substring] = []
    for part in path.split(separator: "/") {
      switch part {
      case ".": continue
      case "..":
        if parts.popLast() == nil {
          throw ClientError(.forbidden, "\"\(path)\" leads out of the allocation's directory")
        }
      default: parts.append(part)
      }
    }
    if parts.first == AllocationDirectory.layersName[...] { throw ClientError(.notFound, "no such file: \"\(path)\"") }
    if parts.count >= 2, parts[1] == "secrets", tasks.contains(String(parts[0])) {
      throw ClientError(.forbidden, "\"\(path)\" holds a task's secrets, which are not handed out")
    }
    return parts.isEmpty ? "." : parts.joined(separator: "/")
  }

  static func open(
    _ relative: String, beneath directory: String, _ flags: OpenFlags
  ) throws(ClientError) -> FileDescriptor {
    do throws(SystemError) {
      let root = try FileDescriptor.open(directory, [.path, .directory, .noFollow])
      return try root.open(
        beneath: relative, flags.contains(.path) ? flags.union(.noFollow) : flags.union([.noFollow, .nonBlocking]),
        permissions: 0,
        resolve: [.beneath, .noSymlinks, .noMagicLinks])
    } catch {
      throw Self.error(error, relative)
    }
  }

  /// Not a FIFO or device, which a task may have put there and which would block or do harm.
  static func openRegular(_ relative: String, beneath directory: String) throws(ClientError) -> FileDescriptor {
    let file = try open(relative, beneath: directory, [.readOnly, .noControllingTerminal])
    let kind: FileStatus.Kind?
    do throws(SystemError) { kind = try file.status().kind } catch { throw Self.error(error, relative) }
    guard kind == .regular else { throw ClientError(.invalid, "\"\(relative)\" is not a regular file") }
    return file
  }

  static func error(_ error: SystemError, _ path: String) -> ClientError {
    switch error.errno {
    case .noSuchFile, .notDirectory: ClientError(.notFound, "no such file or directory: \"\(path)\"")
    case .crossDevice, .tooManyLinks:
      ClientError(.forbidden, "\"\(path)\" leads over a symbolic link or out of the allocation, which is not followed")
    default: ClientError(.system, "\(error)")
    }
  }

  // MARK: - Descriptions

  static func info(_ name: String, _ status: FileStatus) -> AllocFileInfo {
    var info = AllocFileInfo()
    info.name = name
    info.isDir = status.kind == .directory
    info.size = Int64(clamping: status.size)
    info.fileMode = mode(status)
    info.modTime = Timestamp(nanoseconds: status.modifiedNanoseconds)
    return info
  }

  /// The mode as the API shows it: a letter for the kind ("-" for a regular file), letters for setuid, setgid and sticky,
  /// then nine for the permissions: `-rw-r--r--`, `dtrwxrwxrwx`.
  static func mode(_ status: FileStatus) -> String {
    var text = ""
    switch status.kind {
    case .directory: text = "d"
    case .symbolicLink: text = "L"
    case .blockDevice: text = "D"
    case .characterDevice: text = "Dc"
    case .fifo: text = "p"
    case .socket: text = "S"
    case .regular, nil: break
    }
    if status.permissions & 0o4000 != 0 { text += "u" }
    if status.permissions & 0o2000 != 0 { text += "g" }
    if status.permissions & 0o1000 != 0 { text += "t" }
    if text.isEmpty { text = "-" }
    for (index, letter) in "rwxrwxrwx".enumerated() {
      text.append(status.permissions & (0o400 >> UInt32(index)) != 0 ? letter : "-")
    }
    return text
  }

  /// `text/plain; charset=utf-8` for what begins like text, else `application/octet-stream`.
  private static func contentType(_ relative: String, _ directory: String) throws(SystemError) -> String {
    let begin: [UInt8]
    do {
      begin = try openRegular(relative, beneath: directory).read(upTo: 512, at: 0)
    } catch {
      // Its type is unknown when it cannot be read; its status is known all the same.
      return "application/octet-stream"
    }
    let isBinary = begin.contains { $0 < 0x20 && ![0x09, 0x0A, 0x0C, 0x0D, 0x1B].contains($0) }
    return isBinary ? "application/octet-stream" : "text/plain; charset=utf-8"
  }
}
