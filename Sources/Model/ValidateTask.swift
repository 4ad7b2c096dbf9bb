import Codec

extension JobValidator {
  mutating func validateTask(_ task: JobTask, in group: TaskGroup) {
    require(!task.name.isEmpty, "the task has no name; write it as the label of the task block")
    // The name becomes a directory of the allocation.
    if task.name.contains(where: { "/\\\0".contains($0) }) || task.name == "." || task.name == ".." {
      fail("the name can't be a directory's; it must have no slash, backslash or NUL and not be \".\" or \"..\"")
    }
    require(task.name != "alloc", "\"alloc\" is the shared directory of every allocation; give the task another name")
    require(!task.driver.isEmpty, "driver is missing; set it, for example to \"exec\"")
    notNegative("kill_timeout", task.killTimeout)
    notNegative("shutdown_delay", task.shutdownDelay)
    for key in task.env.keys.sorted() where key.isEmpty || key.contains("=") || key.utf8.contains(0) {
      within("env") {
        $0.fail("\"\(key)\" can't be the name of a variable; it must not be empty or have = or NUL in it")
      }
    }
    validateMeta(task.meta)
    validateConstraints(task.constraints)
    validateAffinities(task.affinities)
    if let resources = task.resources { within("resources") { $0.validateResources(resources) } }
    validateLogs(task, in: group)
    if let policy = task.restartPolicy { within("restart") { $0.validateRestart(policy) } }
    if let lifecycle = task.lifecycle {
      within("lifecycle") { $0.oneOf("hook", lifecycle.hook, ["prestart", "poststart", "poststop"], required: true) }
    }
    if let payload = task.dispatchPayload {
      within("dispatch_payload") {
        $0.require(!payload.file.isEmpty, "file is missing; name the file that gets the payload")
        $0.require(!escapes(payload.file, depth: 2), "file \"\(payload.file)\" leads out of the allocation's directory")
        $0.require($0.job.parameterizedJob != nil, "the job has no parameterized block, nothing is dispatched to it")
      }
    }
    for artifact in task.artifacts { within("artifact") { $0.validateArtifact(artifact) } }
    for template in task.templates { within("template") { $0.validateTemplate(template) } }
    validateMounts(task, in: group)
    validateIdentities(task)
    if let vault = task.vault {
      within("vault") { $0.validateChange(vault.changeMode, vault.changeSignal, ["noop", "restart", "signal"]) }
    }
    for name in repeated(task.actions.map(\.name)) { fail("there are several actions called \"\(name)\"") }
    for action in task.actions {
      within("action", action.name) { $0.require(!action.command.isEmpty, "command is missing") }
    }
    validateServices(task.services, in: group, task: task)
  }

  private mutating func validateResources(_ resources: Resources) {
    let cores = resources.cores ?? 0
    let cpu = resources.cpu ?? 0
    if cores < 0 {
      fail("cores is \(cores); it must not be negative")
    } else if cores > 0 && cpu > 0 {
      fail("both cpu and cores are set; keep one")
    } else if cores == 0 {
      require(cpu >= 1, "cpu is \(cpu); it must be at least 1 MHz")
    }
    let memory = resources.memoryMB ?? 0
    if memory < JobLimits.minimumMemoryMB {
      fail("memory is \(memory); it must be at least \(JobLimits.minimumMemoryMB) MB")
    }
    if let most = resources.memoryMaxMB, most != 0, most != -1, most < memory {
      fail("memory_max (\(most)) must not be below memory (\(memory)); -1 is for no limit")
    }
    for device in resources.devices {
      within("device", device.name) {
        $0.require(!device.name.isEmpty, "the device has no name; write it as the label of the device block")
        $0.require(device.count != 0, "count is 0; it must be at least 1")
        $0.validateConstraints(device.constraints)
        if $0.type == .service || $0.type == .batch { $0.validateAffinities(device.affinities) }
      }
    }
    if let numa = resources.numa {
      within("numa") { $0.oneOf("affinity", numa.affinity, ["none", "prefer", "require"]) }
    }
  }

  private mutating func validateLogs(_ task: JobTask, in group: TaskGroup) {
    guard let logs = task.logConfig, logs.disabled != true else { return }
    within("logs") {
      $0.atLeast("max_files", logs.maxFiles, 1)
      $0.atLeast("max_file_size", logs.maxFileSizeMB, 1)
      let (size, overflow) = (logs.maxFiles ?? 0).multipliedReportingOverflow(by: logs.maxFileSizeMB ?? 0)
      let disk = group.ephemeralDisk?.sizeMB ?? JobLimits.defaultEphemeralDiskMB
      if overflow || size >= disk {
        $0.fail(
          "max_files × max_file_size must be below the group's ephemeral disk (\(disk) MB); keep fewer or smaller files"
        )
      }
    }
  }

  private mutating func validateArtifact(_ artifact: TaskArtifact) {
    require(!(artifact.getterSource ?? "").isEmpty, "source is missing; say what to download")
    oneOf("mode", artifact.getterMode, ["any", "file", "dir"])
    let destination = artifact.relativeDest ?? ""
    require(!escapes(destination), "destination \"\(destination)\" leads out of the allocation's directory")
  }

  private mutating func validateTemplate(_ template: Template) {
    let source = template.sourcePath ?? ""
    let data = template.embeddedTmpl ?? ""
    require(!source.isEmpty || !data.isEmpty, "there is nothing to render; set source or data")
    require(source.isEmpty || data.isEmpty, "both source and data are set; keep one")
    require(!(template.destPath ?? "").isEmpty, "destination is missing; say where the result goes")
    let destination = template.destPath ?? ""
    require(!escapes(destination), "destination \"\(destination)\" leads out of the allocation's directory")
    notNegative("splay", template.splay)
    validateChange(template.changeMode, template.changeSignal, ["noop", "restart", "script", "signal"])
    if template.changeMode == "script" {
      require(
        !(template.changeScript?.command ?? "").isEmpty,
        "change_mode is \"script\" but there is no change_script with a command; add it")
    }
    let permissions = template.perms ?? ""
    if !permissions.isEmpty, UInt16(permissions, radix: 8).map({ $0 > 0o7777 }) ?? true {
      fail("perms is \"\(permissions)\"; it must be octal digits such as \"0644\"")
    }
    if let wait = template.wait {
      notNegative("min", wait.min)
      notNegative("max", wait.max)
      if let least = wait.min, let most = wait.max, most < least {
        fail("max (\(most)) must not be below min (\(least))")
      }
    }
  }

  private mutating func validateChange(_ mode: String?, _ signal: String?, _ modes: [String]) {
    oneOf("change_mode", mode, modes)
    if mode == "signal" && (signal ?? "").isEmpty {
      fail("change_mode is \"signal\" but there is no change_signal; set it, for example to \"SIGHUP\"")
    }
  }

  private mutating func validateMounts(_ task: JobTask, in group: TaskGroup) {
    for mount in task.volumeMounts {
      let volume = mount.volume ?? ""
      within("volume_mount", volume) {
        $0.require(!volume.isEmpty, "volume is missing; name a volume of the group")
        if !volume.isEmpty && group.volumes[volume] == nil {
          $0.fail("the group has no volume \"\(volume)\"; add it, or correct the name")
        }
        $0.require(!(mount.destination ?? "").isEmpty, "destination is missing; say where the task sees the volume")
        $0.oneOf("propagation_mode", mount.propagationMode, ["private", "host-to-task", "bidirectional"])
      }
    }
  }

  private mutating func validateIdentities(_ task: JobTask) {
    let identities = (task.identities ?? []) + (task.identity.map { [$0] } ?? [])
    for name in repeated(identities.map { $0.name.isEmpty ? "default" : $0.name }) {
      fail("there are several identities called \"\(name)\"; give each a name of its own")
    }
    for identity in identities {
      within("identity", identity.name.isEmpty ? "default" : identity.name) {
        $0.validateChange(identity.changeMode, identity.changeSignal, ["noop", "restart", "signal"])
        $0.notNegative("ttl", identity.ttl)
        $0.require(
          !escapes(identity.filepath), "filepath \"\(identity.filepath)\" leads out of the allocation's directory")
      }
    }
  }
}

/// Whether a path leads out of the allocation's directory when it is taken relative to a directory `depth` levels below
/// it: 1 for the task's own. A path that begins with an interpolation (`${NOMAD_…}`) is looked at when its value is known.
func escapes(_ path: String, depth: Int = 1) -> Bool {
  if path.hasPrefix("${") { return false }
  var depth = depth
  for component in path.split(separator: "/") {
    switch component {
    case ".": continue
    case "..": depth -= 1
    default: depth += 1
    }
    if depth < 0 { return true }
  }
  return false
}
