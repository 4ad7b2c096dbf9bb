internal import CLinux

/// An error number of the kernel, as errno(3) lists them.
public struct Errno: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The positive errno value.
  public let rawValue: Int32

  /// Wraps a positive errno value.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// The name as in errno(3): `ENOENT`. `E<number>` for a value that the C library does not know.
  public var name: String {
    guard let text = serai_errno_name(rawValue) else { return "E\(rawValue)" }
    return String(cString: text)
  }

  /// The C library's English sentence, e.g. `No such file or directory`.
  public var text: String {
    guard let text = serai_errno_text(rawValue) else { return "unknown error" }
    return String(cString: text)
  }

  /// `ENOENT (No such file or directory)`.
  public var description: String { "\(name) (\(text))" }

  /// EPERM.
  public static let notPermitted = Errno(rawValue: 1)
  /// ENOENT.
  public static let noSuchFile = Errno(rawValue: 2)
  /// ESRCH.
  public static let noSuchProcess = Errno(rawValue: 3)
  /// EINTR.
  public static let interrupted = Errno(rawValue: 4)
  /// EIO.
  public static let inputOutput = Errno(rawValue: 5)
  /// EBADF.
  public static let badDescriptor = Errno(rawValue: 9)
  /// ECHILD.
  public static let noChild = Errno(rawValue: 10)
  /// EAGAIN, the same as EWOULDBLOCK.
  public static let wouldBlock = Errno(rawValue: 11)
  /// ENOMEM.
  public static let noMemory = Errno(rawValue: 12)
  /// EACCES.
  public static let permissionDenied = Errno(rawValue: 13)
  /// EBUSY.
  public static let busy = Errno(rawValue: 16)
  /// EEXIST.
  public static let fileExists = Errno(rawValue: 17)
  /// EXDEV.
  public static let crossDevice = Errno(rawValue: 18)
  /// ENODEV.
  public static let noDevice = Errno(rawValue: 19)
  /// ENOTDIR.
  public static let notDirectory = Errno(rawValue: 20)
  /// EISDIR.
  public static let isDirectory = Errno(rawValue: 21)
  /// EINVAL.
  public static let invalidArgument = Errno(rawValue: 22)
  /// ENOSPC.
  public static let noSpace = Errno(rawValue: 28)
  /// EROFS.
  public static let readOnlyFileSystem = Errno(rawValue: 30)
  /// EPIPE.
  public static let brokenPipe = Errno(rawValue: 32)
  /// ENAMETOOLONG.
  public static let nameTooLong = Errno(rawValue: 36)
  /// ENOSYS.
  public static let notImplemented = Errno(rawValue: 38)
  /// ENOTEMPTY.
  public static let notEmpty = Errno(rawValue: 39)
  /// ELOOP.
  public static let tooManyLinks = Errno(rawValue: 40)
  /// EPROTO.
  public static let protocolError = Errno(rawValue: 71)
  /// EOPNOTSUPP.
  public static let notSupported = Errno(rawValue: 95)
  /// EMSGSIZE.
  public static let messageTooLong = Errno(rawValue: 90)
  /// EADDRINUSE.
  public static let addressInUse = Errno(rawValue: 98)
  /// ECONNRESET.
  public static let connectionReset = Errno(rawValue: 104)
  /// ETIMEDOUT.
  public static let timedOut = Errno(rawValue: 110)
  /// ECONNREFUSED.
  public static let connectionRefused = Errno(rawValue: 111)
}
