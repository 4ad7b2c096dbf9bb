internal import CGnuTLS

/// An X.509 certificate, for reading.
public struct Certificate: ~Copyable {
  let pointer: gnutls_x509_crt_t

  /// The first certificate of a PEM file.
  public init(pem: [UInt8], object: String = "") throws(TLSError) {
    pointer = try Self.read(pem, GNUTLS_X509_FMT_PEM, object)
  }

  init(der: [UInt8]) throws(TLSError) { pointer = try Self.read(der, GNUTLS_X509_FMT_DER, "") }

  /// An empty one, to be filled in.
  init() throws(TLSError) {
    var certificate: gnutls_x509_crt_t?
    try check(gnutls_x509_crt_init(&certificate), "make a certificate")
    guard let certificate else { throw TLSError("make a certificate", reason: "no memory") }
    pointer = certificate
  }

  private static func read(
    _ bytes: [UInt8], _ format: gnutls_x509_crt_fmt_t, _ object: String
  ) throws(TLSError) -> gnutls_x509_crt_t {
    var certificate: gnutls_x509_crt_t?
    try check(gnutls_x509_crt_init(&certificate), "read the certificate", object)
    guard let certificate else { throw TLSError("read the certificate", object, reason: "no memory") }
    let code = withDatum(bytes) { gnutls_x509_crt_import(certificate, &$0, format) }
    guard code >= 0 else {
      gnutls_x509_crt_deinit(certificate)
      throw TLSError("read the certificate", object, code: code, advice: "it must be a PEM file")
    }
    return certificate
  }

  deinit { gnutls_x509_crt_deinit(pointer) }

  /// DNS names of the subject (RFC 5280 §4.2.1.6).
  public var dnsNames: [String] { names(GNUTLS_SAN_DNSNAME).map { String(decoding: $0, as: UTF8.self) } }

  /// IP addresses of the subject, IPv4 with dots, IPv6 in eight groups.
  public var addresses: [String] {
    names(GNUTLS_SAN_IPADDRESS).map { bytes in
      if bytes.count == 4 { return bytes.map { "\($0)" }.joined(separator: ".") }
      return stride(from: 0, to: bytes.count - 1, by: 2).map {
        String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16)
      }.joined(separator: ":")
    }
  }

  /// The subject in the form of RFC 4514.
  public var subject: String { text { gnutls_x509_crt_get_dn3(pointer, &$0, 0) } }
  /// The issuer in the form of RFC 4514.
  public var issuer: String { text { gnutls_x509_crt_get_issuer_dn3(pointer, &$0, 0) } }

  /// Seconds since 1970-01-01 UTC.
  public var notBefore: Int { Int(gnutls_x509_crt_get_activation_time(pointer)) }
  /// Seconds since 1970-01-01 UTC.
  public var notAfter: Int { Int(gnutls_x509_crt_get_expiration_time(pointer)) }

  /// Whether it may sign others.
  public var isAuthority: Bool { gnutls_x509_crt_get_ca_status(pointer, nil) > 0 }

  /// SHA-256 over the DER form, in hexadecimal.
  public var fingerprint: String {
    var bytes = [UInt8](repeating: 0, count: 32)
    var count = bytes.count
    let code = bytes.withUnsafeMutableBytes {
      gnutls_x509_crt_get_fingerprint(pointer, GNUTLS_DIG_SHA256, $0.baseAddress, &count)
    }
    guard code == 0 else { return "" }
    return bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  private func names(_ kind: gnutls_x509_subject_alt_name_t) -> [[UInt8]] {
    var found: [[UInt8]] = []
    for index in 0..<256 as Range<UInt32> {
      var bytes = [UInt8](repeating: 0, count: 1024)
      var count = bytes.count
      let code = bytes.withUnsafeMutableBytes {
        gnutls_x509_crt_get_subject_alt_name(pointer, index, $0.baseAddress, &count, nil)
      }
      if code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE { break }
      // Longer than any name that DNS allows.
      if code == GNUTLS_E_SHORT_MEMORY_BUFFER { continue }
      guard code >= 0 else { break }
      if UInt32(code) == kind.rawValue { found.append(Array(bytes.prefix(count))) }
    }
    return found
  }

  private func text(_ get: (inout gnutls_datum_t) -> Int32) -> String {
    var datum = gnutls_datum_t()
    guard get(&datum) == 0 else { return "" }
    return String(decoding: take(&datum), as: UTF8.self)
  }
}
