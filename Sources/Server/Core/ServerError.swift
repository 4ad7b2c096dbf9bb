/// Why a request to a server failed.
public struct ServerError: Error, Sendable, CustomStringConvertible {
  /// What the requester can do about it; the HTTP status follows from it.
  public enum Kind: Sendable {
    /// The request makes no sense as it is.
    case invalid
    case notFound
    case permissionDenied
    /// The record has changed meanwhile, or is in a state that does not allow this.
    case conflict
    /// This server does not lead, and nothing has happened: another one, or this one later, may do it.
    case notLeader
    /// It may or may not have happened.
    case uncertain
    /// The server can't do it now.
    case unavailable
    case `internal`
  }

  public let kind: Kind
  /// What failed, on which object, and what to do.
  public let message: String

  /// An error of one kind.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  public var description: String { message }
}
