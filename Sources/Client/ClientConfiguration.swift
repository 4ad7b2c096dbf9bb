public import Artifact
public import Codec
public import Model

/// Everything a client is told by its agent's configuration (`client` block and what it needs of the others).
public struct ClientConfiguration: Sendable {
  /// What of the node is kept from allocations (`reserved` block).
  public struct Reserved: Sendable, Equatable {
    /// MHz, all cores together.
    public var cpuMHz = 0
    /// cpuset list notation.
    public var cores = ""
    /// MiB.
    public var memoryMB = 0
    /// MiB.
    public var diskMB = 0
    /// Such as `22,80,8500-8600`.
    public var ports = ""

    /// Nothing reserved.
    public init() {}
  }

  /// When ended allocations' directories are deleted (`gc_*`).
  public struct GarbageCollection: Sendable, Equatable {
    /// How often the thresholds are looked at.
    public var interval = Nanoseconds.minutes(1)
    /// Of 100, of the file system that holds the allocation directories.
    public var diskUsageThreshold = 80.0
    /// Of 100, of the same file system's inodes.
    public var inodeUsageThreshold = 70.0
    /// So many directories of ended allocations may stay.
    public var maxAllocations = 50

    /// Nomad's defaults.
    public init() {}
  }

  /// `<data_dir>/client`: the client's own files. Must exist.
  public var stateDirectory: String
  /// `<data_dir>/alloc`: allocation directories.
  public var allocationDirectory: String
  /// `host:port` of the servers' RPC.
  public var servers: [String] = []
  /// "" for the host's name.
  public var nodeName = ""
  /// `${node.class}`.
  public var nodeClass = ""
  /// The pool that the node is in.
  public var nodePool = "default"
  /// `${node.datacenter}`.
  public var datacenter = "dc1"
  /// Must be the servers' region.
  public var region = "global"
  /// `${meta.…}`.
  public var meta: [String: String] = [:]
  /// `client.options`.
  public var options: [String: String] = [:]
  /// What allocations do not get.
  public var reserved = Reserved()
  /// Host path → path in the task's root, instead of the default set; nil for the default.
  public var chrootEnvironment: [String: String]?
  /// Named by `host_network` labels: interface or CIDR.
  public var hostNetworks: [HostNetworkInfo] = []
  /// `host_volume` blocks by name.
  public var hostVolumes: [String: HostVolumeInfo] = [:]
  /// The interface whose address the node is known by; "" for the one with the default route.
  public var networkInterface = ""
  /// Mbit/s; 0 to ask the interface.
  public var networkSpeed = 0
  /// MHz, 0 to measure.
  public var cpuTotalCompute = 0
  /// MB, 0 to measure.
  public var memoryTotalMB = 0
  /// MB, 0 to measure.
  public var diskTotalMB = 0
  /// MB, 0 to measure.
  public var diskFreeMB = 0
  /// The first port that is handed out to dynamic ports.
  public var minimumDynamicPort = 20000
  /// The last one.
  public var maximumDynamicPort = 32000
  /// No task's kill_timeout is longer than this.
  public var maxKillTimeout = Nanoseconds.seconds(30)
  /// When directories of ended allocations go.
  public var garbageCollection = GarbageCollection()
  /// What is taken of `artifact` blocks.
  public var artifacts = ArtifactLimits()
  /// Whether nobody may run commands in this node's tasks (`disable_remote_exec`).
  public var disablesRemoteExec = false
  /// The `config` of each `plugin "<driver>"` block.
  public var plugins: [String: JSONObject] = [:]
  /// The `args` of each `plugin` block.
  public var pluginArguments: [String: [String]] = [:]
  /// Where device plugins are; "" for nowhere.
  public var pluginDirectory = ""
  /// The executable of the supervisor.
  public var supervisorPath = ""
  /// Where the supervisor keeps its socket and journal, root-only and best on a tmpfs such as /run/serai; "" for
  /// `<stateDirectory>/supervisor`. A socket's path has at most 107 bytes.
  public var supervisorDirectory = ""
  /// The control group that holds the supervisor's and the tasks' groups; one per agent on a host.
  public var supervisorCgroup = "serai"
  /// `host:port` under which this agent's HTTP API is reached.
  public var httpAddress = ""
  /// Whether `httpAddress` speaks TLS.
  public var tlsEnabled = false
  /// This program's version.
  public var version = ""
  /// The version of Nomad whose interface this program has: `${attr.nomad.version}`, which jobs put constraints on.
  public var compatibleNomadVersion = "1.10.5"
  /// A development agent: every driver is on, and its own data directory goes away with it.
  public var isDevelopment = false
  /// At most so many allocations at once; 0 for no limit.
  public var nodeMaxAllocations = 0

  /// A client with Nomad's defaults.
  public init(stateDirectory: String, allocationDirectory: String) {
    self.stateDirectory = stateDirectory
    self.allocationDirectory = allocationDirectory
  }

  /// Whether a driver's plugin block, or the older option, switches it on.
  func isDriverEnabled(_ name: String, byDefault: Bool) -> Bool {
    if let enabled = plugins[name]?["enabled"] { return enabled.boolValue ?? (enabled.stringValue == "true") }
    if let option = options["driver.\(name).enable"] { return option == "true" || option == "1" }
    return byDefault || isDevelopment
  }
}
