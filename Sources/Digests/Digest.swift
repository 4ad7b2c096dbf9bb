internal import CGnuTLS

/// The digests that files and protocols name, computed by GnuTLS.
public enum DigestAlgorithm: String, Sendable, CaseIterable {
  /// RFC 1321. For old formats; it protects nothing.
  case md5
  /// FIPS 180-4. For old formats; it protects nothing.
  case sha1
  /// FIPS 180-4.
  case sha256
  /// FIPS 180-4.
  case sha512

  /// The length of a digest.
  public var byteCount: Int {
    switch self {
    case .md5: 16
    case .sha1: 20
    case .sha256: 32
    case .sha512: 64
    }
  }

  fileprivate var digest: gnutls_digest_algorithm_t {
    switch self {
    case .md5: GNUTLS_DIG_MD5
    case .sha1: GNUTLS_DIG_SHA1
    case .sha256: GNUTLS_DIG_SHA256
    case .sha512: GNUTLS_DIG_SHA512
    }
  }

  fileprivate var mac: gnutls_mac_algorithm_t {
    switch self {
    case .md5: GNUTLS_MAC_MD5
    case .sha1: GNUTLS_MAC_SHA1
    case .sha256: GNUTLS_MAC_SHA256
    case .sha512: GNUTLS_MAC_SHA512
    }
  }
}

/// The library of this host does not compute an algorithm: in FIPS mode it refuses MD5.
public struct DigestUnavailable: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was asked for.
  public let algorithm: String

  /// What to tell the user.
  public var description: String { "the cryptographic library of this host does not compute \(algorithm)" }
}

/// A digest while the bytes come.
public struct Digest: ~Copyable {
  private let handle: gnutls_hash_hd_t
  private let byteCount: Int

  /// A digest of nothing yet.
  public init(_ algorithm: DigestAlgorithm) throws(DigestUnavailable) {
    var handle: gnutls_hash_hd_t?
    guard gnutls_hash_init(&handle, algorithm.digest) == 0, let handle else {
      throw DigestUnavailable(algorithm: algorithm.rawValue)
    }
    self.handle = handle
    byteCount = algorithm.byteCount
  }

  deinit { gnutls_hash_deinit(handle, nil) }

  /// Adds bytes.
  public mutating func add(_ bytes: [UInt8]) { gnutls_hash(handle, bytes, bytes.count) }

  /// The digest of what was added since the beginning or the last call of this.
  public mutating func value() -> [UInt8] {
    var result = [UInt8](repeating: 0, count: byteCount)
    gnutls_hash_output(handle, &result)
    return result
  }

  /// The digest of a whole message.
  public static func of(_ message: [UInt8], _ algorithm: DigestAlgorithm) throws(DigestUnavailable) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: algorithm.byteCount)
    guard gnutls_hash_fast(algorithm.digest, message, message.count, &result) == 0 else {
      throw DigestUnavailable(algorithm: algorithm.rawValue)
    }
    return result
  }

  /// The authentication code of a message under a key (RFC 2104).
  public static func hmac(
    _ message: [UInt8], key: [UInt8], _ algorithm: DigestAlgorithm
  ) throws(DigestUnavailable) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: algorithm.byteCount)
    guard gnutls_hmac_fast(algorithm.mac, key, key.count, message, message.count, &result) == 0 else {
      throw DigestUnavailable(algorithm: "HMAC-\(algorithm.rawValue)")
    }
    return result
  }
}
