internal import Codec
public import Model
internal import Replica
public import State

/// Requests that launch jobs from periodic and parameterized ones.
extension Server {
  /// The largest payload of a dispatch, in bytes.
  public static let largestPayload = 16 << 10

  /// Launches a periodic job now, whatever its times and whether an earlier launch still runs.
  public func forcePeriodic(_ key: JobKey) async throws(ServerError) -> PeriodicForceResponse {
    let now = now
    let applied = try await core.propose { state throws(ServerError) in
      guard let job = state.job(key) else { throw ServerError(.notFound, "job not found") }
      guard job.spec.value.periodic != nil, !job.spec.value.isParameterized else {
        throw ServerError(.invalid, "job \"\(key.id)\" is not periodic, so it can't be forced")
      }
      var random = RandomSource()
      return .childJobLaunch(PeriodicLaunches.launch(job.spec.value, key, at: now, random: &random.bits))
    }
    var response = PeriodicForceResponse()
    response.evalID = applied.evaluation
    response.evalCreateIndex = applied.index
    response.index = applied.index
    return response
  }

  /// Launches a parameterized job with a payload and metadata.
  /// - Parameter token: a second dispatch with the token of an earlier one launches nothing and answers with the first.
  /// - Throws: `ServerError` `.invalid` when payload or metadata are not what the job asks for.
  public func dispatch(
    _ key: JobKey, _ request: JobDispatchRequest, idempotencyToken token: String
  ) async throws(ServerError) -> JobDispatchResponse {
    try requireRegistration()
    if let earlier = dispatched(key, token, reader) { return earlier }
    let now = now
    var random = SystemRandomNumberGenerator()
    let suffix = Identifier(using: &random).short
    let maximumPriority = configuration.jobMaxPriority
    let applied: ServerCore.Applied
    do {
      applied = try await core.propose { state throws(ServerError) in
        guard let job = state.job(key) else { throw ServerError(.notFound, "job not found") }
        try check(request, against: job, maximumPriority: maximumPriority)
        // Between the look above and this turn another request may have brought the same token.
        if !token.isEmpty, child(of: key, withToken: token, state) != nil { throw ServerError(.conflict, tokenUsed) }
        var launch = ChildJobLaunch()
        launch.namespace = key.namespace
        launch.parentID = key.id
        let prefix = request.idPrefixTemplate.isEmpty ? "" : request.idPrefixTemplate + "-"
        launch.childID = "\(key.id)/dispatch-\(prefix)\(now.nanoseconds / 1_000_000_000)-\(suffix)"
        launch.payload = request.payload
        launch.meta = request.meta
        launch.idempotencyToken = token
        launch.priority = request.priority > 0 ? request.priority : nil
        // A job that is periodic, too, runs at its times from now on.
        if job.spec.value.periodic == nil {
          var random = RandomSource()
          var evaluation = Evaluation(of: job.spec.value, because: .jobRegister, random: &random.bits)
          evaluation.jobID = launch.childID
          if let priority = launch.priority { evaluation.priority = priority }
          launch.evaluations = [evaluation]
        }
        return .childJobLaunch(launch)
      }
    } catch {
      guard error.message == tokenUsed else { throw error }
      // The other one may still be on its way to the disk: what is proposed behind it is durable after it.
      _ = try await core.propose(.noOperation)
      guard let earlier = dispatched(key, token, reader) else { throw error }
      return earlier
    }
    var response = JobDispatchResponse()
    response.dispatchedJobID =
      applied.changes.records.lazy.compactMap { record -> String? in
        if case .job(let key, let job) = record, job.spec.value.dispatched { key.id } else { nil }
      }.first ?? ""
    response.evalID = applied.evaluation
    response.evalCreateIndex = applied.evaluation.isNone ? 0 : applied.index
    response.jobCreateIndex = applied.index
    response.index = applied.index
    return response
  }

  /// What an earlier dispatch with the same token made.
  private func dispatched(_ key: JobKey, _ token: String, _ state: StateReader) -> JobDispatchResponse? {
    guard !token.isEmpty, let job = child(of: key, withToken: token, state) else { return nil }
    var response = JobDispatchResponse()
    response.dispatchedJobID = job.key.id
    response.jobCreateIndex = job.spec.value.createIndex ?? 0
    response.index = response.jobCreateIndex
    return response
  }
}

/// Never shown: the earlier dispatch is answered with instead.
private let tokenUsed = "a job was dispatched with this idempotency token already"

private func child(of key: JobKey, withToken token: String, _ state: StateReader) -> StoredJob? {
  for (name, _) in state.jobsByParent[key] ?? OrderedTable() {
    guard let job = state.job(JobKey(key.namespace, name.text)) else { continue }
    if job.spec.value.dispatchIdempotencyToken == token { return job }
  }
  return nil
}

/// Refuses a dispatch that is not what the job asks for.
private func check(
  _ request: JobDispatchRequest, against job: StoredJob, maximumPriority: Int
) throws(ServerError) {
  let spec = job.spec.value
  guard let parameters = spec.parameterizedJob, spec.isParameterized else {
    throw ServerError(.invalid, "Specified job \"\(spec.id)\" is not a parameterized job")
  }
  if job.isStopped { throw ServerError(.invalid, "Specified job \"\(spec.id)\" is stopped: register it again first") }
  let size = request.payload?.bytes.count ?? 0
  guard size <= Server.largestPayload else {
    throw ServerError(.invalid, "Payload exceeds maximum size; \(size) > \(Server.largestPayload)")
  }
  switch parameters.payload {
  case "required" where size == 0:
    throw ServerError(.invalid, "Payload is not provided but required by parameterized job")
  case "forbidden" where size > 0: throw ServerError(.invalid, "Payload provided but forbidden by parameterized job")
  default: break
  }
  let known = Set(parameters.metaRequired).union(parameters.metaOptional)
  let unexpected = request.meta.keys.filter { !known.contains($0) }.sorted()
  guard unexpected.isEmpty else {
    throw ServerError(.invalid, "Dispatch request included unpermitted metadata keys: \(unexpected)")
  }
  let missing = parameters.metaRequired.filter { request.meta[$0] == nil }.sorted()
  guard missing.isEmpty else {
    throw ServerError(.invalid, "Dispatch did not provide required meta keys: \(missing)")
  }
  guard (0...maximumPriority).contains(request.priority) else {
    throw ServerError(.invalid, "the priority is from 1 to \(maximumPriority), not \(request.priority)")
  }
  guard request.idPrefixTemplate.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), request.idPrefixTemplate.utf8.count <= 128
  else { throw ServerError(.invalid, "the prefix of the id has up to 128 visible ASCII characters") }
}

extension ServerCore.Applied {
  /// The first evaluation that the entry made; none when it made none.
  var evaluation: Identifier {
    for record in changes.records {
      if case .evaluation(let evaluation) = record, evaluation.value.createIndex == index { return evaluation.value.id }
    }
    return .none
  }
}
