public import Codec

/// A client as the servers know it.
public struct Node: Record {
  /// UUID, made by the client once and kept in its data directory.
  public var id: Identifier = .none
  /// Datacenter from the client's configuration, `dc1` by default.
  public var datacenter = ""
  /// Name from the client's configuration, its host name by default.
  public var name = ""
  /// `address:port` of the client's HTTP API, as it advertises it.
  public var httpAddr = ""
  /// Whether that API speaks TLS.
  public var tlsEnabled = false
  /// What the fingerprint found, under the names that constraints use (`kernel.name`, `cpu.arch` …).
  public var attributes: [String: String] = [:]
  /// The sums of `nodeResources`, for old API clients.
  @Indirect public var resources: Resources?
  /// The sums of `reservedResources`, for old API clients.
  @Indirect public var reserved: Resources?
  /// What the machine has to give; its reserved part not yet taken off.
  @Indirect public var nodeResources: NodeResources?
  /// What the client's configuration keeps back for the host.
  @Indirect public var reservedResources: NodeReservedResources?
  /// References to the node in other systems, by name.
  public var links: [String: String] = [:]
  /// The client's `meta` block, changed by `node meta apply`; `${meta.x}` in constraints.
  public var meta: [String: String] = [:]
  /// The client's `node_class`; nodes of one class are counted together in metrics.
  public var nodeClass = ""
  /// The pool that the node belongs to, `default` by default.
  public var nodePool = ""
  /// The control group that tasks are started under.
  public var cgroupParent = ""
  /// Whether `drainStrategy` is set.
  public var drain = false
  /// Set while the node is being drained.
  @Indirect public var drainStrategy: DrainStrategy?
  /// Whether new allocations may be placed here.
  public var schedulingEligibility: NodeEligibility = .eligible
  /// What the servers know of the node: ready, down, initializing, disconnected.
  public var status: NodeStatus = .initializing
  /// The status in words.
  public var statusDescription = ""
  /// Seconds since 1970.
  public var statusUpdatedAt: Int64 = 0
  /// What happened to the node, oldest first; the newest ten are kept.
  public var events: [NodeEvent] = []
  /// Task drivers by name, found or not.
  public var drivers: [String: DriverInfo] = [:]
  /// Directories and volumes of the host that jobs may mount, by name.
  public var hostVolumes: [String: HostVolumeInfo] = [:]
  /// Named networks of the host that ports may be bound to, by name.
  public var hostNetworks: [String: HostNetworkInfo] = [:]
  /// Storage plugins that run here as controllers; always empty, CSI is not supported.
  public var csiControllerPlugins = JSONObject()
  /// Storage plugins that run here as node plugins; always empty, CSI is not supported.
  public var csiNodePlugins = JSONObject()
  /// The last drain, running or over.
  @Indirect public var lastDrain: DrainMetadata?
  /// Log index at which the node last failed to send its heartbeat in time.
  public var lastMissedHeartbeatIndex: UInt64 = 0
  /// Log index of the last change to one of its allocations.
  public var lastAllocUpdateIndex: UInt64 = 0
  /// 0 for no limit.
  public var nodeMaxAllocs = 0
  /// Nodes of one class answer every constraint that isn't about unique attributes alike.
  public var computedClass = ""
  /// What proves that a request comes from this node. Never leaves servers and the node itself.
  public var secretID: Identifier = .none
  /// Log index of the node's first registration.
  public var createIndex: UInt64 = 0
  /// Log index of its last change.
  public var modifyIndex: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// What happened, in words.
  public var message = ""
  /// Part that reports it: `Cluster`, `Drain`, `Driver`, `Heartbeat`, `Storage` …
  public var subsystem = ""
  /// Further facts by name, such as the driver concerned.
  public var details: [String: String] = [:]
  /// When it happened.
  public var timestamp: Timestamp = .zeroValue
  /// Log index at which it was recorded.
  public var createIndex: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// Attributes of the driver alone, `driver.<name>.…`.
  public var attributes: [String: String] = [:]
  /// Whether what the driver needs is on the machine.
  public var detected = false
  /// Whether tasks can be started with it now.
  public var healthy = false
  /// Why not, or `Healthy`.
  public var healthDescription = ""
  /// When health last changed.
  public var updateTime: Timestamp = .zeroValue

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// Directory on the host.
  public var path = ""
  /// Whether it may only be mounted read-only.
  public var readOnly = false
  /// Id of a dynamic host volume; empty for one from the client's configuration.
  public var id = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Path", &path)
    v.field(2, "ReadOnly", &readOnly)
    v.field(3, "ID", &id)
  }
}

/// A named network of the host, from which ports can be taken.
public struct HostNetworkInfo: Record {
  /// Name that a port's `host_network` refers to.
  public var name = ""
  /// Addresses in this range belong to it.
  public var cidr = ""
  /// Addresses of this interface belong to it.
  public var interface = ""
  /// Ports that are not given out on it, such as `22,80,8500-8600`.
  public var reservedPorts = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "CIDR", &cidr)
    v.field(3, "Interface", &interface)
    v.field(4, "ReservedPorts", &reservedPorts)
  }
}

/// A node in a list.
public struct NodeListStub: Record {
  /// UUID of the node.
  public var id: Identifier = .none
  /// IP address of the client's HTTP API.
  public var address = ""
  /// Only with `?os=true`: a few attributes that lists show.
  public var attributes: [String: String] = [:]
  /// Datacenter from the client's configuration.
  public var datacenter = ""
  /// Name from the client's configuration.
  public var name = ""
  /// The client's `node_class`.
  public var nodeClass = ""
  /// The pool that the node belongs to.
  public var nodePool = ""
  /// Version of the client's program.
  public var version = ""
  /// Whether it is being drained.
  public var drain = false
  /// Whether new allocations may be placed here.
  public var schedulingEligibility: NodeEligibility = .eligible
  /// What the servers know of the node.
  public var status: NodeStatus = .initializing
  /// The status in words.
  public var statusDescription = ""
  /// Task drivers by name.
  public var drivers: [String: DriverInfo] = [:]
  /// Host volumes by name.
  public var hostVolumes: [String: HostVolumeInfo] = [:]
  /// Only with `?resources=true`: what the machine has to give.
  @Indirect public var nodeResources: NodeResources?
  /// Only with `?resources=true`: what is kept back for the host.
  @Indirect public var reservedResources: NodeReservedResources?
  /// The last drain, running or over.
  @Indirect public var lastDrain: DrainMetadata?
  /// Log index at which it was created.
  public var createIndex: UInt64 = 0
  /// Log index of its last change.
  public var modifyIndex: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
