public import Raft
public import State

/// What the host's disk has done.
extension Replica {
  /// Every write up to this number is on disk.
  public mutating func written(through number: UInt64, at instant: Instant) {
    enter(instant)
    flush()
    core.written(through: number, now: instant.monotonic, jitter: instant.jitter)
    absorb()
  }

  /// A write failed because there is no room: nothing of it or of later ones is on disk.
  public mutating func storageFull(at instant: Instant) {
    enter(instant)
    flush()
    let wasAlone = core.decidesAlone
    core.storageFull(now: instant.monotonic, jitter: instant.jitter)
    absorb()
    // Nobody else has heard of them.
    if wasAlone { giveUpUndecided(.storage) }
  }

  /// There is room again; `recovered` is what the disk has. No write from before is reported as done after this.
  public mutating func storageRecovered(_ recovered: RaftCore.Recovered, at instant: Instant) {
    enter(instant)
    flush()
    core.storageRecovered(recovered, now: instant.monotonic, jitter: instant.jitter)
    absorb()
  }

  /// The disk failed in a way that leaves unknown what is on it. Nothing of what was asked to be written may be counted on
  /// or tried again: this server takes no part until it is started anew and has read its disk.
  public mutating func storageFailed(because reason: String, at instant: Instant) {
    enter(instant)
    flush()
    core.withdraw(because: reason, now: instant.monotonic, jitter: instant.jitter)
    absorb()
    giveUpUndecided(.uncertain)
  }

  /// Ends `Output.Task.readEntries`; none when they could not be read.
  public mutating func entriesRead(_ entries: [Entry], for follower: ServerID, at instant: Instant) {
    enter(instant)
    flush()
    core.entriesRead(entries, for: follower, now: instant.monotonic, jitter: instant.jitter)
    absorb()
  }

  /// Ends `Output.Task.readPiece`; nil when the snapshot is not there any more.
  public mutating func pieceRead(
    _ bytes: [UInt8]?, of snapshot: Snapshot, offset: UInt64, for follower: ServerID, at instant: Instant
  ) {
    enter(instant)
    flush()
    core.pieceRead(bytes, of: snapshot, offset: offset, for: follower, now: instant.monotonic, jitter: instant.jitter)
    absorb()
  }

  /// Ends `Output.Task.writePiece`.
  public mutating func pieceWritten(_ piece: SnapshotPiece, succeeded: Bool, at instant: Instant) {
    enter(instant)
    flush()
    core.pieceWritten(piece, succeeded: succeeded, now: instant.monotonic, jitter: instant.jitter)
    absorb()
  }

  /// Ends `Output.Task.install`: the snapshot is stored and whole, the log on disk begins behind it, and this is the state
  /// that it holds. Nil when it could not be used; then nothing has changed.
  public mutating func installed(_ snapshot: Snapshot, state installed: State?, at instant: Instant) {
    enter(instant)
    flush()
    core.installed(snapshot, succeeded: installed != nil, now: instant.monotonic, jitter: instant.jitter)
    if let installed, core.delivered == snapshot.position.index, snapshot.position.index > applied.index {
      state = installed
      committed = installed.reader
      applied = snapshot.position
      lastSnapshot = snapshot.position.index
      bytesSinceSnapshot = 0
      output.publications.append(.replaced(committed))
      // Which of the entries in it were proposed here can't be seen any more.
      giveUpUndecided(.uncertain)
    }
    absorb()
  }

  /// Ends a `SnapshotOrder`: the snapshot is stored. Nil when it could not be; it is due again after the next entries.
  public mutating func snapshotTaken(_ snapshot: Snapshot?, at instant: Instant) {
    enter(instant)
    flush()
    isTakingSnapshot = false
    if let snapshot { core.snapshotTaken(snapshot, now: instant.monotonic, jitter: instant.jitter) }
    absorb()
  }
}
