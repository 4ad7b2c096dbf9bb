internal import Codec
internal import HCL
internal import HTTP
internal import Jobspec
internal import Model
internal import Server
internal import State

private let put: [HTTPMethod] = [.put, .post]

let jobRoutes: [Route] = [
  Route([.get], "/v1/jobs", .server, listJobs).filtered(),
  Route(put, "/v1/jobs", .server, registerJob),
  Route(put, "/v1/jobs/parse", .agent, parseJob),
  Route(put, "/v1/validate/job", .server) { request, context in
    let body = try request.requiredBody(JobValidateRequest.self)
    if body.job == nil { throw APIError.badRequest("Job must be specified: send {\"Job\": {…}}") }
    return try request.json(try context.theServer().validate(body, namespace: request.namespace))
  },
  Route([.get], "/v1/job/:id*/allocations", .server, jobAllocations).filtered(),
  Route([.get], "/v1/job/:id*/evaluations", .server) { request, context in
    let key = request.jobKey
    let (state, index) = try await request.read(context, watching: [.jobEvaluations(key), .table(.evaluations)]) {
      $0.evaluations(ofJob: key).map(\.value.modifyIndex).max() ?? $0.index(of: .evaluations)
    }
    let evaluations = state.evaluations(ofJob: key).map(\.value).sorted { $0.createIndex > $1.createIndex }
    return try request.json(
      try request.selected(evaluations) { $0 }, headers: request.indexHeaders(index))
  }.filtered(),
  Route([.get], "/v1/job/:id*/deployments", .server) { request, context in
    let key = request.jobKey
    let (state, index) = try await request.read(context, watching: [.jobDeployments(key)]) {
      $0.deployments(ofJob: key).map(\.value.modifyIndex).max() ?? $0.index(of: .deployments)
    }
    let deployments = state.deployments(ofJob: key).map(\.value).sorted { $0.createIndex > $1.createIndex }
    return try request.json(
      try request.selected(deployments) { $0 }, headers: request.indexHeaders(index))
  }.filtered(),
  Route([.get], "/v1/job/:id*/deployment", .server) { request, context in
    let key = request.jobKey
    let (state, index) = try await request.read(context, watching: [.jobDeployments(key)]) {
      $0.latestDeployment(ofJob: key)?.value.modifyIndex ?? $0.index(of: .deployments)
    }
    let latest = state.latestDeployment(ofJob: key)?.value
    return try request.json(latest, headers: request.indexHeaders(index))
  },
  Route([.get], "/v1/job/:id*/summary", .server) { request, context in
    let key = request.jobKey
    let (state, index) = try await request.read(
      context, watching: [.job(key), .jobAllocations(key), .jobEvaluations(key)]
    ) {
      max($0.index(of: .jobSummaries), $0.job(key)?.modifyIndex ?? 0)
    }
    guard let summary = state.summary(ofJob: key) else { throw APIError.notFound("job not found") }
    return try request.json(summary, headers: request.indexHeaders(index))
  },
  Route([.get], "/v1/job/:id*/versions", .server, jobVersions),
  Route([.get], "/v1/job/:id*/why", .server) { request, context in
    let answer = try await context.theServer().explainPlacement(of: request.jobKey)
    return try request.json(answer, headers: request.indexHeaders(answer.index))
  },
  Route(put, "/v1/job/:id*/plan", .server) { request, context in
    let body = try request.requiredBody(JobPlanRequest.self)
    try sameJob(request, body.job)
    return try request.json(try await context.theServer().plan(body, namespace: request.namespace))
  },
  Route(put, "/v1/job/:id*/evaluate", .server) { request, context in
    let body = try request.body(JobEvaluateRequest.self)
    if !body.jobID.isEmpty, body.jobID != request.parameter("id") { throw APIError.badRequest("Job ID does not match") }
    return try request.answer(try await context.theServer().evaluate(request.jobKey, body.evalOptions))
  },
  Route(put, "/v1/job/:id*/revert", .server) { request, context in
    let body = try request.requiredBody(JobRevertRequest.self)
    if !body.jobID.isEmpty, body.jobID != request.parameter("id") { throw APIError.badRequest("Job ID does not match") }
    return try request.answer(try await context.theServer().revert(request.jobKey, body))
  },
  Route(put, "/v1/job/:id*/stable", .server) { request, context in
    let body = try request.requiredBody(JobStabilityRequest.self)
    let response = try await context.theServer().setStability(request.jobKey, body)
    return try request.json(response, headers: request.indexHeaders(response.index))
  },
  Route([.get], "/v1/job/:id*/submission", .server) { request, context in
    let key = request.jobKey
    let (state, index) = try await request.read(context, watching: [.job(key)]) {
      $0.job(key)?.modifyIndex ?? $0.index(of: .jobs)
    }
    guard let job = state.job(key) else { throw APIError.notFound("job not found") }
    let number = try request.integer("version").map { UInt64(clamping: $0) } ?? job.spec.value.version ?? 0
    guard let version = job.version(number), var submission = version.submission?.value else {
      throw APIError.notFound("job source not found: no text is kept of version \(number)")
    }
    submission.namespace = key.namespace
    submission.jobID = key.id
    submission.version = number
    submission.jobIndex = version.spec.value.jobModifyIndex ?? 0
    return try request.json(submission, headers: request.indexHeaders(index))
  },
  Route([.get], "/v1/job/:id*/services", .server) { request, context in
    let state = try context.theServer().reader
    guard state.job(request.jobKey) != nil else { throw APIError.notFound("job not found") }
    // Jobs with services are refused by this version.
    return try request.json([ServiceRegistration](), headers: request.indexHeaders(state.index))
  },
  Route(put, "/v1/job/:id*/versions/:tag/tag", .server) { request, context in
    let body = try request.body(JobTagRequest.self)
    var tag = JobVersionTag()
    tag.name = request.parameter("tag")
    tag.description = body.description
    let (tagged, index) = try await context.theServer().tag(request.jobKey, tag, version: body.version)
    var answer = JSONObject()
    answer["Name"] = .string(tagged.name)
    answer["Description"] = .string(tagged.description)
    answer["TaggedTime"] = .int(tagged.taggedTime)
    answer["Index"] = .int(Int64(clamping: index))
    answer["LastContact"] = 0
    answer["KnownLeader"] = true
    answer["NextToken"] = ""
    return try request.json(answer, headers: request.indexHeaders(index))
  },
  Route([.delete], "/v1/job/:id*/versions/:tag/tag", .server) { request, context in
    let index = try await context.theServer().removeTag(request.jobKey, request.parameter("tag"))
    var response = JobRegisterResponse()
    response.jobModifyIndex = index
    response.index = index
    response.knownLeader = true
    return try request.answer(response)
  },
  Route([.get], "/v1/job/:id*", .server) { request, context in
    let key = request.jobKey
    let (state, index) = try await request.read(context, watching: [.job(key)]) {
      $0.job(key)?.modifyIndex ?? $0.index(of: .jobs)
    }
    guard let job = state.job(key) else { throw APIError.notFound("job not found") }
    return try request.json(job.job, headers: request.indexHeaders(index))
  },
  Route(put, "/v1/job/:id*", .server) { request, context in
    let body = try request.registration()
    try sameJob(request, body.job)
    return try request.answer(try await context.theServer().register(body, namespace: request.namespace))
  },
  Route([.delete], "/v1/job/:id*", .server) { request, context in
    let (purge, priority) = (try request.flag("purge"), Int(try request.integer("eval_priority") ?? 0))
    let noShutdownDelay = try request.flag("no_shutdown_delay")
    do {
      let response = try await context.theServer().deregister(
        request.jobKey, purge: purge, evalPriority: priority, noShutdownDelay: noShutdownDelay)
      return try request.answer(response)
    } catch let error as ServerError where error.kind == .notFound {
      // Stopping what is not there has what it wants: clients delete twice and expect success, without an evaluation.
      var response = JobRegisterResponse()
      response.index = try context.theServer().reader.index
      response.knownLeader = true
      return try request.answer(response)
    }
  },
]

extension APIRequest {
  /// The job that the path names, in the namespace asked for.
  var jobKey: JobKey { JobKey(namespace, parameter("id")) }

  /// The body of a registration: `{"Job": …}`.
  func registration() throws(APIError) -> JobRegisterRequest {
    let body = try requiredBody(JobRegisterRequest.self)
    guard let job = body.job else { throw .badRequest("Job must be specified: send {\"Job\": {…}}") }
    if job.id.isEmpty { throw .badRequest("Job ID hasn't been provided") }
    return body
  }

  func answer(_ response: JobRegisterResponse) throws(APIError) -> HTTPResponse {
    try json(response, headers: indexHeaders(response.index))
  }
}

private func sameJob(_ request: APIRequest, _ job: Job?) throws(APIError) {
  guard let job else { throw .badRequest("Job must be specified: send {\"Job\": {…}}") }
  if job.id.isEmpty { throw .badRequest("Job must have a valid ID") }
  if job.id != request.parameter("id") { throw .badRequest("Job ID does not match name") }
}

private let listJobs: @Sendable (APIRequest, APIContext) async throws -> HTTPResponse = { request, context in
  let (state, index) = try await request.read(context, watching: [.table(.jobs), .table(.jobSummaries)]) {
    max($0.index(of: .jobs), $0.index(of: .jobSummaries))
  }
  let prefix = request.query["prefix"] ?? ""
  let jobs: [StoredJob] =
    request.namespace == "*"
    ? state.jobs.filter { $0.0.id.hasPrefix(prefix) }.map { $0.1 }
    : state.jobs(inNamespace: request.namespace, prefix: prefix)
  let withMeta = try request.flag("meta")
  let stubs = try request.selected(jobs) { $0.job }.map {
    JobListStub($0.job, summary: state.summary(ofJob: $0.key), meta: withMeta)
  }
  return try request.page(stubs, index: index) { "\($0.namespace).\($0.id)" }
}

private let registerJob: @Sendable (APIRequest, APIContext) async throws -> HTTPResponse = { request, context in
  try request.answer(try await context.theServer().register(try request.registration(), namespace: request.namespace))
}

/// HCL text to the job as JSON. Functions that reach files are off: the text is somebody else's.
private let parseJob: @Sendable (APIRequest, APIContext) async throws -> HTTPResponse = { request, _ in
  let body = try request.requiredBody(JobsParseRequest.self)
  guard !body.jobHCL.isEmpty else { throw APIError.badRequest("Job spec is empty") }
  if body.hclv1 { throw APIError.badRequest("HCL version 1 is not read any more: write the jobspec in HCL2") }
  var parser = JobspecParser(
    host: FunctionHost(
      now: { Int64(wallClock().nanoseconds) }, random: { count in (0..<count).map { _ in UInt8.random(in: 0...255) } }))
  if !body.variables.isEmpty { parser.variables.files = [SourceFile(name: "variables", text: body.variables)] }
  var job: Job
  do throws(JobspecError) {
    job = try parser.parse(SourceFile(name: "input.hcl", text: body.jobHCL))
  } catch {
    throw APIError.badRequest("error(s) in the jobspec:\n\(error)")
  }
  if body.canonicalize { job.canonicalize() }
  return try request.json(job)
}

private let jobAllocations: @Sendable (APIRequest, APIContext) async throws -> HTTPResponse = { request, context in
  let key = request.jobKey
  let (state, index) = try await request.read(context, watching: [.jobAllocations(key)]) {
    $0.allocations(ofJob: key).map(\.value.modifyIndex).max() ?? $0.index(of: .allocations)
  }
  let createIndex = state.job(key)?.spec.value.createIndex
  let all = try request.flag("all")
  let allocations = state.allocations(ofJob: key).map(\.value).filter { all || $0.job.value.createIndex == createIndex }
  let stubs = try request.selected(allocations) { $0.allocation(includingJob: true) }.map { AllocationListStub(of: $0) }
  return try request.json(stubs, headers: request.indexHeaders(index))
}

/// The version that all others are compared with, where the query names one by number or tag.
private func comparedVersion(_ request: APIRequest, _ versions: [Job]) throws(APIError) -> Job? {
  if let number = try request.integer("diff_version") {
    guard let found = versions.first(where: { $0.version == UInt64(clamping: number) }) else {
      throw .notFound("version \(number) not found")
    }
    return found
  }
  guard let tag = request.query["diff_tag"], !tag.isEmpty else { return nil }
  guard let found = versions.first(where: { $0.versionTag?.name == tag }) else {
    throw .notFound("tag \"\(tag)\" not found")
  }
  return found
}

private let jobVersions: @Sendable (APIRequest, APIContext) async throws -> HTTPResponse = { request, context in
  let key = request.jobKey
  let (state, index) = try await request.read(context, watching: [.job(key)]) {
    $0.job(key)?.modifyIndex ?? $0.index(of: .jobVersions)
  }
  guard let job = state.job(key) else { throw APIError.notFound("job versions not found") }
  var response = JobVersionsResponse()
  response.versions = job.allVersions
  response.index = index
  response.knownLeader = true
  let base = try comparedVersion(request, response.versions)
  if let base {
    response.diffs = response.versions.map { JobDiff(from: base, to: $0) }
  } else if try request.flag("diffs") {
    for place in response.versions.indices.dropLast() {
      response.diffs.append(JobDiff(from: response.versions[place + 1], to: response.versions[place]))
    }
  }
  return try request.json(response, headers: request.indexHeaders(index))
}
