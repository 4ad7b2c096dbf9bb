public import TLS

/// Where a server listens.
public enum HTTPListenAddress: Sendable, Hashable, CustomStringConvertible {
  /// A numeric IPv4 or IPv6 address without brackets; port 0 lets the kernel choose.
  case tcp(host: String, port: UInt16)
  /// A Unix socket. The file is created with `mode` (0o600: only the agent's user) and removed when the server stops; a
  /// file left by a dead server is replaced, one that a live server listens on is not.
  case unix(path: String, mode: UInt32 = 0o600)

  /// As clients write it.
  public var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path, _): "unix://\(path)"
    }
  }
}

/// How an HTTP server's connections are protected.
public struct HTTPServerSecurity: Sendable {
  /// What the server shows; replaced while it runs by `HTTPServer.replaceCertificate`.
  public var certificate: ServedCertificate
  /// PEM of the CA that clients' certificates must come from; nil to ask for none.
  public var clientAuthority: [UInt8]?
  /// Versions and cipher suites.
  public var protocols: TLSProtocols

  /// Protection by a certificate.
  public init(certificate: ServedCertificate, clientAuthority: [UInt8]? = nil, protocols: TLSProtocols = .standard) {
    self.certificate = certificate
    self.clientAuthority = clientAuthority
    self.protocols = protocols
  }
}

/// Limits and timeouts of an HTTP server. Every one has a default that fits an agent.
public struct HTTPServerConfiguration: Sendable {
  /// Where to listen; at least one.
  public var addresses: [HTTPListenAddress]
  /// TLS on every connection, those over Unix sockets included; nil for none.
  public var security: HTTPServerSecurity?
  /// Threads that read and write sockets. Handlers don't run on them, so two carry a busy agent.
  public var threads = 2
  /// Open connections in total. Beyond it, new ones wait in the kernel's queue.
  public var maxConnections = 16384
  /// Open connections per client address; beyond it a new one is answered 429 and closed. 0 for no limit. Nomad's
  /// `http_max_conns_per_client` defaults to 100. Unix sockets are not counted.
  public var maxConnectionsPerClient = 100
  /// Bytes of request line and headers together; also room for the response's headers.
  public var maxHeaderBytes = 65536
  /// Bytes of a request body; beyond it the request is answered 413.
  public var maxBodyBytes = 64 << 20
  /// From accepting a connection to the end of its first request's headers.
  public var headerTimeout: Duration = .seconds(10)
  /// From the end of the headers to the end of the body, for bodies of up to a megabyte; more have a second more for
  /// every 64 KiB.
  public var bodyTimeout: Duration = .seconds(30)
  /// How long a connection may stay open without a request, and how long a client may accept no byte of a response.
  /// Whole seconds. A request that is being handled is not idle.
  public var idleTimeout: Duration = .seconds(120)
  /// Bytes that a streaming response buffers before `HTTPBodyWriter.write` waits for the client.
  public var streamBufferBytes = 256 << 10
  /// Bodies of at least so many bytes are sent as gzip to clients that accept it.
  public var compressionMinBytes = 1024

  /// The defaults.
  public init(addresses: [HTTPListenAddress]) { self.addresses = addresses }
}

/// Why a server could not start or go on.
public struct HTTPServerError: Error, Sendable, CustomStringConvertible {
  /// What was tried: "bind", "listen", …
  public let operation: String
  /// On what: an address.
  public let object: String
  /// The kernel's reason, 0 if it gave none.
  public let errno: Int32
  /// What to change.
  public let advice: String

  /// `bind 127.0.0.1:4646 failed: EADDRINUSE; …`.
  public var description: String {
    let reason = errno == 0 ? "failed" : "failed: \(errnoName(errno))"
    return "\(operation) \(object) \(reason); \(advice)"
  }
}
