internal import Codec
internal import HTTP

/// The agent's HTTP API on the calling thread: one request at a time, no thread of its own.
struct APIClient: Sendable {
  let settings: ConnectionSettings
  /// For everything but blocking queries and streams. Generous, as a garbage collection of a large cluster takes its time.
  var timeout: Duration = .seconds(300)

  /// How long a blocking query may stay open at the server before it answers with what it had.
  static let blockingWait = "60s"

  // MARK: reading

  /// The answer of a GET, decoded.
  /// - Parameter namespace: instead of the one that the flags or the environment name; "*" for all where a list is read.
  func get<T: FieldValue>(_ path: String, _ query: [String: String] = [:], namespace: String? = nil) throws -> T {
    try JSON.decode(T.self, from: try raw(path, query, namespace: namespace))
  }

  /// The answer of a GET as it came.
  func raw(_ path: String, _ query: [String: String] = [:], namespace: String? = nil) throws -> [UInt8] {
    try perform(request(.get, path, query, namespace)).body
  }

  /// The answer of a GET as it came, also when it comes with a status that is no success but an answer all the same.
  func raw(_ path: String, also status: HTTPStatus) throws -> [UInt8] {
    try perform(request(.get, path, [:], nil), also: status).body
  }

  /// Like `get`, but nil for what does not exist: a 404, or an answer of `null`.
  func optional<T: FieldValue>(_ path: String, _ query: [String: String] = [:], namespace: String? = nil) throws -> T? {
    do {
      let bytes = try raw(path, query, namespace: namespace)
      if try JSON.decode(JSONValue.self, from: bytes) == .null { return nil }
      return try JSON.decode(T.self, from: bytes)
    } catch let error as APIError where error.status == .notFound {
      return nil
    }
  }

  /// A GET that returns when something has changed since `index`, or after a minute.
  /// - Parameter index: what the last answer came with; 0 for an answer at once.
  func blocking<T: FieldValue>(
    _ path: String, after index: UInt64, namespace: String? = nil, wait: String = Self.blockingWait
  ) throws -> (value: T, index: UInt64) {
    var query: [String: String] = [:]
    if index > 0 { query = ["index": "\(index)", "wait": wait] }
    var request = try request(.get, path, query, namespace)
    request.timeout = nil
    let result = try perform(request)
    let seen = result.headers["X-Nomad-Index"].flatMap { UInt64($0) } ?? 0
    // An index that went back means that the servers' state was restored: begin again. One below 1 would not block.
    return (try JSON.decode(T.self, from: result.body), seen < index ? 1 : max(seen, 1))
  }

  /// The same, but it returns within half a second: for what is watched beside something else.
  func blockingShortly<T: FieldValue>(_ path: String, after index: UInt64) throws -> (value: T, index: UInt64) {
    try blocking(path, after: index, wait: "500ms")
  }

  /// A GET whose answer is used while it arrives.
  func stream(
    _ path: String, _ query: [String: String] = [:], namespace: String? = nil, onChunk: ([UInt8]) -> Void
  ) throws {
    var request = try request(.get, path, query, namespace)
    request.timeout = nil
    var isSuccess = false
    var refusal: [UInt8] = []
    let head = try HTTPClient.performStreaming(request, configuration: try configuration()) { head in
      isSuccess = head.status.isSuccess
    } chunk: { chunk in
      if isSuccess {
        onChunk(chunk)
      } else if refusal.count < APIError.longestText {
        refusal += chunk
      }
    }
    if !isSuccess { throw APIError(request, head.status, refusal) }
  }

  // MARK: changing

  /// A PUT with a JSON body; the answer decoded.
  func put<Body: FieldValue, T: FieldValue>(
    _ path: String, _ query: [String: String] = [:], body: Body, namespace: String? = nil
  ) throws -> T {
    try JSON.decode(T.self, from: try perform(request(.put, path, query, namespace, body: JSON.encode(body))).body)
  }

  /// A PUT without a body whose query may name one thing several times; the answer decoded.
  func put<T: FieldValue>(_ path: String, repeating items: [(String, String)]) throws -> T {
    try JSON.decode(T.self, from: try perform(request(.put, path, [:], nil, repeating: items)).body)
  }

  /// The same when the answer is not looked at.
  func send(_ path: String, repeating items: [(String, String)]) throws {
    _ = try perform(request(.put, path, [:], nil, repeating: items))
  }

  /// A DELETE; the answer decoded.
  func delete<T: FieldValue>(
    _ path: String, _ query: [String: String] = [:], namespace: String? = nil, body: JSONObject? = nil
  ) throws -> T {
    try JSON.decode(
      T.self, from: try perform(request(.delete, path, query, namespace, body: body.map { JSON.encode($0) })).body)
  }

  /// A PUT with a JSON body whose answer is not looked at.
  func send<Body: FieldValue>(_ path: String, body: Body, namespace: String? = nil) throws {
    _ = try perform(request(.put, path, [:], namespace, body: JSON.encode(body)))
  }

  /// A PUT of bytes whose answer is not looked at.
  func send(_ path: String, bytes: [UInt8]) throws {
    var request = try request(.put, path, [:], nil, body: bytes)
    request.headers["Content-Type"] = "application/octet-stream"
    _ = try perform(request)
  }

  /// A DELETE whose answer is not looked at.
  func remove(_ path: String, _ query: [String: String] = [:]) throws {
    _ = try perform(request(.delete, path, query, nil))
  }

  /// Opens a WebSocket.
  /// - Throws: `APIError` when the agent answers something else.
  func webSocket(_ path: String, _ query: [String: String], namespace: String? = nil) async throws -> WebSocket {
    let request = try request(.get, path, query, namespace)
    do {
      return try await WebSocket.connect(request, configuration: try configuration())
    } catch let refusal as WebSocketRefusal {
      throw APIError(request, refusal.status, refusal.body)
    }
  }

  // MARK: requests

  private func perform(_ request: HTTPClientRequest, also status: HTTPStatus? = nil) throws -> HTTPClient.Result {
    let result = try HTTPClient.perform(request, configuration: try configuration())
    guard result.status.isSuccess || result.status == status else {
      throw APIError(request, result.status, result.body)
    }
    return result
  }

  private func request(
    _ method: HTTPMethod, _ path: String, _ query: [String: String], _ namespace: String?, body: [UInt8]? = nil,
    repeating repeated: [(String, String)] = []
  ) throws(HTTPClientError) -> HTTPClientRequest {
    var items = repeated.map { HTTPQuery.Item(name: $0.0, value: $0.1) }
    items += query.map { HTTPQuery.Item(name: $0.key, value: $0.value) }.sorted { $0.name < $1.name }
    if let region = settings.region { items.append(.init(name: "region", value: region)) }
    if let namespace = namespace ?? settings.namespace { items.append(.init(name: "namespace", value: namespace)) }
    var base = try HTTPAddress(parsing: settings.address).base
    if let auth = settings.httpAuth, let place = base.range(of: "://") {
      let parts = auth.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map {
        String($0).pathEncoded
      }
      base.insert(contentsOf: parts.joined(separator: ":") + "@", at: place.upperBound)
    }
    var headers: HTTPHeaders = [:]
    if let token = settings.token { headers["X-Nomad-Token"] = token }
    if body != nil { headers["Content-Type"] = "application/json" }
    let suffix = items.isEmpty ? "" : "?" + HTTPQuery(items).encoded
    return HTTPClientRequest(method: method, url: base + path + suffix, headers: headers, body: body, timeout: timeout)
  }

  private func configuration() throws(HTTPClientError) -> HTTPClientConfiguration {
    var configuration = HTTPClientConfiguration()
    configuration.unixSocketPath = try HTTPAddress(parsing: settings.address).unixSocketPath
    configuration.tls.caFile = settings.caCertificate
    configuration.tls.caPath = settings.caPath
    configuration.tls.certificateFile = settings.clientCertificate
    configuration.tls.keyFile = settings.clientKey
    configuration.tls.serverName = settings.tlsServerName
    configuration.tls.skipVerify = settings.tlsSkipVerify
    return configuration
  }
}

/// An agent's answer that is no success.
struct APIError: Error, CustomStringConvertible {
  /// Bytes of the agent's text that are shown at most.
  static let longestText = 64 << 10

  let method: HTTPMethod
  let path: String
  let status: HTTPStatus
  /// What the agent says.
  let text: String

  init(_ request: HTTPClientRequest, _ status: HTTPStatus, _ body: [UInt8]) {
    method = request.method
    path =
      request.url.range(of: "/v1/").map { String(request.url[$0.lowerBound...].prefix { $0 != "?" }) } ?? request.url
    self.status = status
    var body = body.prefix(Self.longestText)
    while let last = body.last, last == 0x0A || last == 0x0D || last == 0x20 { body.removeLast() }
    text = String(decoding: body, as: UTF8.self)
  }

  /// `Unexpected response code: 404 (job not found)`, as scripts know it, and what can be done about it.
  var description: String {
    let advice: String? =
      switch status {
      case .unauthorized, .forbidden: "the token may not do this: give another with -token or NOMAD_TOKEN"
      case .methodNotAllowed, .notImplemented: "this agent's version does not know \(method) \(path)"
      case .badGateway, .serviceUnavailable, .gatewayTimeout: "look at the agent's log, and try again"
      default: nil
      }
    return "Unexpected response code: \(status) (\(text.isEmpty ? "\(method) \(path)" : text))"
      + (advice.map { ": " + $0 } ?? "")
  }
}

extension String {
  /// Fit for one segment of a URL's path.
  var pathEncoded: String { percentEncoded(self) }
}

extension String {
  /// Where `needle` first is.
  fileprivate func range(of needle: String) -> Range<String.Index>? {
    var start = startIndex
    while start < endIndex {
      if let end = index(start, offsetBy: needle.count, limitedBy: endIndex), self[start..<end] == needle {
        return start..<end
      }
      start = index(after: start)
    }
    return nil
  }
}
