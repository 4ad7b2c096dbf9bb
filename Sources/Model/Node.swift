public import Codec

/// A client as the servers know it.
public struct Node: Record {
  public var id: Identifier = .none
  public var datacenter = ""
  public var name = ""
  public var httpAddr = ""
  public var tlsEnabled = false
  public var attributes: [String: String] = [:]
  /// The sums of `nodeResources`, for old API clients.
  @Indirect public var resources: Resources?
  /// The sums of `reservedResources`, for old API clients.
  @Indirect public var reserved: Resources?
  @Indirect public var nodeResources: NodeResources?
  @Indirect public var reservedResources: NodeReservedResources?
  public var links: [String: String] = [:]
  public var meta: [String: String] = [:]
  public var nodeClass = ""
  public var nodePool = ""
  public var cgroupParent = ""
  /// Whether `drainStrategy` is set.
  public var drain = false
  @Indirect public var drainStrategy: DrainStrategy?
  public var schedulingEligibility: NodeEligibility = .eligible
  public var status: NodeStatus = .initializing
  public var statusDescription = ""
  /// Seconds since 1970.
  public var statusUpdatedAt: Int64 = 0
  public var events: [NodeEvent] = []
  public var drivers: [String: DriverInfo] = [:]
  public var hostVolumes: [String: HostVolumeInfo] = [:]
  public var hostNetworks: [String: HostNetworkInfo] = [:]
  public var csiControllerPlugins = JSONObject()
  public var csiNodePlugins = JSONObject()
  @Indirect public var lastDrain: DrainMetadata?
  public var lastMissedHeartbeatIndex: UInt64 = 0
  public var lastAllocUpdateIndex: UInt64 = 0
  /// 0 for no limit.
  public var nodeMaxAllocs = 0
  /// Nodes of one class answer every constraint that isn't about unique attributes alike.
  public var computedClass = ""
  /// What proves that a request comes from this node. Never leaves servers and the node itself.
  public var secretID: Identifier = .none
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Datacenter", &datacenter)
    v.field(3, "Name", &name)
    v.field(4, "HTTPAddr", &httpAddr)
    v.field(5, "TLSEnabled", &tlsEnabled)
    v.field(6, "Attributes", &attributes)
    v.field(7, "Resources", &_resources)
    v.field(8, "Reserved", &_reserved)
    v.field(9, "NodeResources", &_nodeResources)
    v.field(10, "ReservedResources", &_reservedResources)
    v.field(11, "Links", &links)
    v.field(12, "Meta", &meta)
    v.field(13, "NodeClass", &nodeClass)
    v.field(14, "NodePool", &nodePool)
    v.field(15, "CgroupParent", &cgroupParent)
    v.field(16, "Drain", &drain)
    v.field(17, "DrainStrategy", &_drainStrategy)
    v.field(18, "SchedulingEligibility", &schedulingEligibility)
    v.field(19, "Status", &status)
    v.field(20, "StatusDescription", &statusDescription)
    v.field(21, "StatusUpdatedAt", &statusUpdatedAt)
    v.field(22, "Events", &events)
    v.field(23, "Drivers", &drivers)
    v.field(24, "HostVolumes", &hostVolumes)
    v.field(25, "HostNetworks", &hostNetworks)
    v.field(26, "CSIControllerPlugins", &csiControllerPlugins)
    v.field(27, "CSINodePlugins", &csiNodePlugins)
    v.field(28, "LastDrain", &_lastDrain)
    v.field(29, "LastMissedHeartbeatIndex", &lastMissedHeartbeatIndex)
    v.field(30, "LastAllocUpdateIndex", &lastAllocUpdateIndex)
    v.field(31, "NodeMaxAllocs", &nodeMaxAllocs)
    v.field(32, "ComputedClass", &computedClass, .binaryOnly)
    v.field(33, "SecretID", &secretID, .binaryOnly)
    v.field(34, "CreateIndex", &createIndex)
    v.field(35, "ModifyIndex", &modifyIndex)
  }
}

/// Whether a node is heard of.
public enum NodeStatus: String, ClosedText {
  case initializing, ready, down, disconnected
}

/// Whether a node takes new allocations.
public enum NodeEligibility: String, ClosedText {
  case eligible, ineligible
}

/// Something that happened to a node.
public struct NodeEvent: Record {
  public var message = ""
  public var subsystem = ""
  public var details: [String: String] = [:]
  public var timestamp: Timestamp = .zeroValue
  public var createIndex: UInt64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Message", &message)
    v.field(2, "Subsystem", &subsystem)
    v.field(3, "Details", &details)
    v.field(4, "Timestamp", &timestamp)
    v.field(5, "CreateIndex", &createIndex)
  }
}

/// A task driver of a node.
public struct DriverInfo: Record {
  public var attributes: [String: String] = [:]
  public var detected = false
  public var healthy = false
  public var healthDescription = ""
  public var updateTime: Timestamp = .zeroValue

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Attributes", &attributes)
    v.field(2, "Detected", &detected)
    v.field(3, "Healthy", &healthy)
    v.field(4, "HealthDescription", &healthDescription)
    v.field(5, "UpdateTime", &updateTime)
  }
}

/// A directory of the host that groups may use.
public struct HostVolumeInfo: Record {
  public var path = ""
  public var readOnly = false
  public var id = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Path", &path)
    v.field(2, "ReadOnly", &readOnly)
    v.field(3, "ID", &id)
  }
}

/// A named network of the host, from which ports can be taken.
public struct HostNetworkInfo: Record {
  public var name = ""
  public var cidr = ""
  public var interface = ""
  public var reservedPorts = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "CIDR", &cidr)
    v.field(3, "Interface", &interface)
    v.field(4, "ReservedPorts", &reservedPorts)
  }
}

/// A node in a list.
public struct NodeListStub: Record {
  public var id: Identifier = .none
  public var address = ""
  public var attributes: [String: String] = [:]
  public var datacenter = ""
  public var name = ""
  public var nodeClass = ""
  public var nodePool = ""
  public var version = ""
  public var drain = false
  public var schedulingEligibility: NodeEligibility = .eligible
  public var status: NodeStatus = .initializing
  public var statusDescription = ""
  public var drivers: [String: DriverInfo] = [:]
  public var hostVolumes: [String: HostVolumeInfo] = [:]
  @Indirect public var nodeResources: NodeResources?
  @Indirect public var reservedResources: NodeReservedResources?
  @Indirect public var lastDrain: DrainMetadata?
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Address", &address)
    v.field(3, "Attributes", &attributes, .omitEmpty)
    v.field(4, "Datacenter", &datacenter)
    v.field(5, "Name", &name)
    v.field(6, "NodeClass", &nodeClass)
    v.field(7, "NodePool", &nodePool)
    v.field(8, "Version", &version)
    v.field(9, "Drain", &drain)
    v.field(10, "SchedulingEligibility", &schedulingEligibility)
    v.field(11, "Status", &status)
    v.field(12, "StatusDescription", &statusDescription)
    v.field(13, "Drivers", &drivers)
    v.field(14, "HostVolumes", &hostVolumes)
    v.field(15, "NodeResources", &_nodeResources, .omitEmpty)
    v.field(16, "ReservedResources", &_reservedResources, .omitEmpty)
    v.field(17, "LastDrain", &_lastDrain)
    v.field(18, "CreateIndex", &createIndex)
    v.field(19, "ModifyIndex", &modifyIndex)
  }
}
