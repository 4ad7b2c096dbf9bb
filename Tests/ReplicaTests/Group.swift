import Codec
import Model
import Raft
import Replica
import Scheduler
import State

/// A few replicas with a perfect network and disks that are as fast or as slow as the test wants.
struct Group {
  var replicas: [ServerID: Replica] = [:]
  var mail: [Message] = []
  var publications: [ServerID: [Publication]] = [:]
  var failures: [ServerID: [UInt64: ProposalFailure]] = [:]
  var reads: [ServerID: [ReadAnswer]] = [:]
  var notices: [ServerID: [String]] = [:]
  var snapshots: [ServerID: [SnapshotOrder]] = [:]
  /// How many writes each server's disk got.
  var writes: [ServerID: Int] = [:]
  var slowDisks: Set<ServerID> = []
  var unwritten: [ServerID: UInt64] = [:]
  /// Servers that neither hear nor are heard.
  var cut: Set<ServerID> = []
  var monotonic: UInt64 = 1_000_000_000
  var wall: Int64 = 1_700_000_000_000_000_000
  private var draws: UInt64 = 0

  init(voters: Int, _ configure: (inout ReplicaConfiguration) -> Void = { _ in }) {
    var configuration = ReplicaConfiguration()
    configure(&configuration)
    let membership = Membership(
      (1...voters).map { Member(id: ServerID(UInt64($0)), address: "s\($0)", role: .voter) })
    let first = Entry(index: 1, term: 1, kind: Entry.membershipKind, bytes: membership.encoded)
    for member in membership.members {
      replicas[member.id] = Replica(
        id: member.id, incarnation: Incarnation(count: 1, bits: member.id.rawValue), configuration: configuration,
        recovered: RaftCore.Recovered(hardState: HardState(term: 1), entries: [first]), state: State(),
        random: RandomBits(seed: member.id.rawValue), at: instant())
      settle(member.id)
    }
  }

  mutating func instant() -> Instant {
    draws += 1
    return Instant(
      wall: Timestamp(nanoseconds: wall), monotonic: monotonic, jitter: draws &* 0x9E37_79B9_7F4A_7C15)
  }

  /// Calls one replica and does what it says, except delivering messages.
  @discardableResult
  mutating func call<Value>(_ id: ServerID, _ body: (inout Replica, Instant) -> Value) -> Value {
    guard var replica = replicas.removeValue(forKey: id) else { preconditionFailure("there is no server \(id)") }
    let value = body(&replica, instant())
    replicas[id] = replica
    settle(id)
    return value
  }

  mutating func settle(_ id: ServerID) {
    guard var replica = replicas.removeValue(forKey: id) else { return }
    while true {
      while replica.work(at: instant()) {}
      let output = replica.takeOutput()
      if output.isEmpty { break }
      mail += output.messages
      publications[id, default: []] += output.publications
      for (token, failure) in output.failures { failures[id, default: [:]][token] = failure }
      reads[id, default: []] += output.reads
      notices[id, default: []] += output.notices.map(\.message)
      if let order = output.snapshot { snapshots[id, default: []].append(order) }
      writes[id, default: 0] += output.writes.count
      guard let last = output.writes.last else { continue }
      if slowDisks.contains(id) {
        unwritten[id] = last.number
      } else {
        replica.written(through: last.number, at: instant())
      }
    }
    replicas[id] = replica
  }

  /// The slow disk of a server is done with everything.
  mutating func sync(_ id: ServerID) {
    guard let number = unwritten.removeValue(forKey: id) else { return }
    call(id) { $0.written(through: number, at: $1) }
  }

  mutating func deliver() {
    while !mail.isEmpty {
      let message = mail.removeFirst()
      guard !cut.contains(message.from), !cut.contains(message.to), replicas[message.to] != nil else { continue }
      call(message.to) { $0.receive(message, at: $1) }
    }
  }

  mutating func run(milliseconds: Int64) {
    for _ in 0..<(milliseconds / 10) {
      monotonic += 10_000_000
      wall += 10_000_000
      for id in replicas.keys.sorted() where self[id].nextDeadline <= monotonic { call(id) { $0.tick(at: $1) } }
      deliver()
    }
  }

  subscript(_ id: ServerID) -> Replica {
    guard let replica = replicas[id] else { preconditionFailure("there is no server \(id)") }
    return replica
  }

  var leader: ServerID? { replicas.keys.sorted().first { !cut.contains($0) && self[$0].isLeading } }

  /// Runs until somebody who is not cut off leads.
  mutating func electSomebody() -> ServerID {
    for _ in 0..<500 {
      if let leader { return leader }
      run(milliseconds: 10)
    }
    preconditionFailure("nobody was elected in 5 s")
  }

  mutating func propose(_ id: ServerID, _ entry: LogEntry, token: UInt64) {
    call(id) { $0.propose(entry, token: token, at: $1) }
  }

  /// What became durable by a token.
  func applied(_ id: ServerID) -> [UInt64] {
    (publications[id] ?? []).compactMap { if case .applied(let applied) = $0 { applied.token } else { nil } }
  }
}

func node(_ number: UInt64) -> LogEntry {
  var node = Node()
  node.id = Identifier(random: number, number)
  node.secretID = node.id
  node.name = "node-\(number)"
  node.datacenter = "dc1"
  node.nodePool = "default"
  node.status = .ready
  node.attributes = ["kernel.name": "linux", "driver.exec": "1"]
  var driver = DriverInfo()
  driver.detected = true
  driver.healthy = true
  node.drivers = ["exec": driver]
  var resources = NodeResources()
  resources.cpu.cpuShares = 10_000
  resources.memory.memoryMB = 8_192
  resources.disk.diskMB = 100_000
  resources.minDynamicPort = 20_000
  resources.maxDynamicPort = 32_000
  node.nodeResources = resources
  var payload = NodeRegistration()
  payload.node = node
  return .nodeRegistration(payload)
}

func job(_ id: String, count: Int) -> LogEntry {
  var task = JobTask()
  task.name = "main"
  task.driver = "exec"
  task.config = ["command": "/bin/true"]
  var resources = Resources()
  resources.cpu = 100
  resources.memoryMB = 32
  task.resources = resources
  var group = TaskGroup()
  group.name = "web"
  group.count = count
  group.tasks = [task]
  var job = Job()
  job.id = id
  job.type = .service
  job.datacenters = ["dc1"]
  job.namespace = "default"
  job.taskGroups = [group]
  job.canonicalize()
  var payload = JobRegistration()
  payload.job = job
  var random = RandomBits(seed: UInt64(id.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) }))
  payload.evaluations = [Evaluation(of: job, because: .jobRegister, random: &random)]
  return .jobRegistration(payload)
}
