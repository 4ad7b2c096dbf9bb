internal import Codec

/// What the agent's files, flags and defaults say together, as far as this version acts on it. Member names are those of
/// `agent/self`; the names in files are in `agentSchema`.
struct AgentConfiguration: Record {
  var region = "global"
  var datacenter = "dc1"
  /// Empty: the host's name.
  var nodeName = ""
  var dataDir = ""
  var pluginDir = ""
  var logLevel = "INFO"
  var logJson = false
  var logFile = ""
  /// A Go duration; empty for a day.
  var logRotateDuration = ""
  var logRotateBytes = 0
  var logRotateMaxFiles = 0
  var bindAddr = "0.0.0.0"
  var enableDebug = false
  var leaveOnInt = false
  var leaveOnTerm = false
  var httpHeaders: [String: String] = [:]
  var ports = PortsConfiguration()
  var addresses = AddressesConfiguration()
  var advertise = AddressesConfiguration()
  var client = ClientSection()
  var server = ServerSection()
  var acl = ACLSection()
  var tls = TLSSection()
  var limits = LimitsSection()
  var plugins: [PluginSection] = []
  var autopilot = AutopilotSection()

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Region", &region)
    v.field(2, "Datacenter", &datacenter)
    v.field(3, "NodeName", &nodeName)
    v.field(4, "DataDir", &dataDir)
    v.field(5, "PluginDir", &pluginDir)
    v.field(6, "LogLevel", &logLevel)
    v.field(7, "LogJson", &logJson)
    v.field(8, "LogFile", &logFile)
    v.field(9, "LogRotateDuration", &logRotateDuration)
    v.field(10, "LogRotateBytes", &logRotateBytes)
    v.field(11, "LogRotateMaxFiles", &logRotateMaxFiles)
    v.field(12, "BindAddr", &bindAddr)
    v.field(13, "EnableDebug", &enableDebug)
    v.field(14, "LeaveOnInt", &leaveOnInt)
    v.field(15, "LeaveOnTerm", &leaveOnTerm)
    v.field(16, "HTTPAPIResponseHeaders", &httpHeaders)
    v.field(17, "Ports", &ports)
    v.field(18, "Addresses", &addresses)
    v.field(19, "AdvertiseAddrs", &advertise)
    v.field(20, "Client", &client)
    v.field(21, "Server", &server)
    v.field(22, "ACL", &acl)
    v.field(23, "TLSConfig", &tls)
    v.field(24, "Limits", &limits)
    v.field(25, "Plugins", &plugins)
    v.field(26, "Autopilot", &autopilot)
  }
}

/// TCP (and, for serf, UDP) ports. 0 takes any free one.
struct PortsConfiguration: Record {
  var http = 4646
  var rpc = 4647
  var serf = 4648

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "HTTP", &http)
    v.field(2, "RPC", &rpc)
    v.field(3, "Serf", &serf)
  }
}

/// Addresses to bind to, or to tell others; empty for `bind_addr`, or for what can be reached.
struct AddressesConfiguration: Record {
  var http = ""
  var rpc = ""
  var serf = ""

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "HTTP", &http)
    v.field(2, "RPC", &rpc)
    v.field(3, "Serf", &serf)
  }
}

/// How the leader looks after the members of a new cluster.
struct AutopilotSection: Record {
  var cleanupDeadServers = true
  var serverStabilizationTime = Nanoseconds.seconds(10)
  var lastContactThreshold = Nanoseconds.milliseconds(200)
  var maxTrailingLogs: UInt64 = 250
  var minQuorum = 0

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "CleanupDeadServers", &cleanupDeadServers)
    v.field(2, "ServerStabilizationTime", &serverStabilizationTime)
    v.field(3, "LastContactThreshold", &lastContactThreshold)
    v.field(4, "MaxTrailingLogs", &maxTrailingLogs)
    v.field(5, "MinQuorum", &minQuorum)
  }
}

struct ServerSection: Record {
  var enabled = false
  /// 0 means that the server waits to be joined.
  var bootstrapExpect = 0
  var dataDir = ""
  var encryptKey = ""
  var retryJoin: [String] = []
  var startJoin: [String] = []
  var retryMax = 0
  var retryInterval = Nanoseconds.seconds(30)
  var rejoinAfterLeave = false
  var serverJoin = JoinSection()
  var heartbeatGrace = Nanoseconds.seconds(10)
  var minHeartbeatTTL = Nanoseconds.seconds(10)
  var maxHeartbeatsPerSecond = 50
  var nodeGCThreshold = "24h"
  var jobGCInterval = "5m"
  var jobGCThreshold = "4h"
  var evalGCThreshold = "1h"
  var batchEvalGCThreshold = "24h"
  var deploymentGCThreshold = "1h"
  var raftSnapshotThreshold = 8192
  var raftTrailingLogs = 10240
  var jobDefaultPriority = 50
  var jobMaxPriority = 100
  var jobMaxCount = 50_000
  var jobTrackedVersions = 6
  var jobMaxSourceSize = "1M"
  var defaultSchedulerConfig = JSONValue.null
  var variablesKeyFile = ""

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Enabled", &enabled)
    v.field(2, "BootstrapExpect", &bootstrapExpect)
    v.field(3, "DataDir", &dataDir)
    v.field(4, "EncryptKey", &encryptKey)
    v.field(5, "RetryJoin", &retryJoin)
    v.field(6, "ServerJoin", &serverJoin)
    v.field(7, "HeartbeatGrace", &heartbeatGrace)
    v.field(8, "MinHeartbeatTTL", &minHeartbeatTTL)
    v.field(9, "MaxHeartbeatsPerSecond", &maxHeartbeatsPerSecond)
    v.field(10, "NodeGCThreshold", &nodeGCThreshold)
    v.field(11, "JobGCInterval", &jobGCInterval)
    v.field(12, "JobGCThreshold", &jobGCThreshold)
    v.field(13, "EvalGCThreshold", &evalGCThreshold)
    v.field(14, "BatchEvalGCThreshold", &batchEvalGCThreshold)
    v.field(15, "DeploymentGCThreshold", &deploymentGCThreshold)
    v.field(16, "RaftSnapshotThreshold", &raftSnapshotThreshold)
    v.field(17, "RaftTrailingLogs", &raftTrailingLogs)
    v.field(18, "JobDefaultPriority", &jobDefaultPriority)
    v.field(19, "JobMaxPriority", &jobMaxPriority)
    v.field(20, "JobMaxCount", &jobMaxCount)
    v.field(21, "JobTrackedVersions", &jobTrackedVersions)
    v.field(22, "JobMaxSourceSize", &jobMaxSourceSize)
    v.field(23, "DefaultSchedulerConfig", &defaultSchedulerConfig)
    v.field(24, "StartJoin", &startJoin)
    v.field(25, "RetryMaxAttempts", &retryMax)
    v.field(26, "RetryInterval", &retryInterval)
    v.field(27, "RejoinAfterLeave", &rejoinAfterLeave)
    v.field(28, "VariablesKeyFile", &variablesKeyFile)
  }
}

struct JoinSection: Record {
  var retryJoin: [String] = []
  var startJoin: [String] = []
  var retryMax = 0
  var retryInterval = Nanoseconds.seconds(30)

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "RetryJoin", &retryJoin)
    v.field(2, "StartJoin", &startJoin)
    v.field(3, "RetryMaxAttempts", &retryMax)
    v.field(4, "RetryInterval", &retryInterval)
  }
}

struct ClientSection: Record {
  var enabled = false
  var stateDir = ""
  var allocDir = ""
  var servers: [String] = []
  var serverJoin = JoinSection()
  var nodeClass = ""
  var nodePool = "default"
  var options: [String: String] = [:]
  var meta: [String: String] = [:]
  /// Host path → path in the task; empty for the default set.
  var chrootEnv: [String: String] = [:]
  var networkInterface = ""
  var networkSpeed = 0
  var cpuCompute = 0
  var memoryMB = 0
  var diskTotalMB = 0
  var diskFreeMB = 0
  var reservableCores = ""
  var maxKillTimeout = "30s"
  var minDynamicPort = 20_000
  var maxDynamicPort = 32_000
  var gcInterval = Nanoseconds.minutes(1)
  var gcMaxAllocs = 50
  var gcDiskUsageThreshold = 80
  var gcInodeUsageThreshold = 70
  var gcParallelDestroys = 2
  var disableRemoteExec = false
  var reserved = ReservedSection()
  var hostVolumes: [String: HostVolumeSection] = [:]
  var hostNetworks: [String: HostNetworkSection] = [:]
  var cgroupParent = ""
  var artifact = ArtifactSection()

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Enabled", &enabled)
    v.field(2, "StateDir", &stateDir)
    v.field(3, "AllocDir", &allocDir)
    v.field(4, "Servers", &servers)
    v.field(5, "ServerJoin", &serverJoin)
    v.field(6, "NodeClass", &nodeClass)
    v.field(7, "NodePool", &nodePool)
    v.field(8, "Options", &options)
    v.field(9, "Meta", &meta)
    v.field(10, "ChrootEnv", &chrootEnv)
    v.field(11, "NetworkInterface", &networkInterface)
    v.field(12, "NetworkSpeed", &networkSpeed)
    v.field(13, "CpuCompute", &cpuCompute)
    v.field(14, "MemoryMB", &memoryMB)
    v.field(15, "DiskTotalMB", &diskTotalMB)
    v.field(16, "DiskFreeMB", &diskFreeMB)
    v.field(17, "ReservableCores", &reservableCores)
    v.field(18, "MaxKillTimeout", &maxKillTimeout)
    v.field(19, "MinDynamicPort", &minDynamicPort)
    v.field(20, "MaxDynamicPort", &maxDynamicPort)
    v.field(21, "GCInterval", &gcInterval)
    v.field(22, "GCMaxAllocs", &gcMaxAllocs)
    v.field(23, "GCDiskUsageThreshold", &gcDiskUsageThreshold)
    v.field(24, "GCInodeUsageThreshold", &gcInodeUsageThreshold)
    v.field(25, "GCParallelDestroys", &gcParallelDestroys)
    v.field(26, "DisableRemoteExec", &disableRemoteExec)
    v.field(27, "Reserved", &reserved)
    v.field(28, "HostVolumes", &hostVolumes)
    v.field(29, "HostNetworks", &hostNetworks)
    v.field(30, "CgroupParent", &cgroupParent)
    v.field(31, "Artifact", &artifact)
  }
}

/// `client { artifact }`.
struct ArtifactSection: Record {
  var httpReadTimeout = "30m"
  var httpMaxSize = "100GB"
  var decompressionFileCountLimit = 4096
  var decompressionSizeLimit = "100GB"

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "HTTPReadTimeout", &httpReadTimeout)
    v.field(2, "HTTPMaxSize", &httpMaxSize)
    v.field(3, "DecompressionFileCountLimit", &decompressionFileCountLimit)
    v.field(4, "DecompressionSizeLimit", &decompressionSizeLimit)
  }

  /// Bytes of "100GB", "512 MiB" or "1000"; nil for anything else. Units are powers of 1000, or of 1024 with an "i".
  static func bytes(_ text: String) -> Int64? {
    let digits = text.prefix { $0.isNumber }
    let unit = text.dropFirst(digits.count).filter { $0 != " " }.uppercased()
    let factors: [String: Int64] = [
      "": 1, "B": 1, "KB": 1000, "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000, "KIB": 1 << 10,
      "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40,
    ]
    guard let number = Int64(digits), let factor = factors[unit] else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: factor)
    return overflow ? nil : product
  }
}

struct ReservedSection: Record {
  var cpu = 0
  var cores = ""
  var memoryMB = 0
  var diskMB = 0
  /// "22,80,8500-8600".
  var reservedPorts = ""

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "CPU", &cpu)
    v.field(2, "Cores", &cores)
    v.field(3, "MemoryMB", &memoryMB)
    v.field(4, "DiskMB", &diskMB)
    v.field(5, "ReservedPorts", &reservedPorts)
  }
}

struct HostVolumeSection: Record {
  var name = ""
  var path = ""
  var readOnly = false

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Path", &path)
    v.field(3, "ReadOnly", &readOnly)
  }
}

struct HostNetworkSection: Record {
  var name = ""
  var cidr = ""
  var interface = ""
  var reservedPorts = ""

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "CIDR", &cidr)
    v.field(3, "Interface", &interface)
    v.field(4, "ReservedPorts", &reservedPorts)
  }
}

struct ACLSection: Record {
  var enabled = false

  mutating func visit<V: FieldVisitor>(_ v: inout V) { v.field(1, "Enabled", &enabled) }
}

struct TLSSection: Record {
  var enableHTTP = false
  var enableRPC = false
  /// Paths of PEM files.
  var caFile = ""
  var certFile = ""
  var keyFile = ""
  /// Servers must have a certificate for `server.<region>.nomad`.
  var verifyServerHostname = false
  /// HTTP clients must have a certificate of the CA.
  var verifyHTTPSClient = false
  /// The RPC port takes both, while a cluster is moved to TLS.
  var rpcUpgradeMode = false
  var minVersion = ""
  /// Names separated by commas.
  var cipherSuites = ""

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "EnableHTTP", &enableHTTP)
    v.field(2, "EnableRPC", &enableRPC)
    v.field(3, "CAFile", &caFile)
    v.field(4, "CertFile", &certFile)
    v.field(5, "KeyFile", &keyFile)
    v.field(6, "VerifyServerHostname", &verifyServerHostname)
    v.field(7, "VerifyHTTPSClient", &verifyHTTPSClient)
    v.field(8, "RPCUpgradeMode", &rpcUpgradeMode)
    v.field(9, "TLSMinVersion", &minVersion)
    v.field(10, "TLSCipherSuites", &cipherSuites)
  }
}

struct LimitsSection: Record {
  var httpMaxConnsPerClient = 100
  var rpcMaxConnsPerClient = 100

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "HTTPMaxConnsPerClient", &httpMaxConnsPerClient)
    v.field(2, "RPCMaxConnsPerClient", &rpcMaxConnsPerClient)
  }
}

struct PluginSection: Record {
  var name = ""
  var args: [String] = []
  var config = JSONValue.null

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Args", &args)
    v.field(3, "Config", &config)
  }
}
