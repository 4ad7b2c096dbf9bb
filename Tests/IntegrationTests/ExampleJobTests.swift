import Codec
import HTTP
import Linux
import Testing

/// What `make run` does: the example that the program writes, run, looked at and stopped.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(40))) struct ExampleJobTests {
  @Test(arguments: [true, false]) func exampleRunsAsItIsWritten(isShort: Bool) async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      if isShort { try await agent.succeeds("job", "init", "-short") } else { try await agent.succeeds("init") }
      let second = try await agent.serai("job", "init")
      try #require(second.code == 1 && second.errors.contains("example.nomad.hcl"), "no file is overwritten: \(second)")
      try await agent.succeeds("validate", "example.nomad.hcl")
      let run = try await agent.succeeds("run", "example.nomad.hcl")
      try #require(run.contains("successful"), "\(run)")
      let allocation = try await agent.allocation(of: "example", being: "running")
      try #require(try await agent.succeeds("job", "status", "example").contains(allocation.short))
      try #require(try await agent.succeeds("logs", "-job", "example").hasPrefix("hello from example.web[0], port "))
      let stop = try await agent.succeeds("stop", "example")
      try #require(stop.contains("finished with status \"complete\""))
      let ended = try await agent.allocation(of: "example", being: "complete")
      try #require(
        try await agent.log(ended, "server").contains("bye\n"), "the task got its signal and ended by itself")
      try await until("the job is dead") { try await agent.get("/v1/job/example")["Status"] == "dead" }
    }
  }
}
