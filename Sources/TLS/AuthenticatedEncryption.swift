internal import CGnuTLS

/// Random bytes of GnuTLS' generator, fit for keys and nonces.
public enum SecureRandom {
  /// - Throws: `TLSError` when the kernel gives no randomness; nothing secret can be made then.
  public static func bytes(_ count: Int) throws(TLSError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let code = bytes.withUnsafeMutableBytes { gnutls_rnd(GNUTLS_RND_KEY, $0.baseAddress, $0.count) }
    try check(code, "gnutls_rnd")
    return bytes
  }
}

/// AES in Galois/Counter Mode with keys of 16, 24 or 32 bytes (NIST SP 800-38D): 12 random bytes of nonce, the
/// ciphertext, 16 bytes of tag.
///
/// Random nonces allow 2³² messages under one key (SP 800-38D §8.3).
public enum AESGCM {
  /// In front of the ciphertext.
  public static let nonceBytes = 12
  /// Behind the ciphertext.
  public static let tagBytes = 16
  /// Bytes that `seal` adds.
  public static let overheadBytes = nonceBytes + tagBytes

  /// Encrypts, and authenticates the ciphertext together with `authenticated`.
  /// - Throws: `TLSError` for a key of another length.
  public static func seal(
    _ plaintext: [UInt8], key: [UInt8], authenticating authenticated: [UInt8] = []
  ) throws(TLSError) -> [UInt8] {
    let nonce = try SecureRandom.bytes(nonceBytes)
    return nonce + (try encrypt(plaintext, key: key, nonce: nonce, authenticated))
  }

  /// Ciphertext and tag under a nonce that must never be used twice with the key.
  static func encrypt(
    _ plaintext: [UInt8], key: [UInt8], nonce: [UInt8], _ authenticated: [UInt8]
  ) throws(TLSError) -> [UInt8] {
    let cipher = try Cipher(key)
    var output = [UInt8](repeating: 0, count: plaintext.count + tagBytes)
    var count = output.count
    let code = output.withUnsafeMutableBytes {
      gnutls_aead_cipher_encrypt(
        cipher.handle, nonce, nonce.count, authenticated, authenticated.count, tagBytes, plaintext, plaintext.count,
        $0.baseAddress, &count)
    }
    try check(code, "encrypt with AES-GCM")
    return Array(output.prefix(count))
  }

  /// The plaintext; nil if the bytes were not made by `seal` with this key and these authenticated bytes.
  /// - Throws: `TLSError` for a key of another length.
  public static func open(
    _ sealed: [UInt8], key: [UInt8], authenticating authenticated: [UInt8] = []
  ) throws(TLSError) -> [UInt8]? {
    guard sealed.count >= overheadBytes else { return nil }
    let cipher = try Cipher(key)
    let nonce = Array(sealed[..<nonceBytes])
    let ciphertext = Array(sealed[nonceBytes...])
    var output = [UInt8](repeating: 0, count: ciphertext.count)
    var count = output.count
    let code = output.withUnsafeMutableBytes {
      gnutls_aead_cipher_decrypt(
        cipher.handle, nonce, nonce.count, authenticated, authenticated.count, tagBytes, ciphertext, ciphertext.count,
        $0.baseAddress, &count)
    }
    return code == 0 ? Array(output.prefix(count)) : nil
  }

  private struct Cipher: ~Copyable {
    let handle: gnutls_aead_cipher_hd_t

    init(_ key: [UInt8]) throws(TLSError) {
      let algorithms = [16: GNUTLS_CIPHER_AES_128_GCM, 24: GNUTLS_CIPHER_AES_192_GCM, 32: GNUTLS_CIPHER_AES_256_GCM]
      guard let algorithm = algorithms[key.count] else {
        throw TLSError(
          "use a key with AES-GCM", reason: "it has \(key.count) bytes", advice: "keys have 16, 24 or 32 bytes")
      }
      var handle: gnutls_aead_cipher_hd_t?
      let code = withDatum(key) { gnutls_aead_cipher_init(&handle, algorithm, &$0) }
      try check(code, "use a key with AES-GCM")
      guard let handle else { throw TLSError("use a key with AES-GCM", reason: "no memory") }
      self.handle = handle
    }

    deinit { gnutls_aead_cipher_deinit(handle) }
  }
}
