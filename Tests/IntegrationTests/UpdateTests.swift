import Codec
import HTTP
import Linux
import Testing

/// Jobs that change while they run.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(40))) struct UpdateTests {
  private static func job(count: Int = 1, text: String = "one", meta: String = "a") -> String {
    shellJob(
      "web", script: "echo \"text \(text)\"; exec sleep 86400",
      group: """
        count = \(count)
        update {
          max_parallel     = 1
          min_healthy_time = "100ms"
          healthy_deadline = "1m"
        }
        meta {
          key = "\(meta)"
        }
        """)
  }

  private func running(_ agent: Agent) async throws -> [Allocation] {
    try await agent.allocations(of: "web").filter { $0.status == "running" && $0.json["DesiredStatus"] == "run" }
  }

  @Test func countGoesUpAndDown() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      func run(_ count: Int) async throws {
        let file = try scratch.write("web.nomad.hcl", Self.job(count: count))
        try await agent.succeeds("job", "run", file)
        try await until("\(count) allocations run") { try await running(agent).count == count }
      }
      try await run(1)
      let first = try #require(try await running(agent).first)
      try await run(3)
      try #require(try await running(agent).contains { $0.id == first.id }, "what runs is left alone")
      try #require(Set(try await running(agent).map(\.name)) == ["web.web[0]", "web.web[1]", "web.web[2]"])
      try await run(1)
      try #require(try await running(agent).map(\.id) == [first.id], "the highest numbers go")
      try await until("the others have ended") {
        HostProcess.tasks(cgroup: scratch.name).filter { $0.arguments.first == "sleep" }.count == 1
      }
      let plan = try await agent.serai("job", "plan", try scratch.write("web.nomad.hcl", Self.job(count: 2)))
      try #require(
        plan.code == 1 && plan.output.contains("1 create") && plan.output.contains("Count: \"1\" => \"2\""), "\(plan)")
    }
  }

  @Test func newCommandReplacesAllocationsOneByOne() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      try await agent.succeeds("job", "run", try scratch.write("web.nomad.hcl", Self.job(count: 2)))
      try await until("two run") { try await running(agent).count == 2 }
      let old = Set(try await running(agent).map(\.id))
      let file = try scratch.write("web.nomad.hcl", Self.job(count: 2, text: "two"))
      let plan = try await agent.serai("job", "plan", file)
      try #require(plan.code == 1 && plan.output.contains("create/destroy update"), "\(plan)")
      let run = try await agent.succeeds("job", "run", file)
      try #require(run.contains("successful"), "\(run)")
      try await until("two new ones run") {
        let all = try await running(agent)
        return all.count == 2 && old.isDisjoint(with: all.map(\.id))
      }
      for allocation in try await running(agent) {
        try await until("the new command's log") { try await agent.log(allocation, "web") == "text two\n" }
      }
      try #require(try await agent.get("/v1/job/web/versions")["Versions"]?.arrayValue?.count == 2)
      try await agent.succeeds("job", "revert", "web", "0")
      try await until("the first version runs again") {
        let all = try await running(agent)
        guard all.count == 2 else { return false }
        for allocation in all where try await agent.log(allocation, "web") != "text one\n" { return false }
        return true
      }
    }
  }

  @Test func stoppedAllocationIsReplacedAndRestartedOneIsNot() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      try await agent.submit("web", Self.job())
      let first = try await agent.allocation(of: "web", being: "running")
      try await agent.succeeds("alloc", "restart", first.short)
      let restarted = try await agent.allocation(of: "web", "is restarted") {
        $0.status == "running" && $0.task.restarts == 1 && $0.task.state == "running"
      }
      try #require(restarted.id == first.id)
      try #require(
        restarted.task.messages("Restart Signaled").joined().contains("User requested"), "\(restarted.task.messages)")
      try await agent.succeeds("alloc", "signal", "-s", "SIGTERM", first.short)
      _ = try await agent.allocation(of: "web", "was ended by the signal") { !$0.task.messages("Signaling").isEmpty }
      try await agent.succeeds("alloc", "stop", "-detach", first.short)
      let second = try await agent.allocation(of: "web", "is replaced") { $0.id != first.id && $0.status == "running" }
      try #require(second.json["PreviousAllocation"]?.stringValue ?? first.id == first.id)
      try await until("the first has ended") {
        try await agent.allocations(of: "web").first { $0.id == first.id }?.status == "complete"
      }
    }
  }

  @Test func ineligibleNodeTakesNothingNew() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      let node = try #require(try await agent.get("/v1/nodes").arrayValue?.first?["ID"]?.stringValue)
      try await agent.succeeds("node", "eligibility", "-disable", String(node.prefix(8)))
      let outcome = try await agent.serai("job", "run", try scratch.write("web.nomad.hcl", Self.job()))
      try #require(outcome.code == 2, "\(outcome)")
      try await agent.succeeds("node", "eligibility", "-enable", String(node.prefix(8)))
      // The evaluation that waited is tried again by itself.
      _ = try await agent.allocation(of: "web", being: "running")
    }
  }
}
