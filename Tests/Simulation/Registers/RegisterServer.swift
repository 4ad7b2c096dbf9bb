import Raft

/// The consensus core with a few registers: the smallest state in which every mistake of a log shows.
final class RegisterServer: SimulatedServer {
  private(set) var core: RaftCore
  private(set) var machine = KeyValueMachine()
  private let snapshotEvery: UInt64
  private var lastSnapshot: UInt64
  /// Proposals of clients by index, with the term in which they were made.
  var proposals: [UInt64: (term: UInt64, client: Int, operation: Int)] = [:]
  /// Reads that wait for the core.
  var reads: [UInt64: (client: Int, operation: Int)] = [:]
  /// Reads that wait for the state.
  var readyReads: [(index: UInt64, client: Int, operation: Int)] = []
  var nextRead: UInt64 = 1
  private var pending: [Effect] = []

  init(
    core: RaftCore, recovered: RaftCore.Recovered, snapshot: [UInt8]?, snapshotEvery: UInt64, bug: ShellBug?
  ) {
    self.core = core
    self.snapshotEvery = snapshotEvery
    machine = snapshot.flatMap { KeyValueMachine(decoding: $0) } ?? KeyValueMachine()
    if bug == .appliesTwiceAfterRestart || bug == .restoresOldSnapshot {
      machine.applied = recovered.snapshot?.position.index ?? 0
    }
    lastSnapshot = machine.applied
    if bug == .appliesTwiceAfterRestart {
      for entry in recovered.entries where entry.index <= machine.applied { apply(entry) }
    }
  }

  var nextDeadline: UInt64 { core.nextDeadline }
  var applied: UInt64 { machine.applied }

  /// Applies an entry and says what its operation found.
  @discardableResult
  func apply(_ entry: Entry) -> Outcome? {
    machine.applied = max(machine.applied, entry.index)
    machine.hash = mix(mix(machine.hash, entry.index), entry.term)
    guard entry.kind < Entry.firstReservedKind, let (key, operation) = Operation.decode(entry.bytes) else { return nil }
    let outcome = operation.apply(to: &machine.values[key])
    machine.hash = mix(machine.hash, machine.values[key])
    return outcome
  }

  func take(_ input: ServerInput, at moment: Moment) {
    let (now, jitter) = (moment.monotonic, moment.jitter)
    switch input {
    case .tick: core.tick(now: now, jitter: jitter)
    case .message(let message): core.receive(message, now: now, jitter: jitter)
    case .written(let number): core.written(through: number, now: now, jitter: jitter)
    case .storageFull:
      core.storageFull(now: now, jitter: jitter)
    case .storageRecovered(let recovered): core.storageRecovered(recovered, now: now, jitter: jitter)
    case .entriesRead(let entries, let follower): core.entriesRead(entries, for: follower, now: now, jitter: jitter)
    case .pieceRead(let bytes, let snapshot, let offset, let follower):
      core.pieceRead(bytes, of: snapshot, offset: offset, for: follower, now: now, jitter: jitter)
    case .pieceWritten(let piece, let succeeded):
      core.pieceWritten(piece, succeeded: succeeded, now: now, jitter: jitter)
    case .installed(let snapshot, let bytes):
      if let machine = bytes.flatMap({ KeyValueMachine(decoding: $0) }) {
        self.machine = machine
        lastSnapshot = machine.applied
        pending.append(.replaced)
      }
      core.installed(snapshot, succeeded: bytes != nil, now: now, jitter: jitter)
    case .snapshotTaken(let snapshot): core.snapshotTaken(snapshot, now: now, jitter: jitter)
    }
  }

  func takeOutput() -> ServerOutput {
    let taken = core.takeOutput()
    let effects = pending + taken.committed.map { .committed($0) } + taken.reads.map { .read($0) }
    pending = []
    return ServerOutput(
      messages: taken.messages, writes: taken.writes, tasks: taken.tasks, events: taken.events, effects: effects)
  }

  func read(_ id: UInt64, _ kind: RaftCore.ReadKind, at moment: Moment) {
    core.read(id: id, kind, now: moment.monotonic, jitter: moment.jitter)
  }

  func propose(_ proposal: Proposal, at moment: Moment) -> Result<UInt64, Refusal> {
    core.propose([proposal], now: moment.monotonic, jitter: moment.jitter)
  }

  func bootstrap(_ membership: Membership, at moment: Moment) -> Result<Void, Refusal> {
    core.bootstrap(membership, now: moment.monotonic, jitter: moment.jitter)
  }

  func changeMembership(to membership: Membership, at moment: Moment) -> Result<UInt64, Refusal> {
    core.changeMembership(to: membership, now: moment.monotonic, jitter: moment.jitter)
  }

  func transferLeadership(to target: ServerID, at moment: Moment) -> Result<ServerID, Refusal> {
    core.transferLeadership(to: target, now: moment.monotonic, jitter: moment.jitter)
  }

  /// After a disk was full, snapshots that were on their way to it are due again.
  func snapshotLost(stored index: UInt64, at moment: Moment) { lastSnapshot = index }

  func snapshot(isForced: Bool) -> (Snapshot, [UInt8])? {
    let index = machine.applied
    guard isForced || index >= lastSnapshot + snapshotEvery, index > lastSnapshot, let term = core.term(at: index),
      let membership = core.membership(at: index)
    else { return nil }
    lastSnapshot = index
    let bytes = machine.encoded
    let snapshot = Snapshot(
      position: Position(index: index, term: term), membership: membership.membership,
      membershipIndex: membership.index, size: UInt64(bytes.count), checksum: checksum(bytes))
    return (snapshot, bytes)
  }
}
