internal import Codec
internal import HTTP
internal import Model
internal import Server
internal import State

let scalingRoutes: [Route] = [
  Route([.put, .post], "/v1/job/:id*/scale", .server) { request, context in
    let body = try request.requiredBody(ScalingRequest.self)
    let response = try await context.theServer().scale(request.jobKey, body, namespace: request.namespace)
    return try request.answer(response)
  },
  Route([.get], "/v1/job/:id*/scale", .server, jobScale),
  Route([.get], "/v1/scaling/policies", .server) { request, context in
    let (state, index) = try await request.read(context, watching: [.table(.jobs)]) { $0.index(of: .jobs) }
    let job = request.query["job"] ?? ""
    let type = request.query["type"] ?? ""
    let stubs = state.scalingPolicies.filter { policy in
      request.includes(policy.namespace) && (job.isEmpty || policy.target["Job"] == job)
        && (type.isEmpty || policy.type == type)
    }.map { policy in
      var stub = ScalingPolicyListStub()
      stub.id = policy.id
      stub.enabled = policy.enabled ?? true
      stub.type = policy.type
      stub.target = policy.target
      stub.createIndex = policy.createIndex
      stub.modifyIndex = policy.modifyIndex
      return stub
    }.sorted { $0.id < $1.id }
    return try request.page(stubs, index: index) { $0.id }
  },
  Route([.get], "/v1/scaling/policy/:id", .server) { request, context in
    let id = request.parameter("id")
    let (state, index) = try await request.read(context, watching: [.table(.jobs)]) { $0.index(of: .jobs) }
    guard let policy = state.scalingPolicies.first(where: { $0.id == id }) else {
      throw APIError.notFound("policy not found")
    }
    return try request.json(policy, headers: request.indexHeaders(index))
  },
]

/// How many instances each group has and should have.
private let jobScale: @Sendable (APIRequest, APIContext) async throws -> HTTPResponse = { request, context in
  let key = request.jobKey
  let (state, index) = try await request.read(context, watching: [.job(key), .jobAllocations(key)]) {
    max($0.job(key)?.modifyIndex ?? 0, $0.allocations(ofJob: key).map(\.value.modifyIndex).max() ?? 0)
  }
  guard let stored = state.job(key) else { throw APIError.notFound("job not found") }
  let job = stored.job
  var status = JobScaleStatus()
  status.jobID = key.id
  status.namespace = key.namespace
  status.jobCreateIndex = job.createIndex ?? 0
  status.jobModifyIndex = job.modifyIndex ?? 0
  status.jobStopped = job.stop ?? false
  let allocations = state.allocations(ofJob: key).map(\.value).filter { !$0.isTerminal }
  for group in job.taskGroups {
    var part = TaskGroupScaleStatus()
    part.desired = group.count ?? 1
    for allocation in allocations where allocation.groupName == group.name {
      part.placed += 1
      if allocation.clientStatus == .running { part.running += 1 }
      switch allocation.deploymentStatus?.healthy {
      case true?: part.healthy += 1
      case false?: part.unhealthy += 1
      case nil: break
      }
    }
    part.events = stored.scalingEvents[group.name] ?? []
    status.taskGroups[group.name] = part
  }
  return try request.json(status, headers: request.indexHeaders(index))
}
