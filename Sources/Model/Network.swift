public import Codec

/// A network of a group: its mode and its ports. In what a node offers: one of its addresses.
public struct NetworkResource: Record {
  /// `host` (the default), `bridge`, `none` or `cni/<name>`.
  public var mode = ""
  /// Interface; filled by the client for old jobs.
  public var device = ""
  /// Address range; filled by the client for old jobs.
  public var cidr = ""
  /// Address; filled by the client for old jobs.
  public var ip = ""
  /// Resolver settings inside the allocation's network.
  @Indirect public var dns: DNSConfig?
  /// Ports with a fixed number on the host (`static`).
  public var reservedPorts: [Port] = []
  /// Ports whose number on the host the scheduler chooses.
  public var dynamicPorts: [Port] = []
  /// Host name inside the allocation's network.
  public var hostname = ""
  /// Has no effect any more.
  public var mBits: Int?
  /// Arguments for CNI plugins.
  @Indirect public var cni: CNIConfig?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Mode", &mode)
    v.field(2, "Device", &device)
    v.field(3, "CIDR", &cidr)
    v.field(4, "IP", &ip)
    v.field(5, "DNS", &_dns)
    v.field(6, "ReservedPorts", &reservedPorts)
    v.field(7, "DynamicPorts", &dynamicPorts)
    v.field(8, "Hostname", &hostname)
    v.field(9, "MBits", &mBits)
    v.field(10, "CNI", &_cni)
  }
}

/// A port by label. `value` is the port on the host, `to` the one inside the group's network namespace.
public struct Port: Record {
  /// Name, unique within the group; `NOMAD_PORT_<label>` in the environment.
  public var label = ""
  /// Number on the host; 0 until the scheduler chose one.
  public var value = 0
  /// Number inside the allocation's network: 0 for the same as outside, −1 for the port given by the scheduler.
  public var to = 0
  /// Named network of the host that it is bound to; `default` when empty.
  public var hostNetwork = ""
  /// Do not refuse a static port that another allocation has; for programs with `SO_REUSEPORT`.
  public var ignoreCollision = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Label", &label)
    v.field(2, "Value", &value)
    v.field(3, "To", &to)
    v.field(4, "HostNetwork", &hostNetwork)
    v.field(5, "IgnoreCollision", &ignoreCollision)
  }
}

/// The resolver of a group's tasks.
public struct DNSConfig: Record {
  /// Addresses of name servers.
  public var servers: [String] = []
  /// Search domains.
  public var searches: [String] = []
  /// Options of `resolv.conf`.
  public var options: [String] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Servers", &servers)
    v.field(2, "Searches", &searches)
    v.field(3, "Options", &options)
  }
}

/// Arguments that are handed to CNI plugins.
public struct CNIConfig: Record {
  /// Given to plugins as `CNI_ARGS`.
  public var args: [String: String] = [:]

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Args", &args)
  }
}
