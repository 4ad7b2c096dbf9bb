internal import HTTP
internal import Linux

/// Why an artifact is not there.
public struct ArtifactError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What can be done about it.
  public enum Kind: Sendable {
    /// The block makes no sense: fetching again cannot help.
    case invalid
    /// What came is not what was asked for: a wrong checksum, a broken or dangerous archive, too many bytes.
    case refused
    /// The server or the network failed; later it may work.
    case temporary
    /// This host failed.
    case system
    /// The caller does not want it any more.
    case cancelled
  }

  /// The kind.
  public var kind: Kind
  /// What failed, on which object, why, and what to do.
  public var message: String

  /// An error.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// The message.
  public var description: String { message }

  init(_ error: SystemError, _ what: String) { self.init(.system, "\(what): \(error)") }
}
