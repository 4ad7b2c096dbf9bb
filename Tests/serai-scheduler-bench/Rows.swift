import Codec
import Model
import Scheduler
import State

/// (a) Many jobs of many allocations, registered one after the other, each committed to a synced log.
func placementsCommitted(jobs: Int, count: Int, nodes: Int) async throws {
  let folder = makeTemporaryFolder()
  defer { removeFolder(folder) }
  var cluster = try SimulatedCluster(logIn: folder)
  try cluster.add(makeNodes(nodes, random: &cluster.random, cpu: nil, memory: nil).map { roomy($0) })
  try await cluster.waitUntilCommitted()
  let before = (bytes: cluster.logBytes, syncs: cluster.logSyncs)
  let (start, worked) = (monotonicNanoseconds(), processNanoseconds())
  var (placed, scheduling, applying) = (0, Int64(0), Int64(0))
  for number in 0..<jobs {
    let timing = try cluster.run(makeJob("job-\(number)", count: count, disk: 10))
    cluster.flush()
    placed += timing.placed
    scheduling += timing.schedule
    applying += timing.apply
  }
  let computed = monotonicNanoseconds()
  try await cluster.waitUntilCommitted()
  let end = monotonicNanoseconds()
  let work = processNanoseconds() - worked
  let seconds = Double(end - start) / 1e9
  let rate = Double(placed) / seconds
  print(
    "(a) \(grouped(placed)) placements of \(grouped(jobs)) jobs on \(grouped(nodes)) nodes: \(decimal(seconds, 2)) s, "
      + "\(grouped(Int(rate)))/s committed, \(decimal(rate / 50_000, 2)) × the target; peak memory \(statusMB("VmHWM")) MB"
  )
  print(
    "    processor time of all threads \(decimal(Double(work) / 1e9, 2)) s: scheduling \(decimal(Double(scheduling) / 1e9, 2)) s, applying and encoding \(decimal(Double(applying) / 1e9, 2)) s, "
      + "waiting for the disk at the end \(decimal(Double(end - computed) / 1e9, 2)) s; "
      + "\((cluster.logBytes - before.bytes) / max(placed, 1)) bytes of log each, \(cluster.logSyncs - before.syncs) batches"
  )
  let running = cluster.reader.allocations.count
  print(
    "    resident \(statusMB("VmRSS")) MB with \(grouped(running)) allocations: "
      + "\(statusMB("VmRSS") * 1_048_576 / max(running, 1)) bytes each, nodes and log included")
}

/// Enough room for the whole of (a): the node's shape stays.
private func roomy(_ node: Node) -> Node {
  var node = node
  node.nodeResources?.cpu.cpuShares *= 4
  node.nodeResources?.memory.memoryMB *= 4
  return node
}

/// (b) One placement on ever larger clusters, plain and with everything turned on.
func latencyByNodes(_ sizes: [Int]) throws {
  print("(b) one placement            nodes    p50 ms    p99 ms   µs/1,000 nodes at p50")
  let kinds: [(name: String, asks: Asks)] = [
    ("plain", Asks()), ("constraints, 3 spreads", Asks(constraints: 2, spreads: 3)),
    ("+ device, port", Asks(constraints: 2, spreads: 3, ports: 1, devices: 1)),
  ]
  for kind in kinds {
    for size in sizes {
      var cluster = try SimulatedCluster()
      try cluster.add(makeNodes(size, random: &cluster.random, devices: true))
      var times: [Int64] = []
      for number in 0..<(size > 50_000 ? 60 : 200) {
        times.append(try cluster.run(makeJob("job-\(number)", count: 1, kind.asks)).schedule)
      }
      // The first ones fill caches.
      times.removeFirst(10)
      let median = times.quantile(0.5)
      print(
        "    " + kind.name + pad(grouped(size), 30 - kind.name.count) + pad(milliseconds(median), 10)
          + pad(milliseconds(times.quantile(0.99)), 10) + pad(decimal(Double(median) / Double(size), 1), 12))
    }
  }
}

/// (c) One large job with a spread, every node scored.
func largeEvaluation() throws {
  var times: [Int64] = []
  for round in 0..<15 {
    var cluster = try SimulatedCluster()
    try cluster.add(makeNodes(5_000, random: &cluster.random))
    let asks = Asks(constraints: 1, spreads: 3)
    let timing = try cluster.run(makeJob("job-\(round)", count: 1_200, asks))
    guard timing.placed == 1_200 else { throw BenchError(text: "\(timing.placed) of 1,200 placed") }
    times.append(timing.schedule)
  }
  let median = times.quantile(0.5)
  print(
    "(c) 1,200 allocations with 3 spreads on 5,000 nodes, every node scored: p50 \(milliseconds(median)) ms, "
      + "max \(milliseconds(times.max() ?? 0)) ms, \(decimal(10e6 / Double(median), 2)) × the target")
}

struct BenchError: Error {
  let text: String
}

/// (c) Placements that preempt, on a cluster that is full.
func preemptions(nodes: Int) throws {
  var cluster = try SimulatedCluster()
  try cluster.add(makeNodes(nodes, random: &cluster.random, cpu: 16_000, memory: 32_768))
  try cluster.configure {
    $0.preemptionConfig.serviceSchedulerEnabled = true
    $0.preemptionConfig.batchSchedulerEnabled = true
  }
  for (number, priority) in [20, 30, 40, 50].enumerated() {
    try cluster.run(makeJob("low-\(number)", count: nodes * 2, cpu: 2_000, memory: 4_096, priority: priority))
  }
  let full = cluster.reader.allocations.count
  let evaluation = try cluster.register(makeJob("high", count: nodes, cpu: 3_000, memory: 5_000, priority: 90))
  let start = threadNanoseconds()
  let result = cluster.schedule(evaluation)
  let scheduled = threadNanoseconds()
  try cluster.apply(.planResult(result.plan))
  let end = threadNanoseconds()
  let placed = result.plan.placements.count
  let victims = result.plan.placements.reduce(0) { $0 + $1.preempted.count }
  let rate = Double(placed) / (Double(end - start) / 1e9)
  print(
    "(c) preemption on \(grouped(nodes)) nodes full with \(grouped(full)) allocations: \(grouped(placed)) placed, "
      + "\(grouped(victims)) preempted, \(grouped(Int(rate)))/s with apply, "
      + "\(decimal(rate / 10_000, 2)) × the target (scheduling \(milliseconds(scheduled - start)) ms)")
  var times: [Int64] = []
  for number in 0..<30 {
    times.append(
      try cluster.run(makeJob("single-\(number)", count: 1, cpu: 3_000, memory: 5_000, priority: 95)).schedule)
  }
  print("    one at a time: p50 \(milliseconds(times.quantile(0.5))) ms")
}

/// (d) A node fails; everything on it is placed elsewhere.
func nodeFailure(displaced: Int, nodes: Int) throws {
  var cluster = try SimulatedCluster()
  var large = makeNode(0, random: &cluster.random, cpu: 400_000, memory: 800_000)
  large.meta["rack"] = "large"
  try cluster.add([large])
  for number in 0..<20 { try cluster.run(makeJob("job-\(number)", type: .service, count: displaced / 20, disk: 10)) }
  try cluster.add((1..<nodes).map { makeNode($0, random: &cluster.random) })
  let start = threadNanoseconds()
  var update = NodeStatusUpdate()
  var change = NodeStatusChange()
  change.node = large.id
  change.status = .down
  update.updates = [change]
  for number in 0..<20 {
    let job = makeJob("job-\(number)", type: .service, count: 1)
    update.evaluations.append(cluster.evaluation(of: job, .nodeUpdate, random: &cluster.random))
  }
  try cluster.apply(.nodeStatusUpdate(update))
  var placed = 0
  for evaluation in update.evaluations {
    let result = cluster.schedule(evaluation)
    try cluster.apply(.planResult(result.plan))
    placed += result.plan.placements.count
  }
  let end = threadNanoseconds()
  print(
    "(d) a node with \(grouped(displaced)) allocations of 20 jobs fails among \(grouped(nodes)): \(grouped(placed)) "
      + "placed elsewhere in \(milliseconds(end - start)) ms, \(grouped(Int(Double(placed) / (Double(end - start) / 1e9))))/s"
  )
}

/// (e) A system job on every node.
func systemJob(nodes: Int) throws {
  var times: [Int64] = []
  var placed = 0
  for _ in 0..<5 {
    var cluster = try SimulatedCluster()
    try cluster.add(makeNodes(nodes, random: &cluster.random))
    let timing = try cluster.run(makeJob("agent", type: .system, count: 1))
    placed = timing.placed
    times.append(timing.schedule + timing.apply)
  }
  let median = times.quantile(0.5)
  print(
    "(e) a system job on \(grouped(nodes)) nodes: \(grouped(placed)) placed and applied in p50 \(milliseconds(median)) ms, "
      + "\(decimal(200e6 / Double(median), 2)) × the target")
}

/// (f) Many evaluations wait for room; one node has some again.
func blockedEvaluations(_ count: Int, nodes: Int) throws {
  var cluster = try SimulatedCluster()
  try cluster.add(makeNodes(nodes, random: &cluster.random, cpu: 4_000, memory: 8_192))
  try cluster.run(makeJob("filler", count: nodes, cpu: 4_000, memory: 8_000))
  var blocked = BlockedEvaluations()
  for number in 0..<count {
    // One in a hundred is small enough for what will be free.
    let cpu = number % 100 == 0 ? 500 : 3_000 + number % 1_000
    let evaluation = try cluster.register(makeJob("job-\(number)", count: 1, cpu: cpu, memory: 100))
    let result = cluster.schedule(evaluation)
    try cluster.apply(.planResult(result.plan))
    for waiting in result.plan.evaluations where waiting.status == .blocked {
      blocked.insert(waiting, state: cluster.reader)
    }
  }
  guard blocked.count == count else { throw BenchError(text: "\(blocked.count) of \(count) wait") }
  // One node gets 1,000 MHz.
  let node = cluster.state.columns.ids[0]
  guard var larger = cluster.reader.node(node)?.value else { throw BenchError(text: "no node") }
  larger.nodeResources?.cpu.cpuShares += 1_000
  var payload = NodeRegistration()
  payload.node = larger
  let changes = try cluster.apply(.nodeRegistration(payload))
  let start = threadNanoseconds()
  let woken = blocked.thatMayFit(on: changes.freedNodes, columns: cluster.state.columns)
  let end = threadNanoseconds()
  print(
    "(f) \(grouped(count)) blocked evaluations, 1,000 MHz free on one node: \(grouped(woken.count)) woken "
      + "(\(grouped(count / 100)) fit) in \(milliseconds(end - start)) ms")
}

/// How many nodes random jobs take, against best fit decreasing and the lower bound.
func binPacking(jobs: Int) throws {
  var cluster = try SimulatedCluster()
  let shape = (cpu: Int64(16_000), memory: Int64(32_768))
  try cluster.add(makeNodes(jobs, random: &cluster.random, cpu: shape.cpu, memory: shape.memory))
  var items: [(cpu: Int, memory: Int)] = []
  for number in 0..<jobs {
    let item = (
      cpu: Int.random(in: 1...40, using: &cluster.random) * 100,
      memory: Int.random(in: 1...64, using: &cluster.random) * 128
    )
    items.append(item)
    try cluster.run(makeJob("job-\(number)", count: 1, cpu: item.cpu, memory: item.memory, disk: 10))
  }
  let used = cluster.state.columns.allocationCount.count { $0 > 0 }
  let sums = items.reduce(into: (cpu: 0, memory: 0)) { $0 = ($0.cpu + $1.cpu, $0.memory + $1.memory) }
  let bound = max(
    (sums.cpu + Int(shape.cpu) - 1) / Int(shape.cpu), (sums.memory + Int(shape.memory) - 1) / Int(shape.memory))
  // Best fit decreasing by the larger share; the fullest node that still has room.
  func share(_ item: (cpu: Int, memory: Int)) -> Double {
    max(Double(item.cpu) / Double(shape.cpu), Double(item.memory) / Double(shape.memory))
  }
  var bins: [(cpu: Int, memory: Int)] = []
  for item in items.sorted(by: { share($0) > share($1) }) {
    let fitting = bins.indices.filter { bins[$0].cpu >= item.cpu && bins[$0].memory >= item.memory }
    let best = fitting.min { left, right in
      Double(bins[left].cpu) / Double(shape.cpu) + Double(bins[left].memory) / Double(shape.memory)
        < Double(bins[right].cpu) / Double(shape.cpu) + Double(bins[right].memory) / Double(shape.memory)
    }
    if let best {
      bins[best] = (bins[best].cpu - item.cpu, bins[best].memory - item.memory)
    } else {
      bins.append((Int(shape.cpu) - item.cpu, Int(shape.memory) - item.memory))
    }
  }
  print(
    "bin packing: \(grouped(jobs)) random jobs, one after the other, take \(used) nodes; best fit decreasing, which sees "
      + "all of them first, \(bins.count); lower bound \(bound) (\(decimal(Double(used) / Double(bound), 3)) ×)")
}
