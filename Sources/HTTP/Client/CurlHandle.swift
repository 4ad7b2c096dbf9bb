internal import CCurl
internal import Glibc
internal import Synchronization

/// One libcurl transfer, set up from a request. Owns the C handle and what it points to.
///
/// Noncopyable, and used by one thread at a time.
struct CurlHandle: ~Copyable {
  let pointer: UnsafeMutableRawPointer
  private var headerList: UnsafeMutablePointer<curl_slist>?
  private var connectTo: UnsafeMutablePointer<curl_slist>?
  /// libcurl's own words for a failure go here.
  private let errorText: UnsafeMutablePointer<CChar>

  static func make(
    _ request: HTTPClientRequest, _ configuration: HTTPClientConfiguration
  ) throws(HTTPClientError) -> CurlHandle {
    try load()
    guard let pointer = serai_curl_easy_init() else {
      throw HTTPClientError(.other, "libcurl could not be initialised: is there memory left?")
    }
    var handle = CurlHandle(owning: pointer)
    try handle.setUp(request, configuration)
    return handle
  }

  private init(owning pointer: UnsafeMutableRawPointer) {
    self.pointer = pointer
    errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    errorText[0] = 0
    _ = serai_curl_set_pointer(pointer, CURLOPT_ERRORBUFFER, errorText)
  }

  deinit {
    serai_curl_easy_cleanup(pointer)
    serai_curl_slist_free_all(headerList)
    serai_curl_slist_free_all(connectTo)
    errorText.deallocate()
  }

  /// Loads libcurl when the first request needs it.
  static func load() throws(HTTPClientError) {
    if let problem = serai_curl_load() {
      throw HTTPClientError(.other, "an HTTP client can't be made: \(String(cString: problem))")
    }
  }

  /// The error for a finished transfer, nil if it succeeded.
  func failure(_ code: CURLcode, _ request: HTTPClientRequest, _ configuration: HTTPClientConfiguration)
    -> HTTPClientError?
  {
    guard code != CURLE_OK else { return nil }
    var number = 0
    _ = serai_curl_get_long(pointer, CURLINFO_OS_ERRNO, &number)
    return HTTPClientError(
      code, request: request, configuration: configuration, errno: number, detail: String(cString: errorText))
  }

  private mutating func setUp(_ request: HTTPClientRequest, _ configuration: HTTPClientConfiguration)
    throws(HTTPClientError)
  {
    var url = request.url
    if let name = configuration.tls.serverName, url.hasPrefix("https://"), let target = target(of: url) {
      // libcurl takes the name for SNI and verification from the URL: so the URL gets the name, the connection the host.
      url = "https://\(name):\(target.port)" + pathAndQuery(of: url)
      connectTo = serai_curl_slist_append(nil, "\(name):\(target.port):\(target.host):\(target.port)")
      set(CURLOPT_CONNECT_TO, connectTo)
      if let user = target.userInfo { try set(CURLOPT_USERPWD, user) }
    }
    try set(CURLOPT_URL, url)
    try set(CURLOPT_PROTOCOLS_STR, "http,https")
    try set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https")
    set(CURLOPT_NOSIGNAL, 1)
    set(CURLOPT_TCP_NODELAY, 1)
    set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(configuration.connectTimeout))
    if let timeout = request.timeout { set(CURLOPT_TIMEOUT_MS, milliseconds(timeout)) }
    set(CURLOPT_FOLLOWLOCATION, request.maxRedirects > 0 ? 1 : 0)
    set(CURLOPT_MAXREDIRS, request.maxRedirects)
    if request.acceptsCompression { try set(CURLOPT_ACCEPT_ENCODING, "gzip") }
    if let path = configuration.unixSocketPath { try set(CURLOPT_UNIX_SOCKET_PATH, path) }
    // A proxy of the environment must not get what is meant for this host.
    if configuration.unixSocketPath != nil || isLoopback(authority(of: request.url)) { try set(CURLOPT_NOPROXY, "*") }
    try setUp(configuration.tls)
    try setUp(method: request.method, body: request.body)
    try setUp(request.headers, configuration.userAgent, hasBody: request.body != nil)
  }

  private func setUp(_ tls: HTTPClientConfiguration.TLS) throws(HTTPClientError) {
    for (option, path) in [
      (CURLOPT_CAINFO, tls.caFile), (CURLOPT_CAPATH, tls.caPath), (CURLOPT_SSLCERT, tls.certificateFile),
      (CURLOPT_SSLKEY, tls.keyFile),
    ] {
      if let path { try set(option, path) }
    }
    if tls.skipVerify {
      set(CURLOPT_SSL_VERIFYPEER, 0)
      set(CURLOPT_SSL_VERIFYHOST, 0)
    }
  }

  private func setUp(method: HTTPMethod, body: [UInt8]?) throws(HTTPClientError) {
    if let body {
      let code = body.withUnsafeBytes { serai_curl_set_body(pointer, $0.baseAddress, curl_off_t($0.count)) }
      guard code == CURLE_OK else {
        throw HTTPClientError(.other, "no memory for a request body of \(body.count) bytes")
      }
      if method != .post { try set(CURLOPT_CUSTOMREQUEST, method.rawValue) }
    } else if method == .head {
      set(CURLOPT_NOBODY, 1)
    } else if method != .get {
      try set(CURLOPT_CUSTOMREQUEST, method.rawValue)
    }
  }

  private mutating func setUp(_ headers: HTTPHeaders, _ userAgent: String, hasBody: Bool) throws(HTTPClientError) {
    // libcurl would add these two to requests with a body: the wrong type, and a wait for permission to send it.
    var lines = hasBody ? ["Expect:"] : []
    if hasBody, headers["Content-Type"] == nil { lines.append("Content-Type:") }
    for field in headers {
      try field.checkForRequest()
      // "Name;" is libcurl's way to say: present and empty.
      lines.append(field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
    }
    if headers["User-Agent"] == nil { try set(CURLOPT_USERAGENT, userAgent) }
    for line in lines { headerList = serai_curl_slist_append(headerList, line) ?? headerList }
    set(CURLOPT_HTTPHEADER, headerList)
  }

  private func set(_ option: CURLoption, _ value: Int) { _ = serai_curl_set_long(pointer, option, value) }

  private func set(_ option: CURLoption, _ list: UnsafeMutablePointer<curl_slist>?) {
    _ = serai_curl_set_pointer(pointer, option, list)
  }

  private func set(_ option: CURLoption, _ value: String) throws(HTTPClientError) {
    let code = serai_curl_set_string(pointer, option, value)
    guard code == CURLE_OK else {
      throw HTTPClientError(
        .other, "libcurl does not take \"\(value)\": \(String(cString: serai_curl_easy_strerror(code)))")
    }
  }
}

extension HTTPHeaders.Field {
  /// A line break in a header would let it forge others.
  func checkForRequest() throws(HTTPClientError) {
    guard !name.isEmpty, !(name + value).utf8.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 }) else {
      throw HTTPClientError(.other, "the request header \"\(name)\" is empty or holds a line break")
    }
  }
}

/// At least one: 0 would mean no limit.
private func milliseconds(_ duration: Duration) -> Int {
  max(1, Int(clamping: duration.nanoseconds / 1_000_000))
}

/// 127.0.0.0/8, ::1, localhost; with or without a port.
func isLoopback(_ authority: String) -> Bool {
  if authority.hasPrefix("[") { return authority.hasPrefix("[::1]") }
  let host = authority.prefix { $0 != ":" }
  if equalsIgnoringASCIICase(host, "localhost") { return true }
  return host.hasPrefix("127.") && host.allSatisfy { $0 == "." || ("0"..."9").contains($0) }
}

private func target(of url: String) -> (host: String, port: String, userInfo: String?)? {
  let authority = authority(of: url)
  let rest = url.dropFirst("https://".count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
  let user = rest.lastIndex(of: "@").map { String(rest[..<$0]) }
  if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
    let port = authority[authority.index(after: end)...].drop { $0 == ":" }
    return (String(authority[...end]), port.isEmpty ? "443" : String(port), user)
  }
  let parts = authority.split(separator: ":")
  guard let host = parts.first else { return nil }
  return (String(host), parts.count > 1 ? String(parts[1]) : "443", user)
}

private func pathAndQuery(of url: String) -> Substring {
  url.dropFirst("https://".count).drop { $0 != "/" && $0 != "?" && $0 != "#" }
}
