import Model

/// Which changes of a job an allocation can take over while it runs, and which need a new one.
///
/// | block, attribute | effect |
/// |---|---|
/// | group: a task added, removed or renamed | new allocation |
/// | group `ephemeral_disk`, `network`, `volume`, `consul` | new allocation |
/// | job, group, task `affinity`; job, group `spread` | new allocation (the placement itself is asked for anew) |
/// | job, group, task `meta` | new allocation (tasks see it in their environment) |
/// | task `driver`, `user`, `config`, `env`, `kind`, `lifecycle`, `dispatch_payload` | new allocation |
/// | task `artifact`, `template`, `vault`, `consul`, `secret`, `identity`, `csi_plugin`, `volume_mount`, `logs` | new allocation |
/// | task `resources`: cpu, cores, memory, memory_max, devices, numa, networks, secrets | new allocation |
/// | group, task `service` with `connect` | new allocation (a sidecar belongs to it) |
/// | group `count` | as many more or fewer |
/// | `constraint` | in place where the node still meets it, else a new allocation |
/// | everything else: `service` without `connect`, `restart`, `reschedule`, `migrate`, `update`, `disconnect`, `scaling`, `kill_timeout`, `kill_signal`, `shutdown_delay`, `max_run_duration`, `leader`, `action`, `schedule`, `priority`, `ui`, `datacenters`, `node_pool` | in place where the node is still eligible |
enum UpdateEffect {
  /// Whether an allocation of the old job's group must be replaced to run the new job's group of the same name. A group
  /// that either job lacks must.
  static func needsReplacement(group name: String, old: Job, new: Job) -> Bool {
    guard let oldGroup = old.taskGroups.first(where: { $0.name == name }),
      let newGroup = new.taskGroups.first(where: { $0.name == name })
    else { return true }
    if old.affinities != new.affinities || old.spreads != new.spreads || old.meta != new.meta { return true }
    if groupDiffers(oldGroup, newGroup) { return true }
    guard oldGroup.tasks.count == newGroup.tasks.count else { return true }
    return newGroup.tasks.contains { task in
      guard let oldTask = oldGroup.tasks.first(where: { $0.name == task.name }) else { return true }
      return taskDiffers(oldTask, task)
    }
  }

  private static func groupDiffers(_ old: TaskGroup, _ new: TaskGroup) -> Bool {
    old.affinities != new.affinities || old.spreads != new.spreads || old.meta != new.meta
      || old.ephemeralDisk != new.ephemeralDisk || old.networks != new.networks || old.volumes != new.volumes
      || old.consul != new.consul || connected(old.services) != connected(new.services)
  }

  private static func taskDiffers(_ old: JobTask, _ new: JobTask) -> Bool {
    old.driver != new.driver || old.user != new.user || old.config != new.config || old.env != new.env
      || old.kind != new.kind || old.lifecycle != new.lifecycle || old.dispatchPayload != new.dispatchPayload
      || old.meta != new.meta || old.affinities != new.affinities || old.artifacts != new.artifacts
      || old.templates != new.templates || old.vault != new.vault || old.consul != new.consul
      || old.secrets != new.secrets || old.identity != new.identity || old.identities != new.identities
      || old.csiPluginConfig != new.csiPluginConfig || old.volumeMounts != new.volumeMounts
      || old.logConfig != new.logConfig || resourcesDiffer(old.resources ?? Resources(), new.resources ?? Resources())
      || connected(old.services) != connected(new.services)
  }

  private static func resourcesDiffer(_ old: Resources, _ new: Resources) -> Bool {
    old.cpu != new.cpu || old.cores != new.cores || old.memoryMB != new.memoryMB || old.memoryMaxMB != new.memoryMaxMB
      || old.devices != new.devices || old.numa != new.numa || old.networks != new.networks
      || old.secretsMB != new.secretsMB
  }

  private static func connected(_ services: [Service]) -> [Service] { services.filter { $0.connect != nil } }
}
