import Glibc
import TLS
import Testing

@testable import Transport

/// RPC over TLS: who is taken, who is refused, and what the refused one is told.
@Suite(.timeLimit(.minutes(10))) struct SecurityTests {
  struct Cluster {
    let authority: CertificateAndKey

    init() throws {
      authority = try CertificateAndKey.authority(CertificateSubject(commonName: "CA", days: 2, now: time(nil)))
    }

    func security(_ name: String, verifying serverName: String? = "server.global.nomad", plain: Bool = false) throws
      -> RPCSecurity
    {
      var subject = CertificateSubject(commonName: name, days: 2, now: time(nil))
      subject.dnsNames = [name, "localhost"]
      let made = try authority.issue(subject, isServer: true, isClient: true)
      var security = RPCSecurity(
        credentials: try TLSCredentials(
          authority: authority.certificate, certificate: made.certificate, key: made.key))
      security.serverName = serverName
      security.acceptsPlain = plain
      return security
    }
  }

  private func endpoint(
    _ name: String, _ role: RPCRole, _ security: RPCSecurity?, region: String = "global",
    onConnection: @escaping @Sendable (RPCConnection) -> Void = { _ in }
  ) throws -> RPCEndpoint {
    var configuration = RPCConfiguration(ourselves: RPCPeer(role: role, region: region, name: name))
    configuration.security = security
    return try RPCEndpoint(configuration: configuration, handler: { $0.body.reversed() }, onConnection: onConnection)
  }

  private func refusal(of peer: RPCEndpoint, _ port: UInt16) async -> RPCError? {
    await #expect(throws: RPCError.self) {
      let connection = try await peer.connect(to: "127.0.0.1:\(port)", timeout: .seconds(10))
      _ = try await connection.call(method: "m", body: [1], timeout: .seconds(10))
    }
  }

  @Test func callsBothWaysAreEncryptedAndBothSidesKnowTheOthersNames() async throws {
    let cluster = try Cluster()
    let server = try endpoint("s", .server, cluster.security("server.global.nomad"))
    let client = try endpoint("c", .client, cluster.security("client.global.nomad"))
    let port = try server.listen(address: "127.0.0.1", port: 0)
    let connection = try await client.connect(to: "127.0.0.1:\(port)")
    #expect(connection.isEncrypted && connection.certificateNames == ["server.global.nomad", "localhost"])
    let large = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) }
    #expect(try await connection.call(method: "m", body: large, timeout: .seconds(20)) == large.reversed())
    let back = try #require(server.connections.first)
    #expect(back.certificateNames == ["client.global.nomad", "localhost"])
    #expect(try await back.call(method: "m", body: [1, 2], timeout: .seconds(5)) == [2, 1])
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<200 as Range<UInt8> {
        group.addTask {
          let answer = try? await connection.call(method: "m", body: [number, 1], timeout: .seconds(20))
          #expect(answer == [1, number])
        }
      }
    }
    await client.close()
    await server.close()
  }

  @Test func plainPeersAreToldWhatToConfigure() async throws {
    let cluster = try Cluster()
    let server = try endpoint("s", .server, cluster.security("server.global.nomad"))
    let plain = try endpoint("c", .client, nil)
    let port = try server.listen(address: "127.0.0.1", port: 0)
    let error = try #require(await refusal(of: plain, port))
    #expect(error.code == .permissionDenied && error.message.contains("tls { rpc = true }"), "\(error)")
    // The other way round: a plain server hears TLS.
    let plainPort = try plain.listen(address: "127.0.0.1", port: 0)
    #expect(await refusal(of: server, plainPort) != nil)
    #expect(server.connections.isEmpty && plain.connections.isEmpty)
    await plain.close()
    await server.close()
  }

  @Test func upgradeModeTakesBoth() async throws {
    let cluster = try Cluster()
    let server = try endpoint("s", .server, cluster.security("server.global.nomad", plain: true))
    let port = try server.listen(address: "127.0.0.1", port: 0)
    for security in [nil, try cluster.security("client.global.nomad")] {
      let client = try endpoint("c", .client, security)
      let connection = try await client.connect(to: "127.0.0.1:\(port)")
      #expect(connection.isEncrypted == (security != nil))
      #expect(try await connection.call(method: "m", body: [1, 2], timeout: .seconds(5)) == [2, 1])
      await client.close()
    }
    await server.close()
  }

  @Test func strangersAndImpostorsAreRefused() async throws {
    let cluster = try Cluster()
    let stranger = try Cluster()
    let server = try endpoint("s", .server, cluster.security("server.global.nomad"))
    let port = try server.listen(address: "127.0.0.1", port: 0)
    // Another CA, either way.
    let outsider = try endpoint("o", .client, stranger.security("client.global.nomad"))
    #expect(try #require(await refusal(of: outsider, port)).code == .unauthenticated)
    // A client that listens in a server's place.
    let impostor = try endpoint("i", .server, cluster.security("client.global.nomad"))
    let impostorPort = try impostor.listen(address: "127.0.0.1", port: 0)
    let client = try endpoint("c", .client, cluster.security("client.global.nomad"))
    let named = try #require(await refusal(of: client, impostorPort))
    #expect(named.message.contains("not for server.global.nomad"), "\(named)")
    // A client that calls itself a server.
    let claimed = try #require(await refusal(of: impostor, port))
    #expect(claimed.code == .permissionDenied && claimed.message.contains("verify_server_hostname"), "\(claimed)")
    // Without names the CA is enough.
    let loose = try endpoint("l", .client, cluster.security("client.global.nomad", verifying: nil))
    let connection = try await loose.connect(to: "127.0.0.1:\(impostorPort)")
    #expect(try await connection.call(method: "m", body: [1, 2], timeout: .seconds(5)) == [2, 1])
    for endpoint in [server, outsider, impostor, client, loose] { await endpoint.close() }
  }

  @Test func newCredentialsCountForNewConnections() async throws {
    let (old, new) = (try Cluster(), try Cluster())
    let server = try endpoint("s", .server, old.security("server.global.nomad"))
    let port = try server.listen(address: "127.0.0.1", port: 0)
    let client = try endpoint("c", .client, old.security("client.global.nomad"))
    let before = try await client.connect(to: "127.0.0.1:\(port)")
    server.security = try new.security("server.global.nomad")
    #expect(try await before.call(method: "m", body: [1, 2], timeout: .seconds(5)) == [2, 1])
    #expect(await refusal(of: client, port) != nil)
    client.security = try new.security("client.global.nomad")
    let after = try await client.connect(to: "127.0.0.1:\(port)")
    #expect(try await after.call(method: "m", body: [1, 2], timeout: .seconds(5)) == [2, 1])
    await client.close()
    await server.close()
  }

  @Test func randomBytesInsteadOfTLSEndTheConnectionOnly() async throws {
    let cluster = try Cluster()
    var configuration = RPCConfiguration(ourselves: RPCPeer(role: .server, region: "global", name: "s"))
    configuration.security = try cluster.security("server.global.nomad")
    // Who sends the beginning of a handshake and waits is waited for, but not for long.
    configuration.limits.handshakeTimeout = .milliseconds(50)
    let server = try RPCEndpoint(configuration: configuration, handler: { $0.body.reversed() })
    let port = try server.listen(address: "127.0.0.1", port: 0)
    var random = SystemRandomNumberGenerator()
    for round in 0..<50 {
      var bytes = (0..<(round * 20)).map { _ in UInt8.random(in: 0...255, using: &random) }
      if round % 2 == 0 { bytes = [22, 3, 1] + bytes }
      let sent = bytes
      _ = await offPool { conversation(port, sent, readToEnd: false) }
    }
    #expect(server.connections.isEmpty)
    await server.close()
  }
}
