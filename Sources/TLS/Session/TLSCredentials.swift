internal import CGnuTLS

/// A certificate with its key, and the CA that others' certificates must come from.
///
/// `@unchecked Sendable`: GnuTLS only reads credentials once they are set up, which the initialiser does; sessions of any
/// thread may share them (GnuTLS manual, "Thread safety").
public final class TLSCredentials: @unchecked Sendable {
  let pointer: gnutls_certificate_credentials_t

  /// - Parameters:
  ///   - authority: PEM of one or more CA certificates; nil for the system's.
  ///   - certificate: PEM of our certificate, followed by those between it and the CA; nil for none.
  ///   - key: PEM of its key.
  ///   - object: what errors call them: a file name.
  /// - Throws: `TLSError` for bytes that are not what they should be, or a key of another certificate.
  public init(
    authority: [UInt8]?, certificate: [UInt8]?, key: [UInt8]?, object: String = "the certificates"
  ) throws(TLSError) {
    var credentials: gnutls_certificate_credentials_t?
    try check(gnutls_certificate_allocate_credentials(&credentials), "allocate TLS credentials")
    guard let credentials else { throw TLSError("allocate TLS credentials", reason: "no memory") }
    pointer = credentials
    if let authority {
      let count = withDatum(authority) {
        gnutls_certificate_set_x509_trust_mem(credentials, &$0, GNUTLS_X509_FMT_PEM)
      }
      guard count > 0 else {
        throw TLSError(
          "read the CA certificate of", object, reason: count == 0 ? "there is none in it" : TLSError.text(count),
          advice: "ca_file must be a PEM file with at least one certificate")
      }
    } else {
      try check(gnutls_certificate_set_x509_system_trust(credentials), "read the system's CA certificates")
    }
    if let certificate, let key {
      let code = withDatum(certificate) { certificate in
        withDatum(key) { gnutls_certificate_set_x509_key_mem(credentials, &certificate, &$0, GNUTLS_X509_FMT_PEM) }
      }
      try check(
        code, "read the certificate and key of", object,
        advice: "cert_file and key_file must be PEM files that belong together")
    }
  }

  deinit { gnutls_certificate_free_credentials(pointer) }
}
