internal import CCurl
internal import Glibc

/// Why a request got no response, or not all of it.
public struct HTTPClientError: Error, Sendable, CustomStringConvertible {
  /// What a program decides on.
  public enum Kind: Sendable {
    /// The URL or address can't be read, or is neither http nor https.
    case malformedURL
    /// The host name is unknown.
    case nameNotFound
    /// Nothing listens there, or the network does not reach it.
    case unreachable
    /// A timeout of the configuration or the request is over.
    case timedOut
    /// Certificates, keys or names don't fit.
    case tls
    /// The connection broke, or the response is malformed or incomplete.
    case broken
    /// A limit of the caller's: too many redirects, too large a body.
    case limit
    /// The task was cancelled.
    case cancelled
    /// Anything else.
    case other
  }

  /// What a program decides on.
  public let kind: Kind
  /// What failed, on what, and what to do.
  public let message: String

  /// An error of one kind.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// The message alone.
  public var description: String { message }

  /// From libcurl's result for a request.
  init(
    _ code: CURLcode, request: HTTPClientRequest, configuration: HTTPClientConfiguration, errno number: Int,
    detail: String
  ) {
    let server = Self.server(request, configuration)
    let what = Self.what(request)
    let reason = detail.isEmpty ? String(cString: serai_curl_easy_strerror(code)) : detail
    switch code {
    case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL:
      self.init(
        .malformedURL, "\(what) failed: the URL is not valid (\(reason)); write http://host:port/path or https://…")
    case CURLE_COULDNT_RESOLVE_HOST:
      self.init(.nameNotFound, "\(what) failed: the name of \(server) is unknown; is it right, and does DNS work here?")
    case CURLE_COULDNT_RESOLVE_PROXY:
      self.init(
        .nameNotFound, "\(what) failed: the proxy's name is unknown; look at http_proxy, https_proxy and no_proxy")
    case CURLE_COULDNT_CONNECT: self.init(connecting: request, configuration, errno: Int32(clamping: number))
    case CURLE_OPERATION_TIMEDOUT: self.init(tooSlow: request, configuration, reason: reason)
    case CURLE_SSL_CONNECT_ERROR where detail.contains("packet"), CURLE_GOT_NOTHING:
      self.init(
        .broken,
        "\(what) failed: \(server) closed the connection without an answer; does it speak https rather than http, or the reverse?"
      )
    case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_PEER_FAILED_VERIFICATION,
      CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR:
      self.init(
        .tls,
        "\(what) failed in TLS: \(reason); check NOMAD_CACERT, NOMAD_CLIENT_CERT, NOMAD_CLIENT_KEY and NOMAD_TLS_SERVER_NAME"
      )
    case CURLE_TOO_MANY_REDIRECTS:
      self.init(.limit, "\(what) failed: redirected more than \(request.maxRedirects) times")
    case CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING,
      CURLE_UNSUPPORTED_PROTOCOL:
      self.init(broken: request, configuration, reason: reason)
    default:
      self.init(.other, "\(what) failed: \(reason)")
    }
  }

  /// No connection came about.
  init(connecting request: HTTPClientRequest, _ configuration: HTTPClientConfiguration, errno number: Int32) {
    self.init(
      .unreachable, "\(Self.what(request)) failed: " + Self.refusal(Self.server(request, configuration), number))
  }

  /// A timeout is over.
  init(
    tooSlow request: HTTPClientRequest, _ configuration: HTTPClientConfiguration, reason: String = "no answer in time"
  ) {
    let server = Self.server(request, configuration)
    self.init(
      .timedOut,
      "\(Self.what(request)) failed: \(server) took too long (\(reason)); is it overloaded or behind a firewall?")
  }

  /// The response did not come whole.
  init(broken request: HTTPClientRequest, _ configuration: HTTPClientConfiguration, reason: String) {
    let server = Self.server(request, configuration)
    self.init(
      .broken,
      "\(Self.what(request)) failed: the connection to \(server) broke before the response was complete (\(reason)); try again"
    )
  }

  private static func what(_ request: HTTPClientRequest) -> String {
    "\(request.method) \(withoutUserInfo(request.url))"
  }

  private static func server(_ request: HTTPClientRequest, _ configuration: HTTPClientConfiguration) -> String {
    configuration.unixSocketPath.map { "unix://\($0)" } ?? authority(of: request.url)
  }

  private static func refusal(_ server: String, _ number: Int32) -> String {
    switch number {
    case ECONNREFUSED:
      "connection refused by \(server): is the agent running? Start one with `serai agent -dev`, or set NOMAD_ADDR or -address"
    case ENOENT:
      "there is no socket at \(server): is the agent running, and configured to listen there?"
    case EACCES, EPERM:
      "not permitted to connect to \(server): the socket's file mode or a firewall forbids it"
    case 0: "no connection to \(server): is the agent running, and is the address right?"
    default: "no connection to \(server) (\(errnoName(number))): is the host up, and does the network reach it?"
    }
  }
}

/// The host and port of a URL, for messages and for the choice of a proxy.
func authority(of url: String) -> String {
  guard let start = url.utf8.firstIndex(of: UInt8(ascii: "/")) else { return url }
  let rest = url[start...].drop { $0 == "/" }
  let all = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
  return String(all.split(separator: "@").last ?? all)
}

/// The URL without `user:password@`: secrets don't belong in error messages.
func withoutUserInfo(_ url: String) -> String {
  let host = authority(of: url)
  guard let start = url.firstIndex(of: "/") else { return url }
  let slashes = url[start...].prefix { $0 == "/" }
  let rest = url[slashes.endIndex...]
  let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
  return url[..<slashes.endIndex] + host + rest[end...]
}
