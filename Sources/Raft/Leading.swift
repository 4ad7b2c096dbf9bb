extension RaftCore {
  /// §3.4, §6.4: begins its term with an empty entry, whose commitment commits everything before it (§3.6.2).
  mutating func lead() {
    role = .leader
    peers = []
    votes = []
    uncommittedBytes = 0
    round = 0
    transfer = nil
    hasOfferedLeadership = false
    reads = ReadQueue()
    rebuildPeers()
    setLeader(id)
    output.events.append(.elected(term: term))
    termStart = log.last + 1
    append([Proposal(kind: Entry.leaderKind, bytes: [])])
    heartbeatDeadline = now + limits.heartbeatInterval
  }

  mutating func endLeadership(_ why: String) {
    transfer = nil
    uncommittedBytes = 0
    for id in reads.takeAll() { refuseRead(id) }
    rebuildPeers()
    output.events.append(.steppedDown(term: term, why: why))
    if log.last > commit { output.events.append(.uncertain(after: commit)) }
  }

  mutating func leaderTick() {
    if let transfer, now >= transfer.deadline {
      // §3.10: the target did not take over in time; go on leading.
      self.transfer = nil
    }
    guard now >= heartbeatDeadline else { return }
    // §6.2: without a majority's answers somebody else may lead by now, and clients must learn that this one can't.
    if quorumContact + limits.electionTimeout <= now, !isAlone {
      follow(term: term, leader: nil, why: "no majority has answered for \(limits.electionTimeout / 1_000_000) ms")
      return
    }
    heartbeatDeadline = now + limits.heartbeatInterval
    if !reads.isEmpty { round += 1 }
    heartbeat()
  }

  /// When the newest request was sent that a majority has answered.
  var quorumContact: UInt64 { quorum { $0.id == id ? now : $0.contact } }

  /// The highest value that a majority has reached, in both configurations while joint (§4.3).
  func quorum(_ value: (borrowing Progress) -> UInt64) -> UInt64 {
    let incoming = majority(outgoing: false, value)
    #if DELIBERATE_BUGS
      if DeliberateBug.active == .committedByNewerHalfAlone { return incoming }
    #endif
    guard membership.membership.isJoint else { return incoming }
    return min(incoming, majority(outgoing: true, value))
  }

  /// As `Quorum.reached`, over the peers that count; 0 when nobody does.
  private func majority(outgoing: Bool, _ value: (borrowing Progress) -> UInt64) -> UInt64 {
    func counts(_ place: Int) -> Bool { outgoing ? peers[place].votesInOutgoing : peers[place].isVoter }
    var voters = 0
    for place in peers.indices where counts(place) { voters += 1 }
    var best: UInt64 = 0
    for place in peers.indices where counts(place) {
      let candidate = value(peers[place])
      guard candidate > best else { continue }
      var supporters = 0
      for other in peers.indices where counts(other) && value(peers[other]) >= candidate { supporters += 1 }
      if supporters > voters / 2 { best = candidate }
    }
    return best
  }

  // MARK: proposals

  /// Why proposals would not be taken now; nil when they would be.
  public var proposalRefusal: Refusal? {
    guard role == .leader else { return .notLeader(leader) }
    if let transfer { return .transferring(to: transfer.to) }
    return uncommittedBytes < limits.uncommittedBytes ? nil : .busy(bytes: uncommittedBytes)
  }

  /// Makes entries of proposals and sends them on their way.
  /// - Returns: the index of the first; the others follow. Committed when they come out in `Output.committed` in this term.
  public mutating func propose(
    _ proposals: [Proposal], now: UInt64, jitter: UInt64
  ) -> Result<UInt64, Refusal> {
    advance(now, jitter)
    if let refusal = proposalRefusal { return .failure(refusal) }
    let first = log.last + 1
    append(proposals)
    return .success(first)
  }

  mutating func append(_ proposals: [Proposal]) {
    var entries: [Entry] = []
    entries.reserveCapacity(proposals.count)
    for proposal in proposals {
      let entry = Entry(index: log.last + 1, term: term, kind: proposal.kind, bytes: proposal.bytes)
      log.append(entry)
      uncommittedBytes += entry.cost
      entries.append(entry)
      if entry.kind == Entry.membershipKind { adoptMembership(entry) }
    }
    write(Output.Write(number: 0, hardState: nil, truncateFrom: nil, entries: entries))
    replicateToAll()
  }

  // MARK: replication

  func place(of peer: ServerID) -> Int? { peers.firstIndex { $0.id == peer } }

  mutating func replicateToAll() {
    for place in peers.indices where peers[place].id != id { replicate(to: place) }
  }

  /// Sends what the follower lacks, as far as its window allows (§10.2.2).
  mutating func replicate(to place: Int) {
    while role == .leader {
      switch peers[place].mode {
      case .snapshot:
        requestPiece(for: place)
        return
      case .probing: if peers[place].isProbeSent { return }
      case .replicating: if peers[place].isWindowFull(limits) { return }
      }
      let next = peers[place].next
      guard next <= log.last else { return }
      guard let previousTerm = log.term(at: next - 1) else {
        beginSnapshot(for: place)
        return
      }
      guard next >= log.firstCached else {
        guard !peers[place].isReading else { return }
        peers[place].isReading = true
        output.tasks.append(.readEntries(from: next, bytes: limits.requestBytes, for: peers[place].id))
        return
      }
      let entries = log.entries(from: next, through: log.last, bytes: limits.requestBytes)
      sendEntries(entries, previous: Position(index: next - 1, term: previousTerm), to: place)
      if peers[place].isProbeSent { return }
    }
  }

  private mutating func sendEntries(_ entries: [Entry], previous: Position, to place: Int) {
    guard let last = entries.last else { return }
    send(
      .append(Append(previous: previous, entries: entries, commit: commit, round: round, sent: now)),
      to: peers[place].id)
    if case .replicating = peers[place].mode {
      var bytes = 0
      for entry in entries { bytes += entry.cost }
      peers[place].sent(through: last.index, bytes: bytes)
    } else {
      peers[place].isProbeSent = true
    }
  }

  /// The entries that `Output.Task.readEntries` asked for; none when they could not be read.
  public mutating func entriesRead(_ entries: [Entry], for follower: ServerID, now: UInt64, jitter: UInt64) {
    advance(now, jitter)
    guard role == .leader, let place = place(of: follower), peers[place].isReading else { return }
    peers[place].isReading = false
    if case .snapshot = peers[place].mode { return }
    guard let first = entries.first, first.index == peers[place].next, let last = entries.last,
      let previousTerm = log.term(at: first.index - 1), log.contains(last.position), !peers[place].isProbeSent
    else {
      return
    }
    sendEntries(entries, previous: Position(index: first.index - 1, term: previousTerm), to: place)
    replicate(to: place)
  }

  /// Tells everybody that this leader is there, and asks whether it still leads.
  mutating func heartbeat() {
    for place in peers.indices where peers[place].id != id {
      switch peers[place].mode {
      case .snapshot:
        // The follower's log need not match anywhere to hear of its leader.
        sendHeartbeat(previous: .zero, to: place)
        askAgain(for: place)
      case .probing, .replicating:
        // The place before the next entry: a request that was lost on the way shows as a mismatch.
        let index = peers[place].next - 1
        peers[place].isProbeSent = false
        if let term = log.term(at: index) {
          sendHeartbeat(previous: Position(index: index, term: term), to: place)
        } else {
          // While it did not answer the log was compacted beyond what it has.
          sendHeartbeat(previous: .zero, to: place)
          beginSnapshot(for: place)
        }
      }
    }
  }

  private mutating func sendHeartbeat(previous: Position, to place: Int) {
    send(
      .append(Append(previous: previous, entries: [], commit: commit, round: round, sent: now)), to: peers[place].id)
  }

  mutating func noteAppend(_ from: ServerID, _ reply: AppendReply) {
    guard role == .leader, let place = place(of: from) else { return }
    peers[place].contact = max(peers[place].contact, min(reply.sent, now))
    if reply.round > peers[place].round, reply.round <= round {
      peers[place].round = reply.round
      finishReads()
    }
    switch reply.outcome {
    case .matched(let index): noteMatch(place, index)
    case .mismatched(let previous, let hint): noteMismatch(place, previous, hint)
    }
  }

  mutating func noteMatch(_ place: Int, _ index: UInt64) {
    guard index <= log.last else {
      output.events.append(
        .contradiction("server \(peers[place].id) acknowledged \(index), the log ends at \(log.last)"))
      return
    }
    let peer = peers[place].id
    let advanced = index > peers[place].match
    peers[place].match = max(peers[place].match, index)
    switch peers[place].mode {
    case .replicating: peers[place].free(through: index)
    case .probing: if index + 1 >= peers[place].next { peers[place].replicate() }
    case .snapshot(let transfer):
      if log.term(at: peers[place].match) != nil, peers[place].match > 0 {
        peers[place].replicate()
      } else if peers[place].match >= transfer.snapshot.position.index {
        // While it was being sent the log was compacted beyond it: the next one.
        beginSnapshot(for: place)
      }
    }
    if advanced { advanceCommit() }
    // Committing may have ended this leadership or changed who the peers are.
    guard role == .leader, let place = self.place(of: peer) else { return }
    replicate(to: place)
    offerLeadership()
  }

  private mutating func noteMismatch(_ place: Int, _ previous: UInt64, _ hint: Position) {
    let peer = peers[place]
    switch peer.mode {
    case .snapshot: return
    case .probing: guard previous == peer.next - 1 else { return }
    case .replicating: guard previous > peer.match else { return }
    }
    // It denies what it once acknowledged: a reply that is late, or a follower that has lost part of its log. Asked again
    // at once, the second kind would deny again, without end; the next heartbeat asks.
    guard previous > peer.match else { return }
    // The newest place at which the two logs can be equal: skips every term that only one of them has.
    let common = log.lastIndex(upTo: min(hint.index, previous), termAtMost: hint.term)
    let next = max(peer.match + 1, min(previous, common.index + 1))
    peers[place].probe(from: max(1, next))
    if log.term(at: peers[place].next - 1) == nil { beginSnapshot(for: place) } else { replicate(to: place) }
  }

  /// The connection to a follower broke: what was on its way is probably lost.
  public mutating func unreachable(_ follower: ServerID, now: UInt64, jitter: UInt64) {
    advance(now, jitter)
    guard role == .leader, let place = place(of: follower), follower != id else { return }
    if case .replicating = peers[place].mode { peers[place].probe(from: peers[place].match + 1) }
  }

  // MARK: commitment

  /// §3.6.2: counting commits only an entry of the leader's own term; everything before is committed with it.
  mutating func advanceCommit() {
    guard role == .leader else { return }
    let reached = min(quorum { $0.id == id ? durable : $0.match }, log.last)
    guard reached > commit else { return }
    var ownTerm = reached >= termStart
    #if DELIBERATE_BUGS
      if DeliberateBug.active == .commitsOlderTermsByCounting { ownTerm = true }
    #endif
    guard ownTerm else { return }
    setCommit(reached)
    finishReads()
  }

  mutating func setCommit(_ index: UInt64) {
    guard index > commit else { return }
    commit = index
    deliver()
    membershipMayBeCommitted()
  }

  /// Hands out what is committed and on this disk.
  mutating func deliver() {
    let end = min(commit, durable)
    while delivered < end {
      let entries = log.entries(from: delivered + 1, through: end, bytes: .max)
      guard let last = entries.last else { break }
      output.committed.append(contentsOf: entries)
      delivered = last.index
      if role == .leader {
        for entry in entries where entry.index >= termStart { uncommittedBytes -= entry.cost }
      }
    }
    if log.cachedBytes > limits.cachedBytes { log.shrinkCache(through: delivered, toBytes: limits.cachedBytes / 2) }
  }

  // MARK: handing over

  /// Hands leadership to a voter (§3.10): it catches up, then stands for election at once. Nothing is taken meanwhile.
  /// - Parameter target: nil for the voter that is furthest.
  public mutating func transferLeadership(to target: ServerID?, now: UInt64, jitter: UInt64) -> Result<
    ServerID, Refusal
  > {
    advance(now, jitter)
    guard role == .leader else { return .failure(.notLeader(leader)) }
    let able = peers.filter { $0.id != id && $0.isVoter }
    let best = able.max { $0.match != $1.match ? $0.match < $1.match : $0.contact < $1.contact }
    guard let chosen = target ?? best?.id else { return .failure(.invalid("there is no other voter")) }
    guard chosen != id else { return .failure(.invalid("server \(id) leads already")) }
    guard able.contains(where: { $0.id == chosen }) else { return .failure(.invalid("server \(chosen) has no vote")) }
    transfer = (chosen, self.now + limits.electionTimeout)
    offerLeadership()
    return .success(chosen)
  }

  mutating func offerLeadership() {
    guard let transfer, let place = place(of: transfer.to), peers[place].match == log.last else { return }
    hasOfferedLeadership = true
    send(.timeoutNow, to: transfer.to)
  }
}
