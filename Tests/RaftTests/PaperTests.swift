import Testing

@testable import Raft

/// The claims of the Raft paper (extended version, 2014) and of Ongaro's dissertation, one by one, with their section.
@Suite struct PaperTests {
  // MARK: 5.1

  @Test(arguments: [false, true])
  func aServerThatSeesANewerTermFollows(wasLeader: Bool) {
    var group = Group(voters: 3)
    if wasLeader { group.elect(id(1)) }
    let term = group.core(id(1)).term
    _ = group.inject(
      .append(Append(previous: .zero, entries: [], commit: 0, round: 0, sent: 0)), from: id(2), to: id(1),
      term: term + 4)
    #expect(group.core(id(1)).role == .follower)
    #expect(group.core(id(1)).term == term + 4)
    #expect(group.core(id(1)).leader == id(2))
  }

  @Test func aRequestOfAnOlderTermIsRejectedWithTheNewerTerm() {
    var group = Group(voters: 3)
    group.elect(id(1))
    let answers = group.inject(
      .append(Append(previous: .zero, entries: log([1, 1, 1]), commit: 3, round: 0, sent: 0)), from: id(3), to: id(2),
      term: 1)
    #expect(answers.count == 1)
    #expect(answers.first?.term == group.core(id(1)).term)
    #expect(group.core(id(2)).leader == id(1))
    #expect(group.core(id(2)).last.index == 2)
  }

  // MARK: 5.2

  @Test func serversBeginAsFollowers() {
    let group = Group(voters: 3)
    #expect(group.cores.values.allSatisfy { $0.role == .follower })
  }

  @Test func aLeaderIsHeardOfEveryHeartbeatInterval() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.mail = []
    group.now += group.limits.heartbeatInterval
    group.call(id(1)) { core, now, jitter in core.tick(now: now, jitter: jitter) }
    let targets = group.mail.filter {
      if case .append(let request) = $0.body { request.entries.isEmpty } else { false }
    }.map(\.to)
    #expect(Set(targets) == [id(2), id(3)])
  }

  @Test func aCandidateHasANewTermAndItsOwnVote() {
    var group = Group(voters: 3)
    group.elect(id(1))
    #expect(group.core(id(1)).term == 2)
    #expect(group.disk[id(1)]?.contains { $0.hardState == HardState(term: 2, vote: id(1)) } == true)
  }

  /// Paper, table of TestLeaderElectionInOneRoundRPC: who leads after these answers.
  @Test(
    arguments: [
      (1, [], true), (3, [2, 3], true), (3, [2], true), (5, [2, 3, 4, 5], true), (5, [2, 3, 4], true),
      (5, [2, 3], true),
      (3, [], false), (5, [2], false), (5, [], false),
    ] as [(Int, [UInt64], Bool)])
  func aMajorityOfVotesMakesALeader(size: Int, granting: [UInt64], wins: Bool) {
    var group = Group(voters: size)
    group.cut = Set((2...UInt64(max(2, size))).filter { !granting.contains($0) }.map { id($0) })
    group.elect(id(1))
    #expect((group.core(id(1)).role == .leader) == wins)
  }

  @Test func aServerVotesOnceATerm() {
    var group = Group(voters: 5)
    group.now += group.limits.electionTimeout
    let last = group.core(id(3)).last
    let first = group.inject(.vote(last: last, isTransfer: false), from: id(1), to: id(3), term: 7)
    let second = group.inject(.vote(last: last, isTransfer: false), from: id(2), to: id(3), term: 7)
    let again = group.inject(.vote(last: last, isTransfer: false), from: id(1), to: id(3), term: 7)
    #expect(first.map(\.body) == [.voteReply(granted: true)])
    #expect(second.map(\.body) == [.voteReply(granted: false)])
    #expect(again.map(\.body) == [.voteReply(granted: true)])
  }

  @Test func aCandidateThatHearsOfALeaderFollows() {
    var group = Group(voters: 3)
    group.cut = [id(2), id(3)]
    group.elect(id(1))
    #expect(group.core(id(1)).role == .preCandidate)
    _ = group.inject(
      .append(Append(previous: .zero, entries: [], commit: 0, round: 0, sent: 0)), from: id(2), to: id(1), term: 2)
    #expect(group.core(id(1)).role == .follower)
    #expect(group.core(id(1)).leader == id(2))
  }

  @Test func electionTimeoutsAreSpreadOverOneToTwo() {
    var seen: Set<UInt64> = []
    let limits = Limits()
    for jitter in stride(from: 0, to: UInt64(250_000_000), by: 2_500_000) {
      let entry = Entry(index: 1, term: 1, kind: Entry.membershipKind, bytes: members([1, 2, 3]).encoded)
      let core = RaftCore(
        id: id(1), incarnation: Incarnation(count: 1, bits: 1), limits: limits,
        recovered: .init(hardState: HardState(term: 1), entries: [entry]), now: 5, jitter: jitter)
      #expect((5 + limits.electionTimeout..<5 + 2 * limits.electionTimeout).contains(core.nextDeadline))
      seen.insert(core.nextDeadline)
    }
    #expect(seen.count == 100)
  }

  // MARK: 5.3

  @Test func aProposalIsReplicatedCommittedAndApplied() {
    var group = Group(voters: 3)
    group.elect(id(1))
    #expect(group.propose(id(1), "a") == .success(3))
    group.deliver()
    #expect(group.texts(id(1)) == ["a"])
    group.run(milliseconds: 60)
    #expect(group.texts(id(2)) == ["a"] && group.texts(id(3)) == ["a"])
  }

  @Test func nothingIsCommittedWithoutAMajority() {
    var group = Group(voters: 5)
    group.elect(id(1))
    group.cut = [id(3), id(4), id(5)]
    group.propose(id(1), "a")
    group.deliver()
    #expect(group.texts(id(1)) == [])
    group.cut = [id(4), id(5)]
    group.run(milliseconds: 60)
    #expect(group.texts(id(1)) == ["a"])
  }

  @Test func committingAnEntryCommitsEverythingBefore() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.cut = [id(2), id(3)]
    group.propose(id(1), "a")
    group.propose(id(1), "b")
    group.deliver()
    group.cut = []
    group.run(milliseconds: 60)
    #expect(group.texts(id(1)) == ["a", "b"])
  }

  /// Table of the follower's check: the entry before must be there with the same term.
  @Test(arguments: [
    (Position(index: 0, term: 0), true), (Position(index: 1, term: 1), true), (Position(index: 2, term: 2), true),
    (Position(index: 1, term: 2), false), (Position(index: 2, term: 1), false), (Position(index: 3, term: 3), false),
    (Position(index: 4, term: 4), false),
  ])
  func aFollowerTakesOnlyWhatFollowsOnItsLog(previous: Position, matches: Bool) {
    var group = Group(voters: 1)
    group.add(id(9), .init(hardState: HardState(term: 2), entries: log([1, 2])))
    let answers = group.inject(
      .append(Append(previous: previous, entries: [], commit: 0, round: 4, sent: 5)), from: id(1), to: id(9), term: 2)
    guard case .appendReply(let reply)? = answers.first?.body else {
      Issue.record("no answer")
      return
    }
    #expect(reply.round == 4 && reply.sent == 5)
    if case .matched(let index) = reply.outcome {
      #expect(matches && index == previous.index)
    } else {
      #expect(!matches)
    }
  }

  /// Paper 5.3, table of TestFollowerAppendEntries: what the log is afterwards, and what is written.
  @Test(
    arguments: [
      (Position(index: 2, term: 2), [3], [1, 2, 3], [3]),
      (Position(index: 1, term: 1), [3, 4], [1, 3, 4], [3, 4]),
      (Position(index: 0, term: 0), [1], [1, 2], []),
      (Position(index: 0, term: 0), [3], [3], [3]),
    ] as [(Position, [UInt64], [UInt64], [UInt64])])
  func aFollowerReplacesWhatConflicts(previous: Position, sent: [UInt64], after: [UInt64], written: [UInt64]) {
    var group = Group(voters: 1)
    group.add(id(9), .init(hardState: HardState(term: 2), entries: log([1, 2])))
    let entries = sent.enumerated().map {
      Entry(index: previous.index + UInt64($0) + 1, term: $1, kind: 1, bytes: [])
    }
    _ = group.inject(
      .append(Append(previous: previous, entries: entries, commit: 0, round: 0, sent: 0)), from: id(1), to: id(9),
      term: 4)
    #expect((1...UInt64(after.count)).map { group.core(id(9)).term(at: $0) } == after.map { Optional($0) })
    #expect(group.core(id(9)).last.index == UInt64(after.count))
    #expect((group.disk[id(9)] ?? []).flatMap(\.entries).map(\.term) == written)
  }

  /// Paper figure 7: a leader of term 8 brings every one of these logs into line with its own.
  @Test(
    arguments: [
      [1, 1, 1, 4, 4, 5, 5, 6, 6], [1, 1, 1, 4], [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
      [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
      [1, 1, 1, 4, 4, 4, 4], [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    ] as [[UInt64]])
  func aLeaderRepairsTheLogsOfFigure7(terms: [UInt64]) {
    let leaderTerms: [UInt64] = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]
    func entries(_ terms: [UInt64]) -> [Entry] {
      let first = Entry(index: 1, term: 1, kind: Entry.membershipKind, bytes: members([1, 2, 3]).encoded)
      return [first] + log(terms).dropFirst()
    }
    var group = Group(voters: 1)
    group.cores = [:]
    group.add(id(1), .init(hardState: HardState(term: 7), entries: entries(leaderTerms)))
    group.add(id(2), .init(hardState: HardState(term: 7), entries: entries(terms)))
    group.add(id(3), .init(hardState: HardState(term: 7), entries: entries([1])))
    group.cut = [id(2)]
    group.elect(id(1))
    #expect(group.core(id(1)).role == .leader)
    group.cut = []
    group.run(milliseconds: 300)
    let last = group.core(id(1)).last.index
    #expect((1...last).map { group.core(id(2)).term(at: $0) } == (1...last).map { group.core(id(1)).term(at: $0) })
    #expect(group.core(id(2)).last.index == last)
  }

  /// The hint makes the number of refused requests at most one for each term that only the follower has.
  @Test func backingUpSkipsWholeTerms() {
    let first = Entry(index: 1, term: 1, kind: Entry.membershipKind, bytes: members([1, 2, 3]).encoded)
    let ours = [first] + log([1] + [UInt64](repeating: 2, count: 500)).dropFirst()
    let theirs = [first] + log([1] + [UInt64](repeating: 1, count: 600)).dropFirst()
    var group = Group(voters: 1)
    group.cores = [:]
    group.add(id(1), .init(hardState: HardState(term: 3), entries: ours))
    group.add(id(2), .init(hardState: HardState(term: 3), entries: Array(theirs)))
    group.add(id(3), .init(hardState: HardState(term: 3), entries: ours))
    var refused = 0
    group.loses = { message in
      if case .appendReply(let reply) = message.body, case .mismatched = reply.outcome { refused += 1 }
      return false
    }
    group.elect(id(1))
    group.run(milliseconds: 100)
    #expect(group.core(id(2)).last == group.core(id(1)).last)
    #expect(refused <= 2)
  }

  // MARK: 5.4

  @Test(arguments: [
    (Position(index: 1, term: 1), Position(index: 1, term: 1), true),
    (Position(index: 1, term: 1), Position(index: 1, term: 2), true),
    (Position(index: 2, term: 1), Position(index: 1, term: 2), true),
    (Position(index: 1, term: 1), Position(index: 2, term: 1), true),
    (Position(index: 2, term: 1), Position(index: 1, term: 1), false),
    (Position(index: 1, term: 2), Position(index: 1, term: 1), false),
    (Position(index: 1, term: 2), Position(index: 2, term: 1), false),
  ])
  func aVoteGoesOnlyToALogAtLeastAsUpToDate(own: Position, candidate: Position, granted: Bool) {
    var group = Group(voters: 1)
    let terms = [UInt64](repeating: 1, count: Int(own.index) - 1) + [own.term]
    group.add(id(9), .init(hardState: HardState(term: 2), entries: log(terms)))
    group.now += group.limits.electionTimeout
    let answers = group.inject(.vote(last: candidate, isTransfer: false), from: id(1), to: id(9), term: 3)
    #expect(answers.map(\.body) == [.voteReply(granted: granted)])
  }

  /// Figure 8: an entry of an older term is not committed by counting, only by one of the leader's own behind it.
  @Test func onlyEntriesOfTheOwnTermAreCommittedByCounting() {
    let first = Entry(index: 1, term: 1, kind: Entry.membershipKind, bytes: members([1, 2, 3, 4, 5]).encoded)
    let older = Entry(index: 2, term: 2, kind: 1, bytes: Array("old".utf8))
    var group = Group(voters: 5)
    group.cores = [:]
    for number in 1...5 as ClosedRange<UInt64> {
      group.add(id(number), .init(hardState: HardState(term: 3), entries: number == 1 ? [first, older] : [first]))
    }
    // The leader's own entry reaches nobody, the older one everybody.
    group.loses = { message in
      if case .append(let request) = message.body { return request.entries.contains { $0.term > 2 } }
      return false
    }
    group.elect(id(1))
    let leader = group.core(id(1))
    #expect(leader.role == .leader)
    _ = group.inject(
      .appendReply(AppendReply(outcome: .matched(index: 2), round: 0, sent: 0)), from: id(2), to: id(1),
      term: leader.term)
    _ = group.inject(
      .appendReply(AppendReply(outcome: .matched(index: 2), round: 0, sent: 0)), from: id(3), to: id(1),
      term: leader.term)
    #expect(group.core(id(1)).commit == 0)
    group.loses = { _ in false }
    group.run(milliseconds: 100)
    #expect(group.texts(id(1)) == ["old"])
  }

  // MARK: dissertation

  /// §9.6: a server that was cut off does not depose a leader when it comes back.
  @Test func preVoteKeepsAReturningServerFromDisturbing() {
    var group = Group(voters: 3)
    group.elect(id(1))
    let term = group.core(id(1)).term
    group.cut = [id(3)]
    group.run(milliseconds: 3_000)
    #expect(group.core(id(3)).term == term)
    group.cut = []
    group.run(milliseconds: 1_000)
    #expect(group.core(id(1)).role == .leader)
    #expect(group.core(id(1)).term == term)
  }

  /// §6.2: a leader without a majority steps down, so that its clients look for another.
  @Test func aLeaderWithoutAMajorityStepsDown() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.cut = [id(2), id(3)]
    group.run(milliseconds: 400)
    #expect(group.core(id(1)).role != .leader)
    #expect(group.propose(id(1), "a") == .failure(.notLeader(nil)))
  }

  /// §4.2.3: within an election timeout of a leader's last word nobody votes against it.
  @Test func nobodyVotesAgainstALeaderThatIsHeardOf() {
    var group = Group(voters: 3)
    group.elect(id(1))
    let answers = group.inject(
      .vote(last: Position(index: 99, term: 99), isTransfer: false), from: id(3), to: id(2), term: 99)
    #expect(answers.isEmpty)
    #expect(group.core(id(2)).term == group.core(id(1)).term)
  }

  /// §3.10.
  @Test func leadershipIsHandedOver() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.propose(id(1), "a")
    group.deliver()
    #expect(group.call(id(1)) { $0.transferLeadership(to: id(3), now: $1, jitter: $2) } == .success(id(3)))
    #expect(group.propose(id(1), "b") == .failure(.transferring(to: id(3))))
    group.deliver()
    #expect(group.core(id(3)).role == .leader)
    #expect(group.core(id(1)).role == .follower)
    #expect(group.core(id(1)).leader == id(3))
  }

  @Test func aHandOverToASilentServerIsGivenUp() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.cut = [id(3)]
    group.propose(id(1), "a")
    group.deliver()
    group.call(id(1)) { _ = $0.transferLeadership(to: id(3), now: $1, jitter: $2) }
    group.run(milliseconds: 300)
    #expect(group.core(id(1)).role == .leader)
    #expect(group.propose(id(1), "b") == .success(4))
  }

  /// §6.4: a read waits for a round of answers.
  @Test func aReadIsAnsweredOnlyWithAMajority() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.cut = [id(2), id(3)]
    group.call(id(1)) { $0.read(id: 5, .linearizable, now: $1, jitter: $2) }
    group.deliver()
    #expect(group.readResults[id(1)]?.isEmpty != false)
    group.cut = []
    group.run(milliseconds: 60)
    #expect(group.readResults[id(1)] == [.init(id: 5, index: 2)])
  }

  @Test func aFollowersReadGoesToTheLeader() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.call(id(2)) { $0.read(id: 6, .linearizable, now: $1, jitter: $2) }
    group.deliver()
    #expect(group.readResults[id(2)] == [.init(id: 6, index: 2)])
  }

  /// §6.4.1, and the rule that an offered leadership ends the lease.
  @Test func aLeaseAnswersAtOnceUntilItEnds() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.call(id(1)) { $0.read(id: 1, .lease, now: $1, jitter: $2) }
    #expect(group.readResults[id(1)]?.map(\.id) == [1])
    group.cut = [id(2), id(3)]
    group.now += group.limits.lease
    group.call(id(1)) { $0.read(id: 2, .lease, now: $1, jitter: $2) }
    #expect(group.readResults[id(1)]?.map(\.id) == [1])
  }

  @Test func noLeaseAfterLeadershipWasOffered() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.call(id(1)) { _ = $0.transferLeadership(to: id(2), now: $1, jitter: $2) }
    group.mail = []
    group.call(id(1)) { $0.read(id: 1, .lease, now: $1, jitter: $2) }
    #expect(group.readResults[id(1)]?.isEmpty != false)
  }
}
