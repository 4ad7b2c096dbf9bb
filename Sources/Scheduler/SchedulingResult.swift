public import Model
public import State

/// What one run of the scheduler decided.
public struct SchedulingResult: Sendable {
  /// The log entry that makes it so: placements, stops, in-place updates, deployments, and the evaluations (the one that
  /// was worked on first, with its new status, then the blocked one and those that wait).
  public var plan: PlanResult
  /// How each group would change, for `job plan`.
  public var annotations: PlanAnnotations
  /// What was looked at for the groups of which something was placed: the counts, and the best nodes for the first of
  /// the placements.
  public var placementMetrics: [String: AllocMetric]

  /// The evaluation that was worked on, as it is now.
  public var evaluation: Evaluation { plan.evaluations.first ?? Evaluation() }
  /// The evaluation that waits for room, where a new one was made.
  public var blockedEvaluation: Evaluation? {
    plan.evaluations.dropFirst().first { $0.status == .blocked }
  }
  /// Whether anything but the evaluation's status changes.
  public var changesNothing: Bool {
    plan.placements.isEmpty && plan.changes.isEmpty && plan.deployment == nil && plan.deploymentUpdates.isEmpty
      && plan.desiredTotals.isEmpty
  }
}
