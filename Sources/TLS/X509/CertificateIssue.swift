internal import CGnuTLS

/// What a certificate that is made shall say.
public struct CertificateSubject: Sendable {
  /// CN.
  public var commonName: String
  /// O; empty for none.
  public var organization = ""
  /// C, two letters; empty for none.
  public var country = ""
  /// ST; empty for none.
  public var province = ""
  /// L; empty for none.
  public var locality = ""
  /// DNS names it is for.
  public var dnsNames: [String] = []
  /// Numeric IPv4 or IPv6 addresses, as bytes.
  public var addresses: [[UInt8]] = []
  /// Days from now that it is valid.
  public var days: Int
  /// Seconds since 1970-01-01 UTC.
  public var now: Int

  /// A subject without names.
  public init(commonName: String, days: Int, now: Int) {
    self.commonName = commonName
    self.days = days
    self.now = now
  }
}

/// A certificate and its key, as PEM.
public struct CertificateAndKey: Sendable {
  /// The certificate.
  public let certificate: [UInt8]
  /// The key, without a password.
  public let key: [UInt8]

  /// PEM texts that were read from files.
  public init(certificate: [UInt8], key: [UInt8]) {
    self.certificate = certificate
    self.key = key
  }

  /// A new CA that signs itself, with a key on NIST P-256.
  public static func authority(_ subject: CertificateSubject) throws(TLSError) -> CertificateAndKey {
    let key = try PrivateKey.generated()
    let certificate = try unsigned(subject, key)
    try check(gnutls_x509_crt_set_basic_constraints(certificate.pointer, 1, -1), "make a CA")
    try check(gnutls_x509_crt_set_key_usage(certificate.pointer, SERAI_GNUTLS_CA_USAGE), "make a CA")
    try check(
      gnutls_x509_crt_sign2(certificate.pointer, certificate.pointer, key.pointer, GNUTLS_DIG_SHA256, 0), "sign a CA")
    return CertificateAndKey(certificate: try pem(certificate), key: try key.pem())
  }

  /// A new certificate for servers and clients of TLS, signed by this CA, with a key on NIST P-256.
  /// - Parameters:
  ///   - isServer: it may be shown by a server; `isClient`: by a client.
  public func issue(
    _ subject: CertificateSubject, isServer: Bool, isClient: Bool
  ) throws(TLSError) -> CertificateAndKey {
    let issuer = try Certificate(pem: certificate)
    let issuerKey = try PrivateKey.read(pem: key)
    let key = try PrivateKey.generated()
    let made = try Self.unsigned(subject, key)
    try check(gnutls_x509_crt_set_basic_constraints(made.pointer, 0, -1), "make a certificate")
    try check(gnutls_x509_crt_set_key_usage(made.pointer, SERAI_GNUTLS_LEAF_USAGE), "make a certificate")
    for (on, purpose) in [(isServer, "1.3.6.1.5.5.7.3.1"), (isClient, "1.3.6.1.5.5.7.3.2")] where on {
      try check(gnutls_x509_crt_set_key_purpose_oid(made.pointer, purpose, 0), "make a certificate")
    }
    try check(
      gnutls_x509_crt_sign2(made.pointer, issuer.pointer, issuerKey.pointer, GNUTLS_DIG_SHA256, 0),
      "sign a certificate", advice: "the CA's certificate and key must belong together")
    return CertificateAndKey(certificate: try Self.pem(made), key: try key.pem())
  }

  private static func unsigned(
    _ subject: CertificateSubject, _ key: borrowing PrivateKey
  ) throws(TLSError) -> Certificate {
    let certificate = try Certificate()
    let pointer = certificate.pointer
    try check(gnutls_x509_crt_set_version(pointer, 3), "make a certificate")
    var serial = try SecureRandom.bytes(16)
    // Positive, and without a leading zero (RFC 5280 §4.1.2.2).
    serial[0] = serial[0] & 0x7F | 0x40
    try check(gnutls_x509_crt_set_serial(pointer, serial, serial.count), "make a certificate")
    // A minute back: the clocks of two hosts are never quite the same.
    try check(gnutls_x509_crt_set_activation_time(pointer, subject.now - 60), "make a certificate")
    try check(
      gnutls_x509_crt_set_expiration_time(pointer, subject.now + subject.days * 86400), "make a certificate")
    let fields = [
      ("2.5.4.6", subject.country), ("2.5.4.8", subject.province), ("2.5.4.7", subject.locality),
      ("2.5.4.10", subject.organization), ("2.5.4.3", subject.commonName),
    ]
    for (identifier, value) in fields where !value.isEmpty {
      try check(
        gnutls_x509_crt_set_dn_by_oid(pointer, identifier, 0, value, UInt32(value.utf8.count)),
        "put \"\(value)\" into a certificate")
    }
    for name in subject.dnsNames {
      try check(
        gnutls_x509_crt_set_subject_alt_name(
          pointer, GNUTLS_SAN_DNSNAME, name, UInt32(name.utf8.count), UInt32(GNUTLS_FSAN_APPEND)),
        "put \"\(name)\" into a certificate")
    }
    for address in subject.addresses {
      try check(
        gnutls_x509_crt_set_subject_alt_name(
          pointer, GNUTLS_SAN_IPADDRESS, address, UInt32(address.count), UInt32(GNUTLS_FSAN_APPEND)),
        "put an address into a certificate")
    }
    try check(gnutls_x509_crt_set_key(pointer, key.pointer), "make a certificate")
    return certificate
  }

  private static func pem(_ certificate: borrowing Certificate) throws(TLSError) -> [UInt8] {
    var datum = gnutls_datum_t()
    try check(gnutls_x509_crt_export2(certificate.pointer, GNUTLS_X509_FMT_PEM, &datum), "write a certificate")
    return take(&datum)
  }
}

private struct PrivateKey: ~Copyable {
  let pointer: gnutls_x509_privkey_t

  private init(_ operation: String) throws(TLSError) {
    var key: gnutls_x509_privkey_t?
    try check(gnutls_x509_privkey_init(&key), operation)
    guard let key else { throw TLSError(operation, reason: "no memory") }
    pointer = key
  }

  /// A new one on NIST P-256.
  static func generated() throws(TLSError) -> PrivateKey {
    let key = try PrivateKey("make a private key")
    try check(
      gnutls_x509_privkey_generate(key.pointer, GNUTLS_PK_ECDSA, serai_gnutls_p256(), 0), "make a private key")
    return key
  }

  static func read(pem: [UInt8]) throws(TLSError) -> PrivateKey {
    let key = try PrivateKey("read the CA's key")
    let code = withDatum(pem) { gnutls_x509_privkey_import2(key.pointer, &$0, GNUTLS_X509_FMT_PEM, nil, 0) }
    try check(code, "read the CA's key", advice: "it must be a PEM file without a password")
    return key
  }

  deinit { gnutls_x509_privkey_deinit(pointer) }

  func pem() throws(TLSError) -> [UInt8] {
    var datum = gnutls_datum_t()
    try check(gnutls_x509_privkey_export2(pointer, GNUTLS_X509_FMT_PEM, &datum), "write a private key")
    return take(&datum)
  }
}
