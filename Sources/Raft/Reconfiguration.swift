extension RaftCore {
  /// Begins a change to other members (§4.3). One change at a time; it has ended with `Event.membershipCommitted`.
  /// - Parameter target: everybody, as voter or learner; not joint.
  /// - Returns: the index of the change's first entry.
  public mutating func changeMembership(
    to target: Membership, now: UInt64, jitter: UInt64
  ) -> Result<UInt64, Refusal> {
    advance(now, jitter)
    guard role == .leader else { return .failure(.notLeader(leader)) }
    if let transfer { return .failure(.transferring(to: transfer.to)) }
    let current = membership
    guard isSettled, current.index <= commit, !current.membership.isJoint else {
      return .failure(.invalid("a change of members is not finished yet"))
    }
    guard !target.isJoint, target.members.allSatisfy({ $0.role != .leaving && !$0.votesInOutgoing }) else {
      return .failure(.invalid("the wanted configuration is a transition"))
    }
    guard !target.voters.isEmpty else { return .failure(.invalid("nobody would have a vote")) }
    guard zip(target.members, target.members.dropFirst()).allSatisfy({ $0.id < $1.id }) else {
      return .failure(.invalid("a server is named twice"))
    }
    guard target != current.membership else { return .failure(.invalid("that is the configuration in use")) }
    let next = current.membership.transition(to: target)
    let index = log.last + 1
    append([Proposal(kind: Entry.membershipKind, bytes: next.encoded)])
    return .success(index)
  }

  /// Makes the first entry of a new cluster, on a server that has none. Call it on one server only: the others learn of
  /// the cluster from it.
  public mutating func bootstrap(_ membership: Membership, now: UInt64, jitter: UInt64) -> Result<Void, Refusal> {
    advance(now, jitter)
    guard log.last == 0, log.base.index == 0, term == 0, memberships.isEmpty else {
      return .failure(.invalid("this server has a log already"))
    }
    guard membership.isVoter(id), !membership.isJoint else { return .failure(.invalid("this server must have a vote")) }
    term = 1
    let entry = Entry(index: 1, term: 1, kind: Entry.membershipKind, bytes: membership.encoded)
    log.append(entry)
    adoptMembership(entry)
    hardStateWrite = nextWrite
    write(Output.Write(number: 0, hardState: HardState(term: 1, vote: nil), truncateFrom: nil, entries: [entry]))
    campaignIfAlone()
    return .success(())
  }

  /// §4.1: a configuration is used from the moment that its entry is in the log.
  mutating func adoptMembership(_ entry: Entry) {
    guard let membership = Membership(decoding: entry.bytes) else {
      output.events.append(.contradiction("entry \(entry.index) holds no configuration"))
      return
    }
    memberships.append((entry.index, membership))
    membershipChanged()
  }

  /// A truncated configuration was never in force.
  mutating func dropMemberships(from index: UInt64) {
    let count = memberships.count
    while let last = memberships.last, last.index >= index { memberships.removeLast() }
    if memberships.count != count { membershipChanged() }
  }

  private mutating func membershipChanged() {
    rebuildPeers()
    output.events.append(.membership(membership.membership, index: membership.index))
  }

  /// Keeps what is known of those who stay. Someone new to the leader begins with a probe.
  mutating func rebuildPeers() {
    let known = role == .leader ? peers : []
    peers = membership.membership.members.map { member in
      if var old = known.first(where: { $0.id == member.id }) {
        old.isVoter = member.role == .voter
        old.votesInOutgoing = member.votesInOutgoing
        return old
      }
      return Progress(member, next: log.last + 1, now: now)
    }
    isAlone = verdict { $0 == id ? true : nil } == .won
  }

  /// After the commit index has moved.
  mutating func membershipMayBeCommitted() {
    let (index, current) = membership
    guard index <= commit else { return }
    guard !current.isJoint else {
      // §4.3: both majorities have the joint configuration; whoever leads goes on to the new one alone.
      if role == .leader { append([Proposal(kind: Entry.membershipKind, bytes: current.final.encoded)]) }
      return
    }
    guard index > reportedMembership else { return }
    reportedMembership = index
    output.events.append(.membershipCommitted(current, index: index))
    guard role == .leader, !current.isVoter(id) else { return }
    // §4.2.2: it led until the configuration without it was safe. The furthest voter need not wait for its timeout.
    let heir = peers.filter { $0.id != id && $0.isVoter }.max { $0.match < $1.match }
    heartbeat()
    if let heir { send(.timeoutNow, to: heir.id) }
    follow(term: term, leader: nil, why: "it is not a voter any more")
  }
}
