extension RaftCore {
  /// Whether a leader was heard of so recently that its lease may still hold (§4.2.3, §6.4.1).
  var isLeaderAlive: Bool {
    if role == .leader { return quorumContact + limits.electionTimeout > now }
    return leaderContact > 0 && leaderContact + limits.electionTimeout > now
  }

  /// Whether this server may stand for election.
  var canStand: Bool {
    guard quarantine == nil, !isStorageFull, incoming?.isInstalling != true else { return false }
    let (index, current) = membership
    if current.isVoter(id) { return true }
    // §4.2.2: until the configuration without this server is committed, it may be the only one whose log is long enough.
    return index > commit && memberships.dropLast().last?.membership.isVoter(id) == true
  }

  mutating func electionTimeout() {
    resetElectionTimer()
    setLeader(nil)
    guard canStand else {
      role = .follower
      return
    }
    preCampaign()
  }

  /// A server whose vote is a majority need not wait for anybody.
  mutating func campaignIfAlone() {
    guard canStand, isAlone else { return }
    campaign(isTransfer: false)
  }

  /// How a vote stands over the voters in use.
  func verdict(_ vote: (ServerID) -> Bool?) -> Quorum.Verdict {
    #if DELIBERATE_BUGS
      if DeliberateBug.active == .electedByNewerHalfAlone {
        let voters = membership.membership.voters
        return Quorum.verdict(count: voters.count) { vote(voters[$0]) }
      }
    #endif
    let members = membership.membership.members
    let incoming = members.filter { $0.role == .voter }
    let outgoing = members.filter { $0.votesInOutgoing }
    guard !incoming.isEmpty else { return .open }
    let first = Quorum.verdict(count: incoming.count) { vote(incoming[$0].id) }
    let second = Quorum.verdict(count: outgoing.count) { vote(outgoing[$0].id) }
    if first == .lost || second == .lost { return .lost }
    return first == .won && second == .won ? .won : .open
  }

  /// Asks the voters whether an election would succeed, so that a server that was cut off does not depose a working
  /// leader by its higher term when it comes back (§9.6).
  private mutating func preCampaign() {
    role = .preCandidate
    votes = [(id, true)]
    if tally() == .won {
      campaign(isTransfer: false)
      return
    }
    for member in membership.membership.members where isVoter(member) && member.id != id {
      send(.preVote(term: term + 1, last: log.lastPosition), to: member.id)
    }
  }

  /// Stands for election (§3.4). The requests leave when term and own vote are on disk.
  mutating func campaign(isTransfer: Bool) {
    guard canStand else { return }
    role = .candidate
    setLeader(nil)
    term += 1
    vote = id
    votes = []
    resetElectionTimer()
    writeHardState()
    for member in membership.membership.members where isVoter(member) && member.id != id {
      send(.vote(last: log.lastPosition, isTransfer: isTransfer), to: member.id)
    }
  }

  /// The own vote counts once it is on disk.
  mutating func countOwnVote() {
    guard role == .candidate, vote == id, hardStateWrite <= writtenThrough, !votes.contains(where: { $0.id == id })
    else { return }
    noteVote(id, granted: true)
  }

  private func isVoter(_ member: Member) -> Bool { member.role == .voter || member.votesInOutgoing }

  private func tally() -> Quorum.Verdict {
    #if DELIBERATE_BUGS
      if DeliberateBug.active == .everyAnswerIsAVoteMore {
        let needed = membership.membership.voters.count / 2 + 1
        return votes.count { $0.granted } >= needed ? .won : .open
      }
    #endif
    return verdict { id in votes.first { $0.id == id }?.granted }
  }

  private mutating func record(_ from: ServerID, _ granted: Bool) {
    #if DELIBERATE_BUGS
      if DeliberateBug.active == .everyAnswerIsAVoteMore {
        votes.append((from, granted))
        return
      }
    #endif
    if !votes.contains(where: { $0.id == from }) { votes.append((from, granted)) }
  }

  // MARK: answers to candidates

  mutating func answerPreVote(_ from: ServerID, term asked: UInt64, last: Position) {
    guard quarantine == nil, !isStorageFull else { return }
    let granted = asked > term && !isLeaderAlive && last.isAtLeastAsUpToDate(as: log.lastPosition)
    send(.preVoteReply(term: asked, granted: granted), to: from)
  }

  mutating func notePreVote(_ from: ServerID, term asked: UInt64, granted: Bool) {
    guard role == .preCandidate, asked == term + 1 else { return }
    record(from, granted)
    switch tally() {
    case .won: campaign(isTransfer: false)
    case .lost: role = .follower
    case .open: break
    }
  }

  /// §3.4 and §3.6.1: one vote a term, for a log at least as up to date as this one.
  mutating func answerVote(_ from: ServerID, last: Position, isTransfer: Bool) {
    guard quarantine == nil, !isStorageFull, isTransfer || !isLeaderAlive else { return }
    var upToDate = last.isAtLeastAsUpToDate(as: log.lastPosition)
    #if DELIBERATE_BUGS
      if DeliberateBug.active == .votesForShorterLogs { upToDate = true }
    #endif
    let granted = upToDate && (vote == nil || vote == from) && role != .leader
    if granted, vote == nil {
      vote = from
      writeHardState()
    }
    if granted { resetElectionTimer() }
    send(.voteReply(granted: granted), to: from)
  }

  mutating func noteVote(_ from: ServerID, granted: Bool) {
    guard role == .candidate else { return }
    record(from, granted)
    switch tally() {
    case .won: lead()
    case .lost: role = .follower
    case .open: break
    }
  }
}
