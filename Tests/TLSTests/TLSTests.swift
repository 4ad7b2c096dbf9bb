import Glibc
import Testing

@testable import TLS

/// A CA, and sessions whose bytes are carried by hand.
struct Fixture {
  let authority: CertificateAndKey

  init() throws {
    authority = try CertificateAndKey.authority(Self.subject("Test CA"))
  }

  static func subject(_ name: String, days: Int = 30, dnsNames: [String] = [], now: Int = time(nil))
    -> CertificateSubject
  {
    var subject = CertificateSubject(commonName: name, days: days, now: now)
    subject.dnsNames = dnsNames
    return subject
  }

  func credentials(
    _ names: [String], isServer: Bool = true, isClient: Bool = true, now: Int = time(nil),
    by issuer: CertificateAndKey? = nil
  ) throws -> TLSCredentials {
    let made = try (issuer ?? authority).issue(
      Self.subject(names.first ?? "x", dnsNames: names, now: now), isServer: isServer, isClient: isClient)
    return try TLSCredentials(authority: authority.certificate, certificate: made.certificate, key: made.key)
  }

  /// Carries bytes between the two until nothing moves, a few at a time.
  static func shake(_ client: TLSSession, _ server: TLSSession, chunk: Int = .max) throws -> (
    client: [UInt8], server: [UInt8]
  ) {
    var read: (client: [UInt8], server: [UInt8]) = ([], [])
    try client.start()
    while true {
      let (toServer, toClient) = (client.takeOutput(), server.takeOutput())
      if toServer.isEmpty, toClient.isEmpty { return read }
      for part in parts(toServer, chunk) { try server.receive(part.span, into: &read.server) }
      for part in parts(toClient, chunk) { try client.receive(part.span, into: &read.client) }
    }
  }

  private static func parts(_ bytes: [UInt8], _ size: Int) -> [[UInt8]] {
    if size >= bytes.count { return bytes.isEmpty ? [] : [bytes] }
    return stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min(bytes.count, $0 + size)]) }
  }
}

@Suite struct SessionTests {
  private let server = TLSSession.Side.server(requiresCertificate: true)

  @Test(arguments: [1, 7, Int.max]) func bytesGoBothWaysHoweverTheyAreCut(chunk: Int) throws {
    let fixture = try Fixture()
    let client = try TLSSession(
      .client(serverName: "server.global.nomad", verifies: true),
      credentials: fixture.credentials(["client.global.nomad"]))
    let server = try TLSSession(server, credentials: fixture.credentials(["server.global.nomad", "localhost"]))
    _ = try Fixture.shake(client, server, chunk: chunk)
    #expect(client.isEstablished && server.isEstablished)
    #expect(client.peerNames == ["server.global.nomad", "localhost"])
    #expect(server.peerNames == ["client.global.nomad"])
    let long = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
    try client.send(Array("hello".utf8))
    try server.send(long)
    let read = try Fixture.shake(client, server, chunk: chunk == 1 ? 1000 : chunk)
    #expect(read.server == Array("hello".utf8) && read.client == long)
    client.finish()
    _ = try Fixture.shake(client, server)
    #expect(server.hasEnded && !client.hasEnded)
  }

  @Test(arguments: ["tls12", "tls13"]) func versionIsTheOneThatBothHave(version: String) throws {
    let fixture = try Fixture()
    let protocols = try TLSProtocols(minimumVersion: version, cipherSuites: "")
    let client = try TLSSession(
      .client(serverName: nil, verifies: true), credentials: fixture.credentials(["a"]), protocols: protocols)
    let server = try TLSSession(server, credentials: fixture.credentials(["b"]), protocols: protocols)
    _ = try Fixture.shake(client, server)
    #expect(client.isEstablished && server.isEstablished)
  }

  private func refusal(
    _ clientSide: TLSSession.Side, _ client: TLSCredentials, _ serverSide: TLSSession.Side, _ server: TLSCredentials,
    _ protocols: (TLSProtocols, TLSProtocols) = (.standard, .standard)
  ) throws -> TLSError? {
    let client = try TLSSession(clientSide, credentials: client, protocols: protocols.0)
    let server = try TLSSession(serverSide, credentials: server, protocols: protocols.1)
    do {
      _ = try Fixture.shake(client, server)
      return nil
    } catch let error as TLSError {
      return error
    }
  }

  @Test func serverOfAnotherNameIsRefused() throws {
    let fixture = try Fixture()
    let error = try #require(
      try refusal(
        .client(serverName: "server.global.nomad", verifies: true), fixture.credentials(["client.global.nomad"]),
        server,
        fixture.credentials(["client.global.nomad"])))
    #expect(error.description.contains("client.global.nomad, not for server.global.nomad"), "\(error)")
  }

  @Test func certificatesOfAnotherCAAreRefusedByEitherSide() throws {
    let fixture = try Fixture()
    let stranger = try CertificateAndKey.authority(Fixture.subject("Another CA"))
    let outsider = try fixture.credentials(["server.global.nomad"], by: stranger)
    let insider = try fixture.credentials(["server.global.nomad"])
    let byClient = try refusal(.client(serverName: nil, verifies: true), insider, server, outsider)
    #expect(try #require(byClient).operation == "verify the server's certificate")
    let byServer = try refusal(.client(serverName: nil, verifies: true), outsider, server, insider)
    // A client does not even show a certificate of a CA that the server did not name.
    #expect(try #require(byServer).advice.contains("no certificate of the CA"))
    let unverified = try refusal(
      .client(serverName: nil, verifies: false), insider, .server(requiresCertificate: false), outsider)
    #expect(unverified == nil)
  }

  @Test func expiredAndWronglyUsedCertificatesAreRefused() throws {
    let fixture = try Fixture()
    let good = try fixture.credentials(["s"])
    let expired = try fixture.credentials(["s"], now: time(nil) - 60 * 86400)
    let clientOnly = try fixture.credentials(["s"], isServer: false)
    let serverOnly = try fixture.credentials(["s"], isClient: false)
    let side = TLSSession.Side.client(serverName: nil, verifies: true)
    #expect(try #require(try refusal(side, good, server, expired)).reason.contains("expired"))
    #expect(try refusal(side, good, server, clientOnly) != nil)
    #expect(try refusal(side, serverOnly, server, good) != nil)
    #expect(try refusal(side, good, server, serverOnly) == nil)
  }

  @Test func clientWithoutACertificateIsRefusedWhereOneIsRequired() throws {
    let fixture = try Fixture()
    let bare = try TLSCredentials(authority: fixture.authority.certificate, certificate: nil, key: nil)
    let good = try fixture.credentials(["s"])
    #expect(try refusal(.client(serverName: nil, verifies: true), bare, server, good) != nil)
    #expect(
      try refusal(.client(serverName: nil, verifies: true), bare, .server(requiresCertificate: false), good) == nil)
  }

  @Test func bytesThatAreNoTLSEndTheSessionWithAWordAboutIt() throws {
    let fixture = try Fixture()
    let server = try TLSSession(server, credentials: fixture.credentials(["s"]))
    var plaintext: [UInt8] = []
    #expect(throws: TLSError.self) { try server.receive(Array("SERAIRPC and more".utf8).span, into: &plaintext) }
    #expect(plaintext.isEmpty && !server.isEstablished)
  }

  @Test func onlyListedCipherSuitesAreTaken() throws {
    let fixture = try Fixture()
    let credentials = try fixture.credentials(["s"])
    let only = try TLSProtocols(
      minimumVersion: "tls12",
      cipherSuites: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
    #expect(only.accepts(key: "ECDHE-ECDSA", cipher: "AES-256-GCM", mac: "AEAD"))
    #expect(!only.accepts(key: "ECDHE-ECDSA", cipher: "AES-128-GCM", mac: "AEAD"))
    let side = TLSSession.Side.client(serverName: nil, verifies: true)
    #expect(try refusal(side, credentials, server, credentials, (only, only)) == nil)
    #expect(throws: TLSError.self) {
      try TLSProtocols(minimumVersion: "tls12", cipherSuites: "TLS_RSA_WITH_RC4_128_SHA")
    }
    #expect(throws: TLSError.self) { try TLSProtocols(minimumVersion: "ssl3", cipherSuites: "") }
  }
}

@Suite struct CertificateTests {
  @Test func filesThatAreNoCertificatesAreRefusedByName() throws {
    let fixture = try Fixture()
    let other = try fixture.authority.issue(Fixture.subject("x"), isServer: true, isClient: true)
    let garbage = Array("no certificate".utf8)
    for (authority, certificate, key) in [
      (garbage, other.certificate, other.key), (fixture.authority.certificate, garbage, other.key),
      (fixture.authority.certificate, other.certificate, garbage),
      (fixture.authority.certificate, other.certificate, fixture.authority.key),
    ] {
      let error = #expect(throws: TLSError.self) {
        try TLSCredentials(authority: authority, certificate: certificate, key: key, object: "agent.pem")
      }
      #expect(error?.object == "agent.pem")
    }
  }

  @Test func certificateSaysWhatItWasMadeFor() throws {
    let fixture = try Fixture()
    var subject = Fixture.subject("server.global.nomad", days: 10, dnsNames: ["server.global.nomad", "localhost"])
    subject.addresses = [[127, 0, 0, 1], [UInt8](repeating: 0, count: 15) + [1]]
    let made = try fixture.authority.issue(subject, isServer: true, isClient: false)
    let certificate = try Certificate(pem: made.certificate)
    #expect(certificate.dnsNames == ["server.global.nomad", "localhost"])
    #expect(certificate.addresses == ["127.0.0.1", "0:0:0:0:0:0:0:1"])
    #expect(certificate.subject == "CN=server.global.nomad")
    #expect(certificate.issuer == "CN=Test CA")
    #expect(certificate.isAuthority == false)
    #expect(certificate.notAfter == subject.now + 10 * 86400)
    let authority = try Certificate(pem: fixture.authority.certificate)
    #expect(authority.isAuthority == true)
    #expect(certificate.fingerprint.count == 64)
  }
}

@Suite struct AuthenticatedEncryptionTests {
  /// NIST CAVP, gcmEncryptExtIV256.rsp: Keylen 256, IVlen 96, PTlen 128, AADlen 128, Taglen 128, Count 0.
  @Test func knownAnswerOfNIST() throws {
    let key = bytes("92e11dcdaa866f5ce790fd24501f92509aacf4cb8b1339d50c9c1240935dd08b")
    let nonce = bytes("ac93a1a6145299bde902f21a")
    let plaintext = bytes("2d71bcfa914e4ac045b2aa60955fad24")
    let authenticated = bytes("1e0889016f67601c8ebea4943bc23ad6")
    let output = try AESGCM.encrypt(plaintext, key: key, nonce: nonce, authenticated)
    #expect(output == bytes("8995ae2e6df3dbf96fac7b7137bae67f") + bytes("eca5aa77d51d4a0a14d9c51e1da474ab"))
    #expect(try AESGCM.open(nonce + output, key: key, authenticating: authenticated) == plaintext)
  }

  @Test(arguments: [16, 24, 32]) func whatWasSealedOpensAndNothingElse(length: Int) throws {
    let key = try SecureRandom.bytes(length)
    let sealed = try AESGCM.seal([1, 2, 3], key: key, authenticating: [9])
    #expect(sealed.count == 3 + AESGCM.overheadBytes)
    #expect(try AESGCM.open(sealed, key: key, authenticating: [9]) == [1, 2, 3])
    #expect(try AESGCM.open(sealed, key: key, authenticating: [8]) == nil)
    #expect(try AESGCM.open(sealed, key: SecureRandom.bytes(length), authenticating: [9]) == nil)
    for index in sealed.indices {
      var altered = sealed
      altered[index] ^= 1
      #expect(try AESGCM.open(altered, key: key, authenticating: [9]) == nil)
    }
    #expect(try AESGCM.open([1, 2], key: key) == nil)
    #expect(try AESGCM.seal([], key: key) != AESGCM.seal([], key: key), "nonces are random")
    #expect(throws: TLSError.self) { try AESGCM.seal([], key: [1]) }
  }

  private func bytes(_ text: String) -> [UInt8] {
    let digits = text.compactMap { $0.hexDigitValue.map { UInt8($0) } }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}
