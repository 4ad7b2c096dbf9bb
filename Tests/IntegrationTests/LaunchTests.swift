import Codec
import HTTP
import Linux
import Testing

/// Jobs that launch others, and nodes that are emptied, as real processes.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(40))) struct LaunchTests {
  private static func batch(_ name: String, _ block: String, script: String, task: String = "") -> String {
    shellJob(name, type: "batch", script: script, task: task).replacing(
      "type = \"batch\"", with: "type = \"batch\"\n\(block)")
  }

  @Test func aDispatchedJobFindsItsPayloadAndMetadata() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      let job = Self.batch(
        "import", "parameterized {\n payload = \"required\"\n meta_required = [\"who\"]\n}",
        script: "echo \"$NOMAD_META_who: $(cat local/in/data.txt)\"",
        task: "dispatch_payload {\n file = \"in/data.txt\"\n}")
      try await agent.submit("import", job)
      try #require(try await agent.serai("job", "status", "import").output.contains("Parameterized = true"))
      let payload = try scratch.write("payload.txt", "two\nlines")
      let output = try await agent.succeeds("job", "dispatch", "-meta", "who=me", "import", payload)
      try #require(output.contains("Dispatched Job ID = import/dispatch-"), "\(output)")
      let jobs = try await agent.get("/v1/jobs?prefix=import/").arrayValue ?? []
      let child = try #require(jobs.first?["ID"]?.stringValue)
      let path = child.split(separator: "/").joined(separator: "%2F")
      let allocation = try await agent.allocation(of: path, being: "complete")
      try #require(try await agent.log(allocation, "import") == "me: two\nlines\n")
      let refused = try await agent.serai("job", "dispatch", "import", payload)
      try #require(refused.code == 1 && refused.errors.contains("who"), "\(refused)")
      try #require(
        try await agent.serai("job", "status", "import").output.contains("Children Job Summary"))
      try #require(try await agent.serai("job", "inspect", "-hcl", "import").output == job)
    }
  }

  @Test func aPeriodicJobRunsAtItsTimesAndWhenForced() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      try await agent.submit(
        "tick", Self.batch("tick", "periodic {\n crons = [\"*/2 * * * * * *\"]\n}", script: "echo tick"))
      try await until("two launches have run") {
        let children = try await agent.get("/v1/job/tick/summary")["Children"]
        return (children?["Dead"]?.intValue ?? 0) >= 2
      }
      try await agent.succeeds("job", "stop", "-detach", "tick")
      try await agent.submit("rare", Self.batch("rare", "periodic {\n cron = \"@yearly\"\n}", script: "echo forced"))
      let forced = try await agent.succeeds("job", "periodic", "force", "rare")
      try #require(forced.contains("Force periodic successful") && forced.contains("finished with status"), "\(forced)")
      try await until("the forced launch has run") {
        try await agent.get("/v1/job/rare/summary")["Children"]?["Dead"] == 1
      }
    }
  }

  @Test func scalingChangesWhatRuns() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      try await agent.submit(
        "web",
        shellJob(
          "web", script: "exec sleep 86400",
          group: "count = 1\nscaling {\n min = 1\n max = 3\n}\nupdate {\n min_healthy_time = \"100ms\"\n}"))
      try await until("the deployment is over") {
        try await agent.get("/v1/job/web/deployment")["Status"] == "successful"
      }
      try await agent.succeeds("job", "scale", "web", "3")
      try await until("three run") {
        try await agent.allocations(of: "web").filter { $0.status == "running" }.count == 3
      }
      let refused = try await agent.serai("job", "scale", "web", "web", "4")
      try #require(refused.code == 1 && refused.errors.contains("maximum"), "\(refused)")
      let events = try await agent.succeeds("job", "scaling-events", "web")
      try #require(
        events.contains("Task Group  Count  PrevCount") && events.contains("web         3      1"), "\(events)")
      try #require(try await agent.succeeds("scaling", "policy", "list").contains("Group:web,Job:web"))
      let restarted = try await agent.succeeds("job", "restart", "-yes", "-batch-size", "2", "web")
      try #require(restarted.contains("Finished restarting job \"web\""), "\(restarted)")
      for allocation in try await agent.allocations(of: "web") {
        try await until("\(allocation.id) was restarted") {
          try await agent.allocations(of: "web").first { $0.id == allocation.id }?.task.restarts == 1
        }
      }
    }
  }

  @Test func aDrainedNodeIsEmptyAndItsWorkGoesOnElsewhere() async throws {
    try await Scratch.with { scratch in
      let server = try Agent(scratch, .server, label: "server")
      try await server.start()
      let clients = try ["first", "second"].map {
        try Agent(scratch, .client(server: server.rpcPort), label: $0, ownCgroup: true)
      }
      try await clients[0].start()
      try await server.submit(
        "moves",
        shellJob(
          "moves", script: "exec sleep 86400",
          group: "count = 2\nmigrate {\n min_healthy_time = \"100ms\"\n}\nupdate {\n min_healthy_time = \"100ms\"\n}"))
      try await until("the deployment is over") {
        try await server.get("/v1/job/moves/deployment")["Status"] == "successful"
      }
      try await clients[1].start()
      try await until("both nodes are ready") {
        (try await server.get("/v1/nodes").arrayValue ?? []).filter { $0["Status"] == "ready" }.count == 2
      }
      let output = try await server.succeeds("node", "drain", "-enable", "-yes", "-deadline", "5m", "first")
      for line in ["drain strategy set", "marked for migration", "has marked all", "have stopped", "drain complete"] {
        try #require(output.contains(line), "\(line): \(output)")
      }
      // The drain is over when the old ones have stopped; the last replacement may only just be starting.
      try await until("both run on the second node") {
        let running = try await server.allocations(of: "moves").filter { $0.status == "running" }
        return running.count == 2 && running.allSatisfy { $0.json["NodeName"] == "second" }
      }
      try #require(HostProcess.tasks(cgroup: clients[0].cgroup).filter { $0.arguments.first == "sleep" }.isEmpty)
      let first = (try await server.get("/v1/nodes").arrayValue ?? []).first { $0["Name"] == "first" }
      try #require(first?["SchedulingEligibility"] == "ineligible" && first?["Drain"] == false)
      try await server.succeeds("node", "eligibility", "-enable", "first")
      try await server.succeeds("node", "meta", "apply", "-node-id", "first", "rack=r7")
      try await until("the server knows the metadata") {
        let nodes = try await server.get("/v1/nodes").arrayValue ?? []
        let id = nodes.first { $0["Name"] == "first" }?["ID"]?.stringValue ?? ""
        return try await server.get("/v1/node/\(id)")["Meta"]?["rack"] == "r7"
      }
      try await server.stop("moves")
    }
  }
}
