internal import Codec
internal import Drivers
internal import Model

/// What an allocation's job says about its tasks, turned into machines and start requests. Pure.
struct AllocationPlan: Sendable {
  let allocation: Allocation
  let job: Job
  let group: TaskGroup

  /// - Throws: a sentence when the allocation does not carry its job, or its group is not in it.
  init(_ allocation: Allocation) throws(ClientError) {
    guard let job = allocation.job else {
      throw ClientError(.invalid, "allocation \(allocation.id) came without its job: the servers must send it")
    }
    guard let group = job.taskGroups.first(where: { $0.name == allocation.taskGroup }) else {
      throw ClientError(.invalid, "job \"\(job.id)\" has no group \"\(allocation.taskGroup)\"")
    }
    self.allocation = allocation
    self.job = job
    self.group = group
  }

  /// The machine of the allocation, no task begun.
  func machine(configuration: ClientConfiguration) -> AllocationMachine {
    var machine = AllocationMachine()
    for task in group.tasks {
      machine.add(
        task.name, stage: stage(of: task), isLeader: task.leader,
        machine: TaskMachine(
          settings: settings(of: task, configuration: configuration),
          tracker: RestartTracker(policy: policy(of: task), successEnds: successEnds(task))))
    }
    return machine
  }

  func settings(of task: JobTask, configuration: ClientConfiguration) -> TaskMachine.Settings {
    var settings = TaskMachine.Settings()
    settings.name = task.name
    settings.killTimeout = min(task.killTimeout ?? .seconds(5), configuration.maxKillTimeout)
    if !task.killSignal.isEmpty { settings.killSignal = task.killSignal }
    settings.shutdownDelay = task.shutdownDelay + (group.shutdownDelay ?? .zero)
    if allocation.desiredTransition.noShutdownDelay == true { settings.shutdownDelay = .zero }
    return settings
  }

  func policy(of task: JobTask) -> RestartTracker.Policy {
    RestartTracker.Policy(task.restartPolicy ?? group.restartPolicy)
  }

  /// Tasks that are to end by themselves: those of batch jobs, and those that run once before, after or at the end.
  func successEnds(_ task: JobTask) -> Bool {
    if let lifecycle = task.lifecycle, !lifecycle.hook.isEmpty { return !lifecycle.sidecar }
    return job.type == "batch" || job.type == "sysbatch"
  }

  func stage(of task: JobTask) -> AllocationMachine.Stage {
    let sidecar = task.lifecycle?.sidecar ?? false
    switch task.lifecycle?.hook ?? "" {
    case "prestart": return sidecar ? .prestartSidecar : .prestart
    case "poststart": return sidecar ? .poststartSidecar : .poststart
    case "poststop": return .poststop
    default: return .main
    }
  }

  /// The watch over the allocation's health, for the deployment that it is part of, or for the drain that it replaces
  /// something for: a service's allocation outside of deployments is watched as its `migrate` block says.
  func healthWatch(now: Moment) -> HealthWatch? {
    guard allocation.deploymentStatus?.healthy == nil, allocation.desiredStatus == .run else { return nil }
    if allocation.deploymentID.isNone {
      guard job.type == "service" else { return nil }
      let migrate = group.migrate ?? job.migrate
      return HealthWatch(
        minimumHealthyTime: migrate?.minHealthyTime ?? .seconds(10),
        deadline: now.steady + (migrate?.healthyDeadline ?? .minutes(5)))
    }
    guard let update = group.update ?? job.update, update.healthCheck != "manual" else { return nil }
    return HealthWatch(
      minimumHealthyTime: update.minHealthyTime ?? .seconds(10),
      deadline: now.steady + (update.healthyDeadline ?? .minutes(5)))
  }

  // MARK: - Starting a task

  /// The ports the allocation holds on this host.
  var ports: [TaskEnvironmentInput.Port] {
    let shared = allocation.allocatedResources?.shared
    if let mapped = shared?.ports, !mapped.isEmpty {
      return mapped.map { TaskEnvironmentInput.Port(label: $0.label, hostIP: $0.hostIP, hostPort: $0.value, to: $0.to) }
    }
    return (shared?.networks ?? []).flatMap { network in
      (network.reservedPorts + network.dynamicPorts).map {
        TaskEnvironmentInput.Port(label: $0.label, hostIP: network.ip, hostPort: $0.value, to: $0.to)
      }
    }
  }

  func environmentInput(for task: JobTask, region: String, datacenter: String) -> TaskEnvironmentInput {
    var input = TaskEnvironmentInput()
    input.allocationID = allocation.id.description
    input.allocationName = allocation.name
    input.allocationIndex = TaskEnvironment.index(ofAllocationNamed: allocation.name)
    input.taskName = task.name
    input.groupName = group.name
    input.jobID = job.id
    input.jobName = job.name ?? job.id
    input.jobParentID = job.parentID ?? ""
    input.datacenter = datacenter
    input.region = region
    input.namespace = allocation.namespace
    let resources = limits(of: task)
    input.cpuMHz = resources.cpuMHz
    input.cpuCores = resources.cores
    let held = allocation.allocatedResources?.tasks[task.name]
    input.memoryMB = Int(held?.memory.memoryMB ?? Int64(task.resources?.memoryMB ?? 0))
    input.memoryMaxMB = max(Int(held?.memory.memoryMaxMB ?? Int64(task.resources?.memoryMaxMB ?? 0)), 0)
    input.ports = ports
    input.meta = job.meta.merging(group.meta) { _, new in new }.merging(task.meta) { _, new in new }
    input.user = task.env
    return input
  }

  /// What the allocation holds for the task.
  func limits(of task: JobTask) -> TaskLimits {
    let held = allocation.allocatedResources?.tasks[task.name]
    let memory = Int(held?.memory.memoryMB ?? Int64(task.resources?.memoryMB ?? 0)) << 20
    let maximum = Int(held?.memory.memoryMaxMB ?? Int64(task.resources?.memoryMaxMB ?? 0))
    var limits = TaskLimits(
      cpuMHz: Int(held?.cpu.cpuShares ?? Int64(task.resources?.cpu ?? 0)), memoryBytes: memory,
      cores: CoreList.text(held?.cpu.reservedCores ?? []))
    if maximum != 0 {
      limits.memoryReservationBytes = memory
      // -1 stands for "no limit".
      limits.memoryBytes = maximum < 0 ? 0 : maximum << 20
    }
    return limits
  }

  func logs(of task: JobTask, directory: AllocationDirectory) -> LogRotation {
    let config = task.logConfig
    return LogRotation(
      directory: directory.task(task.name).logs, maxFiles: config?.maxFiles ?? 10,
      maxFileBytes: (config?.maxFileSizeMB ?? 10) << 20, disabled: config?.disabled ?? (config?.enabled == false))
  }
}

extension Interpolation {
  /// The same for every text inside a value; keys stay as they are.
  func callAsFunction(_ value: JSONValue) -> JSONValue {
    switch value {
    case .string(let text): .string(self(text))
    case .array(let elements): .array(elements.map { self($0) })
    case .object(let object): .object(self(object))
    default: value
    }
  }

  func callAsFunction(_ object: JSONObject) -> JSONObject {
    var result = JSONObject()
    for (key, value) in object.members { result[key] = self(value) }
    return result
  }
}

/// What `${node…}`, `${attr…}` and `${meta…}` stand for on a node.
enum NodeValues {
  static func all(of node: Node, region: String) -> [String: String] {
    var values = [
      "node.unique.id": node.id.description, "node.unique.name": node.name, "node.datacenter": node.datacenter,
      "node.region": region, "node.class": node.nodeClass, "node.pool": node.nodePool,
    ]
    for (name, value) in node.attributes { values["attr." + name] = value }
    for (name, value) in node.meta { values["meta." + name] = value }
    return values
  }
}
