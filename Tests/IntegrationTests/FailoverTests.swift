import Codec
import Glibc
import HTTP
import Linux
import Testing

/// How long nobody can write after a leader was killed.
@Suite(.timeLimit(.minutes(30))) struct FailoverTests {
  /// `make failover` asks for more rounds.
  private static let rounds = getenv("SERAI_FAILOVER_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 3

  @Test(arguments: [3, 5]) func anotherServerLeadsSoonAfterALeaderIsKilled(servers: Int) async throws {
    try await Scratch.with { scratch in
      let group = try ServerGroup(scratch, servers)
      try await group.start()
      var times: [Int64] = []
      for round in 0..<Self.rounds {
        let leader = try await group.leader()
        let asked = try #require(group.others(than: leader).first)
        try #require(await asked.makeNamespace("before-\(round)")?.status == .ok)
        let began = Clock.monotonicNanoseconds
        try leader.signal(SIGKILL)
        // The server that is asked holds the write until there is a leader.
        try await until("a write goes through again") { await asked.makeNamespace("after-\(round)")?.status == .ok }
        times.append(Clock.monotonicNanoseconds - began)
        try await leader.kill()
        try await leader.start()
        try await until("the killed server is back") { try await leader.namespaces().contains("after-\(round)") }
      }
      times.sort()
      let p50 = times[times.count / 2] / 1_000_000
      let p99 = times[min(times.count - 1, times.count * 99 / 100)] / 1_000_000
      print("failover: \(servers) servers, \(times.count) kills: until the next write p50 \(p50) ms, p99 \(p99) ms")
      // Ten times the goal: a loaded machine is late, a broken election never ends.
      try #require(p50 < 5_000)
    }
  }
}
