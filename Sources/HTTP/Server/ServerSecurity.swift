internal import CGnuTLS
internal import CMicrohttpd
internal import Synchronization
internal import TLS

/// TLS of one HTTP server: the library does the handshakes and asks here which certificate to show.
final class ServerSecurity: Sendable {
  let priorities: String
  /// PEM of the CA that clients' certificates must come from; nil to ask for none.
  let clientAuthority: [UInt8]?
  /// The last one is shown. Those before stay: a handshake in progress may still use them.
  private let certificates: Mutex<[ServedCertificate]>

  init(_ security: HTTPServerSecurity) {
    priorities = security.protocols.priorities
    clientAuthority = security.clientAuthority
    certificates = Mutex([security.certificate])
  }

  var current: ServedCertificate? { certificates.withLock { $0.last } }

  func replace(_ certificate: ServedCertificate) { certificates.withLock { $0.append(certificate) } }
}

/// GnuTLS asks, on one of the library's threads, during a handshake (gnutls_certificate_retrieve_function2).
func retrieveCertificate(
  _ session: gnutls_session_t?, _ authorities: UnsafePointer<gnutls_datum_t>?, _ authorityCount: Int32,
  _ algorithms: UnsafePointer<gnutls_pk_algorithm_t>?, _ algorithmCount: Int32,
  _ chain: UnsafeMutablePointer<UnsafeMutablePointer<gnutls_pcert_st>?>?, _ count: UnsafeMutablePointer<UInt32>?,
  _ key: UnsafeMutablePointer<gnutls_privkey_t?>?
) -> Int32 {
  // The library keeps its connection in the session, and the connection keeps ours.
  guard let session, let native = gnutls_session_get_ptr(session),
    let slot = serai_mhd_connection_context(OpaquePointer(native))
  else { return -1 }
  let connection = Unmanaged<ServerConnection>.fromOpaque(slot).takeUnretainedValue()
  guard let security = connection.security, let certificate = security.current else { return -1 }
  if security.clientAuthority != nil {
    // Without a certificate of the CA, for a client of TLS, the handshake fails.
    gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE)
    gnutls_session_set_verify_cert(session, nil, 0)
  }
  chain?.pointee = certificate.chain
  count?.pointee = certificate.count
  key?.pointee = certificate.key
  return 0
}
