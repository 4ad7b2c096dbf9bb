import Testing

@testable import Gossip

/// The failure detector under faults, over many seeds, beside what the papers claim of it.
@Suite struct DetectionTests {
  private struct Figures: CustomStringConvertible {
    var values: [Double] = []
    mutating func add(_ nanoseconds: UInt64) { values.append(Double(nanoseconds) / 1e9) }
    func share(_ part: Double) -> Double {
      values.isEmpty ? 0 : values.sorted()[min(values.count - 1, Int(part * Double(values.count)))]
    }
    var description: String {
      func short(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
      return "n \(values.count), p50 \(short(share(0.5))) s, p99 \(short(share(0.99))) s, max \(short(share(1))) s"
    }
  }

  private func pool(_ count: Int, _ seed: UInt64, _ configuration: GossipConfiguration = .init()) throws -> Simulation {
    var simulation = Simulation(count, seed: seed, configuration: configuration)
    try simulation.startAll()
    try #require(simulation.run(upTo: 60 * second) { $0.agrees } != nil, "seed \(seed)")
    return simulation
  }

  /// SWIM §3.1: the expected time to the first detection does not depend on the size of the pool; §4.3: with the
  /// round-robin order its worst case is bounded by one round.
  @Test func timeToFirstDetectionDoesNotGrowWithThePool() throws {
    var medians: [Double] = []
    for size in [4, 8, 16, 32] {
      var first = Figures()
      for seed in 1...25 as ClosedRange<UInt64> {
        var simulation = try pool(size, seed)
        let victim = size / 2
        simulation.kill(victim)
        let observers = Set(0..<size).subtracting([victim])
        let time = try #require(
          simulation.run(upTo: 200 * second) { simulation in
            observers.contains { [.suspect, .failed].contains(simulation.status(of: victim, at: $0)) }
          }, "seed \(seed)")
        first.add(time)
      }
      print("gossip: first suspicion of a killed member, pool of \(size): \(first)")
      medians.append(first.share(0.5))
    }
    // e/(e-1) ≈ 1.58 intervals expected, and the interval of the probe that fails.
    #expect(medians.allSatisfy { $0 < 4 }, "\(medians)")
  }

  /// A message lost here and there is no reason to suspect anybody for long: 10 % of all packets, 100 seeds.
  @Test func lossOfPacketsMakesNobodyFail() throws {
    var failures = 0
    var suspicions: UInt64 = 0
    for seed in 1...100 as ClosedRange<UInt64> {
      var simulation = try pool(8, seed)
      simulation.faults.loss = 0.1
      simulation.faults.duplication = 0.05
      simulation.run(for: 60 * second)
      failures += simulation.falsePositives(of: Set(0..<8), at: Set(0..<8))
      suspicions += simulation.nodes.reduce(0) { $0 + ($1.core?.statistics.suspicions ?? 0) }
    }
    print("gossip: 10 % loss, 100 seeds × 8 members × 60 s: \(suspicions) suspicions, \(failures) false failures")
    #expect(failures == 0)
  }

  /// Random faults of every kind, then none: everybody agrees again. 150 seeds.
  @Test func poolAgreesAgainOnceFaultsStop() throws {
    var times = Figures()
    for seed in 1...150 as ClosedRange<UInt64> {
      var random = GossipRandom(seed: seed)
      let size = 3 + random.below(6)
      var simulation = Simulation(size, seed: seed)
      try simulation.startAll(keys: seed % 2 == 0 ? [[UInt8](repeating: 9, count: 32)] : [])
      simulation.run(for: 5 * second)
      for _ in 0..<6 {
        let index = random.below(size)
        switch random.below(7) {
        case 0: simulation.faults.loss = Double(random.below(40)) / 100
        case 1: simulation.partition([index])
        case 2: simulation.faults.cut.insert(.init(from: index, to: random.below(size)))
        case 3: simulation.kill(index)
        case 4:
          if simulation.nodes[index].core != nil { simulation.pause(index, for: UInt64(random.below(20)) * second) }
        case 5: simulation.faults.delay = 1_000_000...(UInt64(random.below(600) + 2) * 1_000_000)
        default:
          if simulation.nodes[index].core == nil {
            try simulation.start(index, keys: seed % 2 == 0 ? [[UInt8](repeating: 9, count: 32)] : [])
            simulation.join(index, [(index + 1) % size])
          }
        }
        simulation.run(for: UInt64(random.below(20) + 1) * second)
      }
      simulation.faults = .init()
      for index in 0..<size where simulation.nodes[index].core == nil {
        try simulation.start(index, keys: seed % 2 == 0 ? [[UInt8](repeating: 9, count: 32)] : [])
        simulation.join(index, Array(0..<size))
      }
      let time = simulation.run(upTo: 300 * second) { $0.agrees }
      try #require(time != nil, "seed \(seed): \((0..<size).map { simulation.present(at: $0).count }) of \(size)")
      times.add(try #require(time))
    }
    print("gossip: agreement after random faults: \(times)")
    #expect(times.share(1) < 180)
  }

  /// Both halves of a split pool see the other one fail, and find each other again.
  @Test func halvesOfASplitPoolFindEachOther() throws {
    var healing = Figures()
    for seed in 1...30 as ClosedRange<UInt64> {
      var simulation = try pool(6, seed)
      simulation.partition([0, 1, 2])
      let split = simulation.run(upTo: 120 * second) { simulation in
        (0..<3).allSatisfy { simulation.present(at: $0).count == 3 }
          && (3..<6).allSatisfy { simulation.present(at: $0).count == 3 }
      }
      try #require(split != nil, "seed \(seed)")
      simulation.faults.cut = []
      healing.add(try #require(simulation.run(upTo: 200 * second) { $0.agrees }, "seed \(seed)"))
    }
    print("gossip: healing of a split pool of six: \(healing)")
    #expect(healing.share(1) < 60)
  }

  @Test func memberThatNoPacketReachesIsSavedByTCP() throws {
    var simulation = try pool(5, 1)
    simulation.faults.blocksUDP = [2]
    simulation.run(for: 120 * second)
    #expect(simulation.falsePositives(of: [2], at: [0, 1, 3, 4]) == 0)
    #expect(simulation.nodes.contains { ($0.core?.statistics.probesSavedByTCP ?? 0) > 0 })
  }

  @Test func oneWayCutBetweenTwoIsBridgedByTheOthers() throws {
    for seed in 1...20 as ClosedRange<UInt64> {
      var simulation = try pool(6, seed)
      simulation.faults.cut = [.init(from: 0, to: 1)]
      simulation.run(for: 120 * second)
      #expect(simulation.falsePositives(of: Set(0..<6), at: Set(0..<6)) == 0, "seed \(seed)")
    }
  }

  /// Lifeguard §V-C: members that the network reaches late, again and again, accuse healthy ones, and healthy ones believe
  /// it. The paper's SWIM has α = 5 and fixed times; Lifeguard α = 5, β = 6, S = 8, and had 50 to 100 times fewer false
  /// positives at healthy members.
  @Test func slowMembersAccuseFarFewerHealthyOnesWithLifeguard() throws {
    func falsePositives(lifeguard: Bool) throws -> (total: Int, atHealthy: Int) {
      var configuration = GossipConfiguration()
      configuration.suspicionFactor = 5
      configuration.suspicionMaxFactor = lifeguard ? 6 : 1
      configuration.maxAwareness = lifeguard ? 8 : 0
      var sum = (total: 0, atHealthy: 0)
      for seed in 1...6 as ClosedRange<UInt64> {
        var simulation = try pool(24, seed, configuration)
        let slow = Set(0..<4)
        let healthy = Set(4..<24)
        // The paper's interval experiment: D = 16.384 s late, I = 256 ms in time.
        for _ in 0..<4 {
          for index in slow { simulation.stall(index, for: 16_384_000_000) }
          simulation.run(for: 16_384_000_000 + 256_000_000)
        }
        sum.total += simulation.falsePositives(of: healthy, at: Set(0..<24))
        sum.atHealthy += simulation.falsePositives(of: healthy, at: healthy)
      }
      return sum
    }
    let swim = try falsePositives(lifeguard: false)
    let lifeguard = try falsePositives(lifeguard: true)
    print(
      "gossip: false failures of healthy members, 6 seeds × 24 members (4 slow) × 67 s: SWIM \(swim.total) "
        + "(\(swim.atHealthy) at healthy ones), Lifeguard \(lifeguard.total) (\(lifeguard.atHealthy))")
    #expect(swim.atHealthy > 20, "the experiment shows nothing")
    #expect(lifeguard.total * 2 <= swim.total && lifeguard.atHealthy * 20 <= swim.atHealthy)
  }

  @Test func suspicionShortensLogarithmicallyWithAccusers() {
    var configuration = GossipConfiguration()
    configuration.suspicionFactor = 5
    configuration.suspicionMaxFactor = 6
    var suspicion = Suspicion(from: "a", members: 10, configuration: configuration, now: 0)
    // Lifeguard §IV-B with K = 3: max - (max - min) × log(C + 1) / log(K + 1), min = 5 s, max = 30 s.
    #expect(suspicion.deadline == 30 * second)
    let after = [17.5, 10.188, 5.0]
    for (accuser, seconds) in zip(["b", "c", "d"], after) {
      let isNews = suspicion.confirm(from: accuser)
      #expect(isNews)
      #expect(abs(Double(suspicion.deadline) / 1e9 - seconds) < 0.01)
    }
    let more = ["e", "b"].map { suspicion.confirm(from: $0) }
    #expect(more == [false, false])
  }
}
