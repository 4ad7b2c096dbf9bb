import Codec

extension JobTask {
  mutating func canonicalize(in job: Job, _ group: TaskGroup) {
    fill(&resources, Resources())
    edit(&resources) { $0.canonicalize() }
    fill(&killTimeout, .seconds(5))
    fill(&logConfig, LogConfig())
    edit(&logConfig) { $0.canonicalize() }
    for index in artifacts.indices { artifacts[index].canonicalize() }
    edit(&vault) { $0.canonicalize() }
    edit(&consul) { $0.canonicalize() }
    for index in templates.indices { templates[index].canonicalize() }
    for index in affinities.indices { fill(&affinities[index].weight, Affinity.defaultWeight) }
    for index in volumeMounts.indices { volumeMounts[index].canonicalize() }
    for index in scalingPolicies.indices { scalingPolicies[index].canonicalize(count: nil) }
    edit(&csiPluginConfig) { $0.canonicalize() }
    // The group's policy holds for what the task's own leaves open.
    var restart = group.restartPolicy ?? RestartPolicy()
    if let own = restartPolicy { restart.merge(own) }
    restartPolicy = restart
    let task = self
    for index in services.indices { services[index].canonicalize(job: job, group: group, task: task) }
  }
}

extension Resources {
  mutating func canonicalize() {
    fill(&cores, 0)
    // Whole cores stand instead of a share.
    fill(&cpu, cores == 0 ? JobLimits.defaultCPU : 0)
    fill(&memoryMB, JobLimits.defaultMemoryMB)
    for index in devices.indices {
      fill(&devices[index].count, 1)
      for affinity in devices[index].affinities.indices {
        fill(&devices[index].affinities[affinity].weight, Affinity.defaultWeight)
      }
    }
    edit(&numa) { fill(&$0.affinity, "none") }
  }
}

extension LogConfig {
  mutating func canonicalize() {
    fill(&maxFiles, 10)
    fill(&maxFileSizeMB, 10)
    fill(&disabled, false)
  }
}

extension TaskArtifact {
  mutating func canonicalize() {
    fill(&getterMode, "any")
    fill(&getterInsecure, false)
    if (getterSource ?? "").isEmpty { getterSource = "" }
    if relativeDest == nil {
      // A single file goes by its own name into the task's local directory; anything else becomes that directory.
      switch getterMode {
      case "file":
        let name = (getterSource ?? "").split(separator: "/", omittingEmptySubsequences: true).last ?? ""
        relativeDest = "local/" + name
      default: relativeDest = "local/"
      }
    }
  }
}

extension Vault {
  mutating func canonicalize() {
    fill(&namespace, "")
    fill(&cluster, "default")
    fill(&env, true)
    fill(&disableFile, false)
    fill(&changeMode, "restart")
    fill(&changeSignal, "SIGHUP")
    fill(&allowTokenExpiration, false)
  }
}

extension Template {
  mutating func canonicalize() {
    fill(&sourcePath, "")
    fill(&destPath, "")
    fill(&embeddedTmpl, "")
    fill(&changeMode, "restart")
    fill(&changeSignal, "")
    changeSignal = changeSignal?.uppercased()
    edit(&changeScript) { $0.canonicalize() }
    fill(&once, false)
    fill(&splay, .seconds(5))
    fill(&perms, "0644")
    fill(&leftDelim, "{{")
    fill(&rightDelim, "}}")
    fill(&envvars, false)
    fill(&vaultGrace, .zero)
    fill(&errMissingKey, false)
  }
}

extension ChangeScript {
  mutating func canonicalize() {
    fill(&command, "")
    fill(&args, [])
    fill(&timeout, .seconds(5))
    fill(&failOnError, false)
    fill(&runOnFirstRender, false)
  }
}

extension VolumeMount {
  mutating func canonicalize() {
    fill(&readOnly, false)
    fill(&propagationMode, "private")
    fill(&seLinuxLabel, "")
  }
}

extension TaskCSIPluginConfig {
  mutating func canonicalize() {
    fill(&mountDir, "/csi")
    fill(&stagePublishBaseDir, "/local/csi")
    if healthTimeout == .zero { healthTimeout = .seconds(30) }
  }
}
