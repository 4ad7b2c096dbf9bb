// The service mesh part of a service (`connect` block).

public import Codec

/// What a service has to do with the service mesh.
public struct ConsulConnect: Record {
  public var native = false
  @Indirect public var gateway: ConsulGateway?
  @Indirect public var sidecarService: ConsulSidecarService?
  @Indirect public var sidecarTask: SidecarTask?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Native", &native)
    v.field(2, "Gateway", &_gateway)
    v.field(3, "SidecarService", &_sidecarService)
    v.field(4, "SidecarTask", &_sidecarTask)
  }
}

/// The proxy beside a service, as Consul sees it.
public struct ConsulSidecarService: Record {
  public var tags: [String] = []
  public var port = ""
  @Indirect public var proxy: ConsulProxy?
  public var disableDefaultTCPCheck = false
  public var meta: [String: String] = [:]

  public init() {}

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
  public var name = ""
  public var driver = ""
  public var user = ""
  public var config = JSONObject()
  public var env: [String: String] = [:]
  @Indirect public var resources: Resources?
  public var meta: [String: String] = [:]
  public var killTimeout: Nanoseconds?
  @Indirect public var logConfig: LogConfig?
  public var shutdownDelay: Nanoseconds?
  public var killSignal = ""
  public var volumeMounts: [VolumeMount] = []
  public var identities: [WorkloadIdentity] = []

  public init() {}

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
  public var localServiceAddress = ""
  public var localServicePort = 0
  @Indirect public var expose: ConsulExposeConfig?
  /// Superseded by `expose`.
  @Indirect public var exposeConfig: ConsulExposeConfig?
  public var upstreams: [ConsulUpstream] = []
  @Indirect public var transparentProxy: ConsulTransparentProxy?
  public var config = JSONObject()

  public init() {}

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
  public var destinationName = ""
  public var destinationNamespace = ""
  public var destinationPeer = ""
  public var destinationPartition = ""
  public var destinationType = ""
  public var localBindPort = 0
  public var datacenter = ""
  public var localBindAddress = ""
  public var localBindSocketPath = ""
  public var localBindSocketMode = ""
  @Indirect public var meshGateway: ConsulMeshGateway?
  public var config = JSONObject()

  public init() {}

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
  public var mode = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Mode", &mode)
  }
}

/// Paths that a proxy lets through without mesh authentication.
public struct ConsulExposeConfig: Record {
  public var paths: [ConsulExposePath] = []
  /// Superseded by `paths`.
  public var path: [ConsulExposePath] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Paths", &paths)
    v.field(2, "Path", &path)
  }
}

/// One exposed path.
public struct ConsulExposePath: Record {
  public var path = ""
  public var `protocol` = ""
  public var localPathPort = 0
  public var listenerPort = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Path", &path)
    v.field(2, "Protocol", &`protocol`)
    v.field(3, "LocalPathPort", &localPathPort)
    v.field(4, "ListenerPort", &listenerPort)
  }
}

/// Traffic of the group goes through the proxy without the tasks knowing.
public struct ConsulTransparentProxy: Record {
  public var uid = ""
  public var outboundPort = 0
  public var excludeInboundPorts: [String] = []
  public var excludeOutboundPorts: [Int] = []
  public var excludeOutboundCIDRs: [String] = []
  public var excludeUIDs: [String] = []
  public var noDNS = false

  public init() {}

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
