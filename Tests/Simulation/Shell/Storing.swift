import Raft

/// What becomes of what servers hand to their disks.
extension Simulator {
  func takeSnapshot(_ host: Host, isForced: Bool) {
    guard let (snapshot, bytes) = host.server?.snapshot(isForced: isForced) else { return }
    result.coverage.note(.snapshotTaken)
    if bug == .compactsBeforeSnapshot {
      host.lateSnapshot.append(.snapshot(snapshot, bytes))
      host.server?.take(.snapshotTaken(snapshot), at: quietMoment(of: host))
    } else {
      host.disk.queued.append(.snapshot(snapshot, bytes))
    }
  }

  func perform(_ task: Output.Task, _ host: Host) {
    func answer(_ input: ServerInput) { host.server?.take(input, at: moment(of: host)) }
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
      answer(.entriesRead(entries, for: follower))
    case .readPiece(let snapshot, let offset, let count, let follower):
      var bytes: [UInt8]?
      for stored in [host.disk.safe.snapshot, host.disk.safe.olderSnapshot] {
        if let stored, stored.description == snapshot { bytes = Array(stored.bytes[Int(offset)..<Int(offset + count)]) }
      }
      answer(.pieceRead(bytes, of: snapshot, offset: offset, for: follower))
    case .writePiece(let piece): host.disk.queued.append(.piece(piece))
    case .install(let snapshot): host.disk.queued.append(.install(snapshot))
    case .compact(let position): host.disk.queued.append(.compact(position))
    }
  }

  func startSync(_ host: Host) {
    guard host.server != nil, host.disk.syncing.isEmpty, !host.disk.queued.isEmpty else { return }
    host.disk.beginSync()
    let time = random.between(host.disk.syncTime.least, host.disk.syncTime.most)
    if time > 5_000_000 { result.coverage.note(.slowSync) }
    queue.put(.synced(host: host.place, epoch: host.epoch), at: now + time)
  }

  func synced(_ host: Host, _ epoch: Int) {
    guard host.epoch == epoch, host.server != nil else { return }
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
    give(work.compactMap { report(of: $0, host) }, to: host)
    startSync(host)
  }

  /// What a server is told of work that is done.
  private func report(of work: SimulatedDisk.Work, _ host: Host) -> ServerInput? {
    switch work {
    case .write(let write): return .written(through: write.number)
    case .piece(let piece): return .pieceWritten(piece, succeeded: true)
    case .install(let snapshot):
      guard let stored = host.disk.safe.snapshot, stored.description == snapshot else {
        return .installed(snapshot, nil)
      }
      result.snapshotsInstalled += 1
      result.coverage.note(.snapshotInstalled)
      return .installed(snapshot, stored.bytes)
    case .snapshot(let snapshot, _): return .snapshotTaken(snapshot)
    case .compact: return nil
    }
  }

  private func diskIsFull(_ host: Host, _ work: [SimulatedDisk.Work]) {
    note("\(host.id) finds its disk full")
    result.coverage.note(.diskFull)
    let lostSnapshot = (work + host.disk.queued).contains(where: \.isSnapshot)
    host.disk.queued = []
    if bug == .ignoresFullDisk {
      give(
        work.compactMap { if case .write(let write) = $0 { .written(through: write.number) } else { nil } }, to: host)
    } else {
      var inputs = [ServerInput.storageFull]
      for case .piece(let piece) in work { inputs.append(.pieceWritten(piece, succeeded: false)) }
      for case .install(let snapshot) in work { inputs.append(.installed(snapshot, nil)) }
      give(inputs, to: host)
    }
    forgetQueued(host, lostSnapshot)
  }

  /// What is queued never happens.
  private func forgetQueued(_ host: Host, _ hasLostSnapshot: Bool) {
    let isLost = hasLostSnapshot || host.disk.queued.contains(where: \.isSnapshot)
    host.disk.queued = []
    if isLost {
      host.server?.snapshotLost(
        stored: host.disk.safe.snapshot?.description.position.index ?? 0, at: quietMoment(of: host))
    }
  }

  /// There is room again: the core gets the log as it is on disk.
  func freeDisk(_ host: Host) {
    guard host.disk.isFull else { return }
    host.disk.isFull = false
    note("\(host.id) has room on its disk again")
    guard host.core?.isStorageFull == true else { return }
    result.coverage.note(.diskRecovered)
    let lostSnapshot = host.disk.syncing.contains(where: \.isSnapshot)
    host.disk.syncing = []
    forgetQueued(host, lostSnapshot)
    host.epoch += 1
    host.scheduledTick = .max
    let image = host.disk.safe
    give(
      [
        .storageRecovered(
          .init(
            hardState: image.hardState, snapshot: image.snapshot?.description, base: image.base,
            entries: image.entries))
      ], to: host)
  }
}
