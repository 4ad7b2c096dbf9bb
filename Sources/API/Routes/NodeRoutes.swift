internal import Codec
internal import HTTP
internal import Model
internal import Server
internal import State

let nodeRoutes: [Route] = [
  Route([.get], "/v1/nodes", .server) { request, context in
    let (state, index) = try await request.read(context, watching: [.table(.nodes)]) { $0.index(of: .nodes) }
    let stub = try request.nodeStub()
    let stubs = try request.selected(try request.matching(state.nodes, state), by: { $0.value }).map { stub($0.value) }
    return try request.page(stubs, index: index) { $0.id.description }
  }.filtered(),
  Route([.get], "/v1/node/pools", .server) { request, context in
    let (state, index) = try await request.read(context, watching: [.table(.nodePools)]) { $0.index(of: .nodePools) }
    let prefix = request.query["prefix"] ?? ""
    let pools = state.nodePools.map { $0.1.value }.filter { $0.name.hasPrefix(prefix) }
    return try request.page(try request.selected(pools) { $0 }, index: index) { $0.name }
  }.filtered(),
  Route([.get], "/v1/node/pool/:name/nodes", .server) { request, context in
    let name = request.parameter("name")
    let (state, index) = try await request.read(context, watching: [.table(.nodes)]) { $0.index(of: .nodes) }
    guard state.nodePool(name) != nil else { throw APIError.notFound("node pool not found") }
    let stubs = state.nodes.map { $0.1.value }.filter { name == "all" || $0.nodePool == name }.map(
      try request.nodeStub())
    return try request.page(stubs, index: index) { $0.id.description }
  },
  Route([.get], "/v1/node/pool/:name/jobs", .server) { request, context in
    let name = request.parameter("name")
    let (state, index) = try await request.read(context, watching: [.table(.jobs)]) { $0.index(of: .jobs) }
    guard state.nodePool(name) != nil else { throw APIError.notFound("node pool not found") }
    let stubs = state.jobs.map { $0.1 }.filter { $0.spec.value.nodePool == name && request.includes($0.key.namespace) }
      .map { JobListStub($0.job, summary: state.summary(ofJob: $0.key)) }
    return try request.page(stubs, index: index) { "\($0.namespace).\($0.id)" }
  },
  Route([.get], "/v1/node/pool/:name", .server) { request, context in
    let name = request.parameter("name")
    let (state, index) = try await request.read(context, watching: [.nodePool(name)]) {
      $0.nodePool(name)?.value.modifyIndex ?? $0.index(of: .nodePools)
    }
    guard let pool = state.nodePool(name)?.value else { throw APIError.notFound("node pool not found") }
    return try request.json(pool, headers: request.indexHeaders(index))
  },
  Route([.put, .post], "/v1/node/pools", .server) { request, context in
    let pool = try request.requiredBody(NodePool.self)
    return request.empty(index: try await context.theServer().upsertNodePool(pool))
  },
  Route([.put, .post], "/v1/node/pool/:name", .server) { request, context in
    var pool = try request.requiredBody(NodePool.self)
    if pool.name.isEmpty { pool.name = request.parameter("name") }
    return request.empty(index: try await context.theServer().upsertNodePool(pool))
  },
  Route([.delete], "/v1/node/pool/:name", .server) { request, context in
    request.empty(index: try await context.theServer().deleteNodePool(request.parameter("name")))
  },
  Route([.get], "/v1/node/:id/allocations", .server) { request, context in
    let id = try request.identifier("id", "node")
    let (state, index) = try await request.read(context, watching: [.nodeAllocations(id)]) {
      $0.allocations(onNode: id).map(\.value.modifyIndex).max() ?? $0.index(of: .allocations)
    }
    let allocations = state.allocations(onNode: id).map { $0.value.allocation(includingJob: true).withOldResources() }
    return try request.json(allocations, headers: request.indexHeaders(index))
  },
  Route([.put, .post], "/v1/node/:id/evaluate", .server) { request, context in
    let result = try await context.theServer().evaluateNode(try request.identifier("id", "node"))
    return try request.nodeUpdate(result.evaluations, result.index)
  },
  Route([.put, .post], "/v1/node/:id/eligibility", .server) { request, context in
    let body = try request.requiredBody(EligibilityRequest.self)
    guard let eligibility = NodeEligibility(rawValue: body.eligibility) else {
      throw APIError.badRequest(
        "Invalid scheduling eligibility \"\(body.eligibility)\": it is \"eligible\" or \"ineligible\"")
    }
    let index = try await context.theServer().setEligibility(try request.identifier("id", "node"), eligibility)
    return try request.nodeUpdate([], index)
  },
  Route([.put, .post], "/v1/node/:id/drain", .server) { request, context in
    var body = try request.body(NodeUpdateDrainRequest.self)
    // The form that clients of old send: with a flag and without a body.
    if request.query["enable"] != nil { body.drainSpec = try request.flag("enable") ? DrainSpec() : nil }
    let result = try await context.theServer().drain(try request.identifier("id", "node"), body)
    return try request.nodeUpdate(result.evaluations, result.index)
  },
  Route([.put, .post], "/v1/node/:id/purge", .server) { request, context in
    try request.nodeUpdate([], try await context.theServer().purgeNode(try request.identifier("id", "node")))
  },
  Route([.get], "/v1/node/:id", .server) { request, context in
    let id = try request.identifier("id", "node")
    let (state, index) = try await request.read(context, watching: [.node(id)]) {
      $0.node(id)?.value.modifyIndex ?? $0.index(of: .nodes)
    }
    guard let node = state.node(id)?.value else { throw APIError.notFound("node not found") }
    return try request.json(node, headers: request.indexHeaders(index))
  },
]

/// Body of `PUT /v1/node/:id/eligibility`.
private struct EligibilityRequest: Record {
  var nodeID: Identifier?
  var eligibility = ""

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "NodeID", &nodeID)
    v.field(2, "Eligibility", &eligibility)
  }
}

extension APIRequest {
  /// An answer without a body.
  func empty(index: UInt64) -> HTTPResponse { HTTPResponse(headers: indexHeaders(index), bytes: []) }

  fileprivate func nodeUpdate(_ evaluations: [Identifier], _ index: UInt64) throws(APIError) -> HTTPResponse {
    var answer = JSONObject()
    answer["EvalIDs"] = evaluations.isEmpty ? .null : .array(evaluations.map { .string($0.description) })
    answer["EvalCreateIndex"] = .int(evaluations.isEmpty ? 0 : Int64(clamping: index))
    answer["NodeModifyIndex"] = .int(Int64(clamping: index))
    answer["Index"] = .int(Int64(clamping: index))
    answer["HeartbeatTTL"] = 0
    answer["LeaderRPCAddr"] = ""
    answer["NumNodes"] = 0
    answer["Servers"] = .null
    answer["LastContact"] = 0
    answer["KnownLeader"] = true
    return try json(answer, headers: indexHeaders(index))
  }
}

let namespaceRoutes: [Route] = [
  Route([.get], "/v1/namespaces", .server) { request, context in
    let (state, index) = try await request.read(context, watching: [.table(.namespaces)]) { $0.index(of: .namespaces) }
    let prefix = request.query["prefix"] ?? ""
    let found = state.namespaces.map { $0.1.value }.filter { $0.name.hasPrefix(prefix) }
    return try request.page(try request.selected(found) { $0 }, index: index) { $0.name }
  }.filtered(),
  Route([.put, .post], "/v1/namespaces", .server) { request, context in
    let namespace = try request.requiredBody(Namespace.self)
    return request.empty(index: try await context.theServer().upsertNamespace(namespace))
  },
  Route([.put, .post], "/v1/namespace", .server) { request, context in
    let namespace = try request.requiredBody(Namespace.self)
    return request.empty(index: try await context.theServer().upsertNamespace(namespace))
  },
  Route([.get], "/v1/namespace/:name", .server) { request, context in
    let name = request.parameter("name")
    let (state, index) = try await request.read(context, watching: [.namespace(name)]) {
      $0.namespace(name)?.value.modifyIndex ?? $0.index(of: .namespaces)
    }
    guard let namespace = state.namespace(name)?.value else { throw APIError.notFound("Namespace not found") }
    return try request.json(namespace, headers: request.indexHeaders(index))
  },
  Route([.put, .post], "/v1/namespace/:name", .server) { request, context in
    var namespace = try request.requiredBody(Namespace.self)
    if namespace.name.isEmpty { namespace.name = request.parameter("name") }
    guard namespace.name == request.parameter("name") else {
      throw APIError.badRequest("Namespace name does not match request path")
    }
    return request.empty(index: try await context.theServer().upsertNamespace(namespace))
  },
  Route([.delete], "/v1/namespace/:name", .server) { request, context in
    request.empty(index: try await context.theServer().deleteNamespace(request.parameter("name")))
  },
]

extension APIRequest {
  /// What a list shows of a node, as `resources` and `os` of the query ask.
  fileprivate func nodeStub() throws -> (Node) -> NodeListStub {
    let withResources = try flag("resources")
    let withOS = try flag("os")
    return {
      NodeListStub(
        $0, resources: withResources, attributes: withOS ? $0.attributes.filter { $0.key == "os.name" } : [:])
    }
  }
}
