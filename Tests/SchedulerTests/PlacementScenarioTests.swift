import Codec
import Model
import Scheduler
import State
import Testing

@Suite struct PlacementScenarioTests {
  @Test func withoutRoomTheEvaluationWaitsAndSaysWhy() throws {
    var cluster = Cluster()
    try cluster.addNodes(3) { number, node in
      if number == 2 { node.attributes["kernel.name"] = "windows" }
    }
    let job = makeJob("a", count: 10, cpu: 1_000) {
      $0.constraints = [makeConstraint("${attr.kernel.name}", "=", "linux")]
    }
    let result = try cluster.run(job)
    #expect(cluster.running("a").count == 8)
    let metric = try #require(result.evaluation.failedTGAllocs["web"])
    #expect(metric.nodesEvaluated == 3 && metric.nodesFiltered == 1 && metric.nodesExhausted == 2)
    #expect(metric.constraintFiltered == ["${attr.kernel.name} = linux": 1])
    #expect(metric.dimensionExhausted == ["cpu": 2])
    #expect(metric.coalescedFailures == 1 && metric.nodesAvailable == ["dc1": 3] && metric.nodesInPool == 3)
    #expect(result.evaluation.queuedAllocations == ["web": 2])
    let blocked = try #require(result.blockedEvaluation)
    #expect(result.evaluation.blockedEval == blocked.id && blocked.triggeredBy == .queuedAllocs)
    let linux = try #require(cluster.reader.node(identifier(1))?.value.computedClass)
    let windows = try #require(cluster.reader.node(identifier(3))?.value.computedClass)
    #expect(blocked.classEligibility == [linux: true, windows: false] && !blocked.escapedComputedClass)

    // Still no room: the same evaluation goes on waiting.
    let again = try cluster.work(on: blocked)
    #expect(
      again.evaluation.id == blocked.id && again.evaluation.status == .blocked && again.plan.evaluations.count == 1)
    // Room: the rest is placed.
    try cluster.add(makeNode(9))
    let placed = try cluster.work(on: blocked)
    #expect(placed.evaluation.status == .complete && cluster.running("a").count == 10)
  }

  @Test(arguments: [
    ("${attr.driver.exec}", "is_set", "", 0), ("${attr.gpu}", "is_set", "", 2), ("${attr.gpu}", "is_not_set", "", 0),
    ("${node.unique.name}", "regexp", "^node-1$", 1), ("${attr.cpu.arch}", "set_contains_any", "arm64,amd64", 0),
  ]) func constraintsFilterNodes(left: String, operand: String, right: String, filtered: Int) throws {
    var cluster = Cluster()
    try cluster.addNodes(2)
    let result = try cluster.run(makeJob("a", count: 1) { $0.constraints = [makeConstraint(left, operand, right)] })
    #expect((result.evaluation.failedTGAllocs["web"] ?? result.placementMetrics["web"])?.nodesFiltered == filtered)
  }

  @Test func aConstraintOnAUniqueAttributeChoosesOneNode() throws {
    var cluster = Cluster()
    try cluster.addNodes(5)
    try cluster.run(makeJob("a", count: 2) { $0.constraints = [makeConstraint("${node.unique.name}", "=", "node-4")] })
    #expect(cluster.running("a").map(\.nodeID) == [identifier(4), identifier(4)])
    try cluster.run(makeJob("b", count: 1) { $0.constraints = [makeConstraint("${node.unique.name}", "=", "node-9")] })
    #expect(cluster.last?.blockedEvaluation?.escapedComputedClass == true)
  }

  @Test func missingAndUnhealthyDriversAreNamed() throws {
    var cluster = Cluster()
    try cluster.addNodes(2) { number, node in
      if number == 0 { node.drivers["exec"]?.healthy = false }
      if number == 1 {
        node.drivers = [:]
        node.attributes["driver.exec"] = nil
      }
    }
    let result = try cluster.run(makeJob("a", count: 1))
    #expect(result.evaluation.failedTGAllocs["web"]?.constraintFiltered == ["missing drivers": 2])
  }

  @Test func datacentersAndPoolsLimitTheChoice() throws {
    var cluster = Cluster()
    var pool = NodePool()
    pool.name = "gpu"
    var payload = NodePoolUpsert()
    payload.pools = [pool]
    try cluster.apply(.nodePoolUpsert(payload))
    try cluster.addNodes(6) { number, node in
      node.datacenter = number < 3 ? "eu-1" : "us-1"
      node.nodePool = number % 2 == 0 ? "default" : "gpu"
    }
    try cluster.run(makeJob("a", count: 4) { $0.datacenters = ["us-*"] })
    #expect(Set(cluster.running("a").map(\.nodeID)) == [identifier(5)])
    try cluster.run(makeJob("b", count: 4) { $0.nodePool = "gpu" })
    #expect(Set(cluster.running("b").map(\.nodeID)).isSubset(of: [identifier(2), identifier(4), identifier(6)]))
    let result = try cluster.run(
      makeJob("c", count: 1) {
        $0.nodePool = "gpu"; $0.datacenters = ["asia"]
      })
    let metric = try #require(result.evaluation.failedTGAllocs["web"])
    #expect(metric.nodesEvaluated == 0 && metric.nodesInPool == 3 && metric.nodesAvailable.isEmpty)
    try cluster.run(makeJob("d", count: 6) { $0.nodePool = "all" })
    #expect(Set(cluster.running("d").map(\.nodeID)).count == 6)
  }

  @Test func ineligibleAndDrainingNodesGetNothing() throws {
    var cluster = Cluster()
    try cluster.addNodes(3)
    var payload = NodeEligibilityUpdate()
    payload.node = identifier(1)
    payload.eligibility = .ineligible
    try cluster.apply(.nodeEligibilityUpdate(payload))
    try cluster.drain(identifier(2))
    try cluster.run(makeJob("a", count: 3))
    #expect(Set(cluster.running("a").map(\.nodeID)) == [identifier(3)])
  }

  @Test func distinctHostsUsesEveryNodeOnce() throws {
    var cluster = Cluster()
    try cluster.addNodes(3)
    let job = makeJob("a", count: 4) { $0.constraints = [makeConstraint("", "distinct_hosts", "true")] }
    let result = try cluster.run(job)
    #expect(cluster.running("a").count == 3 && Set(cluster.running("a").map(\.nodeID)).count == 3)
    #expect(result.evaluation.failedTGAllocs["web"]?.constraintFiltered == ["distinct_hosts": 3])
  }

  @Test func distinctPropertyLimitsByValue() throws {
    var cluster = Cluster()
    try cluster.addNodes(6) { number, node in node.meta["rack"] = "r\(number % 3)" }
    let job = makeJob("a", count: 7) { $0.constraints = [makeConstraint("${meta.rack}", "distinct_property", "2")] }
    let result = try cluster.run(job)
    var racks: [String: Int] = [:]
    for allocation in cluster.running("a") {
      racks[cluster.reader.node(allocation.nodeID)?.value.meta["rack"] ?? "", default: 0] += 1
    }
    #expect(racks == ["r0": 2, "r1": 2, "r2": 2])
    #expect(
      result.evaluation.failedTGAllocs["web"]?.constraintFiltered.keys.sorted().first
        == "distinct_property: ${meta.rack}=r0 used by 2 allocs")
  }

  @Test func spreadTargetsAreMet() throws {
    var cluster = Cluster()
    try cluster.addNodes(10) { number, node in node.datacenter = number < 5 ? "dc1" : "dc2" }
    try cluster.run(
      makeJob("a", count: 10, cpu: 100) { job in
        var spread = Spread()
        spread.attribute = "${node.datacenter}"
        spread.weight = 100
        spread.spreadTarget = [("dc1", 70), ("dc2", 30)].map {
          var target = SpreadTarget()
          (target.value, target.percent) = $0
          return target
        }
        job.spreads = [spread]
      })
    let first = cluster.running("a").filter { cluster.reader.node($0.nodeID)?.value.datacenter == "dc1" }.count
    #expect(first == 7)
  }

  @Test func anEvenSpreadIsEven() throws {
    var cluster = Cluster()
    try cluster.addNodes(9) { number, node in node.meta["zone"] = "z\(number % 3)" }
    try cluster.run(
      makeJob("a", count: 9, cpu: 100) { job in
        var spread = Spread()
        spread.attribute = "${meta.zone}"
        job.spreads = [spread]
      })
    var zones: [String: Int] = [:]
    for allocation in cluster.running("a") {
      zones[cluster.reader.node(allocation.nodeID)?.value.meta["zone"] ?? "", default: 0] += 1
    }
    #expect(zones == ["z0": 3, "z1": 3, "z2": 3])
  }

  @Test func affinitiesWeigh() throws {
    var cluster = Cluster()
    try cluster.addNodes(4) { number, node in node.meta["ssd"] = number == 2 ? "yes" : "no" }
    let result = try cluster.run(
      makeJob("a", count: 1) { job in
        var affinity = Affinity()
        affinity.lTarget = "${meta.ssd}"
        affinity.rTarget = "yes"
        affinity.operand = "="
        affinity.weight = 80
        job.affinities = [affinity]
      })
    #expect(cluster.running("a").first?.nodeID == identifier(3))
    let scores = try #require(result.placementMetrics["web"]?.scoreMetaData)
    #expect(scores.count == 4 && scores.first?.nodeID == identifier(3))
    #expect(scores.first?.scores["node-affinity"] == 1 && scores.last?.scores["node-affinity"] == 0)
  }

  @Test func aStaticPortIsGivenOncePerNode() throws {
    var cluster = Cluster()
    try cluster.addNodes(2)
    let job = makeJob("a", count: 3) { job in
      var network = NetworkResource()
      network.reservedPorts = [makePort("http", 80)]
      network.dynamicPorts = [makePort("admin")]
      job.taskGroups[0].networks = [network]
    }
    let result = try cluster.run(job)
    #expect(Set(cluster.running("a").map(\.nodeID)).count == 2)
    #expect(
      result.evaluation.failedTGAllocs["web"]?.dimensionExhausted == ["network: reserved port collision http=80": 2])
    for allocation in cluster.running("a") {
      #expect(allocation.ports.map(\.label) == ["http", "admin"] && allocation.ports[0].value == 80)
    }
    // Stopping is not enough: the port is free when the client says so.
    try cluster.stop("a")
    let other = try cluster.run(makeJob("b", count: 1) { $0.taskGroups[0].networks = job.taskGroups[0].networks })
    #expect(other.plan.placements.isEmpty)
    try cluster.settle("a")
    #expect(try cluster.evaluate("b").plan.placements.count == 1)
  }

  @Test func hostVolumesHaveToBeThere() throws {
    var cluster = Cluster()
    try cluster.addNodes(3) { number, node in
      var volume = HostVolumeInfo()
      volume.path = "/data"
      volume.readOnly = number == 1
      if number > 0 { node.hostVolumes["data"] = volume }
    }
    func job(_ id: String, readOnly: Bool) -> Job {
      makeJob(id, count: 3) { job in
        var request = VolumeRequest()
        request.name = "data"
        request.type = "host"
        request.source = "data"
        request.readOnly = readOnly
        job.taskGroups[0].volumes["data"] = request
      }
    }
    try cluster.run(job("a", readOnly: false))
    #expect(Set(cluster.running("a").map(\.nodeID)) == [identifier(3)])
    try cluster.run(job("b", readOnly: true))
    #expect(Set(cluster.running("b").map(\.nodeID)).isSubset(of: [identifier(2), identifier(3)]))
  }

  @Test func bridgeNeedsANodeThatHasIt() throws {
    var cluster = Cluster()
    try cluster.addNodes(2) { number, node in
      guard number == 1 else { return }
      var bridge = NodeNetworkResource()
      bridge.mode = "bridge"
      node.nodeResources?.nodeNetworks.append(bridge)
    }
    let result = try cluster.run(
      makeJob("a", count: 2) { job in
        var network = NetworkResource()
        network.mode = "bridge"
        job.taskGroups[0].networks = [network]
      })
    #expect(Set(cluster.running("a").map(\.nodeID)) == [identifier(2)])
    #expect(result.placementMetrics["web"]?.constraintFiltered == ["missing network": 1])
  }

  // MARK: Plans

  @Test func aPlanIsWhatRunningThenDoes() throws {
    var cluster = Cluster()
    try cluster.addNodes(3)
    let job = makeJob("a", type: .batch, count: 3)
    var random = RandomBits(seed: 77)
    let before = cluster.state.reader.index
    let planned = try Scheduler.plan(job, on: cluster.state, now: cluster.now, random: &random)
    #expect(planned.annotations.desiredTGUpdates["web"]?.place == 3)
    #expect(cluster.state.reader.index == before && cluster.reader.job(JobKey("default", "a")) == nil)
    let ran = try cluster.run(job)
    #expect(ran.annotations.desiredTGUpdates == planned.annotations.desiredTGUpdates)
    try cluster.settle("a")
    let unchanged = try Scheduler.plan(job, on: cluster.state, now: cluster.now, random: &random)
    #expect(unchanged.changesNothing && unchanged.annotations.desiredTGUpdates["web"]?.ignore == 3)
    let changed = try Scheduler.plan(job.destructivelyChanged(), on: cluster.state, now: cluster.now, random: &random)
    #expect(changed.annotations.desiredTGUpdates["web"]?.destructiveUpdate == 3)
  }

  @Test func equalInputGivesEqualPlans() throws {
    var first = Cluster(seed: 4)
    var second = Cluster(seed: 4)
    try first.addNodes(50)
    try second.addNodes(50)
    let job = makeJob("a", count: 120, cpu: 100)
    let (one, other) = (try first.run(job).plan, try second.run(job).plan)
    #expect(one == other)
  }

  @Test func theOrderOfNodesInMemoryDoesNotMatter() throws {
    var first = Cluster(seed: 4)
    var second = Cluster(seed: 4)
    for number in 1...40 { try first.add(makeNode(UInt64(number), cpu: number % 3 == 0 ? 8_000 : 4_000)) }
    for number in (1...40).reversed() { try second.add(makeNode(UInt64(number), cpu: number % 3 == 0 ? 8_000 : 4_000)) }
    let job = makeJob("a", count: 60)
    func nodes(_ plan: PlanResult) -> [Identifier] { plan.placements.map { plan.nodes[$0.node] } }
    let (one, other) = (try first.run(job).plan, try second.run(job).plan)
    #expect(nodes(one) == nodes(other))
  }
}
