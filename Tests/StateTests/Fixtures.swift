import Codec
import Model

@testable import State

func identifier(_ number: UInt64) -> Identifier { Identifier(high: number &* 0x9E37_79B9_7F4A_7C15, low: number) }

func makeNode(_ number: UInt64, cpu: Int64 = 4_000, memory: Int64 = 8_192, nodeClass: String = "") -> Node {
  var node = Node()
  node.id = identifier(number)
  node.secretID = identifier(number + 1_000_000)
  node.name = "node-\(number)"
  node.datacenter = "dc1"
  node.nodePool = "default"
  node.nodeClass = nodeClass
  node.status = .ready
  node.attributes = ["kernel.name": "linux", "cpu.arch": "amd64", "unique.hostname": "node-\(number)"]
  var resources = NodeResources()
  resources.cpu.cpuShares = cpu
  resources.memory.memoryMB = memory
  resources.disk.diskMB = 100_000
  node.nodeResources = resources
  var reserved = NodeReservedResources()
  reserved.cpu.cpuShares = 100
  reserved.memory.memoryMB = 192
  reserved.networks.reservedHostPorts = "22, 8000-8002"
  node.reservedResources = reserved
  return node
}

func makeJob(
  _ id: String, namespace: String = "default", type: JobType = .service, count: Int = 3, cpu: Int = 100,
  groups: [String] = ["web"]
) -> Job {
  var job = Job()
  job.id = id
  job.name = id
  job.namespace = namespace
  job.type = type
  job.priority = 50
  job.datacenters = ["*"]
  job.nodePool = "default"
  job.taskGroups = groups.map { name in
    var group = TaskGroup()
    group.name = name
    group.count = count
    var task = JobTask()
    task.name = "main"
    task.driver = "exec"
    var resources = Resources()
    resources.cpu = cpu
    resources.memoryMB = 64
    task.resources = resources
    group.tasks = [task]
    var disk = EphemeralDisk()
    disk.sizeMB = 300
    group.ephemeralDisk = disk
    return group
  }
  return job
}

func makeEvaluation(_ number: UInt64, job: String, namespace: String = "default") -> Evaluation {
  var evaluation = Evaluation()
  evaluation.id = identifier(number)
  evaluation.namespace = namespace
  evaluation.jobID = job
  evaluation.type = "service"
  evaluation.triggeredBy = .jobRegister
  evaluation.status = .pending
  return evaluation
}

func makePort(_ value: Int, on address: String = "10.0.0.1") -> PortMapping {
  var port = PortMapping()
  port.label = "http"
  port.value = value
  port.to = 80
  port.hostIP = address
  return port
}

/// A state with a counter for the log's index, and a clock that ticks a second an entry.
struct Cluster {
  var state = State()
  var index: UInt64 = 10

  @discardableResult
  mutating func apply(_ entry: LogEntry) throws(StateError) -> Changes {
    index += 1
    return try state.apply(entry, index: index, time: Timestamp(nanoseconds: Int64(index) * 1_000_000_000)).get()
  }

  mutating func addNodes(_ numbers: ClosedRange<UInt64>) throws(StateError) {
    for number in numbers {
      var payload = NodeRegistration()
      payload.node = makeNode(number)
      try apply(.nodeRegistration(payload))
    }
  }

  mutating func register(_ job: Job, evaluation: UInt64? = nil) throws(StateError) {
    var payload = JobRegistration()
    payload.job = job
    if let evaluation {
      payload.evaluations = [makeEvaluation(evaluation, job: job.id, namespace: job.namespace ?? "")]
    }
    try apply(.jobRegistration(payload))
  }

  /// Places allocations of the job's current version on one node.
  mutating func place(_ job: String, _ allocations: ClosedRange<UInt64>, node: UInt64) throws(StateError) {
    var plan = PlanResult()
    plan.evaluationID = identifier(9_000)
    plan.namespace = "default"
    plan.jobID = job
    plan.jobVersion = state.reader.job(JobKey("default", job))?.spec.value.version ?? 0
    plan.nodes = [identifier(node)]
    plan.placements = allocations.enumerated().map { number, id in
      var placement = Placement()
      placement.id = identifier(id)
      placement.nameIndex = number
      return placement
    }
    try apply(.planResult(plan))
  }

  mutating func report(_ allocation: UInt64, _ status: AllocationClientStatus, healthy: Bool? = nil) throws(StateError)
  {
    var update = AllocationStatusChange()
    update.id = identifier(allocation)
    update.clientStatus = status
    if let healthy {
      var health = AllocDeploymentStatus()
      health.healthy = healthy
      update.deploymentStatus = health
    }
    var payload = AllocationClientUpdates()
    payload.updates = [update]
    try apply(.allocationClientUpdates(payload))
  }

  /// Everything in the state but the index and time of the last entry.
  var contents: UInt64 {
    var copy = state
    copy.reader.index = 0
    copy.reader.time = .zeroValue
    return copy.digest
  }
}
