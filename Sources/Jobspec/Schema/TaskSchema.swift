internal import Codec
internal import HCLSchema

/// The `task` block. https://developer.hashicorp.com/nomad/docs/job-specification/task
let taskSchema = BlockSchema(
  labels: ["Name"],
  [
    string("driver", "Driver"),
    string("user", "User"),
    string("kind", "Kind"),
    bool("leader", "Leader"),
    duration("kill_timeout", "KillTimeout"),
    string("kill_signal", "KillSignal"),
    duration("shutdown_delay", "ShutdownDelay"),
    freeMap("config", "Config"),
    stringMap("env", "Env"),
    stringMap("meta", "Meta"),
    many("constraint", "Constraints") { constraintSchema },
    many("affinity", "Affinities") { affinitySchema },
    one("resources", "Resources") { resourcesSchema },
    one("restart", "RestartPolicy") { restartSchema },
    one("logs", "LogConfig") { logsSchema },
    many("artifact", "Artifacts") { artifactSchema },
    many("template", "Templates") { templateSchema },
    many("service", "Services") { serviceSchema },
    many("volume_mount", "VolumeMounts") { volumeMountSchema },
    many("secret", "Secrets") { secretSchema },
    many("action", "Actions") {
      BlockSchema(labels: ["Name"], [string("command", "Command"), strings("args", "Args")])
    },
    many("scaling", "ScalingPolicies") { taskScalingSchema },
    many("identity", "Identities") { identitySchema },
    one("lifecycle", "Lifecycle") { BlockSchema([string("hook", "Hook"), bool("sidecar", "Sidecar")]) },
    one("dispatch_payload", "DispatchPayload") { BlockSchema([string("file", "File")]) },
    one("vault", "Vault") { vaultSchema },
    one("consul", "Consul") { consulSchema },
    one("csi_plugin", "CSIPluginConfig") { csiPluginSchema },
    one("schedule", "Schedule") {
      BlockSchema([
        one("cron", "Cron") {
          BlockSchema([string("start", "Start"), string("end", "End"), string("timezone", "Timezone")])
        }
      ])
    },
  ],
  reshape: { task, reshaping in
    separateDefaultIdentity(&task)
    checkScalingPolicies(&task, &reshaping)
  })

/// The identity without a name, or named "default", is the task's own; the others are its further ones.
private func separateDefaultIdentity(_ task: inout JSONObject) {
  guard let identities = task["Identities"]?.arrayValue else { return }
  let isDefault = { (identity: JSONValue) in ["", "default"].contains(identity["Name"]?.stringValue ?? "") }
  if let own = identities.first(where: isDefault) { task["Identity"] = own }
  let others = identities.filter { !isDefault($0) }
  task["Identities"] = .array(others)
}

private func checkScalingPolicies(_ task: inout JSONObject, _ reshaping: inout Reshaping) {
  guard let policies = task["ScalingPolicies"]?.arrayValue else { return }
  var seen: Set<String> = []
  for policy in policies {
    guard let type = policy["Type"]?.stringValue else { continue }
    if !seen.insert(type).inserted {
      reshaping.errors.append(
        ("Duplicate scaling block", "Only one scaling block of a kind is allowed in a task; \(type) is there twice."))
    }
  }
}

let taskScalingSchema = BlockSchema(
  labels: ["Label"],
  [
    int("min", "Min"), int("max", "Max", required: true), bool("enabled", "Enabled"), string("type", "Type"),
    freeMap("policy", "Policy"),
  ],
  reshape: { scaling, reshaping in
    let label = scaling["Label"]?.stringValue ?? ""
    scaling["Label"] = nil
    guard let type = ["cpu": "vertical_cpu", "mem": "vertical_mem"][label] else {
      reshaping.errors.append(
        ("Invalid scaling policy name", "The label of a task's scaling block is \"cpu\" or \"mem\", not \"\(label)\"."))
      return
    }
    if let given = scaling["Type"]?.stringValue, given != type {
      reshaping.errors.append(
        ("Invalid scaling policy type", "The type of scaling \"\(label)\" is \"\(type)\", not \"\(given)\"."))
    }
    scaling["Type"] = .string(type)
  })

/// The `resources` block. Its `network` is the older place of the group's.
let resourcesSchema = BlockSchema([
  int("cpu", "CPU"),
  int("cores", "Cores"),
  int("memory", "MemoryMB"),
  int("memory_max", "MemoryMaxMB"),
  int("disk", "DiskMB"),
  int("iops", "IOPS"),
  int("secrets", "SecretsMB"),
  many("network", "Networks") { networkSchema },
  many("device", "Devices") {
    BlockSchema(
      labels: ["Name"],
      [
        int("count", "Count"),
        many("constraint", "Constraints") { constraintSchema },
        many("affinity", "Affinities") { affinitySchema },
      ])
  },
  one("numa", "NUMA") { BlockSchema([string("affinity", "Affinity"), strings("devices", "Devices")]) },
])

let logsSchema = BlockSchema([
  int("max_files", "MaxFiles"),
  int("max_file_size", "MaxFileSizeMB"),
  bool("enabled", "Enabled"),
  bool("disabled", "Disabled"),
])

let artifactSchema = BlockSchema([
  string("source", "GetterSource"),
  stringMap("options", "GetterOptions"),
  stringMap("headers", "GetterHeaders"),
  string("mode", "GetterMode"),
  bool("insecure", "GetterInsecure"),
  string("destination", "RelativeDest"),
  bool("chown", "Chown"),
])

let templateSchema = BlockSchema(
  [
    string("source", "SourcePath"),
    string("destination", "DestPath"),
    string("data", "EmbeddedTmpl"),
    string("change_mode", "ChangeMode"),
    string("change_signal", "ChangeSignal"),
    one("change_script", "ChangeScript") {
      BlockSchema(
        [
          string("command", "Command"), strings("args", "Args"), duration("timeout", "Timeout"),
          bool("fail_on_error", "FailOnError"), bool("run_on_first_render", "RunOnFirstRender"),
        ],
        reshape: { script, _ in
          script.setDefaults(["Args": [], "Timeout": 5_000_000_000, "FailOnError": false, "RunOnFirstRender": false])
        })
    },
    bool("once", "Once"),
    duration("splay", "Splay"),
    string("perms", "Perms"),
    int("uid", "Uid"),
    int("gid", "Gid"),
    string("left_delimiter", "LeftDelim"),
    string("right_delimiter", "RightDelim"),
    bool("env", "Envvars"),
    duration("vault_grace", "VaultGrace"),
    one("wait", "Wait") { BlockSchema([duration("min", "Min"), duration("max", "Max")]) },
    bool("error_on_missing_key", "ErrMissingKey"),
  ],
  reshape: { template, _ in
    template.setDefaults(["ChangeMode": "restart", "Splay": 5_000_000_000, "Perms": "0644", "ErrMissingKey": false])
  })

let volumeMountSchema = BlockSchema([
  string("volume", "Volume"),
  string("destination", "Destination"),
  bool("read_only", "ReadOnly"),
  string("propagation_mode", "PropagationMode"),
  string("selinux_label", "SELinuxLabel"),
])

let secretSchema = BlockSchema(
  labels: ["Name"],
  [
    string("provider", "Provider"), string("path", "Path"), freeMap("config", "Config"), stringMap("env", "Env"),
  ])

let identitySchema = BlockSchema([
  string("name", "Name"),
  strings("aud", "Audience"),
  string("change_mode", "ChangeMode"),
  string("change_signal", "ChangeSignal"),
  bool("env", "Env"),
  bool("file", "File"),
  string("filepath", "Filepath"),
  duration("ttl", "TTL"),
  stringMap("extra_claims", "ExtraClaims"),
  string("service_name", "ServiceName"),
])

let vaultSchema = BlockSchema(
  [
    strings("policies", "Policies"),
    string("role", "Role"),
    string("namespace", "Namespace"),
    string("cluster", "Cluster"),
    bool("env", "Env"),
    bool("disable_file", "DisableFile"),
    string("change_mode", "ChangeMode"),
    string("change_signal", "ChangeSignal"),
    bool("allow_token_expiration", "AllowTokenExpiration"),
  ],
  reshape: { vault, _ in vault.setDefaults(["Env": true, "DisableFile": false, "ChangeMode": "restart"]) })

let csiPluginSchema = BlockSchema([
  string("id", "ID"),
  string("type", "Type"),
  string("mount_dir", "MountDir"),
  string("stage_publish_base_dir", "StagePublishBaseDir"),
  duration("health_timeout", "HealthTimeout"),
])

extension JSONObject {
  /// Fills members that are missing: defaults that the reference applies while it parses, before any canonical form.
  mutating func setDefaults(_ defaults: JSONObject) {
    for (key, value) in defaults.members where self[key] == nil { self[key] = value }
  }
}
