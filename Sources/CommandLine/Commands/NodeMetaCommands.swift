internal import Codec
internal import Model

private let nodeFlag = Flag.value("node-id", "node", "The node; that of the agent that is asked when not given.")

private func nodeQuery(_ invocation: Invocation) throws -> [String: String] {
  guard let name = invocation.parsed.value("node-id") else { return [:] }
  return ["node_id": try invocation.client.node(prefixOrName: name).id.description]
}

let nodeMetaRead = Command(
  path: ["node", "meta", "read"], summary: "Show the metadata of a node", flags: readFlags + [nodeFlag]
) { invocation in
  try invocation.expectArguments(0...0)
  let bytes = try invocation.client.raw("/v1/client/metadata", try nodeQuery(invocation))
  if try invocation.printedRaw(bytes) { return 0 }
  let metadata = try JSON.decode(NodeMetadata.self, from: bytes)
  func section(_ title: String, _ pairs: [(key: String, value: String)]) {
    invocation.terminal.print(invocation.terminal.bold(title))
    invocation.terminal.print(pairs.isEmpty ? "<none>" : Table.keyValues(pairs.sorted { $0.key < $1.key }))
  }
  section("All Meta", metadata.meta.map { ($0.key, $0.value) })
  invocation.terminal.print("")
  section("Dynamic Meta", metadata.dynamic.map { ($0.key, $0.value ?? "<unset>") })
  invocation.terminal.print("")
  section("Static Meta", metadata.fixed.map { ($0.key, $0.value) })
  return 0
}

let nodeMetaApply = Command(
  path: ["node", "meta", "apply"], arguments: "<key=value>...", summary: "Change the metadata of a node",
  details: "What is set here outlives restarts of the agent and wins over its configuration.",
  flags: [nodeFlag, .value("unset", "keys", "Take these keys away; commas between them.")]
) { invocation in
  let pairs = try keyValues(invocation.arguments, flag: "meta apply")
  let removed = (invocation.parsed.value("unset") ?? "").split(separator: ",").map(String.init)
  guard !pairs.isEmpty || !removed.isEmpty else { throw UsageError("give key=value pairs, or -unset") }
  var meta = JSONObject()
  for (key, value) in pairs.sorted(by: { $0.key < $1.key }) { meta[key] = .string(value) }
  for key in removed { meta[key] = .null }
  let body: JSONValue = ["Meta": .object(meta)]
  let _: NodeMetadata = try invocation.client.put("/v1/client/metadata", try nodeQuery(invocation), body: body)
  return 0
}
