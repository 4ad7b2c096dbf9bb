import Codec
import Model
import Scheduler
import State
import Testing

/// A state, a clock and the scheduler, driven as the server drives them: every plan goes through `State.apply`, and after
/// each one `InvariantCheck` looks at the outcome.
struct Cluster {
  var state = State()
  var index: UInt64 = 10
  var now = Timestamp(nanoseconds: 1_700_000_000_000_000_000)
  var random: RandomBits
  /// Violations of invariants are kept instead of recorded: a history is made smaller before it is shown.
  var collectsViolations = false
  var violations: [String] = []
  /// The newest evaluation's result.
  var last: SchedulingResult?

  init(seed: UInt64 = 1) { random = RandomBits(seed: seed) }

  var reader: StateReader { state.reader }

  @discardableResult
  mutating func apply(_ entry: LogEntry) throws(StateError) -> Changes {
    index += 1
    return try state.apply(entry, index: index, time: now).get()
  }

  // MARK: Nodes

  @discardableResult
  mutating func add(_ node: Node) throws(StateError) -> Identifier {
    var payload = NodeRegistration()
    payload.node = node
    payload.node.computedClass = node.computeClass()
    try apply(.nodeRegistration(payload))
    return node.id
  }

  @discardableResult
  mutating func addNodes(_ count: Int, _ change: (Int, inout Node) -> Void = { _, _ in }) throws(StateError)
    -> [Identifier]
  {
    var ids: [Identifier] = []
    for number in 0..<count {
      var node = makeNode(UInt64(number + 1))
      change(number, &node)
      ids.append(try add(node))
    }
    return ids
  }

  mutating func setStatus(_ node: Identifier, _ status: NodeStatus) throws(StateError) {
    var change = NodeStatusChange()
    change.node = node
    change.status = status
    var payload = NodeStatusUpdate()
    payload.updates = [change]
    try apply(.nodeStatusUpdate(payload))
  }

  mutating func drain(_ node: Identifier) throws(StateError) {
    var payload = NodeDrainUpdate()
    payload.node = node
    payload.strategy = DrainStrategy()
    try apply(.nodeDrainUpdate(payload))
    try transition(on: node) { $0.migrate = true }
  }

  mutating func transition(on node: Identifier, _ change: (inout DesiredTransition) -> Void) throws(StateError) {
    try transition(reader.allocations(onNode: node).filter { !$0.value.isTerminal }.map(\.value.id), change)
  }

  mutating func transition(_ ids: [Identifier], _ change: (inout DesiredTransition) -> Void) throws(StateError) {
    var payload = AllocationTransitions()
    payload.allocations = ids
    change(&payload.transition)
    try apply(.allocationTransitions(payload))
  }

  // MARK: Jobs

  /// Registers a job and works on the evaluation that this makes.
  @discardableResult
  mutating func run(_ job: Job) throws(StateError) -> SchedulingResult {
    var payload = JobRegistration()
    payload.job = job
    try apply(.jobRegistration(payload))
    return try evaluate(job.id)
  }

  mutating func stop(_ job: String, purge: Bool = false) throws(StateError) {
    var payload = JobDeregistration()
    payload.namespace = "default"
    payload.jobID = job
    payload.purge = purge
    try apply(.jobDeregistration(payload))
    try evaluate(job, .jobDeregister)
  }

  @discardableResult
  mutating func evaluate(_ job: String, _ trigger: EvaluationTrigger = .jobRegister) throws(StateError)
    -> SchedulingResult
  {
    var evaluation = Evaluation()
    evaluation.id = Identifier(using: &random)
    evaluation.namespace = "default"
    evaluation.jobID = job
    evaluation.priority = 50
    evaluation.type = reader.job(JobKey("default", job))?.spec.value.type?.rawValue ?? "service"
    evaluation.triggeredBy = trigger
    return try work(on: evaluation)
  }

  @discardableResult
  mutating func work(on evaluation: Evaluation) throws(StateError) -> SchedulingResult {
    let before = state
    let result = Scheduler.schedule(
      evaluation, state: state.reader, columns: state.columns, now: now, random: &random)
    try apply(.planResult(result.plan))
    last = result
    var check = InvariantCheck(before: before, after: state, result: result)
    let found = check.run()
    if collectsViolations {
      violations += found
    } else {
      for violation in found { Issue.record("\(violation)") }
    }
    return result
  }

  // MARK: What clients report

  mutating func report(
    _ allocation: Identifier, _ status: AllocationClientStatus, healthy: Bool? = nil, finishedAt: Timestamp? = nil
  ) throws(StateError) {
    var update = AllocationStatusChange()
    update.id = allocation
    update.clientStatus = status
    if let healthy {
      var health = reader.allocation(allocation)?.value.deploymentStatus ?? AllocDeploymentStatus()
      health.healthy = healthy
      health.timestamp = now
      update.deploymentStatus = health
    }
    if status == .failed || status == .complete {
      var task = TaskState()
      task.state = .dead
      task.failed = status == .failed
      task.finishedAt = finishedAt ?? now
      update.taskStates = ["main": task]
    }
    var payload = AllocationClientUpdates()
    payload.updates = [update]
    try apply(.allocationClientUpdates(payload))
  }

  /// Every client reports: what should run runs (and is healthy where asked), what should stop has ended.
  mutating func settle(_ job: String, healthy: Bool? = nil) throws(StateError) {
    for allocation in allocations(job) where !allocation.isClientTerminal {
      if allocation.isServerTerminal {
        try report(allocation.id, .complete)
      } else if allocation.clientStatus != .running || allocation.deploymentStatus?.healthy != healthy {
        try report(allocation.id, .running, healthy: healthy)
      }
    }
  }

  // MARK: Looking

  func allocations(_ job: String) -> [StoredAllocation] {
    reader.allocations(ofJob: JobKey("default", job)).map(\.value)
  }
  /// Those that are to run, by name.
  func running(_ job: String) -> [StoredAllocation] {
    allocations(job).filter { !$0.isTerminal }.sorted { $0.nameIndex < $1.nameIndex }
  }
  func names(_ job: String) -> [String] { running(job).map(\.name) }
  func deployment(_ job: String) -> Deployment? { reader.latestDeployment(ofJob: JobKey("default", job))?.value }
}

func identifier(_ number: UInt64) -> Identifier { Identifier(high: RandomBits(seed: number).first, low: number) }

extension RandomBits {
  fileprivate var first: UInt64 {
    var copy = self
    return copy.next()
  }
}

func makeNode(_ number: UInt64, cpu: Int64 = 4_000, memory: Int64 = 8_192) -> Node {
  var node = Node()
  node.id = identifier(number)
  node.secretID = identifier(number + 1_000_000)
  node.name = "node-\(number)"
  node.datacenter = "dc1"
  node.nodePool = "default"
  node.status = .ready
  node.attributes = [
    "kernel.name": "linux", "cpu.arch": "amd64", "driver.exec": "1", "unique.hostname": "node-\(number)",
  ]
  var driver = DriverInfo()
  driver.detected = true
  driver.healthy = true
  node.drivers = ["exec": driver]
  var resources = NodeResources()
  resources.cpu.cpuShares = cpu
  resources.memory.memoryMB = memory
  resources.disk.diskMB = 100_000
  var network = NodeNetworkResource()
  network.mode = "host"
  network.device = "eth0"
  var address = NodeNetworkAddress()
  address.family = "ipv4"
  address.alias = "default"
  address.address = "10.0.0.\(number % 250)"
  network.addresses = [address]
  resources.nodeNetworks = [network]
  node.nodeResources = resources
  return node
}

func makeJob(
  _ id: String, type: JobType = .service, count: Int = 3, cpu: Int = 500, memory: Int = 256,
  _ change: (inout Job) -> Void = { _ in }
) -> Job {
  var job = Job()
  job.id = id
  job.type = type
  job.datacenters = ["*"]
  var group = TaskGroup()
  group.name = "web"
  group.count = count
  var task = JobTask()
  task.name = "main"
  task.driver = "exec"
  var resources = Resources()
  resources.cpu = cpu
  resources.memoryMB = memory
  task.resources = resources
  group.tasks = [task]
  job.taskGroups = [group]
  change(&job)
  job.canonicalize()
  job.fillRegistrationDefaults()
  return job
}

func makeConstraint(_ left: String, _ operand: String, _ right: String) -> Constraint {
  var constraint = Constraint()
  constraint.lTarget = left
  constraint.operand = operand
  constraint.rTarget = right
  return constraint
}

func makePort(_ label: String, _ value: Int = 0) -> Port {
  var port = Port()
  port.label = label
  port.value = value
  return port
}

extension Job {
  /// Changes the one group.
  mutating func editGroup(_ change: (inout TaskGroup) -> Void) { change(&taskGroups[0]) }
  /// Changes the one task.
  mutating func editTask(_ change: (inout JobTask) -> Void) { change(&taskGroups[0].tasks[0]) }
  /// A copy with a change that needs new allocations.
  func destructivelyChanged(_ value: String = "2") -> Job {
    var copy = self
    copy.editTask { $0.env["VERSION"] = value }
    return copy
  }
}
