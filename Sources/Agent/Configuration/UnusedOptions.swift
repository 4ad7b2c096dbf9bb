internal import Codec

/// Options that files may have and that this version does nothing with.
///
/// Most would change what the agent does, and are refused. Those that tune a mechanism which is not needed here (there is
/// one scheduler on the thread that owns the state, nothing calls home, …) are taken, and the log says that they have no
/// effect: a configuration written for Nomad should not have to be cut down to start.
struct UnusedOptions {
  /// By their names in files: `telemetry.statsd_address`.
  private(set) var refused: [String] = []
  /// By their names in files.
  private(set) var withoutEffect: [String] = []

  /// Options, and whole blocks, whose absence of effect harms nobody.
  private static let harmless: Set<String> = [
    "disable_update_check", "disable_anonymous_signature", "log_include_location", "syslog_facility", "ui", "autopilot",
    "reporting", "eventlog", "acl", "consul", "vault", "audit", "keyring", "sentinel",
    "tls.tls_prefer_server_cipher_suites", "limits.https_handshake_timeout", "limits.rpc_handshake_timeout",
    "telemetry.disable_hostname", "telemetry.use_node_name", "telemetry.collection_interval",
    "telemetry.publish_allocation_metrics", "telemetry.publish_node_metrics", "telemetry.prometheus_metrics",
    "telemetry.prefix_filter", "telemetry.filter_default", "telemetry.disable_dispatched_job_summary_metrics",
    "telemetry.disable_rpc_rate_metrics_labels", "telemetry.in_memory_retention_period",
    "telemetry.in_memory_collection_interval",
    "server.num_schedulers", "server.enabled_schedulers", "server.raft_protocol", "server.raft_multiplier",
    "server.raft_snapshot_interval", "server.raft_boltdb", "server.raft_logstore", "server.plan_rejection_tracker",
    "server.eval_nack_timeout_seconds", "server.deployment_query_rate_limit", "server.failover_heartbeat_ttl",
    "server.acl_token_gc_threshold", "server.csi_volume_claim_gc_interval", "server.csi_volume_claim_gc_threshold",
    "server.csi_plugin_gc_threshold", "server.root_key_gc_interval", "server.root_key_gc_threshold",
    "server.root_key_rotation_threshold", "server.node_intro_gc_threshold", "server.search", "server.event_buffer_size",
    "server.enable_event_broker",
    "client.no_host_uuid", "client.client_min_port", "client.client_max_port", "client.min_dynamic_user",
    "client.max_dynamic_user", "client.users", "client.alloc_mounts_dir", "client.host_volumes_dir",
    "client.host_volume_plugin_dir", "client.common_plugin_dir", "client.gc_volumes_on_node_gc",
    "client.preferred_address_family", "client.cni_path", "client.cni_config_dir", "client.bridge_network_name",
    "client.bridge_network_subnet", "client.bridge_network_subnet_ipv6", "client.bridge_network_hairpin_mode",
    "client.nomad_service_discovery", "client.fingerprint", "client.artifact.gcs_timeout",
    "client.artifact.git_timeout", "client.artifact.hg_timeout", "client.artifact.s3_timeout",
    "client.template.max_stale", "client.template.block_query_wait", "client.template.wait",
    "client.template.wait_bounds", "client.template.consul_retry", "client.template.vault_retry",
    "client.template.nomad_retry",
  ]

  /// Looks at a merged configuration, keys as in JSON.
  init(in object: JSONObject) {
    var unknown: [String]? = []
    // What does not fit the types is told elsewhere.
    _ = try? JSON.decode(AgentConfiguration.self, from: JSON.encode(object), unknownKeys: &unknown)
    for path in unknown ?? [] {
      let keys = path.split(separator: ".").map(String.init)
      guard Self.isSet(Self.value(keys, in: object)) else { continue }
      let name = OptionNames.inFiles(keys)
      // Of a block that is not acted on as a whole only the block is named.
      if let value = Self.value(keys, in: object)?.objectValue, !Self.harmless.contains(name) {
        for inner in value.keys where Self.isSet(value[inner]) {
          add(OptionNames.inFiles(keys + [inner]))
        }
      } else {
        add(name)
      }
    }
    refused.sort()
    withoutEffect.sort()
  }

  private mutating func add(_ name: String) {
    let parts = name.split(separator: ".")
    let isHarmless = (1...max(parts.count, 1)).contains {
      Self.harmless.contains(parts.prefix($0).joined(separator: "."))
    }
    if isHarmless { withoutEffect.append(name) } else { refused.append(name) }
  }

  /// Whether it says anything: false, zero and empty are what holds without it.
  private static func isSet(_ value: JSONValue?) -> Bool {
    switch value {
    case nil, .null, .bool(false), .int(0), .string(""): false
    case .array(let elements): !elements.isEmpty
    case .object(let object): object.members.contains { isSet($0.value) }
    default: true
    }
  }

  private static func value(_ keys: [String], in object: JSONObject) -> JSONValue? {
    var value: JSONValue? = .object(object)
    for key in keys { value = value?[key] }
    return value
  }
}
