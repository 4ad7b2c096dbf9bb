internal import CGnuTLS

/// A checksum that an artifact must have: `sha256:<hex>`, or the hexadecimal digits alone, or `file:<url>` of a list that
/// sha256sum(1) and its kin write.
struct Checksum: Equatable, Sendable {
  enum Algorithm: String, Sendable, CaseIterable {
    case md5, sha1, sha256, sha512

    var byteCount: Int {
      switch self {
      case .md5: 16
      case .sha1: 20
      case .sha256: 32
      case .sha512: 64
      }
    }

    fileprivate var native: gnutls_digest_algorithm_t {
      switch self {
      case .md5: GNUTLS_DIG_MD5
      case .sha1: GNUTLS_DIG_SHA1
      case .sha256: GNUTLS_DIG_SHA256
      case .sha512: GNUTLS_DIG_SHA512
      }
    }
  }

  enum Expectation: Equatable, Sendable {
    case digest(Algorithm, [UInt8])
    /// In the list at this URL.
    case listed(String)
  }

  var expectation: Expectation

  /// - Throws: `.invalid`.
  init(_ text: String) throws(ArtifactError) {
    if text.hasPrefix("file:") {
      expectation = .listed(String(text.dropFirst(5)))
      return
    }
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    let digits = Self.bytes(ofHexadecimal: parts.last ?? "")
    let algorithm =
      parts.count == 2
      ? Algorithm(rawValue: parts[0].lowercased()) : Algorithm.allCases.first { $0.byteCount == digits?.count }
    guard let algorithm, let digits, digits.count == algorithm.byteCount else {
      throw ArtifactError(
        .invalid,
        "artifact checksum \"\(text)\": write md5:, sha1:, sha256: or sha512: and the digits in hexadecimal, or file:<url>"
      )
    }
    expectation = .digest(algorithm, digits)
  }

  /// The digest that a list holds for a file: lines of `<digits>  <name>`, `<digits> *<name>` or
  /// `SHA256 (<name>) = <digits>`; a list of one line without a name is of the file that was asked for.
  static func find(_ fileName: String, inList list: String) -> Checksum? {
    let lines = list.split(whereSeparator: \.isNewline).map { $0.split(separator: " ").map(String.init) }
    for line in lines where !line.isEmpty {
      if line.count == 4, line[2] == "=", line[1] == "(\(fileName))" {
        return try? Checksum("\(line[0].lowercased()):\(line[3])")
      }
      guard line.count == 2 else { continue }
      let name = line[1].drop { $0 == "*" }.split(separator: "/").last.map(String.init)
      if name == fileName { return try? Checksum(line[0]) }
    }
    if lines.count == 1, lines[0].count == 1 { return try? Checksum(lines[0][0]) }
    return nil
  }

  static func bytes(ofHexadecimal text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2), !digits.isEmpty else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      let pair = String(decoding: digits[index..<index + 2], as: UTF8.self)
      // Integers take a sign, digests do not.
      guard let byte = UInt8(pair, radix: 16), pair.first != "+" else { return nil }
      bytes.append(byte)
    }
    return bytes
  }

  static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

/// A digest while the bytes come, by GnuTLS.
struct Digest: ~Copyable {
  private let handle: gnutls_hash_hd_t
  private let byteCount: Int

  /// - Throws: `.system` when the library does not have the algorithm (FIPS mode refuses MD5).
  init(_ algorithm: Checksum.Algorithm) throws(ArtifactError) {
    var handle: gnutls_hash_hd_t?
    guard gnutls_hash_init(&handle, algorithm.native) == 0, let handle else {
      throw ArtifactError(.system, "the TLS library of this host does not compute \(algorithm.rawValue)")
    }
    self.handle = handle
    byteCount = algorithm.byteCount
  }

  deinit { gnutls_hash_deinit(handle, nil) }

  mutating func add(_ bytes: [UInt8]) { gnutls_hash(handle, bytes, bytes.count) }

  /// The digest of what was added so far.
  mutating func value() -> [UInt8] {
    var result = [UInt8](repeating: 0, count: byteCount)
    gnutls_hash_output(handle, &result)
    return result
  }
}
