internal import Codec
internal import HTTP
internal import Model

private let peerFlags: [Flag] = [
  .value("peer-id", "id", "The server's id."),
  .value("peer-address", "address", "The server's address, host:port of its RPC."),
]

private func peer(_ invocation: Invocation, isNeeded: Bool) throws -> [(String, String)] {
  try invocation.expectArguments(0...0)
  let (id, address) = (invocation.parsed.value("peer-id"), invocation.parsed.value("peer-address"))
  if id != nil, address != nil { throw UsageError("name the peer by -peer-id or by -peer-address, not by both") }
  if isNeeded, id == nil, address == nil { throw UsageError("name the peer by -peer-id or by -peer-address") }
  return [("id", id), ("address", address)].compactMap { name, value in value.map { (name, $0) } }
}

let operatorRaftListPeers = Command(
  path: ["operator", "raft", "list-peers"], summary: "List the members of the cluster",
  flags: readFlags + [.bool("stale", "Also when no server leads: what the server that is asked knows.")]
) { invocation in
  try invocation.expectArguments(0...0)
  let bytes = try invocation.client.raw(
    "/v1/operator/raft/configuration", invocation.has("stale") ? ["stale": ""] : [:])
  if try invocation.printedRaw(bytes) { return 0 }
  let rows = try JSON.decode(RaftConfiguration.self, from: bytes).servers.map { server in
    [
      server.node, server.id.description, server.address, server.leader ? "leader" : "follower", "\(server.voter)",
      server.raftProtocol,
    ]
  }
  invocation.terminal.print(Table.columns(["Node", "ID", "Address", "State", "Voter", "RaftProtocol"], rows))
  return 0
}

let operatorRaftRemovePeer = Command(
  path: ["operator", "raft", "remove-peer"], summary: "Take a member out of the cluster",
  details: """
    For one that is gone for good. One that still runs is out until another server
    leads; stop it first, and empty its data directory before it joins again.
    """,
  flags: peerFlags
) { invocation in
  let query = try peer(invocation, isNeeded: true)
  try invocation.client.remove("/v1/operator/raft/peer", Dictionary(query, uniquingKeysWith: { $1 }))
  invocation.terminal.print("Removed peer with \(query[0].0) \"\(query[0].1)\"")
  return 0
}

let operatorRaftTransferLeadership = Command(
  path: ["operator", "raft", "transfer-leadership"], summary: "Hand leadership to another member",
  details: "Without a name it goes to the member whose log is furthest.", flags: peerFlags
) { invocation in
  let query = try peer(invocation, isNeeded: false)
  let answer: JSONValue = try invocation.client.put("/v1/operator/raft/transfer-leadership", repeating: query)
  invocation.terminal.print("Asked server \(answer["To"]?.stringValue ?? "") to take over")
  return 0
}

private let autopilotPath = "/v1/operator/autopilot/configuration"

let operatorAutopilotGetConfig = Command(
  path: ["operator", "autopilot", "get-config"], summary: "Show how the leader looks after the members",
  flags: readFlags
) { invocation in
  try invocation.expectArguments(0...0)
  let bytes = try invocation.client.raw(autopilotPath)
  if try invocation.printedRaw(bytes) { return 0 }
  let configuration = try JSON.decode(AutopilotConfiguration.self, from: bytes)
  invocation.terminal.print(
    Table.keyValues([
      ("CleanupDeadServers", "\(configuration.cleanupDeadServers)"),
      ("LastContactThreshold", configuration.lastContactThreshold),
      ("MaxTrailingLogs", "\(configuration.maxTrailingLogs)"),
      ("MinQuorum", "\(configuration.minQuorum)"),
      ("ServerStabilizationTime", configuration.serverStabilizationTime),
    ]))
  return 0
}

let operatorAutopilotSetConfig = Command(
  path: ["operator", "autopilot", "set-config"], summary: "Change how the leader looks after the members",
  details: "What no flag names stays as it is.",
  flags: [
    .value(
      "cleanup-dead-servers", "bool", "Whether failed servers are taken out when another is in their place.",
      completion: .oneOf(["true", "false"])),
    .value("last-contact-threshold", "duration", "A server out of contact for longer is not healthy."),
    .value("max-trailing-logs", "count", "A server further behind is not healthy."),
    .value("min-quorum", "count", "Voters that stay whatever happens to them."),
    .value("server-stabilization-time", "duration", "How long a new server must be healthy before it gets a vote."),
  ]
) { invocation in
  try invocation.expectArguments(0...0)
  var configuration: AutopilotConfiguration = try invocation.client.get(autopilotPath)
  if let text = invocation.parsed.value("cleanup-dead-servers") {
    guard let given = ["true": true, "false": false][text] else {
      throw UsageError("-cleanup-dead-servers is true or false, not \"\(text)\"")
    }
    configuration.cleanupDeadServers = given
  }
  if let text = invocation.parsed.value("last-contact-threshold") { configuration.lastContactThreshold = text }
  if let text = invocation.parsed.value("server-stabilization-time") { configuration.serverStabilizationTime = text }
  if let count = try invocation.parsed.integer("max-trailing-logs") {
    configuration.maxTrailingLogs = UInt64(clamping: count)
  }
  if let count = try invocation.parsed.integer("min-quorum") { configuration.minQuorum = Int(clamping: count) }
  let isChanged: Bool = try invocation.client.put(
    autopilotPath, ["cas": "\(configuration.modifyIndex)"], body: configuration)
  guard isChanged else {
    throw CommandFailure("The configuration was changed by somebody else meanwhile: look at it and try again")
  }
  invocation.terminal.print("Configuration updated!")
  return 0
}

let operatorAutopilotHealth = Command(
  path: ["operator", "autopilot", "health"], summary: "Show how healthy the members are",
  details: "The exit status is 2 when one is not.", flags: readFlags
) { invocation in
  try invocation.expectArguments(0...0)
  let bytes = try invocation.client.raw("/v1/operator/autopilot/health", also: .tooManyRequests)
  let health = try JSON.decode(OperatorHealth.self, from: bytes)
  let status: Int32 = health.healthy ? 0 : 2
  if try invocation.printedRaw(bytes) { return status }
  invocation.terminal.print("Healthy: \(health.healthy)\nFailureTolerance: \(health.failureTolerance)")
  let rows = health.servers.map { server in
    [
      server.name, server.id.description, server.address, server.serfStatus, server.version, "\(server.leader)",
      "\(server.voter)", "\(server.healthy)", server.lastContact, "\(server.lastIndex)",
    ]
  }
  invocation.terminal.print(
    Table.columns(
      ["Name", "ID", "Address", "SerfStatus", "Version", "Leader", "Voter", "Healthy", "LastContact", "LastIndex"],
      rows))
  return status
}
