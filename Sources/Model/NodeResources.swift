public import Codec

/// What a node has.
public struct NodeResources: Record {
  public var cpu = NodeCpuResources()
  public var memory = NodeMemoryResources()
  public var disk = NodeDiskResources()
  public var networks: [NetworkResource] = []
  public var nodeNetworks: [NodeNetworkResource] = []
  public var devices: [NodeDeviceResource] = []
  public var minDynamicPort = 0
  public var maxDynamicPort = 0
  /// Where the cores are; nil for a client that doesn't tell.
  @Indirect public var processors: NodeProcessorResources?

  public init() {}

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
  public var topology = ProcessorTopology()

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Topology", &topology)
  }
}

/// The cores by NUMA node.
public struct ProcessorTopology: Record {
  /// The NUMA nodes.
  public var nodeIDs: [Int] = []
  public var cores: [ProcessorCore] = []
  /// The NUMA node of a PCI device by its bus address, such as `0000:3b:00.0`.
  public var busAssociativity: [String: Int] = [:]

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "NodeIDs", &nodeIDs)
    v.field(2, "Cores", &cores)
    v.field(3, "BusAssociativity", &busAssociativity, .omitEmpty)
  }
}

/// One logical core.
public struct ProcessorCore: Record {
  public var socketID = 0
  /// Its NUMA node.
  public var nodeID = 0
  public var coreID = 0

  public init() {}

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
  public var totalCpuCores = 0
  public var reservableCpuCores: [Int] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "CpuShares", &cpuShares)
    v.field(2, "TotalCpuCores", &totalCpuCores)
    v.field(3, "ReservableCpuCores", &reservableCpuCores)
  }
}

/// Memory of a node.
public struct NodeMemoryResources: Record {
  public var memoryMB: Int64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "MemoryMB", &memoryMB)
  }
}

/// Disk space for allocations.
public struct NodeDiskResources: Record {
  public var diskMB: Int64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "DiskMB", &diskMB)
  }
}

/// A network interface of a node.
public struct NodeNetworkResource: Record {
  public var mode = ""
  public var device = ""
  public var macAddress = ""
  /// Mbit/s.
  public var speed = 0
  public var addresses: [NodeNetworkAddress] = []

  public init() {}

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
  public var alias = ""
  public var address = ""
  public var reservedPorts = ""
  public var gateway = ""

  public init() {}

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
  public var vendor = ""
  public var type = ""
  public var name = ""
  public var instances: [NodeDevice] = []
  public var attributes: [String: DeviceAttribute] = [:]

  public init() {}

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
  public var id = ""
  public var healthy = false
  public var healthDescription = ""
  @Indirect public var locality: NodeDeviceLocality?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Healthy", &healthy)
    v.field(3, "HealthDescription", &healthDescription)
    v.field(4, "Locality", &_locality)
  }
}

/// Where a device is plugged in.
public struct NodeDeviceLocality: Record {
  public var pciBusID = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "PciBusID", &pciBusID)
  }
}

/// A value with an optional unit; one of the four is set.
public struct DeviceAttribute: Record {
  public var float: Double?
  public var int: Int64?
  public var string: String?
  public var bool: Bool?
  public var unit = ""

  public init() {}

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
  public var cpu = NodeReservedCpuResources()
  public var memory = NodeReservedMemoryResources()
  public var disk = NodeReservedDiskResources()
  public var networks = NodeReservedNetworkResources()

  public init() {}

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
  public var reservedCpuCores: [Int] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "CpuShares", &cpuShares)
    v.field(2, "ReservedCpuCores", &reservedCpuCores)
  }
}

/// Reserved memory.
public struct NodeReservedMemoryResources: Record {
  public var memoryMB: Int64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "MemoryMB", &memoryMB)
  }
}

/// Reserved disk space.
public struct NodeReservedDiskResources: Record {
  public var diskMB: Int64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "DiskMB", &diskMB)
  }
}

/// Reserved ports.
public struct NodeReservedNetworkResources: Record {
  /// Such as `22,80,8500-8600`.
  public var reservedHostPorts = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ReservedHostPorts", &reservedHostPorts)
  }
}
