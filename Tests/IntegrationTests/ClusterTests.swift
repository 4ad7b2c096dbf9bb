import Codec
import Glibc
import HTTP
import Linux
import Synchronization
import Testing

/// Three servers and more as real processes.
@Suite(.timeLimit(.minutes(10))) struct ClusterTests {
  @Test func threeServersMakeAClusterAndAnyOfThemAnswers() async throws {
    try await Scratch.with { scratch in
      let group = try ServerGroup(scratch, 3)
      try await group.start()
      let leader = try await group.leader()
      let follower = try #require(group.others(than: leader).first)
      let written = try #require(await follower.makeNamespace("by-a-follower"))
      try #require(written.status == .ok, "\(written)")
      for server in group.servers {
        try #require(try await server.namespaces().contains("by-a-follower"), "\(server.label)")
        try #require(try await server.get("/v1/status/peers").arrayValue?.count == 3)
      }
      let read = try await follower.request(.get, "/v1/namespaces")
      try #require(read.headers["X-Nomad-KnownLeader"] == "true")
      let stale = try await follower.request(.get, "/v1/namespaces?stale")
      try #require(stale.status == .ok && stale.headers["X-Nomad-LastContact"].flatMap { Int($0) } ?? 9_999 < 5_000)
      let table = try await follower.succeeds("server", "members")
      try #require(table.split(separator: "\n").count == 4, "\(table)")
      try #require(table.split(separator: "\n").filter { $0.contains(" true ") }.count == 1, "one leader: \(table)")
      // A majority is needed to write and to read what nobody has overtaken; what a server has, it tells with ?stale.
      for server in group.others(than: follower) { try await server.kill() }
      let refused = try await follower.request(.put, "/v1/namespace", body: "{\"Name\": \"alone\"}")
      try #require(refused.status == .internalServerError && refused.text.contains("No cluster leader"), "\(refused)")
      let late = try await follower.request(.get, "/v1/namespaces")
      try #require(late.status.rawValue >= 500, "\(late)")
      let old = try await follower.request(.get, "/v1/namespaces?stale")
      try #require(old.status == .ok && old.text.contains("by-a-follower"))
      try #require(old.headers["X-Nomad-KnownLeader"] == "false")
    }
  }

  @Test func nothingAcknowledgedIsLostWhenLeadersAreKilledAndStopped() async throws {
    try await Scratch.with { scratch in
      let group = try ServerGroup(scratch, 3)
      try await group.start()
      let acknowledged = Mutex<[String]>([])
      let writer = Task {
        var number = 0
        while !Task.isCancelled {
          let server = group.servers[number % 3]
          let name = "w-\(number)"
          if let answer = await server.makeNamespace(name), answer.status == .ok {
            acknowledged.withLock { $0.append(name) }
          }
          number += 1
        }
      }
      for round in 0..<4 {
        let before = acknowledged.withLock { $0.count }
        try await until("writes go through") { acknowledged.withLock { $0.count } > before + 10 }
        let leader = try await group.leader()
        if round % 2 == 0 { try await leader.kill() } else { try leader.signal(SIGSTOP) }
        let others = group.others(than: leader)
        _ = try await eventually("another server leads") {
          let new = try await group.leader(among: others)
          return new === leader ? nil : new
        }
        if round % 2 == 0 { try leader.launch() } else { try leader.signal(SIGCONT) }
        try await leader.waitUntilHealthy()
      }
      writer.cancel()
      _ = await writer.value
      let names = acknowledged.withLock { $0 }
      try #require(names.count > 40)
      for server in group.servers {
        let found = try await server.namespaces()
        let lost = names.filter { !found.contains($0) }
        try #require(lost.isEmpty, "\(server.label) has not: \(lost)")
      }
    }
  }

  @Test(.enabled(if: isRoot, needsRoot)) func tasksRunOnAndAreKnownWhoeverLeads() async throws {
    try await Scratch.with { scratch in
      let group = try ServerGroup(scratch, 3)
      try await group.start()
      let client = try Agent(scratch, .clientOf(group.servers.map(\.rpcPort)), label: "client")
      try await client.start()
      let first = try await group.leader()
      try await first.submit("sleeper", shellJob("sleeper", script: "sleep 86400"))
      let allocation = try await client.allocation(of: "sleeper", being: "running")
      let task = try await eventually("the task's process is found") { tasks(scratch).first?.pid }
      try await first.kill()
      let second = try await group.leader(among: group.others(than: first))
      // A job that the next leader schedules, on a node that reached it by whatever server.
      try await second.submit("later", shellJob("later", script: "sleep 86400"))
      for server in group.others(than: first) {
        _ = try await server.allocation(of: "later", being: "running")
        let same = try await server.allocation(of: "sleeper", being: "running")
        try #require(same.id == allocation.id)
        // Whichever server the client is connected to, each finds the way to it.
        try #require(try await server.get("/v1/client/allocation/\(allocation.id)/stats")["Tasks"] != nil)
      }
      try #require(tasks(scratch).contains { $0.pid == task }, "the task was left alone")
      try await second.stop("later")
      try await second.stop("sleeper")
    }
  }

  @Test func aSavedStateIsInspectedAndRestoredHereAndInANewCluster() async throws {
    try await Scratch.with { scratch in
      let group = try ServerGroup(scratch, 3)
      try await group.start()
      let one = group.servers[0]
      for number in 0..<30 { try #require(await one.makeNamespace("old-\(number)")?.status == .ok) }
      let file = "\(scratch.folder)/state.snap"
      try await group.servers[1].succeeds("operator", "snapshot", "save", file)
      let inspection = try await one.succeeds("operator", "snapshot", "inspect", file)
      try #require(inspection.contains("Namespaces") && inspection.contains("= 31"), "\(inspection)")
      let records = try JSON.decode(
        JSONValue.self, from: Array(try await one.succeeds("operator", "snapshot", "state", file).utf8))
      try #require(records["Namespaces"]?.arrayValue?.count == 31)

      try #require(await one.makeNamespace("new")?.status == .ok)
      let before = try #require(try await one.request(.get, "/v1/namespaces").index)
      try await group.servers[2].succeeds("operator", "snapshot", "restore", file)
      for server in group.servers {
        let found = try await server.namespaces()
        try #require(
          found.count == 31 && found.contains("old-7") && !found.contains("new"), "\(server.label): \(found)")
        let after = try #require(try await server.request(.get, "/v1/namespaces").index)
        try #require(after > before, "an index never goes back")
      }
      try #require(await one.makeNamespace("afterwards")?.status == .ok)
      try await one.kill()
      try await one.start()
      try await until("the restored state comes back from the log") { try await one.namespaces().count == 32 }

      // A cluster whose log is shorter than the indexes of the state that it takes over.
      let fresh = try Agent(scratch, .server, label: "fresh")
      try await fresh.start()
      try await fresh.succeeds("operator", "snapshot", "restore", file)
      try #require(try await fresh.namespaces().count == 31)
      try #require(await fresh.makeNamespace("in-the-new-cluster")?.status == .ok)
      try await fresh.kill()
      try await fresh.start()
      try #require(try await fresh.namespaces().count == 32)
      try scratch.write("broken.snap", "SERAISNP and nothing behind it that could be a snapshot of anything")
      let refused = try await fresh.serai("operator", "snapshot", "restore", "\(scratch.folder)/broken.snap")
      try #require(refused.code == 1 && refused.errors.contains("broken.snap"), "\(refused)")
    }
  }

  @Test func leadershipIsHandedOnAndAMemberIsTakenOut() async throws {
    try await Scratch.with { scratch in
      let group = try ServerGroup(scratch, 3)
      try await group.start()
      let leader = try await group.leader()
      let heir = try #require(group.others(than: leader).first)
      try await heir.succeeds("operator", "raft", "transfer-leadership", "-peer-address", "127.0.0.1:\(heir.rpcPort)")
      try await until("the other one leads") { try await group.leader() === heir }
      let gone = leader
      try await gone.kill()
      try await heir.succeeds("operator", "raft", "remove-peer", "-peer-address", "127.0.0.1:\(gone.rpcPort)")
      try await until("two are left") { try await heir.peers().count == 2 }
      try #require(await heir.makeNamespace("by-two")?.status == .ok)
      let unknown = try await heir.serai("operator", "raft", "remove-peer", "-peer-address", "127.0.0.1:1")
      try #require(unknown.code == 1 && unknown.errors.contains("was not found"), "\(unknown)")
      try await heir.succeeds("operator", "autopilot", "set-config", "-server-stabilization-time=1s")
      try #require(try await heir.succeeds("operator", "autopilot", "get-config").contains("1s"))
      // The one that was taken out comes back and is taken in again, by the next leader at the latest.
      try gone.launch()
      try await heir.succeeds("operator", "raft", "transfer-leadership")
      try await until("it has a vote again", orSay: { heir.logText }) {
        let peers = try await heir.peers()
        return peers.count == 3 && peers.allSatisfy { $0["Voter"] == true }
      }
      try await until("it knows what it missed") { try await gone.namespaces().contains("by-two") }
    }
  }

  @Test func aClusterIsMadeOfWhatIsLeftOfOne() async throws {
    try await Scratch.with { scratch in
      let group = try ServerGroup(scratch, 3)
      try await group.start()
      let one = group.servers[0]
      try #require(await one.makeNamespace("kept")?.status == .ok)
      try await until("the last server has it, too") { try await one.namespaces().contains("kept") }
      let running = try await one.serai("operator", "raft", "recover", "-data-dir", one.dataFolder)
      try #require(
        running.code == 1 && running.errors.contains("has it"), "a running agent's data is left alone: \(running)")
      for server in group.servers { try await server.kill() }
      let ids = try group.servers.map {
        try Files.readText("\($0.dataFolder)/server/node-id").filter { !$0.isWhitespace }
      }
      let needless = try await one.serai(
        "operator", "raft", "recover", "-data-dir", one.dataFolder, "-survivor", ids[0], "-survivor", ids[1])
      try #require(needless.code == 1 && needless.errors.contains("no recovery is needed"), "\(needless)")
      let refused = try await one.serai("operator", "raft", "recover", "-data-dir", one.dataFolder)
      try #require(refused.code == 1 && refused.errors.contains("-accept-data-loss"), "\(refused)")
      try #require(refused.output.contains(ids[0]) && refused.output.contains(ids[2]), "\(refused)")
      try await one.succeeds("operator", "raft", "recover", "-data-dir", one.dataFolder, "-accept-data-loss")
      try await one.start()
      try #require(try await one.namespaces().contains("kept"))
      try #require(await one.makeNamespace("alone")?.status == .ok)
      try #require(try await one.peers().count == 1)
      try #require(!Files.exists("\(one.dataFolder)/server/raft/peers.json"), "it counts once")
    }
  }

  private func tasks(_ scratch: Scratch) -> [HostProcess] {
    HostProcess.tasks(cgroup: scratch.name).filter {
      $0.arguments.first == "/bin/sh" && $0.arguments.last?.contains("86400") == true
    }
  }

  @Test func oneServerBecomesThreeWithoutLoss() async throws {
    try await Scratch.with { scratch in
      let one = try Agent(
        scratch, .server, label: "s1", settings: "autopilot {\n server_stabilization_time = \"1s\"\n}")
      try await one.start()
      for number in 0..<20 { try #require(await one.makeNamespace("before-\(number)")?.status == .ok) }
      func more(_ number: Int) throws -> Agent {
        try Agent(
          scratch, .server, label: "s\(number)",
          serverSettings:
            "server_join {\n retry_join = [\"127.0.0.1:\(one.serfPort)\"]\n retry_interval = \"200ms\"\n}",
          expect: 3)
      }
      let (two, three) = (try more(2), try more(3))
      try await two.start()
      try await three.start()
      try await until("all three have a vote", orSay: { one.logText }) {
        let peers = try await one.peers()
        return peers.count == 3 && peers.allSatisfy { $0["Voter"] == true }
      }
      try await one.kill()
      try await until("the two new ones go on without the first") {
        await two.makeNamespace("after")?.status == .ok
      }
      let found = try await three.namespaces()
      try #require((0..<20).allSatisfy { found.contains("before-\($0)") } && found.contains("after"))
      try await one.start()
      try await until("the first is back and knows") { try await one.namespaces().contains("after") }
    }
  }
}
