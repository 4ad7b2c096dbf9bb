// Times evaluations of new jobs on simulated clusters, through the same calls as the server: register in the state,
// schedule, apply the plan. Build with `-c release`.

import Codec
import Glibc
import Model
import Scheduler
import State

func monotonicNanoseconds() -> Int64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

func makeNode(_ number: Int, random: inout RandomBits) -> Node {
  var node = Node()
  node.id = Identifier(using: &random)
  node.name = "node-\(number)"
  node.datacenter = "dc\(number % 2)"
  node.nodePool = "default"
  node.status = .ready
  node.meta = ["rack": "r\(number % 50)", "zone": "z\(number % 5)"]
  node.attributes = [
    "kernel.name": "linux", "cpu.arch": "amd64", "driver.exec": "1", "unique.hostname": "node-\(number)",
  ]
  var resources = NodeResources()
  resources.cpu.cpuShares = Int64(16_000 + 4_000 * (number % 5))
  resources.memory.memoryMB = Int64(32_768 + 8_192 * (number % 5))
  resources.disk.diskMB = 1_000_000
  var network = NodeNetworkResource()
  network.mode = "host"
  var address = NodeNetworkAddress()
  address.alias = "default"
  address.address = "10.\(number / 62_500).\(number / 250 % 250).\(number % 250)"
  network.addresses = [address]
  resources.nodeNetworks = [network]
  node.nodeResources = resources
  node.computedClass = node.computeClass()
  return node
}

func makeJob(_ id: String, count: Int, spreads: Int, ports: Bool) -> Job {
  var job = Job()
  job.id = id
  job.type = .batch
  job.datacenters = ["*"]
  var constraint = Constraint()
  constraint.lTarget = "${attr.kernel.name}"
  constraint.operand = "="
  constraint.rTarget = "linux"
  job.constraints = [constraint]
  job.spreads = ["${node.datacenter}", "${meta.zone}", "${meta.rack}"].prefix(spreads).map {
    var spread = Spread()
    spread.attribute = $0
    return spread
  }
  var group = TaskGroup()
  group.name = "web"
  group.count = count
  var task = JobTask()
  task.name = "main"
  task.driver = "exec"
  var resources = Resources()
  resources.cpu = 100
  resources.memoryMB = 128
  task.resources = resources
  group.tasks = [task]
  if ports {
    var port = Port()
    port.label = "http"
    var network = NetworkResource()
    network.dynamicPorts = [port]
    group.networks = [network]
  }
  job.taskGroups = [group]
  job.canonicalize()
  job.fillRegistrationDefaults()
  return job
}

struct Timing {
  var schedule: [Int64] = []
  var apply: [Int64] = []
  var placed = 0
}

func measure(nodes: Int, count: Int, spreads: Int, ports: Bool, rounds: Int) throws -> Timing {
  var random = RandomBits(seed: 7)
  var state = State()
  var index: UInt64 = 1
  let time = Timestamp(nanoseconds: 1_700_000_000_000_000_000)
  func apply(_ entry: LogEntry) throws {
    index += 1
    _ = try state.apply(entry, index: index, time: time).get()
  }
  for number in 0..<nodes {
    var payload = NodeRegistration()
    payload.node = makeNode(number, random: &random)
    try apply(.nodeRegistration(payload))
  }
  var timing = Timing()
  for round in 0..<rounds {
    let job = makeJob("job-\(round)", count: count, spreads: spreads, ports: ports)
    var payload = JobRegistration()
    payload.job = job
    try apply(.jobRegistration(payload))
    var evaluation = Evaluation()
    evaluation.id = Identifier(using: &random)
    evaluation.namespace = "default"
    evaluation.jobID = job.id
    evaluation.type = "batch"
    evaluation.triggeredBy = .jobRegister
    let start = monotonicNanoseconds()
    let result = Scheduler.schedule(
      evaluation, state: state.reader, columns: state.columns, now: time, random: &random)
    let scheduled = monotonicNanoseconds()
    try apply(.planResult(result.plan))
    timing.schedule.append(scheduled - start)
    timing.apply.append(monotonicNanoseconds() - scheduled)
    timing.placed += result.plan.placements.count
  }
  return timing
}

func milliseconds(_ nanoseconds: Int64) -> String {
  let hundredths = nanoseconds / 10_000
  let fraction = hundredths % 100
  return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
}

func pad(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) + text }

print("  nodes  count  spreads  ports   placed   schedule p50 ms   max ms   apply p50 ms")
for nodes in [100, 1_000, 10_000] {
  for (count, spreads, ports) in [(1, 0, false), (1, 3, true), (1_000, 0, false), (1_000, 0, true), (1_000, 3, false)] {
    let rounds = count == 1 ? 200 : nodes == 100 ? 5 : 15
    let timing = try measure(nodes: nodes, count: count, spreads: spreads, ports: ports, rounds: rounds)
    let sorted = timing.schedule.sorted()
    let applied = timing.apply.sorted()
    print(
      pad("\(nodes)", 7) + pad("\(count)", 7) + pad("\(spreads)", 9) + pad(ports ? "yes" : "no", 7)
        + pad("\(timing.placed / rounds)", 9) + pad(milliseconds(sorted[sorted.count / 2]), 18)
        + pad(milliseconds(sorted[sorted.count - 1]), 9) + pad(milliseconds(applied[applied.count / 2]), 15))
  }
}
