import Raft

/// A cluster, its clients and everything that goes wrong, in one thread and from one seed.
public final class Simulator {
  /// How a run ended.
  public struct Result: Sendable {
    /// What was broken; nil when nothing was.
    public var failure: String?
    /// A register's history could not be decided within the search's budget.
    public var isUndecided = false
    /// What happened, counted.
    public var events = 0
    /// Simulated nanoseconds.
    public var time: UInt64 = 0
    /// Operations that clients were told have happened.
    public var acknowledged = 0
    /// Leaders that were elected.
    public var elections = 0
    /// Configurations that a server saw committed.
    public var changes = 0
    /// Snapshots that a follower got from its leader.
    public var snapshotsInstalled = 0
    /// Servers that came back with an older disk and noticed.
    public var quarantined = 0
    /// From the loss of a leader to the next one, in nanoseconds.
    public var leaderless: [UInt64] = []
    /// What took effect, how often.
    public var coverage = Coverage()
  }

  /// Far more messages than windows and heartbeats allow.
  static let mostMessages = 20_000

  let plan: Plan
  let bug: ShellBug?
  let limits: Limits
  let trace: ((String) -> Void)?
  var random: Random
  var queue = EventQueue()
  var now: UInt64 = 0
  var hosts: [Host] = []
  var checker = Checker()
  private(set) lazy var workload: any Workload =
    plan.nodes > 0
    ? ClusterWorkload(self, nodes: plan.nodes, operators: plan.clients) : RegisterWorkload(self, clients: plan.clients)
  var result = Result()
  /// Messages on their way; an event names the slot.
  var slots: [Message?] = []
  var freeSlots: [Int] = []
  /// `cut[from][to]`: until when messages that way are lost.
  var cut: [[UInt64]]
  var isHealing = false
  var lostLeaderAt: UInt64?
  var ending: [(time: UInt64, end: End)] = []
  var hasRolledBack = false
  /// Messages are too many for the normal trace.
  public var noteMessages = false

  /// A cluster that is about to run. `trace` gets a line for everything that happens.
  public init(_ plan: Plan, bug: ShellBug? = nil, trace: ((String) -> Void)? = nil) {
    self.plan = plan
    self.bug = bug
    self.trace = trace
    random = Random(seed: plan.seed)
    var limits = Limits()
    limits.trailingEntries = plan.trailing
    limits.pieceBytes = 24
    limits.requestBytes = 400
    limits.inflightRequests = 8
    limits.inflightBytes = 2_000
    limits.cachedBytes = 3_000
    limits.uncommittedBytes = 10_000
    if plan.nodes > 0 {
      // Jobs and plans are larger than registers.
      limits.pieceBytes = 3_000
      limits.requestBytes = 8_000
      limits.inflightBytes = 60_000
      limits.cachedBytes = 60_000
      limits.uncommittedBytes = 4_000_000
    }
    self.limits = limits
    cut = [[UInt64]](repeating: [UInt64](repeating: 0, count: plan.hosts), count: plan.hosts)
    for place in 0..<plan.hosts { hosts.append(Host(place: place, random: &random)) }
  }

  /// Runs to the end or to the first thing that is broken.
  public func run() -> Result {
    for host in hosts { start(host) }
    let first = Membership((0..<plan.voters).map { member($0, .voter) })
    _ = order(hosts[0]) { server, moment in server.bootstrap(first, at: moment) }
    workload.begin()
    for (number, fault) in plan.faults.enumerated() { queue.put(.fault(number), at: fault.at) }
    while checker.failure == nil, let item = queue.take() {
      now = item.time
      result.events += 1
      handle(item.event)
      if !isHealing, now >= plan.duration { heal() }
      if isHealing, now >= plan.duration + 1_000_000_000, result.events % 64 == 0 {
        if isAtRest { break }
        if now > plan.duration + (plan.nodes > 0 ? 180_000_000_000 : 30_000_000_000) {
          if isRestPossible { checker.fail("no rest \(restlessness)") }
          break
        }
      }
    }
    for left in hosts.indices where checker.failure == nil {
      for right in hosts.indices where right > left {
        if let one = hosts[left].core, let other = hosts[right].core { checker.checkMatching(one, other) }
      }
    }
    if checker.failure == nil { result.isUndecided = !workload.finish() }
    result.failure = checker.failure
    result.time = now
    return result
  }

  func note(_ text: @autoclosure () -> String) {
    if let trace { trace("\(now / 1_000) µs  \(text())") }
  }

  private func member(_ place: Int, _ role: Member.Role) -> Member {
    Member(id: hosts[place].id, address: "host\(place):4647", role: role)
  }

  // MARK: events

  private func handle(_ event: Event) {
    switch event {
    case .message(let slot):
      guard let message = slots[slot] else { return }
      let host = hosts[Int(message.to.rawValue) - 1]
      if defer_(event, host) { return }
      slots[slot] = nil
      freeSlots.append(slot)
      give([.message(message)], to: host)
    case .tick(let place, let epoch):
      let host = hosts[place]
      guard host.epoch == epoch, !defer_(event, host) else { return }
      host.scheduledTick = .max
      give([.tick], to: host)
    case .synced(let place, let epoch): synced(hosts[place], epoch)
    case .workload(let event): workload.handle(event)
    case .fault(let number): if !isHealing { inject(plan.faults[number].fault, number) }
    case .ends: if !isHealing { endFaults() }
    }
  }

  /// What comes for a stopped process waits until it goes on.
  private func defer_(_ event: Event, _ host: Host) -> Bool {
    guard host.pausedUntil > now else { return false }
    result.coverage.note(.heldByPause)
    queue.put(event, at: host.pausedUntil)
    return true
  }

  func start(_ host: Host) {
    guard host.server == nil else { return }
    var limits = limits
    if bug == .unequalTimeouts, host.place % 2 == 1 {
      limits.electionTimeout /= 5
      limits.heartbeatInterval /= 5
    }
    let (recovered, snapshot) = host.recover(bug: bug)
    let incarnation = Incarnation(count: host.disk.safe.starts, bits: random.next())
    let server = workload.makeServer(
      on: host, incarnation: incarnation, limits: limits, recovered: recovered, snapshot: snapshot,
      at: moment(of: host))
    host.server = server
    note("\(host.id) starts with log \(host.disk.safe.base.index)...\(host.disk.last.index)")
    if recovered.snapshot != nil { result.coverage.note(.snapshotRestored) }
    workload.started(host)
    give([], to: host)
  }

  func crash(_ host: Host) {
    guard host.server != nil else { return }
    result.coverage.note(.crash)
    if host.core?.role == .leader {
      lostLeader()
      result.coverage.note(.leaderCrash)
    }
    note("\(host.id) crashes")
    host.crash(random: &random, bug: bug, &result.coverage)
    workload.crashed(host)
  }

  func lostLeader() { if lostLeaderAt == nil { lostLeaderAt = now } }
}
