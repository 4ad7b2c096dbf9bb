import Codec
import Glibc
import Testing

/// Three servers as real processes that find each other by gossip.
@Suite(.timeLimit(.minutes(40))) struct MembershipTests {
  private static let key = Blob([UInt8](repeating: 7, count: 32)).base64

  private func server(
    _ scratch: Scratch, _ number: Int, joining others: [Agent] = [], key: String = MembershipTests.key,
    settings: String = ""
  ) throws -> Agent {
    let addresses = others.map { "\"127.0.0.1:\($0.serfPort)\"" }.joined(separator: ", ")
    return try Agent(
      scratch, .server, label: "s\(number)", settings: settings,
      serverSettings: """
        encrypt = "\(key)"
        server_join {
          retry_join     = [\(addresses)]
          retry_interval = "1s"
        }
        """)
  }

  /// Status by name, as one server tells it.
  private func members(_ agent: Agent) async throws -> [String: String] {
    let list = try await agent.get("/v1/agent/members")["Members"]?.arrayValue ?? []
    return Dictionary(
      list.map { ($0["Name"]?.stringValue ?? "", $0["Status"]?.stringValue ?? "") }, uniquingKeysWith: { $1 })
  }

  @Test func killedServerFailsAndOneThatIsStoppedWithAGoodbyeLeaves() async throws {
    try await Scratch.with { scratch in
      let one = try server(scratch, 1)
      let two = try server(scratch, 2, joining: [one], settings: "leave_on_terminate = true")
      let three = try server(scratch, 3, joining: [one])
      let all = [one, two, three]
      for agent in all { try await agent.start() }
      try await until("all three see three") {
        for agent in all where try await members(agent).values.filter({ $0 == "alive" }).count != 3 { return false }
        return true
      }
      let table = try await two.succeeds("server", "members")
      try #require(table.contains("s3.global") && table.contains("\(three.serfPort)"), "\(table)")

      try await three.kill()
      try await until("the killed one has failed") {
        let (first, second) = (try await members(one)["s3.global"], try await members(two)["s3.global"])
        return first == "failed" && second == "failed"
      }
      try await three.start()
      try await until("it is back without an operator") {
        let (first, second) = (try await members(one)["s3.global"], try await members(two)["s3.global"])
        return first == "alive" && second == "alive"
      }
      try await two.terminate()
      try await until("the one that said goodbye has left") {
        let (first, second) = (try await members(one)["s2.global"], try await members(three)["s2.global"])
        return first == "left" && second == "left"
      }
      try await three.kill()
      try await until("it has failed again") { try await members(one)["s3.global"] == "failed" }
      try await one.succeeds("server", "force-leave", "-prune", "s3.global")
      try await until("it is forgotten") { try await members(one)["s3.global"] == nil }
    }
  }

  @Test func keyRingIsChangedByCommandAndAWrongKeyStaysOutside() async throws {
    try await Scratch.with { scratch in
      let one = try server(scratch, 1)
      let two = try server(scratch, 2)
      let other = try server(scratch, 3, key: Blob([UInt8](repeating: 8, count: 32)).base64)
      for agent in [one, two, other] { try await agent.start() }
      let joined = try await two.succeeds("server", "join", "127.0.0.1:\(one.serfPort)")
      try #require(joined.contains("Joined 1 servers successfully"))
      let refused = try await other.serai("server", "join", "127.0.0.1:\(one.serfPort)")
      try #require(refused.code == 1 && refused.errors.contains("encrypt"), "\(refused)")
      try await until("both see both") { try await members(one).count == 2 }

      let key = try await one.succeeds("operator", "gossip", "keyring", "generate").filter { !$0.isNewline }
      for verb in ["install", "use"] { try await one.succeeds("operator", "gossip", "keyring", verb, key) }
      try await two.succeeds("operator", "gossip", "keyring", "remove", Self.key)
      let list = try await two.succeeds("operator", "gossip", "keyring", "list")
      try #require(list.contains(key) && list.contains("2/2") && !list.contains(Self.key), "\(list)")
      let primary = try await one.serai("operator", "gossip", "keyring", "remove", key)
      try #require(primary.code == 1 && primary.errors.contains("primary"), "\(primary)")
      // What is in the file is the old key; what is on disk counts.
      try await two.terminate()
      try await two.start()
      let again = try await two.succeeds("server", "join", "127.0.0.1:\(one.serfPort)")
      try #require(again.contains("Joined 1"))
      try #require(try await members(other).count == 1)
    }
  }

  @Test func startJoinThatReachesNobodyEndsTheAgentWithAWordAboutIt() async throws {
    try await Scratch.with { scratch in
      let closed = try FreePorts.next()
      let agent = try Agent(
        scratch, .server, serverSettings: "server_join {\n start_join = [\"127.0.0.1:\(closed)\"]\n}")
      try agent.launch()
      _ = try await agent.waitForEnd()
      try #require(agent.logText.contains("start_join reached no server") && agent.logText.contains("ECONNREFUSED"))
      let patient = try Agent(
        scratch, .server, label: "patient",
        serverSettings: """
          server_join {
            retry_join = ["127.0.0.1:\(closed)"]
            retry_max  = 2
            retry_interval = "100ms"
          }
          """)
      try patient.launch()
      _ = try await patient.waitForEnd()
      try #require(patient.logText.contains("retry_join reached no server in 2 attempts"))
    }
  }
}
