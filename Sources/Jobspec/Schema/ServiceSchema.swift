internal import Codec
internal import HCLSchema

/// The `service` block. https://developer.hashicorp.com/nomad/docs/job-specification/service
let serviceSchema = BlockSchema([
  string("name", "Name"),
  string("id", "ID"),
  strings("tags", "Tags"),
  strings("canary_tags", "CanaryTags"),
  bool("enable_tag_override", "EnableTagOverride"),
  string("port", "PortLabel"),
  string("address_mode", "AddressMode"),
  string("address", "Address"),
  string("task", "TaskName"),
  string("on_update", "OnUpdate"),
  string("provider", "Provider"),
  string("cluster", "Cluster"),
  string("kind", "Kind"),
  stringMap("meta", "Meta"),
  stringMap("canary_meta", "CanaryMeta"),
  stringMap("tagged_addresses", "TaggedAddresses"),
  many("check", "Checks") { checkSchema },
  one("check_restart", "CheckRestart") { checkRestartSchema },
  one("identity", "Identity") { identitySchema },
  one("weights", "Weights") { BlockSchema([int("passing", "Passing"), int("warning", "Warning")]) },
  one("connect", "Connect") { connectSchema },
])

let checkSchema = BlockSchema([
  string("name", "Name"),
  string("id", "ID"),
  string("type", "Type"),
  string("command", "Command"),
  strings("args", "Args"),
  string("path", "Path"),
  string("protocol", "Protocol"),
  string("port", "PortLabel"),
  bool("expose", "Expose"),
  string("address_mode", "AddressMode"),
  string("advertise", "Advertise"),
  duration("interval", "Interval"),
  duration("timeout", "Timeout"),
  string("initial_status", "InitialStatus"),
  string("notes", "Notes"),
  string("tls_server_name", "TLSServerName"),
  bool("tls_skip_verify", "TLSSkipVerify"),
  stringsMap("header", "Header"),
  string("method", "Method"),
  string("body", "Body"),
  string("grpc_service", "GRPCService"),
  bool("grpc_use_tls", "GRPCUseTLS"),
  string("task", "TaskName"),
  int("success_before_passing", "SuccessBeforePassing"),
  int("failures_before_critical", "FailuresBeforeCritical"),
  int("failures_before_warning", "FailuresBeforeWarning"),
  string("on_update", "OnUpdate"),
  one("check_restart", "CheckRestart") { checkRestartSchema },
])

let checkRestartSchema = BlockSchema([
  int("limit", "Limit"),
  duration("grace", "Grace"),
  bool("ignore_warnings", "IgnoreWarnings"),
])

/// The `connect` block and all below it.
let connectSchema = BlockSchema([
  bool("native", "Native"),
  one("sidecar_service", "SidecarService") { sidecarServiceSchema },
  one("sidecar_task", "SidecarTask") { sidecarTaskSchema },
  one("gateway", "Gateway") { gatewaySchema },
])

let sidecarServiceSchema = BlockSchema([
  strings("tags", "Tags"),
  string("port", "Port"),
  stringMap("meta", "Meta"),
  bool("disable_default_tcp_check", "DisableDefaultTCPCheck"),
  one("proxy", "Proxy") { proxySchema },
])

let proxySchema = BlockSchema([
  string("local_service_address", "LocalServiceAddress"),
  int("local_service_port", "LocalServicePort"),
  freeMap("config", "Config"),
  many("upstreams", "Upstreams") { upstreamSchema },
  one("expose", "Expose") {
    BlockSchema([
      many("path", "Paths") {
        BlockSchema([
          string("path", "Path"), string("protocol", "Protocol"), int("local_path_port", "LocalPathPort"),
          string("listener_port", "ListenerPort"),
        ])
      }
    ])
  },
  one("transparent_proxy", "TransparentProxy") {
    BlockSchema([
      string("uid", "UID"), int("outbound_port", "OutboundPort"),
      strings("exclude_inbound_ports", "ExcludeInboundPorts"), ints("exclude_outbound_ports", "ExcludeOutboundPorts"),
      strings("exclude_outbound_cidrs", "ExcludeOutboundCIDRs"), strings("exclude_uids", "ExcludeUIDs"),
      bool("no_dns", "NoDNS"),
    ])
  },
])

let upstreamSchema = BlockSchema([
  string("destination_name", "DestinationName"),
  string("destination_namespace", "DestinationNamespace"),
  string("destination_peer", "DestinationPeer"),
  string("destination_partition", "DestinationPartition"),
  string("destination_type", "DestinationType"),
  int("local_bind_port", "LocalBindPort"),
  string("datacenter", "Datacenter"),
  string("local_bind_address", "LocalBindAddress"),
  string("local_bind_socket_path", "LocalBindSocketPath"),
  string("local_bind_socket_mode", "LocalBindSocketMode"),
  freeMap("config", "Config"),
  one("mesh_gateway", "MeshGateway") { BlockSchema([string("mode", "Mode")]) },
])

let sidecarTaskSchema = BlockSchema([
  string("name", "Name"),
  string("driver", "Driver"),
  string("user", "User"),
  freeMap("config", "Config"),
  stringMap("env", "Env"),
  stringMap("meta", "Meta"),
  one("resources", "Resources") { resourcesSchema },
  one("logs", "LogConfig") { logsSchema },
  duration("kill_timeout", "KillTimeout"),
  duration("shutdown_delay", "ShutdownDelay"),
  string("kill_signal", "KillSignal"),
  many("volume_mount", "VolumeMounts") { volumeMountSchema },
  many("identity", "Identities") { identitySchema },
])

let gatewaySchema = BlockSchema([
  one("proxy", "Proxy") {
    BlockSchema([
      duration("connect_timeout", "ConnectTimeout"),
      bool("envoy_gateway_bind_tagged_addresses", "EnvoyGatewayBindTaggedAddresses"),
      keyed("envoy_gateway_bind_addresses", "EnvoyGatewayBindAddresses") {
        BlockSchema(labels: ["Name"], [string("address", "Address"), int("port", "Port")])
      },
      bool("envoy_gateway_no_default_bind", "EnvoyGatewayNoDefaultBind"),
      string("envoy_dns_discovery_type", "EnvoyDNSDiscoveryType"),
      freeMap("config", "Config"),
    ])
  },
  one("ingress", "Ingress") {
    BlockSchema([
      one("tls", "TLS") { gatewayTLSSchema },
      many("listener", "Listeners") {
        BlockSchema([
          int("port", "Port"), string("protocol", "Protocol"), many("service", "Services") { ingressServiceSchema },
        ])
      },
    ])
  },
  one("terminating", "Terminating") {
    BlockSchema([
      many("service", "Services") {
        BlockSchema([
          string("name", "Name"), string("ca_file", "CAFile"), string("cert_file", "CertFile"),
          string("key_file", "KeyFile"), string("sni", "SNI"),
        ])
      }
    ])
  },
  one("mesh", "Mesh") { BlockSchema([]) },
])

let gatewayTLSSchema = BlockSchema([
  bool("enabled", "Enabled"),
  string("tls_min_version", "TLSMinVersion"),
  string("tls_max_version", "TLSMaxVersion"),
  strings("cipher_suites", "CipherSuites"),
  one("sds", "SDS") { BlockSchema([string("cluster_name", "ClusterName"), string("cert_resource", "CertResource")]) },
])

let ingressServiceSchema = BlockSchema([
  string("name", "Name"),
  strings("hosts", "Hosts"),
  one("tls", "TLS") { gatewayTLSSchema },
  one("request_headers", "RequestHeaders") { httpHeadersSchema },
  one("response_headers", "ResponseHeaders") { httpHeadersSchema },
  int("max_connections", "MaxConnections"),
  int("max_pending_requests", "MaxPendingRequests"),
  int("max_concurrent_requests", "MaxConcurrentRequests"),
])

let httpHeadersSchema = BlockSchema([
  stringMap("add", "Add"), stringMap("set", "Set"), strings("remove", "Remove"),
])
