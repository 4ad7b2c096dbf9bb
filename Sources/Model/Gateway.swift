// Gateways of the service mesh (`gateway` block).

public import Codec

/// A gateway into or out of the mesh; one of ingress, terminating and mesh.
public struct ConsulGateway: Record {
  /// Settings of the proxy that is the gateway.
  @Indirect public var proxy: ConsulGatewayProxy?
  /// Lets traffic into the mesh.
  @Indirect public var ingress: ConsulIngressConfigEntry?
  /// Lets traffic out of the mesh to services outside it.
  @Indirect public var terminating: ConsulTerminatingConfigEntry?
  /// Joins meshes of several datacenters; has no settings of its own.
  @Indirect public var mesh: ConsulMeshConfigEntry?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Proxy", &_proxy)
    v.field(2, "Ingress", &_ingress)
    v.field(3, "Terminating", &_terminating)
    v.field(4, "Mesh", &_mesh)
  }
}

/// How a gateway's proxy is configured.
public struct ConsulGatewayProxy: Record {
  /// How long a connection to a service may take, in nanoseconds; 5 s by default.
  public var connectTimeout: Nanoseconds?
  /// Bind to the service's tagged addresses as well.
  public var envoyGatewayBindTaggedAddresses = false
  /// Addresses to bind to, by listener's name.
  public var envoyGatewayBindAddresses: [String: ConsulGatewayBindAddress] = [:]
  /// Bind to none but those addresses.
  public var envoyGatewayNoDefaultBind = false
  /// How names are resolved: `STRICT_DNS` or `LOGICAL_DNS`.
  public var envoyDNSDiscoveryType = ""
  /// Further settings handed to Envoy.
  public var config = JSONObject()

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ConnectTimeout", &connectTimeout)
    v.field(2, "EnvoyGatewayBindTaggedAddresses", &envoyGatewayBindTaggedAddresses)
    v.field(3, "EnvoyGatewayBindAddresses", &envoyGatewayBindAddresses)
    v.field(4, "EnvoyGatewayNoDefaultBind", &envoyGatewayNoDefaultBind)
    v.field(5, "EnvoyDNSDiscoveryType", &envoyDNSDiscoveryType)
    v.field(6, "Config", &config, .diffObject)
  }
}

/// An address on which a gateway listens.
public struct ConsulGatewayBindAddress: Record {
  /// Listener that the address is for.
  public var name = ""
  /// Address to bind to.
  public var address = ""
  /// Port to bind to.
  public var port = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Address", &address)
    v.field(3, "Port", &port)
  }
}

/// What an ingress gateway lets in.
public struct ConsulIngressConfigEntry: Record {
  /// TLS of the listeners.
  @Indirect public var tls: ConsulGatewayTLSConfig?
  /// Ports that traffic comes in on.
  public var listeners: [ConsulIngressListener] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "TLS", &_tls)
    v.field(2, "Listeners", &listeners)
  }
}

/// TLS of a gateway's listeners.
public struct ConsulGatewayTLSConfig: Record {
  /// Whether listeners speak TLS.
  public var enabled = false
  /// Oldest version, such as `TLSv1_2`.
  public var tlsMinVersion = ""
  /// Newest version.
  public var tlsMaxVersion = ""
  /// Ciphers in order of preference; Envoy's default when empty.
  public var cipherSuites: [String] = []
  /// Where certificates come from, when not from Consul.
  @Indirect public var sds: ConsulGatewayTLSSDSConfig?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Enabled", &enabled)
    v.field(2, "TLSMinVersion", &tlsMinVersion)
    v.field(3, "TLSMaxVersion", &tlsMaxVersion)
    v.field(4, "CipherSuites", &cipherSuites)
    v.field(5, "SDS", &_sds)
  }
}

/// Where a gateway gets its certificates from.
public struct ConsulGatewayTLSSDSConfig: Record {
  /// Cluster of the secret discovery service.
  public var clusterName = ""
  /// Name of the certificate there.
  public var certResource = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ClusterName", &clusterName)
    v.field(2, "CertResource", &certResource)
  }
}

/// A port of an ingress gateway.
public struct ConsulIngressListener: Record {
  /// Port to listen on.
  public var port = 0
  /// `tcp`, `http`, `http2` or `grpc`.
  public var `protocol` = ""
  /// Services reached through the listener; exactly one for `tcp`.
  public var services: [ConsulIngressService] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Port", &port)
    v.field(2, "Protocol", &`protocol`)
    v.field(3, "Services", &services)
  }
}

/// A service behind an ingress gateway.
public struct ConsulIngressService: Record {
  /// Name of the service, `*` for every one.
  public var name = ""
  /// Host names that lead to it.
  public var hosts: [String] = []
  /// TLS of this service alone.
  @Indirect public var tls: ConsulGatewayTLSConfig?
  /// Changes to headers on the way in.
  @Indirect public var requestHeaders: ConsulHTTPHeaderModifiers?
  /// Changes to headers on the way out.
  @Indirect public var responseHeaders: ConsulHTTPHeaderModifiers?
  /// Connections open at once; no limit when absent.
  public var maxConnections: UInt64?
  /// Requests waiting for a connection; no limit when absent.
  public var maxPendingRequests: UInt64?
  /// Requests in work at once; no limit when absent.
  public var maxConcurrentRequests: UInt64?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Hosts", &hosts)
    v.field(3, "TLS", &_tls)
    v.field(4, "RequestHeaders", &_requestHeaders)
    v.field(5, "ResponseHeaders", &_responseHeaders)
    v.field(6, "MaxConnections", &maxConnections)
    v.field(7, "MaxPendingRequests", &maxPendingRequests)
    v.field(8, "MaxConcurrentRequests", &maxConcurrentRequests)
  }
}

/// Header fields that a gateway adds, sets or removes.
public struct ConsulHTTPHeaderModifiers: Record {
  /// Headers added beside those there.
  public var add: [String: String] = [:]
  /// Headers set in place of those there.
  public var set: [String: String] = [:]
  /// Headers removed.
  public var remove: [String] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Add", &add)
    v.field(2, "Set", &set)
    v.field(3, "Remove", &remove)
  }
}

/// Services outside the mesh that a terminating gateway reaches.
public struct ConsulTerminatingConfigEntry: Record {
  /// Services outside the mesh that are reached through the gateway.
  public var services: [ConsulLinkedService] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Services", &services)
  }
}

/// A service outside the mesh.
public struct ConsulLinkedService: Record {
  /// Name of the service.
  public var name = ""
  /// CA certificates that its certificate is checked with.
  public var caFile = ""
  /// Certificate shown to it.
  public var certFile = ""
  /// Key of that certificate.
  public var keyFile = ""
  /// Name asked for in the TLS handshake.
  public var sni = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "CAFile", &caFile)
    v.field(3, "CertFile", &certFile)
    v.field(4, "KeyFile", &keyFile)
    v.field(5, "SNI", &sni)
  }
}

/// A mesh gateway; it has nothing to configure.
public struct ConsulMeshConfigEntry: Record {
  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {}
}
