import Codec
import Glibc
import HTTP
import Linux
import Testing

/// Server and client as two processes.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(40))) struct TwoAgentsTests {
  /// A batch job, so that its end is not a failure.
  private static let job = shellJob(
    "counter", type: "batch",
    script: """
      i=0; while [ ! -e /alloc/data/end ]; do i=$((i+1)); echo "tick $i"; sleep 0.2; done
      exit 0
      """)

  @Test func requestsGoToWhoCanAnswerAndTasksOutliveAnAbsentServer() async throws {
    try await Scratch.with { scratch in
      let server = try Agent(scratch, .server, label: "server")
      try await server.start()
      let client = try Agent(scratch, .client(server: server.rpcPort), label: "client")
      try await client.start()
      try await until("the node is ready") { try await server.get("/v1/nodes").arrayValue?.first?["Status"] == "ready" }

      // Everything by the client's address: what needs a server is handed on.
      try await client.submit("counter", Self.job)
      let allocation = try await client.allocation(of: "counter", being: "running")
      try #require(try await client.succeeds("job", "status", "counter").contains(allocation.short))
      try #require(try await client.succeeds("server", "members").contains("server.global"))
      try #require(try await client.get("/v1/status/leader").stringValue == "127.0.0.1:\(server.rpcPort)")
      // By the server's address: what only the client has is handed on the other way.
      try await until("the log is read through the server") {
        try await server.log(allocation, "counter").hasPrefix("tick 1\n")
      }
      try #require(
        try await server.succeeds("alloc", "fs", allocation.short, "alloc/logs").contains("counter.stdout.0"))
      let stats = try await server.get("/v1/client/allocation/\(allocation.id)/stats")
      try #require(stats["Tasks"]?["counter"] != nil, "\(JSON.text(stats))")
      let node = try #require(try await server.get("/v1/nodes").arrayValue?.first?["ID"]?.stringValue)
      try #require(try await server.get("/v1/client/stats?node_id=\(node)")["Memory"] != nil)

      let task = try await eventually("the task's process is found") { tasks(scratch).first?.pid }
      try await server.terminate()
      // The task ends nowhere and the client still answers for its own allocations.
      let counted = try await client.log(allocation, "counter").count
      try await until("the task writes on without a server") {
        try await client.log(allocation, "counter").count > counted + 100
      }
      let refused = try await client.request(.get, "/v1/jobs")
      try #require(refused.status.rawValue >= 500, "without a server nothing is made up: \(refused)")
      try Files.replace("\(client.dataFolder)/alloc/\(allocation.id)/alloc/data/end", with: [], permissions: 0o644)
      try await until("the task has ended") { tasks(scratch).allSatisfy { $0.pid != task } }

      try await server.start()
      let ended = try await server.allocation(of: "counter", "its end has arrived at the server") {
        $0.id == allocation.id && $0.status == "complete"
      }
      try #require(ended.task.messages("Terminated") == ["Exit Code: 0"])
    }
  }

  @Test func killedServerKeepsWhatItAcknowledged() async throws {
    try await Scratch.with { scratch in
      let server = try Agent(scratch, .server, label: "server")
      try await server.start()
      let client = try Agent(scratch, .client(server: server.rpcPort), label: "client")
      try await client.start()
      try await client.submit("counter", Self.job)
      let allocation = try await client.allocation(of: "counter", being: "running")
      let task = try await eventually("the task's process is found") { tasks(scratch).first?.pid }
      try await server.submit("later", shellJob("later", script: "sleep 86400"))
      try await server.kill()
      try await server.start()
      try #require(try await server.get("/v1/job/later")["ID"] == "later")
      try await until("the client is back") {
        try await server.get("/v1/nodes").arrayValue?.first?["Status"] == "ready"
      }
      _ = try await server.allocation(of: "later", being: "running")
      let still = try await server.allocation(of: "counter", being: "running")
      try #require(still.id == allocation.id && tasks(scratch).contains { $0.pid == task }, "the task was left alone")
      try await until("the client is healthy") { try await client.request(.get, "/v1/agent/health").status == .ok }
      for job in ["counter", "later"] { try await server.stop(job) }
      try await until("nothing runs") { HostProcess.tasks(cgroup: scratch.name).isEmpty }
    }
  }

  private func tasks(_ scratch: Scratch) -> [HostProcess] {
    HostProcess.tasks(cgroup: scratch.name).filter {
      $0.arguments.first == "/bin/sh" && $0.arguments.last?.contains("tick") == true
    }
  }
}
