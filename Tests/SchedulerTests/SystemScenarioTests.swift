import Codec
import Model
import Scheduler
import State
import Testing

@Suite struct SystemScenarioTests {
  @Test func everyNodeThatSuitsGetsOne() throws {
    var cluster = Cluster()
    try cluster.addNodes(4) { number, node in if number == 3 { node.attributes["kernel.name"] = "windows" } }
    let job = makeJob("s", type: .system) { $0.constraints = [makeConstraint("${attr.kernel.name}", "=", "linux")] }
    let result = try cluster.run(job)
    #expect(Set(cluster.running("s").map(\.nodeID)) == [identifier(1), identifier(2), identifier(3)])
    #expect(result.evaluation.failedTGAllocs.isEmpty)
    #expect(try cluster.evaluate("s").changesNothing)
    // A new node gets one too.
    try cluster.add(makeNode(9))
    #expect(try cluster.evaluate("s", .nodeUpdate).plan.placements.count == 1)
    // A node that is lost loses it, and no other takes it.
    try cluster.setStatus(identifier(1), .down)
    let lost = try cluster.evaluate("s", .nodeUpdate)
    #expect(lost.plan.placements.isEmpty && cluster.running("s").count == 3)
  }

  @Test func aFullNodeIsReportedAndWaitedFor() throws {
    var cluster = Cluster()
    try cluster.addNodes(2)
    try cluster.run(makeJob("a", count: 1, cpu: 3_900))
    let result = try cluster.run(makeJob("s", type: .system))
    #expect(cluster.running("s").count == 1)
    #expect(result.evaluation.failedTGAllocs["web"]?.dimensionExhausted == ["cpu": 1])
    #expect(result.blockedEvaluation != nil)
  }

  // MARK: Deployments

  private func deployed(_ change: @Sendable (inout UpdateStrategy) -> Void = { _ in }) -> Job {
    makeJob("s", type: .system) { job in
      var update = UpdateStrategy()
      update.maxParallel = 1
      update.stagger = .seconds(10)
      change(&update)
      job.update = update
    }
  }

  private func version(_ cluster: Cluster, _ version: UInt64) -> Int {
    cluster.running("s").count { $0.job.value.version == version }
  }

  /// "max_parallel: the number of allocations within a task group that can be destructively updated at the same time."
  @Test func aSystemJobGoesOverToANewVersionNodeByNode() throws {
    var cluster = Cluster()
    try cluster.addNodes(4)
    try cluster.run(deployed())
    var deployment = try #require(cluster.deployment("s"))
    #expect(deployment.taskGroups["web"]?.desiredTotal == 4 && deployment.taskGroups["web"]?.placedAllocs == 4)
    #expect(cluster.running("s").count == 4, "the first version is placed on all nodes at once")
    try cluster.settle("s", healthy: true)
    try cluster.evaluate("s", .deploymentWatcher)
    #expect(cluster.deployment("s")?.status == .successful)

    let next = deployed().destructivelyChanged()
    #expect(try cluster.run(next).plan.placements.count == 1)
    deployment = try #require(cluster.deployment("s"))
    #expect(deployment.jobVersion == 1 && deployment.taskGroups["web"]?.desiredTotal == 4)
    for step in 2...4 {
      // Nothing goes on before the last one is healthy, however long it takes.
      cluster.now = cluster.now + .seconds(60)
      #expect(try cluster.evaluate("s", .deploymentWatcher).plan.placements.isEmpty)
      try cluster.settle("s", healthy: true)
      #expect(try cluster.evaluate("s", .deploymentWatcher).plan.placements.count == 1)
      #expect(version(cluster, 1) == step)
    }
    try cluster.settle("s", healthy: true)
    try cluster.evaluate("s", .deploymentWatcher)
    #expect(cluster.deployment("s")?.status == .successful && version(cluster, 1) == 4)
    #expect(try cluster.evaluate("s").changesNothing)
  }

  /// "stagger: the delay between each set of max_parallel updates when updating system jobs."
  @Test func betweenTwoStepsStaggerPasses() throws {
    var cluster = Cluster()
    try cluster.addNodes(3)
    try cluster.run(deployed())
    try cluster.settle("s", healthy: true)
    try cluster.run(deployed().destructivelyChanged())
    try cluster.settle("s", healthy: true)
    let early = try cluster.evaluate("s", .deploymentWatcher)
    #expect(early.plan.placements.isEmpty)
    let follow = try #require(early.plan.evaluations.last)
    #expect(follow.triggeredBy == .rollingUpdate && follow.waitUntil == cluster.now + .seconds(10))
    cluster.now = cluster.now + .seconds(10)
    #expect(try cluster.work(on: follow).plan.placements.count == 1)
  }

  /// "canary: of a system job, the percentage of feasible nodes", and "whichever is lower".
  @Test(
    arguments: [(20, 10, 2), (1, 10, 1), (50, 2, 2), (100, 10, 5), (45, 1, 1)]) func canariesAreAPercentageOfTheNodes(
      _ percentage: Int, _ parallel: Int, _ first: Int
    ) throws
  {
    var cluster = Cluster()
    try cluster.addNodes(parallel == 10 && percentage < 100 ? 10 : 5)
    let job = deployed {
      $0.canary = percentage
      $0.maxParallel = parallel
    }
    try cluster.run(job)
    #expect(cluster.deployment("s")?.taskGroups["web"]?.desiredCanaries == 0, "a first version has nothing to prove")
    try cluster.settle("s", healthy: true)
    let result = try cluster.run(job.destructivelyChanged())
    #expect(result.plan.placements.count == first && result.plan.placements.allSatisfy(\.canary))
    #expect(cluster.deployment("s")?.statusDescription == "Deployment is running but requires manual promotion")
  }

  @Test func theOtherNodesWaitForTheCanariesPromotion() throws {
    var cluster = Cluster()
    try cluster.addNodes(5)
    let job = deployed {
      $0.canary = 40
      $0.maxParallel = 5
    }
    try cluster.run(job)
    try cluster.settle("s", healthy: true)
    try cluster.run(job.destructivelyChanged())
    try cluster.settle("s", healthy: true)
    cluster.now = cluster.now + .seconds(60)
    #expect(try cluster.evaluate("s", .deploymentWatcher).plan.placements.isEmpty)
    let deployment = try #require(cluster.deployment("s"))
    #expect(deployment.status == .running && deployment.taskGroups["web"]?.desiredCanaries == 2)
    var promotion = DeploymentPromotion()
    promotion.deployment = deployment.id
    cluster.index += 1
    _ = try cluster.state.apply(.deploymentPromotion(promotion), index: cluster.index, time: cluster.now).get()
    #expect(try cluster.evaluate("s", .deploymentWatcher).plan.placements.count == 3)
    try cluster.settle("s", healthy: true)
    try cluster.evaluate("s", .deploymentWatcher)
    #expect(cluster.deployment("s")?.status == .successful && version(cluster, 1) == 5)
  }

  @Test func anUnhealthyNodeHoldsTheRolloutAndAPauseTooAndNewNodesWait() throws {
    var cluster = Cluster()
    try cluster.addNodes(3)
    let job = deployed { $0.maxParallel = 2 }
    try cluster.run(job)
    try cluster.settle("s", healthy: true)
    try cluster.run(job.destructivelyChanged())
    try cluster.settle("s", healthy: false)
    cluster.now = cluster.now + .seconds(60)
    #expect(try cluster.evaluate("s", .deploymentWatcher).plan.placements.isEmpty)
    var updates = DeploymentStatusUpdates()
    var change = DeploymentStatusChange()
    change.deployment = try #require(cluster.deployment("s")).id
    change.status = .failed
    updates.updates = [change]
    cluster.index += 1
    _ = try cluster.state.apply(.deploymentStatusUpdates(updates), index: cluster.index, time: cluster.now).get()
    try cluster.add(makeNode(9))
    #expect(try cluster.evaluate("s", .nodeUpdate).plan.placements.isEmpty, "what has failed is not tried elsewhere")
    // A new version is a new attempt.
    #expect(try cluster.run(job).plan.placements.count == 3)
  }

  @Test func aNodeThatJoinsWhileTheRolloutGoesOnBelongsToIt() throws {
    var cluster = Cluster()
    try cluster.addNodes(2)
    try cluster.run(deployed())
    try cluster.settle("s", healthy: true)
    try cluster.run(deployed().destructivelyChanged())
    try cluster.add(makeNode(9))
    #expect(try cluster.evaluate("s", .nodeUpdate).plan.placements.count == 1)
    let state = try #require(cluster.deployment("s")?.taskGroups["web"])
    #expect(state.desiredTotal == 3 && state.placedAllocs == 2)
  }

  /// "max_parallel = 0: the allocation should use forced updates instead of deployments."
  @Test func forcedUpdatesChangeAllNodesAtOnceAndNothingIsDeployed() throws {
    var cluster = Cluster()
    try cluster.addNodes(4)
    let job = deployed { $0.maxParallel = 0 }
    try cluster.run(job)
    try cluster.settle("s")
    #expect(try cluster.run(job.destructivelyChanged()).plan.placements.count == 4)
    #expect(cluster.deployment("s") == nil)
  }

  @Test func aSysbatchJobRunsOnceOnEachNode() throws {
    var cluster = Cluster()
    try cluster.addNodes(3)
    let job = makeJob("s", type: .sysbatch)
    try cluster.run(job)
    for allocation in cluster.running("s") { try cluster.report(allocation.id, .complete) }
    #expect(try cluster.evaluate("s").changesNothing)
    try cluster.run(job.destructivelyChanged())
    #expect(cluster.running("s").count == 3)
  }

  @Test func aStoppedSystemJobStopsEverywhere() throws {
    var cluster = Cluster()
    try cluster.addNodes(3)
    try cluster.run(makeJob("s", type: .system))
    try cluster.stop("s")
    #expect(cluster.running("s").isEmpty)
  }
}
