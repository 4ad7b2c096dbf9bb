internal import Codec
internal import Model

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

let serverJoin = Command(
  path: ["server", "join"], arguments: "<address> [<address>...]", summary: "Let the server that is asked join others",
  details: """
    Addresses are those of the others' gossip, host:port; the port is 4648 when none
    is given. One that is reached is enough: it knows the others.
    """
) { invocation in
  guard !invocation.arguments.isEmpty else { throw UsageError("server join needs at least one address") }
  let answer: JoinResponse = try invocation.client.put(
    "/v1/agent/join", repeating: invocation.arguments.map { ("address", $0) })
  guard answer.error.isEmpty else { throw CommandFailure("Error joining: \(answer.error)") }
  invocation.terminal.print("Joined \(answer.numJoined) servers successfully")
  return 0
}

let serverForceLeave = Command(
  path: ["server", "force-leave"], arguments: "<name>", summary: "Take a failed server for one that has left",
  details: """
    The name is that of `server members`, node.region. A server that still runs objects
    and stays.
    """,
  flags: [.bool("prune", "Forget it: `server members` no longer lists it.")]
) { invocation in
  let name = try invocation.onlyArgument()
  var query = [("node", name)]
  if invocation.has("prune") { query.append(("prune", "true")) }
  try invocation.client.send("/v1/agent/force-leave", repeating: query)
  return 0
}
