internal import Codec
internal import HTTP
internal import Model
internal import Server
internal import State

let searchRoutes: [Route] = [
  Route([.put, .post], "/v1/search", .server) { request, context in
    let body = try request.requiredBody(SearchRequest.self)
    return try search(request, body, try context.theServer().reader)
  },
  Route([.put, .post], "/v1/search/fuzzy", .server) { request, context in
    let body = try request.requiredBody(FuzzySearchRequest.self)
    return try fuzzySearch(request, body, try context.theServer().reader)
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

/// Shorter texts are in nearly every name.
private let minimumFuzzyLength = 2

/// Objects whose name contains a text, whatever the case, at most twenty of each kind; of those that have no name, ids
/// that begin with it.
private func fuzzySearch(
  _ request: APIRequest, _ body: FuzzySearchRequest, _ state: StateReader
) throws(APIError) -> HTTPResponse {
  let limit = 20
  guard body.text.count >= minimumFuzzyLength else {
    throw .badRequest("fuzzy search query must be at least \(minimumFuzzyLength) characters, not \"\(body.text)\"")
  }
  let contexts = ["jobs", "groups", "tasks", "nodes", "allocs", "evals", "deployment", "namespaces", "node_pools"]
  let isForAll = body.context.isEmpty || body.context == "all"
  guard isForAll || contexts.contains(body.context) else {
    throw .badRequest("context must be one of \(contexts.joined(separator: ", ")) or all, not \"\(body.context)\"")
  }
  // Groups and tasks belong to the search for jobs.
  let wanted =
    isForAll ? contexts : body.context == "jobs" ? ["jobs", "groups", "tasks"] : [body.context]
  var response = FuzzySearchResponse()
  for name in wanted {
    let found = fuzzyMatches(request, name, body.text, state)
    if found.isEmpty, name != body.context { continue }
    response.matches[name] = Array(found.prefix(limit))
    response.truncations[name] = found.count > limit
  }
  response.index = state.index
  response.knownLeader = true
  return try request.json(response, headers: request.indexHeaders(state.index))
}

private func fuzzyMatches(_ request: APIRequest, _ context: String, _ text: String, _ state: StateReader) -> [FuzzyMatch] {
  let needle = text.lowercased()
  var found: [FuzzyMatch] = []
  func add(_ id: String, _ scope: [String], named name: String? = nil) {
    guard (name ?? id).lowercased().contains(needle) else { return }
    var match = FuzzyMatch()
    match.id = id
    match.scope = scope
    found.append(match)
  }
  let jobs = state.jobs.lazy.filter { request.includes($0.0.namespace) }
  switch context {
  case "jobs": for (key, job) in jobs { add(job.spec.value.name ?? key.id, [key.namespace, key.id]) }
  case "groups": for (key, job) in jobs { for group in job.spec.value.taskGroups { add(group.name, [key.namespace, key.id]) } }
  case "tasks":
    for (key, job) in jobs {
      for group in job.spec.value.taskGroups { for task in group.tasks { add(task.name, [key.namespace, key.id, group.name]) } }
    }
  case "nodes": for (id, node) in state.nodes { add(node.value.name, [id.description]) }
  case "allocs":
    for (id, allocation) in state.allocations where request.includes(allocation.value.jobKey.namespace) {
      add(allocation.value.name, [allocation.value.jobKey.namespace, id.description])
    }
  case "evals": for id in ids(text, state.evaluations, state, { request.includes($0.namespace) }) { add(id, []) }
  case "deployment": for id in ids(text, state.deployments, state, { request.includes($0.namespace) }) { add(id, []) }
  case "namespaces": for (name, _) in state.namespaces { add(name.text, []) }
  default: for (name, _) in state.nodePools { add(name.text, []) }
  }
  return found
}
