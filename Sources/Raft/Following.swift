extension RaftCore {
  /// Somebody leads this term, and it is not this server.
  mutating func acceptLeader(_ from: ServerID) {
    if role != .follower { follow(term: term, leader: from) }
    setLeader(from)
    leaderContact = max(1, now)
    resetElectionTimer()
  }

  /// §3.5: the log equals the leader's up to `previous`, or nothing is taken.
  mutating func answerAppend(_ from: ServerID, _ request: Append) {
    guard quarantine == nil, role != .leader else {
      if role == .leader { output.events.append(.contradiction("server \(from) leads term \(term) too")) }
      return
    }
    acceptLeader(from)
    if isStorageFull {
      // Heartbeats are answered, with nothing but that this server is there. Denied entries would come again at once, be
      // denied again, and so on without end; the first heartbeat after the disk has room shows where to begin.
      if request.entries.isEmpty { reply(.mismatched(previous: 0, hint: .zero), request, to: from) }
      return
    }
    let previous = request.previous
    if incoming?.isInstalling == true {
      // The log is being replaced on disk; nothing may come in between.
      acknowledge(0, request, to: from)
      return
    }
    if previous.index < log.base.index {
      // What lies before is in a snapshot, so it was committed and is equal.
      acknowledge(min(commit, durable), request, to: from)
      return
    }
    guard log.contains(previous) else {
      let bound = min(previous.index, log.last)
      let hint = log.lastIndex(upTo: bound, termAtMost: previous.term)
      reply(.mismatched(previous: previous.index, hint: hint), request, to: from)
      return
    }
    let last = previous.index + UInt64(request.entries.count)
    guard take(request) else { return }
    if last > durable, !request.entries.isEmpty, let write = writing.first(where: { $0.last >= last }) {
      // §3.8: acknowledged is what is on disk.
      send(
        .appendReply(AppendReply(outcome: .matched(index: last), round: request.round, sent: request.sent)), to: from,
        after: write.number)
    } else {
      acknowledge(min(last, durable), request, to: from)
    }
    setCommit(min(request.commit, last))
  }

  /// Adds the entries that are not there yet; those of another term at the same place and all behind them go first.
  /// False when that would undo what is committed.
  private mutating func take(_ request: Append) -> Bool {
    var fresh = request.entries[...]
    while let entry = fresh.first, entry.index <= log.base.index || log.term(at: entry.index) == entry.term {
      fresh.removeFirst()
    }
    guard let first = fresh.first else { return true }
    var truncateFrom: UInt64?
    if first.index <= log.last {
      guard first.index > commit else {
        output.events.append(
          .contradiction(
            "the leader of term \(term) has entry \(first.index) of term \(first.term), this server committed another there"
          ))
        return false
      }
      truncateFrom = first.index
      truncate(from: first.index)
    }
    let entries = Array(fresh)
    for entry in entries {
      log.append(entry)
      if entry.kind == Entry.membershipKind { adoptMembership(entry) }
    }
    write(Output.Write(number: 0, hardState: nil, truncateFrom: truncateFrom, entries: entries))
    return true
  }

  private mutating func truncate(from index: UInt64) {
    log.truncate(from: index)
    durable = min(durable, index - 1)
    for place in writing.indices { writing[place].last = min(writing[place].last, index - 1) }
    dropMemberships(from: index)
  }

  private mutating func acknowledge(_ index: UInt64, _ request: Append, to: ServerID) {
    reply(.matched(index: index), request, to: to)
  }

  private mutating func reply(_ outcome: AppendReply.Outcome, _ request: Append, to: ServerID) {
    send(.appendReply(AppendReply(outcome: outcome, round: request.round, sent: request.sent)), to: to)
  }
}
