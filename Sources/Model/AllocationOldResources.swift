extension Allocation {
  /// The allocation with what it holds in the form that API clients knew before `AllocatedResources` as well:
  /// `TaskResources` by task, `SharedResources` of the group, and `Resources`, the sum of both.
  public func withOldResources() -> Allocation {
    guard let held = allocatedResources else { return self }
    var copy = self
    var shared = Resources.nothing
    shared.diskMB = Int(held.shared.diskMB)
    shared.networks = held.shared.networks
    copy.sharedResources = shared
    var sum = shared
    copy.taskResources = held.tasks.mapValues { task in
      var one = Resources.nothing
      one.cpu = Int(task.cpu.cpuShares)
      one.memoryMB = Int(task.memory.memoryMB)
      one.memoryMaxMB = Int(task.memory.memoryMaxMB)
      one.networks = task.networks
      sum.cpu = (sum.cpu ?? 0) + Int(task.cpu.cpuShares)
      sum.memoryMB = (sum.memoryMB ?? 0) + Int(task.memory.memoryMB)
      sum.memoryMaxMB = (sum.memoryMaxMB ?? 0) + Int(task.memory.memoryMaxMB)
      return one
    }
    copy.resources = sum
    return copy
  }
}

extension Resources {
  fileprivate static var nothing: Resources {
    var nothing = Resources()
    (nothing.cpu, nothing.cores, nothing.memoryMB, nothing.memoryMaxMB, nothing.diskMB, nothing.iops) = (
      0, 0, 0, 0, 0, 0
    )
    return nothing
  }
}
