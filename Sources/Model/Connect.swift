// The service mesh part of a service (`connect` block).

public import Codec

/// What a service has to do with the service mesh.
public struct ConsulConnect: Record {
  /// The program speaks the mesh's protocol itself.
  public var native = false
  /// The service is a gateway.
  @Indirect public var gateway: ConsulGateway?
  /// A proxy runs beside the program.
  @Indirect public var sidecarService: ConsulSidecarService?
  /// How the proxy's task differs from the default.
  @Indirect public var sidecarTask: SidecarTask?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Native", &native)
    v.field(2, "Gateway", &_gateway)
    v.field(3, "SidecarService", &_sidecarService)
    v.field(4, "SidecarTask", &_sidecarTask)
  }
}

/// The proxy beside a service, as Consul sees it.
public struct ConsulSidecarService: Record {
  /// Tags of the proxy's registration.
  public var tags: [String] = []
  /// Port of the proxy; a dynamic one by default.
  public var port = ""
  /// Settings of the proxy.
  @Indirect public var proxy: ConsulProxy?
  /// Do not check the proxy's port.
  public var disableDefaultTCPCheck = false
  /// Key and value pairs of the proxy's registration.
  public var meta: [String: String] = [:]

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Tags", &tags)
    v.field(2, "Port", &port)
    v.field(3, "Proxy", &_proxy)
    v.field(4, "DisableDefaultTCPCheck", &disableDefaultTCPCheck)
    v.field(5, "Meta", &meta)
  }
}

/// What is different from the default in the task that runs the proxy.
public struct SidecarTask: Record {
  /// Name of the task.
  public var name = ""
  /// Driver of the task.
  public var driver = ""
  /// User that it runs as.
  public var user = ""
  /// The driver's options.
  public var config = JSONObject()
  /// Environment variables.
  public var env: [String: String] = [:]
  /// CPU and memory.
  @Indirect public var resources: Resources?
  /// Key and value pairs.
  public var meta: [String: String] = [:]
  /// Nanoseconds between the kill signal and SIGKILL.
  public var killTimeout: Nanoseconds?
  /// Size and number of the log files.
  @Indirect public var logConfig: LogConfig?
  /// Nanoseconds between deregistration and the kill signal.
  public var shutdownDelay: Nanoseconds?
  /// Signal that ends it.
  public var killSignal = ""
  /// The group's volumes that it mounts.
  public var volumeMounts: [VolumeMount] = []
  /// Workload identities that it gets.
  public var identities: [WorkloadIdentity] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Driver", &driver)
    v.field(3, "User", &user)
    v.field(4, "Config", &config, .diffObject)
    v.field(5, "Env", &env)
    v.field(6, "Resources", &_resources)
    v.field(7, "Meta", &meta)
    v.field(8, "KillTimeout", &killTimeout)
    v.field(9, "LogConfig", &_logConfig)
    v.field(10, "ShutdownDelay", &shutdownDelay)
    v.field(11, "KillSignal", &killSignal)
    v.field(12, "VolumeMounts", &volumeMounts)
    v.field(13, "Identities", &identities)
  }
}

/// How a sidecar proxy is configured.
public struct ConsulProxy: Record {
  /// Address that the program listens on; 127.0.0.1 by default.
  public var localServiceAddress = ""
  /// Port that the program listens on; the service's by default.
  public var localServicePort = 0
  /// Paths that are reached without the mesh.
  @Indirect public var expose: ConsulExposeConfig?
  /// Superseded by `expose`.
  @Indirect public var exposeConfig: ConsulExposeConfig?
  /// Services that the program reaches through the proxy.
  public var upstreams: [ConsulUpstream] = []
  /// Takes all traffic of the namespace through the proxy.
  @Indirect public var transparentProxy: ConsulTransparentProxy?
  /// Further settings handed to Envoy.
  public var config = JSONObject()

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "LocalServiceAddress", &localServiceAddress)
    v.field(2, "LocalServicePort", &localServicePort)
    v.field(3, "Expose", &_expose)
    v.field(4, "ExposeConfig", &_exposeConfig)
    v.field(5, "Upstreams", &upstreams)
    v.field(6, "TransparentProxy", &_transparentProxy)
    v.field(7, "Config", &config, .diffObject)
  }
}

/// A service that a proxy makes reachable.
public struct ConsulUpstream: Record {
  /// Name of the service.
  public var destinationName = ""
  /// Its Consul namespace.
  public var destinationNamespace = ""
  /// Its cluster peer.
  public var destinationPeer = ""
  /// Its admin partition.
  public var destinationPartition = ""
  /// `service` or `prepared_query`.
  public var destinationType = ""
  /// Port of the proxy that leads to it.
  public var localBindPort = 0
  /// Its datacenter.
  public var datacenter = ""
  /// Address of the proxy that leads to it; 127.0.0.1 by default.
  public var localBindAddress = ""
  /// Unix socket in place of address and port.
  public var localBindSocketPath = ""
  /// Mode of that socket, octal.
  public var localBindSocketMode = ""
  /// How other datacenters are reached.
  @Indirect public var meshGateway: ConsulMeshGateway?
  /// Further settings handed to Envoy.
  public var config = JSONObject()

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "DestinationName", &destinationName)
    v.field(2, "DestinationNamespace", &destinationNamespace)
    v.field(3, "DestinationPeer", &destinationPeer)
    v.field(4, "DestinationPartition", &destinationPartition)
    v.field(5, "DestinationType", &destinationType)
    v.field(6, "LocalBindPort", &localBindPort)
    v.field(7, "Datacenter", &datacenter)
    v.field(8, "LocalBindAddress", &localBindAddress)
    v.field(9, "LocalBindSocketPath", &localBindSocketPath)
    v.field(10, "LocalBindSocketMode", &localBindSocketMode)
    v.field(11, "MeshGateway", &_meshGateway)
    v.field(12, "Config", &config, .diffObject)
  }
}

/// Through which gateways an upstream in another datacenter is reached.
public struct ConsulMeshGateway: Record {
  /// `local`, `remote` or `none`.
  public var mode = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Mode", &mode)
  }
}

/// Paths that a proxy lets through without mesh authentication.
public struct ConsulExposeConfig: Record {
  /// The paths.
  public var paths: [ConsulExposePath] = []
  /// Superseded by `paths`.
  public var path: [ConsulExposePath] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Paths", &paths)
    v.field(2, "Path", &path)
  }
}

/// One exposed path.
public struct ConsulExposePath: Record {
  /// Path that is open.
  public var path = ""
  /// `http` or `http2`.
  public var `protocol` = ""
  /// Port of the program that answers.
  public var localPathPort = 0
  /// Label of the port that is open.
  public var listenerPort = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Path", &path)
    v.field(2, "Protocol", &`protocol`)
    v.field(3, "LocalPathPort", &localPathPort)
    v.field(4, "ListenerPort", &listenerPort)
  }
}

/// Traffic of the group goes through the proxy without the tasks knowing.
public struct ConsulTransparentProxy: Record {
  /// User whose traffic is not taken: the proxy's own.
  public var uid = ""
  /// Port of the proxy that outbound traffic is led to.
  public var outboundPort = 0
  /// Labels or numbers of ports that stay reachable directly.
  public var excludeInboundPorts: [String] = []
  /// Ports elsewhere that are reached directly.
  public var excludeOutboundPorts: [Int] = []
  /// Ranges elsewhere that are reached directly.
  public var excludeOutboundCIDRs: [String] = []
  /// Further users whose traffic is not taken.
  public var excludeUIDs: [String] = []
  /// Do not answer the mesh's names.
  public var noDNS = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "UID", &uid)
    v.field(2, "OutboundPort", &outboundPort)
    v.field(3, "ExcludeInboundPorts", &excludeInboundPorts)
    v.field(4, "ExcludeOutboundPorts", &excludeOutboundPorts)
    v.field(5, "ExcludeOutboundCIDRs", &excludeOutboundCIDRs)
    v.field(6, "ExcludeUIDs", &excludeUIDs)
    v.field(7, "NoDNS", &noDNS)
  }
}
