/// A response status code (RFC 9110 §15).
public struct HTTPStatus: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The three-digit code.
  public let rawValue: Int

  /// Takes any text: one that this version does not know is kept as it is.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// A code as it is written: `HTTPStatus(404)`.
  public init(_ code: Int) { self.rawValue = code }

  /// The connection leaves HTTP: WebSocket.
  public static let switchingProtocols = HTTPStatus(101)
  /// Done, and here is the answer.
  public static let ok = HTTPStatus(200)
  /// Made what was asked for.
  public static let created = HTTPStatus(201)
  /// Done, and there is nothing to say.
  public static let noContent = HTTPStatus(204)
  /// A part of a file.
  public static let partialContent = HTTPStatus(206)
  /// The path has changed for good.
  public static let movedPermanently = HTTPStatus(301)
  /// Ask again elsewhere, with the same method.
  public static let temporaryRedirect = HTTPStatus(307)
  /// The client's copy is still right.
  public static let notModified = HTTPStatus(304)
  /// The request makes no sense as it is.
  public static let badRequest = HTTPStatus(400)
  /// The client has to say who it is.
  public static let unauthorized = HTTPStatus(401)
  /// The client may not do this.
  public static let forbidden = HTTPStatus(403)
  /// There is no such object or path.
  public static let notFound = HTTPStatus(404)
  /// The path does not take this method.
  public static let methodNotAllowed = HTTPStatus(405)
  /// The object changed meanwhile, or its state does not allow this.
  public static let conflict = HTTPStatus(409)
  /// The body is larger than the server reads.
  public static let contentTooLarge = HTTPStatus(413)
  /// Understood, and wrong in what it says.
  public static let unprocessableContent = HTTPStatus(422)
  /// Too many requests; later it may be taken.
  public static let tooManyRequests = HTTPStatus(429)
  /// A fault of the server's.
  public static let internalServerError = HTTPStatus(500)
  /// The server does not do this.
  public static let notImplemented = HTTPStatus(501)
  /// The agent asked on the client's behalf gave a broken answer.
  public static let badGateway = HTTPStatus(502)
  /// The server cannot do it now.
  public static let serviceUnavailable = HTTPStatus(503)
  /// The agent asked on the client's behalf gave no answer in time.
  public static let gatewayTimeout = HTTPStatus(504)

  /// 200…299.
  public var isSuccess: Bool { (200...299).contains(rawValue) }

  /// The number.
  public var description: String { String(rawValue) }
}
