import Raft
import Testing

/// Membership changes by joint consensus (dissertation §4.3), and snapshots for those who come late (§5).
@Suite struct MembershipTests {
  @Test func aConfigurationSurvivesItsBytes() {
    let joint = Membership(
      [
        Member(id: id(3), address: "10.0.0.3:4647", role: .voter, votesInOutgoing: true),
        Member(id: id(1), address: "", role: .leaving, votesInOutgoing: true),
        Member(id: id(2), address: "[::1]:4647", role: .learner),
      ], isJoint: true)
    #expect(Membership(decoding: joint.encoded) == joint)
    #expect(joint.members.map(\.id) == [id(1), id(2), id(3)])
    for count in 0..<joint.encoded.count { #expect(Membership(decoding: Array(joint.encoded.prefix(count))) == nil) }
    #expect(Membership(decoding: joint.encoded + [0]) == nil)
  }

  @Test func oneServerGrowsToThree() {
    var group = Group(voters: 1)
    group.propose(id(1), "before")
    group.add(id(2))
    group.add(id(3))
    let answer = group.call(id(1)) { $0.changeMembership(to: members([1, 2, 3]), now: $1, jitter: $2) }
    #expect((try? answer.get()) == 4)
    group.run(milliseconds: 300)
    #expect(group.core(id(1)).membership.membership == members([1, 2, 3]))
    #expect(group.texts(id(3)) == ["before"])
    group.cut = [id(1)]
    group.run(milliseconds: 1_000)
    #expect(group.cores.values.contains { $0.role == .leader && $0.id != id(1) })
  }

  /// §4.3: while joint, both majorities must agree.
  @Test func aJointConfigurationNeedsBothMajorities() {
    var group = Group(voters: 3)
    for number in 4...6 as ClosedRange<UInt64> { group.add(id(number)) }
    group.elect(id(1))
    group.cut = [id(5), id(6)]
    group.call(id(1)) { _ = $0.changeMembership(to: members([4, 5, 6]), now: $1, jitter: $2) }
    group.run(milliseconds: 100)
    // All of the old configuration and one of the new have it.
    #expect(group.core(id(1)).membership.membership.isJoint)
    #expect(group.core(id(1)).commit == 2)
    group.cut = [id(6)]
    group.run(milliseconds: 200)
    #expect(!group.core(id(4)).membership.membership.isJoint)
    #expect(group.core(id(4)).membership.membership == members([4, 5, 6]))
  }

  /// §4.2.2: a leader that is not part of the new configuration leads until that is committed.
  @Test func aLeaderCanRemoveItself() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.call(id(1)) { _ = $0.changeMembership(to: members([2, 3]), now: $1, jitter: $2) }
    group.run(milliseconds: 200)
    #expect(group.core(id(1)).role != .leader)
    let leader = group.cores.values.first { $0.role == .leader }
    #expect(leader?.membership.membership == members([2, 3]))
    #expect(group.propose(leader?.id ?? id(2), "after") != .failure(.notLeader(nil)))
    group.deliver()
    #expect(group.texts(leader?.id ?? id(2)) == ["after"])
  }

  @Test func oneChangeAtATime() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.cut = [id(2), id(3)]
    group.call(id(1)) { _ = $0.changeMembership(to: members([1, 2]), now: $1, jitter: $2) }
    let second = group.call(id(1)) { $0.changeMembership(to: members([1, 3]), now: $1, jitter: $2) }
    #expect(second == .failure(.invalid("a change of members is not finished yet")))
  }

  @Test(arguments: [members([]), members([1, 2, 3]), members([1, 1, 2]), members([], learners: [1])])
  func nonsenseIsRefused(target: Membership) {
    var group = Group(voters: 3)
    group.elect(id(1))
    let answer = group.call(id(1)) { $0.changeMembership(to: target, now: $1, jitter: $2) }
    guard case .failure(.invalid) = answer else {
      Issue.record("taken: \(answer)")
      return
    }
  }

  /// §4.2.1: a learner gets the log and counts nowhere.
  @Test func aLearnerFollowsWithoutAVote() {
    var group = Group(voters: 1)
    group.add(id(2))
    group.call(id(1)) { _ = $0.changeMembership(to: members([1], learners: [2]), now: $1, jitter: $2) }
    group.run(milliseconds: 100)
    group.propose(id(1), "a")
    group.run(milliseconds: 100)
    #expect(group.texts(id(2)) == ["a"])
    group.cut = [id(2)]
    group.propose(id(1), "b")
    #expect(group.texts(id(1)) == ["a", "b"])
    group.run(milliseconds: 2_000)
    #expect(group.core(id(2)).role == .follower)
    #expect(group.core(id(2)).term == group.core(id(1)).term)
  }

  @Test func anUncommittedConfigurationIsTakenBack() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.cut = [id(1)]
    group.call(id(1)) { _ = $0.changeMembership(to: members([1]), now: $1, jitter: $2) }
    #expect(group.core(id(1)).membership.membership.isJoint)
    group.run(milliseconds: 1_500)
    group.cut = []
    group.run(milliseconds: 500)
    #expect(group.core(id(1)).membership.membership == members([1, 2, 3]))
  }

  @Test func aServerWithAnotherLogIsNotBootstrapped() {
    var group = Group(voters: 3)
    let answer = group.call(id(1)) { $0.bootstrap(members([1]), now: $1, jitter: $2) }
    guard case .failure(.invalid) = answer else {
      Issue.record("bootstrapped over a log")
      return
    }
  }

  // MARK: snapshots

  /// Compacts the leader's log behind a snapshot of 60 bytes and gives a follower that needs it the pieces.
  @Test func aFollowerFarBehindGetsTheSnapshotInPieces() throws {
    var limits = Limits()
    limits.trailingEntries = 2
    limits.pieceBytes = 25
    var group = Group(voters: 3, limits: limits)
    group.elect(id(1))
    group.cut = [id(3)]
    for number in 0..<20 {
      group.propose(id(1), "\(number)")
      group.deliver()
    }
    let leader = group.core(id(1))
    let membership = try #require(leader.membership(at: leader.delivered))
    let bytes = (0..<60).map { UInt8($0) }
    let snapshot = Snapshot(
      position: Position(index: leader.delivered, term: leader.term), membership: membership.membership,
      membershipIndex: membership.index, size: 60, checksum: 1)
    group.call(id(1)) { $0.snapshotTaken(snapshot, now: $1, jitter: $2) }
    #expect(group.tasks[id(1)]?.contains { if case .compact = $0 { true } else { false } } == true)
    #expect(group.core(id(1)).firstIndex == leader.delivered - 1)
    group.tasks = [:]
    group.cut = []
    var stored: [UInt8] = []
    var offsets: [UInt64] = []
    for _ in 0..<200 {
      group.run(milliseconds: 10)
      for task in group.tasks.removeValue(forKey: id(1)) ?? [] {
        guard case .readPiece(let wanted, let offset, let count, let follower) = task else { continue }
        let piece = Array(bytes[Int(offset)..<Int(offset + count)])
        group.call(id(1)) { $0.pieceRead(piece, of: wanted, offset: offset, for: follower, now: $1, jitter: $2) }
      }
      for task in group.tasks.removeValue(forKey: id(3)) ?? [] {
        switch task {
        case .writePiece(let piece):
          offsets.append(piece.offset)
          stored += piece.bytes
          group.call(id(3)) { $0.pieceWritten(piece, succeeded: true, now: $1, jitter: $2) }
        case .install(let installed):
          #expect(installed == snapshot)
          group.call(id(3)) { $0.installed(installed, succeeded: true, now: $1, jitter: $2) }
        default: break
        }
      }
    }
    #expect(offsets == [0, 25, 50])
    #expect(stored == bytes)
    #expect(group.core(id(3)).last == group.core(id(1)).last)
    #expect(group.core(id(3)).membership.membership == members([1, 2, 3]))
    group.propose(id(1), "after")
    group.run(milliseconds: 100)
    #expect(group.texts(id(3)) == ["after"])
  }

  @Test func aSnapshotOfWhatIsThereChangesNothing() {
    var group = Group(voters: 3)
    group.elect(id(1))
    group.propose(id(1), "a")
    group.deliver()
    group.run(milliseconds: 100)
    let stale = Snapshot(
      position: Position(index: 2, term: 2), membership: members([2]), membershipIndex: 1, size: 4, checksum: 0)
    let term = group.core(id(1)).term
    let answers = group.inject(
      .snapshot(SnapshotPiece(snapshot: stale, offset: 0, bytes: [1, 2, 3, 4], round: 0, sent: 0)), from: id(1),
      to: id(2),
      term: term)
    #expect(group.tasks[id(2)]?.isEmpty != false)
    #expect(group.core(id(2)).membership.membership == members([1, 2, 3]))
    #expect(answers.map(\.body) == [.appendReply(AppendReply(outcome: .matched(index: 3), round: 0, sent: 0))])
  }
}
