internal import CLinux

/// An open file descriptor that somebody owns: it is closed when the owner goes out of scope, and cannot be copied.
public struct FileDescriptor: ~Copyable, Sendable {
  /// The number, valid as long as this value lives. For system calls only: never store it beyond.
  public let number: Int32

  /// Takes over an open descriptor: nobody else may close it afterwards.
  public init(adopting number: Int32) {
    precondition(number >= 0, "a descriptor cannot be negative")
    self.number = number
  }

  deinit { _ = serai_close(number) }

  /// Closes now and reports what close(2) says (EIO, ENOSPC or EDQUOT on some file systems). The descriptor is gone
  /// either way.
  public consuming func close() throws(SystemError) {
    let fd = number
    discard self
    try check(serai_close(fd), "close", "fd \(fd)")
  }

  /// Gives the number away: the caller must close it.
  public consuming func release() -> Int32 {
    let fd = number
    discard self
    return fd
  }

  /// A second descriptor of the same open file (F_DUPFD_CLOEXEC), numbered `lowest` or above.
  public borrowing func duplicate(lowest: Int32 = 3) throws(SystemError) -> FileDescriptor {
    FileDescriptor(adopting: try check(serai_dup_from(number, lowest), "fcntl F_DUPFD_CLOEXEC", "fd \(number)"))
  }

  /// Sets or clears close-on-exec.
  public borrowing func setCloseOnExec(_ on: Bool) throws(SystemError) {
    try check(serai_set_cloexec(number, on ? 1 : 0), "fcntl F_SETFD", "fd \(number)")
  }

  /// Sets or clears O_NONBLOCK.
  public borrowing func setNonBlocking(_ on: Bool) throws(SystemError) {
    try check(serai_set_nonblocking(number, on ? 1 : 0), "fcntl F_SETFL", "fd \(number)")
  }
}

/// A pipe: what is written to `write` comes out of `read`.
public struct Pipe: ~Copyable, Sendable {
  /// The reading end.
  public var read: FileDescriptor
  /// The writing end.
  public var write: FileDescriptor

  /// pipe2(2) with O_CLOEXEC.
  public init(nonBlocking: Bool = false) throws(SystemError) {
    var fds: (Int32, Int32) = (-1, -1)
    let result = withUnsafeMutableBytes(of: &fds) { bytes in
      bytes.withMemoryRebound(to: Int32.self) { buffer in
        buffer.baseAddress.map { serai_pipe($0, nonBlocking ? SERAI_O_NONBLOCK.intValue : 0) } ?? -22
      }
    }
    try check(result, "pipe2")
    read = FileDescriptor(adopting: fds.0)
    write = FileDescriptor(adopting: fds.1)
  }

  /// The two numbers, whose owner the caller becomes: for ends that live for different times.
  public consuming func release() -> (read: Int32, write: Int32) { (read.release(), write.release()) }
}

extension FileDescriptor {
  /// A second descriptor of a number that somebody else owns.
  public static func duplicate(of number: Int32, lowest: Int32 = 3) throws(SystemError) -> FileDescriptor {
    FileDescriptor(adopting: try check(serai_dup_from(number, lowest), "fcntl F_DUPFD_CLOEXEC", "fd \(number)"))
  }
}
