internal import Codec
internal import Model

let nodeStatus = Command(
  path: ["node", "status"], arguments: "[node]", summary: "List nodes, or show one",
  flags: readFlags + [
    .bool("self", "The node of the agent that is asked."), .bool("allocs", "Show how many allocations each node runs."),
    .bool("short", "Leave the resources out."), .bool("stats", "Show what the node uses in detail."),
    .bool("quiet", "Ids only."),
    verboseFlag,
  ], completes: .nodes
) { invocation in
  try invocation.expectArguments(0...1)
  let client = invocation.client
  if invocation.has("self") {
    let agent: AgentSelf = try client.get("/v1/agent/self")
    guard let id = agent.stats["client"]?["node_id"] else {
      throw CommandFailure("The agent that is asked runs no client")
    }
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
  invocation.terminal.print(try nodeTable(nodes, invocation))
  return 0
}

/// The table of nodes that `node status` and `node pool nodes` show; with -quiet their ids alone.
func nodeTable(_ nodes: [NodeListStub], _ invocation: Invocation) throws -> String {
  if invocation.has("quiet") { return nodes.map { invocation.shown($0.id) }.joined(separator: "\n") }
  var header = ["ID", "Node Pool", "DC", "Name", "Class"]
  if invocation.has("verbose") { header += ["Address", "Version"] }
  header += ["Drain", "Eligibility", "Status"]
  if invocation.has("allocs") { header.append("Running Allocs") }
  let rows = try nodes.map { node -> [String] in
    var row = [invocation.shown(node.id), node.nodePool, node.datacenter, node.name, node.nodeClass]
    if invocation.has("verbose") { row += [node.address, node.version] }
    row += ["\(node.drain)", node.schedulingEligibility.rawValue, node.status.rawValue]
    if invocation.has("allocs") {
      let allocations: [AllocationListStub] = try invocation.client.get("/v1/node/\(node.id)/allocations")
      row.append("\(allocations.filter { $0.clientStatus == .running }.count)")
    }
    return row
  }
  return Table.columns(header, rows)
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
      if !stats.deviceStats.isEmpty {
        terminal.print("\n" + terminal.bold("Device Resource Utilization"))
        terminal.print(Table.keyValues(DeviceStatsText.summary(stats.deviceStats)))
      }
      if invocation.has("stats") { printDetailedStats(stats, terminal) }
    }
  }
  terminal.print("\n" + terminal.bold("Allocations"))
  if allocations.isEmpty {
    terminal.print("No allocations placed")
  } else {
    var stubs = try JSON.decode([AllocationListStub].self, from: JSON.encode(allocations))
    // A whole allocation carries its version in its job.
    for place in stubs.indices { stubs[place].jobVersion = allocations[place].job?.version ?? 0 }
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
      [
        [
          "\(cpu)/\(total.cpu.cpuShares - reserved.cpu.cpuShares) MHz",
          "\(bytesText(Int(memory) << 20))/\(bytesText(Int(total.memory.memoryMB - reserved.memory.memoryMB) << 20))",
          "\(bytesText(Int(disk) << 20))/\(bytesText(Int(total.disk.diskMB - reserved.disk.diskMB) << 20))",
        ]
      ]))
}

private func printHostStats(_ stats: HostStats, _ node: Node, _ terminal: Terminal) {
  terminal.print("\n" + terminal.bold("Host Resource Utilization"))
  let disk =
    stats.allocDirStats.map { "\(bytesText(Int(clamping: $0.used)))/\(bytesText(Int(clamping: $0.size)))" } ?? ""
  terminal.print(
    Table.columns(
      ["CPU", "Memory", "Disk"],
      [
        [
          "\(Int(stats.cpuTicksConsumed.rounded()))/\(node.nodeResources?.cpu.cpuShares ?? 0) MHz",
          "\(bytesText(Int(clamping: stats.memory.used)))/\(bytesText(Int(clamping: stats.memory.total)))", disk,
        ]
      ]))
}

private func printDetailedStats(_ stats: HostStats, _ terminal: Terminal) {
  if !stats.deviceStats.isEmpty {
    terminal.print("\n" + terminal.bold("Device Stats"))
    for (device, rows) in DeviceStatsText.details(stats.deviceStats) {
      terminal.print(Table.keyValues([("Device", device)] + rows))
    }
  }
  func percent(_ value: Double) -> String { "\((value * 100).rounded() / 100)%" }
  func bytes(_ value: UInt64) -> String { bytesText(Int(clamping: value)) }
  terminal.print("\n" + terminal.bold("CPU Stats"))
  terminal.print(
    Table.columns(
      ["CPU", "User", "System", "Idle"],
      stats.cpu.map { [$0.cpu, percent($0.user), percent($0.system), percent($0.idle)] }))
  let memory = stats.memory
  terminal.print("\n" + terminal.bold("Memory Stats"))
  terminal.print(
    Table.columns(
      ["Total", "Available", "Used", "Free"], [[memory.total, memory.available, memory.used, memory.free].map(bytes)]))
  terminal.print("\n" + terminal.bold("Disk Stats"))
  terminal.print(
    Table.columns(
      ["Device", "Mount Point", "Size", "Used", "Available", "Used Percent", "Inodes Percent"],
      stats.diskStats.map {
        [
          $0.device, $0.mountpoint, bytes($0.size), bytes($0.used), bytes($0.available), percent($0.usedPercent),
          percent($0.inodesUsedPercent),
        ]
      }))
}

let nodeEligibility = Command(
  path: ["node", "eligibility"], arguments: "<node>", summary: "Say whether new work may be placed on a node",
  flags: [
    .bool("enable", "New work may be placed on it."), .bool("disable", "No new work is placed on it; what runs stays."),
    .bool("self", "The node of the agent that is asked."),
  ], completes: .nodes
) { invocation in
  let client = invocation.client
  guard invocation.has("enable") != invocation.has("disable") else {
    throw UsageError("give one of -enable and -disable")
  }
  let node = try client.node(prefixOrName: try nodeArgument(invocation))
  var body = JSONObject()
  body["Eligibility"] = invocation.has("enable") ? "eligible" : "ineligible"
  try client.send("/v1/node/\(node.id)/eligibility", body: body)
  invocation.terminal.print(
    "Node \"\(node.id)\" scheduling eligibility set: \(invocation.has("enable") ? "eligible" : "ineligible") for scheduling"
  )
  return 0
}
