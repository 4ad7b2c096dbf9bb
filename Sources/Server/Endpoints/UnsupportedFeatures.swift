internal import Model

/// The parts of a job that this version keeps but does not act on. A job that depends on one is refused by name, never
/// accepted with that part ignored.
struct UnsupportedFeatures {
  private var found: [String] = []

  /// One sentence for each block of `job` that this version does not run.
  static func sentences(for job: Job) -> [String] {
    var check = UnsupportedFeatures()
    check.job(job)
    return check.found
  }

  private mutating func refuse(_ path: String, _ block: String, when isUsed: Bool = true) {
    if isUsed { found.append("\(path): this version does not run the \(block) block: remove it") }
  }

  private mutating func job(_ job: Job) {
    let path = "job \"\(job.id)\""
    refuse(path, "multiregion", when: job.multiregion != nil)
    for group in job.taskGroups { self.group(group, path) }
  }

  private mutating func group(_ group: TaskGroup, _ path: String) {
    let path = path + " > group \"\(group.name)\""
    refuse(path, "service", when: !group.services.isEmpty)
    for (name, volume) in group.volumes.sorted(by: { $0.key < $1.key }) { self.volume(name, volume, path) }
    refuse(path, "consul", when: group.consul.map { !$0.namespace.isEmpty || !$0.partition.isEmpty } ?? false)
    if group.maxRunDuration != nil { found.append("\(path): this version does not run max_run_duration: remove it") }
    for network in group.networks { self.network(network, path) }
    for task in group.tasks { self.task(task, path) }
  }

  private mutating func volume(_ name: String, _ volume: VolumeRequest, _ path: String) {
    let path = path + " > volume \"\(name)\""
    if volume.type == "csi" {
      found.append("\(path): this version does not run volumes of type \"csi\": use type = \"host\"")
    }
    if volume.sticky {
      found.append(
        "\(path): this version does not run sticky, which is for volumes that the cluster makes: remove it, and put a "
          + "constraint on the node")
    }
  }

  private mutating func network(_ network: NetworkResource, _ path: String) {
    if !["", "host", "none"].contains(network.mode) {
      found.append(
        "\(path) > network: this version does not run network mode \"\(network.mode)\": use mode = \"host\", which is the default"
      )
    }
    refuse(path + " > network", "dns", when: network.dns != nil)
    refuse(path + " > network", "cni", when: network.cni != nil)
  }

  private mutating func task(_ task: JobTask, _ path: String) {
    let path = path + " > task \"\(task.name)\""
    refuse(path, "service", when: !task.services.isEmpty)
    for mount in task.volumeMounts where mount.seLinuxLabel?.isEmpty == false {
      found.append("\(path) > volume_mount: this version does not run selinux_label: remove it")
    }
    refuse(path, "vault", when: task.vault != nil)
    refuse(path, "secret", when: !task.secrets.isEmpty)
    refuse(path, "csi_plugin", when: task.csiPluginConfig != nil)
    refuse(path, "scaling", when: !task.scalingPolicies.isEmpty)
    refuse(path, "action", when: !task.actions.isEmpty)
    refuse(path, "schedule", when: task.schedule != nil)
    let ownIdentity = task.identity.map { $0.env || $0.file } ?? false
    refuse(path, "identity", when: ownIdentity || !(task.identities ?? []).isEmpty)
  }
}
