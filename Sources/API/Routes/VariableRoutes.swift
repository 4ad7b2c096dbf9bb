internal import Codec
internal import HTTP
internal import Model
internal import Server
internal import State

let variableRoutes: [Route] = [
  Route([.get], "/v1/vars", .server) { request, context in
    let (state, index) = try await request.read(context, watching: [.table(.variables)]) { $0.index(of: .variables) }
    let prefix = request.query["prefix"] ?? ""
    let found = state.variables.map { $0.1.value.metadata }.filter {
      request.includes($0.namespace) && $0.path.hasPrefix(prefix)
    }
    return try request.page(try request.selected(found) { $0 }, index: index) { "\($0.namespace).\($0.path)" }
  }.filtered(),
  Route([.get], "/v1/var/:path*", .server) { request, context in
    let key = request.variableKey
    let (state, index) = try await request.read(context, watching: [.variable(key)]) {
      $0.variables[key]?.value.modifyIndex ?? $0.index(of: .variables)
    }
    guard let variable = try context.theServer().variable(key, in: state) else {
      throw APIError.notFound("variable not found")
    }
    return try request.json(variable, headers: request.indexHeaders(index))
  },
  Route([.put, .post], "/v1/var/:path*", .server) { request, context in
    let body = try request.requiredBody(Variable.self)
    let key = request.variableKey
    if !body.path.isEmpty, body.path != key.path {
      throw APIError.badRequest("the path in the body, \"\(body.path)\", is not the request's, \"\(key.path)\"")
    }
    let operation = try lockOperation(request)
    return try await answer(request) {
      let server = try context.theServer()
      let variable =
        operation == .none
        ? try await server.setVariable(body, key, expecting: try request.checkedIndex())
        : try await server.changeLock(body, key, operation)
      return try request.json(variable, headers: request.indexHeaders(variable.modifyIndex))
    }
  },
  Route([.delete], "/v1/var/:path*", .server) { request, context in
    try await answer(request) {
      let index = try await context.theServer().deleteVariable(
        request.variableKey, expecting: try request.checkedIndex())
      return request.empty(index: index)
    }
  },
]

extension APIRequest {
  fileprivate var variableKey: VariableKey {
    VariableKey(namespace == "*" ? "default" : namespace, parameter("path"))
  }

  fileprivate func checkedIndex() throws(APIError) -> UInt64? { try integer("cas").map { UInt64(clamping: $0) } }
}

/// `?lock-acquire`, `?lock-renew` or `?lock-release`.
private func lockOperation(_ request: APIRequest) throws(APIError) -> LockOperation {
  let operations: [(String, LockOperation)] = [
    ("lock-acquire", .acquire), ("lock-renew", .renew), ("lock-release", .release),
  ]
  let asked = operations.filter { request.query.has($0.0) }
  guard asked.count <= 1 else { throw .badRequest("give one of lock-acquire, lock-renew and lock-release") }
  guard asked.isEmpty || !request.query.has("cas") else {
    throw .badRequest("a lock is not changed by check-and-set: leave cas out")
  }
  return asked.first?.1 ?? .none
}

/// A conflict is answered with what is in the way.
private func answer(_ request: APIRequest, _ body: () async throws -> HTTPResponse) async throws -> HTTPResponse {
  do {
    return try await body()
  } catch let conflict as VariableConflict {
    var response = try request.json(conflict.current ?? Variable())
    response.status = .conflict
    return response
  }
}
