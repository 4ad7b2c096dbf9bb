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
