/// One request as the handler sees it: head and whole body.
public struct HTTPRequest: Sendable {
  /// The method.
  public var method: HTTPMethod
  /// Path segments and query, decoded.
  public var target: HTTPTarget
  /// Header fields, in the order received.
  public var headers: HTTPHeaders
  /// The whole body; at most `HTTPServerConfiguration.maxBodyBytes`.
  public var body: [UInt8]
  /// The peer's numeric address without port, "" on a Unix socket.
  public var remoteAddress: String

  /// A request with everything given, as tests make it.
  public init(
    method: HTTPMethod, target: HTTPTarget, headers: HTTPHeaders = [:], body: [UInt8] = [], remoteAddress: String = ""
  ) {
    self.method = method
    self.target = target
    self.headers = headers
    self.body = body
    self.remoteAddress = remoteAddress
  }

  /// The decoded query items.
  public var query: HTTPQuery { target.query }
}
