internal import Codec
internal import HCLSchema

/// The `group` block. https://developer.hashicorp.com/nomad/docs/job-specification/group
let groupSchema = BlockSchema(
  labels: ["Name"],
  [
    int("count", "Count"),
    stringMap("meta", "Meta"),
    duration("shutdown_delay", "ShutdownDelay"),
    duration("max_run_duration", "MaxRunDuration"),
    duration("stop_after_client_disconnect", "StopAfterClientDisconnect"),
    duration("max_client_disconnect", "MaxClientDisconnect"),
    bool("prevent_reschedule_on_lost", "PreventRescheduleOnLost"),
    many("constraint", "Constraints") { constraintSchema },
    many("affinity", "Affinities") { affinitySchema },
    many("spread", "Spreads") { spreadSchema },
    one("restart", "RestartPolicy") { restartSchema },
    one("reschedule", "ReschedulePolicy") { rescheduleSchema },
    one("disconnect", "Disconnect") { disconnectSchema },
    one("ephemeral_disk", "EphemeralDisk") {
      BlockSchema([bool("sticky", "Sticky"), bool("migrate", "Migrate"), int("size", "SizeMB")])
    },
    one("update", "Update") { updateSchema },
    one("migrate", "Migrate") { migrateSchema },
    many("network", "Networks") { networkSchema },
    many("service", "Services") { serviceSchema },
    keyed("volume", "Volumes") { volumeSchema },
    one("scaling", "Scaling") { groupScalingSchema },
    one("consul", "Consul") { consulSchema },
    one("vault", "Vault") { vaultSchema },
    many("task", "Tasks") { taskSchema },
  ])

let restartSchema = BlockSchema([
  int("attempts", "Attempts"),
  duration("interval", "Interval"),
  duration("delay", "Delay"),
  string("mode", "Mode"),
  bool("render_templates", "RenderTemplates"),
])

let rescheduleSchema = BlockSchema([
  int("attempts", "Attempts"),
  duration("interval", "Interval"),
  duration("delay", "Delay"),
  string("delay_function", "DelayFunction"),
  duration("max_delay", "MaxDelay"),
  bool("unlimited", "Unlimited"),
])

let disconnectSchema = BlockSchema([
  duration("lost_after", "LostAfter"),
  duration("stop_on_client_after", "StopOnClientAfter"),
  bool("replace", "Replace"),
  string("reconcile", "Reconcile"),
])

let updateSchema = BlockSchema([
  duration("stagger", "Stagger"),
  int("max_parallel", "MaxParallel"),
  string("health_check", "HealthCheck"),
  duration("min_healthy_time", "MinHealthyTime"),
  duration("healthy_deadline", "HealthyDeadline"),
  duration("progress_deadline", "ProgressDeadline"),
  bool("auto_revert", "AutoRevert"),
  bool("auto_promote", "AutoPromote"),
  int("canary", "Canary"),
])

let migrateSchema = BlockSchema([
  int("max_parallel", "MaxParallel"),
  string("health_check", "HealthCheck"),
  duration("min_healthy_time", "MinHealthyTime"),
  duration("healthy_deadline", "HealthyDeadline"),
])

let volumeSchema = BlockSchema(
  labels: ["Name"],
  [
    string("type", "Type"),
    string("source", "Source"),
    bool("read_only", "ReadOnly"),
    bool("sticky", "Sticky"),
    bool("per_alloc", "PerAlloc"),
    string("access_mode", "AccessMode"),
    string("attachment_mode", "AttachmentMode"),
    one("mount_options", "MountOptions") {
      BlockSchema([string("fs_type", "FSType"), strings("mount_flags", "MountFlags")])
    },
  ])

let consulSchema = BlockSchema([
  string("namespace", "Namespace"),
  string("cluster", "Cluster"),
  string("partition", "Partition"),
])

/// `network` of a group, and the older one inside `resources`.
let networkSchema = BlockSchema(
  [
    string("mode", "Mode"),
    int("mbits", "MBits"),
    string("hostname", "Hostname"),
    many("port", "Ports") {
      BlockSchema(
        labels: ["Label"],
        [
          int("static", "Value"), int("to", "To"), string("host_network", "HostNetwork"),
          bool("ignore_collision", "IgnoreCollision"),
        ])
    },
    one("dns", "DNS") {
      BlockSchema([strings("servers", "Servers"), strings("searches", "Searches"), strings("options", "Options")])
    },
    one("cni", "CNI") { BlockSchema([stringMap("args", "Args")]) },
  ],
  reshape: { network, _ in
    let ports = network["Ports"]?.arrayValue ?? []
    network["Ports"] = nil
    let reserved = ports.filter { $0["Value"]?.intValue ?? 0 != 0 }
    let dynamic = ports.filter { $0["Value"]?.intValue ?? 0 == 0 }
    if !reserved.isEmpty { network["ReservedPorts"] = .array(reserved) }
    if !dynamic.isEmpty { network["DynamicPorts"] = .array(dynamic) }
  })

let groupScalingSchema = BlockSchema(
  [
    int("min", "Min"),
    int("max", "Max", required: true),
    bool("enabled", "Enabled"),
    string("type", "Type"),
    freeMap("policy", "Policy"),
  ],
  reshape: { scaling, reshaping in
    if let type = scaling["Type"]?.stringValue, type != "horizontal" {
      reshaping.errors.append(
        ("Invalid group scaling type", "A group scales horizontally; \"\(type)\" is not a type of its policies."))
    }
    scaling["Type"] = "horizontal"
  })
