internal import Codec
internal import Log

/// Refuses a configuration that can't work, or that asks for something that this version does not do: never accepted and
/// ignored.
enum ConfigurationCheck {
  static func run(_ configuration: AgentConfiguration, _ object: JSONObject) throws(ConfigurationError) {
    var problems: [String] = []
    if !configuration.server.enabled, !configuration.client.enabled {
      problems.append(
        "neither server nor client is on: set server { enabled = true } or client { enabled = true }, or use -dev")
    }
    if configuration.dataDir.isEmpty { problems.append("data_dir is missing: name a directory that the agent may own") }
    if !configuration.dataDir.isEmpty, !configuration.dataDir.hasPrefix("/") {
      problems.append("data_dir must be an absolute path")
    }
    if LogLevel(named: configuration.logLevel) == nil {
      problems.append("log_level: \"\(configuration.logLevel)\" is none of TRACE, DEBUG, INFO, WARN, ERROR")
    }
    if configuration.acl.enabled { problems.append("acl: this version has no tokens: remove the block") }
    problems += tlsProblems(configuration.tls)
    if let problem = gossipKeyProblem(configuration.server.encryptKey) { problems.append(problem) }
    for (key, block) in [
      ("Consuls", "consul"), ("Vaults", "vault"), ("Sentinel", "sentinel"), ("Audit", "audit"),
      ("KEKProviders", "keyring"),
    ] where object[key]?.arrayValue?.isEmpty == false || object[key]?["Enabled"] == true {
      problems.append("\(block): this version does not act on this block: remove it")
    }
    for name in [
      ("port http", configuration.ports.http), ("port rpc", configuration.ports.rpc),
      ("port serf", configuration.ports.serf),
    ]
    where !(0...65535).contains(name.1) {
      problems.append("\(name.0): \(name.1) is no port")
    }
    for (key, name) in [
      ("EnableRedundancyZones", "enable_redundancy_zones"), ("EnableCustomUpgrades", "enable_custom_upgrades"),
    ] where object["Autopilot"]?[key] == true {
      problems.append("autopilot.\(name): this version does not do that: set it to false")
    }
    for (name, text) in durations(configuration) where Nanoseconds(parsing: text) == nil {
      problems.append("\(name): \"\(text)\" is no duration such as 30s or 24h")
    }
    for (name, volume) in configuration.client.hostVolumes.sorted(by: { $0.key < $1.key }) {
      if !volume.path.hasPrefix("/") || volume.path.split(separator: "/").contains("..") {
        problems.append(
          "client.host_volume \"\(name)\".path: \"\(volume.path)\" must be an absolute path of the host without \"..\"")
      }
    }
    let artifact = configuration.client.artifact
    for (name, text) in [
      ("http_max_size", artifact.httpMaxSize), ("decompression_size_limit", artifact.decompressionSizeLimit),
    ] where ArtifactSection.bytes(text) == nil {
      problems.append("client.artifact.\(name): \"\(text)\" is no size such as 100GB or 512MiB")
    }
    guard problems.isEmpty else {
      throw ConfigurationError(
        "the configuration can't be used:\n" + problems.map { "  * \($0)" }.joined(separator: "\n"))
    }
  }

  private static func tlsProblems(_ tls: TLSSection) -> [String] {
    var problems: [String] = []
    if tls.enableHTTP || tls.enableRPC {
      for (name, path) in [("ca_file", tls.caFile), ("cert_file", tls.certFile), ("key_file", tls.keyFile)]
      where path.isEmpty {
        problems.append(
          "tls.\(name) is missing: name a PEM file (`serai tls ca create` and `tls cert create` make them)")
      }
    }
    if tls.verifyHTTPSClient, !tls.enableHTTP { problems.append("tls.verify_https_client needs tls.http = true") }
    if tls.verifyServerHostname, !tls.enableRPC { problems.append("tls.verify_server_hostname needs tls.rpc = true") }
    if tls.rpcUpgradeMode, !tls.enableRPC { problems.append("tls.rpc_upgrade_mode needs tls.rpc = true") }
    return problems
  }

  private static func gossipKeyProblem(_ text: String) -> String? {
    guard !text.isEmpty else { return nil }
    guard let key = Blob(base64: text)?.bytes, [16, 24, 32].contains(key.count) else {
      return
        "server.encrypt: it must be base64 of 16, 24 or 32 bytes: `serai operator gossip keyring generate` makes one"
    }
    return nil
  }

  private static func durations(_ configuration: AgentConfiguration) -> [(String, String)] {
    [
      ("client.max_kill_timeout", configuration.client.maxKillTimeout),
      ("client.artifact.http_read_timeout", configuration.client.artifact.httpReadTimeout),
      ("server.node_gc_threshold", configuration.server.nodeGCThreshold),
      ("server.job_gc_interval", configuration.server.jobGCInterval),
      ("server.job_gc_threshold", configuration.server.jobGCThreshold),
      ("server.eval_gc_threshold", configuration.server.evalGCThreshold),
      ("server.batch_eval_gc_threshold", configuration.server.batchEvalGCThreshold),
      ("server.deployment_gc_threshold", configuration.server.deploymentGCThreshold),
    ] + (configuration.logRotateDuration.isEmpty ? [] : [("log_rotate_duration", configuration.logRotateDuration)])
  }
}
