/// A system call that failed: what was tried, on which object, why, and what to do about it.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was tried, usually the system call's name.
  public var operation: String
  /// The path, name or number it was tried on; empty when there is none.
  public var object: String
  /// Why the kernel refused.
  public var errno: Errno
  /// A sentence that says what to change; empty when the error says it all.
  public var advice: String

  /// Describes one failed call.
  public init(_ operation: String, _ object: String = "", _ errno: Errno, advice: String = "") {
    self.operation = operation
    self.object = object
    self.errno = errno
    self.advice = advice
  }

  /// `open("/x") failed: ENOENT (No such file or directory): create it first`.
  public var description: String {
    let place = object.isEmpty ? "" : "(\"\(object)\")"
    let what = advice.isEmpty ? "" : ": \(advice)"
    return "\(operation)\(place) failed: \(errno)\(what)"
  }
}

/// Turns a shim's -errno into a thrown error. Every call in this module goes through here.
@discardableResult
func check<Value: SignedInteger & FixedWidthInteger>(
  _ result: Value, _ operation: StaticString, _ object: @autoclosure () -> String = "",
  advice: @autoclosure () -> String = ""
) throws(SystemError) -> Value {
  if result >= 0 { return result }
  throw SystemError("\(operation)", object(), Errno(rawValue: Int32(-result)), advice: advice())
}
