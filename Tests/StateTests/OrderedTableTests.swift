import Testing

@testable import State

/// Numbers from a seed (SplitMix64), so that a failing run can be repeated.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

@Suite struct OrderedTableTests {
  /// Built as a whole or grown in sorted batches, then changed at random: the same as a dictionary.
  @Test(arguments: [0, 1, 71, 72, 73, 96, 97, 3_456, 3_457, 50_000]) func whatIsBuiltAsAWholeGrowsOn(size: Int) {
    var generator = SeededGenerator(state: UInt64(size))
    var table = OrderedTable<Int, Int>(ascending: Array(0..<size).map { $0 * 3 }, value: 7)
    var model = Dictionary(uniqueKeysWithValues: (0..<size).map { ($0 * 3, 7) })
    #expect(table.count == size && table.map(\.key) == model.keys.sorted())
    let more = Set((0..<size / 2 + 5).map { _ in Int.random(in: 0..<size * 3 + 10, using: &generator) }).sorted()
    table.insert(ascending: more, value: 8)
    for key in more { model[key] = 8 }
    for _ in 0..<2_000 {
      let key = Int.random(in: 0..<size * 3 + 10, using: &generator)
      if Bool.random(using: &generator) {
        #expect(table.remove(key) == model.removeValue(forKey: key))
      } else {
        #expect(table.set(key, key) == model.updateValue(key, forKey: key))
      }
    }
    #expect(table.count == model.count && table.map(\.key) == model.keys.sorted())
    #expect(table.allSatisfy { model[$0.key] == $0.value })
  }

  /// Random sets, removals and changes beside a dictionary, with phases of growth and of shrinking.
  @Test(arguments: 1...6) func behavesLikeASortedDictionary(seed: Int) {
    var generator = SeededGenerator(state: UInt64(seed))
    var table = OrderedTable<Int, Int>()
    var model: [Int: Int] = [:]
    var copies: [(OrderedTable<Int, Int>, [Int: Int])] = []
    let range = [20, 500, 30_000][seed % 3]
    for step in 0..<12_000 {
      let key = Int.random(in: 0..<range, using: &generator)
      let growing = step / 3_000 % 2 == 0
      switch Int.random(in: 0..<10, using: &generator) {
      case 0..<(growing ? 7 : 2):
        #expect(table.set(key, step) == model.updateValue(step, forKey: key))
      case 7:
        table.modify(key, initial: 0) { value in
          value += 1
          return value % 3 != 0
        }
        let value = (model[key] ?? 0) + 1
        model[key] = value % 3 == 0 ? nil : value
      default:
        #expect(table.remove(key) == model.removeValue(forKey: key))
      }
      #expect(table[key] == model[key])
      if step % 1_500 == 0 { copies.append((table, model)) }
    }
    copies.append((table, model))
    for (table, model) in copies {
      #expect(table.count == model.count)
      #expect(table.map(\.key) == model.keys.sorted())
      #expect(table.allSatisfy { model[$0.key] == $0.value })
      let start = Int.random(in: -1...range, using: &generator)
      #expect(table.from(start).map(\.key) == model.keys.filter { $0 >= start }.sorted())
    }
  }

  @Test func emptiesCompletely() {
    var table = OrderedTable<Int, Int>()
    for key in 0..<5_000 { table.set(key, key) }
    for key in (0..<5_000).reversed() { table.remove(key) }
    #expect(table.isEmpty)
    #expect(table.root.isLeaf)
    #expect(Array(table).isEmpty)
  }
}
