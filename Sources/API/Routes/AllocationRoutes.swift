internal import Codec
internal import HTTP
internal import Model
internal import Server
internal import State

let allocationRoutes: [Route] = [
  Route([.get], "/v1/allocations", .server) { request, context in
    let (state, index) = try await request.read(context, watching: [.table(.allocations)]) {
      $0.index(of: .allocations)
    }
    let withResources = try request.flag("resources")
    let withStates = request.query["task_states"] == nil ? true : try request.flag("task_states")
    let found = try request.matching(state.allocations, state).map(\.value).filter {
      request.includes($0.jobKey.namespace)
    }
    let stubs = try request.selected(found) { $0.allocation(includingJob: true) }.map {
      AllocationListStub(of: $0, withResources: withResources, withStates: withStates)
    }
    return try request.page(stubs, index: index) { $0.id.description }
  }.filtered(),
  Route([.get], "/v1/allocation/:id", .server) { request, context in
    let id = try request.identifier("id", "alloc")
    let (state, index) = try await request.read(context, watching: [.allocation(id)]) {
      $0.allocation(id)?.value.modifyIndex ?? $0.index(of: .allocations)
    }
    guard let allocation = state.allocation(id)?.value else { throw APIError.notFound("alloc not found") }
    return try request.json(
      allocation.allocation(includingJob: true).withOldResources(), headers: request.indexHeaders(index))
  },
  Route([.put, .post], "/v1/allocation/:id/stop", .server) { request, context in
    let response = try await context.theServer().stopAllocation(
      try request.identifier("id", "alloc"), noShutdownDelay: try request.flag("no_shutdown_delay"))
    return try request.json(response, headers: request.indexHeaders(response.index))
  },
  Route([.get], "/v1/allocation/:id/services", .server) { request, context in
    let id = try request.identifier("id", "alloc")
    let state = try context.theServer().reader
    guard state.allocation(id) != nil else { throw APIError.notFound("alloc not found") }
    // Jobs with services are refused by this version, so no allocation has any.
    return try request.json([ServiceRegistration](), headers: request.indexHeaders(state.index))
  },
  Route([.get], "/v1/allocation/:id/checks", .server) { request, context in
    let id = try request.identifier("id", "alloc")
    let state = try context.theServer().reader
    guard state.allocation(id) != nil else { throw APIError.notFound("alloc not found") }
    // Without services there are no checks.
    return try request.json(JSONObject(), headers: request.indexHeaders(state.index))
  },
]

let evaluationRoutes: [Route] = [
  Route([.get], "/v1/evaluations", .server) { request, context in
    let (state, index) = try await request.read(context, watching: [.table(.evaluations)]) {
      $0.index(of: .evaluations)
    }
    let job = request.query["job"] ?? ""
    let status = request.query["status"] ?? ""
    let found = try request.matching(state.evaluations, state).map(\.value).filter {
      request.includes($0.namespace) && (job.isEmpty || $0.jobID == job)
        && (status.isEmpty || $0.status.rawValue == status)
    }
    return try request.page(try request.selected(found) { $0 }, index: index) { $0.id.description }
  }.filtered(),
  Route([.delete], "/v1/evaluations", .server) { request, context in
    let body = try request.requiredBody(EvaluationDeletion.self)
    let state = try context.theServer().reader
    guard body.filter.isEmpty != body.evalIDs.isEmpty else {
      throw APIError.badRequest("evals must be deleted by either ID or filter: send EvalIDs or Filter")
    }
    var ids = body.evalIDs
    if ids.isEmpty {
      let all = state.evaluations.map { $0.1.value }.filter { request.includes($0.namespace) }
      ids = try request.selected(all, by: { $0 }, filter: body.filter).map(\.id)
    }
    let index = try await context.theServer().deleteEvaluations(ids)
    var answer = JSONObject()
    answer["Count"] = .int(Int64(ids.count))
    return try request.json(answer, headers: request.indexHeaders(index))
  },
  Route([.get], "/v1/evaluations/count", .server) { request, context in
    let state = try context.theServer().reader
    var answer = JSONObject()
    let included = state.evaluations.map { $0.1.value }.filter { request.includes($0.namespace) }
    answer["Count"] = .int(Int64(try request.selected(included) { $0 }.count))
    return try request.json(answer, headers: request.indexHeaders(state.index(of: .evaluations)))
  }.filtered(),
  Route([.get], "/v1/evaluation/:id", .server) { request, context in
    let id = try request.identifier("id", "eval")
    let (state, index) = try await request.read(context, watching: [.evaluation(id)]) {
      $0.evaluation(id)?.value.modifyIndex ?? $0.index(of: .evaluations)
    }
    guard var evaluation = state.evaluation(id)?.value else { throw APIError.notFound("eval not found") }
    if try request.flag("related") {
      evaluation.relatedEvals = state.evaluations(ofJob: JobKey(evaluation.namespace, evaluation.jobID)).map(\.value)
        .filter { [evaluation.previousEval, evaluation.nextEval, evaluation.blockedEval].contains($0.id) }
        .map { EvaluationStub($0) }
    }
    return try request.json(evaluation, headers: request.indexHeaders(index))
  },
  Route([.get], "/v1/evaluation/:id/allocations", .server) { request, context in
    let id = try request.identifier("id", "eval")
    let (state, index) = try await request.read(context, watching: [.evaluationAllocations(id)]) {
      $0.allocations(ofEvaluation: id).map(\.value.modifyIndex).max() ?? $0.index(of: .allocations)
    }
    let stubs = state.allocations(ofEvaluation: id).map { AllocationListStub(of: $0.value) }
    return try request.json(stubs, headers: request.indexHeaders(index))
  },
]

/// Body of `DELETE /v1/evaluations`.
private struct EvaluationDeletion: Record {
  var evalIDs: [Identifier] = []
  var filter = ""

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "EvalIDs", &evalIDs)
    v.field(2, "Filter", &filter)
  }
}

let deploymentRoutes: [Route] = [
  Route([.get], "/v1/deployments", .server) { request, context in
    let (state, index) = try await request.read(context, watching: [.table(.deployments)]) {
      $0.index(of: .deployments)
    }
    let found = try request.matching(state.deployments, state).map(\.value).filter { request.includes($0.namespace) }
    return try request.page(try request.selected(found) { $0 }, index: index) { $0.id.description }
  }.filtered(),
  Route([.get], "/v1/deployment/allocations/:id", .server) { request, context in
    let id = try request.identifier("id", "deployment")
    let (state, index) = try await request.read(context, watching: [.deploymentAllocations(id)]) {
      $0.allocations(ofDeployment: id).map(\.value.modifyIndex).max() ?? $0.index(of: .allocations)
    }
    let stubs = state.allocations(ofDeployment: id).map { AllocationListStub(of: $0.value) }
    return try request.json(stubs, headers: request.indexHeaders(index))
  },
  Route([.put, .post], "/v1/deployment/fail/:id", .server) { request, context in
    let response = try await context.theServer().failDeployment(try request.identifier("id", "deployment"))
    return try request.json(response, headers: request.indexHeaders(response.index))
  },
  Route([.put, .post], "/v1/deployment/pause/:id", .server) { request, context in
    let body = try request.requiredBody(DeploymentPauseRequest.self)
    let response = try await context.theServer().setDeployment(
      try request.identifier("id", "deployment"), body.pause ? .paused : .running,
      body.pause ? "Deployment is paused" : "Deployment is running")
    return try request.json(response, headers: request.indexHeaders(response.index))
  },
  Route([.put, .post], "/v1/deployment/unblock/:id", .server) { request, context in
    let id = try request.identifier("id", "deployment")
    guard try context.theServer().reader.deployment(id) != nil else { throw APIError.notFound("deployment not found") }
    throw APIError.badRequest(
      "can't unblock a deployment that is not blocked: only those of multiregion jobs are, which this version does not run"
    )
  },
  Route([.put, .post], "/v1/deployment/promote/:id", .server) { request, context in
    let body = try request.requiredBody(DeploymentPromoteRequest.self)
    let response = try await context.theServer().promoteDeployment(body, try request.identifier("id", "deployment"))
    return try request.json(response, headers: request.indexHeaders(response.index))
  },
  Route([.put, .post], "/v1/deployment/allocation-health/:id", .server) { request, context in
    let body = try request.requiredBody(DeploymentAllocHealthRequest.self)
    let response = try await context.theServer().setAllocationHealth(body, try request.identifier("id", "deployment"))
    return try request.json(response, headers: request.indexHeaders(response.index))
  },
  Route([.get], "/v1/deployment/:id", .server) { request, context in
    let id = try request.identifier("id", "deployment")
    let (state, index) = try await request.read(context, watching: [.deployment(id)]) {
      $0.deployment(id)?.value.modifyIndex ?? $0.index(of: .deployments)
    }
    guard let deployment = state.deployment(id)?.value else { throw APIError.notFound("deployment not found") }
    return try request.json(deployment, headers: request.indexHeaders(index))
  },
]

extension AllocationListStub {
  /// An allocation as lists show it, straight from the state: a list of thousands does not first make the whole records
  /// that `AllocationListStub(_:jobType:)` starts from.
  init(of stored: StoredAllocation, withResources: Bool = false, withStates: Bool = true) {
    self.init()
    id = stored.id
    evalID = stored.evalID
    name = stored.name
    namespace = stored.jobKey.namespace
    nodeID = stored.nodeID
    nodeName = stored.nodeName
    jobID = stored.jobKey.id
    jobType = (stored.job.value.type ?? .service).rawValue
    jobVersion = stored.job.value.version ?? 0
    taskGroup = stored.groupName
    if withResources { allocatedResources = stored.allocatedResources }
    desiredStatus = stored.desiredStatus
    desiredDescription = stored.desiredDescription
    desiredTransition = stored.desiredTransition
    clientStatus = stored.clientStatus
    clientDescription = stored.clientDescription
    if withStates { taskStates = stored.taskStates }
    deploymentStatus = stored.deploymentStatus
    followupEvalID = stored.followupEvalID
    nextAllocation = stored.nextAllocation
    previousAllocation = stored.previousAllocation
    rescheduleTracker = stored.rescheduleTracker
    preemptedAllocations = stored.preemptedAllocations
    preemptedByAllocation = stored.preemptedByAllocation
    createIndex = stored.createIndex
    modifyIndex = stored.modifyIndex
    createTime = stored.createTime.nanoseconds
    modifyTime = stored.modifyTime.nanoseconds
  }
}
