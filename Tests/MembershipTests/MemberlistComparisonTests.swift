import Codec
import Glibc
import Gossip
import Linux
import Model
import Testing

@testable import Membership

private let memberlistPeer: String? = {
  guard let folder = getenv("SERAI_ORACLES") else { return nil }
  let path = String(cString: folder) + "/bin/mlpeer"
  return access(path, X_OK) == 0 ? path : nil
}()

/// The same faults on our pool and on one of memberlist (Debian's 0.2.2, its profile for a LAN, whose times are our
/// defaults), at the same moment on the same host.
@Suite(
  .enabled(if: memberlistPeer != nil, "SERAI_ORACLES names no folder with bin/mlpeer"), .timeLimit(.minutes(5)))
struct MemberlistComparisonTests {
  /// One memberlist process, told what to do on its standard input.
  private final class Peer {
    let name: String
    let port: UInt16
    private let pid: Int32
    private let output: String
    private var input: Pipe
    private var isRunning = true

    init(_ name: String, joining other: Peer?, folder: String) throws {
      self.name = name
      output = "\(folder)/\(name).out"
      input = try Pipe()
      port = UInt16.random(in: 10000..<20000)
      let program = try #require(memberlistPeer)
      var arguments = [program, "-name", name, "-port", "\(port)", "-profile", "lan"]
      if let other { arguments += ["-join", "127.0.0.1:\(other.port)"] }
      let log = try FileDescriptor.open(output, [.writeOnly, .create], permissions: 0o600)
      var request = SpawnRequest(path: program, arguments: arguments, environment: [])
      request.streams = [input.read.number, log.number, log.number]
      pid = try request.start()
    }

    /// Members that it saw go, in order.
    func gone() throws -> [String] {
      try Files.readText(output).split(separator: "\n").compactMap { line in
        guard let event = try? JSON.decode(JSONValue.self, from: Array(line.utf8)), event["ev"] == "leave" else {
          return nil
        }
        return event["name"]?.stringValue
      }
    }

    func joined() throws -> Int {
      try Files.readText(output).split(separator: "\n").count { $0.contains("\"ev\":\"join\"") }
    }

    func signal(_ number: Int32) { Glibc.kill(pid, number) }

    func end() {
      guard isRunning else { return }
      isRunning = false
      Glibc.kill(pid, SIGKILL)
      var status: Int32 = 0
      waitpid(pid, &status, 0)
    }

    deinit { end() }
  }

  @Test func killedMemberIsMissedNoLaterThanByMemberlistAndAPausedOneByNeither() async throws {
    try await Pool.with { pool in
      let peers = try [Peer]([try Peer("p1", joining: nil, folder: pool.folder)])
      try await pool.until("the first peer runs") { try peers[0].joined() >= 1 }
      let all =
        peers + [
          try Peer("p2", joining: peers[0], folder: pool.folder),
          try Peer("p3", joining: peers[0], folder: pool.folder),
        ]
      defer { for peer in all { peer.end() } }
      let ours = try (1...3).map { try pool.start($0) { $0.gossip = GossipConfiguration() } }
      for other in ours.dropFirst() { _ = await other.join(["127.0.0.1:\(ours[0].port)"]) }
      try await pool.until("both pools have three") {
        try all.allSatisfy { try $0.joined() == 3 } && ours.allSatisfy { $0.servers.count == 3 }
      }

      // A pause that is shorter than a suspicion makes nobody fail.
      all[1].signal(SIGSTOP)
      try await Task.sleep(for: .seconds(2))
      all[1].signal(SIGCONT)
      try await Task.sleep(for: .seconds(3))
      #expect(try all[0].gone().isEmpty && all[2].gone().isEmpty)

      let killed = ContinuousClock.now
      all[2].end()
      await ours[2].stop()
      var (theirTime, ourTime): (Duration?, Duration?) = (nil, nil)
      try await pool.until("both pools miss the third") {
        let elapsed = ContinuousClock.now - killed
        if theirTime == nil, try all[0].gone().contains("p3"), try all[1].gone().contains("p3") { theirTime = elapsed }
        if ourTime == nil,
          ours[0...1].allSatisfy({ $0.servers.contains { $0.name == "s3.global" && $0.status == .failed } })
        {
          ourTime = elapsed
        }
        return theirTime != nil && ourTime != nil
      }
      let (theirs, own) = (try #require(theirTime), try #require(ourTime))
      print("gossip: killed member of three missed by everybody: memberlist \(theirs), ours \(own)")
      // Both take up to two probe intervals, the suspicion of four, and a round of gossip; which is luck.
      #expect(own <= theirs + .seconds(4))
      #expect(try all[0].gone() == ["p3"])
    }
  }
}
