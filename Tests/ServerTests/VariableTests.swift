import Codec
import Linux
import Model
import State
import Testing

@testable import Server

/// The documented behaviour of variables, and that nothing of them lies on the disk in clear.
@Suite(.timeLimit(.minutes(10))) struct VariableTests {
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
