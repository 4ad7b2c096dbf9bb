internal import Codec
internal import HTTP
internal import Model
internal import Server
internal import State

let operatorRoutes: [Route] = [
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
    answer.index = try await context.theServer().setSchedulerConfiguration(body, expectedIndex: cas)
    answer.updated = true
    return try request.json(answer, headers: request.indexHeaders(answer.index))
  },
  Route([.put, .post], "/v1/search", .server) { request, context in
    let body = try request.requiredBody(SearchRequest.self)
    return try search(request, body, try context.theServer().reader)
  },
]

/// Ids that begin with a prefix, at most twenty of each kind.
private func search(_ request: APIRequest, _ body: SearchRequest, _ state: StateReader) throws(APIError) -> HTTPResponse {
  let limit = 20
  let contexts = ["jobs", "evals", "allocs", "nodes", "deployment", "namespaces", "node_pools"]
  let wanted = body.context.isEmpty || body.context == "all" ? contexts : [body.context]
  for name in wanted where !contexts.contains(name) {
    throw .badRequest("context must be one of \(contexts.joined(separator: ", ")) or all, not \"\(name)\"")
  }
  var response = SearchResponse()
  for name in wanted {
    let found: [String] =
      switch name {
      case "jobs":
        request.namespace == "*"
          ? state.jobs.map { $0.0.id }.filter { $0.hasPrefix(body.prefix) }
          : state.jobs(inNamespace: request.namespace, prefix: body.prefix).map(\.key.id)
      case "evals": ids(body.prefix, state.evaluations, state) { request.includes($0.namespace) }
      case "allocs": ids(body.prefix, state.allocations, state) { request.includes($0.jobKey.namespace) }
      case "nodes": ids(body.prefix, state.nodes, state) { _ in true }
      case "deployment": ids(body.prefix, state.deployments, state) { request.includes($0.namespace) }
      case "namespaces": state.namespaces.map { $0.0.text }.filter { $0.hasPrefix(body.prefix) }
      default: state.nodePools.map { $0.0.text }.filter { $0.hasPrefix(body.prefix) }
      }
    response.matches[name] = Array(found.prefix(limit))
    response.truncations[name] = found.count > limit
  }
  response.index = state.index
  response.knownLeader = true
  return try request.json(response, headers: request.indexHeaders(state.index))
}

private func ids<Value: Sendable>(
  _ prefix: String, _ table: OrderedTable<Identifier, Shared<Value>>, _ state: StateReader, _ isIncluded: (Value) -> Bool
) -> [String] {
  if prefix.isEmpty { return table.filter { isIncluded($0.1.value) }.map { $0.0.description } }
  guard let range = IdentifierPrefix(prefix) else { return [] }
  var found: [String] = []
  for (id, record) in table.from(range.lower) {
    guard id <= range.upper else { break }
    if isIncluded(record.value) { found.append(id.description) }
  }
  return found
}
