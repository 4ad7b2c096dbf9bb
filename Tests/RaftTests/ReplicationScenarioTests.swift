import Testing

@testable import Raft

/// Replication and reads: the rest of the paper's section 5.3 beside `PaperTests`, and what tends to go wrong in practice.
@Suite struct ReplicationScenarioTests {
  /// 5.3: each request names the entry before, with its term.
  @Test func aProposalGoesOutWithThePlaceBeforeIt() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.run(milliseconds: 60)
    let last = group.core(id(1)).last
    group.mail = []
    group.propose(id(1), "a")
    let requests = group.mail.compactMap { message -> Append? in
      if case .append(let request) = message.body { request } else { nil }
    }
    #expect(group.mail.map(\.to).sorted() == [id(2), id(3)])
    #expect(requests.allSatisfy { $0.previous == last && $0.commit == last.index })
    #expect(
      requests.allSatisfy { $0.entries.map(\.index) == [last.index + 1] && $0.entries[0].bytes == Array("a".utf8) })
  }

  /// 5.3: committed when a majority has it, whoever that is.
  @Test(
    arguments: [
      (1, [], true), (3, [], false), (3, [2], true), (3, [2, 3], true), (4, [2], false), (4, [2, 3], true),
      (5, [], false),
      (5, [2], false), (5, [2, 3], true), (5, [4, 5], true), (5, [2, 3, 4, 5], true),
    ] as [(Int, [UInt64], Bool)])
  func anEntryIsCommittedWhenAMajorityHasIt(size: Int, having: [UInt64], isCommitted: Bool) {
    var group = Group(voters: size)
    group.elect(id(1))
    group.run(milliseconds: 60)
    group.cut = Set((1...UInt64(size)).filter { $0 != 1 && !having.contains($0) }.map { id($0) })
    group.propose(id(1), "a")
    group.deliver()
    #expect(group.texts(id(1)) == (isCommitted ? ["a"] : []))
  }

  /// 5.3: a follower applies what the leader says is committed, in order, and no more than it has.
  @Test(arguments: [0, 1, 2, 3, 9] as [UInt64])
  func aFollowerAppliesWhatTheLeaderHasCommitted(commit: UInt64) {
    var group = Group(voters: 1)
    group.add(id(9), .init(hardState: HardState(term: 1), entries: []))
    let entries = log([1, 1, 1])
    _ = group.inject(
      .append(Append(previous: .zero, entries: entries, commit: commit, round: 0, sent: 0)), from: id(1), to: id(9),
      term: 1)
    #expect((group.applied[id(9)] ?? []) == Array(entries.prefix(Int(min(commit, 3)))))
  }

  /// 5.3: later words of an older leader are answered with the newer term, and change nothing.
  @Test func oldMessagesChangeNothing() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.run(milliseconds: 60)
    let term = group.core(id(1)).term
    let before = group.core(id(2)).last
    let stale = Append(
      previous: Position(index: 1, term: 1), entries: [Entry(index: 2, term: 1, kind: 1, bytes: [7])], commit: 2,
      round: 0,
      sent: 0)
    let answers = group.inject(.append(stale), from: id(3), to: id(2), term: term - 1)
    #expect(answers.map(\.term) == [term])
    #expect(group.core(id(2)).last == before)
    #expect(group.core(id(2)).leader == id(1))
  }

  /// The same request twice, and an older one behind it, leave the log as it is.
  @Test func doubledAndReorderedRequestsAreHarmless() {
    var group = Group(voters: 3)
    group.elect(id(1))
    var copies: [Message] = []
    group.loses = { message in
      if case .append(let request) = message.body, message.to == id(2), !request.entries.isEmpty {
        copies.append(message)
      }
      return false
    }
    for text in ["a", "b", "c"] {
      group.propose(id(1), text)
      group.deliver()
    }
    group.run(milliseconds: 60)
    let last = group.core(id(2)).last
    let written = group.disk[id(2)]?.flatMap(\.entries).count
    for message in copies.reversed() + copies {
      group.call(id(2)) { core, now, jitter in core.receive(message, now: now, jitter: jitter) }
    }
    group.deliver()
    #expect(copies.count >= 3)
    #expect(group.core(id(2)).last == last)
    #expect(group.disk[id(2)]?.flatMap(\.entries).count == written)
    #expect(group.texts(id(2)) == ["a", "b", "c"])
  }

  /// A heartbeat can't make a follower commit what it does not have or what is not known to be equal.
  @Test func aHeartbeatCommitsNoMoreThanItMatches() {
    var group = Group(voters: 1)
    group.add(id(9), .init(hardState: HardState(term: 2), entries: log([1, 1, 1])))
    _ = group.inject(
      .append(Append(previous: Position(index: 1, term: 1), entries: [], commit: 3, round: 0, sent: 0)), from: id(1),
      to: id(9), term: 2)
    #expect(group.core(id(9)).commit == 1)
  }

  /// A follower that was away gets everything once it is back, with entries of several leaders.
  @Test func aFollowerThatWasAwayCatchesUp() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.cut = [id(3)]
    group.propose(id(1), "a")
    group.run(milliseconds: 60)
    group.call(id(1)) { _ = $0.transferLeadership(to: id(2), now: $1, jitter: $2) }
    group.run(milliseconds: 60)
    group.propose(id(2), "b")
    group.run(milliseconds: 60)
    #expect(group.texts(id(3)) == [])
    group.cut = []
    group.run(milliseconds: 300)
    #expect(group.texts(id(3)) == ["a", "b"])
  }

  /// A connection that broke: what was on its way is sent again without waiting for an answer to it.
  @Test func anUnreachableFollowerIsProbedAnew() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.run(milliseconds: 60)
    group.loses = { $0.to == id(2) }
    for number in 0..<4 { group.propose(id(1), "\(number)") }
    group.deliver()
    group.loses = { _ in false }
    group.call(id(1)) { core, now, jitter in core.unreachable(id(2), now: now, jitter: jitter) }
    group.run(milliseconds: 60)
    #expect(group.core(id(2)).last == group.core(id(1)).last)
  }

  /// §6.4: a new leader answers reads only once an entry of its own term is committed.
  @Test func aNewLeaderHoldsReadsUntilItsTermHasAnEntry() {
    var group = Group(voters: 3)
    // Its entries reach nobody, its heartbeats do.
    group.loses = { if case .append(let request) = $0.body { !request.entries.isEmpty } else { false } }
    group.elect(id(1))
    #expect(group.core(id(1)).role == .leader)
    for kind in [RaftCore.ReadKind.linearizable, .lease] {
      group.call(id(1)) { $0.read(id: kind == .lease ? 1 : 2, kind, now: $1, jitter: $2) }
    }
    group.run(milliseconds: 100)
    #expect(group.readResults[id(1)]?.isEmpty != false)
    group.loses = { _ in false }
    group.run(milliseconds: 200)
    #expect(Set(group.readResults[id(1)]?.map(\.id) ?? []) == [1, 2])
    #expect(group.readResults[id(1)]?.allSatisfy { ($0.index ?? 0) >= 2 } == true)
  }

  /// Who loses the office answers the reads that wait with "ask again", and forgets them.
  @Test func readsOfALostOfficeAreRefused() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.run(milliseconds: 60)
    group.cut = [id(2), id(3)]
    group.call(id(1)) { $0.read(id: 8, .linearizable, now: $1, jitter: $2) }
    group.run(milliseconds: 600)
    #expect(group.core(id(1)).role != .leader)
    #expect(group.readResults[id(1)] == [.init(id: 8, index: nil)])
    #expect(group.core(id(1)).reads.isEmpty)
  }

  /// Ten thousand reads cost as many messages as a few.
  @Test func readsShareTheirRound() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.run(milliseconds: 60)
    var heartbeats = 0
    group.loses = { message in
      if case .append = message.body { heartbeats += 1 }
      return false
    }
    for number in 0..<10_000 as Range<UInt64> {
      group.call(id(1)) { $0.read(id: number, .linearizable, now: $1, jitter: $2) }
    }
    group.deliver()
    #expect(group.readResults[id(1)]?.count == 10_000)
    #expect(heartbeats <= 6)
  }

  /// A follower that denies what it once acknowledged has lost its disk: it is not asked again without end.
  @Test func aDenialOfWhatWasAcknowledgedIsNotAnsweredAtOnce() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.run(milliseconds: 60)
    let term = group.core(id(1)).term
    let answers = group.inject(
      .appendReply(AppendReply(outcome: .mismatched(previous: 1, hint: .zero), round: 0, sent: 0)), from: id(2),
      to: id(1), term: term)
    #expect(answers.isEmpty)
  }

  /// More than the window is never on its way, and acknowledgements open it again.
  @Test func theWindowOpensWithAcknowledgements() {
    var limits = Limits()
    limits.inflightRequests = 4
    limits.requestBytes = 1
    var group = Group(voters: 3, limits: limits)
    group.elect(id(1))
    group.run(milliseconds: 100)
    group.mail = []
    for number in 0..<50 { group.propose(id(1), "\(number)") }
    #expect(group.mail.count { $0.to == id(2) } == 4)
    group.deliver()
    #expect(group.core(id(2)).last == group.core(id(1)).last)
    #expect(group.texts(id(1)).count == 50)
  }
}
