internal import Codec
internal import Raft
internal import State

/// How proposals get into the log and come out of it again.
extension Replica {
  /// Every input begins here. When somebody has set the wall clock, nodes are not silent for longer than they were: what
  /// counts from their last heartbeat moves with it.
  mutating func enter(_ instant: Instant) {
    let passed = Int64(clamping: instant.monotonic) - Int64(clamping: last.monotonic)
    let jump = (instant.wall - last.wall).count - passed
    last = instant
    guard abs(jump) > 1_000_000_000 else { return }
    output.notices.append(Notice(.warning, "the wall clock was set by \(Nanoseconds(jump))"))
    duties.heartbeats.shift(by: Nanoseconds(jump))
  }

  // MARK: into the log

  /// Applies an entry ahead of the log and puts it on its way there. What it returns says that nothing has happened.
  mutating func enqueue(_ entry: LogEntry, token: UInt64?, at instant: Instant) -> ProposalFailure? {
    if let failure = proposalFailure { return failure }
    let bytes = entry.encoded(at: instant.wall)
    guard bytes.count <= configuration.maximumEntryBytes else {
      return .tooLarge(bytes: bytes.count, limit: configuration.maximumEntryBytes)
    }
    let index = core.last.index + UInt64(unproposed.count) + 1
    switch state.apply(entry, index: index + state.reader.indexOffset, time: instant.wall) {
    case .failure(let error): return .refused(error)
    case .success(let changes):
      unproposed.append(Proposal(kind: entry.kind, bytes: bytes))
      unproposedBytes += bytes.count
      pending.append(
        Pending(
          position: Position(index: index, term: core.term), changes: changes, reader: state.reader, token: token))
      if changes.isRestoration {
        duties.begin(state.reader, now: instant.wall)
      } else {
        duties.note(changes, state.reader, columns: state.columns, now: instant.wall)
      }
    }
    // What waits for the end of a turn is bounded, as it does not count yet against what may wait for commitment.
    if unproposedBytes >= 4 << 20 { flush() }
    return nil
  }

  /// Hands the core what was enqueued, before anything else can get into its log.
  mutating func flush() {
    guard !unproposed.isEmpty else { return }
    let proposals = unproposed
    unproposed.removeAll(keepingCapacity: true)
    unproposedBytes = 0
    let expected = core.last.index + 1
    let result = core.propose(proposals, now: last.monotonic, jitter: last.jitter)
    // It was asked before each of them, and nothing has happened to it since.
    precondition(result == .success(expected), "the core has not taken entries that it was ready for: \(result)")
    absorb()
  }

  // MARK: out of the log

  /// Takes in what the core has put out.
  mutating func absorb() {
    let taken = core.takeOutput()
    output.messages += taken.messages
    output.writes += taken.writes
    output.tasks += taken.tasks
    for entry in taken.committed { commit(entry) }
    for event in taken.events { note(event) }
    if let term = leadingTerm, core.role != .leader || core.term != term { endLeading() }
    for read in taken.reads {
      if let index = read.index {
        waitingReads.append((index, read.id))
      } else {
        output.reads.append(ReadAnswer(token: read.id, isConfirmed: false))
      }
    }
    answerReads()
    if leadingTerm == nil, core.isCaughtUp, halt == nil { beginLeading() }
    orderSnapshot()
  }

  private mutating func commit(_ entry: Entry) {
    guard halt == nil else { return }
    decide(entry.position)
    bytesSinceSnapshot += entry.cost
    guard entry.kind < Entry.firstReservedKind else {
      applied = entry.position
      return
    }
    if settled < pending.count, pending[settled].position == entry.position {
      let known = pending[settled]
      settled += 1
      if settled == pending.count || settled >= 1_024 {
        pending.removeSubrange(0..<settled)
        settled = 0
      }
      publish(entry.position, known.changes, known.reader, known.token)
      return
    }
    // Another leader's entry at a place where this one had its own.
    if settled < pending.count { rewind() }
    apply(entry)
  }

  private mutating func apply(_ entry: Entry) {
    let (decoded, time): (LogEntry, Timestamp)
    do throws(CodecError) {
      (decoded, time) = try LogEntry.decode(kind: entry.kind, bytes: entry.bytes)
    } catch {
      // To go on without it would give a state that others do not have.
      let reason = "log entry \(entry.index) can't be applied: \(error)"
      halt = reason
      output.notices.append(Notice(.error, reason))
      core.withdraw(because: reason, now: last.monotonic, jitter: last.jitter)
      return
    }
    let token = decidedToken.take()
    switch state.apply(decoded, index: entry.index + state.reader.indexOffset, time: time) {
    case .success(let changes): publish(entry.position, changes, state.reader, token)
    case .failure(let error):
      // Nobody logs what is refused, but if somebody did, every server would refuse it by the same rule.
      applied = entry.position
      if let token { output.failures.append((token, .refused(error))) }
    }
  }

  private mutating func publish(_ position: Position, _ changes: Changes, _ reader: StateReader, _ token: UInt64?) {
    committed = reader
    applied = position
    if changes.isRestoration { output.publications.append(.replaced(reader)) }
    output.publications.append(
      .applied(Applied(position: position, changes: changes, reader: reader, token: token ?? decidedToken.take())))
  }

  private mutating func answerReads() {
    if waitingReads.isEmpty { return }
    let index = applied.index
    waitingReads.removeAll { read in
      guard read.index <= index else { return false }
      output.reads.append(ReadAnswer(token: read.token, isConfirmed: true))
      return true
    }
  }

  private mutating func orderSnapshot() {
    guard !isTakingSnapshot, halt == nil,
      applied.index >= lastSnapshot + configuration.snapshotEntries
        || bytesSinceSnapshot >= configuration.snapshotBytes,
      applied.index > lastSnapshot, let (index, membership) = core.membership(at: applied.index)
    else { return }
    isTakingSnapshot = true
    lastSnapshot = applied.index
    bytesSinceSnapshot = 0
    output.snapshot = SnapshotOrder(
      position: applied, reader: committed, membership: membership, membershipIndex: index)
  }

  // MARK: office

  private mutating func note(_ event: Output.Event) {
    output.events.append(event)
    switch event {
    case .quarantined(let reason), .withdrawn(let reason): output.notices.append(Notice(.error, reason))
    case .contradiction(let reason): output.notices.append(Notice(.error, reason))
    case .steppedDown(_, let why): output.notices.append(Notice(.warning, "this server does not lead any more: \(why)"))
    case .elected, .leader, .membership, .membershipCommitted, .uncertain: break
    }
  }

  private mutating func beginLeading() {
    leadingTerm = core.term
    duties.begin(state.reader, now: last.wall)
    output.notices.append(Notice(.info, "this server leads term \(core.term)"))
  }

  private mutating func endLeading() {
    leadingTerm = nil
    for entry in pending[settled...] {
      if let token = entry.token { undecided.append(Undecided(position: entry.position, token: token)) }
    }
    if !undecided.isEmpty { undecidedUntil = last.monotonic + configuration.patience }
    rewind()
  }

  /// What is applied ahead has not happened.
  private mutating func rewind() {
    guard settled < pending.count else { return }
    state.rewind(to: committed, undoing: pending[settled...].lazy.map(\.changes))
    pending.removeAll()
    settled = 0
  }

  /// An entry is committed at this place: what became of the proposal of a lost office that had it?
  private mutating func decide(_ position: Position) {
    decidedToken = nil
    while let first = undecided.first, first.position.index <= position.index {
      undecided.removeFirst()
      if first.position == position {
        decidedToken = first.token
      } else {
        output.failures.append((first.token, .overruled))
      }
    }
    if undecided.isEmpty { undecidedUntil = .max }
  }

  mutating func giveUpUndecided(_ failure: ProposalFailure) {
    for proposal in undecided { output.failures.append((proposal.token, failure)) }
    undecided = []
    undecidedUntil = .max
  }
}
