import Codec
import Model
import State
import Testing

@testable import Scheduler

/// Generated clusters and histories with everything that competes for nodes: priorities and preemption, static ports,
/// devices, whole cores, volumes, nodes that go silent and come back. A history that goes wrong is made smaller before it
/// is shown: what is left of it is needed.
@Suite struct HistoryPropertyTests {
  /// One event. What it does depends on its own numbers and the state, so a history without some of its steps is one too.
  struct Step: CustomStringConvertible {
    let kind: Int
    let seed: UInt64
    var description: String { "Step(kind: \(kind), seed: \(seed))" }
  }

  static let jobs = ["low", "middle", "high", "system"]

  @Test(arguments: 1...80) func nothingIsEverExceeded(seed: Int) throws {
    var random = RandomBits(seed: UInt64(seed) &* 7_919)
    let steps = (0..<50).map { _ in
      Step(kind: Int.random(in: 0...11, using: &random), seed: random.next())
    }
    guard let violation = try Self.play(steps, seed: seed) else { return }
    var smallest = steps
    var size = smallest.count / 2
    while size > 0 {
      var start = 0
      while start < smallest.count {
        var fewer = smallest
        fewer.removeSubrange(start..<min(start + size, fewer.count))
        if (try? Self.play(fewer, seed: seed)) ?? nil != nil { smallest = fewer } else { start += size }
      }
      size /= 2
    }
    let last = try Self.play(smallest, seed: seed) ?? violation
    Issue.record("seed \(seed): \(last); \(smallest.count) steps are enough: \(smallest)")
  }

  /// The first thing that is not as it must be.
  private static func play(_ steps: [Step], seed: Int) throws -> String? {
    var cluster = try makeCluster(seed: seed)
    for (number, step) in steps.enumerated() {
      var random = RandomBits(seed: step.seed)
      if let found = try take(step, &cluster, &random) { return "step \(number) \(step): \(found)" }
      if let found = cluster.violations.first { return "step \(number) \(step): \(found)" }
    }
    return nil
  }

  private static func makeCluster(seed: Int) throws -> Cluster {
    var random = RandomBits(seed: UInt64(seed))
    func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    var cluster = Cluster(seed: UInt64(seed))
    cluster.collectsViolations = true
    try cluster.addNodes(draw(1...6)) { number, node in
      node.datacenter = "dc\(number % 2)"
      let cores = draw(2...4)
      node.nodeResources?.cpu.cpuShares = Int64(cores * 1_000)
      node.nodeResources?.cpu.totalCpuCores = cores
      node.nodeResources?.cpu.reservableCpuCores = Array(0..<cores)
      node.nodeResources?.memory.memoryMB = Int64(draw(1...4) * 1_024)
      node.nodeMaxAllocs = draw(0...3) == 0 ? draw(2...5) : 0
      var device = NodeDeviceResource()
      (device.vendor, device.type, device.name) = ("v", "gpu", "m")
      device.instances = (0..<draw(0...3)).map {
        var instance = NodeDevice()
        instance.id = "\(number)-\($0)"
        instance.healthy = true
        return instance
      }
      node.nodeResources?.devices = [device]
      var volume = HostVolumeInfo()
      volume.path = "/data"
      node.hostVolumes["data"] = volume
    }
    if draw(0...4) > 0 { try cluster.allowPreemption() }
    return cluster
  }

  private static func makeJob(_ id: String, _ random: inout RandomBits) -> Job {
    func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    let type: JobType = id == "system" ? .system : id == "middle" ? .batch : .service
    return SchedulerTests.makeJob(
      id, type: type, count: draw(0...6), cpu: draw(1...10) * 100, memory: draw(1...8) * 128
    ) {
      job in
      job.priority = ["low": 20, "middle": 50, "high": 80, "system": 90][id]
      job.taskGroups[0].tasks[0].env["V"] = "\(draw(0...3))"
      if type == .service {
        var update = UpdateStrategy()
        update.maxParallel = draw(1...3)
        job.update = update
        var disconnect = DisconnectStrategy()
        disconnect.lostAfter = draw(0...1) == 0 ? .seconds(60) : nil
        disconnect.replace = draw(0...3) > 0
        disconnect.reconcile = ["best_score", "keep_original", "keep_replacement", "longest_running"][draw(0...3)]
        job.taskGroups[0].disconnect = disconnect
      }
      if draw(0...3) == 0 {
        var network = NetworkResource()
        network.reservedPorts = [makePort("http", 80 + draw(0...1))]
        network.dynamicPorts = [makePort("a")]
        job.taskGroups[0].networks = [network]
      }
      if draw(0...3) == 0 {
        var request = RequestedDevice()
        request.name = "gpu"
        request.count = UInt64(draw(1...2))
        job.taskGroups[0].tasks[0].resources?.devices = [request]
      }
      if draw(0...4) == 0 {
        job.taskGroups[0].tasks[0].resources?.cpu = nil
        job.taskGroups[0].tasks[0].resources?.cores = draw(1...2)
      }
      if draw(0...5) == 0 {
        var volume = VolumeRequest()
        volume.name = "data"
        volume.type = "host"
        volume.source = "data"
        volume.accessMode = draw(0...1) == 0 ? "single-node-single-writer" : ""
        job.taskGroups[0].volumes["data"] = volume
      }
      if draw(0...5) == 0 { job.allAtOnce = true }
    }
  }

  private static func take(_ step: Step, _ cluster: inout Cluster, _ random: inout RandomBits) throws -> String? {
    func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    let id = jobs[draw(0...jobs.count - 1)]
    cluster.now = cluster.now + .seconds(Int64(draw(0...40)))
    switch step.kind {
    case 0...3: return try register(makeJob(id, &random), &cluster)
    case 4: if cluster.reader.job(JobKey("default", id)) != nil { try cluster.stop(id, purge: draw(0...2) == 0) }
    case 5, 6:
      // A silent or a returning node.
      let nodes = cluster.reader.nodes.map(\.key)
      let node = nodes[draw(0...nodes.count - 1)]
      let isSilent = cluster.reader.node(node)?.value.status != .ready
      try cluster.setStatus(node, isSilent ? .ready : draw(0...1) == 0 ? .down : .disconnected)
      for id in jobs { try cluster.evaluate(id, .nodeUpdate) }
    case 7, 8: for id in jobs { try settle(id, &cluster) }
    case 9:
      if let victim = cluster.allocations(id).filter({ !$0.isClientTerminal }).first {
        try cluster.report(victim.id, draw(0...1) == 0 ? .failed : .complete)
      }
      try cluster.evaluate(id, .allocFailure)
    default: return try workOnPending(&cluster)
    }
    return nil
  }

  /// Clients report, but not from nodes that are silent.
  private static func settle(_ id: String, _ cluster: inout Cluster) throws {
    for allocation in cluster.allocations(id) where !allocation.isClientTerminal {
      guard cluster.reader.node(allocation.nodeID)?.value.status == .ready else { continue }
      if allocation.isServerTerminal {
        try cluster.report(allocation.id, .complete)
      } else if allocation.startsAfter.allSatisfy({ cluster.reader.allocation($0)?.value.holdsResources != true }) {
        try cluster.report(allocation.id, .running, healthy: true)
      }
    }
  }

  /// What the plans before asked to be looked at: preempted jobs, timeouts that are due.
  private static func workOnPending(_ cluster: inout Cluster) throws -> String? {
    for (_, evaluation) in cluster.reader.evaluations where evaluation.value.status == .pending {
      if let until = evaluation.value.waitUntil, until > cluster.now { continue }
      try cluster.work(on: evaluation.value)
      if let found = cluster.violations.first { return found }
    }
    return nil
  }

  private static func register(_ job: Job, _ cluster: inout Cluster) throws -> String? {
    let before = cluster.state
    // The same random bits: what `job plan` shows is what `job run` then does, to the last port.
    var bits = cluster.random
    let planned = try Scheduler.plan(job, on: before, now: cluster.now, random: &bits)
    let ran = try cluster.run(job)
    if let difference = difference(planned.plan, ran.plan) { return "job plan is not job run: \(difference)" }
    if let placeable = placeable(ran, job, cluster) { return placeable }
    // Evaluated once more, nothing else is decided.
    let again = try cluster.evaluate(job.id)
    if !again.plan.placements.isEmpty, ran.evaluation.failedTGAllocs.isEmpty {
      let replaces = again.plan.placements.allSatisfy { !$0.previous.isNone }
      if !replaces { return "a second evaluation places \(again.plan.placements.count) more" }
    }
    return nil
  }

  private static func difference(_ planned: PlanResult, _ ran: PlanResult) -> String? {
    func shape(_ plan: PlanResult) -> [String] {
      plan.placements.map {
        "\($0.group) \($0.nameIndex) \(plan.nodes[$0.node]) \($0.ports) \($0.grants) \($0.preempted) \($0.startsAfter)"
      }
    }
    if shape(planned) != shape(ran) { return "placements \(shape(planned)), \(shape(ran))" }
    func changes(_ plan: PlanResult) -> [String] {
      plan.changes.map { "\($0.id) \($0.desiredStatus?.rawValue ?? "") \($0.clientStatus?.rawValue ?? "")" }
    }
    return changes(planned) == changes(ran) ? nil : "changes \(changes(planned)), \(changes(ran))"
  }

  /// Where something found no place, no node has room for it: looked at with plain sums.
  private static func placeable(_ result: SchedulingResult, _ job: Job, _ cluster: Cluster) -> String? {
    guard !result.evaluation.failedTGAllocs.isEmpty, job.allAtOnce != true, job.type != .system else { return nil }
    let group = job.taskGroups[0]
    let devices = group.tasks[0].resources?.devices.first.map { Int($0.count ?? 1) } ?? 0
    let cores = group.tasks[0].resources?.cores ?? 0
    for (id, record) in cluster.reader.nodes {
      let node = record.value
      guard node.status == .ready, node.schedulingEligibility == .eligible else { continue }
      let holding = cluster.reader.allocations(onNode: id).map(\.value).filter(\.holdsResources)
      func sum(_ part: (Demand) -> Int32) -> Int { holding.reduce(0) { $0 + Int(part($1.demand)) } }
      let has = node.nodeResources ?? NodeResources()
      let cpu = cores > 0 ? cores * 1_000 : group.tasks[0].resources?.cpu ?? 0
      if sum(\.cpu) + cpu > Int(has.cpu.cpuShares) { continue }
      if sum(\.memory) + (group.tasks[0].resources?.memoryMB ?? 0) > Int(has.memory.memoryMB) { continue }
      if sum(\.disk) + (group.ephemeralDisk?.sizeMB ?? 0) > Int(has.disk.diskMB) { continue }
      if node.nodeMaxAllocs > 0, holding.count >= node.nodeMaxAllocs { continue }
      let grants = holding.flatMap { $0.grants.values }
      if grants.reduce(0, { $0 + $1.cores.count }) + cores > has.cpu.reservableCpuCores.count { continue }
      let used = Set(grants.flatMap { $0.devices.flatMap(\.deviceIDs) })
      if devices > 0, (has.devices.first?.instances.count { !used.contains($0.id) } ?? 0) < devices { continue }
      let ports = Set(group.networks.flatMap(\.reservedPorts).map(\.value))
      if holding.contains(where: { $0.ports.contains { ports.contains($0.value) } }) { continue }
      if let volume = group.volumes["data"], let claim = VolumeClaim(volume, index: 0) {
        let others = holding.flatMap(\.volumeClaims)
        if others.contains(where: { $0.isExclusive || claim.isExclusive }) { continue }
      }
      return "\(job.id) is not placed, and node \(id) has room"
    }
    return nil
  }

  /// The same nodes in another order give the same plans, whatever competes.
  @Test(arguments: 1...25) func theOrderOfNodesDoesNotMatter(seed: Int) throws {
    let forward = try Self.makeCluster(seed: seed)
    var first = Cluster(seed: UInt64(seed))
    var second = Cluster(seed: UInt64(seed))
    let nodes = forward.reader.nodes.map(\.value.value)
    for node in nodes { try first.add(node) }
    for node in nodes.reversed() { try second.add(node) }
    try first.allowPreemption()
    try second.allowPreemption()
    var random = RandomBits(seed: UInt64(seed))
    for id in Self.jobs + Self.jobs {
      let job = Self.makeJob(id, &random)
      let (one, other) = (try first.run(job), try second.run(job))
      #expect(
        one.plan.placements.map { one.plan.nodes[$0.node] } == other.plan.placements.map { other.plan.nodes[$0.node] })
      #expect(one.plan.placements.map { Set($0.preempted) } == other.plan.placements.map { Set($0.preempted) })
    }
  }
}
