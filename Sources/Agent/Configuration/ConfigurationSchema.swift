internal import HCLSchema

/// Every block of the agent's configuration files. https://developer.hashicorp.com/nomad/docs/configuration
///
/// A block whose effect this version does not have is kept (`agent/self` shows it); `ConfigurationCheck` refuses those
/// that would change what the agent does.
let agentSchema = BlockSchema([
  string("region", "Region"),
  string("datacenter", "Datacenter"),
  string("name", "NodeName"),
  string("data_dir", "DataDir"),
  string("plugin_dir", "PluginDir"),
  string("log_level", "LogLevel"),
  bool("log_json", "LogJson"),
  bool("log_include_location", "LogIncludeLocation"),
  string("log_file", "LogFile"),
  string("log_rotate_duration", "LogRotateDuration"),
  int("log_rotate_bytes", "LogRotateBytes"),
  int("log_rotate_max_files", "LogRotateMaxFiles"),
  string("bind_addr", "BindAddr"),
  bool("enable_debug", "EnableDebug"),
  bool("enable_syslog", "EnableSyslog"),
  string("syslog_facility", "SyslogFacility"),
  bool("leave_on_interrupt", "LeaveOnInt"),
  bool("leave_on_terminate", "LeaveOnTerm"),
  bool("disable_update_check", "DisableUpdateCheck"),
  bool("disable_anonymous_signature", "DisableAnonymousSignature"),
  stringMap("http_api_response_headers", "HTTPAPIResponseHeaders"),
  one("ports", "Ports") { BlockSchema([int("http", "HTTP"), int("rpc", "RPC"), int("serf", "Serf")]) },
  one("addresses", "Addresses") {
    BlockSchema([string("http", "HTTP"), string("rpc", "RPC"), string("serf", "Serf")])
  },
  one("advertise", "AdvertiseAddrs") {
    BlockSchema([string("http", "HTTP"), string("rpc", "RPC"), string("serf", "Serf")])
  },
  one("client", "Client") { clientSchema },
  one("server", "Server") { serverSchema },
  one("acl", "ACL") {
    BlockSchema([
      bool("enabled", "Enabled"), duration("token_ttl", "TokenTTL"), duration("policy_ttl", "PolicyTTL"),
      duration("role_ttl", "RoleTTL"), string("replication_token", "ReplicationToken"),
      duration("token_min_expiration_ttl", "TokenMinExpirationTTL"),
      duration("token_max_expiration_ttl", "TokenMaxExpirationTTL"),
    ])
  },
  one("tls", "TLSConfig") {
    BlockSchema([
      bool("http", "EnableHTTP"), bool("rpc", "EnableRPC"), bool("verify_server_hostname", "VerifyServerHostname"),
      bool("rpc_upgrade_mode", "RPCUpgradeMode"), string("ca_file", "CAFile"), string("cert_file", "CertFile"),
      string("key_file", "KeyFile"), string("tls_cipher_suites", "TLSCipherSuites"),
      string("tls_min_version", "TLSMinVersion"),
      bool("tls_prefer_server_cipher_suites", "TLSPreferServerCipherSuites"),
      bool("verify_https_client", "VerifyHTTPSClient"),
    ])
  },
  one("limits", "Limits") {
    BlockSchema([
      string("https_handshake_timeout", "HTTPSHandshakeTimeout"),
      int("http_max_conns_per_client", "HTTPMaxConnsPerClient"),
      string("rpc_handshake_timeout", "RPCHandshakeTimeout"), int("rpc_max_conns_per_client", "RPCMaxConnsPerClient"),
    ])
  },
  one("telemetry", "Telemetry") {
    BlockSchema([
      bool("disable_hostname", "DisableHostname"), bool("use_node_name", "UseNodeName"),
      string("collection_interval", "CollectionInterval"),
      bool("publish_allocation_metrics", "PublishAllocationMetrics"),
      bool("publish_node_metrics", "PublishNodeMetrics"), bool("prometheus_metrics", "PrometheusMetrics"),
      string("statsd_address", "StatsdAddr"), string("statsite_address", "StatsiteAddr"),
      string("datadog_address", "DataDogAddr"), strings("datadog_tags", "DataDogTags"),
      strings("prefix_filter", "PrefixFilter"), bool("filter_default", "FilterDefault"),
      bool("disable_dispatched_job_summary_metrics", "DisableDispatchedJobSummaryMetrics"),
      bool("disable_rpc_rate_metrics_labels", "DisableRPCRateMetricsLabels"),
      int("in_memory_retention_period", "InMemoryRetentionPeriod"),
      int("in_memory_collection_interval", "InMemoryCollectionInterval"),
      string("circonus_api_token", "CirconusAPIToken"), string("circonus_api_app", "CirconusAPIApp"),
      string("circonus_api_url", "CirconusAPIURL"),
      string("circonus_submission_interval", "CirconusSubmissionInterval"),
      string("circonus_submission_url", "CirconusCheckSubmissionURL"), string("circonus_check_id", "CirconusCheckID"),
      string("circonus_check_force_metric_activation", "CirconusCheckForceMetricActivation"),
      string("circonus_check_instance_id", "CirconusCheckInstanceID"),
      string("circonus_check_search_tag", "CirconusCheckSearchTag"), string("circonus_check_tags", "CirconusCheckTags"),
      string("circonus_check_display_name", "CirconusCheckDisplayName"),
      string("circonus_broker_id", "CirconusBrokerID"),
      string("circonus_broker_select_tag", "CirconusBrokerSelectTag"),
    ])
  },
  one("autopilot", "Autopilot") {
    BlockSchema([
      bool("cleanup_dead_servers", "CleanupDeadServers"),
      duration("server_stabilization_time", "ServerStabilizationTime"),
      duration("last_contact_threshold", "LastContactThreshold"), int("max_trailing_logs", "MaxTrailingLogs"),
      int("min_quorum", "MinQuorum"), bool("enable_redundancy_zones", "EnableRedundancyZones"),
      bool("disable_upgrade_migration", "DisableUpgradeMigration"),
      bool("enable_custom_upgrades", "EnableCustomUpgrades"),
    ])
  },
  one("ui", "UI") {
    BlockSchema([
      bool("enabled", "Enabled"), bool("show_cli_hints", "ShowCLIHints"),
      one("consul", "Consul") { BlockSchema([string("ui_url", "BaseUIURL")]) },
      one("vault", "Vault") { BlockSchema([string("ui_url", "BaseUIURL")]) },
      one("label", "Label") {
        BlockSchema([
          string("text", "Text"), string("background_color", "BackgroundColor"), string("text_color", "TextColor"),
        ])
      },
      one("content_security_policy", "ContentSecurityPolicy") {
        BlockSchema([
          strings("connect_src", "ConnectSrc"), strings("default_src", "DefaultSrc"),
          strings("form_action", "FormAction"),
          strings("frame_ancestors", "FrameAncestors"), strings("img_src", "ImgSrc"),
          strings("script_src", "ScriptSrc"),
          strings("style_src", "StyleSrc"),
        ])
      },
    ])
  },
  one("audit", "Audit") {
    BlockSchema([
      bool("enabled", "Enabled"),
      many("sink", "Sinks") {
        BlockSchema(
          labels: ["Name"],
          [
            string("type", "Type"), string("delivery_guarantee", "DeliveryGuarantee"), string("format", "Format"),
            string("path", "Path"), int("rotate_bytes", "RotateBytes"), string("rotate_duration", "RotateDuration"),
            int("rotate_max_files", "RotateMaxFiles"), string("mode", "Mode"),
          ])
      },
      many("filter", "Filters") {
        BlockSchema(
          labels: ["Name"],
          [
            strings("endpoints", "Endpoints"), strings("operations", "Operations"), strings("stages", "Stages"),
            string("type", "Type"),
          ])
      },
    ])
  },
  many("plugin", "Plugins") {
    BlockSchema(labels: ["Name"], [strings("args", "Args"), freeMap("config", "Config")])
  },
  many("consul", "Consuls") { consulAgentSchema },
  many("vault", "Vaults") { vaultAgentSchema },
  many("keyring", "KEKProviders") {
    BlockSchema(
      labels: ["Provider"], [bool("active", "Active"), string("name", "Name")], open: true)
  },
  one("sentinel", "Sentinel") {
    BlockSchema([
      many("import", "Imports") { BlockSchema(labels: ["Name"], [string("path", "Path"), strings("args", "Args")]) }
    ])
  },
  one("reporting", "Reporting") {
    BlockSchema([
      one("license", "License") { BlockSchema([bool("enabled", "Enabled")]) },
      string("address", "Address"), duration("export_interval", "ExportInterval"),
      int("snapshot_retention_time", "SnapshotRetentionTime"),
    ])
  },
  one("eventlog", "Eventlog") { BlockSchema([bool("enabled", "Enabled"), string("level", "Level")]) },
])

/// `server_join` of servers and clients.
let joinSchema = BlockSchema([
  strings("retry_join", "RetryJoin"),
  strings("start_join", "StartJoin"),
  int("retry_max", "RetryMaxAttempts"),
  duration("retry_interval", "RetryInterval"),
])

let clientSchema = BlockSchema([
  bool("enabled", "Enabled"),
  string("state_dir", "StateDir"),
  string("alloc_dir", "AllocDir"),
  string("alloc_mounts_dir", "AllocMountsDir"),
  string("host_volumes_dir", "HostVolumesDir"),
  string("host_volume_plugin_dir", "HostVolumePluginDir"),
  string("common_plugin_dir", "CommonPluginDir"),
  string("intro_token", "IntroToken"),
  strings("servers", "Servers"),
  string("node_class", "NodeClass"),
  string("node_pool", "NodePool"),
  stringMap("options", "Options"),
  stringMap("meta", "Meta"),
  stringMap("chroot_env", "ChrootEnv"),
  string("network_interface", "NetworkInterface"),
  string("preferred_address_family", "PreferredAddressFamily"),
  int("network_speed", "NetworkSpeed"),
  int("cpu_total_compute", "CpuCompute"),
  int("memory_total_mb", "MemoryMB"),
  int("disk_total_mb", "DiskTotalMB"),
  int("disk_free_mb", "DiskFreeMB"),
  string("reservable_cores", "ReservableCores"),
  string("max_kill_timeout", "MaxKillTimeout"),
  int("client_min_port", "ClientMinPort"),
  int("client_max_port", "ClientMaxPort"),
  int("min_dynamic_port", "MinDynamicPort"),
  int("max_dynamic_port", "MaxDynamicPort"),
  int("min_dynamic_user", "MinDynamicUser"),
  int("max_dynamic_user", "MaxDynamicUser"),
  duration("gc_interval", "GCInterval"),
  int("gc_parallel_destroys", "GCParallelDestroys"),
  int("gc_disk_usage_threshold", "GCDiskUsageThreshold"),
  int("gc_inode_usage_threshold", "GCInodeUsageThreshold"),
  int("gc_max_allocs", "GCMaxAllocs"),
  bool("gc_volumes_on_node_gc", "GCVolumesOnNodeGC"),
  bool("no_host_uuid", "NoHostUUID"),
  bool("disable_remote_exec", "DisableRemoteExec"),
  string("cni_path", "CNIPath"),
  string("cni_config_dir", "CNIConfigDir"),
  string("bridge_network_name", "BridgeNetworkName"),
  string("bridge_network_subnet", "BridgeNetworkSubnet"),
  string("bridge_network_subnet_ipv6", "BridgeNetworkSubnetIPv6"),
  bool("bridge_network_hairpin_mode", "BridgeNetworkHairpinMode"),
  bool("nomad_service_discovery", "NomadServiceDiscovery"),
  string("cgroup_parent", "CgroupParent"),
  one("reserved", "Reserved") {
    BlockSchema([
      int("cpu", "CPU"), string("cores", "Cores"), int("memory", "MemoryMB"), int("disk", "DiskMB"),
      string("reserved_ports", "ReservedPorts"),
    ])
  },
  one("server_join", "ServerJoin") { joinSchema },
  keyed("host_volume", "HostVolumes") {
    BlockSchema(
      labels: ["Name"], [string("path", "Path"), bool("read_only", "ReadOnly"), string("plugin_id", "PluginID")])
  },
  keyed("host_network", "HostNetworks") {
    BlockSchema(
      labels: ["Name"],
      [string("cidr", "CIDR"), string("interface", "Interface"), string("reserved_ports", "ReservedPorts")])
  },
  one("drain_on_shutdown", "Drain") {
    BlockSchema([
      duration("deadline", "Deadline"), bool("force", "Force"), bool("ignore_system_jobs", "IgnoreSystemJobs"),
    ])
  },
  one("artifact", "Artifact") {
    BlockSchema([
      string("http_read_timeout", "HTTPReadTimeout"), string("http_max_size", "HTTPMaxSize"),
      string("gcs_timeout", "GCSTimeout"), string("git_timeout", "GitTimeout"), string("hg_timeout", "HgTimeout"),
      string("s3_timeout", "S3Timeout"), int("decompression_file_count_limit", "DecompressionFileCountLimit"),
      string("decompression_size_limit", "DecompressionSizeLimit"),
      bool("disable_filesystem_isolation", "DisableFilesystemIsolation"),
      bool("disable_artifact_inspection", "DisableArtifactInspection"),
      strings("filesystem_isolation_extra_paths", "FilesystemIsolationExtraPaths"),
      string("set_environment_variables", "SetEnvironmentVariables"),
    ])
  },
  one("template", "TemplateConfig") {
    BlockSchema([
      strings("function_denylist", "FunctionDenylist"), strings("function_blacklist", "FunctionDenylist"),
      bool("disable_file_sandbox", "DisableSandbox"), string("max_stale", "MaxStale"),
      string("block_query_wait", "BlockQueryWaitTime"),
      one("wait", "Wait") { waitSchema }, one("wait_bounds", "WaitBounds") { waitSchema },
      one("consul_retry", "ConsulRetry") { retrySchema }, one("vault_retry", "VaultRetry") { retrySchema },
      one("nomad_retry", "NomadRetry") { retrySchema },
    ])
  },
  one("users", "Users") {
    BlockSchema([int("dynamic_user_min", "MinDynamicUser"), int("dynamic_user_max", "MaxDynamicUser")])
  },
  many("fingerprint", "Fingerprinters") {
    BlockSchema(
      labels: ["Name"],
      [
        duration("retry_interval", "RetryInterval"), int("retry_attempts", "RetryAttempts"),
        bool("exit_on_failure", "ExitOnFailure"),
      ])
  },
])

private let waitSchema = BlockSchema([duration("min", "Min"), duration("max", "Max"), bool("enabled", "Enabled")])
private let retrySchema = BlockSchema([
  int("attempts", "Attempts"), duration("backoff", "Backoff"), duration("max_backoff", "MaxBackoff"),
])

let serverSchema = BlockSchema([
  bool("enabled", "Enabled"),
  int("bootstrap_expect", "BootstrapExpect"),
  string("data_dir", "DataDir"),
  string("authoritative_region", "AuthoritativeRegion"),
  string("encrypt", "EncryptKey"),
  string("variables_key_file", "VariablesKeyFile"),
  strings("retry_join", "RetryJoin"),
  strings("start_join", "StartJoin"),
  int("retry_max", "RetryMaxAttempts"),
  duration("retry_interval", "RetryInterval"),
  bool("rejoin_after_leave", "RejoinAfterLeave"),
  bool("non_voting_server", "NonVotingServer"),
  string("redundancy_zone", "RedundancyZone"),
  string("upgrade_version", "UpgradeVersion"),
  int("num_schedulers", "NumSchedulers"),
  strings("enabled_schedulers", "EnabledSchedulers"),
  int("raft_protocol", "RaftProtocol"),
  int("raft_multiplier", "RaftMultiplier"),
  int("raft_snapshot_threshold", "RaftSnapshotThreshold"),
  string("raft_snapshot_interval", "RaftSnapshotInterval"),
  int("raft_trailing_logs", "RaftTrailingLogs"),
  string("node_gc_threshold", "NodeGCThreshold"),
  string("node_intro_gc_threshold", "NodeIntroGCThreshold"),
  string("job_gc_interval", "JobGCInterval"),
  string("job_gc_threshold", "JobGCThreshold"),
  string("eval_gc_threshold", "EvalGCThreshold"),
  string("batch_eval_gc_threshold", "BatchEvalGCThreshold"),
  string("deployment_gc_threshold", "DeploymentGCThreshold"),
  string("acl_token_gc_threshold", "ACLTokenGCThreshold"),
  string("csi_volume_claim_gc_interval", "CSIVolumeClaimGCInterval"),
  string("csi_volume_claim_gc_threshold", "CSIVolumeClaimGCThreshold"),
  string("csi_plugin_gc_threshold", "CSIPluginGCThreshold"),
  string("root_key_gc_interval", "RootKeyGCInterval"),
  string("root_key_gc_threshold", "RootKeyGCThreshold"),
  string("root_key_rotation_threshold", "RootKeyRotationThreshold"),
  duration("heartbeat_grace", "HeartbeatGrace"),
  duration("min_heartbeat_ttl", "MinHeartbeatTTL"),
  int("max_heartbeats_per_second", "MaxHeartbeatsPerSecond"),
  duration("failover_heartbeat_ttl", "FailoverHeartbeatTTL"),
  int("eval_nack_timeout_seconds", "EvalNackTimeoutSeconds"),
  int("deployment_query_rate_limit", "DeploymentQueryRateLimit"),
  int("job_default_priority", "JobDefaultPriority"),
  int("job_max_priority", "JobMaxPriority"),
  int("job_max_count", "JobMaxCount"),
  int("job_tracked_versions", "JobTrackedVersions"),
  int("job_max_source_size_bytes", "JobMaxSourceSizeBytes"),
  string("job_max_source_size", "JobMaxSourceSize"),
  string("oidc_issuer", "OIDCIssuer"),
  string("license_path", "LicensePath"),
  bool("enable_event_broker", "EnableEventBroker"),
  int("event_buffer_size", "EventBufferSize"),
  one("server_join", "ServerJoin") { joinSchema },
  one("plan_rejection_tracker", "PlanRejectionTracker") {
    BlockSchema([
      bool("enabled", "Enabled"), int("node_threshold", "NodeThreshold"), duration("node_window", "NodeWindow"),
    ])
  },
  one("raft_boltdb", "RaftBoltConfig") { BlockSchema([bool("no_freelist_sync", "NoFreelistSync")]) },
  one("raft_logstore", "RaftLogStoreConfig") { BlockSchema([string("backend", "Backend")], open: true) },
  one("default_scheduler_config", "DefaultSchedulerConfig") {
    BlockSchema([
      string("scheduler_algorithm", "SchedulerAlgorithm"),
      bool("memory_oversubscription_enabled", "MemoryOversubscriptionEnabled"),
      bool("reject_job_registration", "RejectJobRegistration"), bool("pause_eval_broker", "PauseEvalBroker"),
      one("preemption_config", "PreemptionConfig") {
        BlockSchema([
          bool("batch_scheduler_enabled", "BatchSchedulerEnabled"),
          bool("system_scheduler_enabled", "SystemSchedulerEnabled"),
          bool("service_scheduler_enabled", "ServiceSchedulerEnabled"),
          bool("sysbatch_scheduler_enabled", "SysBatchSchedulerEnabled"),
        ])
      },
    ])
  },
  one("search", "Search") {
    BlockSchema([
      bool("fuzzy_enabled", "FuzzyEnabled"), int("limit_query", "LimitQuery"), int("limit_results", "LimitResults"),
      int("min_term_length", "MinTermLength"),
    ])
  },
  one("client_introduction", "ClientIntroduction") {
    BlockSchema([
      string("enforcement", "Enforcement"), duration("default_identity_ttl", "DefaultIdentityTTL"),
      duration("max_identity_ttl", "MaxIdentityTTL"),
    ])
  },
])

private let consulAgentSchema = BlockSchema([
  string("name", "Name"), bool("enabled", "Enabled"), string("address", "Addr"), string("grpc_address", "GRPCAddr"),
  string("auth", "Auth"), string("token", "Token"), bool("ssl", "EnableSSL"), bool("verify_ssl", "VerifySSL"),
  string("share_ssl", "ShareSSL"), string("ca_file", "CAFile"), string("grpc_ca_file", "GRPCCAFile"),
  string("cert_file", "CertFile"), string("key_file", "KeyFile"), string("namespace", "Namespace"),
  bool("auto_advertise", "AutoAdvertise"), bool("checks_use_advertise", "ChecksUseAdvertise"),
  string("client_service_name", "ClientServiceName"), string("client_http_check_name", "ClientHTTPCheckName"),
  bool("client_auto_join", "ClientAutoJoin"), string("server_service_name", "ServerServiceName"),
  string("server_http_check_name", "ServerHTTPCheckName"), string("server_rpc_check_name", "ServerRPCCheckName"),
  string("server_serf_check_name", "ServerSerfCheckName"), bool("server_auto_join", "ServerAutoJoin"),
  bool("allow_unauthenticated", "AllowUnauthenticated"), strings("tags", "Tags"), string("timeout", "Timeout"),
  string("service_auth_method", "ServiceIdentityAuthMethod"), string("task_auth_method", "TaskIdentityAuthMethod"),
  bool("use_identity", "UseIdentity"), string("client_failures_before_critical", "ClientFailuresBeforeCritical"),
  one("service_identity", "ServiceIdentity") {
    BlockSchema([strings("aud", "Audience"), duration("ttl", "TTL"), bool("env", "Env"), bool("file", "File")])
  },
  one("task_identity", "TaskIdentity") {
    BlockSchema([strings("aud", "Audience"), duration("ttl", "TTL"), bool("env", "Env"), bool("file", "File")])
  },
])

private let vaultAgentSchema = BlockSchema([
  string("name", "Name"), bool("enabled", "Enabled"), string("address", "Addr"), string("token", "Token"),
  string("role", "Role"), string("create_from_role", "Role"), string("namespace", "Namespace"),
  string("task_token_ttl", "TaskTokenTTL"), bool("allow_unauthenticated", "AllowUnauthenticated"),
  string("ca_file", "TLSCaFile"), string("ca_path", "TLSCaPath"), string("cert_file", "TLSCertFile"),
  string("key_file", "TLSKeyFile"), string("tls_server_name", "TLSServerName"),
  bool("tls_skip_verify", "TLSSkipVerify"),
  string("jwt_auth_backend_path", "JWTAuthBackendPath"), duration("connection_retry_interval", "ConnectionRetryIntv"),
  one("default_identity", "DefaultIdentity") {
    BlockSchema([
      strings("aud", "Audience"), duration("ttl", "TTL"), bool("env", "Env"), bool("file", "File"),
      stringMap("extra_claims", "ExtraClaims"),
    ])
  },
])
