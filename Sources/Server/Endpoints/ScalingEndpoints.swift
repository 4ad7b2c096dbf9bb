internal import Codec
public import Model
internal import Replica
public import State

/// Requests about how many instances groups have.
extension Server {
  /// Changes the count of a group, or notes an event of an autoscaler.
  /// - Throws: `ServerError` `.invalid` for a count outside of the group's bounds.
  public func scale(_ key: JobKey, _ request: ScalingRequest, namespace: String) async throws(ServerError)
    -> JobRegisterResponse
  {
    try requireRegistration()
    let group = request.target["Group"] ?? ""
    guard !group.isEmpty else {
      throw ServerError(.invalid, "missing task group name for scaling action: send Target.Group")
    }
    if let named = request.target["Job"], named != key.id {
      throw ServerError(.invalid, "Job ID does not match: the path says \"\(key.id)\", the target \"\(named)\"")
    }
    if request.error, request.count != nil {
      throw ServerError(.invalid, "scaling action should not contain count if error is true")
    }
    let most = configuration.jobMaxCount
    let applied = try await core.propose { state throws(ServerError) in
      guard let job = state.job(key) else { throw ServerError(.notFound, "job not found") }
      let spec = job.spec.value
      guard let target = spec.group(named: group) else {
        throw ServerError(.invalid, "task group \"\(group)\" specified for scaling does not exist in job")
      }
      var payload = JobScaling()
      payload.namespace = key.namespace
      payload.jobID = key.id
      payload.group = group
      payload.event.count = request.count
      payload.event.error = request.error
      payload.event.message = request.message
      payload.event.meta = request.meta
      if let count = request.count {
        try check(count, of: target, in: job, most: most, state)
        if !spec.launchesChildren {
          var random = RandomSource()
          payload.evaluations = [Evaluation(of: spec, because: .jobScaling, random: &random.bits)]
        }
      }
      return .jobScaling(payload)
    }
    var response = JobRegisterResponse()
    response.evalID = applied.evaluation
    response.evalCreateIndex = applied.evaluation.isNone ? 0 : applied.index
    response.jobModifyIndex = applied.reader.job(key)?.spec.value.jobModifyIndex ?? applied.index
    response.index = applied.index
    response.knownLeader = true
    return response
  }
}

private func check(
  _ count: Int64, of group: TaskGroup, in job: StoredJob, most: Int, _ state: StateReader
) throws(ServerError) {
  if job.isStopped { throw ServerError(.invalid, "job \"\(job.key.id)\" is stopped: register it again first") }
  guard count >= 0 else { throw ServerError(.invalid, "scaling action count can't be negative") }
  let others = job.spec.value.taskGroups.filter { $0.name != group.name }.reduce(0) { $0 + ($1.count ?? 1) }
  guard count <= Int64(most - others) else {
    throw ServerError(.invalid, "\(count) instances are more than the \(most) that one job may have")
  }
  if let policy = group.scaling, policy.enabled ?? true {
    if let maximum = policy.max, count > maximum {
      throw ServerError(
        .invalid, "group count was greater than scaling policy maximum: \(count) > \(maximum)")
    }
    if let minimum = policy.min, count < minimum {
      throw ServerError(.invalid, "group count was less than scaling policy minimum: \(count) < \(minimum)")
    }
  }
  if let deployment = state.latestDeployment(ofJob: job.key)?.value, deployment.isActive,
    deployment.jobVersion == job.spec.value.version ?? 0
  {
    throw ServerError(
      .conflict, "job scaling blocked due to active deployment \(deployment.id): wait for it, or fail it")
  }
}

extension StateReader {
  /// The scaling policies of jobs that are not stopped, by job and group. They are views of the jobs' `scaling` blocks.
  public var scalingPolicies: [ScalingPolicy] { jobs.flatMap { $0.1.scalingPolicies } }
}

extension StoredJob {
  /// The policies of the job's groups. A policy's id depends on job and group alone, so it outlives versions.
  public var scalingPolicies: [ScalingPolicy] {
    if isStopped { return [] }
    let job = spec.value
    return job.taskGroups.compactMap { group in
      guard var policy = group.scaling else { return nil }
      policy.target = ["Namespace": key.namespace, "Job": key.id, "Group": group.name]
      policy.namespace = key.namespace
      policy.type = policy.type.isEmpty ? "horizontal" : policy.type
      policy.enabled = policy.enabled ?? true
      policy.id = policyID(key, group.name).description
      policy.createIndex = job.createIndex ?? 0
      policy.modifyIndex = job.jobModifyIndex ?? 0
      return policy
    }
  }
}

/// 128 bits of a digest over the target; a NUL can be in none of its names.
private func policyID(_ key: JobKey, _ group: String) -> Identifier {
  let bytes = Array("\(key.namespace)\0\(key.id)\0\(group)\0horizontal".utf8)
  return Identifier(random: XXHash64.hash(bytes), XXHash64.hash(bytes, seed: 0x5343_414C))
}
