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

  struct Client {
    var operation = 0
    var key = 0
    var what = Operation.read
    var began: UInt64 = 0
    var target = 0
    var isWaiting = false
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
  var clients: [Client] = []
  var checker = Checker()
  var result = Result()
  /// Messages on their way; an event names the slot.
  var slots: [Message?] = []
  var freeSlots: [Int] = []
  /// `cut[from][to]`: until when messages that way are lost.
  var cut: [[UInt64]]
  var isHealing = false
  var nextValue: UInt64 = 1
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
    self.limits = limits
    cut = [[UInt64]](repeating: [UInt64](repeating: 0, count: plan.hosts), count: plan.hosts)
    for place in 0..<plan.hosts { hosts.append(Host(place: place, random: &random)) }
    clients = [Client](repeating: Client(), count: plan.clients)
  }

  /// Runs to the end or to the first thing that is broken.
  public func run() -> Result {
    for host in hosts { start(host) }
    let first = Membership((0..<plan.voters).map { member($0, .voter) })
    withCore(hosts[0]) { core, now, jitter in _ = core.bootstrap(first, now: now, jitter: jitter) }
    for client in clients.indices { queue.put(.think(client: client), at: random.below(200_000_000 as UInt64)) }
    for (number, fault) in plan.faults.enumerated() { queue.put(.fault(number), at: fault.at) }
    while checker.failure == nil, let item = queue.take() {
      now = item.time
      result.events += 1
      handle(item.event)
      if !isHealing, now >= plan.duration { heal() }
      if isHealing, now >= plan.duration + 1_000_000_000, result.events % 64 == 0 {
        if isAtRest { break }
        if now > plan.duration + 30_000_000_000 {
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
    if checker.failure == nil { result.isUndecided = !checker.checkHistories() }
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
      withCore(host) { core, now, jitter in core.receive(message, now: now, jitter: jitter) }
    case .tick(let place, let epoch):
      let host = hosts[place]
      guard host.epoch == epoch, !defer_(event, host) else { return }
      host.scheduledTick = .max
      withCore(host) { core, now, jitter in core.tick(now: now, jitter: jitter) }
    case .synced(let place, let epoch): synced(hosts[place], epoch)
    case .request(let client, let operation, let place): request(client, operation, hosts[place])
    case .response(let client, let operation, let answer): response(client, operation, answer)
    case .think(let client): begin(client)
    case .giveUp(let client, let operation):
      guard clients[client].operation == operation, clients[client].isWaiting else { return }
      if bug == .repeatsWrites, clients[client].what != .read {
        ask(client, random.below(hosts.count), after: 0)
        queue.put(.giveUp(client: client, operation: operation), at: now + 1_000_000_000)
      } else {
        finish(client, nil)
      }
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
    guard host.core == nil else { return }
    var limits = limits
    if bug == .unequalTimeouts, host.place % 2 == 1 {
      limits.electionTimeout /= 5
      limits.heartbeatInterval /= 5
    }
    host.start(at: now, limits: limits, bug: bug, random: &random)
    note("\(host.id) starts with log \(host.disk.safe.base.index)...\(host.disk.last.index)")
    if host.lastSnapshot > 0 { result.coverage.note(.snapshotRestored) }
    checker.stateIs(host.machine, on: host.id)
    withCore(host) { _, _, _ in }
  }

  func crash(_ host: Host) {
    guard host.core != nil else { return }
    result.coverage.note(.crash)
    if host.core?.role == .leader {
      lostLeader()
      result.coverage.note(.leaderCrash)
    }
    note("\(host.id) crashes")
    host.crash(random: &random, bug: bug, &result.coverage)
  }

  func lostLeader() { if lostLeaderAt == nil { lostLeaderAt = now } }

  /// Calls the core and does what it says.
  func withCore(_ host: Host, _ body: (inout RaftCore, UInt64, UInt64) -> Void) {
    let (clock, jitter) = (host.clock(now), random.next())
    // In place: taking the core out and putting it back would copy nothing, but the compiler does not know.
    guard let _ = host.core.mutate({ core in body(&core, clock, jitter) }) else { return }
    while let output = host.core?.takeOutput(), !output.isEmpty { perform(output, host) }
    guard let core = host.core else { return }
    let deadline = core.nextDeadline
    guard deadline != .max else { return }
    let time = host.real(of: deadline, from: now)
    if time < host.scheduledTick {
      host.scheduledTick = time
      queue.put(.tick(host: host.place, epoch: host.epoch), at: time)
    }
  }

  /// Counts outputs to an ordered crash. True when the process is gone.
  private func crashesNow(_ host: Host) -> Bool {
    guard let left = host.outputsLeft else { return false }
    host.outputsLeft = left - 1
    if left > 0 { return false }
    result.coverage.note(.crashBetweenOutputs)
    crash(host)
    return true
  }

  private func perform(_ output: Output, _ host: Host) {
    for event in output.events { perform(event, host) }
    for write in output.writes {
      if crashesNow(host) { return }
      host.disk.queued.append(.write(write))
      host.lastWrite = write.number
      if bug == .answersBeforeSync {
        host.core?.written(through: write.number, now: host.clock(now), jitter: 0)
      }
    }
    for message in output.messages {
      if crashesNow(host) { return }
      send(message)
    }
    for entry in output.committed {
      if crashesNow(host) { return }
      applyCommitted(entry, host)
    }
    for read in output.reads { answerRead(read, host) }
    for task in output.tasks {
      if crashesNow(host) { return }
      perform(task, host)
    }
    takeSnapshotIfDue(host)
    startSync(host)
  }

  private func perform(_ event: Output.Event, _ host: Host) {
    note("\(host.id) \(event)")
    switch event {
    case .elected(let term):
      result.elections += 1
      checker.elected(host.id, term: term)
      if let core = host.core { checker.checkCompleteness(of: core) }
      if let lost = lostLeaderAt { result.leaderless.append(now - lost) }
      lostLeaderAt = nil
    case .steppedDown:
      lostLeader()
      if let core = host.core, !core.membership.membership.isVoter(host.id) { result.coverage.note(.leaderRemoved) }
    case .membershipCommitted(let membership, _):
      result.changes += 1
      if membership.members.contains(where: { $0.role == .learner }) { result.coverage.note(.learner) }
    case .contradiction(let what): checker.fail("\(host.id): \(what)")
    case .quarantined:
      result.quarantined += 1
      result.coverage.note(.quarantine)
    case .uncertain(let index):
      for (place, proposal) in host.proposals.sorted(by: { $0.key < $1.key }) where place > index {
        host.proposals[place] = nil
        respond(proposal.client, proposal.operation, .unknown)
      }
    case .membership(let membership, _): if membership.isJoint { result.coverage.note(.jointMembership) }
    case .leader: break
    }
  }

  // MARK: network

  private func send(_ message: Message) {
    let from = Int(message.from.rawValue) - 1
    let to = Int(message.to.rawValue) - 1
    guard hosts.indices.contains(to) else { return }
    if cut[from][to] > now {
      result.coverage.note(cut[to][from] > now ? .messageCut : .messageCutOneWay)
      return
    }
    if noteMessages { note("\(message.from) -> \(message.to) \(message.body)") }
    if !isHealing, random.chance(plan.lost) {
      result.coverage.note(.messageLost)
      return
    }
    put(message)
    if !isHealing, random.chance(plan.doubled) {
      result.coverage.note(.messageDoubled)
      put(message)
    }
  }

  private func put(_ message: Message) {
    var delay = random.between(plan.delay / 4 + 1, plan.delay + 1)
    if plan.late > 0, !isHealing, random.chance(50) {
      delay += random.below(plan.late)
      result.coverage.note(.messageLate)
    }
    let slot = freeSlots.popLast() ?? slots.count
    if slot == slots.count { slots.append(message) } else { slots[slot] = message }
    if slots.count - freeSlots.count > Self.mostMessages {
      checker.fail("more than \(Self.mostMessages) messages are on their way at once: servers make each other talk")
    }
    queue.put(.message(slot: slot), at: now + delay)
  }

  // MARK: state

  private func applyCommitted(_ entry: Entry, _ host: Host) {
    let outcome = host.apply(entry)
    checker.applied(entry, by: host.id, inTerm: host.core?.term ?? 0, state: host.machine)
    if let proposal = host.proposals.removeValue(forKey: entry.index) {
      if proposal.term == entry.term, let outcome {
        respond(proposal.client, proposal.operation, .done(outcome))
      } else {
        // Another leader's entry took the place: this one never happens.
        respond(proposal.client, proposal.operation, .unknown)
      }
    }
    if !host.readyReads.isEmpty { answerReadyReads(host) }
  }

  private func answerRead(_ read: Output.ReadResult, _ host: Host) {
    guard let origin = host.reads.removeValue(forKey: read.id) else { return }
    guard let index = read.index else {
      respond(origin.client, origin.operation, .redirect(nil))
      return
    }
    if host.core?.role != .leader {
      result.coverage.note(.readAtFollower)
    } else if !plan.usesLease {
      result.coverage.note(.readByRound)
    }
    host.readyReads.append((bug == .readsWithoutWaiting ? 0 : index, origin.client, origin.operation))
    answerReadyReads(host)
  }

  private func answerReadyReads(_ host: Host) {
    for read in host.readyReads where read.index <= host.machine.applied {
      respond(read.client, read.operation, .done(.value(host.machine.values[clients[read.client].key])))
    }
    host.readyReads.removeAll { $0.index <= host.machine.applied }
  }

  private func takeSnapshotIfDue(_ host: Host) {
    guard host.machine.applied >= host.lastSnapshot + plan.snapshotEvery else { return }
    takeSnapshot(host)
  }

  func takeSnapshot(_ host: Host) {
    let index = host.machine.applied
    guard index > host.lastSnapshot, let core = host.core, let term = core.term(at: index),
      let membership = core.membership(at: index)
    else { return }
    host.lastSnapshot = index
    result.coverage.note(.snapshotTaken)
    let bytes = host.machine.encoded
    let snapshot = Snapshot(
      position: Position(index: index, term: term), membership: membership.membership,
      membershipIndex: membership.index,
      size: UInt64(bytes.count), checksum: checksum(bytes))
    if bug == .compactsBeforeSnapshot {
      host.lateSnapshot.append(.snapshot(snapshot, bytes))
      host.core?.snapshotTaken(snapshot, now: host.clock(now), jitter: 0)
    } else {
      host.disk.queued.append(.snapshot(snapshot, bytes))
    }
  }

  // MARK: disk

  private func perform(_ task: Output.Task, _ host: Host) {
    switch task {
    case .readEntries(let from, let bytes, let follower):
      result.coverage.note(.entriesReadFromDisk)
      var entries: [Entry] = []
      var total = 0
      for entry in host.disk.safe.entries where entry.index >= from {
        total += entry.cost
        if !entries.isEmpty, total > bytes { break }
        entries.append(entry)
      }
      if entries.first?.index != from { entries = [] }
      host.core?.entriesRead(entries, for: follower, now: host.clock(now), jitter: random.next())
    case .readPiece(let snapshot, let offset, let count, let follower):
      var bytes: [UInt8]?
      for stored in [host.disk.safe.snapshot, host.disk.safe.olderSnapshot] {
        if let stored, stored.description == snapshot { bytes = Array(stored.bytes[Int(offset)..<Int(offset + count)]) }
      }
      host.core?.pieceRead(
        bytes, of: snapshot, offset: offset, for: follower, now: host.clock(now), jitter: random.next())
    case .writePiece(let piece): host.disk.queued.append(.piece(piece))
    case .install(let snapshot): host.disk.queued.append(.install(snapshot))
    case .compact(let position): host.disk.queued.append(.compact(position))
    }
  }

  func startSync(_ host: Host) {
    guard host.core != nil, host.disk.syncing.isEmpty, !host.disk.queued.isEmpty else { return }
    host.disk.beginSync()
    let time = random.between(host.disk.syncTime.least, host.disk.syncTime.most)
    if time > 5_000_000 { result.coverage.note(.slowSync) }
    queue.put(.synced(host: host.place, epoch: host.epoch), at: now + time)
  }

  private func synced(_ host: Host, _ epoch: Int) {
    guard host.epoch == epoch, host.core != nil else { return }
    let work = host.disk.syncing
    host.disk.syncing = []
    if host.disk.isFull {
      diskIsFull(host, work)
      return
    }
    for item in work {
      host.disk.apply(item, bug: bug)
      if case .write(let write) = item, write.truncateFrom != nil { result.coverage.note(.logTruncated) }
    }
    if !host.lateSnapshot.isEmpty {
      host.disk.queued += host.lateSnapshot
      host.lateSnapshot = []
    }
    withCore(host) { core, clock, jitter in report(work, host, &core, clock, jitter) }
    startSync(host)
  }

  private func report(
    _ work: [SimulatedDisk.Work], _ host: Host, _ core: inout RaftCore, _ clock: UInt64, _ jitter: UInt64
  ) {
    for item in work {
      switch item {
      case .write(let write): core.written(through: write.number, now: clock, jitter: jitter)
      case .piece(let piece): core.pieceWritten(piece, succeeded: true, now: clock, jitter: jitter)
      case .install(let snapshot):
        let stored = host.disk.safe.snapshot
        let isThere = stored?.description == snapshot
        if isThere, let stored, let machine = KeyValueMachine(decoding: stored.bytes) {
          host.machine = machine
          host.lastSnapshot = machine.applied
          result.snapshotsInstalled += 1
          result.coverage.note(.snapshotInstalled)
          checker.stateIs(machine, on: host.id)
        }
        core.installed(snapshot, succeeded: isThere, now: clock, jitter: jitter)
      case .snapshot(let snapshot, _): core.snapshotTaken(snapshot, now: clock, jitter: jitter)
      case .compact: break
      }
    }
  }

  private func diskIsFull(_ host: Host, _ work: [SimulatedDisk.Work]) {
    note("\(host.id) finds its disk full")
    result.coverage.note(.diskFull)
    host.disk.queued = []
    withCore(host) { core, clock, jitter in
      if bug == .ignoresFullDisk {
        report(work.filter { if case .write = $0 { true } else { false } }, host, &core, clock, jitter)
        return
      }
      core.storageFull(now: clock, jitter: jitter)
      for case .piece(let piece) in work { core.pieceWritten(piece, succeeded: false, now: clock, jitter: jitter) }
      for case .install(let snapshot) in work { core.installed(snapshot, succeeded: false, now: clock, jitter: jitter) }
    }
    host.disk.queued = []
    host.lastSnapshot = host.disk.safe.snapshot?.description.position.index ?? 0
  }

  /// There is room again: the core gets the log as it is on disk.
  func freeDisk(_ host: Host) {
    guard host.disk.isFull else { return }
    host.disk.isFull = false
    note("\(host.id) has room on its disk again")
    guard host.core?.isStorageFull == true else { return }
    result.coverage.note(.diskRecovered)
    host.disk.queued = []
    host.disk.syncing = []
    host.epoch += 1
    host.scheduledTick = .max
    let image = host.disk.safe
    withCore(host) { core, clock, jitter in
      core.storageRecovered(
        .init(
          hardState: image.hardState, snapshot: image.snapshot?.description, base: image.base, entries: image.entries),
        now: clock, jitter: jitter)
    }
  }
}

extension Optional {
  /// Changes the value in place. Nil when there is none.
  fileprivate mutating func mutate<Result>(_ body: (inout Wrapped) -> Result) -> Result? {
    guard self != nil else { return nil }
    // swift-format-ignore: NeverForceUnwrap
    return body(&self!)
  }
}
