internal import CLinux

/// A pseudo-terminal (pty(7)).
public struct Terminal: ~Copyable, Sendable {
  /// The side of whoever shows the terminal.
  public var master: FileDescriptor
  /// The side of the program.
  public var peer: FileDescriptor

  /// posix_openpt(3) in this process's devpts.
  public init() throws(SystemError) {
    let master = FileDescriptor(adopting: try check(serai_openpt(), "posix_openpt"))
    self.peer = FileDescriptor(adopting: try check(serai_pt_peer(master.number), "ioctl TIOCGPTPEER"))
    self.master = master
  }

  /// A terminal of the devpts that a process sees, so that programs beside it find it by its name (ttyname(3)).
  ///
  /// - Throws: ENOENT when the process has gone or sees no devpts.
  public init(seenBy pid: Int32) throws(SystemError) {
    let path = "/proc/\(pid)/root"
    let root = try FileDescriptor.open(path, [.path, .directory])
    let master = try root.open(
      beneath: "dev/pts/ptmx", [.readWrite, .noControllingTerminal],
      resolve: [.beneath, .noSymlinks, .noMagicLinks])
    guard try master.fileSystem().type == 0x1cd1 else {
      throw SystemError("open terminal", "\(path)/dev/pts", .noSuchFile, advice: "it is no devpts")
    }
    try check(serai_pt_unlock(master.number), "ioctl TIOCSPTLCK")
    self.peer = FileDescriptor(adopting: try check(serai_pt_peer(master.number), "ioctl TIOCGPTPEER"))
    self.master = master
  }

  /// The two numbers, whose owner the caller becomes: for ends that live for different times.
  public consuming func release() -> (master: Int32, peer: Int32) { (master.release(), peer.release()) }

  /// TIOCSWINSZ.
  public static func resize(_ fd: borrowing FileDescriptor, rows: UInt16, columns: UInt16) throws(SystemError) {
    try check(serai_pt_size(fd.number, rows, columns), "ioctl TIOCSWINSZ")
  }

  /// TIOCSCTTY: makes it the controlling terminal of the calling session.
  public static func control(_ fd: Int32) throws(SystemError) {
    try check(serai_controlling_terminal(fd), "ioctl TIOCSCTTY")
  }
}
