/// Readers of /proc.
public enum Proc {
  /// The calling process's id in the pid namespace that /proc shows.
  public static func ownPID() throws(SystemError) -> Int32 {
    let text = try FileDescriptor.open("/proc", [.readOnly, .directory]).readSymbolicLink("self")
    guard let pid = Int32(text) else { throw SystemError("parse", "/proc/self", .protocolError) }
    return pid
  }

  /// Field 22 of /proc/pid/stat (proc_pid_stat(5)): the start time in clock ticks since boot. With the pid it names a
  /// process for ever on one boot.
  public static func startTime(pid: Int32) throws(SystemError) -> UInt64 {
    let path = "/proc/\(pid)/stat"
    guard let ticks = startTime(inStat: try Files.readText(path)) else {
      throw SystemError("parse", path, .protocolError)
    }
    return ticks
  }

  /// The start time in the text of a stat file. The command's name may hold spaces and brackets: it ends at the last ")".
  public static func startTime(inStat text: String) -> UInt64? {
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 19 ? UInt64(fields[19]) : nil
  }

  /// How a process has ended that nobody has waited for yet (state Z, exit_code in field 52 of its stat file); nil when
  /// it runs, is gone, or is another one than started at `startTime`.
  public static func zombieStatus(pid: Int32, startTime: UInt64) -> WaitStatus? {
    guard let text = try? Files.readText("/proc/\(pid)/stat"), self.startTime(inStat: text) == startTime,
      let end = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[text.index(after: end)...].split(whereSeparator: \.isWhitespace)
    guard fields.count > 49, fields[0] == "Z" else { return nil }
    return Int32(fields[49]).map { WaitStatus(rawValue: $0) }
  }

  /// One line of /proc/pid/mountinfo (proc_pid_mountinfo(5)).
  public struct MountInfo: Sendable, Equatable {
    /// Where it is mounted, octal escapes decoded.
    public var target: String
    /// The path inside its file system that is the root of the mount.
    public var root: String
    /// File system type.
    public var type: String
    /// What was mounted, e.g. a device.
    public var source: String
    /// Options of the mount.
    public var options: [String]
    /// Options of the file system; on cgroup v1 the controllers.
    public var superOptions: [String]
  }

  /// The mounts in the text of a mountinfo file; lines that make no sense are left out.
  public static func mounts(in text: String) -> [MountInfo] {
    text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ", omittingEmptySubsequences: true)
      guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count >= dash + 3 else { return nil }
      let more = fields.count > dash + 3 ? fields[dash + 3].split(separator: ",").map(String.init) : []
      return MountInfo(
        target: unescaped(fields[4]), root: unescaped(fields[3]), type: String(fields[dash + 1]),
        source: unescaped(fields[dash + 2]), options: fields[5].split(separator: ",").map(String.init),
        superOptions: more)
    }
  }

  /// Decodes \ooo escapes.
  static func unescaped(_ text: Substring) -> String {
    guard text.contains("\\") else { return String(text) }
    var bytes: [UInt8] = []
    let raw = Array(text.utf8)
    var at = 0
    while at < raw.count {
      if raw[at] == UInt8(ascii: "\\"), at + 3 < raw.count,
        let value = UInt8(String(decoding: raw[at + 1...at + 3], as: UTF8.self), radix: 8)
      {
        bytes.append(value)
        at += 4
      } else {
        bytes.append(raw[at])
        at += 1
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
