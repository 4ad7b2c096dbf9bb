internal import Codec
internal import Model

/// Follows an evaluation, and the deployment it belongs to, and prints what happens.
struct Monitor {
  let invocation: Invocation
  let client: APIClient

  init(_ invocation: Invocation) {
    self.invocation = invocation
    client = invocation.client
  }

  /// How an evaluation ended.
  enum Outcome: Equatable {
    case complete
    /// Some allocations could not be placed.
    case unplaced
    case failed
  }

  /// Prints until the evaluation is done and every evaluation that follows it at once, too.
  /// - Returns: 0, or 2 when something could not be placed, or 1 when the evaluation failed: Nomad's exit codes.
  func evaluation(_ id: Identifier) throws -> Int32 {
    say("Monitoring evaluation \"\(invocation.shown(id))\"")
    var seen = Seen()
    var index: UInt64 = 0
    while true {
      let (evaluation, next): (Evaluation, UInt64) = try client.blocking("/v1/evaluation/\(id)", after: index)
      index = next
      seen.trigger(evaluation, self)
      let allocations: [AllocationListStub] = try client.get("/v1/evaluation/\(id)/allocations", namespace: "*")
      for allocation in allocations { seen.allocation(allocation, self) }
      if evaluation.status == .pending { continue }
      seen.deployment(evaluation, self)
      return try finish(evaluation)
    }
  }

  private func finish(_ evaluation: Evaluation) throws -> Int32 {
    line("Evaluation status changed: \"pending\" -> \"\(evaluation.status.rawValue)\"")
    say("Evaluation \"\(invocation.shown(evaluation.id))\" finished with status \"\(evaluation.status.rawValue)\"")
    if evaluation.status == .failed || evaluation.status == .canceled {
      if !evaluation.statusDescription.isEmpty { line("Reason: \(evaluation.statusDescription)") }
      return 1
    }
    let failed = evaluation.failedTGAllocs.sorted { $0.key < $1.key }
    if !failed.isEmpty {
      say("Some allocations could not be placed:")
      for (group, metric) in failed {
        line("Task Group \"\(group)\" (failed to place \(metric.coalescedFailures + 1) allocation(s)):")
        for text in placementFailureLines(metric) { line("  \(text)") }
      }
      if !evaluation.blockedEval.isNone {
        line(
          "Evaluation \"\(invocation.shown(evaluation.blockedEval))\" waits for more capacity to place the remainder")
      }
    }
    if !evaluation.nextEval.isNone, evaluation.wait == .zero { return try self.evaluation(evaluation.nextEval) }
    var status: Int32 = failed.isEmpty ? 0 : 2
    if !evaluation.deploymentID.isNone, failed.isEmpty, !invocation.has("detach") {
      status = try deployment(evaluation.deploymentID)
    }
    return status
  }

  /// Prints until the deployment is over.
  /// - Returns: 0 when it was successful, 1 otherwise.
  func deployment(_ id: Identifier) throws -> Int32 {
    say("Monitoring deployment \"\(invocation.shown(id))\"")
    var index: UInt64 = 0
    var shown = ""
    while true {
      let (deployment, next): (Deployment, UInt64) = try client.blocking("/v1/deployment/\(id)", after: index)
      index = next
      let table = deployedTable(deployment)
      if table != shown {
        line("")
        for row in table.split(separator: "\n", omittingEmptySubsequences: false) { line(String(row)) }
        shown = table
      }
      switch deployment.status {
      case .running, .pending, .initializing, .unblocking: continue
      case .paused where !deploymentNeedsPromotion(deployment): continue
      default: break
      }
      line("")
      say("Deployment \"\(invocation.shown(id))\" \(deployment.status.rawValue)")
      if !deployment.statusDescription.isEmpty { line(deployment.statusDescription) }
      return deployment.status == .successful ? 0 : 1
    }
  }

  private func deploymentNeedsPromotion(_ deployment: Deployment) -> Bool {
    deployment.taskGroups.values.contains { $0.desiredCanaries > 0 && !$0.promoted }
  }

  func say(_ text: String) { invocation.terminal.print(invocation.terminal.bold("==> ") + text) }
  func line(_ text: String) { invocation.terminal.print(text.isEmpty ? "" : "    " + text) }

  /// What was printed already.
  private struct Seen {
    var triggered = false
    var allocations: [Identifier: AllocationClientStatus] = [:]
    var deploymentShown = false

    mutating func trigger(_ evaluation: Evaluation, _ monitor: Monitor) {
      if triggered { return }
      triggered = true
      if !evaluation.nodeID.isNone {
        monitor.line("Evaluation triggered by node \"\(monitor.invocation.shown(evaluation.nodeID))\"")
      } else {
        monitor.line("Evaluation triggered by job \"\(evaluation.jobID)\"")
      }
    }

    mutating func allocation(_ allocation: AllocationListStub, _ monitor: Monitor) {
      let id = monitor.invocation.shown(allocation.id)
      if let before = allocations[allocation.id] {
        if before != allocation.clientStatus {
          monitor.line(
            "Allocation \"\(id)\" status changed: \"\(before.rawValue)\" -> \"\(allocation.clientStatus.rawValue)\"")
        }
      } else {
        let verb = allocation.desiredStatus == .run ? "created" : "modified"
        monitor.line(
          "Allocation \"\(id)\" \(verb): node \"\(monitor.invocation.shown(allocation.nodeID))\", group \"\(allocation.taskGroup)\""
        )
      }
      allocations[allocation.id] = allocation.clientStatus
    }

    mutating func deployment(_ evaluation: Evaluation, _ monitor: Monitor) {
      if deploymentShown || evaluation.deploymentID.isNone { return }
      deploymentShown = true
      monitor.line("Evaluation within deployment: \"\(monitor.invocation.shown(evaluation.deploymentID))\"")
    }
  }
}

/// The reasons why a group could not be placed, one a line.
func placementFailureLines(_ metric: AllocMetric) -> [String] {
  var lines: [String] = []
  if metric.nodesEvaluated == 0 {
    lines.append("* No nodes were eligible for evaluation")
  }
  for (datacenter, count) in metric.nodesAvailable.sorted(by: { $0.key < $1.key }) where count == 0 {
    lines.append("* No nodes are available in datacenter \"\(datacenter)\"")
  }
  for (name, count) in metric.classFiltered.sorted(by: { $0.key < $1.key }) {
    lines.append("* Class \"\(name)\": \(count) nodes excluded by filter")
  }
  for (constraint, count) in metric.constraintFiltered.sorted(by: { $0.key < $1.key }) {
    lines.append("* Constraint \"\(constraint)\": \(count) nodes excluded by filter")
  }
  if metric.nodesExhausted > 0 {
    lines.append("* Resources exhausted on \(metric.nodesExhausted) nodes")
  }
  for (name, count) in metric.classExhausted.sorted(by: { $0.key < $1.key }) {
    lines.append("* Class \"\(name)\" exhausted on \(count) nodes")
  }
  for (dimension, count) in metric.dimensionExhausted.sorted(by: { $0.key < $1.key }) {
    lines.append("* Dimension \"\(dimension)\" exhausted on \(count) nodes")
  }
  for quota in metric.quotaExhausted {
    lines.append("* Quota limit hit \"\(quota)\"")
  }
  return lines
}

/// The groups of a deployment and how far they are.
func deployedTable(_ deployment: Deployment) -> String {
  let groups = deployment.taskGroups.sorted { $0.key < $1.key }
  let canaries = groups.contains { $0.value.desiredCanaries > 0 }
  var header = ["Task Group"]
  if groups.contains(where: { $0.value.autoRevert }) { header.append("Auto Revert") }
  if canaries { header.append("Promoted") }
  header.append("Desired")
  if canaries { header.append("Canaries") }
  header += ["Placed", "Healthy", "Unhealthy", "Progress Deadline"]
  let rows = groups.map { name, state -> [String] in
    var row = [name]
    if header.contains("Auto Revert") { row.append("\(state.autoRevert)") }
    if canaries { row.append(state.desiredCanaries > 0 ? "\(state.promoted)" : "N/A") }
    row.append("\(state.desiredTotal)")
    if canaries { row.append("\(state.desiredCanaries)") }
    return row + [
      "\(state.placedAllocs)", "\(state.healthyAllocs)", "\(state.unhealthyAllocs)",
      TimeText.absolute(nanoseconds: state.requireProgressBy.nanoseconds),
    ]
  }
  return "Deployed\n" + Table.columns(header, rows)
}
