import Codec
import Glibc
import HTTP
import Linux
import Testing

/// `var lock`: a command runs while its variable's lock is held, and nobody else's beside it.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(5))) struct VariableLockTests {
  @Test func commandsOfOneLockRunOneAfterTheOther() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      try await agent.succeeds("var", "init", "-quiet", in: scratch.folder)
      try await agent.succeeds("var", "put", "@spec.nv.hcl", "key2=other", in: scratch.folder)
      try #require(try await agent.succeeds("var", "get", "-item", "key2", "path/to/variable") == "other\n")

      let log = "\(scratch.folder)/log"
      async let first = agent.serai(
        "var", "lock", "path/to/variable", "echo begin >> \(log); sleep 2; echo end >> \(log); exit 7")
      try await until("the first holds the lock") { HostProcess.text(log) == "begin\n" }
      let seen = try await agent.get("/v1/var/path/to/variable")
      try #require(seen["Lock"]?["TTL"] == "15s" && seen["Lock"]?["ID"] == "", "\(JSON.text(seen))")
      let refused = try await agent.serai("var", "put", "-force", "path/to/variable", "a=b")
      try #require(refused.code == 1, "\(refused)")
      let second = try await agent.serai(
        "var", "lock", "-max-retry", "0", "path/to/variable", "echo begin >> \(log); echo end >> \(log)")
      try #require(second.code == 0, "\(second)")
      try #require(try await first.code == 7, "the command's own status")
      try #require(HostProcess.text(log) == "begin\nend\nbegin\nend\n")
      let free = try await agent.get("/v1/var/path/to/variable")
      try #require(free["Lock"] == nil && free["Items"]?["key2"] == "other", "\(JSON.text(free))")
    }
  }

  @Test func whoComesTooOftenGivesUp() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      let answer = try await agent.request(
        .put, "/v1/var/leader?lock-acquire", body: #"{"Lock": {"TTL": "1h", "LockDelay": "1s"}}"#)
      let id = try #require(try answer.json["Lock"]?["ID"]?.stringValue)
      let late = try await agent.serai("var", "lock", "-max-retry", "2", "leader", "true")
      try #require(late.code == 1 && late.errors.contains("gave up after 2 attempts"), "\(late)")
      let wrong = try await agent.request(.put, "/v1/var/leader?lock-renew", body: #"{"Lock": {"ID": "x"}}"#)
      try #require(wrong.status == .badRequest, "\(wrong)")
      let renewed = try await agent.request(.put, "/v1/var/leader?lock-renew", body: "{\"Lock\": {\"ID\": \"\(id)\"}}")
      try #require(renewed.status == .ok, "\(renewed)")
      let released = try await agent.request(
        .put, "/v1/var/leader?lock-release", body: "{\"Lock\": {\"ID\": \"\(id)\"}}")
      try #require(released.status == .ok, "\(released)")
      try await agent.succeeds("var", "lock", "-max-retry", "1", "leader", "true")
    }
  }
}
