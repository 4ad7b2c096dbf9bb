internal import CLinux

extension FileDescriptor {
  /// memfd_create(2): an anonymous file. `executable` asks MFD_EXEC.
  public static func memory(name: String, executable: Bool = false) throws(SystemError) -> FileDescriptor {
    FileDescriptor(adopting: try check(serai_memfd(name, executable ? 1 : 0), "memfd_create", name))
  }

  /// F_ADD_SEALS: nobody can change the file any more.
  public borrowing func seal() throws(SystemError) { try check(serai_seal(number), "fcntl F_ADD_SEALS") }

  /// The in-task init (see serai_init.c) as a sealed, executable file in memory.
  public static func inTaskInit() throws(SystemError) -> FileDescriptor {
    let file = try memory(name: "serai-init", executable: true)
    try file.writeAll(try inTaskInitImage())
    // Executable, but not readable: who runs it cannot be looked into, from the first instruction on.
    try file.setPermissions(0o111)
    // A file opened for writing cannot be executed (ETXTBSY): seal, then keep a read-only descriptor of it.
    try file.seal()
    return try open("/proc/self/fd/\(file.number)", .readOnly)
  }

  /// The bytes of the in-task init's ELF file.
  public static func inTaskInitImage() throws(SystemError) -> [UInt8] {
    var size = 0
    let image = [UInt8](unsafeUninitializedCapacity: 32 << 10) { buffer, count in
      size = buffer.baseAddress.map { serai_init_image($0, 32 << 10) } ?? 0
      count = max(size, 0)
    }
    try check(size, "serai_init_image")
    return image
  }
}

/// The interface between the in-task init and who starts it (serai_init.h).
public enum InTaskInit {
  /// Where the init writes the wait status: 4 bytes `magic`, 4 bytes status, in the machine's byte order.
  public static let statusDescriptor: Int32 = SERAI_INIT_STATUS_FD.intValue
  /// Where it reports that exec failed.
  public static let reportDescriptor: Int32 = SERAI_INIT_REPORT_FD.intValue
  /// First word of a written status.
  public static let magic = UInt32(SERAI_INIT_MAGIC.intValue)
  /// Step number in its report.
  public static let executeStep = UInt8(truncatingIfNeeded: SERAI_INIT_STEP_EXECUTE.intValue)

  /// The status in a status file's bytes; nil when the init has not written one.
  public static func status(in bytes: [UInt8]) -> WaitStatus? {
    guard bytes.count >= 8 else { return nil }
    func word(_ at: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) } }
    return word(0) == magic ? WaitStatus(rawValue: Int32(bitPattern: word(4))) : nil
  }
}
