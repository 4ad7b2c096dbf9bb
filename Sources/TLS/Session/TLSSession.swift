internal import CGnuTLS
internal import Glibc

/// One TLS connection over memory: encrypted bytes in and out by hand, no socket, never blocking.
///
/// Not `Sendable`: whoever owns the socket owns the session, under one lock. After an error it is over; what is in
/// `takeOutput` then is the alert that tells the peer why.
public final class TLSSession {
  /// Which end this is.
  public enum Side: Sendable {
    /// - `serverName`: the name that the server's certificate must have (also sent as SNI); nil checks the CA only.
    ///   `verifies`: false takes any certificate.
    case client(serverName: String?, verifies: Bool)
    /// - `requiresCertificate`: the client must have a certificate of the CA.
    case server(requiresCertificate: Bool)
  }

  /// What GnuTLS reads from and writes to.
  private final class Buffers {
    var session: gnutls_session_t?
    var inbox: [UInt8] = []
    var taken = 0
    var outbox: [UInt8] = []
    var ended = false
  }

  /// Plaintext in one record at most (RFC 8446 §5.1).
  private static let recordBytes = 16384

  private let session: gnutls_session_t
  private let credentials: TLSCredentials
  private let buffers = Buffers()
  private let side: Side
  private let protocols: TLSProtocols
  /// The peer is known and trusted; application data may flow.
  public private(set) var isEstablished = false
  /// The peer has said that it will send no more.
  public private(set) var hasEnded = false
  private var hasFinished = false

  /// Begins a session; a client's first bytes are in `takeOutput` after the first `receive` or `start`.
  public init(_ side: Side, credentials: TLSCredentials, protocols: TLSProtocols = .standard) throws(TLSError) {
    self.side = side
    self.credentials = credentials
    self.protocols = protocols
    var session: gnutls_session_t?
    let flags = if case .client = side { SERAI_GNUTLS_CLIENT } else { SERAI_GNUTLS_SERVER }
    try check(gnutls_init(&session, flags), "begin a TLS session")
    guard let session else { throw TLSError("begin a TLS session", reason: "no memory") }
    self.session = session
    buffers.session = session
    try check(gnutls_priority_set_direct(session, protocols.priorities, nil), "use the TLS versions and cipher suites")
    try check(
      gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, UnsafeMutableRawPointer(credentials.pointer)),
      "use the TLS credentials")
    switch side {
    case .client(let serverName, _):
      if let serverName {
        try check(
          gnutls_server_name_set(session, GNUTLS_NAME_DNS, serverName, serverName.utf8.count), "use the server name")
      }
    case .server(let requiresCertificate):
      gnutls_certificate_server_set_request(session, requiresCertificate ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_IGNORE)
    }
    gnutls_transport_set_ptr(session, Unmanaged.passUnretained(buffers).toOpaque())
    gnutls_transport_set_push_function(session) { pointer, bytes, count in
      guard let pointer, let bytes else { return -1 }
      Unmanaged<Buffers>.fromOpaque(pointer).takeUnretainedValue().outbox.append(
        contentsOf: UnsafeRawBufferPointer(start: bytes, count: count))
      return count
    }
    gnutls_transport_set_pull_function(session) { pointer, target, count in
      guard let pointer, let target else { return -1 }
      let buffers = Unmanaged<Buffers>.fromOpaque(pointer).takeUnretainedValue()
      let available = buffers.inbox.count - buffers.taken
      guard available > 0 else {
        if buffers.ended { return 0 }
        if let session = buffers.session { gnutls_transport_set_errno(session, EAGAIN) }
        return -1
      }
      let moved = min(available, count)
      buffers.inbox.withUnsafeBytes { source in
        UnsafeMutableRawBufferPointer(start: target, count: moved).copyBytes(
          from: source[buffers.taken..<(buffers.taken + moved)])
      }
      buffers.taken += moved
      if buffers.taken == buffers.inbox.count {
        buffers.inbox.removeAll(keepingCapacity: true)
        buffers.taken = 0
      }
      return moved
    }
  }

  deinit { gnutls_deinit(session) }

  /// A client's first step.
  public func start() throws(TLSError) { try advance() }

  /// Takes encrypted bytes from the socket and appends what they say to `plaintext`. The handshake goes on by itself;
  /// send what is in `takeOutput` afterwards, also after an error.
  /// - Throws: `TLSError` when the peer can't be trusted or breaks the protocol.
  public func receive(_ bytes: Span<UInt8>, into plaintext: inout [UInt8]) throws(TLSError) {
    bytes.withUnsafeBufferPointer { buffers.inbox.append(contentsOf: $0) }
    try advance()
    guard isEstablished else { return }
    var room = [UInt8](repeating: 0, count: Self.recordBytes)
    while !hasEnded {
      let count = room.withUnsafeMutableBytes { gnutls_record_recv(session, $0.baseAddress, $0.count) }
      if count > 0 {
        plaintext.append(contentsOf: room[..<count])
      } else if count == 0 {
        hasEnded = true
      } else if count == Int(GNUTLS_E_AGAIN) {
        return
      } else if count != Int(GNUTLS_E_INTERRUPTED) {
        throw failure(Int32(count), "receive over TLS")
      }
    }
  }

  /// Encrypts bytes; the handshake must be complete.
  public func send(_ bytes: [UInt8]) throws(TLSError) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes { source -> Int in
        guard let base = source.baseAddress else { return 0 }
        return gnutls_record_send(session, base + sent, source.count - sent)
      }
      guard count >= 0 else { throw failure(Int32(count), "send over TLS") }
      sent += count
    }
  }

  /// Says that we will send no more, once.
  public func finish() {
    guard isEstablished, !hasFinished else { return }
    hasFinished = true
    // Nothing can be done about a peer that is gone.
    _ = gnutls_bye(session, GNUTLS_SHUT_WR)
  }

  /// Encrypted bytes to send; each is taken once.
  public func takeOutput() -> [UInt8] {
    guard !buffers.outbox.isEmpty else { return [] }
    var bytes: [UInt8] = []
    swap(&bytes, &buffers.outbox)
    return bytes
  }

  /// DNS names in the peer's certificate; empty for a peer without one.
  public var peerNames: [String] { isEstablished ? certificateNames : [] }

  private var certificateNames: [String] {
    var count: UInt32 = 0
    guard let list = gnutls_certificate_get_peers(session, &count), count > 0 else { return [] }
    let bytes = Array(UnsafeBufferPointer(start: list[0].data, count: Int(list[0].size)))
    // It was read once already, when it was verified.
    guard let certificate = try? Certificate(der: bytes) else { return [] }
    return certificate.dnsNames
  }

  // MARK: the handshake

  private func advance() throws(TLSError) {
    while !isEstablished {
      let code = gnutls_handshake(session)
      if code == 0 {
        try verify()
        isEstablished = true
      } else if code == GNUTLS_E_AGAIN {
        return
      } else if code == GNUTLS_E_INTERRUPTED || code == GNUTLS_E_WARNING_ALERT_RECEIVED
        || code == GNUTLS_E_GOT_APPLICATION_DATA
      {
        continue
      } else {
        throw failure(code, "TLS handshake")
      }
    }
  }

  private func verify() throws(TLSError) {
    let version = gnutls_protocol_get_version(session)
    if version != GNUTLS_TLS1_3 {
      let key = name(gnutls_kx_get_name(gnutls_kx_get(session)))
      let cipher = name(gnutls_cipher_get_name(gnutls_cipher_get(session)))
      let mac = name(gnutls_mac_get_name(gnutls_mac_get(session)))
      guard protocols.accepts(key: key, cipher: cipher, mac: mac) else {
        _ = gnutls_alert_send(session, GNUTLS_AL_FATAL, GNUTLS_A_HANDSHAKE_FAILURE)
        throw TLSError(
          "TLS handshake", reason: "\(key) with \(cipher) is not among tls_cipher_suites",
          advice: "configure a suite that both sides have")
      }
    }
    switch side {
    case .client(_, verifies: false), .server(requiresCertificate: false): return
    case .client(let serverName, _): try verify(name: serverName, purpose: "1.3.6.1.5.5.7.3.1", "server")
    case .server: try verify(name: nil, purpose: "1.3.6.1.5.5.7.3.2", "client")
    }
  }

  /// - Parameter purpose: the object identifier that the certificate's extended key usage must allow (RFC 5280 §4.2.1.12).
  private func verify(name: String?, purpose: String, _ kind: String) throws(TLSError) {
    var status: UInt32 = 0
    let code: Int32
    if let name {
      code = name.withCString { serai_gnutls_verify(session, $0, purpose, &status) }
    } else {
      code = serai_gnutls_verify(session, nil, purpose, &status)
    }
    guard code < 0 || status != 0 else { return }
    _ = gnutls_alert_send(session, GNUTLS_AL_FATAL, GNUTLS_A_BAD_CERTIFICATE)
    let names = certificateNames
    var reason = code < 0 ? TLSError.text(code) : Self.text(of: status, session)
    if status & GNUTLS_CERT_UNEXPECTED_OWNER.rawValue != 0, let name {
      reason = "the certificate is for \(names.joined(separator: ", ")), not for \(name)"
    }
    throw TLSError(
      "verify the \(kind)'s certificate", reason: reason,
      advice: "it must be signed by the CA in ca_file, be valid today, and have the name and key usage of a \(kind)")
  }

  private static func text(of status: UInt32, _ session: gnutls_session_t) -> String {
    var datum = gnutls_datum_t()
    guard gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &datum, 0) == 0 else {
      return "it can't be trusted"
    }
    var text = String(decoding: take(&datum), as: UTF8.self)
    while text.last == "\0" || text.last == " " { text.removeLast() }
    return text
  }

  private func name(_ text: UnsafePointer<CChar>?) -> String { text.map { String(cString: $0) } ?? "" }

  /// Tells the peer, as far as it can be told.
  private func failure(_ code: Int32, _ operation: String) -> TLSError {
    if code == GNUTLS_E_FATAL_ALERT_RECEIVED {
      let alert = gnutls_alert_get_name(gnutls_alert_get(session)).map { String(cString: $0) } ?? "an alert"
      return TLSError(
        operation, reason: "the peer answered \"\(alert)\"",
        advice: "it does not accept this agent's certificate, TLS version or cipher suites: the peer's log says which")
    }
    if code != GNUTLS_E_PREMATURE_TERMINATION { _ = gnutls_alert_send_appropriate(session, code) }
    let advice =
      switch code {
      case GNUTLS_E_NO_CERTIFICATE_FOUND, GNUTLS_E_CERTIFICATE_REQUIRED:
        "the peer has no certificate of the CA in ca_file: configure tls { cert_file, key_file } there"
      case GNUTLS_E_UNEXPECTED_PACKET_LENGTH, GNUTLS_E_UNSUPPORTED_VERSION_PACKET, GNUTLS_E_UNEXPECTED_PACKET,
        GNUTLS_E_RECORD_OVERFLOW:
        "the peer does not speak TLS: configure it on both sides or on neither"
      case GNUTLS_E_NO_CIPHER_SUITES, GNUTLS_E_NO_PRIORITIES_WERE_SET: "no cipher suite is common to both sides"
      default: ""
      }
    return TLSError(operation, code: code, advice: advice)
  }
}
