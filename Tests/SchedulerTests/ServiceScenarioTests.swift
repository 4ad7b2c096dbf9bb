import Codec
import Model
import Scheduler
import State
import Testing

/// Histories of service jobs, read from top to bottom. `Cluster` checks every plan's invariants besides.
@Suite struct ServiceScenarioTests {
  @Test func aNewJobGetsItsCountAndADeployment() throws {
    var cluster = Cluster()
    try cluster.addNodes(3)
    let result = try cluster.run(makeJob("a", count: 3))
    #expect(cluster.names("a") == ["a.web[0]", "a.web[1]", "a.web[2]"])
    #expect(result.evaluation.status == .complete)
    #expect(result.evaluation.queuedAllocations == ["web": 0])
    let updates = try #require(result.annotations.desiredTGUpdates["web"])
    #expect(updates.place == 3 && updates.stop == 0)
    let deployment = try #require(cluster.deployment("a"))
    #expect(deployment.status == .running && deployment.taskGroups["web"]?.desiredTotal == 3)
    #expect(deployment.taskGroups["web"]?.placedAllocs == 3)
  }

  @Test func aSecondEvaluationPlansNothing() throws {
    var cluster = Cluster()
    try cluster.addNodes(3)
    try cluster.run(makeJob("a", count: 3))
    #expect(try cluster.evaluate("a").changesNothing)
    try cluster.settle("a", healthy: true)
    let result = try cluster.evaluate("a", .deploymentWatcher)
    #expect(result.plan.deploymentUpdates.map(\.status) == [.successful])
    #expect(try cluster.evaluate("a").changesNothing)
  }

  @Test func antiAffinityAvoidsTheNodeThatHasOne() throws {
    var cluster = Cluster()
    try cluster.addNodes(3)
    try cluster.run(makeJob("a", count: 3))
    #expect(Set(cluster.running("a").map(\.nodeID)).count == 3)
  }

  @Test func jobsArePackedTogether() throws {
    var cluster = Cluster()
    try cluster.addNodes(4)
    for id in ["a", "b", "c", "d"] { try cluster.run(makeJob(id, count: 1)) }
    #expect(Set(["a", "b", "c", "d"].flatMap { cluster.running($0).map(\.nodeID) }).count == 1)
  }

  @Test func theSpreadAlgorithmUsesEmptyNodes() throws {
    var cluster = Cluster()
    try cluster.addNodes(4)
    var payload = SchedulerConfigurationUpdate()
    payload.configuration.schedulerAlgorithm = "spread"
    try cluster.apply(.schedulerConfiguration(payload))
    for id in ["a", "b", "c", "d"] { try cluster.run(makeJob(id, count: 1)) }
    #expect(Set(["a", "b", "c", "d"].flatMap { cluster.running($0).map(\.nodeID) }).count == 4)
  }

  @Test func fewerStopsTheHighestIndexes() throws {
    var cluster = Cluster()
    try cluster.addNodes(3)
    try cluster.run(makeJob("a", count: 5))
    try cluster.settle("a", healthy: true)
    let result = try cluster.run(makeJob("a", count: 2))
    #expect(cluster.names("a") == ["a.web[0]", "a.web[1]"])
    #expect(result.annotations.desiredTGUpdates["web"]?.stop == 3)
    #expect(result.annotations.desiredTGUpdates["web"]?.inPlaceUpdate == 2)
    #expect(cluster.running("a").allSatisfy { $0.job.value.version == 1 })
  }

  @Test func moreFillsTheMissingNames() throws {
    var cluster = Cluster()
    try cluster.addNodes(3)
    try cluster.run(makeJob("a", count: 2))
    try cluster.settle("a", healthy: true)
    try cluster.run(makeJob("a", count: 4))
    #expect(cluster.names("a") == ["a.web[0]", "a.web[1]", "a.web[2]", "a.web[3]"])
  }

  @Test func aStoppedJobStopsAndARestartedOneStarts() throws {
    var cluster = Cluster()
    try cluster.addNodes(1)
    try cluster.run(makeJob("a", count: 2))
    try cluster.stop("a")
    #expect(cluster.names("a").isEmpty)
    #expect(cluster.deployment("a")?.status == .cancelled)
    try cluster.settle("a")
    try cluster.run(makeJob("a", count: 2))
    #expect(cluster.names("a").count == 2)
  }

  @Test func aPurgedJobLeavesNothingRunning() throws {
    var cluster = Cluster()
    try cluster.addNodes(1)
    try cluster.run(makeJob("a", count: 2))
    try cluster.stop("a", purge: true)
    #expect(cluster.allocations("a").allSatisfy { $0.isServerTerminal })
  }

  @Test func aRemovedGroupIsStopped() throws {
    var cluster = Cluster()
    try cluster.addNodes(1)
    var two = makeJob("a", count: 1)
    var other = two.taskGroups[0]
    other.name = "api"
    two.taskGroups.append(other)
    try cluster.run(two)
    #expect(cluster.names("a").sorted() == ["a.api[0]", "a.web[0]"])
    let result = try cluster.run(makeJob("a", count: 1))
    #expect(cluster.names("a") == ["a.web[0]"])
    #expect(result.annotations.desiredTGUpdates["api"]?.stop == 1)
  }

  // MARK: Updates

  @Test func anUpdateReplacesMaxParallelAtATime() throws {
    var cluster = Cluster()
    try cluster.addNodes(4)
    let job = makeJob("a", count: 4) { job in
      var update = UpdateStrategy()
      update.maxParallel = 2
      job.update = update
    }
    try cluster.run(job)
    try cluster.settle("a", healthy: true)
    try cluster.evaluate("a", .deploymentWatcher)
    func current() -> Int { cluster.running("a").filter { $0.job.value.version == 1 }.count }

    let first = try cluster.run(job.destructivelyChanged())
    #expect(first.annotations.desiredTGUpdates["web"]?.destructiveUpdate == 2)
    #expect(first.annotations.desiredTGUpdates["web"]?.ignore == 2)
    #expect(current() == 2 && cluster.running("a").count == 4)
    // Nothing more before the first two are healthy.
    #expect(try cluster.evaluate("a", .deploymentWatcher).changesNothing)
    try cluster.settle("a", healthy: true)
    try cluster.evaluate("a", .deploymentWatcher)
    #expect(current() == 4)
    try cluster.settle("a", healthy: true)
    try cluster.evaluate("a", .deploymentWatcher)
    #expect(cluster.deployment("a")?.status == .successful)
  }

  @Test func anUnhealthyAllocationHoldsTheDeployment() throws {
    var cluster = Cluster()
    try cluster.addNodes(4)
    let job = makeJob("a", count: 3)
    try cluster.run(job)
    try cluster.settle("a", healthy: true)
    try cluster.evaluate("a", .deploymentWatcher)
    try cluster.run(job.destructivelyChanged())
    let new = try #require(cluster.running("a").first { $0.job.value.version == 1 })
    try cluster.report(new.id, .running, healthy: false)
    #expect(try cluster.evaluate("a", .deploymentWatcher).plan.placements.isEmpty)
  }

  @Test func aNewerVersionCancelsTheDeployment() throws {
    var cluster = Cluster()
    try cluster.addNodes(4)
    let job = makeJob("a", count: 3)
    try cluster.run(job)
    let first = try #require(cluster.deployment("a"))
    try cluster.run(job.destructivelyChanged())
    #expect(cluster.reader.deployment(first.id)?.value.status == .cancelled)
    #expect(cluster.deployment("a")?.jobVersion == 1)
  }

  @Test func withoutAnUpdateBlockAllAreReplacedAtOnce() throws {
    var cluster = Cluster()
    try cluster.addNodes(4)
    let job = makeJob("a", type: .batch, count: 4)
    try cluster.run(job)
    try cluster.settle("a")
    let result = try cluster.run(job.destructivelyChanged())
    #expect(result.annotations.desiredTGUpdates["web"]?.destructiveUpdate == 4)
    #expect(cluster.deployment("a") == nil)
  }

  /// Law 6: the old one holds its place until its client says that it has ended. The new one may count on that place, on
  /// the same node, because its client waits for the predecessor.
  @Test func aFullNodeIsUpdatedInTheOldOnesPlace() throws {
    var cluster = Cluster()
    try cluster.addNodes(1)
    let job = makeJob("a", type: .batch, count: 4, cpu: 1_000) { job in
      var network = NetworkResource()
      network.reservedPorts = [makePort("http", 8_080)]
      job.taskGroups.append(job.taskGroups[0])
      job.taskGroups[1].name = "front"
      job.taskGroups[1].count = 1
      job.taskGroups[1].networks = [network]
      job.taskGroups[0].count = 3
    }
    try cluster.run(job)
    try cluster.settle("a")
    var changed = job
    for index in changed.taskGroups.indices { changed.taskGroups[index].tasks[0].env["V"] = "2" }
    let result = try cluster.run(changed)
    #expect(result.evaluation.failedTGAllocs.isEmpty)
    #expect(result.plan.placements.count == 4)
    for placement in result.plan.placements { #expect(!placement.previous.isNone) }
    // A third version finds both of the earlier generations on the node and has to wait.
    var third = changed
    for index in third.taskGroups.indices { third.taskGroups[index].tasks[0].env["V"] = "3" }
    let blocked = try cluster.run(third)
    #expect(blocked.plan.placements.isEmpty)
    #expect(blocked.blockedEvaluation != nil)
    // With the first generation gone there is room again.
    try cluster.settle("a")
    #expect(try cluster.evaluate("a").plan.placements.count == 4)
  }

  @Test func aConstraintThatTheNodeNoLongerMeetsMovesTheAllocation() throws {
    var cluster = Cluster()
    try cluster.addNodes(2) { number, node in node.attributes["disk"] = number == 0 ? "hdd" : "ssd" }
    let job = makeJob("a", type: .batch, count: 1) { $0.constraints = [makeConstraint("${attr.disk}", "=", "hdd")] }
    try cluster.run(job)
    try cluster.settle("a")
    var moved = job
    moved.constraints[0].rTarget = "ssd"
    let result = try cluster.run(moved)
    #expect(result.annotations.desiredTGUpdates["web"]?.destructiveUpdate == 1)
    #expect(cluster.running("a").first?.nodeID == identifier(2))
  }

  // MARK: Canaries

  @Test func canariesRunBesideTheOldVersionUntilPromotion() throws {
    var cluster = Cluster()
    try cluster.addNodes(4)
    let job = makeJob("a", count: 3) { job in
      var update = UpdateStrategy()
      update.canary = 1
      update.maxParallel = 3
      job.update = update
    }
    try cluster.run(job)
    try cluster.settle("a", healthy: true)
    try cluster.evaluate("a", .deploymentWatcher)
    let result = try cluster.run(job.destructivelyChanged())
    #expect(result.annotations.desiredTGUpdates["web"]?.canary == 1)
    #expect(cluster.running("a").count == 4)
    let deployment = try #require(cluster.deployment("a"))
    #expect(
      deployment.taskGroups["web"]?.desiredCanaries == 1 && deployment.taskGroups["web"]?.placedCanaries.count == 1)
    try cluster.settle("a", healthy: true)
    #expect(try cluster.evaluate("a", .deploymentWatcher).changesNothing)

    var promotion = DeploymentPromotion()
    promotion.deployment = deployment.id
    try cluster.apply(.deploymentPromotion(promotion))
    try cluster.evaluate("a", .deploymentWatcher)
    try cluster.settle("a", healthy: true)
    try cluster.evaluate("a", .deploymentWatcher)
    #expect(cluster.names("a") == ["a.web[0]", "a.web[1]", "a.web[2]"])
    #expect(cluster.running("a").allSatisfy { $0.job.value.version == 1 })
    #expect(cluster.deployment("a")?.status == .successful)
  }

  @Test func canariesOfASupersededDeploymentAreStopped() throws {
    var cluster = Cluster()
    try cluster.addNodes(4)
    let job = makeJob("a", count: 2) { job in
      var update = UpdateStrategy()
      update.canary = 1
      job.update = update
    }
    try cluster.run(job)
    try cluster.settle("a", healthy: true)
    try cluster.evaluate("a", .deploymentWatcher)
    try cluster.run(job.destructivelyChanged())
    try cluster.run(job.destructivelyChanged("3"))
    let versions = cluster.running("a").map { $0.job.value.version }
    #expect(versions.filter { $0 == 0 }.count == 2 && versions.filter { $0 == 2 }.count == 1 && versions.count == 3)
  }

  @Test func aLostOldAllocationStaysOnItsVersionWhileCanariesRun() throws {
    var cluster = Cluster()
    try cluster.addNodes(4)
    let job = makeJob("a", count: 2) { job in
      var update = UpdateStrategy()
      update.canary = 1
      job.update = update
    }
    try cluster.run(job)
    try cluster.settle("a", healthy: true)
    try cluster.evaluate("a", .deploymentWatcher)
    try cluster.run(job.destructivelyChanged())
    let old = try #require(cluster.running("a").first { $0.job.value.version == 0 })
    try cluster.setStatus(old.nodeID, .down)
    try cluster.evaluate("a", .nodeUpdate)
    #expect(cluster.running("a").filter { $0.job.value.version == 0 }.count == 2)
  }

  // MARK: Nodes

  @Test func allocationsOfADownNodeAreLostAndReplaced() throws {
    var cluster = Cluster()
    try cluster.addNodes(3)
    try cluster.run(makeJob("a", count: 3))
    try cluster.settle("a", healthy: true)
    let victim = try #require(cluster.running("a").first)
    try cluster.setStatus(victim.nodeID, .down)
    let result = try cluster.evaluate("a", .nodeUpdate)
    let old = try #require(cluster.reader.allocation(victim.id)?.value)
    #expect(old.clientStatus == .lost && old.desiredStatus == .stop)
    let new = try #require(cluster.reader.allocation(old.nextAllocation)?.value)
    #expect(new.name == old.name && new.previousAllocation == old.id && new.nodeID != old.nodeID)
    #expect(result.annotations.desiredTGUpdates["web"]?.place == 1)
    #expect(cluster.running("a").count == 3)
  }

  @Test func allocationsOfADrainingNodeMove() throws {
    var cluster = Cluster()
    try cluster.addNodes(3)
    try cluster.run(makeJob("a", count: 3))
    try cluster.settle("a", healthy: true)
    let victim = try #require(cluster.running("a").first)
    try cluster.drain(victim.nodeID)
    let result = try cluster.evaluate("a", .nodeDrain)
    #expect(result.annotations.desiredTGUpdates["web"]?.migrate == 1)
    #expect(cluster.reader.allocation(victim.id)?.value.desiredStatus == .stop)
    #expect(cluster.running("a").count == 3 && !cluster.running("a").contains { $0.nodeID == victim.nodeID })
  }

  // MARK: Failures

  @Test func aFailedAllocationIsReplacedAfterItsDelay() throws {
    var cluster = Cluster()
    try cluster.addNodes(2)
    try cluster.run(makeJob("a", count: 1))
    try cluster.settle("a", healthy: true)
    let failed = try #require(cluster.running("a").first)
    try cluster.report(failed.id, .failed)
    // 30 s by default.
    let waiting = try cluster.evaluate("a", .allocFailure)
    #expect(waiting.plan.placements.isEmpty)
    let followUp = try #require(waiting.plan.evaluations.last)
    #expect(followUp.waitUntil == cluster.now + .seconds(30) && followUp.status == .pending)
    #expect(cluster.reader.allocation(failed.id)?.value.followupEvalID == followUp.id)
    // Other evaluations in between don't make another one.
    #expect(try cluster.evaluate("a").changesNothing)

    cluster.now = cluster.now + .seconds(30)
    try cluster.work(on: followUp)
    let new = try #require(cluster.running("a").first)
    #expect(new.previousAllocation == failed.id && new.nodeID != failed.nodeID)
    #expect(new.rescheduleTracker?.events.count == 1)
    #expect(new.rescheduleTracker?.events.first?.prevNodeID == failed.nodeID)

    // The second failure waits twice as long.
    try cluster.report(new.id, .failed)
    let second = try cluster.evaluate("a", .allocFailure)
    #expect(second.plan.evaluations.last?.waitUntil == cluster.now + .seconds(60))
  }

  @Test func aBatchAllocationIsRescheduledOnceADay() throws {
    var cluster = Cluster()
    try cluster.addNodes(2)
    try cluster.run(makeJob("a", type: .batch, count: 1))
    for attempt in 1...2 {
      let running = try #require(cluster.running("a").first)
      try cluster.report(running.id, .failed)
      try cluster.evaluate("a", .allocFailure)
      cluster.now = cluster.now + .seconds(6)
      try cluster.evaluate("a", .allocFailure)
      #expect(cluster.running("a").count == (attempt == 1 ? 1 : 0))
    }
  }

  @Test func aNewVersionReplacesWhatHasFailedForGood() throws {
    var cluster = Cluster()
    try cluster.addNodes(2)
    let job = makeJob("a", count: 1) { job in
      var policy = ReschedulePolicy()
      policy.attempts = 0
      policy.unlimited = false
      job.reschedule = policy
    }
    try cluster.run(job)
    try cluster.report(try #require(cluster.running("a").first).id, .failed)
    #expect(try cluster.evaluate("a", .allocFailure).changesNothing)
    try cluster.run(job.destructivelyChanged())
    #expect(cluster.running("a").count == 1)
  }
}

extension ServiceScenarioTests {
  /// The history of a failed allocation outlives a time without room.
  @Test func aRescheduleThatFindsNoRoomKeepsItsHistory() throws {
    var cluster = Cluster()
    try cluster.addNodes(1)
    try cluster.run(makeJob("a", count: 1, cpu: 3_000))
    let failed = try #require(cluster.running("a").first)
    try cluster.report(failed.id, .failed)
    try cluster.run(makeJob("b", count: 1, cpu: 3_000))
    cluster.now = cluster.now + .seconds(30)
    let blocked = try cluster.evaluate("a", .allocFailure)
    #expect(blocked.plan.placements.isEmpty && blocked.blockedEvaluation != nil)
    try cluster.add(makeNode(2))
    try cluster.work(on: try #require(blocked.blockedEvaluation))
    let new = try #require(cluster.running("a").first)
    #expect(new.previousAllocation == failed.id && new.rescheduleTracker?.events.count == 1)
    #expect(cluster.reader.allocation(failed.id)?.value.desiredStatus == .stop)
  }

  @Test func theNodeOfAFailureIsPenalised() throws {
    var cluster = Cluster()
    try cluster.addNodes(2)
    try cluster.run(makeJob("a", count: 1))
    let failed = try #require(cluster.running("a").first)
    try cluster.report(failed.id, .failed)
    cluster.now = cluster.now + .seconds(30)
    let result = try cluster.evaluate("a", .allocFailure)
    let scores = try #require(result.placementMetrics["web"]?.scoreMetaData)
    #expect(scores.map { $0.scores["node-reschedule-penalty"] } == [0, -1])
    #expect(scores.last?.nodeID == failed.nodeID)
  }

  /// "all_at_once: allocations are placed all or not at all"; without it, as many as find room.
  @Test(arguments: [true, false]) func allAtOnceIsAllOrNothing(allAtOnce: Bool) throws {
    var cluster = Cluster()
    try cluster.addNodes(1)
    let job = makeJob("a", count: 3, cpu: 1_000) { job in
      job.allAtOnce = allAtOnce
      var second = job.taskGroups[0]
      second.name = "api"
      second.count = 3
      job.taskGroups.append(second)
    }
    let result = try cluster.run(job)
    #expect(cluster.running("a").count == (allAtOnce ? 0 : 4))
    #expect(result.evaluation.queuedAllocations.values.reduce(0, +) == (allAtOnce ? 6 : 2))
    let blocked = try #require(result.blockedEvaluation)
    try cluster.add(makeNode(2))
    try cluster.work(on: blocked)
    #expect(cluster.running("a").count == 6)
  }
}
