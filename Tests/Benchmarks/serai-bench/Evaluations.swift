import Codec
import Glibc
import Model
import Scheduler
import State

/// Evaluations of a new job on simulated nodes, through the same calls as the server: register in the state, schedule,
/// apply the plan. What is timed is the scheduling. `make bench-scheduler` looks deeper.
struct Evaluations {
  let place: Place

  func rows() throws -> [Row] {
    var rows: [Row] = []
    for count in [1, 1000] {
      for nodes in [100, 1000, 10_000] {
        let floor = try Child.output(of: "\(place.programs)/place", ["\(nodes)", "\(count)"])
        rows.append(
          Row(
            what: "evaluation of \(count) on \(nodes) nodes, p50", unit: "ms",
            floor: (Double(floor.prefix { $0 != "\n" }) ?? 0) / 1e6, ours: try median(count: count, nodes: nodes)))
      }
    }
    return rows
  }

  private func median(count: Int, nodes: Int) throws -> Double {
    let time = Timestamp(nanoseconds: 1_700_000_000_000_000_000)
    var random = RandomBits(seed: 7)
    var state = State()
    var index: UInt64 = 1
    func apply(_ entry: LogEntry) throws {
      index += 1
      _ = try state.apply(entry, index: index, time: time).get()
    }
    for number in 0..<nodes {
      var registration = NodeRegistration()
      registration.node = Self.node(number, random: &random)
      try apply(.nodeRegistration(registration))
    }
    var times = Samples()
    // Each round's job is left where it is while there is room, as on a cluster that fills up.
    for round in 0..<(count == 1 ? 200 : nodes == 100 ? 5 : 15) {
      let job = Self.job("job-\(round)", count: count)
      var registration = JobRegistration()
      registration.job = job
      let evaluation = Evaluation(of: job, because: .jobRegister, random: &random)
      registration.evaluations = [evaluation]
      try apply(.jobRegistration(registration))
      let began = Self.threadTime
      let result = Scheduler.schedule(
        evaluation, state: state.reader, columns: state.columns, now: time, random: &random)
      times.add(Self.threadTime - began)
      guard result.plan.placements.count == count else {
        throw Failure("\(result.plan.placements.count) of \(count) were placed on \(nodes) nodes")
      }
      try apply(.planResult(result.plan))
    }
    return times.p50
  }

  /// CPU time of this thread: what else the machine does counts little.
  private static var threadTime: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  private static func node(_ number: Int, random: inout RandomBits) -> Node {
    var node = Node()
    node.id = Identifier(using: &random)
    node.secretID = Identifier(using: &random)
    node.name = "node-\(number)"
    node.datacenter = "dc1"
    node.nodePool = "default"
    node.status = .ready
    node.attributes = ["kernel.name": "linux", "driver.exec": "1", "unique.hostname": "node-\(number)"]
    var resources = NodeResources()
    resources.cpu.cpuShares = Int64(160_000 + 40_000 * (number % 5))
    resources.memory.memoryMB = Int64(327_680 + 81_920 * (number % 5))
    resources.disk.diskMB = 1_000_000
    node.nodeResources = resources
    node.computedClass = node.computeClass()
    return node
  }

  private static func job(_ id: String, count: Int) -> Job {
    var task = JobTask()
    task.name = "main"
    task.driver = "exec"
    var resources = Resources()
    resources.cpu = 100
    resources.memoryMB = 128
    task.resources = resources
    var group = TaskGroup()
    group.name = "web"
    group.count = count
    group.tasks = [task]
    var disk = EphemeralDisk()
    disk.sizeMB = 10
    group.ephemeralDisk = disk
    var job = Job()
    job.id = id
    job.type = .batch
    job.datacenters = ["*"]
    job.taskGroups = [group]
    job.canonicalize()
    job.fillRegistrationDefaults()
    return job
  }
}
