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
