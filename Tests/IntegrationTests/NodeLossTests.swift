import Codec
import HTTP
import Linux
import Testing

/// A node whose client is gone: its allocations are replaced elsewhere, and ended when it comes back.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(40))) struct NodeLossTests {
  @Test func allocationsOfALostNodeAreReplaced() async throws {
    try await Scratch.with { scratch in
      let server = try Agent(
        scratch, .server, label: "server", serverSettings: "heartbeat_grace = \"1s\"\nmin_heartbeat_ttl = \"1s\"")
      try await server.start()
      let clients = try ["first", "second"].map {
        try Agent(scratch, .client(server: server.rpcPort), label: $0, ownCgroup: true)
      }
      try await clients[0].start()
      try await server.submit("moves", shellJob("moves", script: "exec sleep 86400"))
      let first = try await server.allocation(of: "moves", being: "running")
      try await clients[1].start()
      try await until("two nodes are ready") { try await nodes(server, "ready").count == 2 }

      try await clients[0].kill()
      try await until("the node is down") { try await nodes(server, "down") == ["first"] }
      try #require(sleepers(clients[0]).count == 1, "its task runs on: nobody is there to end it")
      let second = try await server.allocation(of: "moves", "is replaced") {
        $0.id != first.id && $0.status == "running"
      }
      try #require(second.json["NodeName"] == "second")
      try #require(try await server.allocations(of: "moves").first { $0.id == first.id }?.status == "lost")

      try await clients[0].start()
      try await until("the node is back") { try await nodes(server, "ready").count == 2 }
      try await until("the lost allocation's task is ended", orSay: { "\(sleepers(clients[0]))" }) {
        sleepers(clients[0]).isEmpty
      }
      try await until("exactly one counts as running") {
        try await server.allocations(of: "moves").filter { $0.status == "running" }.map(\.id) == [second.id]
      }
      try #require(sleepers(clients[1]).count == 1)
      try await server.stop("moves")
      try await until("nothing runs") { sleepers(clients[1]).isEmpty }
    }
  }

  private func nodes(_ server: Agent, _ status: String) async throws -> [String] {
    (try await server.get("/v1/nodes").arrayValue ?? []).filter { $0["Status"]?.stringValue == status }
      .compactMap { $0["Name"]?.stringValue }
  }

  private func sleepers(_ agent: Agent) -> [HostProcess] {
    HostProcess.tasks(cgroup: agent.cgroup).filter { $0.arguments.first == "sleep" }
  }
}
