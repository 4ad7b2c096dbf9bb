// `JobTask` and not `Task`: that name is Swift's own unit of concurrency, and every module would have to spell out which
// one it means.

public import Codec

/// One process (or what the driver makes of it) of a group.
public struct JobTask: Record {
  /// Unique within the group; names its directory and its log files.
  public var name = ""
  /// Which driver runs it: `exec`, `java`, `raw_exec`.
  public var driver = ""
  /// User that it runs as; the driver's default (`nobody` for `exec`) when empty.
  public var user = ""
  /// When it runs in relation to the group's main tasks; absent for a main task.
  @Indirect public var lifecycle: TaskLifecycle?
  /// The driver's own options, checked by the driver's schema.
  public var config = JSONObject()
  /// What a node must satisfy, besides the group's and the job's.
  public var constraints: [Constraint] = []
  /// What nodes are preferred, besides the group's and the job's.
  public var affinities: [Affinity] = []
  /// Environment variables; values are interpolated.
  public var env: [String: String] = [:]
  /// Services that this task provides.
  public var services: [Service] = []
  /// CPU, memory and devices; filled with the documented defaults.
  @Indirect public var resources: Resources?
  /// What follows an exit of the task; the default is the group's.
  @Indirect public var restartPolicy: RestartPolicy?
  /// Key and value pairs, over those of group and job; `NOMAD_META_x` in the environment.
  public var meta: [String: String] = [:]
  /// Between the kill signal and SIGKILL.
  public var killTimeout: Nanoseconds?
  /// Size and number of the log files.
  @Indirect public var logConfig: LogConfig?
  /// Files that are fetched before the task starts.
  public var artifacts: [TaskArtifact] = []
  /// Token of a Vault; refused by this version.
  @Indirect public var vault: Vault?
  /// Consul namespace and cluster for templates; refused by this version when it names one.
  @Indirect public var consul: Consul?
  /// Files that are rendered before the task starts and while it runs.
  public var templates: [Template] = []
  /// Where the payload of a dispatch is written.
  @Indirect public var dispatchPayload: DispatchPayloadConfig?
  /// The group's volumes and where the task sees them.
  public var volumeMounts: [VolumeMount] = []
  /// Makes the task a CSI plugin; refused by this version.
  @Indirect public var csiPluginConfig: TaskCSIPluginConfig?
  /// When this task ends, the others of the group are stopped.
  public var leader = false
  /// Nanoseconds between deregistration of its services and the kill signal.
  public var shutdownDelay: Nanoseconds = .zero
  /// Empty for SIGINT.
  public var killSignal = ""
  /// Set on tasks that are made for a Consul mesh, such as `connect-proxy:web`.
  public var kind = ""
  /// Enterprise's vertical scaling; refused by this version.
  public var scalingPolicies: [ScalingPolicy] = []
  /// Secrets that are fetched before the task starts; refused by this version.
  public var secrets: [TaskSecret] = []
  /// The default workload identity.
  @Indirect public var identity: WorkloadIdentity?
  /// Further workload identities by name; refused by this version.
  public var identities: [WorkloadIdentity]?
  /// Commands that may be run in the task by name; refused by this version.
  public var actions: [Action] = []
  /// Windows in which the task may run; refused by this version.
  @Indirect public var schedule: TaskSchedule?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name, .diffKey)
    v.field(2, "Driver", &driver)
    v.field(3, "User", &user)
    v.field(4, "Lifecycle", &_lifecycle)
    v.field(5, "Config", &config, .diffObject)
    v.field(6, "Constraints", &constraints)
    v.field(7, "Affinities", &affinities)
    v.field(8, "Env", &env)
    v.field(9, "Services", &services)
    v.field(10, "Resources", &_resources)
    v.field(11, "RestartPolicy", &_restartPolicy)
    v.field(12, "Meta", &meta)
    v.field(13, "KillTimeout", &killTimeout)
    v.field(14, "LogConfig", &_logConfig)
    v.field(15, "Artifacts", &artifacts)
    v.field(16, "Vault", &_vault)
    v.field(17, "Consul", &_consul)
    v.field(18, "Templates", &templates)
    v.field(19, "DispatchPayload", &_dispatchPayload)
    v.field(20, "VolumeMounts", &volumeMounts)
    v.field(21, "CSIPluginConfig", &_csiPluginConfig, .omitEmpty)
    v.field(22, "Leader", &leader)
    v.field(23, "ShutdownDelay", &shutdownDelay)
    v.field(24, "KillSignal", &killSignal)
    v.field(25, "Kind", &kind)
    v.field(26, "ScalingPolicies", &scalingPolicies)
    v.field(27, "Secrets", &secrets)
    v.field(28, "Identity", &_identity)
    v.field(29, "Identities", &identities)
    v.field(30, "Actions", &actions)
    v.field(31, "Schedule", &_schedule)
  }
}

/// When a task runs in relation to the group's main tasks.
public struct TaskLifecycle: Record {
  /// `prestart`, `poststart` or `poststop`.
  public var hook = ""
  /// Runs on beside the main tasks.
  public var sidecar = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Hook", &hook)
    v.field(2, "Sidecar", &sidecar)
  }
}

/// Rotation of a task's logs.
public struct LogConfig: Record {
  /// Files kept per stream, the one written to included; 10 by default.
  public var maxFiles: Int?
  /// Size in MiB at which a file is closed and the next begun; 10 by default.
  public var maxFileSizeMB: Int?
  /// Superseded by `disabled`.
  public var enabled: Bool?
  /// Output is thrown away instead of kept.
  public var disabled: Bool?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "MaxFiles", &maxFiles)
    v.field(2, "MaxFileSizeMB", &maxFileSizeMB)
    v.field(3, "Enabled", &enabled)
    v.field(4, "Disabled", &disabled)
  }
}

/// A command that a user may run inside a task by name.
public struct Action: Record {
  /// Unique within the task.
  public var name = ""
  /// Program, as seen inside the task.
  public var command = ""
  /// Its arguments.
  public var args: [String] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name, .diffKey)
    v.field(2, "Command", &command)
    v.field(3, "Args", &args)
  }
}

/// When a task may run.
public struct TaskSchedule: Record {
  /// The window by cron expressions.
  @Indirect public var cron: TaskScheduleCron?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Cron", &_cron)
  }
}

/// A daily window, given by the cron expressions of its ends.
public struct TaskScheduleCron: Record {
  /// Cron expression of the window's begin.
  public var start = ""
  /// Minute and hour of its end.
  public var end = ""
  /// Time zone of both, a name of the tz database; UTC by default.
  public var timezone = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Start", &start)
    v.field(2, "End", &end)
    v.field(3, "Timezone", &timezone)
  }
}

/// What makes a task a CSI plugin (`csi_plugin` block).
public struct TaskCSIPluginConfig: Record {
  /// Id under which the plugin's volumes are claimed.
  public var id = ""
  /// `controller`, `node` or `monolith`.
  public var type = ""
  /// Where the plugin finds its socket's directory.
  public var mountDir = ""
  /// Where the plugin mounts what it stages and publishes.
  public var stagePublishBaseDir = ""
  /// How long a new plugin may take to answer, in nanoseconds; 30 s by default.
  public var healthTimeout: Nanoseconds = .zero

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Type", &type)
    v.field(3, "MountDir", &mountDir)
    v.field(4, "StagePublishBaseDir", &stagePublishBaseDir)
    v.field(5, "HealthTimeout", &healthTimeout)
  }
}
