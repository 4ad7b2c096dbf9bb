internal import Client
internal import Codec
public import HTTP
internal import Log
internal import Model
internal import Server
internal import State
public import Transport

/// The `/v1` API of an agent.
///
/// Any agent answers any request: what needs a server goes on to one, what needs another node's client goes to that agent
/// over the connection that it opened (`HTTPOverRPC`).
public struct API: Sendable {
  let context: APIContext
  private let router: Router

  /// The API over an agent's parts.
  public init(context: APIContext) {
    self.init(
      context: context,
      // Routes below /v1/job/:id* stand before those that take all of the rest for the id.
      routes: jobLaunchRoutes + scalingRoutes + jobRoutes + allocationRoutes + evaluationRoutes + deploymentRoutes
        + nodeRoutes + namespaceRoutes
        + clientRoutes + agentRoutes + membershipRoutes + operatorRoutes + searchRoutes + eventRoutes + variableRoutes)
  }

  /// The same with other routes.
  init(context: APIContext, routes: [Route]) {
    self.context = context
    router = Router(routes: routes)
  }

  /// Says that another server has handed the request on: it is answered here or refused.
  static let forwardedHeader = "X-Serai-Forwarded"
  /// Says that nothing has happened because the server that was asked does not lead.
  static let notLeaderHeader = "X-Serai-Not-Leader"
  /// How long a change waits for a leader.
  private static let patience = Duration.seconds(5)

  /// Answers one request.
  public func respond(to request: HTTPRequest) async -> HTTPResponse {
    do {
      return try await answer(request)
    } catch {
      let failure = APIError(error)
      if failure.status.rawValue >= 500 {
        context.logger.warn(
          "request failed", ("method", request.method.rawValue), ("path", request.target.rawPath),
          ("error", failure.message))
      }
      var response = failure.response
      if (error as? ServerError)?.kind == .notLeader, request.headers[Self.forwardedHeader] != nil {
        response.headers[Self.notLeaderHeader] = "1"
      }
      return response
    }
  }

  private func answer(_ request: HTTPRequest) async throws -> HTTPResponse {
    switch router.find(request.method, request.target.segments) {
    case .nothing: throw APIError(.notFound, "Invalid URL: \(request.target.path)")
    case .wrongMethod(let allowed):
      var response = HTTPResponse.text("Invalid method", status: .methodNotAllowed)
      response.headers["Allow"] = allowed.map(\.rawValue).joined(separator: ", ")
      return response
    case .route(let route, let parameters):
      let request = APIRequest(http: request, parameters: parameters)
      try refuseWhatIsNotThere(request, route)
      if let connection = try await hop(for: route, request) {
        return try await HTTPOverRPC.forward(request.http, over: connection)
      }
      guard let server = context.server else { return try await route.handle(request, context) }
      switch route.place {
      case .server where request.isReading:
        if try !request.flag("stale") {
          try await server.confirmRead(isConsistent: try request.flag("consistent"))
        }
        return withStanding(of: server, try await route.handle(request, context))
      case .server, .leader: return withStanding(of: server, try await answerOnLeader(route, request, server))
      case .agent, .anyServer, .allocation, .node: return try await route.handle(request, context)
      }
    }
  }

  /// Has the leader answer, through a change of leaders too, as long as it is certain that nothing has happened yet.
  private func answerOnLeader(_ route: Route, _ request: APIRequest, _ server: Server) async throws -> HTTPResponse {
    let isForwarded = request.http.headers[Self.forwardedHeader] != nil
    let deadline = ContinuousClock.now + Self.patience
    while true {
      do {
        guard !isForwarded, case .there(let leader) = try await server.leaderPlace(until: deadline) else {
          return try await route.handle(request, context)
        }
        return try await forward(request.http, to: leader)
      } catch let error as ServerError where error.kind == .notLeader {
        guard !isForwarded, ContinuousClock.now < deadline else { throw error }
        try await Task.sleep(for: .milliseconds(10))
      }
    }
  }

  private func forward(_ request: HTTPRequest, to leader: RPCConnection) async throws -> HTTPResponse {
    guard !leader.isClosed else { throw ServerError(.notLeader, "No cluster leader: the way to it broke") }
    var request = request
    request.headers[Self.forwardedHeader] = "1"
    do {
      let response = try await HTTPOverRPC.forward(request, over: leader)
      guard response.headers[Self.notLeaderHeader] == nil else {
        throw ServerError(.notLeader, "No cluster leader: the server that led does not any more")
      }
      return response
    } catch let error as RPCError where error.code == .unavailable {
      throw ServerError(
        .uncertain,
        "the leader was lost while it was asked (\(error.message)): the change may or may not have been made. Look before you "
          + "repeat it")
    }
  }

  /// Says how new the state is that an answer comes from.
  private func withStanding(of server: Server, _ response: HTTPResponse) -> HTTPResponse {
    guard response.headers["X-Nomad-LastContact"] != nil else { return response }
    var response = response
    response.headers["X-Nomad-LastContact"] = "\(server.lastContact)"
    response.headers["X-Nomad-KnownLeader"] = server.standing.leader == nil ? "false" : "true"
    return response
  }

  /// Query parameters that would change the answer and that this version does not act on are refused, never ignored.
  private func refuseWhatIsNotThere(_ request: APIRequest, _ route: Route) throws(APIError) {
    if let filter = request.query["filter"], !filter.isEmpty, !route.isFiltered {
      throw .badRequest("\(request.http.target.path) takes no filter: leave the query's filter out")
    }
    if let region = request.query["region"], !region.isEmpty, region != context.agent.region {
      throw APIError(
        .internalServerError, "No path to region \"\(region)\": this agent knows only \"\(context.agent.region)\"")
    }
  }

  /// The connection to hand the request on over; nil when it is answered here.
  private func hop(for route: Route, _ request: APIRequest) async throws -> RPCConnection? {
    switch route.place {
    case .agent: return nil
    case .server, .leader, .anyServer:
      if context.server != nil { return nil }
      return try await context.theClient().serverConnection()
    case .allocation(let parameter):
      let id = try request.identifier(parameter, "alloc")
      if let client = context.client, await client.allocation(id) != nil { return nil }
      guard let server = context.server else { return try await context.theClient().serverConnection() }
      guard let allocation = server.reader.allocation(id)?.value else {
        throw APIError.notFound("Unknown allocation \"\(id)\"")
      }
      return try await connection(to: allocation.nodeID, request)
    case .node:
      guard let text = request.query["node_id"], !text.isEmpty else {
        _ = try context.theClient()
        return nil
      }
      guard let id = Identifier(text) else { throw APIError.badRequest("\"\(text)\" is no node id") }
      if let client = context.client, await client.nodeID == id { return nil }
      guard context.server != nil else { return try await context.theClient().serverConnection() }
      return try await connection(to: id, request)
    }
  }

  private func connection(to node: Identifier, _ request: APIRequest) async throws(APIError) -> RPCConnection {
    let server = try context.theServer()
    if let connection = server.connection(toNode: node) { return connection }
    guard let record = server.reader.node(node)?.value else { throw .notFound("Unknown node \(node)") }
    // Its client may be connected to another server.
    if let connection = await server.connection(toServerOf: node) { return connection }
    throw APIError(
      .notFound,
      "No path to node \"\(node)\" (\(record.name), \(record.status.rawValue)): its client is not connected to a server"
    )
  }
}
