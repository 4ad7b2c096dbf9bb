import Codec
import Model
import Testing

@testable import State

@Suite struct JobTests {
  static let key = JobKey("default", "web")

  @Test func registeringTheSameAgainMakesNoVersion() throws {
    var cluster = Cluster()
    try cluster.register(makeJob("web"))
    let first = try #require(cluster.state.reader.job(Self.key))
    #expect(first.job.version == 0)
    #expect(first.job.createIndex == 11)
    #expect(first.job.jobModifyIndex == 11)
    #expect(first.job.status == .pending)
    try cluster.register(makeJob("web"))
    #expect(cluster.state.reader.job(Self.key)?.job.jobModifyIndex == 11)
    try cluster.register(makeJob("web", count: 4))
    let second = try #require(cluster.state.reader.job(Self.key))
    #expect(second.job.version == 1)
    #expect(second.job.createIndex == 11)
    #expect(second.job.jobModifyIndex == 13)
    #expect(second.allVersions.map(\.version) == [1, 0])
  }

  @Test func sixVersionsAndThoseWithATagAreKept() throws {
    var cluster = Cluster()
    for count in 1...3 { try cluster.register(makeJob("web", count: count)) }
    var tagging = JobVersionTagging()
    tagging.namespace = "default"
    tagging.jobID = "web"
    tagging.version = 1
    tagging.tag.name = "golden"
    try cluster.apply(.jobVersionTagging(tagging))
    for count in 4...12 { try cluster.register(makeJob("web", count: count)) }
    let versions = cluster.state.reader.job(Self.key)?.allVersions.map(\.version)
    #expect(versions == [11, 10, 9, 8, 7, 6, 1])
    #expect(cluster.state.reader.job(Self.key)?.version(1)?.job.versionTag?.name == "golden")
    tagging.version = 11
    #expect(throws: StateError.tagInUse("golden", version: 1)) { try cluster.apply(.jobVersionTagging(tagging)) }
  }

  @Test func checkAndSetRefusesAnotherIndex() throws {
    var cluster = Cluster()
    var payload = JobRegistration()
    payload.job = makeJob("web")
    payload.expectedIndex = 5
    #expect(throws: StateError.indexMismatch(expected: 5, found: 0)) { try cluster.apply(.jobRegistration(payload)) }
    payload.expectedIndex = 0
    try cluster.apply(.jobRegistration(payload))
    payload.job = makeJob("web", count: 9)
    #expect(throws: StateError.indexMismatch(expected: 0, found: 12)) { try cluster.apply(.jobRegistration(payload)) }
    payload.expectedIndex = 12
    try cluster.apply(.jobRegistration(payload))
  }

  @Test func statusFollowsEvaluationsAndAllocations() throws {
    var cluster = Cluster()
    func status() -> String? { cluster.state.reader.job(Self.key)?.job.status?.rawValue }
    try cluster.addNodes(1...1)
    try cluster.register(makeJob("web"), evaluation: 100)
    #expect(status() == "pending")
    try cluster.place("web", 1...2, node: 1)
    #expect(status() == "running")
    var evaluation = makeEvaluation(100, job: "web")
    evaluation.status = .complete
    evaluation.queuedAllocations = ["web": 1]
    var update = EvaluationUpdate()
    update.evaluations = [evaluation]
    try cluster.apply(.evaluationUpdate(update))
    #expect(status() == "running")
    let summary = cluster.state.reader.summary(ofJob: Self.key)?.summary["web"]
    #expect(summary?.starting == 2)
    #expect(summary?.queued == 1)
    try cluster.report(1, .complete)
    #expect(status() == "running")
    try cluster.report(2, .failed)
    #expect(status() == "dead")
    // Its evaluations and allocations are collected: it stays dead.
    var reaping = Reaping()
    reaping.evaluations = [identifier(100)]
    reaping.allocations = [identifier(1), identifier(2)]
    try cluster.apply(.reaping(reaping))
    #expect(status() == "dead")
    #expect(cluster.state.reader.activity.isEmpty)
    try cluster.register(makeJob("web", count: 5))
    #expect(status() == "pending")
  }

  @Test func systemAndPeriodicJobsRunUntilTheyAreStopped() throws {
    var cluster = Cluster()
    try cluster.register(makeJob("web", type: .system))
    #expect(cluster.state.reader.job(Self.key)?.job.status == .running)
    var stop = JobDeregistration()
    stop.namespace = "default"
    stop.jobID = "web"
    try cluster.apply(.jobDeregistration(stop))
    let stopped = try #require(cluster.state.reader.job(Self.key)?.job)
    #expect(stopped.stop == true)
    #expect(stopped.version == 1)
    #expect(stopped.status == .dead)
    stop.purge = true
    try cluster.apply(.jobDeregistration(stop))
    #expect(cluster.state.reader.job(Self.key) == nil)
    #expect(throws: StateError.noSuchJob(Self.key)) { try cluster.apply(.jobDeregistration(stop)) }
  }

  @Test func childrenAreCountedByTheirParent() throws {
    var cluster = Cluster()
    var parent = makeJob("cron", type: .batch)
    parent.periodic = PeriodicConfig()
    try cluster.register(parent)
    for number in 1...3 {
      var child = makeJob("cron/periodic-\(number)", type: .batch)
      child.parentID = "cron"
      try cluster.register(child, evaluation: UInt64(number))
    }
    let children = cluster.state.reader.summary(ofJob: JobKey("default", "cron"))?.children
    #expect(children?.pending == 3)
    #expect(cluster.state.reader.jobs(inNamespace: "default", prefix: "cron/").count == 3)
  }
}

@Suite struct PlanTests {
  @Test func placementsTakeRoomUntilTheClientSaysTheyEnded() throws {
    var cluster = Cluster()
    try cluster.addNodes(1...2)
    try cluster.register(makeJob("web", cpu: 500))
    let slot = try #require(cluster.state.columns.slot(of: identifier(1)))
    #expect(cluster.state.columns.cpuTotal[slot] == 3_900)
    #expect(cluster.state.columns.memoryTotal[slot] == 8_000)
    #expect(cluster.state.columns.ports[slot].isUsed(8001, on: "10.0.0.1"))
    #expect(!cluster.state.columns.ports[slot].isUsed(8003, on: "10.0.0.1"))
    var plan = PlanResult()
    plan.evaluationID = identifier(100)
    plan.namespace = "default"
    plan.jobID = "web"
    plan.nodes = [identifier(1)]
    var placement = Placement()
    placement.id = identifier(7)
    placement.nameIndex = 2
    placement.ports = [makePort(20_000)]
    plan.placements = [placement]
    try cluster.apply(.planResult(plan))
    let allocation = try #require(cluster.state.reader.allocation(identifier(7)))
    #expect(allocation.value.name == "web.web[2]")
    #expect(allocation.value.nodeName == "node-1")
    #expect(cluster.state.columns.cpuUsed[slot] == 500)
    #expect(cluster.state.columns.memoryUsed[slot] == 64)
    #expect(cluster.state.columns.diskUsed[slot] == 300)
    #expect(cluster.state.columns.ports[slot].isUsed(20_000, on: "10.0.0.1"))
    #expect(!cluster.state.columns.ports[slot].isUsed(20_000, on: "10.0.0.2"))
    #expect(cluster.state.columns.ports[slot].isUsed(20_000, on: ""))

    var stop = PlanResult()
    stop.evaluationID = identifier(101)
    stop.namespace = "default"
    stop.jobID = "web"
    var change = AllocationChange()
    change.id = identifier(7)
    change.desiredStatus = .stop
    change.desiredDescription = "no longer needed"
    stop.changes = [change]
    let stopping = try cluster.apply(.planResult(stop))
    #expect(stopping.freedNodes.isEmpty)
    #expect(cluster.state.columns.cpuUsed[slot] == 500, "a stopping allocation keeps its room")
    #expect(cluster.state.reader.allocations(ofEvaluation: identifier(100)).isEmpty)
    #expect(cluster.state.reader.allocations(ofEvaluation: identifier(101)).count == 1)
    try cluster.report(7, .running)
    #expect(cluster.state.columns.cpuUsed[slot] == 500)
    cluster.index += 1
    var ended = AllocationClientUpdates()
    var update = AllocationStatusChange()
    update.id = identifier(7)
    update.clientStatus = .complete
    ended.updates = [update]
    let changes = try cluster.apply(.allocationClientUpdates(ended))
    #expect(changes.freedNodes == [identifier(1)])
    #expect(cluster.state.columns.cpuUsed[slot] == 0)
    #expect(!cluster.state.columns.ports[slot].isUsed(20_000, on: "10.0.0.1"))
    let shown = cluster.state.reader.allocation(identifier(7))?.value.allocation(includingJob: false)
    #expect(shown?.desiredStatus == .stop)
    #expect(shown?.clientStatus == .complete)
    #expect(shown?.allocatedResources?.tasks["main"]?.cpu.cpuShares == 500)
    #expect(shown?.allocatedResources?.shared.ports == [makePort(20_000)])
  }

  @Test func aReplacementIsLinkedBothWays() throws {
    var cluster = Cluster()
    try cluster.addNodes(1...1)
    try cluster.register(makeJob("web"))
    try cluster.place("web", 1...1, node: 1)
    var plan = PlanResult()
    plan.namespace = "default"
    plan.jobID = "web"
    plan.nodes = [identifier(1)]
    var placement = Placement()
    placement.id = identifier(2)
    placement.previous = identifier(1)
    plan.placements = [placement]
    var change = AllocationChange()
    change.id = identifier(1)
    change.desiredStatus = .stop
    plan.changes = [change]
    try cluster.apply(.planResult(plan))
    let old = cluster.state.reader.allocation(identifier(1))?.value
    #expect(old?.nextAllocation == identifier(2))
    #expect(old?.desiredStatus == .stop)
    #expect(cluster.state.reader.allocation(identifier(2))?.value.previousAllocation == identifier(1))
  }

  @Test func inPlaceUpdatesChangeVersionAndDemand() throws {
    var cluster = Cluster()
    try cluster.addNodes(1...1)
    try cluster.register(makeJob("web", groups: ["web"]))
    try cluster.place("web", 1...1, node: 1)
    try cluster.register(makeJob("web", cpu: 250, groups: ["cache", "web"]))
    var plan = PlanResult()
    plan.namespace = "default"
    plan.jobID = "web"
    plan.jobVersion = 1
    var change = AllocationChange()
    change.id = identifier(1)
    change.updatesJob = true
    plan.changes = [change]
    try cluster.apply(.planResult(plan))
    let allocation = try #require(cluster.state.reader.allocation(identifier(1))?.value)
    #expect(allocation.job.value.version == 1)
    #expect(allocation.groupName == "web")
    #expect(allocation.groupIndex == 1)
    #expect(cluster.state.columns.cpuUsed[0] == 250)
  }

  @Test func aPlanThatNamesWhatIsNotThereChangesNothing() throws {
    var cluster = Cluster()
    try cluster.addNodes(1...1)
    try cluster.register(makeJob("web"))
    try cluster.place("web", 1...1, node: 1)
    let before = cluster.contents
    var good = PlanResult()
    good.namespace = "default"
    good.jobID = "web"
    good.nodes = [identifier(1)]
    var placement = Placement()
    placement.id = identifier(50)
    good.placements = [placement]
    var bad: [(PlanResult, StateError)] = []
    var plan = good
    plan.nodes = [identifier(1), identifier(99)]
    bad.append((plan, .noSuchNode(identifier(99))))
    plan = good
    plan.placements[0].node = 1
    bad.append((plan, .malformed("placement \(identifier(50)) names node 1 of 1")))
    plan = good
    plan.placements[0].group = 1
    bad.append((plan, .malformed("placement \(identifier(50)) names group 1 of 1")))
    plan = good
    plan.placements[0].nameIndex = -1
    bad.append((plan, .malformed("placement \(identifier(50)) names group 0 of 1")))
    plan = good
    plan.placements.append(placement)
    bad.append((plan, .duplicateAllocation(identifier(50))))
    plan = good
    plan.placements[0].id = identifier(1)
    bad.append((plan, .duplicateAllocation(identifier(1))))
    plan = good
    plan.jobVersion = 3
    bad.append((plan, .noSuchJobVersion(JobKey("default", "web"), 3)))
    plan = good
    plan.jobID = "other"
    bad.append((plan, .noSuchJob(JobKey("default", "other"))))
    plan = good
    var change = AllocationChange()
    change.id = identifier(77)
    plan.changes = [change]
    bad.append((plan, .noSuchAllocation(identifier(77))))
    plan = good
    plan.deploymentID = identifier(66)
    bad.append((plan, .noSuchDeployment(identifier(66))))
    for (plan, error) in bad {
      #expect(throws: error) { try cluster.apply(.planResult(plan)) }
      #expect(cluster.contents == before, "\(error)")
    }
    try cluster.apply(.planResult(good))
  }
}

@Suite struct NodeTests {
  @Test func anotherSecretIsRefusedAndOperatorsSettingsSurviveReregistration() throws {
    var cluster = Cluster()
    try cluster.addNodes(1...1)
    var drain = NodeDrainUpdate()
    drain.node = identifier(1)
    drain.strategy = DrainStrategy()
    try cluster.apply(.nodeDrainUpdate(drain))
    var node = cluster.state.reader.node(identifier(1))?.value
    #expect(node?.drain == true)
    #expect(node?.schedulingEligibility == .ineligible)
    #expect(!cluster.state.columns.isCandidate(0))
    var again = NodeRegistration()
    again.node = makeNode(1, cpu: 8_000)
    try cluster.apply(.nodeRegistration(again))
    node = cluster.state.reader.node(identifier(1))?.value
    #expect(node?.drainStrategy != nil)
    #expect(node?.schedulingEligibility == .ineligible)
    #expect(node?.events.map(\.message).last == "Node reregistered")
    #expect(cluster.state.columns.cpuTotal[0] == 7_900)
    again.node.secretID = identifier(5)
    #expect(throws: StateError.wrongNodeSecret(identifier(1))) { try cluster.apply(.nodeRegistration(again)) }
    drain.strategy = nil
    drain.markEligible = true
    drain.completed = true
    let changes = try cluster.apply(.nodeDrainUpdate(drain))
    #expect(changes.freedNodes == [identifier(1)])
    #expect(cluster.state.columns.isCandidate(0))
    #expect(cluster.state.reader.node(identifier(1))?.value.lastDrain?.status == .complete)
  }

  @Test func aNodeThatComesBackFindsItsAllocationsAccountedFor() throws {
    var cluster = Cluster()
    try cluster.addNodes(1...2)
    try cluster.register(makeJob("web"))
    try cluster.place("web", 1...3, node: 1)
    var removal = NodeDeregistration()
    removal.nodes = [identifier(1)]
    try cluster.apply(.nodeDeregistration(removal))
    #expect(cluster.state.columns.slot(of: identifier(1)) == nil)
    try cluster.report(1, .complete)
    try cluster.addNodes(1...1)
    let slot = try #require(cluster.state.columns.slot(of: identifier(1)))
    #expect(cluster.state.columns.cpuUsed[slot] == 200)
    #expect(cluster.state.columns.allocationCount[slot] == 2)
  }

  @Test func classesGatherNodesThatDifferInUniqueAttributesOnly() throws {
    var cluster = Cluster()
    try cluster.addNodes(1...3)
    var payload = NodeRegistration()
    payload.node = makeNode(4, nodeClass: "gpu")
    try cluster.apply(.nodeRegistration(payload))
    let columns = cluster.state.columns
    #expect(Set(columns.computedClass[..<3]).count == 1)
    #expect(columns.computedClass[3] != columns.computedClass[0])
    #expect(columns.classes[Int(columns.computedClass[0])].members == 3)
    #expect(columns.nodeClasses.names[Int(columns.nodeClass[3])] == "gpu")
    payload.node = makeNode(4)
    try cluster.apply(.nodeRegistration(payload))
    #expect(cluster.state.columns.computedClass[3] == cluster.state.columns.computedClass[0])
    #expect(cluster.state.columns.classes.filter { !$0.name.isEmpty }.count == 1)
  }
}

@Suite struct DeploymentTests {
  @Test func completeEvaluationCancelsThoseThatWaitForRoom() throws {
    var cluster = Cluster()
    try cluster.register(makeJob("web"))
    func evaluation(_ number: UInt64, _ status: EvaluationStatus, job: String = "web") -> Evaluation {
      var evaluation = Evaluation()
      evaluation.id = identifier(number)
      evaluation.namespace = "default"
      evaluation.jobID = job
      evaluation.status = status
      return evaluation
    }
    func plan(_ evaluations: [Evaluation]) -> LogEntry {
      var plan = PlanResult()
      plan.evaluationID = evaluations[0].id
      plan.namespace = "default"
      plan.jobID = evaluations[0].jobID
      plan.evaluations = evaluations
      return .planResult(plan)
    }
    func status(_ number: UInt64) -> EvaluationStatus? {
      cluster.state.reader.evaluation(identifier(number))?.value.status
    }
    try cluster.apply(plan([evaluation(701, .complete), evaluation(702, .blocked)]))
    try cluster.apply(plan([evaluation(801, .complete, job: "other"), evaluation(802, .blocked, job: "other")]))
    // The one that waits is tried and still finds no room: it goes on waiting.
    try cluster.apply(plan([evaluation(702, .blocked)]))
    #expect(status(702) == .blocked)
    // A newer one replaces it, and one that places everything leaves none.
    try cluster.apply(plan([evaluation(703, .complete), evaluation(704, .blocked)]))
    #expect(status(702) == .canceled)
    #expect(status(704) == .blocked)
    try cluster.apply(plan([evaluation(705, .complete)]))
    #expect(status(704) == .canceled)
    #expect(status(802) == .blocked)
  }

  @Test func canariesArePromotedWhenTheyAreHealthy() throws {
    var cluster = Cluster()
    try cluster.addNodes(1...1)
    try cluster.register(makeJob("web"))
    var deployment = Deployment()
    deployment.id = identifier(500)
    deployment.namespace = "default"
    deployment.jobID = "web"
    var group = DeploymentState()
    group.desiredCanaries = 1
    group.desiredTotal = 3
    group.progressDeadline = .seconds(600)
    deployment.taskGroups = ["web": group]
    var plan = PlanResult()
    plan.namespace = "default"
    plan.jobID = "web"
    plan.deployment = deployment
    plan.deploymentID = identifier(500)
    plan.nodes = [identifier(1)]
    var placement = Placement()
    placement.id = identifier(1)
    placement.canary = true
    plan.placements = [placement]
    try cluster.apply(.planResult(plan))
    var state = cluster.state.reader.deployment(identifier(500))?.value.taskGroups["web"]
    #expect(state?.placedAllocs == 1)
    #expect(state?.placedCanaries == [identifier(1)])
    #expect(state?.requireProgressBy == Timestamp(nanoseconds: 613_000_000_000))

    var promotion = DeploymentPromotion()
    promotion.deployment = identifier(500)
    let before = cluster.contents
    #expect(throws: StateError.canariesNotHealthy(group: "web", healthy: 0, desired: 1)) {
      try cluster.apply(.deploymentPromotion(promotion))
    }
    #expect(cluster.contents == before)
    try cluster.report(1, .running, healthy: true)
    state = cluster.state.reader.deployment(identifier(500))?.value.taskGroups["web"]
    #expect(state?.healthyAllocs == 1)
    #expect(state?.requireProgressBy == Timestamp(nanoseconds: 615_000_000_000))
    try cluster.apply(.deploymentPromotion(promotion))
    #expect(cluster.state.reader.deployment(identifier(500))?.value.taskGroups["web"]?.promoted == true)
    #expect(cluster.state.reader.allocation(identifier(1))?.value.deploymentStatus?.canary == false)
    #expect(throws: StateError.nothingToPromote(identifier(500))) { try cluster.apply(.deploymentPromotion(promotion)) }

    var health = DeploymentHealth()
    health.deployment = identifier(500)
    health.unhealthy = [identifier(1)]
    var update = DeploymentStatusChange()
    update.status = .successful
    health.update = update
    try cluster.apply(.deploymentHealth(health))
    state = cluster.state.reader.deployment(identifier(500))?.value.taskGroups["web"]
    #expect(state?.healthyAllocs == 0)
    #expect(state?.unhealthyAllocs == 1)
    #expect(cluster.state.reader.job(JobKey("default", "web"))?.job.stable == true)
    #expect(throws: StateError.deploymentEnded(identifier(500))) { try cluster.apply(.deploymentHealth(health)) }
  }
}

@Suite struct OperatorTests {
  @Test func namespacesAndPoolsInUseAreNotDeleted() throws {
    var cluster = Cluster()
    var namespaces = NamespaceUpsert()
    var namespace = Namespace()
    namespace.name = "apps"
    namespaces.namespaces = [namespace]
    try cluster.apply(.namespaceUpsert(namespaces))
    #expect(throws: StateError.noSuchNamespace("nope")) { try cluster.register(makeJob("a", namespace: "nope")) }
    try cluster.register(makeJob("a", namespace: "apps"), evaluation: 1)
    var deletion = NamespaceDeletion()
    deletion.names = ["apps"]
    #expect(throws: StateError.namespaceInUse("apps", JobKey("apps", "a"))) {
      try cluster.apply(.namespaceDeletion(deletion))
    }
    var stop = JobDeregistration()
    stop.namespace = "apps"
    stop.jobID = "a"
    stop.purge = true
    try cluster.apply(.jobDeregistration(stop))
    try cluster.apply(.namespaceDeletion(deletion))
    #expect(cluster.state.reader.namespace("apps") == nil)
    deletion.names = ["default"]
    #expect(throws: StateError.builtIn("default")) { try cluster.apply(.namespaceDeletion(deletion)) }

    var node = NodeRegistration()
    node.node = makeNode(1)
    node.node.nodePool = "gpu"
    try cluster.apply(.nodeRegistration(node))
    #expect(cluster.state.reader.nodePool("gpu") != nil)
    var pools = NodePoolDeletion()
    pools.names = ["gpu"]
    #expect(throws: StateError.nodePoolInUse("gpu", by: "node \(identifier(1))")) {
      try cluster.apply(.nodePoolDeletion(pools))
    }
    pools.names = ["all"]
    #expect(throws: StateError.builtIn("all")) { try cluster.apply(.nodePoolDeletion(pools)) }
  }

  @Test func theSchedulersConfigurationIsCheckedAndSet() throws {
    var cluster = Cluster()
    var update = SchedulerConfigurationUpdate()
    update.configuration.schedulerAlgorithm = "spread"
    update.expectedIndex = 3
    #expect(throws: StateError.indexMismatch(expected: 3, found: 0)) {
      try cluster.apply(.schedulerConfiguration(update))
    }
    update.expectedIndex = nil
    try cluster.apply(.schedulerConfiguration(update))
    #expect(cluster.state.reader.schedulerConfiguration.schedulerAlgorithm == "spread")
    #expect(cluster.state.reader.index(of: .schedulerConfiguration) == 12)
    #expect(cluster.state.reader.index(of: .nodes) == 1)
  }
}

@Suite struct DemandTests {
  @Test func phasesShareTheirRoomAndSidecarsDoNot() {
    var group = TaskGroup()
    func task(_ cpu: Int, _ hook: String, sidecar: Bool = false) -> JobTask {
      var task = JobTask()
      task.name = "\(hook)\(cpu)"
      var resources = Resources()
      resources.cpu = cpu
      resources.memoryMB = cpu / 10
      task.resources = resources
      if !hook.isEmpty {
        var lifecycle = TaskLifecycle()
        lifecycle.hook = hook
        lifecycle.sidecar = sidecar
        task.lifecycle = lifecycle
      }
      return task
    }
    group.tasks = [
      task(1_000, "prestart"), task(200, "prestart", sidecar: true), task(400, ""), task(300, "poststart"),
      task(500, "poststop"),
    ]
    #expect(Demand(of: group) == Demand(cpu: 1_200, memory: 120, disk: 300))
  }
}
