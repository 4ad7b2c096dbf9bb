/// Which versions and cipher suites are taken; the names are those of the agent's `tls` block.
public struct TLSProtocols: Sendable, Equatable {
  /// `tls10`, `tls11`, `tls12` or `tls13`.
  public let minimumVersion: String
  /// IANA names of TLS 1.2 suites; empty for every one that is safe. TLS 1.3 has its own, which are always taken.
  public let cipherSuites: [String]

  /// Key exchange, cipher and MAC of each suite in GnuTLS' words.
  private static let suites: [String: (String, String, String)] = [
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305": ("ECDHE-RSA", "CHACHA20-POLY1305", "AEAD"),
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305": ("ECDHE-ECDSA", "CHACHA20-POLY1305", "AEAD"),
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": ("ECDHE-RSA", "CHACHA20-POLY1305", "AEAD"),
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": ("ECDHE-ECDSA", "CHACHA20-POLY1305", "AEAD"),
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": ("ECDHE-RSA", "AES-128-GCM", "AEAD"),
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": ("ECDHE-ECDSA", "AES-128-GCM", "AEAD"),
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": ("ECDHE-RSA", "AES-256-GCM", "AEAD"),
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": ("ECDHE-ECDSA", "AES-256-GCM", "AEAD"),
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256": ("ECDHE-RSA", "AES-128-CBC", "SHA256"),
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256": ("ECDHE-ECDSA", "AES-128-CBC", "SHA256"),
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": ("ECDHE-RSA", "AES-128-CBC", "SHA1"),
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": ("ECDHE-ECDSA", "AES-128-CBC", "SHA1"),
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": ("ECDHE-RSA", "AES-256-CBC", "SHA1"),
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": ("ECDHE-ECDSA", "AES-256-CBC", "SHA1"),
  ]

  /// The defaults: TLS 1.2 and 1.3.
  public static let standard = TLSProtocols()

  private init() {
    minimumVersion = "tls12"
    cipherSuites = []
  }

  /// - Parameters:
  ///   - minimumVersion: empty for `tls12`.
  ///   - cipherSuites: names separated by commas; empty for the defaults.
  /// - Throws: `TLSError` naming what is unknown.
  public init(minimumVersion: String, cipherSuites: String) throws(TLSError) {
    let version = minimumVersion.isEmpty ? "tls12" : minimumVersion
    guard ["tls10", "tls11", "tls12", "tls13"].contains(version) else {
      throw TLSError(
        "use", "tls_min_version", reason: "\"\(version)\" is no version", advice: "write tls10, tls11, tls12 or tls13")
    }
    self.minimumVersion = version
    self.cipherSuites = cipherSuites.split(separator: ",").map { String($0.filter { $0 != " " }) }
    for name in self.cipherSuites where Self.suites[name] == nil {
      throw TLSError(
        "use", "tls_cipher_suites", reason: "\"\(name)\" is no suite that is supported",
        advice: "these are: " + Self.suites.keys.sorted().joined(separator: ", "))
    }
  }

  /// As GnuTLS' priority string. https://gnutls.org/manual/html_node/Priority-Strings.html
  public var priorities: String {
    let versions = ["tls13": "TLS1.3", "tls12": "TLS1.2", "tls11": "TLS1.1", "tls10": "TLS1.0"]
    let order = ["tls13", "tls12", "tls11", "tls10"]
    let taken = order.prefix { $0 != minimumVersion }.map { versions[$0] ?? "" } + [versions[minimumVersion] ?? ""]
    let versionWords = "-VERS-ALL" + taken.map { ":+VERS-\($0)" }.joined()
    guard !cipherSuites.isEmpty else { return "NORMAL:\(versionWords)" }
    let chosen = cipherSuites.compactMap { Self.suites[$0] }
    func words(_ names: [String]) -> String {
      var seen: Set<String> = []
      return names.filter { seen.insert($0).inserted }.map { ":+\($0)" }.joined()
    }
    // TLS 1.3's suites are built from the same words: they are always among the ciphers. What the words allow beyond the
    // list is refused after the handshake (`accepts`).
    return "NORMAL:\(versionWords):-KX-ALL:-CIPHER-ALL:-MAC-ALL" + words(chosen.map(\.0))
      + words(chosen.map(\.1) + ["AES-256-GCM", "AES-128-GCM", "CHACHA20-POLY1305"]) + words(chosen.map(\.2) + ["AEAD"])
  }

  /// Whether a suite that was agreed on is in the list.
  /// - Parameters:
  ///   - key: key exchange, for example "ECDHE-RSA"; `cipher`: "AES-128-GCM"; `mac`: "AEAD".
  func accepts(key: String, cipher: String, mac: String) -> Bool {
    cipherSuites.isEmpty || cipherSuites.compactMap { Self.suites[$0] }.contains { $0 == (key, cipher, mac) }
  }
}
