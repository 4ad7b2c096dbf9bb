import Codec
import Glibc
import HTTP
import Linux
import Testing

/// Starting, reloading and ending an agent in order.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(40))) struct AgentLifeTests {
  @Test func terminatedAgentLeavesItsTasksToTheNext() async throws {
    try await Scratch.with { scratch in
      let agent = try Agent(scratch, .both)
      try await agent.start()
      try await agent.submit("stays", shellJob("stays", script: "exec sleep 86400"))
      let allocation = try await agent.allocation(of: "stays", being: "running")
      let node = try await agent.get("/v1/nodes").arrayValue?.first?["ID"]
      let before = try await eventually("the task runs") { sleepers(scratch).first?.pid }
      try #require(try await agent.terminate().exitCode == 0)
      try #require(sleepers(scratch).map(\.pid) == [before])
      try await agent.start()
      let after = try await agent.allocation(of: "stays", being: "running")
      try #require(after.id == allocation.id && after.task.restarts == 0 && sleepers(scratch).map(\.pid) == [before])
      try #require(try await agent.get("/v1/nodes").arrayValue?.map { $0["ID"] } == [node], "the node is the same one")
      try await agent.stop("stays")
      try await until("nothing runs") { HostProcess.tasks(cgroup: scratch.name).isEmpty }
    }
  }

  @Test func hangUpReloadsTheLogLevelAndNamesWhatWaitsForARestart() async throws {
    try await Scratch.with { scratch in
      let agent = try Agent(scratch, .server)
      let path = "\(scratch.folder)/agent.hcl"
      let text = try Files.readText(path)
      func configure(_ level: String, _ more: String = "") throws {
        try scratch.write("agent.hcl", text.replacing("\"DEBUG\"", with: "\"\(level)\"") + more)
      }
      try configure("WARN")
      try await agent.start()
      try #require(!agent.logText.contains("[INFO]"), "\(agent.logText)")
      try configure("INFO", "\ndatacenter = \"dc9\"\n")
      Glibc.kill(try agent.pid, SIGHUP)
      try await until("a line of the new level is logged") { agent.logText.contains("configuration reloaded") }
      try #require(
        agent.logText.contains("wait for a restart") && agent.logText.contains("options=datacenter"),
        "\(agent.logText)")
      // A mistake leaves everything as it was.
      try configure("ERROR", "\nunknown_key = 1\n")
      Glibc.kill(try agent.pid, SIGHUP)
      try await until("the mistake is logged") { agent.logText.contains("unknown_key") }
      try configure("INFO")
      let before = agent.logText.split(separator: "\n").count { $0.contains("configuration reloaded") }
      Glibc.kill(try agent.pid, SIGHUP)
      try await until("the level is still the one of before") {
        agent.logText.split(separator: "\n").count { $0.contains("configuration reloaded") } > before
      }
      try #require(try await agent.request(.get, "/v1/agent/health").status == .ok)
    }
  }

  @Test func configurationIsMergedFromFilesAndFoldersAndFlagsWin() async throws {
    try await Scratch.with { scratch in
      let (http, rpc) = (try FreePorts.next(), try FreePorts.next())
      try Files.makeDirectories(scratch.folder + "/conf.d")
      // JSON without an extension, then a folder whose files are read in the order of their names.
      let base = try scratch.write(
        "base",
        "{\"name\": \"base\", \"bind_addr\": \"127.0.0.1\", \"data_dir\": \"\(scratch.folder)/data\", \"server\": {\"enabled\": true}}"
      )
      try scratch.write(
        "conf.d/10-ports.hcl", "ports {\n http = \(http)\n rpc = 1\n}\nname = \"ten\"\ndatacenter = \"dc7\"\n")
      try scratch.write("conf.d/20-ports.json", "{\"ports\": {\"rpc\": \(rpc)}, \"name\": \"twenty\"}")
      try scratch.write("conf.d/ignored.txt", "this is no configuration")
      let log = try FileDescriptor.open("\(scratch.folder)/flags.log", [.writeOnly, .create], permissions: 0o600)
      let program = try Programs.path("serai")
      var request = SpawnRequest(
        path: program,
        arguments: [program, "agent", "-config", base, "--config=\(scratch.folder)/conf.d", "-node", "flag"],
        environment: Scratch.environment())
      request.streams = [nil, log.number, log.number]
      let pid = try request.start()
      scratch.atEnd {
        Glibc.kill(pid, SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
      }
      let url = "http://127.0.0.1:\(http)/v1/agent/self"
      let answer = try await eventually("the agent answers", orSay: { HostProcess.text("\(scratch.folder)/flags.log") })
      {
        () -> JSONValue? in
        guard let response = try? await scratch.http.request(HTTPClientRequest(url: url, timeout: .seconds(5))),
          response.status == .ok
        else { return nil }
        return try JSON.decode(JSONValue.self, from: try await response.bytes())
      }
      try #require(answer["config"]?["Datacenter"] == "dc7", "\(JSON.text(answer))")
      try #require(answer["member"]?["Name"] == "flag.global", "\(JSON.text(answer))")
    }
  }

  /// Agents that name no control group have one each: neither takes the other's tasks for leftovers.
  @Test func twoDevelopmentAgentsOnOneHostLeaveEachOtherAlone() async throws {
    try await Scratch.with { scratch in
      let marker = "8660.\(UInt32.random(in: 100_000...999_999))"
      func copies() -> Int { HostProcess.mentioning(marker).count { $0.arguments.first == "sleep" } }
      let agents = try ["first", "second"].map { try Agent(scratch, .development, label: $0, namesCgroup: false) }
      var groups: [String] = []
      for (number, agent) in agents.enumerated() {
        try await agent.start()
        let supervisor = try await eventually("the supervisor is found") { agent.supervisor?.pid }
        let group = HostProcess.text("/proc/\(supervisor)/cgroup").split(separator: "\n")
          .compactMap { $0.split(separator: "/").dropFirst().first.map(String.init) }.first { $0.hasPrefix("serai-") }
        groups.append(try #require(group))
        try await agent.submit("stays", shellJob("stays", script: "exec sleep \(marker)"))
        _ = try await agent.allocation(of: "stays", being: "running")
        try await until("\(number + 1) run") { copies() == number + 1 }
      }
      try #require(Set(groups).count == 2)
      try await agents[0].terminate()
      try await until("the first agent's task has ended") { copies() == 1 }
      let other = try await agents[1].allocation(of: "stays", being: "running")
      try #require(other.task.restarts == 0, "\(other.task.messages)")
      try await agents[1].terminate()
      try await until("nothing runs") { copies() == 0 }
      for group in groups {
        let left = AgentCgroups(name: group)
        try #require(left.places.isEmpty, "a development agent removes its control groups: \(left.places)")
      }
    }
  }

  private func sleepers(_ scratch: Scratch) -> [HostProcess] {
    HostProcess.tasks(cgroup: scratch.name).filter { $0.arguments.first == "sleep" }
  }
}
