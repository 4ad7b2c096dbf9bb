import Codec
import HCL
import Testing

@testable import Agent

@Suite struct ConfigurationFileTests {
  /// One of every block that https://developer.hashicorp.com/nomad/docs/configuration documents.
  static let blocks: [(String, String)] = [
    ("acl", "enabled = true\n token_ttl = \"30s\"\n policy_ttl = \"60s\"\n role_ttl = \"60s\"\n replication_token = \"t\""),
    ("addresses", "http = \"127.0.0.1\"\n rpc = \"127.0.0.2\"\n serf = \"127.0.0.3\""),
    ("advertise", "http = \"192.0.2.1\"\n rpc = \"192.0.2.1:4647\"\n serf = \"192.0.2.1\""),
    ("audit", "enabled = true\n sink \"s\" {\n type = \"file\"\n format = \"json\"\n path = \"/x\"\n delivery_guarantee = \"enforced\"\n }"),
    ("autopilot", "cleanup_dead_servers = true\n last_contact_threshold = \"200ms\"\n max_trailing_logs = 250\n min_quorum = 3"),
    (
      "client",
      """
      enabled = true
      state_dir = "/s"
      alloc_dir = "/a"
      servers = ["192.0.2.1:4647"]
      node_class = "fast"
      node_pool = "gpu"
      network_interface = "eth0"
      network_speed = 1000
      cpu_total_compute = 4000
      memory_total_mb = 2048
      max_kill_timeout = "30s"
      min_dynamic_port = 20000
      max_dynamic_port = 32000
      gc_interval = "1m"
      gc_disk_usage_threshold = 80
      gc_max_allocs = 50
      gc_parallel_destroys = 2
      no_host_uuid = true
      disable_remote_exec = true
      bridge_network_name = "nomad"
      cgroup_parent = "nomad.slice"
      options = { "driver.allowlist" = "exec" }
      meta { rack = "r1" }
      chroot_env { "/bin" = "/bin" }
      reserved {
        cpu = 500
        memory = 512
        disk = 1024
        cores = "0-1"
        reserved_ports = "22,80,8500-8600"
      }
      server_join {
        retry_join = ["192.0.2.1"]
        retry_max = 3
        retry_interval = "15s"
      }
      host_volume "data" {
        path = "/srv"
        read_only = true
      }
      host_network "public" {
        cidr = "203.0.113.0/24"
        reserved_ports = "22,80"
      }
      drain_on_shutdown { deadline = "1m" }
      artifact { http_read_timeout = "30m" }
      template {
        function_denylist = []
        disable_file_sandbox = true
        wait { min = "5s" }
      }
      """
    ),
    ("consul", "address = \"127.0.0.1:8500\"\n token = \"t\"\n ssl = true\n client_auto_join = true"),
    ("keyring \"awskms\"", "active = true\n region = \"us-east-1\""),
    ("limits", "http_max_conns_per_client = 100\n rpc_max_conns_per_client = 100\n https_handshake_timeout = \"5s\""),
    ("plugin \"raw_exec\"", "args = [\"-x\"]\n config { enabled = true }"),
    ("ports", "http = 1\n rpc = 2\n serf = 3"),
    ("reporting", "license { enabled = false }"),
    ("sentinel", "import \"x\" {\n path = \"/x\"\n args = [\"a\"]\n }"),
    (
      "server",
      """
      enabled = true
      bootstrap_expect = 1
      data_dir = "/d"
      encrypt = "x"
      node_gc_threshold = "24h"
      job_gc_interval = "5m"
      eval_gc_threshold = "1h"
      heartbeat_grace = "10s"
      min_heartbeat_ttl = "10s"
      max_heartbeats_per_second = 50
      raft_snapshot_threshold = 8192
      job_max_priority = 100
      num_schedulers = 2
      enabled_schedulers = ["service"]
      server_join { retry_join = ["192.0.2.1"] }
      plan_rejection_tracker { enabled = true }
      default_scheduler_config {
        scheduler_algorithm = "spread"
        preemption_config { service_scheduler_enabled = true }
      }
      search { fuzzy_enabled = true }
      """
    ),
    ("telemetry", "collection_interval = \"1s\"\n prometheus_metrics = true\n publish_node_metrics = true"),
    ("tls", "http = true\n rpc = true\n ca_file = \"c\"\n cert_file = \"d\"\n key_file = \"k\"\n verify_server_hostname = true"),
    ("ui", "enabled = true\n consul { ui_url = \"http://x\" }\n label { text = \"staging\" }"),
    ("vault", "enabled = true\n address = \"https://x\"\n default_identity {\n aud = [\"v\"]\n ttl = \"1h\"\n }"),
  ]

  @Test(arguments: blocks.map { "\($0.0) {\n\($0.1)\n}" }) func aDocumentedBlockIsUnderstood(_ text: String) throws {
    let object = try parse(text)
    #expect(object.members.count == 1)
    // The parts that this version acts on have their types, too.
    _ = try configuration(object)
  }

  @Test func whatIsWrittenArrives() throws {
    let text = Self.blocks.filter { ["client", "server", "ports", "limits"].contains($0.0) }
      .map { "\($0.0) {\n\($0.1)\n}" }.joined(separator: "\n")
    let result = try configuration(
      try parse("region = \"eu\"\n datacenter = \"dc7\"\n name = \"n1\"\n data_dir = \"/d\"\n log_level = \"WARN\"\n" + text))
    #expect(result.region == "eu")
    #expect(result.datacenter == "dc7")
    #expect(result.nodeName == "n1")
    #expect(result.logLevel == "WARN")
    #expect(result.ports.http == 1 && result.ports.rpc == 2 && result.ports.serf == 3)
    #expect(result.client.enabled)
    #expect(result.client.servers == ["192.0.2.1:4647"])
    #expect(result.client.meta == ["rack": "r1"])
    #expect(result.client.options == ["driver.allowlist": "exec"])
    #expect(result.client.chrootEnv == ["/bin": "/bin"])
    #expect(result.client.reserved.memoryMB == 512)
    #expect(result.client.reserved.reservedPorts == "22,80,8500-8600")
    #expect(result.client.hostVolumes["data"]?.path == "/srv")
    #expect(result.client.hostVolumes["data"]?.readOnly == true)
    #expect(result.client.hostNetworks["public"]?.cidr == "203.0.113.0/24")
    #expect(result.client.gcInterval == .minutes(1))
    #expect(result.server.enabled)
    #expect(result.server.heartbeatGrace == .seconds(10))
    #expect(result.server.serverJoin.retryJoin == ["192.0.2.1"])
    #expect(result.server.defaultSchedulerConfig["SchedulerAlgorithm"] == "spread")
    #expect(result.limits.httpMaxConnsPerClient == 100)
  }

  @Test func theDefaultsAreTheDocumentedOnes() throws {
    let result = try configuration(try parse(""))
    #expect(result.ports.http == 4646 && result.ports.rpc == 4647 && result.ports.serf == 4648)
    #expect(result.bindAddr == "0.0.0.0")
    #expect(result.region == "global" && result.datacenter == "dc1")
    #expect(result.client.minDynamicPort == 20_000 && result.client.maxDynamicPort == 32_000)
    #expect(result.server.jobGCThreshold == "4h")
  }

  @Test func anUnknownKeyIsAnErrorWithItsLineAndASuggestion() {
    let text = refusal("data_dir = \"/d\"\nclient {\n  enabled = true\n  node_clas = \"x\"\n}\n")
    #expect(text.contains("agent.hcl"))
    #expect(text.contains("4"))
    #expect(text.contains("node_clas = \"x\""))
    #expect(text.contains("^"))
    #expect(text.contains("node_class"))
  }

  @Test func everyMistakeOfAFileIsTold() {
    let text = refusal("bogus = 1\nports {\n  http = \"many\"\n  smtp = 25\n}\n")
    for part in ["bogus", "smtp", "http"] { #expect(text.contains(part), "\(part) in \(text)") }
  }

  @Test func jsonIsUnderstoodWhateverTheFileIsCalled() throws {
    let text = "  {\"data_dir\": \"/d\", \"server\": {\"enabled\": true}, \"client\": [{\"meta\": {\"a\": \"b\"}}], \"ports\": {\"http\": 5}}"
    for name in ["agent.json", "agent", "agent.hcl"] {
      let result = try configuration(try parse(text, name: name))
      #expect(result.dataDir == "/d")
      #expect(result.server.enabled)
      #expect(result.client.meta == ["a": "b"])
      #expect(result.ports.http == 5)
    }
  }

  @Test func aMistakeInJSONIsToldWithItsPlace() {
    let text = refusal("{\n  \"client\": {\n    \"enabeld\": true\n  }\n}")
    #expect(text.contains("enabeld"))
    #expect(text.contains("3"))
  }
}
