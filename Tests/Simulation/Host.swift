import Raft

/// One simulated server: the real core, and a shell made of simulated disk, clock and state machine.
final class Host {
  let place: Int
  let id: ServerID
  /// Nil while the process is down.
  var core: RaftCore?
  var disk = SimulatedDisk()
  var machine = KeyValueMachine()
  /// Counts crashes.
  var epoch = 0
  /// How many outputs it handles until it crashes.
  var outputsLeft: Int?
  var pausedUntil: UInt64 = 0
  /// The clock: `clockBase` at `realBase`, then at its own speed.
  private var clockBase: UInt64
  private var realBase: UInt64 = 0
  private var drift = 0
  /// The time of the tick that is on its way; `.max` when none is.
  var scheduledTick: UInt64 = .max
  /// Proposals of clients by index, with the term in which they were made.
  var proposals: [UInt64: (term: UInt64, client: Int, operation: Int)] = [:]
  /// Reads that wait for the core.
  var reads: [UInt64: (client: Int, operation: Int)] = [:]
  /// Reads that wait for the state.
  var readyReads: [(index: UInt64, client: Int, operation: Int)] = []
  var nextRead: UInt64 = 1
  var lastSnapshot: UInt64 = 0
  /// A snapshot for the sync after the next: the double of `compactsBeforeSnapshot`.
  var lateSnapshot: [SimulatedDisk.Work] = []
  /// The last numbers reported to the core.
  var lastWrite: UInt64 = 0

  init(place: Int, random: inout Random) {
    self.place = place
    id = ServerID(UInt64(place + 1))
    clockBase = 1 + random.below(1_000_000_000 as UInt64)
  }

  func clock(_ real: UInt64) -> UInt64 {
    let passed = real - realBase
    let skew = Int64(passed / 1_000_000) * Int64(drift) + Int64(passed % 1_000_000) * Int64(drift) / 1_000_000
    return clockBase &+ passed &+ UInt64(bitPattern: skew)
  }

  /// When the host's clock will show `local`, not before `real`.
  func real(of local: UInt64, from real: UInt64) -> UInt64 {
    let shown = clock(real)
    guard local > shown else { return real }
    let left = local - shown
    return real + left * 1_000_000 / UInt64(1_000_000 + drift) + 1
  }

  func setDrift(_ millionths: Int, at real: UInt64) {
    clockBase = clock(real)
    realBase = real
    drift = millionths
  }

  func jump(by amount: UInt64, at real: UInt64) {
    setDrift(drift, at: real)
    clockBase += amount
  }

  /// Starts the process with what the disk has.
  func start(at real: UInt64, limits: Limits, bug: ShellBug?, random: inout Random) {
    epoch += 1
    disk.safe.starts += 1
    if bug == .trustsOlderDisk { disk.safe.starts = UInt64(epoch) }
    var image = disk.safe
    // The checksum of a torn entry is wrong, so the log ends before it.
    if let torn = image.torn, bug == .takesTornEntries, torn.index == disk.last.index + 1 { image.entries.append(torn) }
    disk.safe.torn = nil
    disk.safe.entries = image.entries
    disk.safe.incoming = image.incoming
    var damage: String?
    let watermark = disk.watermark
    if bug != .trustsOlderDisk,
      !disk.last.isAtLeastAsUpToDate(as: watermark) || image.hardState.term < disk.watermarkTerm
    {
      damage = "the log ends at \(disk.last.index), it was synced up to \(watermark.index)"
    }
    var snapshot = image.snapshot
    if bug == .restoresOldSnapshot, let older = image.olderSnapshot { snapshot = older }
    machine = snapshot.flatMap { KeyValueMachine(decoding: $0.bytes) } ?? KeyValueMachine()
    if bug == .appliesTwiceAfterRestart || bug == .restoresOldSnapshot {
      machine.applied = image.snapshot?.description.position.index ?? 0
    }
    lastSnapshot = machine.applied
    let recovered = RaftCore.Recovered(
      hardState: image.hardState, snapshot: image.snapshot?.description, base: image.base, entries: image.entries,
      damage: damage)
    core = RaftCore(
      id: id, incarnation: Incarnation(count: image.starts, bits: random.next()), limits: limits, recovered: recovered,
      now: clock(real), jitter: random.next())
    if bug == .appliesTwiceAfterRestart, let first = image.entries.first {
      for entry in image.entries where entry.index >= first.index && entry.index <= machine.applied { apply(entry) }
    }
  }

  func crash(random: inout Random, bug: ShellBug?, _ coverage: inout Coverage) {
    core = nil
    epoch += 1
    disk.crash(&random, bug: bug, &coverage)
    proposals = [:]
    reads = [:]
    readyReads = []
    lateSnapshot = []
    scheduledTick = .max
    outputsLeft = nil
    pausedUntil = 0
  }

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
}
