import Codec
import HTTP
import Linux
import Testing

/// Updates where there is room for one allocation only: the new one takes the old one's place when that is free.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(5))) struct FullNodeTests {
  /// Listens on a static port, and takes its time to end.
  private func job(_ version: String, port: UInt16, more: String = "") -> String {
    shellJob(
      "web",
      script: """
        exec python3 -c '
        import os, signal, socket, time
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", int(os.environ["NOMAD_PORT_http"])))
        server.listen()
        print("bound", flush=True)
        def end(*_):
            time.sleep(1.5)
            os._exit(0)
        signal.signal(signal.SIGINT, end)
        while True:
            signal.pause()
        '
        """,
      group: """
        network {
          port "http" {
            static = \(port)
          }
        }
        restart {
          attempts = 0
          mode     = "fail"
        }
        update {
          min_healthy_time = "100ms"
          healthy_deadline = "30s"
        }
        \(more)
        """, task: "kill_timeout = \"20s\"\nenv { VERSION = \"\(version)\" }", memory: 150)
  }

  /// - Parameter memory: of the node, in MB.
  private func agent(_ scratch: Scratch, memory: Int) async throws -> Agent {
    try await Agent.development(scratch, clientSettings: "memory_total_mb = \(memory)")
  }

  @Test func aRollingUpdateWorksWhereOnlyTheOldAllocationFits() async throws {
    try await Scratch.with { scratch in
      let agent = try await agent(scratch, memory: 200)
      let port = try FreePorts.next()
      try await agent.succeeds("job", "run", try scratch.write("web.nomad.hcl", job("1", port: port)))
      let old = try await agent.allocation(of: "web", being: "running")
      // Followed to the end of its deployment.
      let outcome = try await agent.succeeds("job", "run", try scratch.write("web.nomad.hcl", job("2", port: port)))
      try #require(outcome.contains("Deployment completed successfully"), "\(outcome)")
      let all = try await agent.allocations(of: "web")
      let new = try #require(all.first { $0.id != old.id })
      try #require(all.count == 2, "nothing had to be tried twice: \(all.map(\.status))")
      let whole = try await agent.get("/v1/allocation/\(new.id)")
      try #require(whole["StartsAfter"]?.arrayValue?.compactMap(\.stringValue) == [old.id], "\(JSON.text(whole))")
      let ended = try #require(try await agent.allocations(of: "web").first { $0.id == old.id })
      let (end, start) = (
        ended.task.json["FinishedAt"]?.stringValue ?? "", new.task.json["StartedAt"]?.stringValue ?? ""
      )
      try #require(!end.isEmpty && end < start, "the old one ended at \(end), the new one began at \(start)")
      try #require(try await agent.log(new, "web") == "bound\n", "the port was free")
      try await agent.stop("web")
    }
  }

  @Test func anotherJobGetsThePlaceOnlyWhenTheOldOneHasEnded() async throws {
    try await Scratch.with { scratch in
      let agent = try await agent(scratch, memory: 200)
      let port = try FreePorts.next()
      try await agent.submit("web", job("1", port: port))
      let old = try await agent.allocation(of: "web", being: "running")
      try await until("it has bound its port") { try await agent.log(old, "web") == "bound\n" }
      let other = job("1", port: port).replacing("\"web\"", with: "\"other\"")
      try await agent.submit("other", other)
      try await until("the other waits") {
        (try await agent.get("/v1/job/other/evaluations").arrayValue ?? []).contains { $0["Status"] == "blocked" }
      }
      try await agent.succeeds("job", "stop", "-detach", "web")
      let placed = try await agent.allocation(of: "other", being: "running")
      try #require(try await agent.allocations(of: "web").first?.status == "complete")
      try await until("it has bound the port") { try await agent.log(placed, "other") == "bound\n" }
      try #require(placed.task.restarts == 0)
      try await agent.stop("other")
    }
  }
}
