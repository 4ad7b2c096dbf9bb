// What lists show of an object.

extension AllocationListStub {
  /// - Parameters:
  ///   - jobType: the type of the allocation's job.
  ///   - resources: whether `AllocatedResources` is shown (`?resources=true`).
  ///   - taskStates: whether the states of the tasks are shown (all but `?task_states=false`).
  public init(_ allocation: Allocation, jobType: JobType, resources: Bool = false, taskStates: Bool = true) {
    self.init()
    id = allocation.id
    evalID = allocation.evalID
    name = allocation.name
    namespace = allocation.namespace
    nodeID = allocation.nodeID
    nodeName = allocation.nodeName
    jobID = allocation.jobID
    self.jobType = jobType.rawValue
    jobVersion = allocation.jobVersion
    taskGroup = allocation.taskGroup
    if resources { allocatedResources = allocation.allocatedResources }
    desiredStatus = allocation.desiredStatus
    desiredDescription = allocation.desiredDescription
    desiredTransition = allocation.desiredTransition
    clientStatus = allocation.clientStatus
    clientDescription = allocation.clientDescription
    if taskStates { self.taskStates = allocation.taskStates }
    deploymentStatus = allocation.deploymentStatus
    followupEvalID = allocation.followupEvalID
    nextAllocation = allocation.nextAllocation
    previousAllocation = allocation.previousAllocation
    rescheduleTracker = allocation.rescheduleTracker
    preemptedAllocations = allocation.preemptedAllocations
    preemptedByAllocation = allocation.preemptedByAllocation
    createIndex = allocation.createIndex
    modifyIndex = allocation.modifyIndex
    createTime = allocation.createTime
    modifyTime = allocation.modifyTime
  }
}

extension EvaluationStub {
  /// What a list shows of `evaluation`.
  public init(_ evaluation: Evaluation) {
    self.init()
    id = evaluation.id
    namespace = evaluation.namespace
    priority = evaluation.priority
    type = evaluation.type
    triggeredBy = evaluation.triggeredBy
    jobID = evaluation.jobID
    nodeID = evaluation.nodeID
    deploymentID = evaluation.deploymentID
    status = evaluation.status
    statusDescription = evaluation.statusDescription
    waitUntil = evaluation.waitUntil
    nextEval = evaluation.nextEval
    previousEval = evaluation.previousEval
    blockedEval = evaluation.blockedEval
    createIndex = evaluation.createIndex
    modifyIndex = evaluation.modifyIndex
    createTime = evaluation.createTime
    modifyTime = evaluation.modifyTime
  }
}

extension JobListStub {
  /// - Parameter meta: whether the job's metadata is shown (`?meta=true`).
  public init(_ job: Job, summary: JobSummary?, meta: Bool = false) {
    self.init()
    id = job.id
    parentID = job.parentID ?? ""
    name = job.name ?? job.id
    namespace = job.namespace ?? "default"
    datacenters = job.datacenters
    nodePool = job.nodePool ?? ""
    multiregion = job.multiregion
    type = (job.type ?? .service).rawValue
    priority = job.priority ?? JobLimits.defaultPriority
    periodic = job.isPeriodic
    parameterizedJob = job.isParameterized
    stop = job.isStopped
    status = job.status?.rawValue ?? ""
    statusDescription = job.statusDescription ?? ""
    jobSummary = summary
    createIndex = job.createIndex ?? 0
    modifyIndex = job.modifyIndex ?? 0
    jobModifyIndex = job.jobModifyIndex ?? 0
    submitTime = job.submitTime ?? 0
    if meta { self.meta = job.meta }
    versionTag = job.versionTag
  }
}

extension NodeListStub {
  /// - Parameters:
  ///   - resources: whether what the node has and reserves is shown (`?resources=true`).
  ///   - attributes: the attributes to show; the API shows those that `?os=true` asks for.
  public init(_ node: Node, resources: Bool = false, attributes: [String: String] = [:]) {
    self.init()
    id = node.id
    // The address without the port.
    address = node.httpAddr.lastIndex(of: ":").map { String(node.httpAddr[..<$0]) } ?? node.httpAddr
    self.attributes = attributes
    datacenter = node.datacenter
    name = node.name
    nodeClass = node.nodeClass
    nodePool = node.nodePool
    version = node.attributes["nomad.version"] ?? ""
    drain = node.drain
    schedulingEligibility = node.schedulingEligibility
    status = node.status
    statusDescription = node.statusDescription
    drivers = node.drivers
    hostVolumes = node.hostVolumes
    if resources {
      nodeResources = node.nodeResources
      reservedResources = node.reservedResources
    }
    lastDrain = node.lastDrain
    createIndex = node.createIndex
    modifyIndex = node.modifyIndex
  }
}
