/// How a client reaches and trusts servers.
public struct HTTPClientConfiguration: Sendable {
  /// Certificates and names in TLS. Paths are of PEM files.
  public struct TLS: Sendable {
    /// Authorities to trust instead of the system's (`NOMAD_CACERT`).
    public var caFile: String?
    /// A directory of such files with hashed names (`NOMAD_CAPATH`).
    public var caPath: String?
    /// Our certificate (`NOMAD_CLIENT_CERT`).
    public var certificateFile: String?
    /// Its key (`NOMAD_CLIENT_KEY`).
    public var keyFile: String?
    /// The name to ask for and to verify instead of the URL's host (`NOMAD_TLS_SERVER_NAME`).
    public var serverName: String?
    /// Believe any certificate (`NOMAD_SKIP_VERIFY`).
    public var skipVerify = false

    /// Every field at its default: zero, empty or absent.
    public init() {}
  }

  /// Certificates and names for https.
  public var tls = TLS()
  /// Connect to this Unix socket whatever the URL's host says.
  public var unixSocketPath: String?
  /// From the start of a connection attempt to its end, name lookup and TLS included.
  public var connectTimeout: Duration = .seconds(10)
  /// Bytes of a response that may wait for their reader before the server is held back.
  public var bufferBytes = 256 << 10
  /// Sent with every request that has no User-Agent of its own.
  public var userAgent = "serai"

  /// Every field at its default: zero, empty or absent.
  public init() {}
}

/// One request of a client.
public struct HTTPClientRequest: Sendable {
  /// The method.
  public var method: HTTPMethod
  /// Absolute, http or https; `user:password@` becomes basic authentication.
  public var url: String
  /// Header fields to send, besides those that every request has.
  public var headers: HTTPHeaders
  /// Sent with its length; nil for none.
  public var body: [UInt8]?
  /// For the whole exchange, body included; nil for no limit, as blocking queries and log followers need it.
  public var timeout: Duration?
  /// How many redirections to follow; they are reported as they come when 0.
  public var maxRedirects = 0
  /// Ask for a compressed body and unpack it on the way.
  public var acceptsCompression = false

  /// A GET without a body unless said otherwise.
  public init(
    method: HTTPMethod = .get, url: String, headers: HTTPHeaders = [:], body: [UInt8]? = nil, timeout: Duration? = nil
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.timeout = timeout
  }
}

/// Where an agent's API is: what `NOMAD_ADDR` and `-address` say.
public struct HTTPAddress: Sendable, Equatable, CustomStringConvertible {
  /// "http://127.0.0.1:4646", without a slash at the end; for a Unix socket "http://localhost".
  public let base: String
  /// The Unix socket to connect to, if the address names one.
  public let unixSocketPath: String?

  /// Reads "http://host:port", "https://…", "host:port" (taken as http) or "unix:///path/of/socket".
  public init(parsing text: String) throws(HTTPClientError) {
    var text = trimmedBlanks(text)
    if text.hasPrefix("unix://") {
      let path = String(text.dropFirst("unix://".count))
      guard path.hasPrefix("/") else {
        throw HTTPClientError(.malformedURL, "\"\(text)\" is no address of a Unix socket: write unix:///run/serai.sock")
      }
      base = "http://localhost"
      unixSocketPath = path
      return
    }
    if !text.contains("://") { text = "http://" + text }
    while text.last == "/" { text.removeLast() }
    let scheme = text.prefix { $0 != ":" }.lowercased()
    guard scheme == "http" || scheme == "https", text.utf8.count > scheme.utf8.count + 3 else {
      throw HTTPClientError(
        .malformedURL, "\"\(text)\" is no address of an agent: write http://127.0.0.1:4646, https://… or unix:///path")
    }
    base = text
    unixSocketPath = nil
  }

  /// As `NOMAD_ADDR` would have it.
  public var description: String { unixSocketPath.map { "unix://\($0)" } ?? base }
}
