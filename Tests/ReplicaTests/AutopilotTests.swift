import Model
import Raft
import Replica
import Testing

@Suite struct AutopilotTests {
  private func members(_ roles: [Member.Role]) -> Membership {
    Membership(
      roles.enumerated().map { Member(id: ServerID(UInt64($0 + 1)), address: "s\($0 + 1)", role: $1) })
  }

  private func server(
    _ number: UInt64, _ state: AutopilotServer.State = .alive, mayJoin: Bool = true, at: String? = nil
  )
    -> AutopilotServer
  {
    AutopilotServer(
      id: ServerID(number), name: "s\(number)", address: at ?? "s\(number)", state: state, mayJoin: mayJoin)
  }

  /// What is done with these members and servers after `seconds` in which nothing changed; silent ones do not answer.
  private func decision(
    _ membership: Membership, _ servers: [AutopilotServer], silent: Set<UInt64> = [], seconds: UInt64 = 60,
    _ configure: (inout AutopilotConfiguration) -> Void = { _ in }
  ) -> Autopilot.Decision? {
    var configuration = AutopilotConfiguration()
    configure(&configuration)
    var autopilot = Autopilot()
    let progress = membership.members.map { member in
      let isSilent = silent.contains(member.id.rawValue)
      return (id: member.id, match: UInt64(isSilent ? 0 : 100), sinceContact: UInt64(isSilent ? 60_000_000_000 : 0))
    }
    var last: Autopilot.Decision?
    for now in [0, seconds * 1_000_000_000] {
      last = autopilot.next(
        membership: membership, isChanging: false, leader: ServerID(1), progress: progress, last: 100, servers: servers,
        configuration: configuration, now: now)
    }
    return last
  }

  @Test func aNewServerBecomesAMemberWithoutAVoteAndGetsOneWhenItIsStable() throws {
    let one = members([.voter])
    let arrival = try #require(decision(one, [server(2)]))
    #expect(arrival.membership == members([.voter, .learner]))
    #expect(decision(one, [server(2, mayJoin: false)]) == nil, "it belongs to another cluster")
    let two = arrival.membership
    #expect(decision(two, [server(2)], seconds: 5) == nil, "not yet")
    #expect(try #require(decision(two, [server(2)], seconds: 11)).membership == members([.voter, .voter]))
    #expect(decision(two, [server(2)], silent: [2]) == nil)
    #expect(decision(two, [server(2)], seconds: 2) { $0.serverStabilizationTime = "1s" } != nil)
  }

  @Test func aServerThatLeftGoesUnlessTheRestWouldHaveNoMajority() throws {
    let three = members([.voter, .voter, .voter])
    let left = try #require(decision(three, [server(2), server(3, .left)], silent: [3]))
    #expect(left.membership == members([.voter, .voter]))
    #expect(decision(three, [server(2, .failed), server(3, .left)], silent: [2, 3]) == nil)
  }

  @Test func aFailedServerStaysUntilAnotherIsThereInItsPlace() throws {
    let three = members([.voter, .voter, .voter])
    #expect(decision(three, [server(2), server(3, .failed)], silent: [3]) == nil)
    let four = members([.voter, .voter, .voter, .voter])
    let servers = [server(2), server(3), server(4, .failed)]
    #expect(try #require(decision(four, servers, silent: [4])).membership == three)
    #expect(decision(four, servers, silent: [4], seconds: 5) == nil, "it may come back")
    #expect(decision(four, servers, silent: [4]) { $0.cleanupDeadServers = false } == nil)
    #expect(decision(four, servers, silent: [4]) { $0.minQuorum = 4 } == nil)
    #expect(decision(four, [server(2), server(3, .failed), server(4, .failed)], silent: [3, 4]) == nil)
  }

  @Test func anotherAddressMakesNoOtherServer() throws {
    let three = members([.voter, .voter, .voter])
    let moved = try #require(decision(three, [server(2, at: "elsewhere"), server(3)]))
    #expect(moved.membership.voters == three.voters)
    #expect(moved.membership.member(ServerID(2))?.address == "elsewhere")
  }
}
