internal import Codec
internal import Gossip
internal import HTTP
internal import Membership
internal import Model

/// The gossip pool: join, force-leave, the key ring.
let membershipRoutes: [Route] = [
  Route([.put, .post], "/v1/agent/join", .agent) { request, context in
    let membership = try context.theMembership()
    let addresses = request.query.items.filter { $0.name == "address" && !$0.value.isEmpty }.map(\.value)
    guard !addresses.isEmpty else { throw APIError.badRequest("missing address to join: the query's address") }
    let result = await membership.join(addresses)
    var answer = JoinResponse()
    answer.numJoined = result.reached
    if result.reached == 0 {
      answer.error = result.failures.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: "; ")
    }
    return try request.json(answer)
  },
  Route([.put, .post], "/v1/agent/force-leave", .anyServer) { request, context in
    guard let node = request.query["node"], !node.isEmpty else {
      throw APIError.badRequest("missing node to force leave: the query's node")
    }
    if node == context.agent.name {
      throw APIError.badRequest(
        "\"\(node)\" is the server that was asked: it leaves when it is stopped with leave_on_terminate")
    }
    // A name that no server has is no error: whoever asks wants it gone.
    _ = try context.theMembership().forceLeave(node, prune: try request.flag("prune"))
    return HTTPResponse()
  },
  Route([.get], "/v1/agent/keyring/list", .anyServer) { request, context in try await keyRing(.list, request, context)
  },
  Route([.put, .post], "/v1/agent/keyring/install", .anyServer) { request, context in
    try await keyRing(.install(try key(request)), request, context)
  },
  Route([.put, .post], "/v1/agent/keyring/use", .anyServer) { request, context in
    try await keyRing(.use(try key(request)), request, context)
  },
  Route([.put, .post], "/v1/agent/keyring/remove", .anyServer) { request, context in
    try await keyRing(.remove(try key(request)), request, context)
  },
]

private func key(_ request: APIRequest) throws(APIError) -> [UInt8] {
  guard let key = Blob(base64: try request.requiredBody(KeyringRequest.self).key)?.bytes, !key.isEmpty else {
    throw APIError.badRequest("the body's Key is no base64: `serai operator gossip keyring generate` makes one")
  }
  return key
}

private func keyRing(
  _ operation: KeyRingOperation, _ request: APIRequest, _ context: APIContext
) async throws -> HTTPResponse {
  let membership = try context.theMembership()
  guard membership.isEncrypted else {
    throw APIError.badRequest("gossip is not encrypted: give every server the same `encrypt` key and restart them")
  }
  let report = await membership.keyRing(operation)
  guard report.errors.isEmpty else {
    let errors = report.errors.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: "; ")
    throw APIError(.internalServerError, "\(report.errors.count)/\(report.members) servers reported failure: \(errors)")
  }
  var answer = KeyringResponse()
  answer.numNodes = report.members
  for (key, count) in report.keys { answer.keys[Blob(key).base64] = count }
  for (key, count) in report.primaryKeys { answer.primaryKeys[Blob(key).base64] = count }
  return try request.json(answer)
}
