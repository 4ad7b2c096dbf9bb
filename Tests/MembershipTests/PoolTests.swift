import Codec
import Gossip
import Linux
import Log
import Model
import Synchronization
import Testing

@testable import Membership

/// Servers' gossip over real sockets on this host, with short times.
final class Pool {
  let folder: String
  private(set) var servers: [Membership] = []
  let changes = Changes()

  final class Changes: Sendable {
    private let all = Mutex<[Int: [ServerMemberChange]]>([:])
    func add(_ change: ServerMemberChange, _ index: Int) { all.withLock { $0[index, default: []].append(change) } }
    func of(_ index: Int) -> [ServerMemberChange] { all.withLock { $0[index] ?? [] } }
  }

  init() throws {
    folder = "/var/tmp/serai-gossip-" + (try Randomness.bytes(6).map { String($0, radix: 16) }.joined())
    try Files.makeDirectories(folder)
  }

  static let key = Blob([UInt8](repeating: 5, count: 32)).base64

  /// Times that let a test see a failure within a second or two, on a machine that is not too busy.
  static var quick: GossipConfiguration {
    var configuration = GossipConfiguration()
    configuration.probeInterval = 200_000_000
    configuration.probeTimeout = 100_000_000
    configuration.gossipInterval = 40_000_000
    configuration.reconnectInterval = 1_000_000_000
    return configuration
  }

  func configuration(_ index: Int, key: String = Pool.key) throws -> MembershipConfiguration {
    let own = "\(folder)/\(index)"
    try Files.makeDirectories(own)
    var configuration = MembershipConfiguration(
      name: "s\(index).global", id: try ServerIdentity.loadOrMake(in: own), folder: own)
    configuration.bindHost = "127.0.0.1"
    configuration.port = 0
    configuration.rpcAddress = "127.0.0.1:\(4000 + index)"
    configuration.expect = 3
    configuration.encryptKey = key
    configuration.gossip = Self.quick
    return configuration
  }

  @discardableResult
  func start(_ index: Int, key: String = Pool.key, _ change: (inout MembershipConfiguration) -> Void = { _ in }) throws
    -> Membership
  {
    var configuration = try configuration(index, key: key)
    change(&configuration)
    let server = try Membership(configuration, logger: .silent) { [changes] in changes.add($0, index) }
    servers.append(server)
    return server
  }

  /// Everything stopped and removed, whatever happened.
  static func with(_ body: (Pool) async throws -> Void) async throws {
    let pool = try Pool()
    let result: Result<Void, any Error>
    do {
      try await body(pool)
      result = .success(())
    } catch {
      result = .failure(error)
    }
    for server in pool.servers { await server.stop() }
    try Files.removeTree(pool.folder)
    try result.get()
  }

  func until(_ what: Comment, _ condition: () throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while try !condition() {
      try #require(ContinuousClock.now < deadline, what)
      try await Task.sleep(for: .milliseconds(10))
    }
  }
}

@Suite(.timeLimit(.minutes(5))) struct PoolTests {
  private func status(_ name: String, at server: Membership) -> ServerMember.Status? {
    server.servers.first { $0.name == name }?.status
  }

  @Test func serversFindEachOtherFailLeaveAndComeBack() async throws {
    try await Pool.with { pool in
      let (one, two, three) = (try pool.start(1), try pool.start(2), try pool.start(3))
      for other in [two, three] {
        let joined = await other.join(["127.0.0.1:\(one.port)"])
        #expect(joined.reached == 1 && joined.failures.isEmpty)
      }
      try await pool.until("three see three") {
        [one, two, three].allSatisfy { $0.servers.count { $0.status == .alive } == 3 }
      }
      let seen = try #require(one.servers.first { $0.name == "s3.global" })
      #expect(seen.rpcAddress == "127.0.0.1:4003" && seen.expect == 3 && seen.region == "global")
      #expect(try seen.id == ServerIdentity.loadOrMake(in: "\(pool.folder)/3"))

      await three.stop()
      try await pool.until("the stopped one has failed") {
        status("s3.global", at: one) == .failed && status("s3.global", at: two) == .failed
      }
      #expect(
        pool.changes.of(1).contains { if case .failed(let member) = $0 { member.name == "s3.global" } else { false } })

      // Without joining: it knows its pool from the disk.
      let again = try pool.start(3)
      #expect(Set(again.previousAddresses) == ["127.0.0.1:\(one.port)", "127.0.0.1:\(two.port)"])
      let back = await again.join(again.previousAddresses)
      #expect(back.reached == 2)
      try await pool.until("it is back, at another address") {
        status("s3.global", at: one) == .alive && status("s3.global", at: two) == .alive
      }

      await two.leave()
      try await pool.until("who said goodbye has left") {
        status("s2.global", at: one) == .left && status("s2.global", at: again) == .left
      }
      await two.stop()
      let later = try pool.start(2)
      #expect(later.previousAddresses.isEmpty, "a goodbye is meant")
      await later.stop()
      let rejoining = try pool.start(2) { $0.rejoinsAfterLeave = true }
      #expect(rejoining.previousAddresses.count >= 1)
    }
  }

  @Test func forcedLeaveAndPruneReachEveryServer() async throws {
    try await Pool.with { pool in
      let (one, two, three) = (try pool.start(1), try pool.start(2), try pool.start(3))
      for other in [two, three] { _ = await other.join(["127.0.0.1:\(one.port)"]) }
      try await pool.until("three see three") { [one, two].allSatisfy { $0.servers.count == 3 } }
      await three.stop()
      try await pool.until("it has failed") {
        status("s3.global", at: one) == .failed && status("s3.global", at: two) == .failed
      }
      #expect(!two.forceLeave("nobody", prune: false))
      #expect(two.forceLeave("s3.global", prune: false))
      try await pool.until("it counts as left") {
        status("s3.global", at: one) == .left && status("s3.global", at: two) == .left
      }
      #expect(one.forceLeave("s3.global", prune: true))
      try await pool.until("it is forgotten") {
        status("s3.global", at: one) == nil && status("s3.global", at: two) == nil
      }
    }
  }

  @Test func wrongKeyAndNoKeyAreRefusedAndSaySo() async throws {
    try await Pool.with { pool in
      let one = try pool.start(1)
      let wrong = try pool.start(2, key: Blob([UInt8](repeating: 6, count: 32)).base64)
      let plain = try pool.start(3, key: "")
      for outsider in [wrong, plain] {
        let result = await outsider.join(["127.0.0.1:\(one.port)"])
        #expect(result.reached == 0)
        #expect(result.failures.values.contains { $0.contains("encrypt") }, "\(result.failures)")
      }
      #expect(one.servers.count == 1)
      #expect(one.statistics["wrongly_keyed"] != "0" && one.statistics["unencrypted"] != "0")
    }
  }

  @Test func keyRingIsChangedEverywhereAndKeptOnDisk() async throws {
    try await Pool.with { pool in
      let (one, two) = (try pool.start(1), try pool.start(2))
      _ = await two.join(["127.0.0.1:\(one.port)"])
      try await pool.until("both see both") { [one, two].allSatisfy { $0.servers.count == 2 } }
      let key = [UInt8](repeating: 9, count: 32)
      let installed = await one.keyRing(.install(key))
      #expect(installed.errors.isEmpty && installed.keys[key] == 2)
      #expect(await two.keyRing(.use(key)).errors.isEmpty)
      #expect(await one.keyRing(.remove([UInt8](repeating: 5, count: 32))).errors.isEmpty)
      #expect(await one.keyRing(.remove(key)).errors.count == 2)
      await two.stop()
      // The configured key is the old one: the disk wins.
      let again = try pool.start(2)
      let joined = await again.join(["127.0.0.1:\(one.port)"])
      #expect(joined.reached == 1, "\(joined.failures)")
      let list = await again.keyRing(.list)
      #expect(list.keys == [key: 2] && list.primaryKeys == [key: 2])
      let mode = try FileStatus.of("\(pool.folder)/2/\(KeyRingFile.name)").permissions
      #expect(mode == 0o600)
    }
  }

  @Test func addressesThatReachNobodyAreNamed() async throws {
    try await Pool.with { pool in
      let one = try pool.start(1)
      let closed = try pool.start(2)
      await closed.stop()
      let result = await one.join(["127.0.0.1:\(closed.port)", "not a name:x", "[::1"])
      #expect(result.reached == 0 && result.failures.count == 3)
      #expect(result.failures["127.0.0.1:\(closed.port)"]?.contains("ECONNREFUSED") == true)
    }
  }

  @Test func keysAndFilesThatCantBeUsedAreRefused() throws {
    let pool = try Pool()
    #expect(throws: MembershipError.self) { try pool.start(1, key: "no base64!") }
    #expect(throws: MembershipError.self) { try pool.start(1, key: Blob([1, 2, 3]).base64) }
    try Files.replace("\(pool.folder)/1/node-id", with: Array("nothing".utf8))
    #expect(throws: MembershipError.self) { try pool.start(1) }
    #expect(throws: MembershipError.self) { try pool.start(2) { $0.bindHost = "somewhere" } }
    try Files.removeTree(pool.folder)
  }
}
