import Codec

extension JobValidator {
  mutating func validateGroup(_ group: TaskGroup) {
    require(!group.name.isEmpty, "the group has no name; write it as the label of the group block")
    require(!group.name.utf8.contains(0), "the name has a NUL character in it")
    atLeast("count", group.count, 0)
    if type == .system, let count = group.count, count > 1 {
      fail("count is \(count); a system job runs once on every node: leave count out")
    }
    require(!group.tasks.isEmpty, "the group has no task; add a task block")
    for name in repeated(group.tasks.map(\.name)) {
      fail("there are several tasks called \"\(name)\"; give each a name of its own")
    }
    let leaders = group.tasks.filter(\.leader).map { "\"\($0.name)\"" }
    require(leaders.count <= 1, "tasks \(leaders.joined(separator: " and ")) are all leaders; keep one")
    validateMeta(group.meta)
    validateConstraints(group.constraints)
    validateAffinities(group.affinities)
    validateSpreads(group.spreads)
    if let policy = group.restartPolicy { within("restart") { $0.validateRestart(policy) } }
    if let policy = group.reschedulePolicy { within("reschedule") { $0.validateReschedule(policy) } }
    if let update = group.update { within("update") { $0.validateUpdate(update) } }
    if let migrate = group.migrate { within("migrate") { $0.validateMigrate(migrate) } }
    validateDisconnect(group)
    if let disk = group.ephemeralDisk {
      within("ephemeral_disk") { $0.atLeast("size", disk.sizeMB, JobLimits.minimumEphemeralDiskMB) }
    }
    notNegative("shutdown_delay", group.shutdownDelay)
    if let duration = group.maxRunDuration, duration <= .zero {
      fail("max_run_duration is \(duration); it must be above zero")
    }
    validateScaling(group)
    validateNetworks(group)
    validateVolumes(group)
    validateServices(group.services, in: group, task: nil)
    for task in group.tasks { within("task", task.name) { $0.validateTask(task, in: group) } }
  }

  mutating func validateRestart(_ policy: RestartPolicy) {
    oneOf("mode", policy.mode, ["delay", "fail"], required: true)
    let attempts = policy.attempts ?? 0
    let interval = policy.interval ?? .zero
    let delay = policy.delay ?? .zero
    atLeast("attempts", policy.attempts, 0)
    notNegative("delay", policy.delay)
    if attempts == 0 && policy.mode == "delay" {
      fail("mode \"delay\" with no attempts says nothing about when to start again; set attempts, or mode \"fail\"")
    }
    if attempts <= 0 { return }
    if interval < .seconds(5) {
      fail("interval is \(interval); it must be at least 5s")
    } else if Nanoseconds.product(delay, attempts) > interval {
      fail(
        "\(attempts) attempts with a delay of \(delay) don't fit an interval of \(interval); make the interval longer")
    }
  }

  private mutating func validateReschedule(_ policy: ReschedulePolicy) {
    if type == .system || type == .sysbatch {
      return fail("a job of type \"\(type)\" can't be rescheduled, it runs on every node; remove the block")
    }
    let unlimited = policy.unlimited ?? false
    let attempts = policy.attempts ?? 0
    atLeast("attempts", policy.attempts, 0)
    if !unlimited && attempts <= 0 { return }
    let function = policy.delayFunction ?? ""
    oneOf("delay_function", function, ["constant", "exponential", "fibonacci"], required: true)
    let delay = policy.delay ?? .zero
    require(delay >= .seconds(5), "delay is \(delay); it must be at least 5s")
    if function != "constant" && !function.isEmpty {
      let longest = policy.maxDelay ?? .zero
      require(longest >= .seconds(5), "max_delay is \(longest); it must be at least 5s")
      require(delay < longest, "delay (\(delay)) must be below max_delay (\(longest))")
    }
    let interval = policy.interval ?? .zero
    if unlimited {
      if attempts > 0 { fail("attempts is \(attempts) and unlimited is true; keep one") }
    } else if interval < .seconds(15) {
      fail("interval is \(interval); it must be at least 15s")
    } else if function == "constant" && Nanoseconds.product(delay, attempts) > interval {
      fail(
        "\(attempts) attempts with a delay of \(delay) don't fit an interval of \(interval); make the interval longer")
    }
  }

  private mutating func validateUpdate(_ update: UpdateStrategy) {
    if type != .service && type != .system {
      return fail("a job of type \"\(type)\" has no rolling updates; remove the block")
    }
    oneOf("health_check", update.healthCheck, ["checks", "task_states", "manual"])
    atLeast("max_parallel", update.maxParallel, 0)
    atLeast("canary", update.canary, 0)
    if update.autoPromote == true && (update.canary ?? 0) == 0 {
      fail("auto_promote needs canaries; set canary above 0")
    }
    notNegative("min_healthy_time", update.minHealthyTime)
    notNegative("progress_deadline", update.progressDeadline)
    let healthy = update.minHealthyTime ?? .zero
    let deadline = update.healthyDeadline ?? .zero
    let progress = update.progressDeadline ?? .zero
    require(deadline > .zero, "healthy_deadline is \(deadline); it must be above zero")
    if deadline > .zero {
      require(healthy < deadline, "min_healthy_time (\(healthy)) must be below healthy_deadline (\(deadline))")
      if progress > .zero {
        require(
          deadline <= progress, "healthy_deadline (\(deadline)) must not be above progress_deadline (\(progress))")
      }
    }
    if let stagger = update.stagger, stagger <= .zero { fail("stagger is \(stagger); it must be above zero") }
  }

  private mutating func validateMigrate(_ migrate: MigrateStrategy) {
    if type != .service { return fail("a job of type \"\(type)\" does not migrate; remove the block") }
    atLeast("max_parallel", migrate.maxParallel, 0)
    oneOf("health_check", migrate.healthCheck, ["checks", "task_states"])
    notNegative("min_healthy_time", migrate.minHealthyTime)
    notNegative("healthy_deadline", migrate.healthyDeadline)
    let healthy = migrate.minHealthyTime ?? .zero
    let deadline = migrate.healthyDeadline ?? .zero
    require(healthy <= deadline, "min_healthy_time (\(healthy)) must not be above healthy_deadline (\(deadline))")
  }

  private mutating func validateDisconnect(_ group: TaskGroup) {
    notNegative("stop_after_client_disconnect", group.stopAfterClientDisconnect)
    notNegative("max_client_disconnect", group.maxClientDisconnect)
    guard let disconnect = group.disconnect else { return }
    within("disconnect") {
      $0.notNegative("lost_after", disconnect.lostAfter)
      $0.notNegative("stop_on_client_after", disconnect.stopOnClientAfter)
      if disconnect.lostAfter != nil && disconnect.stopOnClientAfter != nil {
        $0.fail("lost_after and stop_on_client_after exclude each other; keep one")
      }
      $0.oneOf(
        "reconcile", disconnect.reconcile, ["best_score", "keep_original", "keep_replacement", "longest_running"])
    }
  }

  private mutating func validateScaling(_ group: TaskGroup) {
    guard let scaling = group.scaling else { return }
    within("scaling") {
      let count = Int64(group.count ?? 1)
      guard let maximum = scaling.max else { return $0.fail("max is missing; set the upper bound of the count") }
      let minimum = scaling.min ?? 0
      $0.require(minimum >= 0, "min is \(minimum); it must not be negative")
      $0.require(minimum <= maximum, "min (\(minimum)) must not be above max (\(maximum))")
      $0.require(
        minimum <= count && count <= maximum, "count (\(count)) must be from min (\(minimum)) to max (\(maximum))")
    }
  }

  private mutating func validateVolumes(_ group: TaskGroup) {
    for (name, volume) in group.volumes.sorted(by: { $0.key < $1.key }) {
      within("volume", name) {
        $0.oneOf("type", volume.type, ["host", "csi"], required: true)
        $0.require(!volume.source.isEmpty, "source is missing; name the volume to use")
        if volume.type == "csi" {
          $0.require(!volume.accessMode.isEmpty, "access_mode is missing; a CSI volume needs one")
          $0.require(!volume.attachmentMode.isEmpty, "attachment_mode is missing; a CSI volume needs one")
        } else {
          $0.require(volume.mountOptions == nil, "mount_options are for CSI volumes only; remove them")
          $0.oneOf(
            "access_mode", volume.accessMode,
            [
              "single-node-reader-only", "single-node-writer", "single-node-single-writer", "single-node-multi-writer",
            ])
          $0.oneOf("attachment_mode", volume.attachmentMode, ["file-system"])
        }
      }
    }
  }
}

extension Nanoseconds {
  /// Stays at the end of the range instead of leaving it.
  static func product(_ length: Nanoseconds, _ times: Int) -> Nanoseconds {
    let (product, overflow) = length.count.multipliedReportingOverflow(by: Int64(times))
    return overflow ? Nanoseconds(.max) : Nanoseconds(product)
  }
}
