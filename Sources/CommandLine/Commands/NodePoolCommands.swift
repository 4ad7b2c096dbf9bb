internal import Codec
internal import Model

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
  path: ["node", "pool", "info"], arguments: "<pool>", summary: "Show a node pool", flags: readFlags,
  completes: .nodePools
) { invocation in
  let bytes = try invocation.client.raw("/v1/node/pool/\(try invocation.onlyArgument().pathEncoded)")
  if try invocation.printedRaw(bytes) { return 0 }
  let pool = try JSON.decode(NodePool.self, from: bytes)
  let meta = pool.meta.sorted { $0.key < $1.key }.map { (key: "Meta \($0.key)", value: $0.value) }
  let algorithm = pool.schedulerConfiguration?.schedulerAlgorithm ?? ""
  invocation.terminal.print(
    Table.keyValues(
      [("Name", pool.name), ("Description", pool.description)]
        + (algorithm.isEmpty ? [] : [("Scheduler Algorithm", algorithm)]) + meta))
  return 0
}

let nodePoolNodes = Command(
  path: ["node", "pool", "nodes"], arguments: "<pool>", summary: "List the nodes of a pool",
  flags: readFlags + [.bool("quiet", "Ids only."), verboseFlag], completes: .nodePools
) { invocation in
  let bytes = try invocation.client.raw("/v1/node/pool/\(try invocation.onlyArgument().pathEncoded)/nodes")
  if try invocation.printedRaw(bytes) { return 0 }
  let nodes = try JSON.decode([NodeListStub].self, from: bytes)
  invocation.terminal.print(nodes.isEmpty ? "No nodes" : try nodeTable(nodes, invocation))
  return 0
}

let nodePoolJobs = Command(
  path: ["node", "pool", "jobs"], arguments: "<pool>", summary: "List the jobs of a pool", flags: readFlags,
  completes: .nodePools
) { invocation in
  let bytes = try invocation.client.raw("/v1/node/pool/\(try invocation.onlyArgument().pathEncoded)/jobs")
  if try invocation.printedRaw(bytes) { return 0 }
  let jobs = try JSON.decode([JobListStub].self, from: bytes)
  invocation.terminal.print(
    jobs.isEmpty ? "No jobs" : jobTable(jobs, showsNamespace: invocation.settings.namespace == "*"))
  return 0
}

let nodePoolApply = Command(
  path: ["node", "pool", "apply"], arguments: "<pool>", summary: "Make or change a node pool",
  flags: [
    .value("description", "text", "What it is for."),
    .repeated("meta", "key=value", "Metadata of the pool. May be repeated."),
  ], completes: .nodePools
) { invocation in
  let name = try invocation.onlyArgument()
  // What the flags leave out stays as it is.
  var pool: NodePool = try invocation.client.optional("/v1/node/pool/\(name.pathEncoded)") ?? NodePool()
  pool.name = name
  if let description = invocation.parsed.value("description") { pool.description = description }
  for text in invocation.parsed.all("meta") {
    guard let equals = text.firstIndex(of: "=") else { throw UsageError("-meta takes key=value, not \"\(text)\"") }
    pool.meta[String(text[..<equals])] = String(text[text.index(after: equals)...])
  }
  try invocation.client.send("/v1/node/pools", body: pool)
  invocation.terminal.print("Successfully applied node pool \"\(name)\"!")
  return 0
}

let nodePoolDelete = Command(
  path: ["node", "pool", "delete"], arguments: "<pool>", summary: "Remove a node pool that nothing uses",
  completes: .nodePools
) { invocation in
  let name = try invocation.onlyArgument()
  try invocation.client.remove("/v1/node/pool/\(name.pathEncoded)")
  invocation.terminal.print("Successfully deleted node pool \"\(name)\"!")
  return 0
}
