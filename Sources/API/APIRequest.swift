internal import Codec
public import HTTP
internal import Model

/// A request with what its route matched.
struct APIRequest: Sendable {
  let http: HTTPRequest
  /// Path parameters by name.
  let parameters: [String: String]

  var query: HTTPQuery { http.query }

  /// Whether the request changes nothing.
  var isReading: Bool { http.method == .get || http.method == .head }

  func parameter(_ name: String) -> String { parameters[name] ?? "" }

  /// The namespace asked for, `default` when none is; "*" stands for all.
  var namespace: String {
    let given = query["namespace"] ?? http.headers["X-Nomad-Namespace"] ?? ""
    return given.isEmpty ? "default" : given
  }

  /// A boolean of the query; present without a value is true.
  func flag(_ name: String) throws(APIError) -> Bool {
    guard let text = query[name] else { return false }
    switch text.lowercased() {
    case "", "true", "1", "t": return true
    case "false", "0", "f": return false
    default: throw .badRequest("the query's \(name) is true or false, not \"\(text)\"")
    }
  }

  func integer(_ name: String) throws(APIError) -> Int64? {
    guard let text = query[name], !text.isEmpty else { return nil }
    guard let number = Int64(text) else {
      throw .badRequest("the query's \(name) must be a whole number, not \"\(text)\"")
    }
    return number
  }

  /// An id in the path.
  func identifier(_ name: String, _ kind: String) throws(APIError) -> Identifier {
    guard let id = Identifier(parameter(name)), !id.isNone else { throw .notFound("\(kind) not found") }
    return id
  }

  /// The body as JSON. An empty one is all defaults.
  func body<Body: Record>(_ type: Body.Type) throws(APIError) -> Body {
    if http.body.isEmpty { return Body() }
    do throws(CodecError) {
      return try JSON.decode(type, from: http.body)
    } catch {
      throw .badRequest("the body can't be read: \(error)")
    }
  }

  /// The same, but there must be one.
  func requiredBody<Body: Record>(_ type: Body.Type) throws(APIError) -> Body {
    guard !http.body.isEmpty else { throw .badRequest("the request has no body") }
    return try body(type)
  }

  /// Since when and how long a blocking query waits; nil for an immediate answer.
  func blocking() throws(APIError) -> (index: UInt64, wait: Nanoseconds)? {
    guard let text = query["index"], !text.isEmpty else { return nil }
    guard let index = UInt64(text) else { throw .badRequest("Invalid index: \"\(text)\" is no whole number") }
    var wait = Nanoseconds.minutes(5)
    if let text = query["wait"], !text.isEmpty {
      if let parsed = Nanoseconds(parsing: text) {
        wait = parsed
      } else {
        throw .badRequest("Invalid wait time: \"\(text)\" is no duration such as 30s or 5m")
      }
    }
    if index == 0 { return nil }
    // A sixteenth of jitter, so that many waiting clients don't all come back at once.
    let bounded = min(max(wait, .zero), .minutes(10))
    let jitter = bounded.count / 16
    return (index, bounded + Nanoseconds(jitter > 0 ? Int64.random(in: 0...jitter) : 0))
  }

  /// Answers JSON, with white space when `?pretty` asks for it.
  func json<T: FieldValue>(_ value: T, headers: HTTPHeaders = [:]) throws(APIError) -> HTTPResponse {
    var headers = headers
    headers["Content-Type"] = "application/json"
    headers["Vary"] = "Accept-Encoding"
    return HTTPResponse(headers: headers, bytes: JSON.encode(value, pretty: try flag("pretty")))
  }

  /// The headers that say which state an answer comes from.
  func indexHeaders(_ index: UInt64) -> HTTPHeaders {
    ["X-Nomad-Index": "\(index)", "X-Nomad-LastContact": "0", "X-Nomad-KnownLeader": "true"]
  }
}
