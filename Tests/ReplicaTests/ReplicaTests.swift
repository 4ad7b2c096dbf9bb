import Codec
import Model
import Raft
import Replica
import Scheduler
import State
import Testing

@Suite struct ReplicaTests {
  @Test func allServersComeToTheSameStateWhateverOneTheLeaderIs() throws {
    var group = Group(voters: 3)
    let leader = group.electSomebody()
    for number in 1...3 { group.propose(leader, node(UInt64(number)), token: UInt64(number)) }
    group.propose(leader, job("web", count: 5), token: 4)
    group.deliver()
    group.run(milliseconds: 200)
    #expect(group.applied(leader) == [1, 2, 3, 4])
    let digest = group[leader].state.digest
    for (id, replica) in group.replicas {
      #expect(replica.state.digest == digest && replica.committed.index == group[leader].committed.index, "\(id)")
      #expect(replica.committed.allocations(ofJob: JobKey("default", "web")).count == 5)
    }
    // The next leader schedules from where this one was.
    group.cut = [leader]
    let second = group.electSomebody()
    group.propose(second, job("second", count: 7), token: 9)
    group.deliver()
    group.run(milliseconds: 200)
    #expect(group[second].committed.allocations(ofJob: JobKey("default", "second")).count == 7)
    group.cut = []
    group.run(milliseconds: 500)
    #expect(group[leader].state.digest == group[second].state.digest)
  }

  @Test func oneTurnIsOneWriteAndOnlyTheDurableIsShown() throws {
    var group = Group(voters: 1)
    let one = group.electSomebody()
    group.propose(one, node(1), token: 1)
    group.slowDisks = [one]
    let writes = group.writes[one] ?? 0
    // A registration, its evaluation's plan with five placements, and two nodes.
    group.call(one) { replica, now in
      replica.propose(node(2), token: 2, at: now)
      replica.propose(node(3), token: 3, at: now)
      replica.propose(job("web", count: 5), token: 4, at: now)
    }
    #expect(group.writes[one] == writes + 1)
    #expect(group[one].state.reader.allocations.count == 5, "the scheduler has seen what is not durable yet")
    #expect(group[one].committed.allocations.isEmpty && group[one].committed.nodes.count == 1)
    #expect(group.applied(one) == [1])
    group.sync(one)
    #expect(group.applied(one) == [1, 2, 3, 4])
    #expect(group[one].committed.allocations.count == 5)
  }

  @Test func aLeaderThatIsCutOffTakesBackWhatNobodyElseHasHeardOf() throws {
    var group = Group(voters: 3)
    let old = group.electSomebody()
    group.propose(old, node(1), token: 1)
    group.propose(old, job("before", count: 3), token: 2)
    group.deliver()
    group.run(milliseconds: 100)
    let digest = group[old].state.digest
    group.cut = [old]
    group.propose(old, node(2), token: 3)
    group.propose(old, job("lost", count: 4), token: 4)
    #expect(group[old].state.reader.job(JobKey("default", "lost")) != nil)
    #expect(group[old].committed.job(JobKey("default", "lost")) == nil)
    // Without answers it learns that it does not lead any more.
    group.run(milliseconds: 400)
    #expect(!group[old].isLeading)
    #expect(group[old].state.digest == digest, "as if the two had never been proposed")
    #expect(group[old].state.columns.flags.filter { $0.contains(.present) }.count == 1)
    #expect(group.failures[old] == nil, "whether they happen is not known yet")
    let new = group.electSomebody()
    group.propose(new, job("kept", count: 2), token: 5)
    group.deliver()
    group.cut = []
    group.run(milliseconds: 1_000)
    guard case .overruled = group.failures[old]?[3], case .overruled = group.failures[old]?[4] else {
      Issue.record("the lost proposals: \(String(describing: group.failures[old]))")
      return
    }
    #expect(group[old].state.digest == group[new].state.digest)
    #expect(group[old].state.reader.job(JobKey("default", "lost")) == nil)
  }

  @Test func whatIsProposedInTheTurnInWhichTheOfficeIsLostComesToNothing() throws {
    var group = Group(voters: 3)
    let old = group.electSomebody()
    group.run(milliseconds: 100)
    let digest = group[old].state.digest
    group.cut = [old]
    group.monotonic += 2_000_000_000
    group.wall += 2_000_000_000
    group.call(old) { replica, now in
      replica.propose(node(1), token: 1, at: now)
      replica.tick(at: now)
      replica.propose(node(2), token: 2, at: now)
    }
    #expect(!group[old].isLeading && group[old].state.digest == digest)
    guard case .notLeader = group.failures[old]?[2] else {
      Issue.record("\(String(describing: group.failures[old]))")
      return
    }
    #expect(group.failures[old]?[1] == nil, "it is in a log")
  }

  @Test func aProposalOfALostOfficeThatIsCommittedAfterAllHasSucceeded() throws {
    var group = Group(voters: 3)
    let old = group.electSomebody()
    group.run(milliseconds: 100)
    group.propose(old, node(1), token: 1)
    // Everybody gets the entry, the old leader hears of nobody.
    while let message = group.mail.first {
      group.mail.removeFirst()
      if message.from == old { group.call(message.to) { $0.receive(message, at: $1) } }
    }
    group.cut = [old]
    group.run(milliseconds: 400)
    #expect(!group[old].isLeading && group.failures[old] == nil && group.applied(old).isEmpty)
    _ = group.electSomebody()
    group.cut = []
    group.run(milliseconds: 500)
    #expect(group.applied(old) == [1])
    #expect(group.failures[old] == nil)
  }

  @Test func whoWaitsTooLongIsToldThatNobodyKnows() throws {
    var group = Group(voters: 3)
    let old = group.electSomebody()
    group.cut = [old]
    group.propose(old, node(1), token: 1)
    group.run(milliseconds: 3_000)
    guard case .uncertain = group.failures[old]?[1] else {
      Issue.record("\(String(describing: group.failures[old]))")
      return
    }
    #expect(group[old].state.reader.nodes.isEmpty)
  }

  @Test func aNewLeaderGivesEveryNodeItsWholeTime() throws {
    var group = Group(voters: 3)
    let first = group.electSomebody()
    for number in 1...4 { group.propose(first, node(UInt64(number)), token: UInt64(number)) }
    group.deliver()
    // Nodes are silent for nearly as long as they may be, then the leader is lost.
    group.run(milliseconds: 13_000)
    #expect(group[first].committed.nodes.allSatisfy { $0.1.value.status == .ready })
    group.cut = [first]
    let second = group.electSomebody()
    group.run(milliseconds: 10_000)
    #expect(group[second].committed.nodes.allSatisfy { $0.1.value.status == .ready }, "a new grace for everybody")
    group.run(milliseconds: 8_000)
    #expect(group[second].committed.nodes.allSatisfy { $0.1.value.status == .down })
  }

  @Test func readsWaitUntilNobodyCanHaveOvertakenThem() throws {
    var group = Group(voters: 3)
    let leader = group.electSomebody()
    group.run(milliseconds: 100)
    let follower = try #require(group.replicas.keys.sorted().first { $0 != leader })
    group.call(follower) { $0.read(token: 1, .linearizable, at: $1) }
    #expect((group.reads[follower] ?? []).isEmpty, "it has asked nobody yet")
    group.deliver()
    group.run(milliseconds: 100)
    #expect(group.reads[follower]?.map(\.isConfirmed) == [true])
    group.call(leader) { $0.read(token: 2, .lease, at: $1) }
    #expect(group.reads[leader]?.map(\.isConfirmed) == [true], "a leader with a lease answers alone")
    group.cut = [leader]
    group.run(milliseconds: 1_000)
    group.call(leader) { $0.read(token: 3, .lease, at: $1) }
    #expect(group.reads[leader]?.map(\.isConfirmed) == [true, false])
  }

  @Test func anEntryOfANewerVersionStopsTheServerInsteadOfMakingItWrong() throws {
    var group = Group(voters: 1)
    let one = group.electSomebody()
    var replica = group[one]
    let unknown = Entry(
      index: replica.core.last.index + 1, term: replica.core.term, kind: 200, bytes: [UInt8](repeating: 0, count: 8))
    // A server that finds the entry in its log when it starts.
    let recovered = RaftCore.Recovered(
      hardState: HardState(term: replica.core.term),
      entries: [
        Entry(
          index: 1, term: 1, kind: Entry.membershipKind,
          bytes: Membership.single(one, address: "s1").encoded),
        Entry(index: 2, term: unknown.term, kind: 200, bytes: [UInt8](repeating: 0, count: 8)),
      ])
    replica = Replica(
      id: one, incarnation: Incarnation(count: 2, bits: 5), configuration: ReplicaConfiguration(), recovered: recovered,
      state: State(), random: .init(seed: 1), at: group.instant())
    group.replicas[one] = replica
    group.settle(one)
    group.run(milliseconds: 100)
    #expect(group[one].halt?.contains("200") == true)
    #expect(!group[one].isLeading)
    #expect(group.notices[one]?.contains { $0.contains("can't be applied") } == true)
  }

  @Test func aSnapshotIsOrderedOfWhatIsCommitted() throws {
    var group = Group(voters: 1) { $0.snapshotEntries = 10 }
    let one = group.electSomebody()
    for number in 1...12 { group.propose(one, node(UInt64(number)), token: UInt64(number)) }
    let order = try #require(group.snapshots[one]?.first)
    #expect(order.reader.nodes.count == Int(order.position.index) - 2, "but for the two entries of the consensus")
    #expect(order.membership.voters == [one])
    #expect(group.snapshots[one]?.count == 1, "not a second one while the first is not stored")
  }
}
