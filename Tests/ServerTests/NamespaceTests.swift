import Codec
import Model
import State
import Testing

@testable import Server

/// What namespaces allow, and what of them this version does not do.
@Suite(.timeLimit(.minutes(10))) struct NamespaceTests {
  @Test(arguments: [
    (["java"], [], "task drivers \"exec\""), ([], ["exec"], "task drivers \"exec\""), (["exec"], ["exec"], "\"exec\""),
  ])
  func aDriverThatTheNamespaceDoesNotAllowIsRefused(
    _ enabled: [String], _ disabled: [String], _ words: String
  ) async throws {
    let server = try await TestServer()
    var namespace = Namespace()
    namespace.name = "team"
    var capabilities = NamespaceCapabilities()
    capabilities.enabledTaskDrivers = enabled
    capabilities.disabledTaskDrivers = disabled
    namespace.capabilities = capabilities
    _ = try await server.server.upsertNamespace(namespace)
    let job = makeJob("web") { $0.namespace = "team" }
    let error = await #expect(throws: ServerError.self) { try await server.run(job) }
    #expect(error?.message.contains(words) == true && error?.message.contains("\"team\"") == true)
    try await server.remove()
  }

  @Test func whatIsAllowedIsTaken() async throws {
    let server = try await TestServer()
    var namespace = Namespace()
    namespace.name = "team"
    var capabilities = NamespaceCapabilities()
    capabilities.enabledTaskDrivers = ["exec"]
    capabilities.disabledNetworkModes = ["bridge"]
    namespace.capabilities = capabilities
    _ = try await server.server.upsertNamespace(namespace)
    _ = try await server.run(makeJob("web") { $0.namespace = "team" })
    #expect(server.reader.job(JobKey("team", "web")) != nil)
    try await server.remove()
  }

  @Test func quotasAndNodePoolsOfNamespacesAreRefusedByName() async throws {
    let server = try await TestServer()
    var namespace = Namespace()
    namespace.name = "team"
    namespace.quota = "small"
    let quota = await #expect(throws: ServerError.self) { try await server.server.upsertNamespace(namespace) }
    #expect(quota?.message.contains("Quota") == true)
    namespace.quota = ""
    var pools = NamespaceNodePoolConfiguration()
    pools.default = "gpu"
    namespace.nodePoolConfiguration = pools
    let refused = await #expect(throws: ServerError.self) { try await server.server.upsertNamespace(namespace) }
    #expect(refused?.message.contains("NodePoolConfiguration") == true)
    try await server.remove()
  }
}
