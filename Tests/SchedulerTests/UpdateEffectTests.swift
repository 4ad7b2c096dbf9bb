import Codec
import Model
import Testing

@testable import Scheduler

@Suite struct UpdateEffectTests {
  struct Edit: Sendable, CustomStringConvertible {
    let description: String
    let replaces: Bool
    let change: @Sendable (inout Job) -> Void
    init(_ description: String, replaces: Bool, _ change: @escaping @Sendable (inout Job) -> Void) {
      self.description = description
      self.replaces = replaces
      self.change = change
    }
  }

  static let edits: [Edit] = [
    Edit("nothing", replaces: false) { _ in },
    Edit("task driver", replaces: true) { $0.editTask { $0.driver = "raw_exec" } },
    Edit("task user", replaces: true) { $0.editTask { $0.user = "www" } },
    Edit("task config", replaces: true) { $0.editTask { $0.config = ["command": "/bin/true"] } },
    Edit("task env", replaces: true) { $0.editTask { $0.env["A"] = "b" } },
    Edit("task meta", replaces: true) { $0.editTask { $0.meta["A"] = "b" } },
    Edit("group meta", replaces: true) { $0.editGroup { $0.meta["A"] = "b" } },
    Edit("job meta", replaces: true) { $0.meta["A"] = "b" },
    Edit("cpu", replaces: true) { $0.editTask { $0.resources?.cpu = 600 } },
    Edit("memory", replaces: true) { $0.editTask { $0.resources?.memoryMB = 600 } },
    Edit("memory_max", replaces: true) { $0.editTask { $0.resources?.memoryMaxMB = 900 } },
    Edit("ephemeral disk", replaces: true) { $0.editGroup { $0.ephemeralDisk?.sizeMB = 301 } },
    Edit("network", replaces: true) { $0.editGroup { $0.networks = [NetworkResource()] } },
    Edit("volume", replaces: true) { $0.editGroup { $0.volumes["a"] = VolumeRequest() } },
    Edit("template", replaces: true) { $0.editTask { $0.templates = [Template()] } },
    Edit("artifact", replaces: true) { $0.editTask { $0.artifacts = [TaskArtifact()] } },
    Edit("vault", replaces: true) { $0.editTask { $0.vault = Vault() } },
    Edit("lifecycle", replaces: true) { $0.editTask { $0.lifecycle = TaskLifecycle() } },
    Edit("logs", replaces: true) { $0.editTask { $0.logConfig?.maxFiles = 3 } },
    Edit("volume mount", replaces: true) { $0.editTask { $0.volumeMounts = [VolumeMount()] } },
    Edit("affinity", replaces: true) { $0.affinities = [Affinity()] },
    Edit("spread", replaces: true) { $0.editGroup { $0.spreads = [Spread()] } },
    Edit("a second task", replaces: true) { $0.editGroup { $0.tasks.append(JobTask()) } },
    Edit("task name", replaces: true) { $0.editTask { $0.name = "other" } },
    Edit("group name", replaces: true) { $0.editGroup { $0.name = "other" } },
    Edit("count", replaces: false) { $0.editGroup { $0.count = 9 } },
    Edit("constraint", replaces: false) { $0.constraints = [makeConstraint("${attr.cpu.arch}", "=", "amd64")] },
    Edit("service", replaces: false) { $0.editGroup { $0.services = [Service()] } },
    Edit("cores", replaces: true) { $0.editTask { $0.resources?.cores = 2 } },
    Edit("device", replaces: true) { $0.editTask { $0.resources?.devices = [RequestedDevice()] } },
    Edit("numa", replaces: true) { $0.editTask { $0.resources?.numa = NUMAResource() } },
    Edit("task network", replaces: true) { $0.editTask { $0.resources?.networks = [NetworkResource()] } },
    Edit("secrets", replaces: true) { $0.editTask { $0.resources?.secretsMB = 2 } },
    Edit("task kind", replaces: true) { $0.editTask { $0.kind = "connect-proxy:a" } },
    Edit("dispatch payload", replaces: true) { $0.editTask { $0.dispatchPayload = DispatchPayloadConfig() } },
    Edit("task affinity", replaces: true) { $0.editTask { $0.affinities = [Affinity()] } },
    Edit("group affinity", replaces: true) { $0.editGroup { $0.affinities = [Affinity()] } },
    Edit("job spread", replaces: true) { $0.spreads = [Spread()] },
    Edit("task consul", replaces: true) { $0.editTask { $0.consul = Consul() } },
    Edit("group consul", replaces: true) { $0.editGroup { $0.consul = Consul() } },
    Edit("identity", replaces: true) { $0.editTask { $0.identity = WorkloadIdentity() } },
    Edit("identities", replaces: true) { $0.editTask { $0.identities = [WorkloadIdentity()] } },
    Edit("csi plugin", replaces: true) { $0.editTask { $0.csiPluginConfig = TaskCSIPluginConfig() } },
    Edit("secret", replaces: true) { $0.editTask { $0.secrets = [TaskSecret()] } },
    Edit("a task removed", replaces: true) { $0.editGroup { $0.tasks = [] } },
    Edit("connected service", replaces: true) {
      $0.editGroup {
        var service = Service()
        service.connect = ConsulConnect()
        $0.services = [service]
      }
    },
    Edit("group constraint", replaces: false) { $0.editGroup { $0.constraints = [makeConstraint("a", "=", "a")] } },
    Edit("task constraint", replaces: false) { $0.editTask { $0.constraints = [makeConstraint("a", "=", "a")] } },
    Edit("task service", replaces: false) { $0.editTask { $0.services = [Service()] } },
    Edit("task restart", replaces: false) { $0.editTask { $0.restartPolicy?.attempts = 9 } },
    Edit("disconnect", replaces: false) { $0.editGroup { $0.disconnect = DisconnectStrategy() } },
    Edit("max_client_disconnect", replaces: false) { $0.editGroup { $0.maxClientDisconnect = .seconds(9) } },
    Edit("scaling", replaces: false) { $0.editGroup { $0.scaling = ScalingPolicy() } },
    Edit("task scaling", replaces: false) { $0.editTask { $0.scalingPolicies = [ScalingPolicy()] } },
    Edit("max_run_duration", replaces: false) { $0.editGroup { $0.maxRunDuration = .seconds(9) } },
    Edit("group shutdown delay", replaces: false) { $0.editGroup { $0.shutdownDelay = .seconds(9) } },
    Edit("action", replaces: false) { $0.editTask { $0.actions = [Action()] } },
    Edit("schedule", replaces: false) { $0.editTask { $0.schedule = TaskSchedule() } },
    Edit("ui", replaces: false) { $0.ui = JobUI() },
    Edit("node pool", replaces: false) { $0.nodePool = "gpu" },
    Edit("all_at_once", replaces: false) { $0.allAtOnce = true },
    Edit("restart", replaces: false) { $0.editGroup { $0.restartPolicy?.attempts = 9 } },
    Edit("reschedule", replaces: false) { $0.editGroup { $0.reschedulePolicy?.attempts = 9 } },
    Edit("update", replaces: false) { $0.editGroup { $0.update?.maxParallel = 9 } },
    Edit("migrate", replaces: false) { $0.editGroup { $0.migrate?.maxParallel = 9 } },
    Edit("kill timeout", replaces: false) { $0.editTask { $0.killTimeout = .seconds(9) } },
    Edit("kill signal", replaces: false) { $0.editTask { $0.killSignal = "SIGTERM" } },
    Edit("shutdown delay", replaces: false) { $0.editTask { $0.shutdownDelay = .seconds(9) } },
    Edit("leader", replaces: false) { $0.editTask { $0.leader = true } },
    Edit("priority", replaces: false) { $0.priority = 70 },
    Edit("datacenters", replaces: false) { $0.datacenters = ["dc1"] },
  ]

  @Test(arguments: edits) func aChangeHasTheEffectOfTheTable(edit: Edit) {
    let old = makeJob("a")
    var new = old
    edit.change(&new)
    #expect(UpdateEffect.needsReplacement(group: "web", old: old, new: new) == edit.replaces)
  }
}
