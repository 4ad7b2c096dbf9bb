internal import Codec
internal import Model

let jobScale = Command(
  path: ["job", "scale"], arguments: "<job> [group] <count>", summary: "Change how many instances a group has",
  details: "The group may be left out where the job has only one.",
  flags: [
    .bool("detach", "Return at once instead of following the evaluation."),
    .value("message", "text", "Why, for the job's scaling events."), verboseFlag,
  ], completes: .jobs
) { invocation in
  try invocation.expectArguments(2...3)
  let client = invocation.client
  let identity = try client.jobIdentity(prefix: invocation.arguments[0])
  guard let text = invocation.arguments.last, let count = Int64(text), count >= 0 else {
    throw UsageError("a count is a whole number, not \"\(invocation.arguments.last ?? "")\"")
  }
  let path = "/v1/job/\(identity.id.pathEncoded)"
  var group = invocation.arguments[1]
  if invocation.arguments.count == 2 {
    let job: Job = try client.get(path, namespace: identity.namespace)
    guard let only = job.taskGroups.first, job.taskGroups.count == 1 else {
      let names = job.taskGroups.map(\.name).joined(separator: ", ")
      throw UsageError("job \"\(identity.id)\" has several groups: name one of \(names)")
    }
    group = only.name
  }
  var request = ScalingRequest()
  request.count = count
  request.target = ["Job": identity.id, "Group": group]
  request.message = invocation.parsed.value("message") ?? "submitted using the command line"
  let response: JobRegisterResponse = try client.put(path + "/scale", body: request, namespace: identity.namespace)
  if response.evalID.isNone { return 0 }
  if invocation.has("detach") {
    invocation.terminal.print("Evaluation ID: \(invocation.shown(response.evalID))")
    return 0
  }
  return try Monitor(invocation).evaluation(response.evalID)
}

let jobScalingEvents = Command(
  path: ["job", "scaling-events"], arguments: "<job>", summary: "List when and how groups of a job were scaled",
  flags: readFlags + [verboseFlag], completes: .jobs
) { invocation in
  let client = invocation.client
  let identity = try client.jobIdentity(prefix: try invocation.onlyArgument())
  let bytes = try client.raw("/v1/job/\(identity.id.pathEncoded)/scale", namespace: identity.namespace)
  if try invocation.printedRaw(bytes) { return 0 }
  let status = try JSON.decode(JobScaleStatus.self, from: bytes)
  let events = status.taskGroups.flatMap { name, group in group.events.map { (name, $0) } }
    .sorted { ($1.1.time, $0.0) < ($0.1.time, $1.0) }
  if events.isEmpty {
    invocation.terminal.print("No events found")
    return 0
  }
  let isVerbose = invocation.has("verbose")
  let rows = events.map { name, event -> [String] in
    let count = event.count.map { "\($0)" } ?? ""
    let row = [name, count, "\(event.previousCount)"]
    let date = TimeText.absolute(nanoseconds: Int64(clamping: event.time))
    if !isVerbose { return row + [date] }
    return row + ["\(event.error)", event.message, event.evalID.map { invocation.shown($0) } ?? "", date]
  }
  let columns = ["Task Group", "Count", "PrevCount"] + (isVerbose ? ["Error", "Message", "Eval ID"] : []) + ["Date"]
  invocation.terminal.print(Table.columns(columns, rows))
  return 0
}

let scalingPolicyList = Command(
  path: ["scaling", "policy", "list"], summary: "List the scaling policies of jobs",
  flags: readFlags + [
    .value("job", "job", "Only those of this job."), .value("type", "type", "Only those of this type."), verboseFlag,
  ]
) { invocation in
  try invocation.expectArguments(0...0)
  var query: [String: String] = [:]
  for name in ["job", "type"] { if let value = invocation.parsed.value(name) { query[name] = value } }
  let bytes = try invocation.client.raw("/v1/scaling/policies", query)
  if try invocation.printedRaw(bytes) { return 0 }
  let policies = try JSON.decode([ScalingPolicyListStub].self, from: bytes)
  if policies.isEmpty {
    invocation.terminal.print("No policies found")
    return 0
  }
  let rows = policies.map { policy in
    [
      invocation.has("verbose") ? policy.id : String(policy.id.prefix(8)), "\(policy.enabled)", policy.type,
      targetText(policy.target),
    ]
  }
  invocation.terminal.print(Table.columns(["ID", "Enabled", "Type", "Target"], rows))
  return 0
}

let scalingPolicyInfo = Command(
  path: ["scaling", "policy", "info"], arguments: "<policy>", summary: "Show a scaling policy",
  flags: readFlags + [verboseFlag]
) { invocation in
  let prefix = try invocation.onlyArgument()
  let client = invocation.client
  let policies: [ScalingPolicyListStub] = try client.get("/v1/scaling/policies", namespace: "*")
  let found = policies.filter { $0.id.hasPrefix(prefix.lowercased()) }
  guard let only = found.first else { throw CommandFailure("No scaling policy with prefix or id \"\(prefix)\" found") }
  guard found.count == 1 else {
    let list = found.map { "  \($0.id)  \(targetText($0.target))" }.joined(separator: "\n")
    throw CommandFailure("Prefix matched multiple scaling policies:\n\(list)")
  }
  let bytes = try client.raw("/v1/scaling/policy/\(only.id)")
  if try invocation.printedRaw(bytes) { return 0 }
  let policy = try JSON.decode(ScalingPolicy.self, from: bytes)
  var text = Table.keyValues([
    ("ID", invocation.has("verbose") ? policy.id : String(policy.id.prefix(8))),
    ("Enabled", "\(policy.enabled ?? true)"), ("Type", policy.type), ("Target", targetText(policy.target)),
    ("Min", policy.min.map { "\($0)" } ?? ""), ("Max", policy.max.map { "\($0)" } ?? ""),
  ])
  if let rules = policy.policy, !rules.isEmpty { text += "\n\nPolicy\n" + JSON.text(rules, pretty: true) }
  invocation.terminal.print(text)
  return 0
}

private func targetText(_ target: [String: String]) -> String {
  target.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: ",")
}
