/// What a handler answers.
public struct HTTPResponse: Sendable {
  /// The status.
  public var status: HTTPStatus
  /// Fields to send. Date, Content-Length, Transfer-Encoding and Connection are the server's to set.
  public var headers: HTTPHeaders
  /// Where the bytes come from.
  public var body: Body

  /// Where the bytes of a response come from.
  public enum Body: Sendable {
    /// All of them now; compressed if the client accepts it and it pays.
    case bytes([UInt8])
    /// Written while the response is on its way. The closure runs after the head was handed over; when it returns the
    /// response ends, when it throws the connection is cut so that the client notices.
    case stream(@Sendable (HTTPBodyWriter) async throws -> Void)
    /// A range of a file, sent by the kernel where it can.
    case file(HTTPFileBody)
    /// The connection leaves HTTP (status 101) and is the closure's until it returns.
    case upgrade(@Sendable (HTTPUpgradedSocket) async -> Void)
  }

  /// A response with everything given.
  public init(status: HTTPStatus = .ok, headers: HTTPHeaders = [:], body: Body = .bytes([])) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// A response of bytes that are there.
  public init(status: HTTPStatus = .ok, headers: HTTPHeaders = [:], bytes: [UInt8]) {
    self.init(status: status, headers: headers, body: .bytes(bytes))
  }

  /// A text answer, `Content-Type: text/plain; charset=utf-8` unless the headers say otherwise.
  public static func text(_ text: String, status: HTTPStatus = .ok, headers: HTTPHeaders = [:]) -> HTTPResponse {
    var headers = headers
    if headers["Content-Type"] == nil { headers["Content-Type"] = "text/plain; charset=utf-8" }
    return HTTPResponse(status: status, headers: headers, body: .bytes(Array(text.utf8)))
  }
}
