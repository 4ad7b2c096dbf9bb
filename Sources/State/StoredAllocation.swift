public import Codec
public import Model

/// An allocation as the state keeps it: what it shares with others (job, group, resources) by reference, what is rare
/// outside, and its task states encoded, so that a running one takes a few hundred bytes. `allocation()` gives it the
/// shape of the API.
public struct StoredAllocation: Sendable {
  /// UUID; the same for all the life of the allocation.
  public let id: Identifier
  /// The version of the job that it runs.
  public internal(set) var job: Shared<Job>
  /// Its group's place in `job.taskGroups`.
  public internal(set) var groupIndex: UInt16
  /// The number in its name: `job.group[nameIndex]`.
  public let nameIndex: UInt32
  /// The node that it was placed on; an allocation never moves.
  public let nodeID: Identifier
  /// That node's name at the time, for lists of nodes that are gone.
  public let nodeName: String
  /// The evaluation that placed it or changed it last.
  public internal(set) var evalID: Identifier
  /// What it takes from its node as long as `holdsResources`.
  public internal(set) var demand: Demand
  /// Its ports on the host.
  public internal(set) var ports: [PortMapping]
  /// What the servers want of it.
  public internal(set) var desiredStatus: AllocationDesiredStatus = .run
  /// What its node last reported, or what servers made of the node's silence.
  public internal(set) var clientStatus: AllocationClientStatus = .pending
  /// What a drain or a user asked of it.
  public internal(set) var desiredTransition = DesiredTransition()
  /// Why the servers want it to stop.
  public internal(set) var desiredDescription = ""
  /// The node's report in words.
  public internal(set) var clientDescription = ""
  /// The deployment that it was placed for; none outside of deployments.
  public internal(set) var deploymentID: Identifier = .none
  /// Its health as the deployment sees it.
  public internal(set) var deploymentStatus: AllocDeploymentStatus?
  /// The allocation that it replaces.
  public internal(set) var previousAllocation: Identifier = .none
  /// The allocation that replaces it.
  public internal(set) var nextAllocation: Identifier = .none
  /// The evaluation that will replace it after the reschedule delay.
  public internal(set) var followupEvalID: Identifier = .none
  /// `Binary` of `TaskStates`; empty for none.
  var encodedTaskStates: [UInt8] = []
  var rare: Shared<RareFields>?
  /// Why it is where it is; allocations of one plan share it.
  public internal(set) var metric: Shared<PlacementMetric>?
  /// Its tasks may use more memory than is reserved for them, as `memory_max` says.
  public internal(set) var oversubscribesMemory = false
  /// Log index of its placement.
  public internal(set) var createIndex: UInt64 = 0
  /// Log index of its last change from either side.
  public internal(set) var modifyIndex: UInt64 = 0
  /// The index of the last change by a server; `modifyIndex` also moves with the client's updates.
  public internal(set) var allocModifyIndex: UInt64 = 0
  /// The leader's clock when it was placed.
  public internal(set) var createTime: Timestamp = .zeroValue
  /// The leader's clock at its last change.
  public internal(set) var modifyTime: Timestamp = .zeroValue

  /// What few allocations have.
  struct RareFields: Record {
    var rescheduleTracker: RescheduleTracker?
    var networkStatus: AllocNetworkStatus?
    var allocStates: [AllocState] = []
    var preemptedAllocations: [Identifier] = []
    var preemptedByAllocation: Identifier = .none
    /// By task.
    var grants: [String: TaskGrant] = [:]
    var startsAfter: [Identifier] = []

    mutating func visit<V: FieldVisitor>(_ v: inout V) {
      v.field(1, "RescheduleTracker", &rescheduleTracker)
      v.field(2, "NetworkStatus", &networkStatus)
      v.field(3, "AllocStates", &allocStates)
      v.field(4, "PreemptedAllocations", &preemptedAllocations)
      v.field(5, "PreemptedByAllocation", &preemptedByAllocation)
      v.field(6, "Grants", &grants)
      v.field(7, "StartsAfter", &startsAfter)
    }
  }

  struct TaskStates: Record {
    var states: [String: TaskState] = [:]
    mutating func visit<V: FieldVisitor>(_ v: inout V) { v.field(1, "States", &states) }
  }

  mutating func changeRare(_ change: (inout RareFields) -> Void) {
    var fields = rare?.value ?? RareFields()
    change(&fields)
    rare = fields == RareFields() ? nil : Shared(fields)
  }

  // MARK: Reading

  /// Namespace and id of its job.
  public var jobKey: JobKey { JobKey(job.value.namespace ?? "default", job.value.id) }
  /// The group it is an instance of; nil only if the log was damaged.
  public var group: TaskGroup? {
    let groups = job.value.taskGroups
    return groups.indices.contains(Int(groupIndex)) ? groups[Int(groupIndex)] : nil
  }
  /// The group's name.
  public var groupName: String {
    // Not through `group`, which would copy all of it.
    let groups = job.value.taskGroups
    return groups.indices.contains(Int(groupIndex)) ? groups[Int(groupIndex)].name : ""
  }
  /// `job.group[index]`.
  public var name: String { "\(job.value.id).\(groupName)[\(nameIndex)]" }

  /// Earlier replacements in its line.
  public var rescheduleTracker: RescheduleTracker? { rare?.value.rescheduleTracker }
  /// Address of its network.
  public var networkStatus: AllocNetworkStatus? { rare?.value.networkStatus }
  /// Changes of client status that time matters for.
  public var allocStates: [AllocState] { rare?.value.allocStates ?? [] }
  /// Allocations that were evicted to make room for it.
  public var preemptedAllocations: [Identifier] { rare?.value.preemptedAllocations ?? [] }
  /// The allocation that it was evicted for.
  public var preemptedByAllocation: Identifier { rare?.value.preemptedByAllocation ?? .none }
  /// Cores and devices by task.
  public var grants: [String: TaskGrant] { rare?.value.grants ?? [:] }

  /// Allocations on its node that must have ended before it begins.
  public var startsAfter: [Identifier] { rare?.value.startsAfter ?? [] }
  /// The priority of the job's version that it runs.
  public var priority: Int { job.value.priority ?? 50 }

  /// The tasks' states by task; decoded anew at each call.
  public var taskStates: [String: TaskState] {
    get {
      guard !encodedTaskStates.isEmpty else { return [:] }
      // The bytes are this state's own encoding.
      return (try? Binary.decode(TaskStates.self, from: encodedTaskStates))?.states ?? [:]
    }
    set {
      var states = TaskStates()
      states.states = newValue
      encodedTaskStates = newValue.isEmpty ? [] : Binary.encode(states)
    }
  }

  /// The client has ended it, or it is lost: nothing of it runs any more.
  public var isClientTerminal: Bool {
    switch clientStatus {
    case .complete, .failed, .lost: true
    case .pending, .running, .unknown: false
    }
  }

  /// The servers want it ended.
  public var isServerTerminal: Bool { desiredStatus != .run }

  /// It has ended or is to end.
  public var isTerminal: Bool { isServerTerminal || isClientTerminal }

  /// Whether its node's room is taken: until the client says that it has ended, also while it is being stopped.
  public var holdsResources: Bool { !isClientTerminal }

  /// The allocation in the API's shape.
  /// - Parameter includingJob: with the job's version, as a single allocation is shown and as clients need it.
  public func allocation(includingJob: Bool) -> Allocation {
    var result = Allocation()
    result.id = id
    result.namespace = job.value.namespace ?? "default"
    result.evalID = evalID
    result.name = name
    result.nodeID = nodeID
    result.nodeName = nodeName
    result.jobID = job.value.id
    if includingJob { result.job = job.value }
    result.jobVersion = job.value.version ?? 0
    result.taskGroup = groupName
    result.allocatedResources = allocatedResources
    result.desiredStatus = desiredStatus
    result.desiredDescription = desiredDescription
    result.desiredTransition = desiredTransition
    result.clientStatus = clientStatus
    result.clientDescription = clientDescription
    result.taskStates = taskStates
    result.allocStates = allocStates
    result.previousAllocation = previousAllocation
    result.nextAllocation = nextAllocation
    result.deploymentID = deploymentID
    result.deploymentStatus = deploymentStatus
    result.rescheduleTracker = rescheduleTracker
    result.networkStatus = networkStatus
    result.followupEvalID = followupEvalID
    result.preemptedAllocations = preemptedAllocations
    result.preemptedByAllocation = preemptedByAllocation
    result.startsAfter = startsAfter
    result.metrics = metric?.value.metric
    result.createIndex = createIndex
    result.modifyIndex = modifyIndex
    result.allocModifyIndex = allocModifyIndex
    result.createTime = createTime.nanoseconds
    result.modifyTime = modifyTime.nanoseconds
    return result
  }

  /// What it holds, derived from its group, its ports and its grants.
  public var allocatedResources: AllocatedResources {
    var result = AllocatedResources()
    guard let group else { return result }
    for task in group.tasks {
      var held = AllocatedTaskResources()
      held.cpu.cpuShares =
        grants[task.name].flatMap { $0.cores.isEmpty ? nil : $0.cpu } ?? Int64(task.resources?.cpu ?? 100)
      held.memory.memoryMB = Int64(task.resources?.memoryMB ?? 300)
      held.memory.memoryMaxMB = oversubscribesMemory ? Int64(task.resources?.memoryMaxMB ?? 0) : 0
      if let grant = grants[task.name] {
        held.cpu.reservedCores = grant.cores
        held.devices = grant.devices
      }
      result.tasks[task.name] = held
      result.taskLifecycles.updateValue(task.lifecycle, forKey: task.name)
    }
    result.shared.diskMB = Int64(demand.disk)
    result.shared.ports = ports
    result.shared.networks = group.networks.map { asked in
      var network = asked
      network.ip = ports.first?.hostIP ?? ""
      func fill(_ wanted: [Port]) -> [Port] {
        wanted.map { port in
          var port = port
          if let mapping = ports.first(where: { $0.label == port.label }) {
            port.value = mapping.value
            port.to = mapping.to
          }
          return port
        }
      }
      network.reservedPorts = fill(asked.reservedPorts)
      network.dynamicPorts = fill(asked.dynamicPorts)
      return network
    }
    return result
  }
}

/// What one task was given beyond its group's figures.
public struct TaskGrant: Record {
  /// Cores for it alone.
  public var cores: [Int] = []
  /// Devices that the task may open.
  public var devices: [AllocatedDeviceResource] = []
  /// MHz of the cores together.
  public var cpu: Int64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Cores", &cores)
    v.field(2, "Devices", &devices)
    v.field(3, "CPU", &cpu)
  }
}
