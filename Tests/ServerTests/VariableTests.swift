import Codec
import Linux
import Model
import State
import Testing

@testable import Server

/// The documented behaviour of variables, and that nothing of them lies on the disk in clear.
@Suite(.timeLimit(.minutes(2))) struct VariableTests {
  /// Not a cipher to rely on, but one that hides the text and notices another context: enough to see what is done with it.
  private static let cipher = VariableCipher(
    seal: { plaintext, context in plaintext.map { ~$0 } + check(plaintext, context) },
    open: { sealed, context in
      guard sealed.count >= 8 else { return nil }
      let plaintext = sealed.dropLast(8).map { ~$0 }
      return Array(sealed.suffix(8)) == check(plaintext, context) ? plaintext : nil
    })

  private static func check(_ plaintext: [UInt8], _ context: [UInt8]) -> [UInt8] {
    let hash = XXHash64.hash(plaintext + context, seed: 7)
    return (0..<8).map { UInt8(truncatingIfNeeded: hash >> UInt64(8 * $0)) }
  }

  private func variable(_ items: [String: String]) -> Variable {
    var variable = Variable()
    variable.items = items
    return variable
  }

  private func set(
    _ server: TestServer, _ path: String, _ items: [String: String], expecting: UInt64? = nil,
    namespace: String = "default"
  ) async throws -> Variable {
    try await server.server.setVariable(variable(items), VariableKey(namespace, path), expecting: expecting)
  }

  private func server(at path: String? = nil) async throws -> TestServer {
    try await TestServer(at: path) { $0.variableCipher = Self.cipher }
  }

  @Test func aVariableIsSetReadAndRemoved() async throws {
    let server = try await server()
    let key = VariableKey("default", "app/db")
    let made = try await set(server, "app/db", ["user": "me", "password": "s3cret"])
    #expect(made.items == ["user": "me", "password": "s3cret"] && made.createIndex == made.modifyIndex)
    #expect(made.createTime == server.clock.now.nanoseconds && made.path == "app/db" && made.namespace == "default")
    let changed = try await set(server, "app/db", ["user": "you"])
    #expect(changed.items == ["user": "you"], "all items are replaced")
    #expect(changed.createIndex == made.createIndex && changed.modifyIndex > made.modifyIndex)
    #expect(try server.server.variable(key, in: server.reader) == changed)
    #expect(server.reader.variables.map { $0.1.value.metadata.path } == ["app/db"])
    _ = try await server.server.deleteVariable(key, expecting: nil)
    #expect(try server.server.variable(key, in: server.reader) == nil)
    _ = try await server.server.deleteVariable(key, expecting: nil)
    try await server.remove()
  }

  @Test func checkAndSetKeepsWhatSomebodyElseWrote() async throws {
    let server = try await server()
    let first = try await set(server, "a", ["k": "1"], expecting: 0)
    let again = await #expect(throws: VariableConflict.self) { try await set(server, "a", ["k": "2"], expecting: 0) }
    #expect(again?.current == first)
    let second = try await set(server, "a", ["k": "2"], expecting: first.modifyIndex)
    let late = await #expect(throws: VariableConflict.self) {
      try await server.server.deleteVariable(VariableKey("default", "a"), expecting: first.modifyIndex)
    }
    #expect(late?.current == second)
    _ = try await server.server.deleteVariable(VariableKey("default", "a"), expecting: second.modifyIndex)
    try await server.remove()
  }

  @Test(
    arguments: [
      ("", ["k": "v"]), ("a b", ["k": "v"]), ("nomad", ["k": "v"]), ("nomad/other", ["k": "v"]),
      (String(repeating: "a", count: 129), ["k": "v"]), ("a", [:] as [String: String]), ("a", ["k k": "v"]),
      ("a", ["": "v"]),
      ("a", ["k": String(repeating: "x", count: 65_536)]),
    ]) func whatIsBeyondTheLimitsIsRefused(path: String, items: [String: String]) async throws
  {
    let server = try await server()
    let error = await #expect(throws: ServerError.self) { try await set(server, path, items) }
    #expect(error?.kind == .invalid)
    #expect(server.reader.variables.isEmpty)
    try await server.remove()
  }

  @Test func theLargestVariableAndJobsPathsAreTaken() async throws {
    let server = try await server()
    _ = try await set(server, "nomad/jobs/web", ["k": String(repeating: "x", count: 65_535)])
    try await server.remove()
  }

  // MARK: Locks

  private func lock(
    _ server: TestServer, _ operation: LockOperation, id: String = "", ttl: String = "", delay: String = "",
    items: [String: String] = [:]
  ) async throws -> Variable {
    var given = variable(items)
    var lock = VariableLock()
    (lock.id, lock.ttl, lock.lockDelay) = (id, ttl, delay)
    given.lock = lock
    return try await server.server.changeLock(given, VariableKey("default", "leader"), operation)
  }

  private func put(_ server: TestServer, _ items: [String: String], id: String = "") async throws -> Variable {
    var given = variable(items)
    given.lock = VariableLock()
    given.lock?.id = id
    return try await server.server.setVariable(given, VariableKey("default", "leader"), expecting: nil)
  }

  /// "lock-acquire: introduces a lock over the variable if it exists, or creates a new one if it doesn't."
  @Test func aLockIsAcquiredOnceAndOnlyItsHolderChangesTheVariable() async throws {
    let server = try await server()
    let held = try await lock(server, .acquire, ttl: "20s", delay: "5s", items: ["who": "a"])
    let id = try #require(held.lock?.id)
    #expect(!id.isEmpty && held.lock?.ttl == "20s" && held.items == ["who": "a"])
    await #expect(throws: VariableConflict.self) { try await lock(server, .acquire) }
    // Others see that it is locked, not by whom, and can neither change nor remove it.
    let key = VariableKey("default", "leader")
    let seen = try server.server.variable(key, in: server.reader)
    #expect(seen?.lock?.id == "" && seen?.lock?.ttl == "20s")
    await #expect(throws: VariableConflict.self) { try await put(server, ["who": "b"]) }
    await #expect(throws: VariableConflict.self) {
      try await put(server, ["who": "b"], id: Identifier(high: 1, low: 2).description)
    }
    await #expect(throws: VariableConflict.self) { try await server.server.deleteVariable(key, expecting: nil) }
    #expect(try await put(server, ["who": "a again"], id: id).items == ["who": "a again"])
    await #expect(throws: VariableConflict.self) {
      try await lock(server, .release, id: Identifier(high: 1, low: 2).description)
    }
    let free = try await lock(server, .release, id: id)
    #expect(free.lock == nil && free.items == ["who": "a again"])
    #expect(try await lock(server, .acquire).items == ["who": "a again"], "what it held stays")
    try await server.remove()
  }

  /// "TTL: the lock is released if it is not renewed in time"; "LockDelay: a grace period after a lock is lost, before
  /// another client may acquire it."
  @Test func aLockThatIsNotRenewedIsLostAndNobodyGetsItAtOnce() async throws {
    let server = try await server()
    let id = try #require(try await lock(server, .acquire, ttl: "10s", delay: "30s").lock?.id)
    for _ in 0..<5 {
      server.clock.advance(.seconds(9))
      _ = try await lock(server, .renew, id: id)
    }
    server.clock.advance(.seconds(10))
    await #expect(throws: VariableConflict.self) { try await lock(server, .renew, id: id) }
    #expect(try server.server.variable(VariableKey("default", "leader"), in: server.reader)?.lock == nil)
    await #expect(throws: VariableConflict.self, "within the delay") { try await lock(server, .acquire) }
    server.clock.advance(.seconds(30))
    let next = try #require(try await lock(server, .acquire).lock)
    #expect(next.id != id && next.ttl == "15s" && next.lockDelay == "15s", "the documented defaults")
    await #expect(throws: VariableConflict.self) { try await lock(server, .release, id: id) }
    try await server.remove()
  }

  @Test func aLockOutlivesTheServersRestart() async throws {
    let first = try await server()
    let id = try #require(try await lock(first, .acquire, ttl: "1h").lock?.id)
    await first.stop()
    let second = try await TestServer(at: first.path, clock: first.clock) { $0.variableCipher = Self.cipher }
    await #expect(throws: VariableConflict.self) { try await lock(second, .acquire) }
    _ = try await lock(second, .renew, id: id)
    try await second.remove()
  }

  @Test(arguments: [("9s", ""), ("25h", ""), ("soon", ""), ("", "-1s"), ("", "25h")]) func timesOutOfBoundsAreRefused(
    _ ttl: String, _ delay: String
  ) async throws {
    let server = try await server()
    let error = await #expect(throws: ServerError.self) { try await lock(server, .acquire, ttl: ttl, delay: delay) }
    #expect(error?.kind == .invalid && error?.message.contains("must be a duration from") == true)
    let unknown = await #expect(throws: ServerError.self) { try await lock(server, .renew) }
    #expect(unknown?.message.contains("Lock.ID is missing") == true)
    try await server.remove()
  }

  @Test func withoutAKeyThereAreNone() async throws {
    let server = try await TestServer()
    let error = await #expect(throws: ServerError.self) { try await set(server, "a", ["k": "v"]) }
    #expect(error?.message.contains("variables_key_file") == true)
    #expect(throws: ServerError.self) { try server.server.variable(VariableKey("default", "a"), in: server.reader) }
    try await server.remove()
  }

  @Test func aNamespaceWithVariablesStays() async throws {
    let server = try await server()
    var namespace = Namespace()
    namespace.name = "team"
    _ = try await server.server.upsertNamespace(namespace)
    _ = try await set(server, "a", ["k": "v"], namespace: "team")
    let error = await #expect(throws: ServerError.self) { try await server.server.deleteNamespace("team") }
    #expect(error?.kind == .conflict && error?.message.contains("variables") == true)
    _ = try await server.server.deleteVariable(VariableKey("team", "a"), expecting: nil)
    _ = try await server.server.deleteNamespace("team")
    await #expect(throws: ServerError.self) { try await set(server, "a", ["k": "v"], namespace: "team") }
    try await server.remove()
  }

  @Test func nothingOfAVariableIsOnTheDiskInClear() async throws {
    let first = try await server()
    let secret = "swordfish-4711-swordfish"
    _ = try await set(first, "app/db", ["password": secret])
    await first.stop()
    var seen = 0
    for name in ["raft.db", "raft.db-wal"] {
      guard let bytes = try? Files.read(first.path + "/" + name, limit: 64 << 20) else { continue }
      seen += bytes.count
      #expect(!bytes.contains(Array(secret.utf8)), "\(name)")
    }
    #expect(seen > 0)
    let second = try await server(at: first.path)
    let key = VariableKey("default", "app/db")
    #expect(try second.server.variable(key, in: second.reader)?.items == ["password": secret])
    await second.stop()
    // Another key: said, not guessed.
    let third = try await TestServer(at: first.path) {
      $0.variableCipher = VariableCipher(seal: { plaintext, _ in plaintext }, open: { _, _ in nil })
    }
    let error = #expect(throws: ServerError.self) { try third.server.variable(key, in: third.reader) }
    #expect(error?.message.contains("another key") == true)
    try await third.remove()
  }
}
