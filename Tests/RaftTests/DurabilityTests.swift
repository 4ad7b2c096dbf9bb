import Raft
import Testing

/// What is said rests on what is on disk (dissertation §3.8), and what happens when the disk fails.
@Suite struct DurabilityTests {
  @Test func aVoteIsHeldBackUntilItIsOnDisk() {
    var group = Group(voters: 3)
    group.now += group.limits.electionTimeout
    group.slowDisks = [id(2)]
    let before = group.inject(
      .vote(last: Position(index: 9, term: 1), isTransfer: false), from: id(1), to: id(2), term: 2)
    #expect(before.isEmpty)
    group.sync(id(2))
    #expect(group.mail.map(\.body) == [.voteReply(granted: true)])
  }

  @Test func aFollowerAcknowledgesOnlyWhatIsOnDisk() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.slowDisks = [id(2)]
    group.cut = [id(3)]
    group.propose(id(1), "a")
    group.deliver()
    #expect(group.core(id(2)).last.index == 3)
    #expect(group.core(id(1)).commit == 2)
    group.run(milliseconds: 100)
    #expect(group.core(id(1)).commit == 2)
    group.sync(id(2))
    group.deliver()
    #expect(group.core(id(1)).commit == 3)
  }

  /// §10.2.1: the leader's own disk is not waited for before followers get the entry, and counts only when it has it.
  @Test func aLeaderReplicatesWhileItsDiskSyncs() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.slowDisks = [id(1)]
    group.propose(id(1), "a")
    group.deliver()
    #expect(group.core(id(2)).last.index == 3)
    #expect(group.core(id(1)).commit == 3)
    #expect(group.texts(id(1)) == [])
    group.sync(id(1))
    #expect(group.texts(id(1)) == ["a"])
  }

  @Test func aCandidateAsksOnlyWhenItsTermIsOnDisk() {
    var group = Group(voters: 3)
    group.slowDisks = [id(1)]
    group.elect(id(1))
    #expect(group.core(id(1)).role == .candidate)
    #expect(group.core(id(2)).term == 1)
    group.sync(id(1))
    group.deliver()
    #expect(group.core(id(1)).role == .leader)
  }

  @Test func aSingleServerLeadsAtOnce() {
    var group = Group(voters: 1)
    #expect(group.core(id(1)).role == .leader)
    group.propose(id(1), "a")
    #expect(group.texts(id(1)) == ["a"])
    #expect(group.core(id(1)).nextDeadline == .max)
  }

  @Test func aLeaderWithAFullDiskStepsDownAndComesBack() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.slowDisks = [id(1)]
    group.propose(id(1), "a")
    group.call(id(1)) { core, now, jitter in core.storageFull(now: now, jitter: jitter) }
    #expect(group.core(id(1)).role == .follower)
    group.unwritten[id(1)] = nil
    group.deliver()
    group.run(milliseconds: 800)
    let leader = group.cores.values.first { $0.role == .leader }
    #expect(leader != nil && leader?.id != id(1))
    let first = Entry(index: 1, term: 1, kind: Entry.membershipKind, bytes: members([1, 2, 3]).encoded)
    let second = Entry(index: 2, term: 2, kind: Entry.leaderKind, bytes: [])
    group.slowDisks = []
    group.call(id(1)) { core, now, jitter in
      core.storageRecovered(
        .init(hardState: HardState(term: 2, vote: id(1)), entries: [first, second]), now: now, jitter: jitter)
    }
    group.run(milliseconds: 200)
    #expect(group.core(id(1)).last == leader?.last)
    #expect(group.core(id(1)).isStorageFull == false)
  }

  /// Denied at once, entries would come again at once: leader and follower would only talk to each other.
  @Test func aFollowerWithAFullDiskIsAskedNoMoreThanItsWindow() {
    var limits = Limits()
    limits.inflightRequests = 8
    limits.requestBytes = 40
    var group = Group(voters: 3, limits: limits)
    group.elect(id(1))
    group.run(milliseconds: 100)
    group.call(id(2)) { core, now, jitter in core.storageFull(now: now, jitter: jitter) }
    var (asked, answered) = (0, 0)
    group.loses = { message in
      if case .append(let request) = message.body, message.to == id(2), !request.entries.isEmpty { asked += 1 }
      if case .appendReply = message.body, message.from == id(2) { answered += 1 }
      return false
    }
    for number in 0..<40 {
      group.propose(id(1), "\(number)")
      group.deliver()
    }
    #expect(group.core(id(1)).commit == 42)
    #expect((1...8).contains(asked))
    #expect(answered <= 1)
    // Heartbeats go on: it is there, and it is not the leader's fault.
    group.run(milliseconds: 1_000)
    #expect(group.core(id(1)).role == .leader && group.core(id(2)).leader == id(1))
    #expect(asked <= 8)
    #expect((15...25).contains(answered))
  }

  @Test func aServerWithAnOlderDiskIsFoundOutByItsPeers() {
    var group = Group(voters: 3)
    group.elect(id(1))
    // Server 3 is started a second time with the same count of starts: its disk was put back.
    let first = Entry(index: 1, term: 1, kind: Entry.membershipKind, bytes: members([1, 2, 3]).encoded)
    group.cores[id(3)] = RaftCore(
      id: id(3), incarnation: Incarnation(count: 1, bits: 4711), limits: group.limits,
      recovered: .init(hardState: HardState(term: 1), entries: [first]), now: group.now, jitter: 0)
    group.run(milliseconds: 100)
    #expect(group.core(id(3)).quarantine != nil)
    group.cut = [id(1)]
    group.run(milliseconds: 1_500)
    #expect(group.cores.values.allSatisfy { $0.role != .leader })
  }

  @Test func aServerThatKnowsItsDiskIsOlderDoesNotVote() {
    var group = Group(voters: 3)
    group.add(id(3), .init(hardState: HardState(term: 1), entries: [], damage: "older"), starts: 2)
    group.now += group.limits.electionTimeout
    let answers = group.inject(
      .vote(last: Position(index: 9, term: 9), isTransfer: false), from: id(1), to: id(3), term: 9)
    #expect(answers.isEmpty)
    #expect(group.events[id(3)]?.contains(.quarantined("older")) == true)
  }

  @Test func aSlowFollowerCostsTheLeaderABoundedWindow() {
    var limits = Limits()
    limits.inflightRequests = 10
    limits.requestBytes = 100
    var group = Group(voters: 3, limits: limits)
    group.elect(id(1))
    group.run(milliseconds: 100)
    group.cut = [id(3)]
    group.mail = []
    var sent = 0
    for number in 0..<500 {
      group.propose(id(1), "entry \(number)")
      sent += group.mail.count { $0.to == id(3) }
      group.deliver()
    }
    #expect(sent == 10)
    group.cut = []
    group.run(milliseconds: 200)
    #expect(group.core(id(3)).last == group.core(id(1)).last)
  }

  @Test func proposalsThatWaitAreBounded() {
    var limits = Limits()
    limits.uncommittedBytes = 1_000
    var group = Group(voters: 3, limits: limits)
    group.elect(id(1))
    group.cut = [id(2), id(3)]
    var refused = 0
    for _ in 0..<100 { if case .failure(.busy) = group.propose(id(1), "0123456789") { refused += 1 } }
    #expect(refused > 50)
  }
}
