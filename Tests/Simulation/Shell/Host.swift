import Raft

/// One simulated machine: disk, clocks, and the process that runs or does not.
final class Host {
  let place: Int
  let id: ServerID
  /// Nil while the process is down.
  var server: (any SimulatedServer)?
  var disk = SimulatedDisk()
  var clock: SimulatedClock
  /// Counts crashes.
  var epoch = 0
  /// How many outputs it handles until it crashes.
  var outputsLeft: Int?
  var pausedUntil: UInt64 = 0
  /// The time of the tick that is on its way; `.max` when none is.
  var scheduledTick: UInt64 = .max
  /// A snapshot for the sync after the next: the double of `compactsBeforeSnapshot`.
  var lateSnapshot: [SimulatedDisk.Work] = []

  var core: RaftCore? { server?.core }

  init(place: Int, random: inout Random) {
    self.place = place
    id = ServerID(UInt64(place + 1))
    clock = SimulatedClock(base: 1 + random.below(1_000_000_000 as UInt64))
  }

  /// Reads the disk for a new process.
  func recover(bug: ShellBug?) -> (recovered: RaftCore.Recovered, snapshot: [UInt8]?) {
    epoch += 1
    disk.safe.starts += 1
    if bug == .trustsOlderDisk { disk.safe.starts = UInt64(epoch) }
    var image = disk.safe
    // The checksum of a torn entry is wrong, so the log ends before it.
    if let torn = image.torn, bug == .takesTornEntries, torn.index == disk.last.index + 1 { image.entries.append(torn) }
    disk.safe.torn = nil
    disk.safe.entries = image.entries
    disk.safe.incoming = image.incoming
    var damage = bug == .trustsOlderDisk ? nil : disk.damage
    let watermark = disk.watermark
    if bug != .trustsOlderDisk,
      !disk.last.isAtLeastAsUpToDate(as: watermark) || image.hardState.term < disk.watermarkTerm
    {
      damage = "the log ends at \(disk.last.index), it was synced up to \(watermark.index)"
    }
    let recovered = RaftCore.Recovered(
      hardState: image.hardState, snapshot: image.snapshot?.description, base: image.base, entries: image.entries,
      damage: damage)
    let bytes =
      bug == .restoresOldSnapshot ? image.olderSnapshot?.bytes ?? image.snapshot?.bytes : image.snapshot?.bytes
    return (recovered, bytes)
  }

  func crash(random: inout Random, bug: ShellBug?, _ coverage: inout Coverage) {
    server = nil
    epoch += 1
    disk.crash(&random, bug: bug, &coverage)
    lateSnapshot = []
    scheduledTick = .max
    outputsLeft = nil
    pausedUntil = 0
  }
}
