// `JobTask` and not `Task`: that name is Swift's own unit of concurrency, and every module would have to spell out which
// one it means.

public import Codec

/// One process (or what the driver makes of it) of a group.
public struct JobTask: Record {
  public var name = ""
  public var driver = ""
  public var user = ""
  @Indirect public var lifecycle: TaskLifecycle?
  public var config = JSONObject()
  public var constraints: [Constraint] = []
  public var affinities: [Affinity] = []
  public var env: [String: String] = [:]
  public var services: [Service] = []
  @Indirect public var resources: Resources?
  @Indirect public var restartPolicy: RestartPolicy?
  public var meta: [String: String] = [:]
  /// Between the kill signal and SIGKILL.
  public var killTimeout: Nanoseconds?
  @Indirect public var logConfig: LogConfig?
  public var artifacts: [TaskArtifact] = []
  @Indirect public var vault: Vault?
  @Indirect public var consul: Consul?
  public var templates: [Template] = []
  @Indirect public var dispatchPayload: DispatchPayloadConfig?
  public var volumeMounts: [VolumeMount] = []
  @Indirect public var csiPluginConfig: TaskCSIPluginConfig?
  /// When this task ends, the others of the group are stopped.
  public var leader = false
  public var shutdownDelay: Nanoseconds = .zero
  /// Empty for SIGINT.
  public var killSignal = ""
  public var kind = ""
  public var scalingPolicies: [ScalingPolicy] = []
  public var secrets: [TaskSecret] = []
  /// The default workload identity.
  @Indirect public var identity: WorkloadIdentity?
  public var identities: [WorkloadIdentity]?
  public var actions: [Action] = []
  @Indirect public var schedule: TaskSchedule?

  public init() {}

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

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Hook", &hook)
    v.field(2, "Sidecar", &sidecar)
  }
}

/// Rotation of a task's logs.
public struct LogConfig: Record {
  public var maxFiles: Int?
  public var maxFileSizeMB: Int?
  /// Superseded by `disabled`.
  public var enabled: Bool?
  public var disabled: Bool?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "MaxFiles", &maxFiles)
    v.field(2, "MaxFileSizeMB", &maxFileSizeMB)
    v.field(3, "Enabled", &enabled)
    v.field(4, "Disabled", &disabled)
  }
}

/// A command that a user may run inside a task by name.
public struct Action: Record {
  public var name = ""
  public var command = ""
  public var args: [String] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name, .diffKey)
    v.field(2, "Command", &command)
    v.field(3, "Args", &args)
  }
}

/// When a task may run.
public struct TaskSchedule: Record {
  @Indirect public var cron: TaskScheduleCron?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Cron", &_cron)
  }
}

/// A daily window, given by the cron expressions of its ends.
public struct TaskScheduleCron: Record {
  public var start = ""
  public var end = ""
  public var timezone = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Start", &start)
    v.field(2, "End", &end)
    v.field(3, "Timezone", &timezone)
  }
}

/// What makes a task a CSI plugin (`csi_plugin` block).
public struct TaskCSIPluginConfig: Record {
  public var id = ""
  /// `controller`, `node` or `monolith`.
  public var type = ""
  public var mountDir = ""
  public var stagePublishBaseDir = ""
  public var healthTimeout: Nanoseconds = .zero

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Type", &type)
    v.field(3, "MountDir", &mountDir)
    v.field(4, "StagePublishBaseDir", &stagePublishBaseDir)
    v.field(5, "HealthTimeout", &healthTimeout)
  }
}
