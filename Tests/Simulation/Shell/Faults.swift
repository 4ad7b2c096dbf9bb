/// What goes wrong, and when it is over. Targets are numbers that the simulator maps to what exists at that moment.
public enum Fault: Hashable, Sendable {
  case crash(host: Int, restartAfter: UInt64)
  case crashLeader(restartAfter: UInt64)
  case crashAll(restartAfter: UInt64)
  /// Servers whose bit is set are cut off from the others.
  case partition(mask: Int, for: UInt64)
  /// What one server sends to another is lost; the other way works.
  case oneWay(from: Int, to: Int, for: UInt64)
  case isolateLeader(for: UInt64)
  case slowDisk(host: Int, for: UInt64)
  case fullDisk(host: Int, for: UInt64)
  case pause(host: Int, for: UInt64)
  case pauseLeader(for: UInt64)
  /// A clock goes faster or slower by so many millionths from here on.
  case drift(host: Int, millionths: Int)
  case jump(host: Int, by: UInt64)
  case transfer(to: Int)
  case change(voters: Int, learners: Int)
  case snapshot(host: Int)
  /// The host is stopped and comes back with a disk as it was at the simulation's half.
  case olderDisk(host: Int, restartAfter: UInt64)
  case workload(WorkloadFault)
}

/// Everything that a seed decides about a run before it begins.
public struct Plan: Sendable {
  /// Decides everything.
  public var seed: UInt64
  /// Of up to 7 hosts, these make up the first cluster.
  public var voters: Int
  /// All of them, members or not.
  public var hosts: Int
  /// Each has one operation at a time.
  public var clients: Int
  /// When faults end, in nanoseconds; then the cluster must come to rest.
  public var duration: UInt64 = 8_000_000_000
  /// Of a thousand messages.
  public var lost = 0
  /// Of a thousand messages.
  public var doubled = 0
  /// Some messages are this late, which reorders them; nanoseconds.
  public var late: UInt64 = 0
  /// The most that an ordinary message takes; nanoseconds.
  public var delay: UInt64 = 400_000
  /// Reads by the leader's lease; then clocks stay within the bound and do not jump.
  public var usesLease = false
  /// Applied entries from one snapshot to the next.
  public var snapshotEvery: UInt64 = 100
  /// Entries that stay behind a snapshot.
  public var trailing: UInt64 = 20
  /// In order of time.
  public var faults: [Timed] = []
  /// Worker nodes; 0 for servers that replicate registers only.
  public var nodes = 0

  /// A fault and its moment in nanoseconds.
  public struct Timed: Sendable {
    /// Nanoseconds.
    public var at: UInt64
    /// What goes wrong.
    public var fault: Fault
  }

  /// Swarm testing: each run has a random part of the faults, so that rare ones are not always hidden by common ones.
  public init(seed: UInt64) {
    var random = Random(seed: seed &* 0x2545_F491_4F6C_DD1D &+ 1)
    self.seed = seed
    voters = [1, 3, 3, 3, 5, 5][random.below(6)]
    hosts = min(7, voters + random.below(3))
    clients = 2 + random.below(5)
    if random.chance(500) { lost = random.below(100) }
    if random.chance(500) { doubled = random.below(100) }
    if random.chance(500) { late = random.between(1_000_000, 120_000_000) }
    delay = random.between(50_000, 3_000_000)
    usesLease = random.chance(400)
    snapshotEvery = random.between(20, 200)
    trailing = random.below(40)
    let kinds = (0..<16).filter { _ in random.chance(400) }
    guard !kinds.isEmpty else { return }
    var time: UInt64 = 300_000_000
    while time < duration {
      time += random.between(20_000_000, 900_000_000)
      faults.append(Timed(at: time, fault: draw(kinds[random.below(kinds.count)], &random)))
    }
  }

  /// A whole cluster, with worker nodes and jobs.
  public init(cluster seed: UInt64) {
    self.init(seed: seed)
    var random = Random(seed: seed &* 0x9E37_79B9_7F4A_7C15 &+ 7)
    nodes = 2 + random.below(5)
    duration = 20_000_000_000
    snapshotEvery = random.between(30, 400)
    for place in faults.indices { faults[place].at = faults[place].at * 5 / 2 }
    var time: UInt64 = 2_000_000_000
    let kinds = (0..<5).filter { _ in random.chance(600) }
    while time < duration, !kinds.isEmpty {
      time += random.between(100_000_000, 3_000_000_000)
      let wait =
        random.chance(500) ? random.between(200_000_000, 1_500_000_000) : random.between(1_000_000_000, 6_000_000_000)
      let node = random.below(nodes)
      let fault: WorkloadFault =
        switch kinds[random.below(kinds.count)] {
        case 0: .killMachine(node: node, restartAfter: wait)
        case 1: .killAgent(node: node, restartAfter: wait)
        case 2: .cutNode(node: node, for: wait)
        case 3: .failTask(node: node)
        default:
          .setWall(host: random.below(hosts), error: Int64(random.below(40_000_000_000 as UInt64)) - 20_000_000_000)
        }
      faults.append(Timed(at: time, fault: .workload(fault)))
    }
    faults.sort { $0.at < $1.at }
  }

  private func draw(_ kind: Int, _ random: inout Random) -> Fault {
    let host = random.below(hosts)
    let short = random.between(5_000_000, 400_000_000)
    let long = random.between(100_000_000, 1_500_000_000)
    switch kind {
    case 0: return .crash(host: host, restartAfter: short)
    case 1: return .crashLeader(restartAfter: long)
    case 2: return .crashAll(restartAfter: short)
    case 3: return .partition(mask: 1 + random.below((1 << hosts) - 1), for: long)
    case 4: return .oneWay(from: host, to: random.below(hosts), for: long)
    case 5: return .isolateLeader(for: long)
    case 6: return .slowDisk(host: host, for: long)
    case 7: return .fullDisk(host: host, for: long)
    case 8: return .pause(host: host, for: long)
    case 9: return .pauseLeader(for: long)
    case 10: return .drift(host: host, millionths: (usesLease ? 40_000 : 300_000) * (random.below(3) - 1))
    case 11:
      return usesLease
        ? .crash(host: host, restartAfter: long) : .jump(host: host, by: random.between(1_000_000, 5_000_000_000))
    case 12: return .transfer(to: host)
    case 13, 14: return .change(voters: 1 + random.below((1 << hosts) - 1), learners: random.below(1 << hosts))
    default: return random.chance(300) ? .olderDisk(host: host, restartAfter: short) : .snapshot(host: host)
    }
  }
}
