// Gateways of the service mesh (`gateway` block).

public import Codec

/// A gateway into or out of the mesh; one of ingress, terminating and mesh.
public struct ConsulGateway: Record {
  @Indirect public var proxy: ConsulGatewayProxy?
  @Indirect public var ingress: ConsulIngressConfigEntry?
  @Indirect public var terminating: ConsulTerminatingConfigEntry?
  @Indirect public var mesh: ConsulMeshConfigEntry?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Proxy", &_proxy)
    v.field(2, "Ingress", &_ingress)
    v.field(3, "Terminating", &_terminating)
    v.field(4, "Mesh", &_mesh)
  }
}

/// How a gateway's proxy is configured.
public struct ConsulGatewayProxy: Record {
  public var connectTimeout: Nanoseconds?
  public var envoyGatewayBindTaggedAddresses = false
  public var envoyGatewayBindAddresses: [String: ConsulGatewayBindAddress] = [:]
  public var envoyGatewayNoDefaultBind = false
  public var envoyDNSDiscoveryType = ""
  public var config = JSONObject()

  public init() {}

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
  public var name = ""
  public var address = ""
  public var port = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Address", &address)
    v.field(3, "Port", &port)
  }
}

/// What an ingress gateway lets in.
public struct ConsulIngressConfigEntry: Record {
  @Indirect public var tls: ConsulGatewayTLSConfig?
  public var listeners: [ConsulIngressListener] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "TLS", &_tls)
    v.field(2, "Listeners", &listeners)
  }
}

/// TLS of a gateway's listeners.
public struct ConsulGatewayTLSConfig: Record {
  public var enabled = false
  public var tlsMinVersion = ""
  public var tlsMaxVersion = ""
  public var cipherSuites: [String] = []
  @Indirect public var sds: ConsulGatewayTLSSDSConfig?

  public init() {}

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
  public var clusterName = ""
  public var certResource = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ClusterName", &clusterName)
    v.field(2, "CertResource", &certResource)
  }
}

/// A port of an ingress gateway.
public struct ConsulIngressListener: Record {
  public var port = 0
  public var `protocol` = ""
  public var services: [ConsulIngressService] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Port", &port)
    v.field(2, "Protocol", &`protocol`)
    v.field(3, "Services", &services)
  }
}

/// A service behind an ingress gateway.
public struct ConsulIngressService: Record {
  public var name = ""
  public var hosts: [String] = []
  @Indirect public var tls: ConsulGatewayTLSConfig?
  @Indirect public var requestHeaders: ConsulHTTPHeaderModifiers?
  @Indirect public var responseHeaders: ConsulHTTPHeaderModifiers?
  public var maxConnections: UInt64?
  public var maxPendingRequests: UInt64?
  public var maxConcurrentRequests: UInt64?

  public init() {}

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
  public var add: [String: String] = [:]
  public var set: [String: String] = [:]
  public var remove: [String] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Add", &add)
    v.field(2, "Set", &set)
    v.field(3, "Remove", &remove)
  }
}

/// Services outside the mesh that a terminating gateway reaches.
public struct ConsulTerminatingConfigEntry: Record {
  public var services: [ConsulLinkedService] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Services", &services)
  }
}

/// A service outside the mesh.
public struct ConsulLinkedService: Record {
  public var name = ""
  public var caFile = ""
  public var certFile = ""
  public var keyFile = ""
  public var sni = ""

  public init() {}

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
  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {}
}
