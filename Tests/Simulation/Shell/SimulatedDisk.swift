import Raft

/// One server's disk: what is safe, and what is on its way.
struct SimulatedDisk {
  enum Work {
    case write(Output.Write)
    case piece(SnapshotPiece)
    case install(Snapshot)
    case snapshot(Snapshot, [UInt8])
    case compact(Position)

    var isSnapshot: Bool { if case .snapshot = self { true } else { false } }
  }

  struct Image {
    var hardState = HardState()
    var base = Position.zero
    var entries: [Entry] = []
    var snapshot: (description: Snapshot, bytes: [UInt8])?
    var olderSnapshot: (description: Snapshot, bytes: [UInt8])?
    var incoming: (description: Snapshot, bytes: [UInt8])?
    var starts: UInt64 = 0
    /// The entry behind the log's end was torn; its checksum tells.
    var torn: Entry?
  }

  var safe = Image()
  /// Kept in another file: the last place that was synced. A log that ends before it is older than it should be.
  var watermark = Position.zero
  var watermarkTerm: UInt64 = 0
  /// Why this server must not take part any more, found out at any of its starts: kept until the disk is emptied.
  var damage: String?
  /// Queued behind what is being synced.
  var queued: [Work] = []
  /// What the sync under way makes safe.
  var syncing: [Work] = []
  var isFull = false
  /// Nanoseconds.
  var syncTime: (least: UInt64, most: UInt64) = (50_000, 500_000)
  /// An image to come back with, for the fault of an older disk.
  var old: Image?

  var last: Position { safe.entries.last?.position ?? safe.base }

  /// Everything queued goes into one sync.
  mutating func beginSync() {
    syncing = queued
    queued = []
  }

  /// Does the work on the image. A crash calls it for a part of what was under way.
  mutating func apply(_ work: Work, bug: ShellBug?) {
    switch work {
    case .write(let write): apply(write, bug)
    case .piece(let piece):
      var bytes = safe.incoming?.description == piece.snapshot ? safe.incoming?.bytes ?? [] : []
      if bug != .mixesPieces {
        guard piece.offset <= UInt64(bytes.count) else { return }
        bytes.removeSubrange(Int(piece.offset)...)
      }
      bytes += piece.bytes
      safe.incoming = (piece.snapshot, bytes)
    case .install(let description):
      guard let incoming = safe.incoming, incoming.description == description,
        checksum(incoming.bytes) == description.checksum || bug == .mixesPieces
      else { return }
      safe.olderSnapshot = safe.snapshot
      safe.snapshot = incoming
      safe.incoming = nil
      safe.base = description.position
      safe.entries = []
      safe.torn = nil
    case .snapshot(let description, let bytes):
      var description = description
      if bug == .losesMembership { description.membership = .none }
      safe.olderSnapshot = safe.snapshot
      safe.snapshot = (description, bytes)
    case .compact(let position):
      guard position.index > safe.base.index else { return }
      safe.entries.removeAll { $0.index <= position.index }
      safe.base = position
    }
    watermark = last
    watermarkTerm = safe.hardState.term
  }

  private mutating func apply(_ write: Output.Write, _ bug: ShellBug?) {
    if var state = write.hardState, bug != .forgetsTerm {
      if bug == .forgetsVote { state.vote = nil }
      safe.hardState = state
    }
    if !write.entries.isEmpty { safe.torn = nil }
    if let from = write.truncateFrom, bug != .skipsTruncation { safe.entries.removeAll { $0.index >= from } }
    for entry in write.entries where entry.index == last.index + 1 { safe.entries.append(entry) }
  }

  /// The machine stops: of what was not synced a part is there by chance, and the last of it may be torn.
  mutating func crash(_ random: inout Random, bug: ShellBug?, _ coverage: inout Coverage) {
    let unsynced = syncing + queued
    syncing = []
    queued = []
    guard !unsynced.isEmpty, !isFull else { return }
    let kept = random.below(unsynced.count + 1)
    for work in unsynced.prefix(kept) { apply(work, bug: bug) }
    if kept > 0 { coverage.note(.unsyncedKept) }
    if kept < unsynced.count { coverage.note(.unsyncedLost) }
    guard kept < unsynced.count, case .write(let write) = unsynced[kept], random.chance(500),
      let first = write.entries.first,
      first.index == last.index + 1, write.truncateFrom == nil
    else { return }
    let whole = random.below(write.entries.count)
    for entry in write.entries.prefix(whole) { safe.entries.append(entry) }
    watermark = last
    let entry = write.entries[whole]
    coverage.note(.tornWrite)
    safe.torn = Entry(
      index: entry.index, term: entry.term, kind: entry.kind, bytes: Array(entry.bytes.dropLast(3)) + [0xFF])
  }
}

/// Eight bytes at a time: snapshots are hashed often.
func checksum(_ bytes: [UInt8]) -> UInt64 {
  bytes.withUnsafeBytes { raw in
    var hash = UInt64(raw.count)
    var offset = 0
    while offset + 8 <= raw.count {
      hash = mix(hash, raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += 8
    }
    while offset < raw.count {
      hash = mix(hash, UInt64(raw[offset]))
      offset += 1
    }
    return hash
  }
}
