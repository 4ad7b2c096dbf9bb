public import Codec

/// What a node has.
public struct NodeResources: Record {
  /// Total CPU, kept in the form of older clients beside `processors`.
  public var cpu = NodeCpuResources()
  /// RAM of the machine.
  public var memory = NodeMemoryResources()
  /// Disk of the allocation directory's file system.
  public var disk = NodeDiskResources()
  /// The default network, in the form of older clients.
  public var networks: [NetworkResource] = []
  /// Networks and their addresses.
  public var nodeNetworks: [NodeNetworkResource] = []
  /// What device plugins found, one entry per kind.
  public var devices: [NodeDeviceResource] = []
  /// First port that may be given to a dynamic port; 20000 by default.
  public var minDynamicPort = 0
  /// Last port that may be given to a dynamic port; 32000 by default.
  public var maxDynamicPort = 0
  /// Where the cores are; nil for a client that doesn't tell.
  @Indirect public var processors: NodeProcessorResources?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Cpu", &cpu)
    v.field(2, "Memory", &memory)
    v.field(3, "Disk", &disk)
    v.field(4, "Networks", &networks)
    v.field(5, "NodeNetworks", &nodeNetworks)
    v.field(6, "Devices", &devices)
    v.field(7, "MinDynamicPort", &minDynamicPort)
    v.field(8, "MaxDynamicPort", &maxDynamicPort)
    v.field(9, "Processors", &_processors, .omitEmpty)
  }
}

/// How a node's processors are laid out.
public struct NodeProcessorResources: Record {
  /// Cores and where they sit.
  public var topology = ProcessorTopology()

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Topology", &topology)
  }
}

/// The cores by NUMA node.
public struct ProcessorTopology: Record {
  /// The NUMA nodes.
  public var nodeIDs: [Int] = []
  /// Logical cores, by id.
  public var cores: [ProcessorCore] = []
  /// The NUMA node of a PCI device by its bus address, such as `0000:3b:00.0`.
  public var busAssociativity: [String: Int] = [:]

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "NodeIDs", &nodeIDs)
    v.field(2, "Cores", &cores)
    v.field(3, "BusAssociativity", &busAssociativity, .omitEmpty)
  }
}

/// One logical core.
public struct ProcessorCore: Record {
  /// Socket that the core sits in.
  public var socketID = 0
  /// Its NUMA node.
  public var nodeID = 0
  /// The kernel's number of the logical core.
  public var coreID = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "SocketID", &socketID)
    v.field(2, "NodeID", &nodeID)
    v.field(3, "CoreID", &coreID)
  }
}

/// Processors of a node.
public struct NodeCpuResources: Record {
  /// MHz, all cores together.
  public var cpuShares: Int64 = 0
  /// Logical cores of the machine.
  public var totalCpuCores = 0
  /// Cores that jobs may reserve with `cores`.
  public var reservableCpuCores: [Int] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "CpuShares", &cpuShares)
    v.field(2, "TotalCpuCores", &totalCpuCores)
    v.field(3, "ReservableCpuCores", &reservableCpuCores)
  }
}

/// Memory of a node.
public struct NodeMemoryResources: Record {
  /// MiB in all.
  public var memoryMB: Int64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "MemoryMB", &memoryMB)
  }
}

/// Disk space for allocations.
public struct NodeDiskResources: Record {
  /// MiB free when the client started.
  public var diskMB: Int64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "DiskMB", &diskMB)
  }
}

/// A network interface of a node.
public struct NodeNetworkResource: Record {
  /// `host`, `bridge` or `cni/<name>`.
  public var mode = ""
  /// Interface, such as `eth0`.
  public var device = ""
  /// Hardware address of that interface.
  public var macAddress = ""
  /// Mbit/s.
  public var speed = 0
  /// Addresses of the interface.
  public var addresses: [NodeNetworkAddress] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Mode", &mode)
    v.field(2, "Device", &device)
    v.field(3, "MacAddress", &macAddress)
    v.field(4, "Speed", &speed)
    v.field(5, "Addresses", &addresses)
  }
}

/// An address of an interface, and the host networks it stands for.
public struct NodeNetworkAddress: Record {
  /// `ipv4` or `ipv6`.
  public var family = ""
  /// Host network that the address belongs to, `default` unless configured.
  public var alias = ""
  /// IP address.
  public var address = ""
  /// Ports on this address that are not given out.
  public var reservedPorts = ""
  /// Router of its network, where known.
  public var gateway = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Family", &family)
    v.field(2, "Alias", &alias)
    v.field(3, "Address", &address)
    v.field(4, "ReservedPorts", &reservedPorts)
    v.field(5, "Gateway", &gateway)
  }
}

/// Devices of one model.
public struct NodeDeviceResource: Record {
  /// Maker, such as `nvidia`.
  public var vendor = ""
  /// Kind, such as `gpu`.
  public var type = ""
  /// Model.
  public var name = ""
  /// The single devices.
  public var instances: [NodeDevice] = []
  /// Attributes of the model, for `${device.attr.x}`.
  public var attributes: [String: DeviceAttribute] = [:]

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Vendor", &vendor)
    v.field(2, "Type", &type)
    v.field(3, "Name", &name)
    v.field(4, "Instances", &instances)
    v.field(5, "Attributes", &attributes)
  }
}

/// One device.
public struct NodeDevice: Record {
  /// The plugin's id of the device, unique on the node.
  public var id = ""
  /// Whether it can be given out.
  public var healthy = false
  /// Why not.
  public var healthDescription = ""
  /// Where in the machine it sits.
  @Indirect public var locality: NodeDeviceLocality?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Healthy", &healthy)
    v.field(3, "HealthDescription", &healthDescription)
    v.field(4, "Locality", &_locality)
  }
}

/// Where a device is plugged in.
public struct NodeDeviceLocality: Record {
  /// Its address on the PCI bus.
  public var pciBusID = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "PciBusID", &pciBusID)
  }
}

/// A value with an optional unit; one of the four is set.
public struct DeviceAttribute: Record {
  /// The value, if it is a number with a fraction.
  public var float: Double?
  /// The value, if it is a whole number.
  public var int: Int64?
  /// The value, if it is text.
  public var string: String?
  /// The value, if it is true or false.
  public var bool: Bool?
  /// Unit of the number, such as `MiB` or `GHz`; empty for none.
  public var unit = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Float", &float)
    v.field(2, "Int", &int)
    v.field(3, "String", &string)
    v.field(4, "Bool", &bool)
    v.field(5, "Unit", &unit)
  }
}

/// What of a node is not for allocations.
public struct NodeReservedResources: Record {
  /// CPU that is kept for the host.
  public var cpu = NodeReservedCpuResources()
  /// Memory that is kept for the host.
  public var memory = NodeReservedMemoryResources()
  /// Disk that is kept for the host.
  public var disk = NodeReservedDiskResources()
  /// Ports that are kept for the host.
  public var networks = NodeReservedNetworkResources()

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Cpu", &cpu)
    v.field(2, "Memory", &memory)
    v.field(3, "Disk", &disk)
    v.field(4, "Networks", &networks)
  }
}

/// Reserved processors.
public struct NodeReservedCpuResources: Record {
  /// MHz.
  public var cpuShares: Int64 = 0
  /// Cores that are kept for the host.
  public var reservedCpuCores: [Int] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "CpuShares", &cpuShares)
    v.field(2, "ReservedCpuCores", &reservedCpuCores)
  }
}

/// Reserved memory.
public struct NodeReservedMemoryResources: Record {
  /// MiB kept for the host.
  public var memoryMB: Int64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "MemoryMB", &memoryMB)
  }
}

/// Reserved disk space.
public struct NodeReservedDiskResources: Record {
  /// MiB kept for the host.
  public var diskMB: Int64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "DiskMB", &diskMB)
  }
}

/// Reserved ports.
public struct NodeReservedNetworkResources: Record {
  /// Such as `22,80,8500-8600`.
  public var reservedHostPorts = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ReservedHostPorts", &reservedHostPorts)
  }
}
