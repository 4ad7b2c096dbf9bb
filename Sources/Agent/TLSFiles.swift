internal import HTTP
internal import Linux
internal import TLS
internal import Transport

/// The files of the `tls` block, read: what RPC and HTTP are protected with.
struct TLSFiles {
  private let section: TLSSection
  private let region: String
  private let authority: [UInt8]
  private let certificate: [UInt8]
  private let key: [UInt8]
  private let protocols: TLSProtocols

  /// Nil when neither RPC nor HTTP is protected.
  /// - Throws: `ConfigurationError` naming the file that can't be used.
  init?(_ configuration: AgentConfiguration) throws(ConfigurationError) {
    section = configuration.tls
    region = configuration.region
    guard section.enableRPC || section.enableHTTP else { return nil }
    authority = try Self.read(section.caFile, "ca_file")
    certificate = try Self.read(section.certFile, "cert_file")
    key = try Self.read(section.keyFile, "key_file")
    do throws(TLSError) {
      protocols = try TLSProtocols(minimumVersion: section.minVersion, cipherSuites: section.cipherSuites)
    } catch {
      throw ConfigurationError("tls: \(error)")
    }
  }

  /// For RPC; nil when it is plain.
  func rpc() throws(ConfigurationError) -> RPCSecurity? {
    guard section.enableRPC else { return nil }
    do throws(TLSError) {
      var security = RPCSecurity(
        credentials: try TLSCredentials(
          authority: authority, certificate: certificate, key: key, object: section.certFile))
      security.protocols = protocols
      security.serverName = section.verifyServerHostname ? "server.\(region).nomad" : nil
      security.acceptsPlain = section.rpcUpgradeMode
      return security
    } catch {
      throw ConfigurationError("tls: \(error)")
    }
  }

  /// For the HTTP API; nil when it is plain.
  func http() throws(ConfigurationError) -> HTTPServerSecurity? {
    guard section.enableHTTP else { return nil }
    do throws(TLSError) {
      // Read for its checks, too: a key of another certificate is found here and not in the first handshake.
      _ = try TLSCredentials(authority: authority, certificate: certificate, key: key, object: section.certFile)
      return HTTPServerSecurity(
        certificate: try ServedCertificate(certificate: certificate, key: key, object: section.certFile),
        clientAuthority: section.verifyHTTPSClient ? authority : nil, protocols: protocols)
    } catch {
      throw ConfigurationError("tls: \(error)")
    }
  }

  private static func read(_ path: String, _ name: String) throws(ConfigurationError) -> [UInt8] {
    guard !path.isEmpty else { throw ConfigurationError("tls: \(name) is missing: name a PEM file") }
    do throws(SystemError) {
      return try Files.read(path, limit: 1 << 20)
    } catch {
      throw ConfigurationError("tls: \(name): \(error)")
    }
  }
}
