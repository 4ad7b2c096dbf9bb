import Codec
import HTTP
import Linux
import Testing

/// `node drain` with its flags, from the command line to the tasks' ends.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(10))) struct DrainCommandTests {
  private struct Cluster {
    let server: Agent
    let clients: [Agent]

    init(_ scratch: Scratch) async throws {
      server = try Agent(scratch, .server, label: "server")
      try await server.start()
      clients = try ["first", "second"].map { [server] in
        try Agent(scratch, .client(server: server.rpcPort), label: $0, ownCgroup: true)
      }
      try await clients[0].start()
    }

    /// Adds the second node, which has been empty so far.
    func grow() async throws {
      try await clients[1].start()
      try await until("two nodes are ready") {
        (try await server.get("/v1/nodes").arrayValue ?? []).filter { $0["Status"] == "ready" }.count == 2
      }
    }

    func node(_ name: String) async throws -> JSONValue {
      try #require(try await server.get("/v1/nodes").arrayValue?.first { $0["Name"]?.stringValue == name })
    }

    func id(_ name: String) async throws -> String { try #require(try await node(name)["ID"]?.stringValue) }

    func running(_ job: String, on name: String) async throws -> [Allocation] {
      try await server.allocations(of: job).filter {
        $0.status == "running" && $0.json["DesiredStatus"] == "run" && $0.json["NodeName"]?.stringValue == name
      }
    }
  }

  private func service(_ name: String = "web", count: Int = 2) -> String {
    shellJob(
      name, script: "exec sleep 86400",
      group: """
        count = \(count)
        migrate {
          max_parallel     = 1
          min_healthy_time = "100ms"
        }
        """)
  }

  @Test func aMonitoredDrainTellsEveryStepAndSystemJobsGoLast() async throws {
    try await Scratch.with { scratch in
      let cluster = try await Cluster(scratch)
      try await cluster.server.submit("web", service())
      try await cluster.server.submit("agent", shellJob("agent", type: "system", script: "exec sleep 86400"))
      try await until("all run on the first node") {
        let (web, agents) = try await (cluster.running("web", on: "first"), cluster.running("agent", on: "first"))
        return web.count == 2 && agents.count == 1
      }
      let services = try await cluster.running("web", on: "first")
      let system = try #require(try await cluster.running("agent", on: "first").first)
      try await cluster.grow()
      let node = try await cluster.id("first")
      let output = try await cluster.server.succeeds("node", "drain", "-enable", "-yes", "-m", "upgrade", node)
      let lines = output.split(separator: "\n").map { line in line.drop { $0 != " " }.dropFirst() }
      func place(_ text: String) -> Int? { lines.firstIndex { $0 == text } }
      try #require(place("Ctrl-C to stop monitoring: will not cancel the node drain") == 0, "\(output)")
      try #require(place("Node \"\(node)\" drain strategy set") == 1)
      for allocation in services + [system] {
        let marked = try #require(place("Alloc \"\(allocation.id)\" marked for migration"), "\(output)")
        let draining = try #require(place("Alloc \"\(allocation.id)\" draining"), "\(output)")
        let ended = try #require(place("Alloc \"\(allocation.id)\" status running -> complete"), "\(output)")
        try #require(marked <= draining && draining < ended, "\(output)")
      }
      // One service after the other, and the system job when no service is left.
      let ends = try services.map { try #require(place("Alloc \"\($0.id)\" status running -> complete")) }
      try #require(try #require(place("Alloc \"\(system.id)\" draining")) > ends.max() ?? 0, "\(output)")
      try #require(lines.last == "Node \"\(node)\" drain complete", "\(output)")
      try #require(try await cluster.running("web", on: "second").count == 2)
      let after = try await cluster.server.get("/v1/node/\(node)")
      try #require(after["SchedulingEligibility"] == "ineligible" && after["LastDrain"]?["Status"] == "complete")
      try #require(after["LastDrain"]?["Meta"]?["message"] == "upgrade")
      for job in ["web", "agent"] { try await cluster.server.stop(job) }
    }
  }

  @Test func systemJobsStayAndAnEndedDrainMayLeaveTheNodeIneligible() async throws {
    try await Scratch.with { scratch in
      let cluster = try await Cluster(scratch)
      try await cluster.server.submit("web", service(count: 1))
      try await cluster.server.submit("agent", shellJob("agent", type: "system", script: "exec sleep 86400"))
      try await until("both run") {
        let (web, agents) = try await (cluster.running("web", on: "first"), cluster.running("agent", on: "first"))
        return web.count == 1 && agents.count == 1
      }
      try await cluster.grow()
      let node = try await cluster.id("first")
      try await cluster.server.succeeds("node", "drain", "-enable", "-yes", "-ignore-system", node)
      try #require(try await cluster.running("agent", on: "first").count == 1, "-ignore-system: it stays")
      try #require(try await cluster.running("web", on: "first").isEmpty)
      // A drain that can't be completed in this time is ended by hand.
      try await cluster.server.succeeds("node", "eligibility", "-enable", node)
      let second = try await cluster.id("second")
      try await cluster.server.succeeds("node", "eligibility", "-disable", node)
      try await cluster.server.succeeds("node", "drain", "-enable", "-yes", "-detach", "-no-deadline", second)
      let draining = try await cluster.server.get("/v1/node/\(second)")
      try #require(draining["DrainStrategy"]?["Deadline"]?.intValue == 0, "-no-deadline: \(JSON.text(draining))")
      try await cluster.server.succeeds("node", "drain", "-disable", "-keep-ineligible", second)
      let kept = try await cluster.server.get("/v1/node/\(second)")
      try #require(kept["SchedulingEligibility"] == "ineligible" && kept["DrainStrategy"] == .null)
      try await cluster.server.succeeds("node", "drain", "-enable", "-yes", "-detach", second)
      try await cluster.server.succeeds("node", "drain", "-disable", second)
      try #require(try await cluster.server.get("/v1/node/\(second)")["SchedulingEligibility"] == "eligible")
      for job in ["web", "agent"] { try await cluster.server.stop(job) }
    }
  }

  @Test func forceDoesNotWaitForAnybodyAndSelfIsTheAskedAgentsNode() async throws {
    try await Scratch.with { scratch in
      let cluster = try await Cluster(scratch)
      try await cluster.server.submit("web", service(count: 3))
      try await cluster.server.submit("work", shellJob("work", type: "batch", script: "exec sleep 86400"))
      try await until("all run") {
        let (web, work) = try await (cluster.running("web", on: "first"), cluster.running("work", on: "first"))
        return web.count == 3 && work.count == 1
      }
      // No second node: nothing could become healthy elsewhere, and -force does not ask.
      let output = try await cluster.clients[0].succeeds("node", "drain", "-enable", "-yes", "-force", "-self")
      try #require(output.contains("drain complete"), "\(output)")
      try #require(
        HostProcess.tasks(cgroup: cluster.clients[0].cgroup).filter { $0.arguments.first == "sleep" }.isEmpty)
      for job in ["web", "work"] { try await cluster.server.stop(job) }
    }
  }

  @Test func atTheDeadlineEverythingThatIsLeftGoes() async throws {
    try await Scratch.with { scratch in
      let cluster = try await Cluster(scratch)
      try await cluster.server.submit("work", shellJob("work", type: "batch", script: "exec sleep 86400"))
      let work = try await cluster.server.allocation(of: "work", being: "running")
      let node = try await cluster.id("first")
      try await cluster.server.succeeds("node", "drain", "-enable", "-yes", "-detach", "-deadline", "4s", node)
      try #require(
        try await cluster.running("work", on: "first").map(\.id) == [work.id], "batch work may go on so long")
      let monitored = try await cluster.server.succeeds("node", "drain", "-monitor", node)
      try #require(monitored.contains("Alloc \"\(work.id)\" draining"), "\(monitored)")
      try #require(monitored.contains("drain complete"), "\(monitored)")
      try await cluster.server.stop("work")
    }
  }
}
