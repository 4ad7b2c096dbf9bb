import Isolation
import Linux

// From the end of a task's first process to the moment when nothing of it is left.
extension SupervisorServer {
  /// The first process has ended, or an adopted one's status may have become available.
  func processEnded(_ task: SupervisedTask) {
    // Reports that came before the end decide whether this was a task at all.
    readReports(of: task)
    closeReport(of: task)
    if task.failure == nil { becameRunning(task) }
    guard let process = task.process else { return }
    var status = task.directory.readStatus()
    var isReaped = false
    do {
      let waited = try process.handle.reap()
      isReaped = waited != nil
      status = status ?? waited
    } catch {
      // ECHILD: adopted from a supervisor that died; somebody else reaps it.
      isReaped = true
      status = status ?? statusOfAdopted(task, process)
    }
    guard isReaped else { return }
    unwatch(process.handle.descriptor.number, token: task.processToken)
    // Between zombie and reaped there may be a moment without an answer: `progress` asks again for a while.
    if status != nil { task.process = nil }
    task.phase = .ending(status, since: Clock.monotonicNanoseconds)
    progress(task)
  }

  /// The status of a process that is no child of ours: its new parent has waited for it, or has not yet.
  private func statusOfAdopted(_ task: SupervisedTask, _ process: OpenProcess) -> WaitStatus? {
    if let status = Proc.zombieStatus(pid: task.record.pid, startTime: task.record.startTime) { return status }
    // Kernels before 6.15 cannot tell.
    return (try? process.handle.statusOfStranger()) ?? nil
  }

  /// Kills what is left, waits until the cgroup is empty and the output is written, removes the cgroup, tells.
  func progress(_ task: SupervisedTask) {
    if case .running = task.phase, task.isKillAsked {
      killOnce(task)
      return
    }
    if case .running = task.phase, task.outOfMemorySince != nil { return endIfKilledForMemory(task) }
    guard case .ending(var status, let since) = task.phase else { return }
    let waited = Clock.monotonicNanoseconds - since
    if status == nil, let process = task.process {
      status = statusOfAdopted(task, process)
      if status == nil && waited < 500_000_000 {
        wake(inMilliseconds: 5)
        return
      }
      task.process = nil
      task.phase = .ending(status, since: since)
    }
    do {
      if !(try cgroups.processes(task.record.cgroup)).isEmpty {
        try cgroups.kill(task.record.cgroup)
        wake(inMilliseconds: waited < 50_000_000 ? 1 : 20)
        return
      }
    } catch {
      log("task \(task.id): kill what is left: \(error), trying again")
      wake(inMilliseconds: 500)
      return
    }
    // What is still in the pipes belongs to the task's log. A disk that hangs must not keep the task from ending.
    let isDrained = (task.output?.isFinished ?? true) && (task.error?.isFinished ?? true)
    if !isDrained && waited < 5_000_000_000 {
      wake(inMilliseconds: 10)
      return
    }
    if let statistics = try? cgroups.statistics(task.record.cgroup) {
      task.oomKills = max(task.oomKills, statistics.oomKills)
      task.oomEvents = max(task.oomEvents, statistics.oomEvents)
      task.memoryPeakBytes = max(task.memoryPeakBytes, statistics.memoryPeakBytes)
    }
    do {
      try cgroups.remove(task.record.cgroup)
    } catch {
      // EBUSY for a moment after the last process is normal.
      if error.errno != .busy { log("task \(task.id): \(error), trying again") }
      wake(inMilliseconds: waited < 50_000_000 ? 1 : 50)
      return
    }
    finish(task, status)
  }

  private func finish(_ task: SupervisedTask, _ status: WaitStatus?) {
    task.output = nil
    task.error = nil
    if task.usageFiles != nil { keptUsageFiles -= UsageFiles.most }
    task.usageFiles = nil
    if let events = task.memoryEvents { unwatch(events.descriptor.number, token: task.memoryToken) }
    task.memoryEvents = nil
    if let failure = task.failure {
      log("task \(task.id): start failed: \(failure)")
      // Whoever asked for the start, and is gone, may come back and wait for the task: it then has an end like others.
      if let starter = task.starter, let client = clients[starter.client] {
        tasks[task.id] = nil
        removeDirectory(of: task)
        let error = SupervisorError(.startFailed, "\(failure)", step: "\(failure.step)")
        return send(.failed(error), to: client, number: starter.request)
      }
    }
    let signal = status?.signal ?? 0
    let exit = TaskExit(
      exitCode: status.map { $0.exitCode ?? 128 + signal } ?? -1, signal: signal,
      dumpedCore: status?.dumpedCore ?? false, oomKilled: task.oomKills > 0, isKnown: status != nil,
      endedNanoseconds: Clock.realtimeNanoseconds, memoryPeakBytes: task.memoryPeakBytes,
      memoryLimitBytes: task.record.spec.sandbox.limits.memoryBytes ?? 0,
      wasHostShortOfMemory: task.oomKills > 0 && task.oomEvents == 0)
    do {
      try task.directory.write(exit)
    } catch {
      // The event still goes out; only a supervisor that restarts before the acknowledgement would not know.
      log("task \(task.id): write down how it ended: \(error), ignoring")
    }
    task.phase = .ended(exit)
    broadcast(.exited(id: task.id, exit))
  }

  /// Asks to be told when a task is out of memory, where the kernel does not end the whole task itself.
  func watchMemory(of task: SupervisedTask) {
    guard task.memoryEvents == nil, task.record.spec.sandbox.limits.memoryBytes != nil else { return }
    do {
      guard let events = try cgroups.outOfMemoryEvents(task.record.cgroup) else { return }
      let file = OpenFile(events)
      task.memoryToken = try watch(file.descriptor.number, [.readable, .oneShot], .memory(task))
      task.memoryEvents = file
    } catch {
      // It may have ended already. Else only its first process' end is noticed.
      log("task \(task.id): \(error), ignoring")
    }
  }

  /// The kernel says so before it kills: look again in a moment, for a while.
  func endIfKilledForMemory(_ task: SupervisedTask) {
    let now = Clock.monotonicNanoseconds
    let since = task.outOfMemorySince ?? now
    task.outOfMemorySince = since
    if cgroups.oomKills(task.record.cgroup) > task.oomKills {
      log("task \(task.id): a process was killed for want of memory: ending the others")
      task.oomKills = cgroups.oomKills(task.record.cgroup)
      return killOnce(task)
    }
    if now - since < 2_000_000_000 {
      wake(inMilliseconds: 10)
    } else if let events = task.memoryEvents {
      task.outOfMemorySince = nil
      try? queue.modify(events.descriptor.number, [.readable, .oneShot], token: task.memoryToken)
    }
  }

  func removeDirectory(of task: SupervisedTask) {
    do {
      try task.directory.remove()
    } catch {
      log("task \(task.id): \(error), ignoring: the next start of this id removes it")
    }
  }

  /// One round of killing; `progress` repeats it until the process is gone.
  func killOnce(_ task: SupervisedTask) {
    task.isKillAsked = true
    // The init first: the kernel then kills its whole pid namespace. ESRCH: it is gone already.
    if let process = task.process { try? process.handle.signal(9) }
    do {
      try cgroups.kill(task.record.cgroup)
    } catch {
      log("task \(task.id): \(error), trying again")
    }
    wake(inMilliseconds: 20)
  }

  // MARK: Adoption

  /// Takes over the tasks that an earlier supervisor, or this process before an upgrade, has written down.
  func adoptTasks() throws(SystemError) {
    for id in try runtime.taskIDs() {
      let directory = runtime.task(id)
      guard let record = directory.readRecord(), record.spec.id == id, record.pid > 0 else {
        // A crash before the first record: the child, if there was one, has not got its go and ends.
        try? directory.remove()
        continue
      }
      let task = SupervisedTask(record: record, directory: directory, phase: .starting)
      tasks[id] = task
      if let exit = directory.readExit() {
        task.phase = .ended(exit)
      } else {
        adopt(task)
      }
    }
    try runtime.removeSpares()
    // Groups of tasks that nobody knows: a crash between the clone and the record, or a child that waited for a task.
    let known = Set(tasks.values.map(\.record.cgroup))
    for name in try cgroups.children("\(cgroupName)/task") {
      let group = "\(cgroupName)/task/\(name)"
      if !known.contains(group) { removeLater(group) }
    }
  }

  private func adopt(_ task: SupervisedTask) {
    let pid = task.record.pid
    do {
      let handle = try ProcessHandle.open(pid: pid)
      // The number may have gone to another process: the start time tells.
      guard try Proc.startTime(pid: pid) == task.record.startTime else {
        throw SystemError("adopt", task.id, .noSuchProcess)
      }
      try? task.openLogs()
      task.process = OpenProcess(handle)
      task.phase = .running
      try watchProcess(of: task)
      try watchLogs(of: task)
      watchMemory(of: task)
    } catch {
      // It ended while nobody looked.
      task.process = nil
      task.phase = .ending(task.directory.readStatus(), since: Clock.monotonicNanoseconds)
      wake(inMilliseconds: 0)
    }
  }
}
