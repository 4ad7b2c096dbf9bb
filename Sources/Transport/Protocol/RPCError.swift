/// Why a call, a stream or a connection failed. Travels over the wire, so that the caller sees what the callee threw.
public struct RPCError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of failure; what a caller decides on. Numbers are wire format and never change their meaning.
  public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number on the wire.
    public let rawValue: UInt16

    /// Takes any number: a newer peer may send one that this version has no name for.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The caller gave the call up.
    public static let cancelled = Code(rawValue: 1)
    /// The request is malformed or asks for something that can't be: don't repeat it.
    public static let invalid = Code(rawValue: 2)
    /// The time given for the call is over; whether it took effect is unknown.
    public static let deadlineExceeded = Code(rawValue: 3)
    /// The object does not exist.
    public static let notFound = Code(rawValue: 4)
    /// The caller is known and may not do this.
    public static let permissionDenied = Code(rawValue: 5)
    /// The caller is not known.
    public static let unauthenticated = Code(rawValue: 6)
    /// A limit is reached: of streams, of connections, of bytes.
    public static let resourceExhausted = Code(rawValue: 7)
    /// The object is in a state that does not allow this, or changed meanwhile.
    public static let conflict = Code(rawValue: 8)
    /// The peer can't be reached or is going away: try another one, or later.
    public static let unavailable = Code(rawValue: 9)
    /// A bug or a failure inside the callee.
    public static let `internal` = Code(rawValue: 10)
    /// The server asked does not know a leader at the moment.
    public static let noLeader = Code(rawValue: 11)
    /// The callee has no such method: usually an older version.
    public static let unimplemented = Code(rawValue: 12)
    /// The peer broke the protocol, or speaks another one.
    public static let protocolViolation = Code(rawValue: 13)

    /// The kind in words.
    public var description: String {
      switch self {
      case .cancelled: "cancelled"
      case .invalid: "invalid"
      case .deadlineExceeded: "deadline exceeded"
      case .notFound: "not found"
      case .permissionDenied: "permission denied"
      case .unauthenticated: "unauthenticated"
      case .resourceExhausted: "resource exhausted"
      case .conflict: "conflict"
      case .unavailable: "unavailable"
      case .internal: "internal error"
      case .noLeader: "no leader"
      case .unimplemented: "unimplemented"
      case .protocolViolation: "protocol violation"
      default: "error \(rawValue)"
      }
    }
  }

  /// What the caller decides on.
  public let code: Code
  /// What failed, on which object and what to do, in words.
  public let message: String

  /// An error of one kind.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// Kind and message.
  public var description: String { "\(code): \(message)" }

  /// The form in which any error of a handler goes to the caller.
  init(describing error: any Error) {
    switch error {
    case let error as RPCError: self = error
    case is CancellationError: self = RPCError(.cancelled, "the handler was cancelled")
    default: self = RPCError(.internal, "\(error)")
    }
  }
}
