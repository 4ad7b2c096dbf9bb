import Testing

@testable import Gossip

/// Encrypted pools: keys, wrong keys, recorded packets.
@Suite struct KeyRingTests {
  private let one = [UInt8](repeating: 1, count: 32)
  private let two = [UInt8](repeating: 2, count: 32)

  private func pool(_ count: Int) throws -> Simulation {
    var simulation = Simulation(count, seed: 11)
    try simulation.startAll(keys: [one])
    try #require(simulation.run(upTo: 30 * second) { $0.agrees } != nil)
    return simulation
  }

  @Test func memberWithAnotherKeyOrNoneStaysOutside() throws {
    for keys in [[two], []] {
      var simulation = Simulation(4, seed: 5)
      for index in 0..<3 { try simulation.start(index, keys: [one]) }
      try simulation.start(3, keys: keys)
      for index in 1..<4 { simulation.join(index, [0]) }
      simulation.run(for: 60 * second)
      #expect(simulation.nodes[3].joins[1] == 0)
      #expect(simulation.present(at: 3) == ["n3.global"])
      #expect(simulation.present(at: 0) == ["n0.global", "n1.global", "n2.global"])
      let counted = try #require(simulation.nodes[0].core?.statistics)
      #expect(keys.isEmpty ? counted.unencrypted > 0 : counted.wronglyKeyed > 0)
    }
  }

  @Test func plainPoolRefusesEncryptedPackets() throws {
    var simulation = Simulation(2, seed: 5)
    try simulation.start(0)
    try simulation.start(1, keys: [one])
    simulation.join(1, [0])
    simulation.run(for: 5 * second)
    #expect(simulation.nodes[1].joins[1] == 0)
    #expect(try #require(simulation.nodes[0].core?.statistics.wronglyKeyed) > 0)
  }

  @Test func keyIsChangedWhileThePoolRunsWithoutAFailure() throws {
    var simulation = try pool(6)
    func run(_ operation: UInt64, _ order: KeyRingOperation) throws -> KeyRingReport {
      simulation.order(0, .keyRing(operation: operation, order))
      simulation.run(for: 5 * second)
      return try #require(simulation.nodes[0].keyRings[operation])
    }
    let installed = try run(1, .install(two))
    #expect(installed.errors.isEmpty && installed.members == 6)
    #expect(installed.keys == [one: 6, two: 6] && installed.primaryKeys == [one: 6])
    let used = try run(2, .use(two))
    #expect(used.errors.isEmpty && used.primaryKeys == [two: 6])
    let removed = try run(3, .remove(one))
    #expect(removed.errors.isEmpty && removed.keys == [two: 6])
    simulation.run(for: 60 * second)
    #expect(simulation.agrees)
    #expect(simulation.falsePositives(of: Set(0..<6), at: Set(0..<6)) == 0)
    #expect(simulation.nodes.allSatisfy { $0.core?.installedKeys == [two] })
  }

  @Test func primaryAndUnknownKeysAreRefusedByEveryMember() throws {
    var simulation = try pool(3)
    simulation.order(1, .keyRing(operation: 1, .remove(one)))
    simulation.order(1, .keyRing(operation: 2, .use(two)))
    simulation.run(for: 5 * second)
    #expect(simulation.nodes[1].keyRings[1]?.errors.count == 3)
    #expect(simulation.nodes[1].keyRings[2]?.errors.count == 3)
    #expect(simulation.nodes.allSatisfy { $0.core?.installedKeys == [one] })
  }

  @Test func keyRingOfAPlainPoolIsRefused() throws {
    var simulation = Simulation(2, seed: 1)
    try simulation.startAll()
    simulation.run(for: 5 * second)
    simulation.order(0, .keyRing(operation: 1, .install(one)))
    simulation.run(for: second)
    #expect(simulation.nodes[0].keyRings[1]?.errors.count == 2)
    #expect(simulation.nodes.allSatisfy { $0.core?.installedKeys == [] })
  }

  @Test func recordedPacketsAreCountedAndDropped() throws {
    var simulation = Simulation(3, seed: 2)
    simulation.records = true
    try simulation.startAll(keys: [one])
    simulation.run(for: 20 * second)
    let before = try #require(simulation.nodes[0].core)
    for packet in simulation.recorded { simulation.inject(packet, from: 1, to: 0) }
    let count = simulation.recorded.count
    simulation.records = false
    simulation.run(for: 1)
    let after = try #require(simulation.nodes[0].core)
    // Those from member 0 itself are passed over. Those for member 2 were never seen by 0, which takes them once: what
    // they say is old.
    #expect(after.statistics.replayed > before.statistics.replayed + UInt64(count) / 8)
    #expect(after.members == before.members)
    #expect(after.statistics.malformed == 0)
  }

  @Test func memberWhoseClockWentBackIsTakenInAgain() throws {
    var simulation = try pool(3)
    simulation.kill(2)
    try simulation.start(2, keys: [one], session: 0)
    simulation.join(2, [0])
    simulation.run(for: 20 * second)
    #expect(simulation.agrees)
    #expect(simulation.nodes[2].joins[1] == 1)
  }

  @Test func alteredPacketsAreCountedAndDropped() throws {
    var simulation = Simulation(2, seed: 2)
    simulation.records = true
    try simulation.startAll(keys: [one])
    simulation.run(for: 10 * second)
    let packet = try #require(simulation.recorded.last)
    for index in packet.indices {
      var altered = packet
      altered[index] ^= 0x40
      simulation.inject(altered, from: 1, to: 0)
    }
    let before = try #require(simulation.nodes[0].core)
    simulation.run(for: 1)
    let after = try #require(simulation.nodes[0].core)
    let dropped = { (core: GossipCore) in
      core.statistics.wronglyKeyed + core.statistics.malformed + core.statistics.incompatible
        + core.statistics.unencrypted
    }
    // The toy cipher's padding is not authenticated; a real one has none.
    #expect(dropped(after) - dropped(before) >= UInt64(packet.count - 20))
    #expect(after.members == before.members)
  }

  @Test func windowTakesEachNumberOnceAndOldOnesNever() {
    var window = ReplayGuard.Window()
    let numbers: [UInt64] = [0, 5, 3, 1, 5, 3, 1029, 5, 6, 6, .max, 1029, .max]
    let taken = numbers.map { window.accept($0) }
    #expect(
      taken == [false, true, true, true, false, false, true, false, true, false, true, false, false])
  }

  @Test func keysHaveTheLengthsOfAES() throws {
    for length in [16, 24, 32] { _ = try KeyRing([[UInt8](repeating: 7, count: length)]) }
    for length in [0, 15, 31, 33] {
      #expect(throws: KeyRingError.self) { try KeyRing([[UInt8](repeating: 7, count: length)]) }
    }
  }
}
