/// A snapshot that a leader is sending to this server.
struct IncomingSnapshot: Sendable {
  let snapshot: Snapshot
  /// Pieces up to here are on disk.
  var stored: UInt64 = 0
  /// A piece is being written.
  var isWriting = false
  /// All is there and being made the state.
  var isInstalling = false
  /// Who gets the answer.
  var from: ServerID
  var round: UInt64 = 0
  var sent: UInt64 = 0
}

extension RaftCore {
  /// This server stored a snapshot of its own state (§5.1). The log before it goes, but for a few entries that spare a
  /// follower the snapshot.
  public mutating func snapshotTaken(_ taken: Snapshot, now: UInt64, jitter: UInt64) {
    advance(now, jitter)
    guard taken.position.index > snapshot?.position.index ?? 0, taken.position.index <= delivered else { return }
    snapshot = taken
    while memberships.count > 1, memberships[1].index <= taken.position.index { memberships.removeFirst() }
    guard taken.position.index > limits.trailingEntries else { return }
    let index = taken.position.index - limits.trailingEntries
    guard index > log.base.index, let term = log.term(at: index) else { return }
    let position = Position(index: index, term: term)
    log.compact(through: position)
    output.tasks.append(.compact(through: position))
  }

  // MARK: sending

  mutating func beginSnapshot(for place: Int) {
    guard let snapshot else {
      // The log is compacted only behind a snapshot, so there is one.
      output.events.append(.contradiction("the log begins at \(log.first) and there is no snapshot"))
      return
    }
    peers[place].mode = .snapshot(.init(snapshot: snapshot, asked: now))
    requestPiece(for: place)
  }

  mutating func requestPiece(for place: Int) {
    guard case .snapshot(var transfer) = peers[place].mode, !transfer.isWaiting else { return }
    transfer.isWaiting = true
    transfer.asked = now
    peers[place].mode = .snapshot(transfer)
    let count = min(limits.pieceBytes, transfer.snapshot.size - transfer.acknowledged)
    output.tasks.append(
      .readPiece(transfer.snapshot, offset: transfer.acknowledged, count: count, for: peers[place].id))
  }

  /// A piece or its answer was lost: ask for it again.
  mutating func askAgain(for place: Int) {
    guard case .snapshot(var transfer) = peers[place].mode, now - transfer.asked >= limits.electionTimeout else {
      return
    }
    transfer.isWaiting = false
    peers[place].mode = .snapshot(transfer)
    requestPiece(for: place)
  }

  /// The bytes that `Output.Task.readPiece` asked for; nil when the snapshot is not there any more.
  public mutating func pieceRead(
    _ bytes: [UInt8]?, of snapshot: Snapshot, offset: UInt64, for follower: ServerID, now: UInt64, jitter: UInt64
  ) {
    advance(now, jitter)
    guard role == .leader, let place = place(of: follower), case .snapshot(let transfer) = peers[place].mode,
      transfer.snapshot == snapshot, transfer.acknowledged == offset, transfer.isWaiting
    else { return }
    guard let bytes else {
      // A newer one has taken its place; begin with that.
      peers[place].probe(from: peers[place].match + 1)
      if self.snapshot != snapshot { replicate(to: place) }
      return
    }
    send(
      .snapshot(SnapshotPiece(snapshot: snapshot, offset: offset, bytes: bytes, round: round, sent: self.now)),
      to: follower)
  }

  mutating func notePiece(_ from: ServerID, _ snapshot: Snapshot, received: UInt64) {
    guard role == .leader, let place = place(of: from), case .snapshot(var transfer) = peers[place].mode,
      transfer.snapshot == snapshot, received <= snapshot.size
    else { return }
    transfer.acknowledged = received
    transfer.isWaiting = received == snapshot.size && snapshot.size > 0
    transfer.asked = now
    peers[place].mode = .snapshot(transfer)
    // When all is there the follower installs it and says so as a match.
    requestPiece(for: place)
  }

  // MARK: receiving

  /// §5.3, in pieces: an interrupted one goes on where it was, also under another leader that has the very same one.
  mutating func answerPiece(_ from: ServerID, _ piece: SnapshotPiece) {
    guard quarantine == nil, role != .leader else { return }
    acceptLeader(from)
    guard !isStorageFull else { return }
    let offered = piece.snapshot
    if offered.position.index <= commit || log.contains(offered.position) {
      // Figure 5.3 step 6: what it describes is here already, entries behind it included.
      if offered.position.index <= durable { setCommit(offered.position.index) }
      reply(.matched(index: min(commit, durable)), piece, to: from)
      return
    }
    if incoming?.snapshot != offered, incoming?.isInstalling != true {
      incoming = IncomingSnapshot(snapshot: offered, from: from)
    }
    guard var current = incoming, current.snapshot == offered else { return }
    current.from = from
    current.round = piece.round
    current.sent = piece.sent
    incoming = current
    guard !current.isWriting, !current.isInstalling else { return }
    guard piece.offset == current.stored, UInt64(piece.bytes.count) <= offered.size - current.stored else {
      send(.snapshotReply(offered, received: current.stored), to: from)
      return
    }
    incoming?.isWriting = true
    output.tasks.append(.writePiece(piece))
  }

  private mutating func reply(_ outcome: AppendReply.Outcome, _ piece: SnapshotPiece, to: ServerID) {
    send(.appendReply(AppendReply(outcome: outcome, round: piece.round, sent: piece.sent)), to: to)
  }

  /// A piece is on disk, or (`succeeded` false) could not be written: then it is asked for again.
  public mutating func pieceWritten(_ piece: SnapshotPiece, succeeded: Bool, now: UInt64, jitter: UInt64) {
    advance(now, jitter)
    guard var current = incoming, current.snapshot == piece.snapshot, current.isWriting, current.stored == piece.offset
    else { return }
    current.isWriting = false
    if succeeded { current.stored += UInt64(piece.bytes.count) }
    incoming = current
    if succeeded, current.stored == current.snapshot.size {
      incoming?.isInstalling = true
      output.tasks.append(.install(current.snapshot))
      return
    }
    if leader == current.from { send(.snapshotReply(current.snapshot, received: current.stored), to: current.from) }
  }

  /// The snapshot is the state, and the log on disk begins behind it; or (`succeeded` false) it could not be used and
  /// nothing has changed.
  public mutating func installed(_ snapshot: Snapshot, succeeded: Bool, now: UInt64, jitter: UInt64) {
    advance(now, jitter)
    guard let current = incoming, current.snapshot == snapshot, current.isInstalling else { return }
    incoming = nil
    guard succeeded else { return }
    log.replace(by: snapshot.position)
    for place in writing.indices { writing[place].last = min(writing[place].last, snapshot.position.index) }
    durable = snapshot.position.index
    commit = snapshot.position.index
    delivered = snapshot.position.index
    self.snapshot = snapshot
    memberships = [(snapshot.membershipIndex, snapshot.membership)]
    reportedMembership = max(reportedMembership, snapshot.membershipIndex)
    rebuildPeers()
    output.events.append(.membership(snapshot.membership, index: snapshot.membershipIndex))
    if leader == current.from {
      send(
        .appendReply(
          AppendReply(outcome: .matched(index: durable), round: current.round, sent: current.sent)), to: current.from)
    }
  }
}
