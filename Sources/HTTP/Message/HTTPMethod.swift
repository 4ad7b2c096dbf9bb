/// A request method (RFC 9110 §9). Methods are case-sensitive tokens; unknown ones are kept as they came.
public struct HTTPMethod: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The token of the request line.
  public let rawValue: String

  /// Takes any text: one that this version does not know is kept as it is.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// Reads; changes nothing.
  public static let get = HTTPMethod(rawValue: "GET")
  /// As GET, without the body.
  public static let head = HTTPMethod(rawValue: "HEAD")
  /// Writes; Nomad's API takes PUT and POST for the same.
  public static let put = HTTPMethod(rawValue: "PUT")
  /// Writes; Nomad's API takes PUT and POST for the same.
  public static let post = HTTPMethod(rawValue: "POST")
  /// Removes.
  public static let delete = HTTPMethod(rawValue: "DELETE")
  /// Changes parts; no route uses it.
  public static let patch = HTTPMethod(rawValue: "PATCH")
  /// Asks what is allowed.
  public static let options = HTTPMethod(rawValue: "OPTIONS")

  /// As it stands in the request line.
  public var description: String { rawValue }
}
