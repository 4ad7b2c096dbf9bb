/// Why the client could not do what it was asked.
public struct ClientError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of failure it is; the HTTP status is decided on it.
  public struct Code: Hashable, Sendable {
    private let name: String

    /// No such allocation, task or file on this node.
    public static let notFound = Code(name: "not found")
    /// The request makes no sense as it is.
    public static let invalid = Code(name: "invalid")
    /// Not even root's API may hand this out: a task's secrets, a path outside of the allocation.
    public static let forbidden = Code(name: "forbidden")
    /// The object is in a state that does not allow this: the task is not running.
    public static let conflict = Code(name: "conflict")
    /// Something of this host failed.
    public static let system = Code(name: "system")
  }

  /// The kind of failure.
  public var code: Code
  /// What failed, on which object, why, and what to do.
  public var message: String

  /// Makes an error; `message` is shown to users as it is.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
