internal import CCrypt

/// The bcrypt password hash (Provos and Mazières, "A Future-Adaptable Password Scheme", 1999), computed by libcrypt.
public enum Bcrypt {
  /// Password and cost that can be hashed.
  public static let costs = 4...31
  /// What of a password counts.
  public static let maximumPasswordBytes = 72

  /// The hash in the modular crypt format, version 2a: `$2a$` and 56 more characters.
  /// - Parameters:
  ///   - password: without NUL bytes, at most `maximumPasswordBytes`.
  ///   - salt: 16 random bytes.
  ///   - cost: the logarithm of the number of rounds, one of `costs`.
  /// - Throws: `DigestUnavailable` when the library refuses (FIPS mode), or when an argument is not as said.
  public static func hash(_ password: [UInt8], salt: [UInt8], cost: Int) throws(DigestUnavailable) -> String {
    let unavailable = DigestUnavailable(algorithm: "bcrypt")
    guard costs.contains(cost), salt.count == 16, password.count <= maximumPasswordBytes, !password.contains(0) else {
      throw unavailable
    }
    let setting = "$2a$\(cost < 10 ? "0" : "")\(cost)$" + encode(salt)
    var hash = [CChar](repeating: 0, count: 61)
    let result = (password + [0]).withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) { password in
        // A buffer of at least one byte has an address.
        guard let address = password.baseAddress else { return Int32(-1) }
        return serai_bcrypt(address, setting, &hash)
      }
    }
    guard result == 0 else { throw unavailable }
    return String(decoding: hash.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// bcrypt's own base 64: another alphabet, no padding.
  private static func encode(_ bytes: [UInt8]) -> String {
    let alphabet = Array("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
    var out: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        out.append(alphabet[Int(bits >> UInt32(count) & 63)])
      }
    }
    if count > 0 { out.append(alphabet[Int(bits << UInt32(6 - count) & 63)]) }
    return String(decoding: out, as: UTF8.self)
  }
}
