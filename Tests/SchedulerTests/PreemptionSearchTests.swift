import Codec
import Model
import State
import Testing

@testable import Scheduler

/// The search for the smallest sacrifice, against trying every subset.
@Suite struct PreemptionSearchTests {
  private typealias Candidate = PreemptionSearch.Candidate
  private typealias Amounts = PreemptionSearch.Amounts

  private static func amounts(_ values: [Int32]) -> Amounts {
    var amounts = Amounts(repeating: 0)
    for (index, value) in values.enumerated() { amounts[index] = value }
    return amounts
  }

  private static func freed(_ chosen: [Candidate], _ dimension: Int) -> Int32 {
    chosen.reduce(0) { $0 + $1.freed[dimension] }
  }

  /// Every subset, the smallest sacrifice by the order of `Sacrifice`.
  private static func exhaustive(_ ask: Demand, _ need: Amounts, _ candidates: [Candidate]) -> Sacrifice? {
    var best: Sacrifice?
    for mask in 0..<(1 << candidates.count) {
      let chosen = candidates.indices.filter { mask & (1 << $0) != 0 }
      let isEnough = need.indices.allSatisfy { dimension in
        need[dimension] <= 0 || freed(chosen.map { candidates[$0] }, dimension) >= need[dimension]
      }
      guard isEnough else { continue }
      let sacrifice = Self.sacrifice(ask, chosen.map { candidates[$0] })
      if let known = best, !(sacrifice < known) { continue }
      best = sacrifice
    }
    return best
  }

  private static func sacrifice(_ ask: Demand, _ victims: [Candidate]) -> Sacrifice {
    var freed = Demand(cpu: 0, memory: 0, disk: 0)
    for victim in victims {
      freed.cpu += victim.demand.cpu
      freed.memory += victim.demand.memory
      freed.disk += victim.demand.disk
    }
    return Sacrifice(
      priorities: victims.map(\.priority).sorted(by: >), distance: Sacrifice.distance(ask: ask, freed: freed))
  }

  /// 8,000 generated nodes with up to nine allocations, one to five dimensions short, few and many priorities.
  @Test(arguments: 0..<8) func theSacrificeIsTheSmallestThereIs(part: Int) {
    var random = RandomBits(seed: UInt64(part) + 100)
    func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    var possible = 0
    var search = PreemptionSearch()
    for number in 0..<1_000 {
      let extras = draw(0...2)
      let coarse = draw(0...1) == 0
      let candidates = (0..<draw(0...9)).map { _ in
        Candidate(
          priority: Int16(draw(1...draw(1...4)) * 10),
          demand: Demand(
            cpu: Int32(draw(0...8) * 100), memory: Int32(coarse ? draw(1...2) * 512 : draw(1...900)),
            disk: Int32(draw(0...3) * 100)), extras: (0..<extras).map { _ in Int32(draw(0...2)) })
      }
      let ask = Demand(cpu: Int32(draw(0...20) * 100), memory: Int32(draw(1...3_000)), disk: Int32(draw(0...6) * 100))
      var lacking = [ask.cpu - Int32(draw(0...5) * 100), ask.memory - Int32(draw(0...900)), ask.disk]
      lacking += (0..<extras).map { _ in Int32(draw(-1...3)) }
      let need = Self.amounts(lacking)
      let expected = Self.exhaustive(ask, need, candidates)
      let found = search.victims(ask: ask, need: need, among: candidates)
      guard let expected else {
        #expect(found == nil, "part \(part), case \(number)")
        continue
      }
      possible += 1
      let chosen = (found ?? []).map { candidates[$0] }
      #expect(found != nil && Set(found ?? []).count == chosen.count)
      let sacrifice = Self.sacrifice(ask, chosen)
      #expect(sacrifice.priorities == expected.priorities, "part \(part), case \(number)")
      #expect(abs(sacrifice.distance - expected.distance) < 1e-9, "part \(part), case \(number)")
      for dimension in need.indices {
        #expect(need[dimension] <= 0 || Self.freed(chosen, dimension) >= need[dimension])
      }
    }
    #expect(possible > 300)
  }

  /// A node with two hundred different allocations: the search is cut off, and what it says is enough and not too much.
  @Test func aCrowdedNodeIsAnsweredInTime() throws {
    var random = RandomBits(seed: 9)
    let candidates = (0..<200).map { _ in
      Candidate(
        priority: Int16.random(in: 1...4, using: &random) * 10,
        demand: Demand(
          cpu: Int32.random(in: 50...300, using: &random), memory: Int32.random(in: 50...300, using: &random),
          disk: Int32.random(in: 50...300, using: &random)))
    }
    let ask = Demand(cpu: 9_000, memory: 9_000, disk: 9_000)
    let need = Self.amounts([9_000, 9_000, 9_000])
    var search = PreemptionSearch()
    let answer = search.victims(ask: ask, need: need, among: candidates)
    let found = try #require(answer)
    for dimension in 0..<3 { #expect(Self.freed(found.map { candidates[$0] }, dimension) >= need[dimension]) }
    // Whoever of the victims is left out is missed.
    for spared in found {
      let rest = found.filter { $0 != spared }
      #expect(
        (0..<3).contains { dimension in
          Self.freed(rest.map { candidates[$0] }, dimension) < need[dimension]
        })
    }
  }

  @Test(
    arguments: [
      ([70], [50, 50, 20], false), ([50, 20], [50, 20, 20], true), ([50], [20, 20, 20, 20], false), ([], [1], true),
      ([50, 20], [50, 50], true), ([20], [20], false),
    ] as [([Int16], [Int16], Bool)]) func higherPrioritiesCountFirst(left: [Int16], right: [Int16], isLess: Bool)
  {
    #expect((Sacrifice(priorities: left, distance: 0) < Sacrifice(priorities: right, distance: 0)) == isLess)
  }
}
