import Codec
import Model
import Scheduler
import State
import Testing

/// Random clusters and histories of jobs; the invariants are checked after each plan (`InvariantCheck`), what follows
/// from the whole history here. A failure names the seed.
@Suite struct PropertyTests {
  @Test(arguments: 1...60) func histories(seed: Int) throws {
    var random = RandomBits(seed: UInt64(seed))
    func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    var cluster = Cluster(seed: UInt64(seed))
    let nodes = try cluster.addNodes(draw(1...12)) { number, node in
      node.datacenter = "dc\(number % 2)"
      node.meta["rack"] = "r\(number % 3)"
      node.nodeResources?.cpu.cpuShares = Int64(draw(1...4) * 1_000)
    }
    var down: Set<Identifier> = []
    func job(_ id: String) -> Job {
      let type: JobType = [.service, .service, .batch, .system, .sysbatch][draw(0...4)]
      return makeJob(id, type: type, count: draw(0...8), cpu: draw(1...12) * 100, memory: draw(1...8) * 128) { job in
        var update = UpdateStrategy()
        update.maxParallel = draw(0...3)
        update.canary = type == .service && draw(0...3) == 0 ? 1 : 0
        // Of a system job it is a percentage.
        if type == .system { update.canary = draw(0...3) == 0 ? 50 : 0 }
        if type == .service || type == .system { job.update = update }
        job.taskGroups[0].tasks[0].env["V"] = "\(draw(0...3))"
        if draw(0...3) == 0 { job.constraints.append(makeConstraint("", "distinct_hosts", "true")) }
        if draw(0...3) == 0 { job.constraints.append(makeConstraint("${meta.rack}", "distinct_property", "2")) }
        if draw(0...2) == 0 {
          var network = NetworkResource()
          if draw(0...1) == 0 { network.reservedPorts = [makePort("http", 80 + draw(0...2))] }
          network.dynamicPorts = [makePort("a")]
          job.taskGroups[0].networks = [network]
        }
        if draw(0...3) == 0 {
          var spread = Spread()
          spread.attribute = "${node.datacenter}"
          job.spreads = [spread]
        }
      }
    }
    let ids = ["a", "b", "c"]
    var types: [String: JobType] = [:]
    for _ in 0..<60 {
      let id = ids[draw(0...2)]
      cluster.now = cluster.now + .seconds(Int64(draw(0...40)))
      switch draw(0...9) {
      case 0...2:
        var next = job(id)
        // The type of a job can't change.
        if let type = types[id], type != next.type { next = makeJob(id, type: type, count: draw(0...8)) }
        types[id] = next.type
        var other = RandomBits(seed: 99)
        let planned = try Scheduler.plan(next, on: cluster.state, now: cluster.now, random: &other)
        let ran = try cluster.run(next)
        #expect(planned.annotations.desiredTGUpdates == ran.annotations.desiredTGUpdates, "seed \(seed)")
      case 3 where types[id] != nil:
        let purge = draw(0...2) == 0
        try cluster.stop(id, purge: purge)
        if purge { types[id] = nil }
      case 4:
        let node = nodes[draw(0...nodes.count - 1)]
        try cluster.setStatus(node, down.contains(node) ? .ready : .down)
        if down.remove(node) == nil { down.insert(node) }
        for id in ids { try cluster.evaluate(id, .nodeUpdate) }
      case 5, 6: for id in ids { try cluster.settle(id, healthy: true) }
      case 7:
        if let victim = cluster.allocations(id).filter({ !$0.isClientTerminal }).first {
          try cluster.report(victim.id, draw(0...1) == 0 ? .failed : .complete)
        }
        try cluster.evaluate(id, .allocFailure)
      case 8:
        if let victim = cluster.running(id).last {
          try cluster.transition([victim.id]) { $0.migrate = true }
          try cluster.evaluate(id, .allocStop)
        }
      default: try cluster.evaluate(id, .deploymentWatcher)
      }
    }

    // Left alone, with every client reporting, each job comes to rest: an evaluation then plans nothing.
    for node in down { try cluster.setStatus(node, .ready) }
    for id in ids {
      var rested = false
      for _ in 0..<200 where !rested {
        try cluster.settle(id, healthy: true)
        if let deployment = cluster.deployment(id), deployment.status == .running,
          deployment.taskGroups.values.contains(where: { $0.desiredCanaries > 0 && !$0.promoted })
        {
          var promotion = DeploymentPromotion()
          promotion.deployment = deployment.id
          // Refused while canaries aren't healthy.
          _ = cluster.state.apply(.deploymentPromotion(promotion), index: cluster.index + 1, time: cluster.now)
          cluster.index += 1
        }
        cluster.now = cluster.now + .seconds(4_000)
        let result = try cluster.evaluate(id, .deploymentWatcher)
        rested = result.changesNothing
      }
      #expect(rested, "seed \(seed): job \(id) does not come to rest")
      guard let stored = cluster.reader.job(JobKey("default", id)) else {
        #expect(cluster.running(id).isEmpty)
        continue
      }
      if stored.isStopped { #expect(cluster.running(id).isEmpty) }
      if stored.spec.value.type == .service, !stored.isStopped {
        let wanted = stored.spec.value.taskGroups[0].count ?? 1
        let queued = cluster.last?.evaluation.queuedAllocations["web"] ?? 0
        let settled = cluster.allocations(id).filter { !$0.isServerTerminal && $0.isClientTerminal }.count
        #expect(cluster.running(id).count <= wanted, "seed \(seed): \(cluster.names(id)) of \(wanted)")
        #expect(
          cluster.running(id).count + queued + settled >= wanted, "seed \(seed): \(cluster.names(id)) of \(wanted)")
      }
    }
  }

  /// The best node by scoring all of them one by one, against what the ranking chose.
  @Test(arguments: 1...40) func theBestOfAllNodesIsChosen(seed: Int) throws {
    var random = RandomBits(seed: UInt64(seed) &* 31)
    var cluster = Cluster(seed: UInt64(seed))
    try cluster.addNodes(8) { _, node in
      node.nodeResources?.cpu.cpuShares = Int64.random(in: 2...8, using: &random) * 500
      node.nodeResources?.memory.memoryMB = Int64.random(in: 2...8, using: &random) * 512
    }
    for number in 0..<12 {
      let columns = cluster.state.columns
      let cpu = Int.random(in: 1...8, using: &random) * 100
      let memory = Int.random(in: 1...8, using: &random) * 64
      let result = try cluster.run(makeJob("j\(number)", count: 1, cpu: cpu, memory: memory))
      var best: Double?
      var scores: [Identifier: Double] = [:]
      for slot in 0..<columns.count {
        let freeCPU = Double(columns.cpuTotal[slot] - columns.cpuUsed[slot]) - Double(cpu)
        let freeMemory = Double(columns.memoryTotal[slot] - columns.memoryUsed[slot]) - Double(memory)
        if freeCPU < 0 || freeMemory < 0 { continue }
        let score = Self.fit(freeCPU / Double(columns.cpuTotal[slot]), freeMemory / Double(columns.memoryTotal[slot]))
        scores[columns.ids[slot]] = score
        best = max(best ?? score, score)
      }
      guard let best else {
        #expect(result.plan.placements.isEmpty)
        continue
      }
      let chosen = try #require(result.plan.nodes.first)
      #expect(abs((scores[chosen] ?? -1) - best) < 1e-9)
    }
  }

  private static func fit(_ cpu: Double, _ memory: Double) -> Double {
    min(max(20 - tenTo(cpu) - tenTo(memory), 0), 18) / 18
  }
  private static func tenTo(_ exponent: Double) -> Double {
    // By series, to be independent of what is tested.
    let x = exponent * 2.302585092994046
    var (sum, term) = (1.0, 1.0)
    for step in 1..<60 {
      term *= x / Double(step)
      sum += term
    }
    return sum
  }
}
