import Codec
import Model
import Scheduler
import State
import Testing

@Suite struct PreemptionScenarioTests {
  private func job(
    _ id: String, _ priority: Int, count: Int = 1, cpu: Int = 0, memory: Int, disk: Int, type: JobType = .service,
    _ change: (inout Job) -> Void = { _ in }
  ) -> Job {
    makeJob(id, type: type, count: count, cpu: cpu, memory: memory) { job in
      job.priority = priority
      var ephemeral = EphemeralDisk()
      ephemeral.sizeMB = disk
      job.taskGroups[0].ephemeralDisk = ephemeral
      change(&job)
    }
  }

  /// A node that is full with "cache" (70), "batch-analytics" (50, two allocations) and "email-marketing" (20, two groups
  /// of different size).
  private func seedCluster() throws -> Cluster {
    var cluster = Cluster()
    var node = makeNode(1, cpu: 2_000, memory: 5_000)
    node.nodeResources?.disk.diskMB = 2_500
    try cluster.add(node)
    try cluster.run(job("cache", 70, cpu: 1_000, memory: 2_000, disk: 500))
    try cluster.run(job("batch-analytics", 50, count: 2, cpu: 500, memory: 1_000, disk: 500))
    try cluster.run(
      job("email-marketing", 20, memory: 500, disk: 800) { job in
        var second = job.taskGroups[0]
        second.name = "small"
        second.ephemeralDisk?.sizeMB = 200
        job.taskGroups.append(second)
      })
    for id in ["cache", "batch-analytics", "email-marketing"] { try cluster.settle(id) }
    try cluster.allowPreemption()
    return cluster
  }

  private func victims(_ result: SchedulingResult, _ cluster: Cluster) -> [String] {
    result.plan.placements.flatMap(\.preempted).compactMap { cluster.reader.allocation($0)?.value.jobKey.id }.sorted()
  }

  /// "cache (delta 5) is never taken; the lowest priority goes first, then as little more as is needed: both
  /// email-marketing allocations (1 GB) and one of batch-analytics (1 GB)."
  @Test func theLowestPriorityGoesFirstThenAsLittleMoreAsIsNeeded() throws {
    var cluster = try seedCluster()
    #expect(cluster.state.columns.memoryUsed[0] == 5_000 && cluster.state.columns.diskUsed[0] == 2_500)
    let result = try cluster.run(job("urgent", 75, memory: 2_000, disk: 500))
    #expect(victims(result, cluster) == ["batch-analytics", "email-marketing", "email-marketing"])
    #expect(cluster.running("cache").count == 1)
    let placed = try #require(cluster.running("urgent").first)
    #expect(placed.preemptedAllocations.count == 3 && Set(placed.startsAfter) == Set(placed.preemptedAllocations))
    // Their jobs are looked at at once; the node is full until the victims have ended, and full after that.
    let follow = result.plan.evaluations.filter { $0.triggeredBy == .preemption }
    #expect(follow.map(\.jobID) == ["batch-analytics", "email-marketing"])
    for evaluation in follow { #expect(try cluster.work(on: evaluation).plan.placements.isEmpty) }
  }

  /// "Asking for 0.4 GB memory and 0.2 GB disk takes only the email-marketing allocation with 0.2 GB disk."
  @Test func whatIsClosestToWhatIsAskedGoes() throws {
    var cluster = try seedCluster()
    let result = try cluster.run(job("urgent", 75, memory: 400, disk: 200))
    let victim = try #require(result.plan.placements.first?.preempted.first)
    #expect(victims(result, cluster) == ["email-marketing"])
    #expect(cluster.reader.allocation(victim)?.value.demand.disk == 200)
  }

  /// "Only allocations of jobs with a priority at least 10 lower are preempted."
  @Test(arguments: [(80, 1), (79, 0), (30, 1), (29, 0)]) func thePriorityHasToBeLowerByTen(priority: Int, expected: Int)
    throws
  {
    var cluster = Cluster()
    try cluster.addNodes(1)
    try cluster.allowPreemption()
    try cluster.run(makeJob("low", count: 1, cpu: 4_000) { $0.priority = priority >= 79 ? 70 : 20 })
    let result = try cluster.run(makeJob("high", count: 1, cpu: 4_000) { $0.priority = priority })
    #expect(result.plan.placements.count == expected)
  }

  /// "Preemption is on for system jobs and off for all others unless the operator says so", each type by itself.
  @Test(arguments: [JobType.service, .batch, .system, .sysbatch]) func eachTypeHasItsSwitch(type: JobType) throws {
    func placed(_ change: (inout PreemptionConfig) -> Void) throws -> Int {
      var cluster = Cluster()
      try cluster.addNodes(1)
      try cluster.run(makeJob("low", count: 1, cpu: 4_000) { $0.priority = 10 })
      try cluster.configurePreemption(change)
      return try cluster.run(makeJob("high", type: type, count: 1, cpu: 4_000) { $0.priority = 90 }).plan.placements
        .count
    }
    var fresh = Cluster()
    try fresh.addNodes(1)
    try fresh.run(makeJob("low", count: 1, cpu: 4_000) { $0.priority = 10 })
    let byDefault = try fresh.run(makeJob("high", type: type, count: 1, cpu: 4_000) { $0.priority = 90 })
    #expect(byDefault.plan.placements.count == (type == .system ? 1 : 0))
    func set(_ config: inout PreemptionConfig, _ value: Bool, others: Bool) {
      config.serviceSchedulerEnabled = type == .service ? value : others
      config.batchSchedulerEnabled = type == .batch ? value : others
      config.systemSchedulerEnabled = type == .system ? value : others
      config.sysBatchSchedulerEnabled = type == .sysbatch ? value : others
    }
    #expect(try placed { set(&$0, true, others: false) } == 1)
    #expect(try placed { set(&$0, false, others: true) } == 0)
  }

  @Test func aStaticPortIsTakenFromItsHolder() throws {
    var cluster = Cluster()
    try cluster.addNodes(1)
    try cluster.allowPreemption()
    func web(_ id: String, _ priority: Int) -> Job {
      makeJob(id, count: 1, cpu: 100) { job in
        job.priority = priority
        var network = NetworkResource()
        network.reservedPorts = [makePort("http", 80)]
        job.taskGroups[0].networks = [network]
      }
    }
    try cluster.run(makeJob("bystander", count: 2, cpu: 100) { $0.priority = 1 })
    try cluster.run(web("low", 30))
    let result = try cluster.run(web("high", 60))
    #expect(victims(result, cluster) == ["low"])
    #expect(try cluster.run(web("other", 65)).plan.placements.isEmpty)
  }

  @Test func roomThatIsOnItsWayIsWaitedForBeforeAnybodyHasToGo() throws {
    var cluster = Cluster()
    try cluster.addNodes(1)
    try cluster.allowPreemption()
    try cluster.run(makeJob("a", count: 1, cpu: 2_000) { $0.priority = 20 })
    try cluster.run(makeJob("b", count: 1, cpu: 2_000) { $0.priority = 20 })
    try cluster.settle("a")
    try cluster.stop("a")
    let ending = try #require(cluster.allocations("a").first)
    let result = try cluster.run(makeJob("high", count: 1, cpu: 2_000) { $0.priority = 90 })
    #expect(result.plan.placements.first?.preempted == [] && result.plan.placements.first?.startsAfter == [ending.id])
    #expect(cluster.running("b").count == 1)
  }

  @Test func aPlanShowsWhatWouldBePreempted() throws {
    var cluster = Cluster()
    try cluster.addNodes(1)
    try cluster.allowPreemption()
    try cluster.run(makeJob("low", count: 1, cpu: 4_000) { $0.priority = 10 })
    var random = RandomBits(seed: 1)
    let planned = try Scheduler.plan(
      makeJob("high", count: 1, cpu: 4_000) { $0.priority = 90 }, on: cluster.state, now: cluster.now, random: &random)
    #expect(planned.annotations.preemptedAllocs.map(\.jobID) == ["low"])
    #expect(cluster.running("low").count == 1)
  }

  @Test func aSystemJobMakesRoomOnEveryNode() throws {
    var cluster = Cluster()
    try cluster.addNodes(5)
    try cluster.run(makeJob("low", count: 10, cpu: 2_000) { $0.priority = 10 })
    let result = try cluster.run(makeJob("agent", type: .system, cpu: 1_500) { $0.priority = 90 })
    #expect(result.plan.placements.count == 5 && victims(result, cluster).count == 5)
  }

  /// Among nodes the one with the smallest sacrifice is chosen, and no more is taken than each placement needs.
  @Test func theNodeWithTheSmallestSacrificeIsChosen() throws {
    var cluster = Cluster()
    let nodes = try cluster.addNodes(3) { number, node in node.meta["n"] = "\(number)" }
    try cluster.allowPreemption()
    for (number, priority) in [40, 20, 30].enumerated() {
      try cluster.run(
        makeJob("low\(priority)", count: 2, cpu: 2_000) { job in
          job.priority = priority
          job.constraints = [makeConstraint("${meta.n}", "=", "\(number)")]
        })
    }
    let result = try cluster.run(makeJob("high", count: 3, cpu: 2_000) { $0.priority = 90 })
    #expect(victims(result, cluster) == ["low20", "low20", "low30"])
    #expect(result.plan.placements.map { result.plan.nodes[$0.node] } == [nodes[1], nodes[1], nodes[2]])
  }
}

extension Cluster {
  mutating func configurePreemption(_ change: (inout PreemptionConfig) -> Void) throws(StateError) {
    var payload = SchedulerConfigurationUpdate()
    payload.configuration = reader.schedulerConfiguration
    change(&payload.configuration.preemptionConfig)
    try apply(.schedulerConfiguration(payload))
  }

  /// For every type of job.
  mutating func allowPreemption() throws(StateError) {
    try configurePreemption {
      $0.serviceSchedulerEnabled = true
      $0.batchSchedulerEnabled = true
      $0.systemSchedulerEnabled = true
      $0.sysBatchSchedulerEnabled = true
    }
  }
}
