public import Linux

/// What the child tells the supervisor over the report socket: why it failed, or what it could only do in part.
public struct Report: Sendable, Equatable, CustomStringConvertible {
  /// Whether the start failed; else the task starts, with a note.
  public var isFailure: Bool
  /// Where.
  public var step: StepName
  /// Why; 0 when no system call failed.
  public var errno: Errno
  /// On which object, and what to do.
  public var object: String

  /// A report.
  public init(isFailure: Bool, step: StepName, errno: Errno, object: String) {
    self.isFailure = isFailure
    self.step = step
    self.errno = errno
    self.object = object
  }

  /// First byte of a message that is no report but carries the pidfd of the process that goes on.
  public static let processKind: UInt8 = 2

  /// The only byte of a message that is no report but says that a child waits for a task.
  public static let readyKind: UInt8 = 3

  /// The record: kind, step, 2 bytes reserved, errno, at most 1,500 bytes of object. serai_init.c writes the same.
  public var encoded: [UInt8] {
    let code = UInt32(bitPattern: errno.rawValue)
    var bytes: [UInt8] = [isFailure ? 0 : 1, step.rawValue, 0, 0]
    for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: code >> shift)) }
    bytes += object.utf8.prefix(1500)
    return bytes
  }

  /// Reads a record; nil when it is none.
  public init?(decoding bytes: [UInt8]) {
    guard bytes.count >= 8, bytes[0] <= 1, let step = StepName(rawValue: bytes[1]) else { return nil }
    isFailure = bytes[0] == 0
    self.step = step
    let code = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[4 + $1]) << UInt32(8 * $1) }
    errno = Errno(rawValue: Int32(bitPattern: code))
    object = String(decoding: bytes[8...], as: UTF8.self)
  }

  /// `exec /usr/bin/foo: ENOENT (No such file or directory)`.
  public var description: String {
    let why = errno.rawValue == 0 ? "" : ": \(errno)"
    return "\(step): \(object)\(why)"
  }
}

extension Report {
  /// The report of a system call that failed in a step.
  init(isFailure: Bool, step: StepName, _ error: SystemError) {
    let place = error.object.isEmpty ? error.operation : "\(error.operation) \(error.object)"
    self.init(
      isFailure: isFailure, step: step, errno: error.errno,
      object: error.advice.isEmpty ? place : "\(place): \(error.advice)")
  }
}

/// A descriptor that several steps use: shared by reference, closed with the last of them.
final class OpenFile: Sendable {
  let descriptor: FileDescriptor
  init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
}
