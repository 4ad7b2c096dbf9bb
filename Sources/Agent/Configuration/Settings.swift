internal import Artifact
internal import Client
internal import Codec
internal import Glibc
internal import Membership
internal import Model
internal import Replica
internal import Server
internal import Transport

/// The configuration as each part of the agent takes it.
struct Settings {
  let configuration: AgentConfiguration
  let isDevelopment: Bool
  let nodeName: String
  let version: String
  /// The address that others reach this agent at.
  let advertisedHost: String

  init(_ configuration: AgentConfiguration, isDevelopment: Bool, version: String) {
    self.configuration = configuration
    self.isDevelopment = isDevelopment
    self.version = version
    nodeName = configuration.nodeName.isEmpty ? Self.hostName() : configuration.nodeName
    let bind = configuration.bindAddr
    // Whoever listens everywhere is reached at the address that its own packets leave from.
    advertisedHost = ["0.0.0.0", "::", ""].contains(bind) ? OwnAddress.outgoing ?? "127.0.0.1" : bind
  }

  var httpHost: String { configuration.addresses.http.isEmpty ? configuration.bindAddr : configuration.addresses.http }
  var rpcHost: String { configuration.addresses.rpc.isEmpty ? configuration.bindAddr : configuration.addresses.rpc }

  /// `host:port` of the server's RPC as others are told.
  func advertisedRPC(port: UInt16) -> String {
    let given = configuration.advertise.rpc
    if given.isEmpty {
      return advertisedHost.contains(":") ? "[\(advertisedHost)]:\(port)" : "\(advertisedHost):\(port)"
    }
    return given.contains(":") ? given : "\(given):\(port)"
  }

  var serfHost: String { configuration.addresses.serf.isEmpty ? configuration.bindAddr : configuration.addresses.serf }

  /// What the gossip pool is told of this server.
  func membership(folder: String, id: Identifier, rpcPort: UInt16) throws(ConfigurationError) -> MembershipConfiguration
  {
    let section = configuration.server
    var result = MembershipConfiguration(name: "\(nodeName).\(configuration.region)", id: id, folder: folder)
    result.region = configuration.region
    result.datacenter = configuration.datacenter
    result.version = version
    result.rpcAddress = advertisedRPC(port: rpcPort)
    result.expect = section.bootstrapExpect
    result.bindHost = serfHost
    result.port = UInt16(clamping: configuration.ports.serf)
    result.advertisedHost = ["0.0.0.0", "::", ""].contains(serfHost) ? advertisedHost : serfHost
    if !configuration.advertise.serf.isEmpty {
      do throws(RPCError) {
        let (host, port) = try Resolver.split(configuration.advertise.serf, defaultPort: 0)
        result.advertisedHost = host
        result.advertisedPort = port == 0 ? nil : port
      } catch {
        throw ConfigurationError("advertise.serf: \(error.message)")
      }
    }
    result.encryptKey = section.encryptKey
    result.rejoinsAfterLeave = section.rejoinAfterLeave
    return result
  }

  /// Servers to join, at the start and again and again.
  var joins: (start: [String], retry: [String], max: Int, interval: Nanoseconds) {
    let section = configuration.server
    let block = section.serverJoin
    return (
      section.startJoin + block.startJoin, section.retryJoin + block.retryJoin, max(section.retryMax, block.retryMax),
      block.retryInterval == .seconds(30) ? section.retryInterval : block.retryInterval
    )
  }

  /// Nil where the file says nothing beyond the defaults: then they are no entry of the log.
  private var autopilot: AutopilotConfiguration? {
    let section = configuration.autopilot
    var result = AutopilotConfiguration()
    result.cleanupDeadServers = section.cleanupDeadServers
    result.serverStabilizationTime = section.serverStabilizationTime.description
    result.lastContactThreshold = section.lastContactThreshold.description
    result.maxTrailingLogs = section.maxTrailingLogs
    result.minQuorum = section.minQuorum
    return result == AutopilotConfiguration() ? nil : result
  }

  func server(logPath: String, snapshotsPath: String, rpcPort: UInt16) throws(ConfigurationError) -> ServerConfiguration
  {
    var result = ServerConfiguration()
    let section = configuration.server
    result.name = "\(nodeName).\(configuration.region)"
    result.region = configuration.region
    result.datacenter = configuration.datacenter
    result.logPath = logPath
    result.snapshotsPath = snapshotsPath
    result.advertisedRPCAddress = advertisedRPC(port: rpcPort)
    result.bootstrapExpect = section.bootstrapExpect
    result.autopilotConfiguration = autopilot
    if configuration.tls.enableRPC, configuration.tls.verifyServerHostname {
      result.serverCertificateName = "server.\(configuration.region).nomad"
    }
    result.duties.minHeartbeatTTL = section.minHeartbeatTTL
    result.duties.maxHeartbeatsPerSecond = Double(section.maxHeartbeatsPerSecond)
    result.duties.heartbeatGrace = section.heartbeatGrace
    result.duties.evalGCThreshold = duration(section.evalGCThreshold)
    result.duties.batchEvalGCThreshold = duration(section.batchEvalGCThreshold)
    result.duties.jobGCThreshold = duration(section.jobGCThreshold)
    result.duties.nodeGCThreshold = duration(section.nodeGCThreshold)
    result.duties.deploymentGCThreshold = duration(section.deploymentGCThreshold)
    result.duties.gcInterval = duration(section.jobGCInterval)
    result.snapshotThreshold = UInt64(clamping: section.raftSnapshotThreshold)
    result.trailingLogs = UInt64(clamping: section.raftTrailingLogs)
    result.jobDefaultPriority = section.jobDefaultPriority
    result.jobMaxPriority = section.jobMaxPriority
    result.jobMaxCount = section.jobMaxCount
    result.jobMaxSourceBytes = try byteCount(section.jobMaxSourceSize, "server.job_max_source_size")
    if section.defaultSchedulerConfig != .null {
      do throws(CodecError) {
        result.schedulerConfiguration = try JSON.decode(
          SchedulerConfiguration.self, from: JSON.encode(section.defaultSchedulerConfig))
      } catch {
        throw ConfigurationError("server.default_scheduler_config: \(error)")
      }
    }
    return result
  }

  /// Reads `1M`, `512KiB` or a plain number of bytes.
  private func byteCount(_ text: String, _ name: String) throws(ConfigurationError) -> Int {
    let units = [
      "": 1, "B": 1, "K": 1000, "KB": 1000, "KIB": 1024, "M": 1_000_000, "MB": 1_000_000, "MIB": 1 << 20,
      "G": 1_000_000_000, "GB": 1_000_000_000, "GIB": 1 << 30,
    ]
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = text.dropFirst(digits.count).filter { $0 != " " }.uppercased()
    guard let number = Int(digits), let scale = units[unit],
      case let (size, overflow) = number.multipliedReportingOverflow(by: scale),
      !overflow
    else { throw ConfigurationError("\(name): \"\(text)\" is no size such as 1M or 512KiB") }
    return size
  }

  /// Checked by `ConfigurationCheck` before.
  private func duration(_ text: String) -> Nanoseconds { Nanoseconds(parsing: text) ?? .zero }

  func client(
    stateDirectory: String, allocationDirectory: String, servers: [String], httpPort: UInt16, supervisorPath: String
  ) -> ClientConfiguration {
    let section = configuration.client
    var result = ClientConfiguration(
      stateDirectory: section.stateDir.isEmpty ? stateDirectory : section.stateDir,
      allocationDirectory: section.allocDir.isEmpty ? allocationDirectory : section.allocDir)
    result.servers = servers
    result.nodeName = nodeName
    result.nodeClass = section.nodeClass
    result.nodePool = section.nodePool.isEmpty ? "default" : section.nodePool
    result.datacenter = configuration.datacenter
    result.region = configuration.region
    result.meta = section.meta
    result.options = section.options
    result.reserved.cpuMHz = section.reserved.cpu
    result.reserved.cores = section.reserved.cores
    result.reserved.memoryMB = section.reserved.memoryMB
    result.reserved.diskMB = section.reserved.diskMB
    result.reserved.ports = section.reserved.reservedPorts
    result.chrootEnvironment = section.chrootEnv.isEmpty ? nil : section.chrootEnv
    result.hostNetworks = section.hostNetworks.sorted { $0.key < $1.key }.map { name, network in
      var info = HostNetworkInfo()
      info.name = name
      info.cidr = network.cidr
      info.interface = network.interface
      info.reservedPorts = network.reservedPorts
      return info
    }
    result.hostVolumes = section.hostVolumes.mapValues { volume in
      var info = HostVolumeInfo()
      info.path = volume.path
      info.readOnly = volume.readOnly
      return info
    }
    result.networkInterface = section.networkInterface
    result.networkSpeed = section.networkSpeed
    result.cpuTotalCompute = section.cpuCompute
    result.memoryTotalMB = section.memoryMB
    result.diskTotalMB = section.diskTotalMB
    result.diskFreeMB = section.diskFreeMB
    result.minimumDynamicPort = section.minDynamicPort
    result.maximumDynamicPort = section.maxDynamicPort
    result.maxKillTimeout = duration(section.maxKillTimeout)
    result.garbageCollection.interval = section.gcInterval
    result.garbageCollection.diskUsageThreshold = Double(section.gcDiskUsageThreshold)
    result.garbageCollection.inodeUsageThreshold = Double(section.gcInodeUsageThreshold)
    result.garbageCollection.maxAllocations = section.gcMaxAllocs
    for plugin in configuration.plugins {
      result.plugins[plugin.name] = plugin.config.objectValue ?? JSONObject()
      result.pluginArguments[plugin.name] = plugin.args
    }
    result.pluginDirectory =
      configuration.pluginDir.isEmpty ? configuration.dataDir + "/plugins" : configuration.pluginDir
    let artifact = section.artifact
    result.artifacts.timeout = .nanoseconds(duration(artifact.httpReadTimeout).count)
    result.artifacts.downloadBytes = ArtifactSection.bytes(artifact.httpMaxSize) ?? result.artifacts.downloadBytes
    result.artifacts.files = artifact.decompressionFileCountLimit
    result.artifacts.unpackedBytes =
      ArtifactSection.bytes(artifact.decompressionSizeLimit) ?? result.artifacts.unpackedBytes
    result.artifacts.hostPaths = (section.options["artifact.allow_host_paths"] ?? "").split(separator: ",").map {
      String($0.drop { $0 == " " })
    }
    result.disablesRemoteExec = section.disableRemoteExec
    result.supervisorPath = supervisorPath
    result.supervisorCgroup = section.cgroupParent.isEmpty ? ownCgroup : section.cgroupParent
    result.httpAddress = "\(advertisedHost):\(httpPort)"
    result.version = version
    result.isDevelopment = isDevelopment
    return result
  }

  /// The control group of an agent whose configuration names none. Every data directory has its own: a supervisor ends
  /// what it does not know in its group, which must never be the tasks of another agent of this host.
  var ownCgroup: String {
    let digits = String(XXHash64.hash(Array(configuration.dataDir.utf8)), radix: 16)
    return "serai-" + String(repeating: "0", count: 16 - digits.count) + digits
  }

  private static func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, 255) == 0 else { return "localhost" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
