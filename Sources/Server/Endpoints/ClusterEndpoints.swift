public import Codec
public import Model
internal import Replica
internal import State

/// Requests about allocations, nodes, deployments, namespaces and node pools.
extension Server {
  /// Stops an allocation and has it replaced.
  public func stopAllocation(_ id: Identifier, noShutdownDelay: Bool) async throws(ServerError) -> AllocStopResponse {
    var random = SystemRandomNumberGenerator()
    let evaluationID = Identifier(using: &random)
    let applied = try await core.propose { state throws(ServerError) in
      guard let allocation = state.allocation(id)?.value else { throw ServerError(.notFound, "alloc not found") }
      var random = SystemRandomNumberGenerator()
      var evaluation = Evaluation(
        of: state.job(allocation.jobKey)?.spec.value ?? allocation.job.value, because: .allocStop, random: &random)
      evaluation.id = evaluationID
      var payload = AllocationTransitions()
      payload.allocations = [id]
      payload.transition.migrate = true
      if noShutdownDelay { payload.transition.noShutdownDelay = true }
      payload.evaluations = [evaluation]
      return .allocationTransitions(payload)
    }
    var response = AllocStopResponse()
    response.evalID = evaluationID
    response.index = applied.index
    return response
  }

  /// Says whether new work may be placed on a node.
  public func setEligibility(_ id: Identifier, _ eligibility: NodeEligibility) async throws(ServerError) -> UInt64 {
    try await core.propose { state throws(ServerError) in
      guard state.node(id) != nil else { throw ServerError(.notFound, "node not found") }
      var payload = NodeEligibilityUpdate()
      payload.node = id
      payload.eligibility = eligibility
      if eligibility == .eligible { payload.evaluations = systemEvaluations(state) }
      return .nodeEligibilityUpdate(payload)
    }.index
  }

  /// Evaluates every job that has something on a node, and the system jobs.
  public func evaluateNode(_ id: Identifier) async throws(ServerError) -> (evaluations: [Identifier], index: UInt64) {
    guard reader.node(id) != nil else { throw ServerError(.notFound, "node not found") }
    let applied = try await core.propose { state throws(ServerError) in
      var payload = EvaluationUpdate()
      var random = RandomSource()
      payload.evaluations = nodeEvaluations(id, state, random: &random.bits) + systemEvaluations(state)
      return .evaluationUpdate(payload)
    }
    let made = applied.changes.records.compactMap { record -> Identifier? in
      if case .evaluation(let evaluation) = record, evaluation.value.createIndex == applied.index {
        return evaluation.value.id
      }
      return nil
    }
    return (made, applied.index)
  }

  /// Forgets a node; what it ran is replaced elsewhere.
  public func purgeNode(_ id: Identifier) async throws(ServerError) -> UInt64 {
    try await core.propose { state throws(ServerError) in
      guard state.node(id) != nil else { throw ServerError(.notFound, "node not found") }
      var payload = NodeDeregistration()
      payload.nodes = [id]
      var random = RandomSource()
      payload.evaluations = nodeEvaluations(id, state, random: &random.bits)
      return .nodeDeregistration(payload)
    }.index
  }

  /// Makes or replaces a namespace.
  public func upsertNamespace(_ namespace: Namespace) async throws(ServerError) -> UInt64 {
    guard isName(namespace.name) else {
      throw ServerError(.invalid, "invalid name \"\(namespace.name)\". Must be 1 to 128 letters, digits and hyphens")
    }
    if namespace.description.utf8.count > 256 { throw ServerError(.invalid, "description longer than 256 bytes") }
    var payload = NamespaceUpsert()
    payload.namespaces = [namespace]
    return try await core.propose(.namespaceUpsert(payload)).index
  }

  /// Removes a namespace without jobs.
  public func deleteNamespace(_ name: String) async throws(ServerError) -> UInt64 {
    var payload = NamespaceDeletion()
    payload.names = [name]
    return try await core.propose(.namespaceDeletion(payload)).index
  }

  /// Makes or replaces a node pool.
  public func upsertNodePool(_ pool: NodePool) async throws(ServerError) -> UInt64 {
    guard isName(pool.name) else {
      throw ServerError(
        .invalid, "invalid name \"\(pool.name)\". Must be 1 to 128 letters, digits, hyphens and underscores")
    }
    if let algorithm = pool.schedulerConfiguration?.schedulerAlgorithm, !algorithm.isEmpty {
      try checkAlgorithm(algorithm)
    }
    var payload = NodePoolUpsert()
    payload.pools = [pool]
    return try await core.propose(.nodePoolUpsert(payload)).index
  }

  /// Removes a node pool that nothing uses.
  public func deleteNodePool(_ name: String) async throws(ServerError) -> UInt64 {
    var payload = NodePoolDeletion()
    payload.names = [name]
    return try await core.propose(.nodePoolDeletion(payload)).index
  }

  /// Replaces the scheduler's configuration; with `expectedIndex` only if it is still at that index.
  public func setSchedulerConfiguration(
    _ configuration: SchedulerConfiguration, expectedIndex: UInt64?
  ) async throws(ServerError) -> UInt64 {
    var payload = SchedulerConfigurationUpdate()
    payload.configuration = configuration
    if configuration.schedulerAlgorithm.isEmpty { payload.configuration.schedulerAlgorithm = "binpack" }
    try checkAlgorithm(payload.configuration.schedulerAlgorithm)
    payload.expectedIndex = expectedIndex
    return try await core.propose(.schedulerConfiguration(payload)).index
  }

  /// Removes evaluations. The scheduler has to be paused, so that none of them is worked on meanwhile; allocations stay.
  public func deleteEvaluations(_ ids: [Identifier]) async throws(ServerError) -> UInt64 {
    try await core.propose { state throws(ServerError) in
      guard state.schedulerConfiguration.pauseEvalBroker else {
        throw ServerError(
          .invalid,
          "eval broker is enabled; eval broker must be paused to delete evals: "
            + "`serai operator scheduler set-config -pause-eval-broker=true`")
      }
      for id in ids {
        guard state.evaluation(id) != nil else { throw ServerError(.notFound, "eval not found: \(id)") }
        if state.allocations(ofEvaluation: id).contains(where: { !$0.value.isTerminal }) {
          throw ServerError(.conflict, "unsafe to delete: evaluation \(id) has allocations that run")
        }
      }
      var payload = Reaping()
      payload.evaluations = ids
      return .reaping(payload)
    }.index
  }

  /// Removes everything that nothing refers to any more.
  public func collectGarbage() async throws(ServerError) { try await core.collectGarbage() }

  /// Ends a deployment as failed; where a group has `auto_revert`, the job goes back to its last stable version.
  public func failDeployment(_ id: Identifier) async throws(ServerError) -> DeploymentUpdateResponse {
    let applied = try await core.propose { state throws(ServerError) in
      guard let deployment = state.deployment(id)?.value else { throw ServerError(.notFound, "deployment not found") }
      try requireActive(deployment, "fail")
      var random = RandomSource()
      let failure = DeploymentWatch.failure(of: deployment, state, "Deployment marked as failed", random: &random.bits)
      return .deploymentStatusUpdates(failure.update)
    }
    var response = deploymentAnswer(applied.evaluation, applied)
    // The version it went back to is the one whose text it has now; the entry made a new one of it.
    for record in applied.changes.records {
      if case .job(_, let job) = record, job.spec.value.jobModifyIndex == applied.index {
        response.revertedJobVersion = job.spec.value.version
      }
    }
    return response
  }

  /// Pauses a deployment, or lets it go on.
  public func setDeployment(
    _ id: Identifier, _ status: DeploymentStatus, _ description: String
  ) async throws(ServerError) -> DeploymentUpdateResponse {
    var random = SystemRandomNumberGenerator()
    let evaluationID = Identifier(using: &random)
    let applied = try await core.propose { state throws(ServerError) in
      guard let deployment = state.deployment(id)?.value else { throw ServerError(.notFound, "deployment not found") }
      try requireActive(deployment, status == .paused ? "pause" : "resume")
      var payload = DeploymentStatusUpdates()
      var change = DeploymentStatusChange()
      change.deployment = id
      change.status = status
      change.description = description
      payload.updates = [change]
      payload.evaluations = deploymentEvaluation(deployment, state, evaluationID)
      return .deploymentStatusUpdates(payload)
    }
    return deploymentAnswer(evaluationID, applied)
  }

  /// Lets a deployment go on with the versions of its canaries.
  public func promoteDeployment(_ request: DeploymentPromoteRequest, _ id: Identifier) async throws(ServerError)
    -> DeploymentUpdateResponse
  {
    var random = SystemRandomNumberGenerator()
    let evaluationID = Identifier(using: &random)
    let applied = try await core.propose { state throws(ServerError) in
      guard let deployment = state.deployment(id)?.value else { throw ServerError(.notFound, "deployment not found") }
      try requireActive(deployment, "promote")
      var payload = DeploymentPromotion()
      payload.deployment = id
      payload.groups = request.all ? [] : request.groups
      payload.evaluations = deploymentEvaluation(deployment, state, evaluationID)
      return .deploymentPromotion(payload)
    }
    return deploymentAnswer(evaluationID, applied)
  }

  /// Says of allocations whether they are healthy, for deployments with manual checks.
  public func setAllocationHealth(_ request: DeploymentAllocHealthRequest, _ id: Identifier) async throws(ServerError)
    -> DeploymentUpdateResponse
  {
    var random = SystemRandomNumberGenerator()
    let evaluationID = Identifier(using: &random)
    let applied = try await core.propose { state throws(ServerError) in
      guard let deployment = state.deployment(id)?.value else { throw ServerError(.notFound, "deployment not found") }
      try requireActive(deployment, "set health of allocations for a")
      var payload = DeploymentHealth()
      payload.deployment = id
      payload.healthy = request.healthyAllocationIDs
      payload.unhealthy = request.unhealthyAllocationIDs
      payload.evaluations = deploymentEvaluation(deployment, state, evaluationID)
      return .deploymentHealth(payload)
    }
    return deploymentAnswer(evaluationID, applied)
  }

  private func deploymentAnswer(_ evaluation: Identifier, _ applied: ServerCore.Applied) -> DeploymentUpdateResponse {
    var response = DeploymentUpdateResponse()
    response.evalID = evaluation
    response.evalCreateIndex = applied.index
    response.deploymentModifyIndex = applied.index
    response.index = applied.index
    return response
  }
}

private func checkAlgorithm(_ name: String) throws(ServerError) {
  guard ["binpack", "spread"].contains(name) else {
    throw ServerError(.invalid, "scheduler algorithm \"\(name)\" is not known: it is binpack or spread")
  }
}

/// Clients tell this refusal by its words.
private func requireActive(_ deployment: Deployment, _ verb: String) throws(ServerError) {
  if !deployment.isActive { throw ServerError(.conflict, "can't \(verb) terminal deployment") }
}

private func deploymentEvaluation(_ deployment: Deployment, _ state: StateReader, _ id: Identifier) -> [Evaluation] {
  guard let job = state.job(JobKey(deployment.namespace, deployment.jobID)) else { return [] }
  var random = SystemRandomNumberGenerator()
  var evaluation = Evaluation(of: job.spec.value, because: .deploymentWatcher, random: &random)
  evaluation.id = id
  evaluation.deploymentID = deployment.id
  return [evaluation]
}

/// One evaluation for every job that wants an instance on each node.
func systemEvaluations(_ state: StateReader) -> [Evaluation] {
  var random = SystemRandomNumberGenerator()
  return state.jobs.compactMap { _, job in
    let type = job.spec.value.type
    guard !job.isStopped, type == .system || type == .sysbatch, !job.spec.value.launchesChildren else { return nil }
    return Evaluation(of: job.spec.value, because: .nodeUpdate, random: &random)
  }
}

private func isName(_ name: String) -> Bool {
  (1...128).contains(name.utf8.count)
    && name.utf8.allSatisfy {
      ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x41 && $0 <= 0x5A) || ($0 >= 0x61 && $0 <= 0x7A) || $0 == 0x2D || $0 == 0x5F
    }
}
