internal import Codec
internal import HTTP
internal import Model

/// Flags of the commands that read a jobspec.
private let jobspecFlags: [Flag] = [
  .repeated(
    "var", "name=value", "Sets a variable of the jobspec. May be repeated; wins over -var-file and NOMAD_VAR_*."),
  .repeated("var-file", "path", "Reads variables from a file in HCL or JSON. May be repeated.", completion: .files),
  .bool("json", "The file is a job as JSON, as -output of job run prints it."),
  .bool("hcl2-strict", "Refuse -var and -var-file variables that the jobspec does not declare (the default)."),
]

let jobRun = Command(
  path: ["job", "run"], aliases: [["run"]], arguments: "<path>",
  summary: "Run a new job or update an existing one",
  details: """
    Reads the jobspec at <path> ("-" for standard input), registers the job and
    prints what follows until the placement, or the deployment, is done.

    Exit status: 0 everything was placed and the deployment is successful; 2 some
    allocations could not be placed; 1 anything else.
    """,
  flags: jobspecFlags + [
    .bool("detach", "Return as soon as the job is registered and print the evaluation's id."),
    .value(
      "check-index", "index", "Register only if the job's modify index is this; 0: only if it does not exist yet."),
    .value("eval-priority", "priority", "Priority of the evaluation that the registration makes."),
    .bool("output", "Print the job as the JSON that would be sent, and register nothing."),
    .bool("preserve-counts", "Keep the counts of groups that run already."),
    .bool("preserve-resources", "Keep the resources of tasks that run already."),
    .bool("policy-override", "Accepted for compatibility: there are no policies to override."),
    .bool("verbose", "Print full ids."),
  ],
  completes: .files
) { invocation in
  let path = try invocation.onlyArgument()
  let client = invocation.client
  let (job, submission) = try readJob(path, invocation)
  if invocation.has("output") {
    let wrapped: JSONValue = ["Job": try JSON.decode(JSONValue.self, from: JSON.encode(job))]
    invocation.terminal.print(JSON.text(wrapped, pretty: true))
    return 0
  }
  var request = JobRegisterRequest()
  request.job = job
  request.submission = submission
  request.preserveCounts = invocation.has("preserve-counts")
  request.preserveResources = invocation.has("preserve-resources")
  request.evalPriority = try invocation.parsed.integer("eval-priority") ?? 0
  if let index = try invocation.parsed.integer("check-index") {
    request.enforceIndex = true
    request.jobModifyIndex = UInt64(clamping: index)
  }
  let response: JobRegisterResponse = try client.put("/v1/jobs", body: request, namespace: job.namespace)
  if !response.warnings.isEmpty {
    invocation.terminal.print(invocation.terminal.yellow("Job Warnings:\n\(response.warnings)\n"))
  }
  if response.evalID.isNone {
    invocation.terminal.print("Job registration successful")
    if job.periodic != nil { invocation.terminal.print("It is periodic: it runs at its times") }
    if job.isParameterized { invocation.terminal.print("It is parameterized: it runs when it is dispatched") }
    return 0
  }
  if invocation.has("detach") {
    invocation.terminal.print("Job registration successful\nEvaluation ID: \(response.evalID)")
    return 0
  }
  return try Monitor(invocation).evaluation(response.evalID)
}

let jobPlan = Command(
  path: ["job", "plan"], aliases: [["plan"]], arguments: "<path>",
  summary: "Show what job run would change, without changing anything",
  details: """
    Exit status: 0 nothing would be created or destroyed; 1 something would; 255 the
    plan could not be made.
    """,
  flags: jobspecFlags + [
    .bool("diff", "Show the differences to the registered job (the default; -diff=false leaves them out)."),
    .bool("policy-override", "Accepted for compatibility: there are no policies to override."),
    .bool("verbose", "Show unchanged fields beside the changed ones."),
  ],
  completes: .files, failureStatus: 255
) { invocation in
  let path = try invocation.onlyArgument()
  let (job, _) = try readJob(path, invocation)
  let wantsDiff = invocation.parsed.value("diff") != "false"
  var request = JobPlanRequest()
  request.job = job
  request.diff = wantsDiff
  let response: JobPlanResponse = try invocation.client.put(
    "/v1/job/\(job.id.pathEncoded)/plan", body: request, namespace: job.namespace)
  let terminal = invocation.terminal
  if let diff = response.diff, wantsDiff {
    terminal.print(
      DiffText(terminal: terminal, verbose: invocation.has("verbose")).text(
        for: diff, annotations: response.annotations))
  }
  terminal.print(terminal.bold("Scheduler dry-run:"))
  if response.failedTGAllocs.isEmpty {
    terminal.print(terminal.green("- All tasks successfully allocated."))
  } else {
    terminal.print(terminal.yellow("- WARNING: Failed to place all allocations."))
    for (group, metric) in response.failedTGAllocs.sorted(by: { $0.key < $1.key }) {
      terminal.print("  Task Group \"\(group)\" (failed to place \(metric.coalescedFailures + 1) allocation(s)):")
      for text in placementFailureLines(metric) { terminal.print("    \(text)") }
    }
  }
  if !response.nextPeriodicLaunch.isZero {
    let time = response.nextPeriodicLaunch.nanoseconds
    terminal.print(
      "- If submitted now, next periodic launch would be at \(TimeText.absoluteUTC(nanoseconds: time)) "
        + "(\(TimeText.relative(nanoseconds: time, now: invocation.clock()))).")
  }
  let preempted = response.annotations?.preemptedAllocs ?? []
  if !preempted.isEmpty {
    terminal.print("\nPreemptions:\n")
    terminal.print(
      Table.columns(
        ["Alloc ID", "Job ID", "Task Group"], preempted.map { [$0.id.short, $0.jobID, $0.taskGroup] }))
  }
  if !response.warnings.isEmpty { terminal.print("\n" + terminal.yellow("Job Warnings:\n\(response.warnings)")) }
  let index = response.jobModifyIndex
  var flags = invocation.has("json") ? " -json" : ""
  if invocation.parsed.value("hcl2-strict") == "false" { flags += " -hcl2-strict=false" }
  for name in ["var", "var-file"] {
    for value in invocation.parsed.all(name) { flags += " -\(name) \(shellQuoted(value))" }
  }
  terminal.print(
    """

    Job Modify Index: \(index)
    To run exactly what is planned here, and nothing if the job changes before, use:

    \(Help.program) job run -check-index \(index)\(flags) \(path)
    """)
  let changes = response.annotations?.desiredTGUpdates.values.contains {
    $0.place + $0.stop + $0.migrate + $0.destructiveUpdate + $0.canary + $0.inPlaceUpdate > 0
  }
  return changes == true ? 1 : 0
}

/// One word for a shell, whatever is in it.
private func shellQuoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }

let jobValidate = Command(
  path: ["job", "validate"], aliases: [["validate"]], arguments: "<path>",
  summary: "Check a jobspec, with an agent's help where one answers",
  flags: jobspecFlags, completes: .files
) { invocation in
  let path = try invocation.onlyArgument()
  let (job, _) = try readJob(path, invocation)
  var request = JobValidateRequest()
  request.job = job
  let terminal = invocation.terminal
  let response = try validated(request, invocation)
  if !response.error.isEmpty || !response.validationErrors.isEmpty {
    let errors = response.validationErrors.isEmpty ? [response.error] : response.validationErrors
    terminal.printError("Job validation errors:\n" + errors.map { "  * \($0)" }.joined(separator: "\n"))
    return 1
  }
  if !response.warnings.isEmpty { terminal.print(terminal.yellow("Job Warnings:\n\(response.warnings)\n")) }
  terminal.print(terminal.green("Job validation successful"))
  return 0
}

/// What an agent says of a job, or this program alone where no agent can be reached.
private func validated(_ request: JobValidateRequest, _ invocation: Invocation) throws -> JobValidateResponse {
  do {
    return try invocation.client.put("/v1/validate/job", body: request, namespace: request.job?.namespace)
  } catch let error as HTTPClientError where [.unreachable, .nameNotFound, .timedOut].contains(error.kind) {
    guard var job = request.job else { throw error }
    invocation.terminal.printError("No agent answers, so only the jobspec itself was checked: \(error)")
    job.canonicalize()
    var response = JobValidateResponse()
    response.validationErrors = job.validate().map(\.description)
    response.warnings = job.warnings().map(\.description).joined(separator: "\n")
    return response
  }
}

let jobInspect = Command(
  path: ["job", "inspect"], aliases: [["inspect"]], arguments: "<job>",
  summary: "Print a job as JSON, or as it was written",
  flags: readFlags + [
    .value("version", "number", "The job as it was at this version."),
    .bool("hcl", "The text that the job was written as, where it was registered with it."),
    .bool("with-vars", "With -hcl: the variables it was registered with, too."),
  ], completes: .jobs
) { invocation in
  let client = invocation.client
  guard let prefix = invocation.arguments.first else {
    _ = try invocation.printedRaw(try client.raw("/v1/jobs"))
    return 0
  }
  try invocation.expectArguments(0...1)
  let identity = try client.jobIdentity(prefix: prefix)
  if invocation.has("hcl") { return try printSource(identity, invocation) }
  var job: JSONValue = try client.get("/v1/job/\(identity.id.pathEncoded)", namespace: identity.namespace)
  if let version = try invocation.parsed.integer("version") {
    let versions: JobVersionsResponse = try client.get(
      "/v1/job/\(identity.id.pathEncoded)/versions", namespace: identity.namespace)
    guard let found = versions.versions.first(where: { $0.version == UInt64(clamping: version) }) else {
      throw CommandFailure("job \"\(identity.id)\" has no version \(version)")
    }
    job = try JSON.decode(JSONValue.self, from: JSON.encode(found))
  }
  if let template = invocation.parsed.value("t") {
    invocation.terminal.write(try renderTemplate(template, over: job))
  } else {
    let wrapped: JSONValue = ["Job": job]
    invocation.terminal.print(JSON.text(wrapped, pretty: true))
  }
  return 0
}

/// Prints the text that a version of a job was written as.
private func printSource(_ identity: (id: String, namespace: String), _ invocation: Invocation) throws -> Int32 {
  var query: [String: String] = [:]
  if let version = try invocation.parsed.integer("version") { query["version"] = "\(version)" }
  let submission: JobSubmission = try invocation.client.get(
    "/v1/job/\(identity.id.pathEncoded)/submission", query, namespace: identity.namespace)
  let terminal = invocation.terminal
  if invocation.has("with-vars") {
    for (name, value) in submission.variableFlags.sorted(by: { $0.key < $1.key }) {
      terminal.print("# -var \(name)=\(value)")
    }
    if !submission.variables.isEmpty { terminal.print(submission.variables) }
  }
  terminal.write(submission.source.hasSuffix("\n") ? submission.source : submission.source + "\n")
  return 0
}

let jobStop = Command(
  path: ["job", "stop"], aliases: [["stop"]], arguments: "<job>...",
  summary: "Stop running jobs",
  flags: [
    .bool("detach", "Return at once instead of following the evaluation."),
    .bool("purge", "Forget the job instead of keeping it as dead."),
    .bool("global", "Stop a multiregion job in all its regions."),
    .bool("no-shutdown-delay", "Ignore shutdown_delay of groups and tasks."),
    .value("eval-priority", "priority", "Priority of the evaluation that the stop makes."),
    .bool("yes", "Do not ask, also when a prefix was given."),
    verboseFlag,
  ], completes: .jobs
) { invocation in
  guard !invocation.arguments.isEmpty else { throw UsageError("job stop takes at least one job") }
  let client = invocation.client
  var status: Int32 = 0
  for prefix in invocation.arguments {
    let identity = try client.jobIdentity(prefix: prefix)
    if identity.id != prefix, !invocation.has("yes"), invocation.terminal.isInteractive {
      guard confirm("Are you sure you want to stop job \"\(identity.id)\"? [y/N] ", invocation.terminal) else {
        return 0
      }
    }
    var query = ["purge": invocation.has("purge") ? "true" : "false"]
    if invocation.has("global") { query["global"] = "true" }
    if invocation.has("no-shutdown-delay") { query["no_shutdown_delay"] = "true" }
    if let priority = try invocation.parsed.integer("eval-priority") { query["eval_priority"] = "\(priority)" }
    let response: JobRegisterResponse = try client.delete(
      "/v1/job/\(identity.id.pathEncoded)", query, namespace: identity.namespace)
    if response.evalID.isNone { continue }
    if invocation.has("detach") {
      invocation.terminal.print("\(response.evalID)")
      continue
    }
    status = max(status, try Monitor(invocation).evaluation(response.evalID))
  }
  return status
}

let jobInit = Command(
  path: ["job", "init"], aliases: [["init"]], arguments: "[filename]",
  summary: "Write an example jobspec (example.nomad.hcl)",
  flags: [.bool("short", "Leave the explanations out.")], completes: .files, usesAgent: false
) { invocation in
  try invocation.expectArguments(0...1)
  let path = invocation.arguments.first ?? "example.nomad.hcl"
  let text = invocation.has("short") ? exampleJobShort : exampleJob
  guard !LocalFile.exists(path) else {
    throw CommandFailure("Job file \"\(path)\" already exists: name another or remove it")
  }
  try LocalFile.create(path, text)
  invocation.terminal.print("Example job file written to \(path)")
  return 0
}

let jobEval = Command(
  path: ["job", "eval"], arguments: "<job>", summary: "Make a new evaluation of a job",
  flags: [
    .bool("force-reschedule", "Reschedule failed allocations although their policy does not allow it now."),
    .bool("detach", "Return at once instead of following the evaluation."), verboseFlag,
  ], completes: .jobs
) { invocation in
  let identity = try invocation.client.jobIdentity(prefix: try invocation.onlyArgument())
  var request = JobEvaluateRequest()
  request.jobID = identity.id
  request.evalOptions.forceReschedule = invocation.has("force-reschedule")
  let response: JobRegisterResponse = try invocation.client.put(
    "/v1/job/\(identity.id.pathEncoded)/evaluate", body: request, namespace: identity.namespace)
  if invocation.has("detach") {
    invocation.terminal.print("Created eval ID: \"\(invocation.shown(response.evalID))\"")
    return 0
  }
  return try Monitor(invocation).evaluation(response.evalID)
}

/// Asks on the terminal; anything but "y" or "yes" is a no.
func confirm(_ question: String, _ terminal: Terminal) -> Bool {
  terminal.write(question)
  return ["y", "yes"].contains((readLine() ?? "").lowercased())
}
