import Codec
import Model
import Scheduler
import State
import Testing

/// The smallest sets of requirements whose relaxation would place a group.
@Suite struct PlacementExplanationTests {
  private func explain(_ id: String, _ cluster: Cluster) throws -> JobWhyGroup {
    let response = PlacementExplanation.explain(
      JobKey("default", id), state: cluster.reader, columns: cluster.state.columns)
    return try #require(response?.groups.first)
  }

  private func texts(_ relaxation: JobWhyRelaxation) -> Set<String> { Set(relaxation.requirements.map(\.text)) }

  @Test func whatIsPlacedNeedsNoExplanation() throws {
    var cluster = Cluster()
    try cluster.addNodes(2)
    try cluster.run(makeJob("a"))
    let response = PlacementExplanation.explain(
      JobKey("default", "a"), state: cluster.reader, columns: cluster.state.columns)
    #expect(response?.groups == [])
    #expect(
      PlacementExplanation.explain(JobKey("default", "b"), state: cluster.reader, columns: cluster.state.columns) == nil
    )
  }

  /// Six nodes, each of which something else keeps closed.
  @Test func theSmallestSetsAreFound() throws {
    var cluster = Cluster()
    try cluster.addNodes(6) { number, node in
      switch number {
      case 0, 1: node.attributes["kernel.name"] = "windows"
      case 2: node.nodeResources?.memory.memoryMB = 1_000
      case 3:
        node.nodeResources?.memory.memoryMB = 2_000
        node.datacenter = "dc2"
      case 4:
        node.drivers = [:]
        node.attributes["driver.exec"] = nil
      default: node.nodeResources?.memory.memoryMB = 1_500
      }
    }
    let job = makeJob("a", count: 2, memory: 4_096) {
      $0.datacenters = ["dc1"]
      $0.constraints = [makeConstraint("${attr.kernel.name}", "=", "linux")]
    }
    try cluster.run(job)
    let group = try explain("a", cluster)
    #expect(group.desired == 2 && group.placed == 0 && group.nodes == 6)
    // The node in dc2 needs two things, one of which opens others by itself.
    #expect(
      group.relaxations.map { texts($0) } == [
        ["${attr.kernel.name} = linux"], ["memory 4096 MB"], ["driver \"exec\""],
      ])
    #expect(group.relaxations.map(\.opensNodes) == [2, 2, 1])
    #expect(group.relaxations[1].requirements[0].available == 1_500)
    #expect(Set(group.relaxations[0].examples) == [identifier(1), identifier(2)])
  }

  @Test func severalRequirementsMayHaveToGoTogether() throws {
    var cluster = Cluster()
    try cluster.addNodes(2) { number, node in
      node.datacenter = "dc2"
      if number == 0 { node.nodePool = "gpu" }
    }
    var pool = NodePoolUpsert()
    var record = NodePool()
    record.name = "gpu"
    pool.pools = [record]
    try cluster.apply(.nodePoolUpsert(pool))
    try cluster.run(
      makeJob("a", count: 1, cpu: 8_000) { job in
        job.datacenters = ["dc1"]
        var network = NetworkResource()
        network.reservedPorts = [makePort("http", 80)]
        job.taskGroups[0].networks = [network]
      })
    let group = try explain("a", cluster)
    #expect(group.relaxations.map { texts($0) } == [["cpu 8000 MHz", "datacenters dc1"]])
    #expect(group.relaxations[0].opensNodes == 1)
  }

  /// Relaxing what is named does place the group, and nothing less does: checked by changing the job so.
  @Test(arguments: 1...40) func relaxingASetPlacesTheGroup(seed: Int) throws {
    var random = RandomBits(seed: UInt64(seed))
    func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    var cluster = Cluster(seed: UInt64(seed))
    try cluster.addNodes(draw(1...8)) { _, node in
      node.datacenter = "dc\(draw(1...2))"
      node.meta["rack"] = "r\(draw(1...2))"
      node.nodeResources?.cpu.cpuShares = Int64(draw(1...4) * 500)
      node.nodeResources?.memory.memoryMB = Int64(draw(1...4) * 512)
    }
    func job(cpu: Int?, memory: Int?, rack: Bool, datacenter: Bool) -> Job {
      makeJob("a", count: 1, cpu: cpu ?? 1, memory: memory ?? 1) { job in
        job.datacenters = datacenter ? ["dc1"] : ["*"]
        if rack { job.constraints = [makeConstraint("${meta.rack}", "=", "r1")] }
      }
    }
    let asked = (cpu: draw(1...4) * 500, memory: draw(1...4) * 512)
    let result = try cluster.run(job(cpu: asked.cpu, memory: asked.memory, rack: true, datacenter: true))
    if !result.plan.placements.isEmpty { return }
    let group = try explain("a", cluster)
    #expect(!group.relaxations.isEmpty)
    func places(_ relaxed: Set<String>) throws -> Bool {
      let changed = job(
        cpu: relaxed.contains("cpu \(asked.cpu) MHz") ? nil : asked.cpu,
        memory: relaxed.contains("memory \(asked.memory) MB") ? nil : asked.memory,
        rack: !relaxed.contains("${meta.rack} = r1"), datacenter: !relaxed.contains("datacenters dc1"))
      var other = RandomBits(seed: 3)
      return !(try Scheduler.plan(changed, on: cluster.state, now: cluster.now, random: &other)).plan.placements.isEmpty
    }
    for relaxation in group.relaxations {
      let set = texts(relaxation)
      #expect(try places(set), "seed \(seed): \(set)")
      for spared in set { #expect(!(try places(set.subtracting([spared]))), "seed \(seed): \(set)") }
    }
  }
}
