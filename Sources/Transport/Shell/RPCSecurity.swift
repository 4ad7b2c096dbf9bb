public import TLS

/// How an endpoint's connections are protected: each side has a certificate of the cluster's CA and demands one.
public struct RPCSecurity: Sendable {
  /// Our certificate and the CA.
  public var credentials: TLSCredentials
  /// Versions and cipher suites.
  public var protocols = TLSProtocols.standard
  /// The name that a server's certificate must have, `server.<region>.nomad`; nil to trust the CA alone.
  public var serverName: String?
  /// Connections without TLS are taken, too, while a cluster is moved to it (`rpc_upgrade_mode`).
  public var acceptsPlain = false

  /// Protection by these credentials.
  public init(credentials: TLSCredentials) { self.credentials = credentials }
}

/// One connection's protection: none, TLS, or not known yet on a port that takes both.
enum ConnectionSecurity {
  case plain
  /// The first byte tells what the peer speaks.
  case undecided(RPCSecurity)
  case encrypted(TLSSession, serverName: String?)

  /// What became of bytes from the socket.
  enum Received {
    /// They are the peer's words themselves.
    case plain
    case decrypted([UInt8])
    /// The peer does not encrypt, and must.
    case refused(RPCError)
  }

  /// First byte of a TLS record with a handshake (RFC 8446 §5.1).
  private static let handshakeRecord: UInt8 = 22

  init(_ side: ConnectionCore.Side, _ security: RPCSecurity?) throws(RPCError) {
    guard let security else {
      self = .plain
      return
    }
    switch side {
    case .acceptor: self = .undecided(security)
    case .initiator:
      self = try Self.translating { () throws(TLSError) in
        let session = try TLSSession(
          .client(serverName: security.serverName, verifies: true), credentials: security.credentials,
          protocols: security.protocols)
        try session.start()
        return .encrypted(session, serverName: security.serverName)
      }
    }
  }

  var isEncrypted: Bool { if case .encrypted = self { true } else { false } }

  /// Whether the core's bytes may go out.
  var mayTalk: Bool {
    switch self {
    case .plain: true
    case .undecided: false
    case .encrypted(let session, _): session.isEstablished
    }
  }

  var peerNames: [String] { if case .encrypted(let session, _) = self { session.peerNames } else { [] } }

  mutating func receive(_ bytes: Span<UInt8>) throws(RPCError) -> Received {
    if case .undecided(let security) = self, bytes.count > 0 {
      if bytes[0] == Self.handshakeRecord {
        self = try Self.translating { () throws(TLSError) in
          .encrypted(
            try TLSSession(
              .server(requiresCertificate: true), credentials: security.credentials, protocols: security.protocols),
            serverName: security.serverName)
        }
      } else {
        self = .plain
        guard security.acceptsPlain else {
          return .refused(
            RPCError(
              .permissionDenied,
              "this agent takes RPC over TLS only: configure tls { rpc = true } with a certificate of its CA"))
        }
      }
    }
    guard case .encrypted(let session, _) = self else { return .plain }
    var plaintext: [UInt8] = []
    do throws(TLSError) {
      try session.receive(bytes, into: &plaintext)
    } catch {
      throw RPCError(.unauthenticated, error.description)
    }
    return .decrypted(plaintext)
  }

  /// - Parameter last: nothing follows.
  func send(_ plaintext: [UInt8], last: Bool) throws(RPCError) {
    guard case .encrypted(let session, _) = self else { return }
    do throws(TLSError) {
      if !plaintext.isEmpty { try session.send(plaintext) }
    } catch {
      throw RPCError(.unavailable, error.description)
    }
    if last { session.finish() }
  }

  func takeOutput() -> [UInt8] { if case .encrypted(let session, _) = self { session.takeOutput() } else { [] } }

  private static func translating(
    _ work: () throws(TLSError) -> ConnectionSecurity
  ) throws(RPCError) -> ConnectionSecurity {
    do throws(TLSError) {
      return try work()
    } catch {
      throw RPCError(.internal, error.description)
    }
  }
}
