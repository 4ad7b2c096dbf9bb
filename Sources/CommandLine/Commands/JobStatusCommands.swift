internal import Codec
internal import Model

let jobStatus = Command(
  path: ["job", "status"], arguments: "[job]", summary: "List jobs, or show one",
  flags: readFlags + [
    .bool("short", "Leave allocations and deployments out."),
    .bool("evals", "Show the evaluations of the job."),
    .bool("all-allocs", "Show allocations of older jobs of the same name, too."),
    verboseFlag,
  ], completes: .jobs
) { invocation in
  try invocation.expectArguments(0...1)
  guard let prefix = invocation.arguments.first else { return try listJobs(invocation) }
  return try showJob(prefix, invocation)
}

private func listJobs(_ invocation: Invocation) throws -> Int32 {
  let client = invocation.client
  let bytes = try client.raw("/v1/jobs")
  if try invocation.printedRaw(bytes) { return 0 }
  let jobs = try JSON.decode([JobListStub].self, from: bytes)
  if jobs.isEmpty {
    invocation.terminal.print("No running jobs")
    return 0
  }
  invocation.terminal.print(jobTable(jobs, showsNamespace: client.settings.namespace == "*"))
  return 0
}

/// The table of jobs that `job status` and `node pool jobs` show.
func jobTable(_ jobs: [JobListStub], showsNamespace: Bool) -> String {
  var header = ["ID"]
  if showsNamespace { header.append("Namespace") }
  header += ["Type", "Priority", "Status", "Submit Date"]
  let rows = jobs.map { job -> [String] in
    let type = job.type + (job.periodic ? "/periodic" : "") + (job.parameterizedJob ? "/parameterized" : "")
    let status = job.stop ? "\(job.status) (stopped)" : job.status
    return [job.id] + (showsNamespace ? [job.namespace] : []) + [
      type, "\(job.priority)", status, TimeText.absolute(nanoseconds: job.submitTime),
    ]
  }
  return Table.columns(header, rows)
}

private func showJob(_ prefix: String, _ invocation: Invocation) throws -> Int32 {
  let client = invocation.client
  let identity = try client.jobIdentity(prefix: prefix)
  let path = "/v1/job/\(identity.id.pathEncoded)"
  let bytes = try client.raw(path, namespace: identity.namespace)
  if try invocation.printedRaw(bytes) { return 0 }
  let job = try JSON.decode(Job.self, from: bytes)
  let terminal = invocation.terminal
  terminal.print(Table.keyValues(jobPairs(job)))
  if invocation.has("short") { return 0 }

  let summary: JobSummary = try client.get(path + "/summary", namespace: identity.namespace)
  printSummary(job, summary, terminal)
  if job.launchesChildren { return try printChildren(of: job, invocation) }
  let evaluations: [Evaluation] = try client.get(path + "/evaluations", namespace: identity.namespace)
  if invocation.has("evals") { printEvaluations(evaluations, invocation) }
  printPlacementFailures(evaluations, terminal)
  let deployment: Deployment? = try client.optional(path + "/deployment", namespace: identity.namespace)
  if let deployment, !deployment.id.isNone { printDeployment(deployment, invocation) }
  let query = invocation.has("all-allocs") ? ["all": "true"] : [:]
  let allocations: [AllocationListStub] = try client.get(path + "/allocations", query, namespace: identity.namespace)
  terminal.print("\n" + terminal.bold("Allocations"))
  terminal.print(allocations.isEmpty ? "No allocations placed" : allocationTable(allocations, invocation))
  return 0
}

private func jobPairs(_ job: Job) -> [(key: String, value: String)] {
  let status = (job.status?.rawValue ?? "") + (job.stop == true ? " (stopped)" : "")
  var pairs: [(key: String, value: String)] = [
    ("ID", job.id), ("Name", job.name ?? ""), ("Submit Date", TimeText.absolute(nanoseconds: job.submitTime ?? 0)),
    ("Type", job.type?.rawValue ?? ""), ("Priority", "\(job.priority ?? 0)"),
    ("Datacenters", job.datacenters.joined(separator: ",")), ("Namespace", job.namespace ?? ""),
    ("Node Pool", job.nodePool ?? ""), ("Status", status), ("Periodic", "\(job.periodic != nil)"),
    ("Parameterized", "\(job.isParameterized)"),
  ]
  if let parent = job.parentID, !parent.isEmpty { pairs.append(("Parent Job", parent)) }
  return pairs
}

/// The jobs that were launched from a periodic or parameterized one, the newest first.
private func printChildren(of job: Job, _ invocation: Invocation) throws -> Int32 {
  let all: [JobListStub] = try invocation.client.get(
    "/v1/jobs", ["prefix": job.id + "/"], namespace: job.namespace)
  let children = all.filter { $0.parentID == job.id }.sorted { $0.createIndex > $1.createIndex }
  let title = job.isParameterized ? "Dispatched Jobs" : "Previously Launched Jobs"
  invocation.terminal.print("\n" + invocation.terminal.bold(title))
  invocation.terminal.print(
    children.isEmpty
      ? (job.isParameterized
        ? "No dispatched instances of parameterized job found" : "No instances of periodic job found")
      : Table.columns(["ID", "Status"], children.map { [$0.id, $0.status] }))
  return 0
}

private func printSummary(_ job: Job, _ summary: JobSummary, _ terminal: Terminal) {
  if job.launchesChildren, let children = summary.children {
    terminal.print("\n" + terminal.bold("Children Job Summary"))
    terminal.print(
      Table.columns(
        ["Pending", "Running", "Dead"], [["\(children.pending)", "\(children.running)", "\(children.dead)"]]))
    return
  }
  terminal.print("\n" + terminal.bold("Summary"))
  let rows = summary.summary.sorted { $0.key < $1.key }.map { name, group in
    [
      name, "\(group.queued)", "\(group.starting)", "\(group.running)", "\(group.failed)", "\(group.complete)",
      "\(group.lost)", "\(group.unknown)",
    ]
  }
  terminal.print(
    Table.columns(["Task Group", "Queued", "Starting", "Running", "Failed", "Complete", "Lost", "Unknown"], rows))
}

private func printEvaluations(_ evaluations: [Evaluation], _ invocation: Invocation) {
  let rows = evaluations.sorted { $0.createIndex > $1.createIndex }.map { evaluation in
    [
      invocation.shown(evaluation.id), "\(evaluation.priority)", evaluation.triggeredBy.rawValue,
      evaluation.status.rawValue,
      evaluation.status == .blocked ? "N/A - In Progress" : "\(!evaluation.failedTGAllocs.isEmpty)",
    ]
  }
  invocation.terminal.print("\n" + invocation.terminal.bold("Evaluations"))
  invocation.terminal.print(Table.columns(["ID", "Priority", "Triggered By", "Status", "Placement Failures"], rows))
}

private func printPlacementFailures(_ evaluations: [Evaluation], _ terminal: Terminal) {
  guard let blocked = evaluations.filter({ $0.status == .blocked }).max(by: { $0.createIndex < $1.createIndex }) else {
    return
  }
  let before = evaluations.first { $0.id == blocked.previousEval }
  let failures = blocked.failedTGAllocs.isEmpty ? before?.failedTGAllocs ?? [:] : blocked.failedTGAllocs
  guard !failures.isEmpty else { return }
  terminal.print("\n" + terminal.bold("Placement Failure"))
  for (group, metric) in failures.sorted(by: { $0.key < $1.key }) {
    terminal.print("Task Group \"\(group)\":")
    for text in placementFailureLines(metric) { terminal.print("  \(text)") }
  }
}

private func printDeployment(_ deployment: Deployment, _ invocation: Invocation) {
  let terminal = invocation.terminal
  terminal.print("\n" + terminal.bold("Latest Deployment"))
  terminal.print(
    Table.keyValues([
      ("ID", invocation.shown(deployment.id)), ("Status", deployment.status.rawValue),
      ("Description", deployment.statusDescription),
    ]))
  terminal.print("\n" + deployedTable(deployment))
}

/// The table of allocations that `job status`, `node status` and others show, newest first.
func allocationTable(_ allocations: [AllocationListStub], _ invocation: Invocation) -> String {
  let now = invocation.clock()
  let verbose = invocation.has("verbose")
  let sorted = allocations.sorted { $0.createIndex == $1.createIndex ? $0.id < $1.id : $0.createIndex > $1.createIndex }
  let rows = sorted.map { allocation -> [String] in
    let times =
      verbose
      ? [TimeText.absolute(nanoseconds: allocation.createTime), TimeText.absolute(nanoseconds: allocation.modifyTime)]
      : [
        TimeText.relative(nanoseconds: allocation.createTime, now: now),
        TimeText.relative(nanoseconds: allocation.modifyTime, now: now),
      ]
    return [
      invocation.shown(allocation.id), invocation.shown(allocation.nodeID), allocation.taskGroup,
      "\(allocation.jobVersion)", allocation.desiredStatus.rawValue, allocation.clientStatus.rawValue,
    ] + times
  }
  return Table.columns(["ID", "Node ID", "Task Group", "Version", "Desired", "Status", "Created", "Modified"], rows)
}

let jobAllocs = Command(
  path: ["job", "allocs"], arguments: "<job>", summary: "List the allocations of a job",
  flags: readFlags + [.bool("all", "Also those of older jobs of the same name."), verboseFlag], completes: .jobs
) { invocation in
  let client = invocation.client
  let identity = try client.jobIdentity(prefix: try invocation.onlyArgument())
  let bytes = try client.raw(
    "/v1/job/\(identity.id.pathEncoded)/allocations", invocation.has("all") ? ["all": "true"] : [:],
    namespace: identity.namespace)
  if try invocation.printedRaw(bytes) { return 0 }
  let allocations = try JSON.decode([AllocationListStub].self, from: bytes)
  invocation.terminal.print(allocations.isEmpty ? "No allocations placed" : allocationTable(allocations, invocation))
  return 0
}

let jobDeployments = Command(
  path: ["job", "deployments"], arguments: "<job>", summary: "List the deployments of a job",
  flags: readFlags + [
    .bool("latest", "Only the newest."), .bool("all", "Also those of older jobs of the same name."), verboseFlag,
  ],
  completes: .jobs
) { invocation in
  let client = invocation.client
  let identity = try client.jobIdentity(prefix: try invocation.onlyArgument())
  let bytes = try client.raw("/v1/job/\(identity.id.pathEncoded)/deployments", namespace: identity.namespace)
  if try invocation.printedRaw(bytes) { return 0 }
  var deployments = try JSON.decode([Deployment].self, from: bytes).sorted { $0.createIndex > $1.createIndex }
  if invocation.has("latest") { deployments = Array(deployments.prefix(1)) }
  invocation.terminal.print(deployments.isEmpty ? "No deployments found" : deploymentTable(deployments, invocation))
  return 0
}
