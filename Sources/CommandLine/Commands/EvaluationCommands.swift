internal import Codec
internal import Model

let evalStatus = Command(
  path: ["eval", "status"], arguments: "<evaluation>",
  summary: "Show an evaluation and why it could not place everything",
  flags: readFlags + [.bool("monitor", "Follow the evaluation until it is done."), verboseFlag], completes: .evaluations
) { invocation in
  let client = invocation.client
  let evaluation = try client.evaluation(prefix: try invocation.onlyArgument())
  if invocation.has("monitor") { return try Monitor(invocation).evaluation(evaluation.id) }
  if try invocation.printedRaw(JSON.encode(evaluation)) { return 0 }
  let terminal = invocation.terminal
  let now = invocation.clock()
  var pairs: [(key: String, value: String)] = [
    ("ID", invocation.shown(evaluation.id)),
    ("Create Time", TimeText.relative(nanoseconds: evaluation.createTime, now: now)),
    ("Modify Time", TimeText.relative(nanoseconds: evaluation.modifyTime, now: now)),
    ("Status", evaluation.status.rawValue),
    (
      "Status Description",
      evaluation.statusDescription.isEmpty ? evaluation.status.rawValue : evaluation.statusDescription
    ),
    ("Type", evaluation.type), ("TriggeredBy", evaluation.triggeredBy.rawValue), ("Job ID", evaluation.jobID),
    ("Namespace", evaluation.namespace), ("Priority", "\(evaluation.priority)"),
    (
      "Placement Failures",
      evaluation.status == .blocked ? "N/A - In Progress" : "\(!evaluation.failedTGAllocs.isEmpty)"
    ),
    ("Previous Eval", invocation.shown(evaluation.previousEval)), ("Next Eval", invocation.shown(evaluation.nextEval)),
    ("Blocked Eval", invocation.shown(evaluation.blockedEval)),
  ]
  if !evaluation.nodeID.isNone { pairs.append(("Node ID", invocation.shown(evaluation.nodeID))) }
  if let until = evaluation.waitUntil, until.nanoseconds > 0 {
    pairs.append(("Wait Until", TimeText.absolute(nanoseconds: until.nanoseconds)))
  }
  terminal.print(Table.keyValues(pairs))
  if !evaluation.failedTGAllocs.isEmpty {
    terminal.print("\n" + terminal.bold("Failed Placements"))
    for (group, metric) in evaluation.failedTGAllocs.sorted(by: { $0.key < $1.key }) {
      terminal.print("Task Group \"\(group)\" (failed to place \(metric.coalescedFailures + 1) allocation(s)):")
      for text in placementFailureLines(metric) { terminal.print("  \(text)") }
    }
  }
  let allocations: [AllocationListStub] = try client.get("/v1/evaluation/\(evaluation.id)/allocations")
  if !allocations.isEmpty {
    terminal.print("\n" + terminal.bold("Allocations") + "\n" + allocationTable(allocations, invocation))
  }
  return 0
}

let evalList = Command(
  path: ["eval", "list"], summary: "List evaluations",
  flags: readFlags + [
    .value("job", "id", "Only those of this job."),
    .value(
      "status", "status", "Only those of this status.",
      completion: .oneOf(["blocked", "pending", "complete", "failed", "canceled"])),
    .value("per-page", "count", "At most so many."), .value("page-token", "token", "Go on where a page ended."),
    verboseFlag,
  ]
) { invocation in
  var query: [String: String] = [:]
  if let job = invocation.parsed.value("job") { query["job"] = job }
  if let status = invocation.parsed.value("status") { query["status"] = status }
  if let count = try invocation.parsed.integer("per-page") { query["per_page"] = "\(count)" }
  if let token = invocation.parsed.value("page-token") { query["next_token"] = token }
  let bytes = try invocation.client.raw("/v1/evaluations", query)
  if try invocation.printedRaw(bytes) { return 0 }
  let evaluations = try JSON.decode([Evaluation].self, from: bytes)
  if evaluations.isEmpty {
    invocation.terminal.print("No evals found")
    return 0
  }
  let rows = evaluations.map { evaluation in
    [
      invocation.shown(evaluation.id), "\(evaluation.priority)", evaluation.triggeredBy.rawValue, evaluation.jobID,
      evaluation.namespace, invocation.shown(evaluation.nodeID), evaluation.status.rawValue,
      evaluation.status == .blocked ? "N/A - In Progress" : "\(!evaluation.failedTGAllocs.isEmpty)",
    ]
  }
  invocation.terminal.print(
    Table.columns(
      ["ID", "Priority", "Triggered By", "Job ID", "Namespace", "Node ID", "Status", "Placement Failures"], rows))
  return 0
}
