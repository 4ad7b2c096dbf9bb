internal import Codec
internal import HTTP
internal import Model
internal import Server
internal import State

let operatorRoutes: [Route] = [
  Route([.put, .post], "/v1/system/reconcile/summaries", .server) { _, _ in
    // Summaries are counted as allocations change and stored nowhere: there is nothing that could have gone wrong.
    HTTPResponse()
  },
  Route([.put, .post], "/v1/system/gc", .server) { _, context in
    try await context.theServer().collectGarbage()
    return HTTPResponse()
  },
  Route([.get], "/v1/operator/scheduler/configuration", .server) { request, context in
    let state = try context.theServer().reader
    var answer = SchedulerConfigurationResponse()
    answer.schedulerConfig = state.schedulerConfiguration
    answer.index = state.index(of: .schedulerConfiguration)
    answer.knownLeader = true
    return try request.json(answer, headers: request.indexHeaders(answer.index))
  },
  Route([.put, .post], "/v1/operator/scheduler/configuration", .server) { request, context in
    let body = try request.requiredBody(SchedulerConfiguration.self)
    let cas = try request.integer("cas").map { UInt64(clamping: $0) }
    var answer = SchedulerSetConfigurationResponse()
    do {
      answer.index = try await context.theServer().setSchedulerConfiguration(body, expectedIndex: cas)
      answer.updated = true
    } catch let error as ServerError where error.kind == .conflict {
      // Somebody else was first: no failure, but nothing was changed.
      answer.index = try context.theServer().reader.index(of: .schedulerConfiguration)
    }
    return try request.json(answer, headers: request.indexHeaders(answer.index))
  },
  Route([.get], "/v1/operator/raft/configuration", .server) { request, context in
    let server = try context.theServer()
    let standing = server.standing
    var answer = RaftConfiguration()
    answer.index = standing.membershipIndex
    answer.servers = standing.peers.map { peer in
      var member = RaftConfiguration.Server()
      member.id = peer.id
      let name = server.name(of: peer.id)
      member.node = name.isEmpty ? "(unknown)" : name
      member.address = server.address(of: peer.id)
      member.leader = peer.id == standing.leader
      member.voter = peer.isVoter
      return member
    }
    return try request.json(answer)
  },
  Route([.get], "/v1/operator/snapshot", .server) { request, context in
    let snapshot = try await context.theServer().saveSnapshot()
    var headers = request.indexHeaders(snapshot.index)
    headers["Content-Type"] = "application/octet-stream"
    return HTTPResponse(
      headers: headers, body: .stream { writer in try await snapshot.send { try await writer.write($0) } })
  },
  Route([.put, .post], "/v1/operator/snapshot", .leader) { request, context in
    guard !request.http.body.isEmpty else { throw APIError.badRequest("the body is to be a snapshot") }
    let index = try await context.theServer().restoreSnapshot(request.http.body)
    return HTTPResponse(headers: request.indexHeaders(index))
  },
  Route([.delete], "/v1/operator/raft/peer", .leader) { request, context in
    let (id, address) = try peer(request)
    try await context.theServer().removePeer(id: id, address: address)
    return HTTPResponse()
  },
  Route([.put, .post], "/v1/operator/raft/transfer-leadership", .leader) { request, context in
    let (id, address) = try peer(request)
    let chosen = try await context.theServer().transferLeadership(id: id, address: address)
    var answer = JSONObject()
    answer["To"] = .string(chosen.description)
    return try request.json(answer)
  },
  Route([.get], "/v1/operator/autopilot/configuration", .server) { request, context in
    try request.json(try context.theServer().reader.autopilotConfiguration)
  },
  Route([.put, .post], "/v1/operator/autopilot/configuration", .leader) { request, context in
    let body = try request.requiredBody(AutopilotConfiguration.self)
    let cas = try request.integer("cas").map { UInt64(clamping: $0) }
    do {
      _ = try await context.theServer().setAutopilotConfiguration(body, expectedIndex: cas)
      return try request.json(true)
    } catch let error as ServerError where error.kind == .conflict {
      // Somebody else was first: no failure, but nothing was changed.
      return try request.json(false)
    }
  },
  Route([.get], "/v1/operator/autopilot/health", .leader) { request, context in
    let servers = try await context.theServer().health()
    var answer = OperatorHealth()
    answer.servers = servers
    answer.healthy = servers.allSatisfy(\.healthy)
    let voters = servers.filter(\.voter)
    answer.failureTolerance = max(0, voters.count { $0.healthy } - (voters.count / 2 + 1))
    var response = try request.json(answer)
    if !answer.healthy { response.status = .tooManyRequests }
    return response
  },
]

/// The member that the query names.
private func peer(_ request: APIRequest) throws(APIError) -> (id: Identifier?, address: String?) {
  let (id, address) = (request.query["id"] ?? "", request.query["address"] ?? "")
  guard id.isEmpty || address.isEmpty else { throw .badRequest("the query names a peer by id or by address, not both") }
  guard id.isEmpty || Identifier(id) != nil else { throw .badRequest("\"\(id)\" is no id of a server: it is a UUID") }
  return (id.isEmpty ? nil : Identifier(id), address.isEmpty ? nil : address)
}
