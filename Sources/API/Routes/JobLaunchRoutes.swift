internal import HTTP
internal import Model
internal import Server

let jobLaunchRoutes: [Route] = [
  Route([.put, .post], "/v1/job/:id*/dispatch", .server) { request, context in
    let body = try request.body(JobDispatchRequest.self)
    if !body.jobID.isEmpty, body.jobID != request.parameter("id") { throw APIError.badRequest("Job ID does not match") }
    let response = try await context.theServer().dispatch(
      request.jobKey, body, idempotencyToken: request.query["idempotency_token"] ?? "")
    return try request.json(response, headers: request.indexHeaders(response.index))
  },
  Route([.put, .post], "/v1/job/:id*/periodic/force", .server) { request, context in
    let response = try await context.theServer().forcePeriodic(request.jobKey)
    return try request.json(response, headers: request.indexHeaders(response.index))
  },
]
