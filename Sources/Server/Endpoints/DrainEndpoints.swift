public import Codec
public import Model
internal import State

/// Requests about emptying nodes.
extension Server {
  /// Begins, changes or ends the drain of a node.
  /// - Returns: the evaluations that it made, and the index of the change.
  public func drain(_ id: Identifier, _ request: NodeUpdateDrainRequest) async throws(ServerError)
    -> (evaluations: [Identifier], index: UInt64)
  {
    let now = now
    let applied = try await core.propose { state throws(ServerError) in
      guard let node = state.node(id)?.value else { throw ServerError(.notFound, "node not found") }
      var payload = NodeDrainUpdate()
      payload.node = id
      payload.meta = request.meta
      if let spec = request.drainSpec {
        var strategy = DrainStrategy()
        strategy.deadline = spec.deadline
        strategy.ignoreSystemJobs = spec.ignoreSystemJobs
        strategy.startedAt = node.drainStrategy?.startedAt ?? now
        if spec.deadline > .zero { strategy.forceDeadline = now + spec.deadline }
        payload.strategy = strategy
      } else {
        payload.markEligible = request.markEligible
        // What the node could run again, system jobs above all, is looked at now.
        if request.markEligible { payload.evaluations = systemEvaluations(state) }
      }
      return .nodeDrainUpdate(payload)
    }
    let made = applied.changes.records.compactMap { record -> Identifier? in
      if case .evaluation(let evaluation) = record, evaluation.value.createIndex == applied.index {
        return evaluation.value.id
      }
      return nil
    }
    return (made, applied.index)
  }
}
