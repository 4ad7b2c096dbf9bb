internal import Codec
internal import Model

let nodeStatus = Command(
  path: ["node", "status"], arguments: "[node]", summary: "List nodes, or show one",
  flags: readFlags + [
    .bool("self", "The node of the agent that is asked."), .bool("allocs", "Show how many allocations each node runs."),
    .bool("short", "Leave the resources out."), .bool("stats", "Show what the node uses in detail."), .bool("quiet", "Ids only."),
    verboseFlag,
  ], completes: .nodes
) { invocation in
  try invocation.expectArguments(0...1)
  let client = invocation.client
  if invocation.has("self") {
    let agent: AgentSelf = try client.get("/v1/agent/self")
    guard let id = agent.stats["client"]?["node_id"] else { throw CommandFailure("The agent that is asked runs no client") }
    return try showNode(id, invocation)
  }
  if let prefix = invocation.arguments.first { return try showNode(prefix, invocation) }
  return try listNodes(invocation)
}

private func listNodes(_ invocation: Invocation) throws -> Int32 {
  let client = invocation.client
  let bytes = try client.raw("/v1/nodes")
  if try invocation.printedRaw(bytes) { return 0 }
  let nodes = try JSON.decode([NodeListStub].self, from: bytes)
  if nodes.isEmpty {
    invocation.terminal.print("No nodes registered")
    return 0
  }
  if invocation.has("quiet") {
    invocation.terminal.print(nodes.map { invocation.shown($0.id) }.joined(separator: "\n"))
    return 0
  }
  var header = ["ID", "Node Pool", "DC", "Name", "Class"]
  if invocation.has("verbose") { header += ["Address", "Version"] }
  header += ["Drain", "Eligibility", "Status"]
  if invocation.has("allocs") { header.append("Running Allocs") }
  let rows = try nodes.map { node -> [String] in
    var row = [invocation.shown(node.id), node.nodePool, node.datacenter, node.name, node.nodeClass]
    if invocation.has("verbose") { row += [node.address, node.version] }
    row += ["\(node.drain)", node.schedulingEligibility.rawValue, node.status.rawValue]
    if invocation.has("allocs") {
      let allocations: [AllocationListStub] = try client.get("/v1/node/\(node.id)/allocations")
      row.append("\(allocations.filter { $0.clientStatus == .running }.count)")
    }
    return row
  }
  invocation.terminal.print(Table.columns(header, rows))
  return 0
}

private func showNode(_ prefix: String, _ invocation: Invocation) throws -> Int32 {
  let client = invocation.client
  let node = try client.node(prefixOrName: prefix)
  if try invocation.printedRaw(JSON.encode(node)) { return 0 }
  let terminal = invocation.terminal
  let drivers = node.drivers.sorted { $0.key < $1.key }.filter { $0.value.detected }
  terminal.print(
    Table.keyValues([
      ("ID", node.id.description), ("Name", node.name), ("Node Pool", node.nodePool), ("Class", node.nodeClass),
      ("DC", node.datacenter), ("Drain", "\(node.drain)"), ("Eligibility", node.schedulingEligibility.rawValue),
      ("Status", node.status.rawValue), ("CSI Controllers", ""), ("CSI Drivers", ""),
      ("Host Volumes", node.hostVolumes.keys.sorted().joined(separator: ",")),
      ("Host Networks", node.hostNetworks.keys.sorted().joined(separator: ",")),
      ("Driver Status", drivers.map { $0.value.healthy ? $0.key : "\($0.key) (unhealthy)" }.joined(separator: ",")),
    ]))
  let allocations: [Allocation] = try client.get("/v1/node/\(node.id)/allocations")
  if !invocation.has("short") {
    printEvents(node, terminal)
    printResources(node, allocations, terminal)
    // The node may be out of reach: its own figures are then left out.
    if let stats: HostStats = try? client.get("/v1/client/stats", ["node_id": node.id.description]) {
      printHostStats(stats, node, terminal)
    }
  }
  terminal.print("\n" + terminal.bold("Allocations"))
  if allocations.isEmpty {
    terminal.print("No allocations placed")
  } else {
    let stubs = try JSON.decode([AllocationListStub].self, from: JSON.encode(allocations))
    terminal.print(allocationTable(stubs, invocation))
  }
  if invocation.has("verbose") {
    terminal.print("\n" + terminal.bold("Attributes"))
    terminal.print(Table.keyValues(node.attributes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
    terminal.print("\n" + terminal.bold("Meta"))
    terminal.print(Table.keyValues(node.meta.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
  }
  return 0
}

private func printEvents(_ node: Node, _ terminal: Terminal) {
  terminal.print("\n" + terminal.bold("Node Events"))
  let rows = node.events.reversed().map { event in
    [TimeText.absolute(nanoseconds: event.timestamp.nanoseconds), event.subsystem, event.message]
  }
  terminal.print(Table.columns(["Time", "Subsystem", "Message"], rows))
}

private func printResources(_ node: Node, _ allocations: [Allocation], _ terminal: Terminal) {
  guard let total = node.nodeResources else { return }
  let running = allocations.filter { [.pending, .running, .unknown].contains($0.clientStatus) }
  let resources = running.compactMap(\.allocatedResources)
  let tasks = resources.flatMap { $0.tasks.values }
  let cpu = tasks.reduce(0) { $0 + $1.cpu.cpuShares }
  let memory = tasks.reduce(0) { $0 + $1.memory.memoryMB }
  let disk = resources.reduce(0) { $0 + $1.shared.diskMB }
  let reserved = node.reservedResources ?? NodeReservedResources()
  terminal.print("\n" + terminal.bold("Allocated Resources"))
  terminal.print(
    Table.columns(
      ["CPU", "Memory", "Disk"],
      [[
        "\(cpu)/\(total.cpu.cpuShares - reserved.cpu.cpuShares) MHz",
        "\(bytesText(Int(memory) << 20))/\(bytesText(Int(total.memory.memoryMB - reserved.memory.memoryMB) << 20))",
        "\(bytesText(Int(disk) << 20))/\(bytesText(Int(total.disk.diskMB - reserved.disk.diskMB) << 20))",
      ]]))
}

private func printHostStats(_ stats: HostStats, _ node: Node, _ terminal: Terminal) {
  terminal.print("\n" + terminal.bold("Host Resource Utilization"))
  let disk = stats.allocDirStats.map { "\(bytesText(Int(clamping: $0.used)))/\(bytesText(Int(clamping: $0.size)))" } ?? ""
  terminal.print(
    Table.columns(
      ["CPU", "Memory", "Disk"],
      [[
        "\(Int(stats.cpuTicksConsumed.rounded()))/\(node.nodeResources?.cpu.cpuShares ?? 0) MHz",
        "\(bytesText(Int(clamping: stats.memory.used)))/\(bytesText(Int(clamping: stats.memory.total)))", disk,
      ]]))
}

let nodeEligibility = Command(
  path: ["node", "eligibility"], arguments: "<node>", summary: "Say whether new work may be placed on a node",
  flags: [
    .bool("enable", "New work may be placed on it."), .bool("disable", "No new work is placed on it; what runs stays."),
    .bool("self", "The node of the agent that is asked."),
  ], completes: .nodes
) { invocation in
  let client = invocation.client
  guard invocation.has("enable") != invocation.has("disable") else { throw UsageError("give one of -enable and -disable") }
  var name = invocation.arguments.first ?? ""
  if invocation.has("self") {
    let agent: AgentSelf = try client.get("/v1/agent/self")
    name = agent.stats["client"]?["node_id"] ?? ""
  }
  let node = try client.node(prefixOrName: name)
  var body = JSONObject()
  body["Eligibility"] = invocation.has("enable") ? "eligible" : "ineligible"
  try client.send("PUT", "/v1/node/\(node.id)/eligibility", body: body)
  invocation.terminal.print(
    "Node \"\(node.id)\" scheduling eligibility set: \(invocation.has("enable") ? "eligible" : "ineligible") for scheduling")
  return 0
}

let evalStatus = Command(
  path: ["eval", "status"], arguments: "<evaluation>", summary: "Show an evaluation and why it could not place everything",
  flags: readFlags + [.bool("monitor", "Follow the evaluation until it is done."), verboseFlag], completes: .evaluations
) { invocation in
  let client = invocation.client
  let evaluation = try client.evaluation(prefix: try invocation.onlyArgument())
  if invocation.has("monitor") { return try Monitor(invocation).evaluation(evaluation.id) }
  if try invocation.printedRaw(JSON.encode(evaluation)) { return 0 }
  let terminal = invocation.terminal
  let now = wallClockNanoseconds()
  var pairs: [(key: String, value: String)] = [
    ("ID", invocation.shown(evaluation.id)),
    ("Create Time", TimeText.relative(nanoseconds: evaluation.createTime, now: now)),
    ("Modify Time", TimeText.relative(nanoseconds: evaluation.modifyTime, now: now)), ("Status", evaluation.status.rawValue),
    ("Status Description", evaluation.statusDescription.isEmpty ? evaluation.status.rawValue : evaluation.statusDescription),
    ("Type", evaluation.type), ("TriggeredBy", evaluation.triggeredBy.rawValue), ("Job ID", evaluation.jobID),
    ("Namespace", evaluation.namespace), ("Priority", "\(evaluation.priority)"),
    ("Placement Failures", evaluation.status == .blocked ? "N/A - In Progress" : "\(!evaluation.failedTGAllocs.isEmpty)"),
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
  if !allocations.isEmpty { terminal.print("\n" + terminal.bold("Allocations") + "\n" + allocationTable(allocations, invocation)) }
  return 0
}

let evalList = Command(
  path: ["eval", "list"], summary: "List evaluations",
  flags: readFlags + [
    .value("job", "id", "Only those of this job."),
    .value("status", "status", "Only those of this status.", completion: .oneOf(["blocked", "pending", "complete", "failed", "canceled"])),
    .value("per-page", "count", "At most so many."), .value("page-token", "token", "Go on where a page ended."), verboseFlag,
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
    Table.columns(["ID", "Priority", "Triggered By", "Job ID", "Namespace", "Node ID", "Status", "Placement Failures"], rows))
  return 0
}

func deploymentTable(_ deployments: [Deployment], _ invocation: Invocation) -> String {
  let rows = deployments.map { deployment in
    [
      invocation.shown(deployment.id), deployment.jobID, "\(deployment.jobVersion)", deployment.status.rawValue,
      deployment.statusDescription,
    ]
  }
  return Table.columns(["ID", "Job ID", "Job Version", "Status", "Description"], rows)
}

let deploymentList = Command(
  path: ["deployment", "list"], summary: "List deployments", flags: readFlags + [verboseFlag]
) { invocation in
  let bytes = try invocation.client.raw("/v1/deployments")
  if try invocation.printedRaw(bytes) { return 0 }
  let deployments = try JSON.decode([Deployment].self, from: bytes)
  invocation.terminal.print(deployments.isEmpty ? "No deployments found" : deploymentTable(deployments, invocation))
  return 0
}

let deploymentStatus = Command(
  path: ["deployment", "status"], arguments: "<deployment>", summary: "Show a deployment",
  flags: readFlags + [.bool("monitor", "Follow the deployment until it is over."), verboseFlag], completes: .deployments
) { invocation in
  guard !invocation.arguments.isEmpty else {
    let deployments: [Deployment] = try invocation.client.get("/v1/deployments")
    invocation.terminal.print(deployments.isEmpty ? "No deployments found" : deploymentTable(deployments, invocation))
    return 0
  }
  let deployment = try invocation.client.deployment(prefix: try invocation.onlyArgument())
  if invocation.has("monitor") { return try Monitor(invocation).deployment(deployment.id) }
  if try invocation.printedRaw(JSON.encode(deployment)) { return 0 }
  invocation.terminal.print(
    Table.keyValues([
      ("ID", invocation.shown(deployment.id)), ("Job ID", deployment.jobID), ("Job Version", "\(deployment.jobVersion)"),
      ("Status", deployment.status.rawValue), ("Description", deployment.statusDescription),
    ]) + "\n\n" + deployedTable(deployment))
  return 0
}

let serverMembers = Command(
  path: ["server", "members"], summary: "List the servers",
  flags: readFlags + [.bool("detailed", "Show the tags of every server."), verboseFlag]
) { invocation in
  let bytes = try invocation.client.raw("/v1/agent/members")
  if try invocation.printedRaw(bytes) { return 0 }
  let members = try JSON.decode(AgentMembers.self, from: bytes).members
  let leader: String = (try? invocation.client.get("/v1/status/leader")) ?? ""
  let rows = members.sorted { $0.name < $1.name }.map { member -> [String] in
    let address = hostPort(member.addr, Int(member.tags["port"] ?? "") ?? 4647)
    var row = [member.name, member.addr, "\(member.port)", member.status]
    if invocation.has("detailed") {
      return row + [member.tags.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")]
    }
    row += [
      "\(address == leader)", member.tags["raft_vsn"] ?? "3", member.tags["build"] ?? "", member.tags["dc"] ?? "",
      member.tags["region"] ?? "",
    ]
    return row
  }
  let header =
    invocation.has("detailed")
    ? ["Name", "Address", "Port", "Status", "Tags"]
    : ["Name", "Address", "Port", "Status", "Leader", "Raft Version", "Build", "Datacenter", "Region"]
  invocation.terminal.print(Table.columns(header, rows))
  return 0
}

let namespaceList = Command(
  path: ["namespace", "list"], summary: "List namespaces", flags: readFlags
) { invocation in
  let bytes = try invocation.client.raw("/v1/namespaces")
  if try invocation.printedRaw(bytes) { return 0 }
  let found = try JSON.decode([Namespace].self, from: bytes)
  invocation.terminal.print(Table.columns(["Name", "Description"], found.map { [$0.name, $0.description] }))
  return 0
}

let namespaceStatus = Command(
  path: ["namespace", "status"], arguments: "<namespace>", summary: "Show a namespace", flags: readFlags, completes: .namespaces
) { invocation in
  let bytes = try invocation.client.raw("/v1/namespace/\(try invocation.onlyArgument().pathEncoded)")
  if try invocation.printedRaw(bytes) { return 0 }
  let found = try JSON.decode(Namespace.self, from: bytes)
  invocation.terminal.print(
    Table.keyValues([("Name", found.name), ("Description", found.description)] + found.meta.sorted { $0.key < $1.key }.map { ("Meta \($0.key)", $0.value) }))
  return 0
}

let namespaceApply = Command(
  path: ["namespace", "apply"], arguments: "<namespace>", summary: "Make or change a namespace",
  flags: [.value("description", "text", "What it is for.")], completes: .namespaces
) { invocation in
  var namespace = Namespace()
  namespace.name = try invocation.onlyArgument()
  namespace.description = invocation.parsed.value("description") ?? ""
  try invocation.client.send("PUT", "/v1/namespace/\(namespace.name.pathEncoded)", body: namespace)
  invocation.terminal.print("Successfully applied namespace \"\(namespace.name)\"!")
  return 0
}

let namespaceDelete = Command(
  path: ["namespace", "delete"], arguments: "<namespace>", summary: "Remove an empty namespace", completes: .namespaces
) { invocation in
  let name = try invocation.onlyArgument()
  try invocation.client.send("DELETE", "/v1/namespace/\(name.pathEncoded)", body: JSONObject())
  invocation.terminal.print("Successfully deleted namespace \"\(name)\"!")
  return 0
}

let nodePoolList = Command(
  path: ["node", "pool", "list"], summary: "List node pools", flags: readFlags
) { invocation in
  let bytes = try invocation.client.raw("/v1/node/pools")
  if try invocation.printedRaw(bytes) { return 0 }
  let pools = try JSON.decode([NodePool].self, from: bytes)
  invocation.terminal.print(Table.columns(["Name", "Description"], pools.map { [$0.name, $0.description] }))
  return 0
}

let nodePoolInfo = Command(
  path: ["node", "pool", "info"], arguments: "<pool>", summary: "Show a node pool", flags: readFlags, completes: .nodePools
) { invocation in
  let bytes = try invocation.client.raw("/v1/node/pool/\(try invocation.onlyArgument().pathEncoded)")
  if try invocation.printedRaw(bytes) { return 0 }
  let pool = try JSON.decode(NodePool.self, from: bytes)
  invocation.terminal.print(Table.keyValues([("Name", pool.name), ("Description", pool.description)]))
  return 0
}

let systemGC = Command(
  path: ["system", "gc"], summary: "Remove what is no longer needed from the servers' state, now"
) { invocation in
  try invocation.client.send("PUT", "/v1/system/gc", body: JSONObject())
  return 0
}

let version = Command(path: ["version"], summary: "Print the version", usesAgent: false) { invocation in
  invocation.terminal.print("Serai v\(SeraiVersion.text)")
  return 0
}

/// `status` takes an id of any kind and shows what it belongs to.
let status = Command(
  path: ["status"], arguments: "[identifier]", summary: "List jobs, or show whatever an id or prefix belongs to",
  flags: readFlags + [verboseFlag], completes: .jobs
) { invocation in
  try invocation.expectArguments(0...1)
  guard let prefix = invocation.arguments.first else { return try jobStatus.run(invocation.selecting(jobStatus)) }
  var request = SearchRequest()
  request.prefix = prefix
  request.context = "all"
  let response: SearchResponse = try invocation.client.put("/v1/search", body: request)
  let matches = response.matches
  if matches["jobs"]?.contains(prefix) == true { return try jobStatus.run(invocation.selecting(jobStatus)) }
  let kinds: [(String, Command)] = [
    ("jobs", jobStatus), ("allocs", allocStatus), ("evals", evalStatus), ("nodes", nodeStatus), ("deployment", deploymentStatus),
    ("namespaces", namespaceStatus), ("node_pools", nodePoolInfo),
  ]
  let found = kinds.filter { !(matches[$0.0] ?? []).isEmpty }
  guard let only = found.first else { throw CommandFailure("No matches found for id \"\(prefix)\"") }
  guard found.count == 1 else {
    let rows = found.map { "\($0.0): \((matches[$0.0] ?? []).prefix(5).joined(separator: ", "))" }
    throw CommandFailure("\"\(prefix)\" matches more than one thing:\n" + rows.joined(separator: "\n"))
  }
  return try only.1.run(invocation.selecting(only.1))
}

let completion = Command(
  path: ["completion"], arguments: "<bash|zsh>", summary: "Print the script that completes commands in a shell",
  details: "bash: source <(serai completion bash)\nzsh: source <(serai completion zsh)",
  completes: .oneOf(["bash", "zsh"]), usesAgent: false
) { invocation in
  let shell = try invocation.onlyArgument()
  guard let script = Completion.script(for: shell) else { throw UsageError("\"\(shell)\" has no completion here: bash or zsh") }
  invocation.terminal.write(script)
  return 0
}
