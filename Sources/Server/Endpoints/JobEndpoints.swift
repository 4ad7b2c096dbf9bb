internal import Codec
public import Model
internal import Replica
public import State

/// Requests about jobs.
extension Server {
  /// Registers a job or a new version of it, with an evaluation.
  /// - Throws: `ServerError` `.invalid` with every mistake of the job, `.conflict` when `enforceIndex` does not hold.
  public func register(_ request: JobRegisterRequest, namespace: String) async throws(ServerError)
    -> JobRegisterResponse
  {
    guard let given = request.job else { throw ServerError(.invalid, "the request has no job: send {\"Job\": {…}}") }
    try requireRegistration()
    let (job, warnings) = try admitted(given, namespace: namespace)
    var random = SystemRandomNumberGenerator()
    let needsEvaluation = !job.launchesChildren
    let submission = kept(request.submission)
    let evaluation = Evaluation(of: job, because: .jobRegister, random: &random)
    let now = now
    let applied = try await core.propose { state throws(ServerError) in
      var registration = JobRegistration()
      registration.job = job
      registration.job.submitTime = now.nanoseconds
      registration.submission = submission.kept
      let key = JobKey(job.namespace ?? "default", job.id)
      if let current = state.job(key) { keep(request, from: current.spec.value, in: &registration.job) }
      if request.enforceIndex { registration.expectedIndex = request.jobModifyIndex }
      if needsEvaluation {
        var evaluation = evaluation
        if request.evalPriority > 0 { evaluation.priority = request.evalPriority }
        registration.evaluations = [evaluation]
      }
      return .jobRegistration(registration)
    }
    var response = JobRegisterResponse()
    response.evalID = needsEvaluation ? evaluation.id : .none
    response.evalCreateIndex = needsEvaluation ? applied.index : 0
    response.jobModifyIndex =
      applied.reader.job(JobKey(job.namespace ?? "default", job.id))?.spec.value.jobModifyIndex ?? applied.index
    response.warnings = [warnings, submission.warning].filter { !$0.isEmpty }.joined(separator: "\n")
    response.index = applied.index
    response.knownLeader = true
    return response
  }

  /// An operator may have refused everything that makes jobs or changes them.
  func requireRegistration() throws(ServerError) {
    guard reader.schedulerConfiguration.rejectJobRegistration else { return }
    throw ServerError(
      .permissionDenied,
      "job registration, dispatch, and scale are disabled by the scheduler configuration: see "
        + "`serai operator scheduler set-config -reject-job-registration=false`")
  }

  /// The text of a job as far as it is kept, and what there is to say where it is not.
  private func kept(_ submission: JobSubmission?) -> (kept: JobSubmission?, warning: String) {
    guard let submission, !submission.source.isEmpty else { return (nil, "") }
    let size = submission.source.utf8.count + submission.variables.utf8.count
    let limit = configuration.jobMaxSourceBytes
    guard size > limit else { return (submission, "") }
    return (nil, "the job's source of \(size) bytes is not kept: at most \(limit) are (job_max_source_size)")
  }

  /// The job with its defaults, when nothing is wrong with it.
  func admitted(_ given: Job, namespace: String) throws(ServerError) -> (job: Job, warnings: String) {
    var job = given
    if job.namespace?.isEmpty ?? true { job.namespace = namespace }
    if job.region?.isEmpty ?? true { job.region = configuration.region }
    if job.priority == nil || job.priority == 0 { job.priority = configuration.jobDefaultPriority }
    job.canonicalize()
    job.fillRegistrationDefaults()
    // Whoever registers a job wants it to run.
    job.stop = false
    var errors = problems(of: job)
    // What only servers set.
    if given.dispatched { errors.append("job: it says that it was dispatched: remove Dispatched") }
    if given.payload != nil { errors.append("job: it has a payload: dispatch it with that payload instead") }
    guard errors.isEmpty else {
      throw ServerError(
        .invalid, "\(errors.count) error(s) in the job:\n" + errors.map { "* \($0)" }.joined(separator: "\n"))
    }
    let warnings = job.warnings().map(\.description) + oversubscriptionWarnings(job)
    return (job, warnings.joined(separator: "\n"))
  }

  /// Says of tasks with `memory_max` that it has no effect, where it has none.
  private func oversubscriptionWarnings(_ job: Job) -> [String] {
    if reader.memoryOversubscription(inPool: job.nodePool ?? "default") { return [] }
    return job.taskGroups.flatMap { group in
      group.tasks.filter { ($0.resources?.memoryMaxMB ?? 0) > 0 }.map { task in
        "memory oversubscription is not enabled; the memory_max of task \"\(group.name).\(task.name)\" is ignored"
      }
    }
  }

  /// Everything that keeps a canonical job from being registered here.
  func problems(of job: Job) -> [String] {
    var errors = job.validate().map(\.description)
    if let priority = job.priority, priority > configuration.jobMaxPriority {
      errors.append("job: priority is at most \(configuration.jobMaxPriority), not \(priority)")
    }
    let count = job.taskGroups.reduce(0) { $0 + max(0, $1.count ?? 1) }
    if count > configuration.jobMaxCount {
      errors.append("job: \(count) instances are more than the \(configuration.jobMaxCount) that one job may have")
    }
    if let region = job.region, region != configuration.region, region != "global" {
      errors.append("job: region \"\(region)\" is not this server's (\(configuration.region))")
    }
    if let name = job.periodic?.timeZone, !name.isEmpty, configuration.duties.timeZone(name) == nil {
      errors.append(
        "job > periodic: there is no time zone \"\(name)\" on this server: give a name such as Europe/Berlin")
    }
    let state = reader
    if let namespace = job.namespace, state.namespace(namespace) == nil {
      errors.append(
        "job: namespace \"\(namespace)\" does not exist: create it with `serai namespace apply \(namespace)`")
    }
    if let pool = job.nodePool, !pool.isEmpty, state.nodePool(pool) == nil {
      errors.append("job: node pool \"\(pool)\" does not exist")
    }
    return errors + UnsupportedFeatures.sentences(for: job)
  }

  /// What registering the job would do.
  public func plan(_ request: JobPlanRequest, namespace: String) async throws(ServerError) -> JobPlanResponse {
    guard let given = request.job else { throw ServerError(.invalid, "the request has no job: send {\"Job\": {…}}") }
    let (job, warnings) = try admitted(given, namespace: namespace)
    var response = try await core.plan(request, job)
    response.warnings = warnings
    if job.isPeriodic, !job.isParameterized, let periodic = job.periodic,
      let schedule = PeriodicLaunches(timeZone: configuration.duties.timeZone).schedule(periodic)
    {
      response.nextPeriodicLaunch = PeriodicLaunches.next(schedule, after: now) ?? .zeroValue
    }
    return response
  }

  /// What keeps a job's groups from being placed: for each that isn't fully placed the smallest sets of requirements whose
  /// relaxation would place it.
  public func explainPlacement(of key: JobKey) async throws(ServerError) -> JobWhyResponse {
    guard let response = await core.explain(key) else { throw ServerError(.notFound, "job \"\(key.id)\" not found") }
    return response
  }

  /// Checks a job without registering it.
  public func validate(_ request: JobValidateRequest, namespace: String) -> JobValidateResponse {
    var response = JobValidateResponse()
    guard var job = request.job else {
      response.error = "the request has no job: send {\"Job\": {…}}"
      response.validationErrors = [response.error]
      return response
    }
    if job.namespace?.isEmpty ?? true { job.namespace = namespace }
    job.canonicalize()
    job.fillRegistrationDefaults()
    response.driverConfigValidated = true
    response.validationErrors = problems(of: job)
    response.error = response.validationErrors.joined(separator: "\n")
    response.warnings = job.warnings().map(\.description).joined(separator: "\n")
    return response
  }

  /// Stops a job; with `purge` it is forgotten.
  public func deregister(
    _ key: JobKey, purge: Bool, evalPriority: Int = 0, noShutdownDelay: Bool = false
  ) async throws(ServerError) -> JobRegisterResponse {
    var random = SystemRandomNumberGenerator()
    let id = Identifier(using: &random)
    let applied = try await core.propose { state throws(ServerError) in
      guard let job = state.job(key) else { throw ServerError(.notFound, "job not found") }
      var payload = JobDeregistration()
      payload.namespace = key.namespace
      payload.jobID = key.id
      payload.purge = purge
      var random = SystemRandomNumberGenerator()
      var evaluation = Evaluation(of: job.spec.value, because: .jobDeregister, random: &random)
      evaluation.id = id
      if evalPriority > 0 { evaluation.priority = evalPriority }
      payload.evaluations = [evaluation]
      return .jobDeregistration(payload)
    }
    return answer(id, applied)
  }

  /// Makes a new evaluation of a job.
  public func evaluate(_ key: JobKey, _ options: EvalOptions) async throws(ServerError) -> JobRegisterResponse {
    var random = SystemRandomNumberGenerator()
    let id = Identifier(using: &random)
    let applied = try await core.propose { state throws(ServerError) in
      guard let job = state.job(key) else { throw ServerError(.notFound, "job not found") }
      if job.spec.value.periodic != nil { throw ServerError(.invalid, "can't evaluate periodic job") }
      if job.spec.value.isParameterized { throw ServerError(.invalid, "can't evaluate parameterized job") }
      var random = SystemRandomNumberGenerator()
      var evaluation = Evaluation(of: job.spec.value, because: .jobRegister, random: &random)
      evaluation.id = id
      if options.forceReschedule {
        var payload = AllocationTransitions()
        payload.allocations = state.allocations(ofJob: key).filter {
          $0.value.clientStatus == .failed && $0.value.nextAllocation.isNone && !$0.value.isServerTerminal
        }.map(\.value.id)
        payload.transition.forceReschedule = true
        payload.evaluations = [evaluation]
        return .allocationTransitions(payload)
      }
      var payload = EvaluationUpdate()
      payload.evaluations = [evaluation]
      return .evaluationUpdate(payload)
    }
    return answer(id, applied)
  }

  private func answer(_ evaluation: Identifier, _ applied: ServerCore.Applied) -> JobRegisterResponse {
    var response = JobRegisterResponse()
    response.evalID = evaluation
    response.evalCreateIndex = applied.index
    response.jobModifyIndex = applied.index
    response.index = applied.index
    response.knownLeader = true
    return response
  }

  /// Registers an earlier version of a job anew.
  public func revert(_ key: JobKey, _ request: JobRevertRequest) async throws(ServerError) -> JobRegisterResponse {
    guard let stored = reader.job(key) else { throw ServerError(.notFound, "job not found") }
    let current = stored.spec.value.version ?? 0
    if let expected = request.enforcePriorVersion, expected != current {
      throw ServerError(.conflict, "the job is at version \(current), not at \(expected)")
    }
    let target =
      request.taggedVersion.isEmpty
      ? stored.version(request.jobVersion) : stored.versions.first { $0.tag?.name == request.taggedVersion }
    guard let target else {
      throw ServerError(.notFound, "job \"\(key.id)\" has no such version: see `serai job history`")
    }
    if (target.spec.value.version ?? 0) == current {
      throw ServerError(.invalid, "can't revert to current version")
    }
    var registration = JobRegisterRequest()
    registration.job = target.spec.value
    registration.job?.stop = false
    registration.submission = target.submission?.value
    registration.enforceIndex = true
    registration.jobModifyIndex = stored.spec.value.jobModifyIndex ?? 0
    return try await register(registration, namespace: key.namespace)
  }

  /// Gives a version of a job a name; the current one when no version is named.
  public func tag(
    _ key: JobKey, _ tag: JobVersionTag, version: UInt64?
  ) async throws(ServerError) -> (tag: JobVersionTag, index: UInt64) {
    guard !tag.name.isEmpty, tag.name.utf8.count <= 255 else {
      throw ServerError(.invalid, "a tag's name has 1 to 255 bytes")
    }
    let applied = try await core.propose { state throws(ServerError) in
      guard let job = state.job(key) else { throw ServerError(.notFound, "job not found") }
      var payload = JobVersionTagging()
      payload.namespace = key.namespace
      payload.jobID = key.id
      payload.version = version ?? job.spec.value.version ?? 0
      payload.tag = tag
      return .jobVersionTagging(payload)
    }
    let stored = applied.reader.job(key)?.versions.first { $0.tag?.name == tag.name }?.tag
    return (stored ?? tag, applied.index)
  }

  /// Takes a name away from the version that has it.
  public func removeTag(_ key: JobKey, _ name: String) async throws(ServerError) -> UInt64 {
    var payload = JobVersionTagging()
    payload.namespace = key.namespace
    payload.jobID = key.id
    payload.tag.name = name
    return try await core.propose(.jobVersionTagging(payload)).index
  }

  /// Says whether a version of a job is known to work.
  public func setStability(_ key: JobKey, _ request: JobStabilityRequest) async throws(ServerError)
    -> JobStabilityResponse
  {
    var payload = JobStability()
    payload.namespace = key.namespace
    payload.jobID = key.id
    payload.version = request.jobVersion
    payload.stable = request.stable
    let applied = try await core.propose(.jobStability(payload))
    var response = JobStabilityResponse()
    response.index = applied.index
    response.jobModifyIndex = applied.index
    return response
  }
}

/// Counts and resources that the running version keeps when the request says so.
private func keep(_ request: JobRegisterRequest, from current: Job, in job: inout Job) {
  for place in job.taskGroups.indices {
    guard let old = current.taskGroups.first(where: { $0.name == job.taskGroups[place].name }) else { continue }
    if request.preserveCounts { job.taskGroups[place].count = old.count }
    guard request.preserveResources else { continue }
    for task in job.taskGroups[place].tasks.indices {
      let name = job.taskGroups[place].tasks[task].name
      if let resources = old.tasks.first(where: { $0.name == name })?.resources {
        job.taskGroups[place].tasks[task].resources = resources
      }
    }
  }
}
