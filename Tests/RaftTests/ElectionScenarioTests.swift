import Testing

@testable import Raft

/// Elections: the rest of the paper's section 5.1, 5.2 and 5.4 beside `PaperTests`, and what tends to go wrong in practice.
@Suite struct ElectionScenarioTests {
  /// A candidate in whose favour nobody answers.
  private func candidate() -> Group {
    var group = Group(voters: 3)
    group.loses = { if case .voteReply = $0.body { true } else { false } }
    group.elect(id(1))
    return group
  }

  /// 5.1.
  @Test func aCandidateThatSeesANewerTermFollows() {
    var group = candidate()
    #expect(group.core(id(1)).role == .candidate)
    let term = group.core(id(1)).term
    _ = group.inject(.voteReply(granted: false), from: id(2), to: id(1), term: term + 3)
    #expect(group.core(id(1)).role == .follower)
    #expect(group.core(id(1)).term == term + 3)
  }

  /// 5.2: without a majority it begins anew, in a new term.
  @Test func aCandidateWithoutAMajorityStandsAgainInANewTerm() {
    var group = candidate()
    let term = group.core(id(1)).term
    group.slowDisks = []
    group.run(milliseconds: 600)
    #expect(group.core(id(1)).term > term)
    group.loses = { _ in false }
    group.run(milliseconds: 600)
    #expect(group.cores.values.count { $0.role == .leader } == 1)
  }

  /// 5.2: timeouts are drawn anew for every election, also by candidates.
  @Test func aCandidatesTimeoutsAreSpreadToo() {
    var seen: Set<UInt64> = []
    for jitter in stride(from: 0, to: UInt64(250_000_000), by: 10_000_000) {
      var group = candidate()
      let now = group.core(id(1)).nextDeadline
      group.now = now
      var core = group.core(id(1))
      core.tick(now: now, jitter: jitter)
      #expect((now + group.limits.electionTimeout..<now + 2 * group.limits.electionTimeout).contains(core.nextDeadline))
      seen.insert(core.nextDeadline - now)
    }
    #expect(seen.count == 25)
  }

  /// 5.2: split votes are rare: the first of five to time out is mostly alone for longer than an election takes.
  @Test func theFirstTimeoutIsMostlyWellBeforeTheSecond() {
    let entry = Entry(index: 1, term: 1, kind: Entry.membershipKind, bytes: members([1, 2, 3, 4, 5]).encoded)
    var state: UInt64 = 1
    var conflicts = 0
    for _ in 0..<1_000 {
      let deadlines = (1...5 as ClosedRange<UInt64>).map { number in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return RaftCore(
          id: id(number), incarnation: Incarnation(count: 1, bits: number),
          recovered: .init(hardState: HardState(term: 1), entries: [entry]), now: 5, jitter: state >> 16
        ).nextDeadline
      }.sorted()
      if deadlines[1] - deadlines[0] < 10_000_000 { conflicts += 1 }
    }
    #expect(conflicts < 300)
    #expect(conflicts > 20)
  }

  /// 5.2, 5.4.1: what a candidate asks with.
  @Test func aVoteIsAskedForWithTheEndOfTheLog() {
    var group = Group(voters: 1)
    group.cores = [:]
    let first = Entry(index: 1, term: 1, kind: Entry.membershipKind, bytes: members([1, 2, 3]).encoded)
    group.add(id(1), .init(hardState: HardState(term: 4), entries: [first] + log([1, 2, 4]).dropFirst()))
    group.add(id(2), .init(hardState: HardState(term: 4), entries: [first]))
    group.add(id(3), .init(hardState: HardState(term: 4), entries: [first]))
    var asked: [Message] = []
    group.loses = { message in
      if case .vote = message.body { asked.append(message) }
      return false
    }
    group.elect(id(1))
    #expect(asked.map(\.to).sorted() == [id(2), id(3)])
    #expect(asked.allSatisfy { $0.term == 5 })
    #expect(
      asked.allSatisfy { $0.body == .vote(last: Position(index: 3, term: 4), isTransfer: false) })
  }

  /// Every server can lead in turn; each is followed by all.
  @Test func leadershipGoesRound() {
    var group = Group(voters: 3)
    for number in [1, 2, 3, 1] as [UInt64] {
      group.call(id(1)) { _, _, _ in }
      if let leader = group.cores.values.first(where: { $0.role == .leader }), leader.id != id(number) {
        group.call(leader.id) { _ = $0.transferLeadership(to: id(number), now: $1, jitter: $2) }
        group.deliver()
      } else {
        group.elect(id(number))
      }
      group.run(milliseconds: 60)
      #expect(group.core(id(number)).role == .leader)
      #expect(group.cores.values.allSatisfy { $0.leader == id(number) })
    }
  }

  /// A log of a later term wins over a longer one, and overwrites it.
  @Test func aNewerLogOverwritesALongerOne() {
    let first = Entry(index: 1, term: 1, kind: Entry.membershipKind, bytes: members([1, 2, 3]).encoded)
    var group = Group(voters: 1)
    group.cores = [:]
    group.add(id(1), .init(hardState: HardState(term: 3), entries: [first] + log([1, 3]).dropFirst()))
    group.add(id(2), .init(hardState: HardState(term: 3), entries: [first] + log([1, 2, 2, 2]).dropFirst()))
    group.add(id(3), .init(hardState: HardState(term: 3), entries: [first]))
    group.cut = [id(3)]
    group.elect(id(2))
    #expect(group.core(id(2)).role != .leader)
    group.run(milliseconds: 1_500)
    #expect(group.core(id(1)).role == .leader)
    #expect(group.core(id(2)).term(at: 2) == 3)
    #expect(group.core(id(2)).last == group.core(id(1)).last)
  }

  /// Two servers that stand at the same time, cut off from each other: one of them leads afterwards, and nobody else.
  @Test func duellingCandidatesEndWithOneLeader() {
    var group = Group(voters: 3)
    group.loses = { Set([$0.from, $0.to]) == [id(1), id(3)] }
    group.elect(id(1))
    let deadline = group.core(id(3)).nextDeadline
    group.now = max(group.now, deadline)
    group.call(id(3)) { core, now, jitter in core.tick(now: now, jitter: jitter) }
    group.deliver()
    group.loses = { _ in false }
    group.run(milliseconds: 1_000)
    #expect(group.cores.values.count { $0.role == .leader } == 1)
    #expect(Set(group.cores.values.map(\.term)).count == 1)
  }

  /// §9.6: asking before changes nothing: a lone pre-candidate never raises its term.
  @Test func aPreCandidateKeepsItsTerm() {
    var group = Group(voters: 5)
    group.cut = [id(1)]
    let term = group.core(id(1)).term
    for _ in 0..<10 { group.elect(id(1)) }
    #expect(group.core(id(1)).term == term)
    #expect(group.core(id(1)).role == .preCandidate)
  }

  /// §4.2.1: a learner never stands, whatever it hears or does not hear.
  @Test func aLearnerNeverStands() {
    var group = Group(voters: 1)
    group.add(id(2))
    group.call(id(1)) { _ = $0.changeMembership(to: members([1], learners: [2]), now: $1, jitter: $2) }
    group.run(milliseconds: 100)
    #expect(group.core(id(2)).membership.membership.member(id(2))?.role == .learner)
    let term = group.core(id(2)).term
    group.cut = [id(1)]
    group.run(milliseconds: 3_000)
    #expect(group.core(id(2)).role == .follower)
    #expect(group.core(id(2)).term == term)
  }

  /// A server that is not part of the configuration and does not know it is removed can't depose a leader (§4.2.3).
  @Test func aRemovedServerDisturbsNobody() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.cut = [id(3)]
    group.call(id(1)) { _ = $0.changeMembership(to: members([1, 2]), now: $1, jitter: $2) }
    group.run(milliseconds: 300)
    let term = group.core(id(1)).term
    #expect(group.core(id(1)).membership.membership == members([1, 2]))
    group.cut = []
    group.run(milliseconds: 3_000)
    #expect(group.core(id(1)).role == .leader)
    #expect(group.core(id(1)).term == term)
  }

  /// A server cut off alone with the newer term comes back without harm, and takes part again.
  @Test func aServerThatIsStuckInANewerTermIsFreed() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.cut = [id(3)]
    // It once stood, before it was cut off from everybody.
    group.add(
      id(3),
      .init(
        hardState: HardState(term: 9),
        entries: [
          Entry(index: 1, term: 1, kind: Entry.membershipKind, bytes: members([1, 2, 3]).encoded)
        ]), starts: 2)
    group.cut = []
    group.run(milliseconds: 2_000)
    let leader = group.cores.values.first { $0.role == .leader }
    #expect(leader != nil)
    #expect(group.cores.values.allSatisfy { $0.leader == leader?.id && $0.term == leader?.term })
    #expect(group.core(id(3)).last == leader?.last)
  }

  @Test(arguments: [id(1), id(7), id(4)])
  func leadershipGoesToVotersOnly(target: ServerID) {
    var group = Group(voters: 3)
    group.add(id(4))
    group.elect(id(1))
    group.call(id(1)) { _ = $0.changeMembership(to: members([1, 2, 3], learners: [4]), now: $1, jitter: $2) }
    group.run(milliseconds: 100)
    let answer = group.call(id(1)) { $0.transferLeadership(to: target, now: $1, jitter: $2) }
    guard case .failure(.invalid) = answer else {
      Issue.record("offered to \(target): \(answer)")
      return
    }
    #expect(group.core(id(1)).role == .leader)
  }

  /// §3.10: a target that lags is brought up to date before it is told to stand.
  @Test func leadershipWaitsForATargetThatLags() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.cut = [id(3)]
    for number in 0..<5 { group.propose(id(1), "\(number)") }
    group.deliver()
    group.cut = []
    group.call(id(1)) { _ = $0.transferLeadership(to: id(3), now: $1, jitter: $2) }
    #expect(!group.mail.contains { $0.body == .timeoutNow })
    group.run(milliseconds: 200)
    #expect(group.core(id(3)).role == .leader)
    #expect(group.texts(id(3)) == ["0", "1", "2", "3", "4"])
  }
}
