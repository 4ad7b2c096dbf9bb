public import Codec

/// A network of a group: its mode and its ports. In what a node offers: one of its addresses.
public struct NetworkResource: Record {
  public var mode = ""
  public var device = ""
  public var cidr = ""
  public var ip = ""
  @Indirect public var dns: DNSConfig?
  public var reservedPorts: [Port] = []
  public var dynamicPorts: [Port] = []
  public var hostname = ""
  /// Has no effect any more.
  public var mBits: Int?
  @Indirect public var cni: CNIConfig?

  public init() {}

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
  public var label = ""
  public var value = 0
  public var to = 0
  public var hostNetwork = ""
  public var ignoreCollision = false

  public init() {}

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
  public var servers: [String] = []
  public var searches: [String] = []
  public var options: [String] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Servers", &servers)
    v.field(2, "Searches", &searches)
    v.field(3, "Options", &options)
  }
}

/// Arguments that are handed to CNI plugins.
public struct CNIConfig: Record {
  public var args: [String: String] = [:]

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Args", &args)
  }
}
