import Codec
import HTTP
import Linux
import Testing

/// `ephemeral_disk` with `sticky` and `migrate`: what an allocation left is there for the one in its place.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(10))) struct EphemeralDiskTests {
  /// Counts its starts in a file, in the shared directory and in the task's own.
  private func job(_ disk: String, version: String, count: Int = 1) -> String {
    shellJob(
      "keeps",
      script: """
        for place in /alloc/data /local; do
          echo "$NOMAD_ALLOC_ID" >> $place/starts
        done
        test -e /alloc/data/deep/er || { mkdir -p /alloc/data/deep/er; ln -s ../starts /alloc/data/deep/link; }
        exec sleep 86400
        """,
      group: """
        count = \(count)
        ephemeral_disk {
          \(disk)
        }
        restart { attempts = 0 }
        update {
          min_healthy_time = "100ms"
        }
        migrate {
          min_healthy_time = "100ms"
        }
        """, task: "env { VERSION = \"\(version)\" }\nkill_timeout = \"2s\"")
  }

  @Test func theNewVersionFindsTheDataOfTheOldOneOnTheSameNode() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      try await agent.submit("keeps", job("sticky = true", version: "1"))
      let first = try await agent.allocation(of: "keeps", being: "running")
      try await agent.submit("keeps", job("sticky = true", version: "2"))
      let second = try await agent.allocation(of: "keeps", "the second version runs") {
        $0.id != first.id && $0.status == "running"
      }
      try await until("both have written") { try starts(agent, second, "alloc/data") == [first.id, second.id] }
      try #require(try starts(agent, second, "keeps/local") == [first.id, second.id])
      // Without sticky everyone begins with nothing.
      try await agent.submit("keeps", job("sticky = false", version: "3"))
      let third = try await agent.allocation(of: "keeps", "the third version runs") {
        ![first.id, second.id].contains($0.id) && $0.status == "running"
      }
      try await until("the third has written") { try starts(agent, third, "alloc/data") == [third.id] }
      try await agent.stop("keeps")
    }
  }

  @Test func aDrainedNodesDataComesToTheOtherNode() async throws {
    try await Scratch.with { scratch in
      let server = try Agent(scratch, .server, label: "server")
      try await server.start()
      let clients = try ["first", "second"].map {
        try Agent(scratch, .client(server: server.rpcPort), label: $0, ownCgroup: true)
      }
      try await clients[0].start()
      try await server.submit("keeps", job("sticky = true\n migrate = true\n", version: "1"))
      let old = try await server.allocation(of: "keeps", being: "running")
      let oldData = "\(clients[0].dataFolder)/alloc/\(old.id)"
      try await until("it has written") { Files.exists(oldData + "/alloc/data/deep/link") }
      // More than one piece, and attributes that are worth keeping.
      let large = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      try Files.replace(oldData + "/alloc/data/deep/er/large", with: large, permissions: 0o640)
      let before = try FileStatus.of(oldData + "/alloc/data/deep/er/large")

      try await clients[1].start()
      try await until("two nodes are ready") {
        (try await server.get("/v1/nodes").arrayValue ?? []).filter { $0["Status"] == "ready" }.count == 2
      }
      let node = try #require(old.json["NodeID"]?.stringValue)
      let drain = try await server.serai("node", "drain", "-enable", "-yes", "-deadline", "1m", node)
      try #require(drain.code == 0, "\(drain)")
      let new = try await server.allocation(of: "keeps", "runs on the other node") {
        $0.id != old.id && $0.status == "running"
      }
      try #require(new.json["NodeName"] == "second")
      try await until("the new one has written", orSay: { clients[1].logText }) {
        try starts(clients[1], new, "alloc/data") == [old.id, new.id]
      }
      try #require(try starts(clients[1], new, "keeps/local") == [old.id, new.id])
      let newData = "\(clients[1].dataFolder)/alloc/\(new.id)/alloc/data/deep"
      try #require(try Files.read(newData + "/er/large", limit: 2 << 20) == large)
      let after = try FileStatus.of(newData + "/er/large")
      try #require(after.permissions == before.permissions && after.uid == before.uid)
      try #require(after.modifiedNanoseconds == before.modifiedNanoseconds)
      let link = try FileDescriptor.open(newData, [.directory]).readSymbolicLink("link")
      try #require(link == "../starts")
      try await server.stop("keeps")
    }
  }

  @Test func aLostNodesDataStaysAwayAndTheTaskSaysSo() async throws {
    try await Scratch.with { scratch in
      let server = try Agent(
        scratch, .server, label: "server", serverSettings: "heartbeat_grace = \"1s\"\nmin_heartbeat_ttl = \"1s\"")
      try await server.start()
      let clients = try ["first", "second"].map {
        try Agent(scratch, .client(server: server.rpcPort), label: $0, ownCgroup: true)
      }
      try await clients[0].start()
      try await server.submit("keeps", job("sticky = true\n migrate = true\n", version: "1"))
      let old = try await server.allocation(of: "keeps", being: "running")
      try await clients[1].start()
      try await clients[0].kill()
      let new = try await server.allocation(of: "keeps", "is replaced") { $0.id != old.id && $0.status == "running" }
      try await until("it begins anew") { try starts(clients[1], new, "alloc/data") == [new.id] }
      let told = try await server.allocation(of: "keeps", "has told why") {
        $0.id == new.id && !$0.task.messages("Driver").isEmpty
      }
      try #require(told.task.messages("Driver").contains { $0.contains(old.id) && $0.contains("could not be brought") })
      try await server.stop("keeps")
    }
  }

  private func starts(_ agent: Agent, _ allocation: Allocation, _ place: String) throws -> [String] {
    HostProcess.text("\(agent.dataFolder)/alloc/\(allocation.id)/\(place)/starts").split(separator: "\n").map(
      String.init)
  }
}
