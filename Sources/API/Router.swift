public import HTTP

/// One path of the API and what answers it.
struct Route: Sendable {
  /// Where a route is answered.
  enum Place: Sendable {
    /// By any agent itself.
    case agent
    /// By a server; other agents hand the request on to one. What changes something is answered by the leader; what only
    /// reads by the server that is asked, once it knows that it has the newest state, or at once with `?stale`.
    case server
    /// By the leader, also what only reads.
    case leader
    /// By any server itself; other agents hand the request on to one.
    case anyServer
    /// By the agent that runs the allocation named by this path parameter.
    case allocation(String)
    /// By the agent of the node that `node_id` names, or by the agent that is asked.
    case node
  }

  let methods: [HTTPMethod]
  /// Literal segments, and parameters as `:name`; `:name*` takes one or more segments, for ids with slashes.
  let pattern: [String]
  let place: Place
  /// Whether `?filter=` selects from what the route lists.
  var isFiltered = false
  let handle: @Sendable (APIRequest, APIContext) async throws -> HTTPResponse

  init(
    _ methods: [HTTPMethod], _ path: String, _ place: Place,
    _ handle: @escaping @Sendable (APIRequest, APIContext) async throws -> HTTPResponse
  ) {
    self.methods = methods
    pattern = path.split(separator: "/").map(String.init)
    self.place = place
    self.handle = handle
  }

  /// The same route, which acts on `?filter=`.
  func filtered() -> Route {
    var route = self
    route.isFiltered = true
    return route
  }

  /// The path parameters when `segments` fit.
  func match(_ segments: [String]) -> [String: String]? {
    var parameters: [String: String] = [:]
    var position = 0
    for (place, part) in pattern.enumerated() {
      guard part.hasPrefix(":") else {
        guard position < segments.count, segments[position] == part else { return nil }
        position += 1
        continue
      }
      let after = pattern.count - place - 1
      let count = part.hasSuffix("*") ? segments.count - position - after : 1
      guard count >= 1, position + count <= segments.count else { return nil }
      let value = segments[position..<position + count].joined(separator: "/")
      guard !value.isEmpty else { return nil }
      parameters[String(part.dropFirst().prefix { $0 != "*" })] = value
      position += count
    }
    return position == segments.count ? parameters : nil
  }
}

/// All routes.
struct Router: Sendable {
  let routes: [Route]

  /// What a path leads to.
  enum Finding {
    case route(Route, [String: String])
    /// The path exists, but not for this method.
    case wrongMethod(allowed: [HTTPMethod])
    case nothing
  }

  /// Routes with more literal segments win over those with parameters; the table lists them in that order.
  func find(_ method: HTTPMethod, _ segments: [String]) -> Finding {
    let wanted = method == .head ? .get : method
    var allowed: [HTTPMethod] = []
    for route in routes {
      guard let parameters = route.match(segments) else { continue }
      if route.methods.contains(wanted) { return .route(route, parameters) }
      allowed += route.methods.filter { !allowed.contains($0) }
    }
    return allowed.isEmpty ? .nothing : .wrongMethod(allowed: allowed)
  }
}
