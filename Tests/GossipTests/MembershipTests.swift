import Testing

@testable import Gossip

/// What an operator sees of a pool: join, failure, goodbye, return.
@Suite struct MembershipTests {
  private func pool(_ count: Int, seed: UInt64 = 1, keys: [[UInt8]] = []) throws -> Simulation {
    var simulation = Simulation(count, seed: seed)
    try simulation.startAll(keys: keys)
    let time = simulation.run(upTo: 60 * second) { $0.agrees }
    try #require(time != nil, "the pool did not come together within a minute")
    return simulation
  }

  @Test func everybodyKnowsEverybodySoonAfterJoining() throws {
    var simulation = Simulation(20, seed: 7)
    try simulation.startAll()
    let time = try #require(simulation.run(upTo: 60 * second) { $0.agrees })
    #expect(time < 3 * second)
    for index in 1..<20 { #expect(simulation.nodes[index].joins[1] == 1) }
    // Told once each.
    for node in simulation.nodes {
      let joined = node.events.compactMap { if case .joined(let member) = $0.event { member.name } else { nil } }
      #expect(joined.count == 19 && Set(joined).count == 19)
    }
  }

  @Test func joinThatReachesNobodySaysSo() throws {
    var simulation = Simulation(2, seed: 1)
    try simulation.start(0)
    simulation.join(0, [1], operation: 9)
    simulation.run(for: second)
    #expect(simulation.nodes[0].joins[9] == 0)
  }

  @Test func ownAddressCountsOnlyWhenItIsAllThereIs() throws {
    var simulation = Simulation(2, seed: 1)
    try simulation.start(0)
    simulation.join(0, [0], operation: 1)
    simulation.join(0, [0, 1], operation: 2)
    simulation.run(for: second)
    #expect(simulation.nodes[0].joins == [1: 1, 2: 0])
  }

  @Test func killedMemberFailsWithinTheBoundOfSWIM() throws {
    for seed in 1...20 as ClosedRange<UInt64> {
      var simulation = try pool(5, seed: seed)
      simulation.kill(3)
      let time = try #require(
        simulation.run(upTo: 120 * second) { simulation in
          [0, 1, 2, 4].allSatisfy { simulation.status(of: 3, at: $0) == .failed }
        })
      // One round of probes, one probe that fails, the longest suspicion (4 × 6 intervals), and its spreading.
      #expect(time <= (5 + 2 + 24 + 2) * second, "seed \(seed): \(time / 1_000_000) ms")
      #expect(simulation.falsePositives(of: [0, 1, 2, 4], at: [0, 1, 2, 4]) == 0)
    }
  }

  @Test func leavingMemberIsKnownToHaveLeftAndNeverFails() throws {
    var simulation = try pool(8)
    simulation.order(5, .leave)
    let others = Set(0..<8).subtracting([5])
    let time = simulation.run(upTo: 30 * second) { simulation in
      simulation.nodes[5].hasLeft && others.allSatisfy { simulation.status(of: 5, at: $0) == .left }
    }
    #expect(try #require(time) < 5 * second)
    simulation.run(for: 60 * second)
    #expect(simulation.falsePositives(of: [5], at: others) == 0)
    #expect(others.allSatisfy { simulation.status(of: 5, at: $0) == .left })
  }

  @Test func lastMemberLeavesAtOnce() throws {
    var simulation = Simulation(1, seed: 1)
    try simulation.start(0)
    simulation.order(0, .leave)
    #expect(simulation.nodes[0].hasLeft)
  }

  @Test(arguments: [1, 100] as [UInt64])
  func memberThatLeftComesBackWhateverItsIncarnation(incarnation: UInt64) throws {
    var simulation = try pool(5)
    simulation.order(2, .leave)
    simulation.run(for: 10 * second)
    try simulation.start(2, incarnation: incarnation)
    simulation.join(2, [0])
    #expect(simulation.run(upTo: 30 * second) { $0.agrees } != nil)
  }

  @Test func restartedMemberIsBackBeforeItWasMissed() throws {
    var simulation = try pool(5)
    simulation.kill(2)
    simulation.run(for: second / 2)
    try simulation.start(2)
    simulation.join(2, [0, 1])
    #expect(simulation.run(upTo: 30 * second) { $0.agrees } != nil)
    simulation.run(for: 60 * second)
    #expect(simulation.agrees)
    #expect(simulation.falsePositives(of: [2], at: [0, 1, 3, 4]) == 0)
  }

  @Test func failedMemberThatComesBackWithoutJoiningIsFoundAgain() throws {
    var simulation = try pool(4)
    simulation.partition([3])
    let failed = simulation.run(upTo: 120 * second) { simulation in
      [0, 1, 2].allSatisfy { simulation.status(of: 3, at: $0) == .failed }
    }
    #expect(failed != nil)
    simulation.faults.cut = []
    // Reconnecting tries one failed member every 15 s from each side.
    #expect(try #require(simulation.run(upTo: 120 * second) { $0.agrees }) < 40 * second)
  }

  @Test func forceLeaveTurnsFailedIntoLeftEverywhereAndPruneForgets() throws {
    var simulation = try pool(5)
    simulation.kill(4)
    let others = [0, 1, 2, 3]
    simulation.run(upTo: 120 * second) { simulation in
      others.allSatisfy { simulation.status(of: 4, at: $0) == .failed }
    }
    simulation.order(1, .forceLeave("n4.global", prune: false))
    #expect(
      simulation.run(upTo: 10 * second) { simulation in
        others.allSatisfy { simulation.status(of: 4, at: $0) == .left }
      } != nil)
    simulation.order(2, .forceLeave("n4.global", prune: true))
    #expect(
      simulation.run(upTo: 10 * second) { simulation in
        others.allSatisfy { simulation.status(of: 4, at: $0) == nil }
      } != nil)
    simulation.run(for: 120 * second)
    #expect(others.allSatisfy { simulation.status(of: 4, at: $0) == nil }, "old news brought it back")
    try simulation.start(4)
    simulation.join(4, [0])
    #expect(simulation.run(upTo: 30 * second) { $0.agrees } != nil)
  }

  @Test func livingMemberObjectsToForceLeave() throws {
    var simulation = try pool(5)
    simulation.order(0, .forceLeave("n3.global", prune: false))
    simulation.run(for: 10 * second)
    #expect(simulation.agrees)
  }

  @Test func tagsReachEverybody() throws {
    var simulation = try pool(6)
    simulation.order(2, .setTags(["id": "id-2", "role": "server", "expect": "3"]))
    let time = simulation.run(upTo: 10 * second) { simulation in
      simulation.nodes.allSatisfy { node in
        node.core?.members.first { $0.name == "n2.global" }?.tags["expect"] == "3"
      }
    }
    #expect(try #require(time) < 3 * second)
    #expect(
      simulation.nodes[0].events.contains {
        if case .updated(let member) = $0.event { member.name == "n2.global" } else { false }
      })
  }

  @Test func memberKeepsItsPlaceAtAnotherAddressAndAStrangerDoesNotGetIt() throws {
    var simulation = Simulation(4, seed: 3)
    for index in 0..<3 { try simulation.start(index) }
    for index in 1..<3 { simulation.join(index, [0]) }
    simulation.run(upTo: 10 * second) { $0.agrees }
    var core = try #require(simulation.nodes[0].core)
    func hear(_ id: String) -> [GossipCore.Output] {
      let claim = Member(
        name: "n2.global", address: GossipAddress(host: "elsewhere", port: 1), tags: ["id": id], incarnation: 50)
      let envelope = Envelope(lane: .packet, sender: "x", session: 1, number: 1, exchange: 0)
      guard let ring = try? KeyRing(), let packet = envelope.packed(Message.alive(claim).encoded, ring, .toy) else {
        return []
      }
      return core.step(.packet(packet, from: claim.address), now: simulation.now)
    }
    let refused = hear("another")
    #expect(refused.contains { if case .event(.conflict) = $0 { true } else { false } })
    #expect(core.members.contains { $0.name == "n2.global" && $0.address.host == "n2" })
    let moved = hear("id-2")
    #expect(moved.contains { if case .event(.updated) = $0 { true } else { false } })
    #expect(core.members.contains { $0.name == "n2.global" && $0.address.host == "elsewhere" })
  }

  @Test func memberOfAnUnknownProtocolIsNotTakenIn() throws {
    var simulation = try pool(2)
    var core = try #require(simulation.nodes[0].core)
    let stranger = Member(
      name: "new", address: GossipAddress(host: "n", port: 1), protocolMin: GossipProtocol.highestVersion + 1,
      protocolMax: GossipProtocol.highestVersion + 2)
    let envelope = Envelope(lane: .packet, sender: "x", session: 1, number: 1, exchange: 0)
    let packet = try #require(envelope.packed(Message.alive(stranger).encoded, try KeyRing(), .toy))
    let outputs = core.step(.packet(packet, from: stranger.address), now: simulation.now)
    #expect(outputs.contains { if case .event(.incompatible) = $0 { true } else { false } })
    #expect(!core.members.contains { $0.name == "new" })
    simulation.run(for: second)
  }

  @Test func sameSeedGivesTheSameRun() throws {
    func trace(_ seed: UInt64) throws -> [String] {
      var simulation = Simulation(8, seed: seed)
      simulation.faults.loss = 0.2
      try simulation.startAll()
      simulation.run(for: 20 * second)
      simulation.kill(3)
      simulation.run(for: 60 * second)
      // Without the tags, whose order in a description is another one each time.
      return simulation.nodes.flatMap { node in
        node.events.map { happened in
          switch happened.event {
          case .joined(let member): "\(happened.time) \(member.name) joined in \(member.incarnation)"
          case .failed(let member): "\(happened.time) \(member.name) failed in \(member.incarnation)"
          default: "\(happened.time) something else"
          }
        }
      } + ["\(simulation.packets)"]
    }
    #expect(try trace(5) == trace(5))
    #expect(try trace(5) != trace(6))
  }
}
