package import CGnuTLS

/// A certificate with its chain and key in the form in which GnuTLS asks for them during a handshake: for servers whose
/// sessions belong to another library.
///
/// `@unchecked Sendable`: what the pointers name is filled in by the initialiser and only read afterwards.
public final class ServedCertificate: @unchecked Sendable {
  /// The longest chain that is served.
  private static let longestChain = 16

  package let chain: UnsafeMutablePointer<gnutls_pcert_st>
  package let count: UInt32
  package let key: gnutls_privkey_t

  /// - Parameters:
  ///   - certificate: PEM, followed by the certificates between it and the CA; `key`: PEM.
  ///   - object: what errors call them.
  public init(certificate: [UInt8], key pem: [UInt8], object: String = "the certificate") throws(TLSError) {
    let chain = UnsafeMutablePointer<gnutls_pcert_st>.allocate(capacity: Self.longestChain)
    var count = UInt32(Self.longestChain)
    let read = withDatum(certificate) { gnutls_pcert_list_import_x509_raw(chain, &count, &$0, GNUTLS_X509_FMT_PEM, 0) }
    guard read >= 0, count > 0 else {
      chain.deallocate()
      throw TLSError("read the certificate of", object, code: read, advice: "cert_file must be a PEM file")
    }
    var key: gnutls_privkey_t?
    let made = gnutls_privkey_init(&key)
    guard made >= 0, let key else {
      Self.release(chain, count)
      throw TLSError("read the key of", object, code: made)
    }
    let imported = withDatum(pem) { gnutls_privkey_import_x509_raw(key, &$0, GNUTLS_X509_FMT_PEM, nil, 0) }
    guard imported >= 0 else {
      Self.release(chain, count)
      gnutls_privkey_deinit(key)
      throw TLSError(
        "read the key of", object, code: imported, advice: "key_file must be a PEM file without a password")
    }
    self.chain = chain
    self.count = count
    self.key = key
  }

  deinit {
    Self.release(chain, count)
    gnutls_privkey_deinit(key)
  }

  private static func release(_ chain: UnsafeMutablePointer<gnutls_pcert_st>, _ count: UInt32) {
    for index in 0..<Int(count) { gnutls_pcert_deinit(chain + index) }
    chain.deallocate()
  }
}
