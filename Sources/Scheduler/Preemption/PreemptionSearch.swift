import Glibc
import State

/// What a preemption costs, the smaller the better: first how many allocations are sacrificed at each priority, the
/// highest priority first; then how far what is freed is from what is asked.
struct Sacrifice: Comparable {
  /// The victims' priorities, highest first.
  let priorities: [Int16]
  let distance: Double

  static func < (left: Sacrifice, right: Sacrifice) -> Bool {
    if left.priorities == right.priorities { return left.distance < right.distance }
    // In descending order, fewer of the highest priority that differs is what comes first lexicographically.
    return left.priorities.lexicographicallyPrecedes(right.priorities)
  }

  /// √Σ((asked − freed) / asked)² over CPU, memory and disk, as far as something is asked.
  static func distance(ask: Demand, freed: Demand) -> Double {
    func part(_ ask: Int32, _ freed: Int32) -> Double {
      if ask <= 0 { return 0 }
      let difference = (Double(ask) - Double(freed)) / Double(ask)
      return difference * difference
    }
    return (part(ask.cpu, freed.cpu) + part(ask.memory, freed.memory) + part(ask.disk, freed.disk)).squareRoot()
  }
}

/// Finds the smallest sacrifice (`Sacrifice`) that frees what is needed on one node.
///
/// The priorities are gone through from the highest down. At each the number of victims is raised from 0 until the rest can
/// be had from what lies below, so the first number that works is the smallest; among sets of equal numbers the distance
/// decides. Allocations that free the same are one kind, of which only the number matters, and a branch that even the most
/// generous victims can't save is cut: what remains is small on real nodes. Beyond `steps` the best that was found until
/// then counts, which is always enough and never more than needed in one single place.
struct PreemptionSearch {
  struct Candidate {
    let priority: Int16
    let demand: Demand
    /// What else is needed and it frees: cores, devices of a group, places on the node; in the order of the need.
    var extras: [Int32] = []

    func freed(_ dimension: Int) -> Int64 {
      switch dimension {
      case 0: Int64(demand.cpu)
      case 1: Int64(demand.memory)
      case 2: Int64(demand.disk)
      default: Int64(extras[dimension - 3])
      }
    }
  }

  /// Equal candidates.
  private struct Kind {
    let priority: Int16
    let demand: Demand
    let freed: [Int64]
    var members: [Int]
  }

  static let maximumSteps = 20_000

  private let ask: Demand
  private let need: [Int64]
  /// By priority, highest first.
  private var kinds: [Kind] = []
  private var levels: [Range<Int>] = []
  /// For each level and number of victims the most that so many can free, dimension by dimension.
  private var most: [[[Int64]]] = []
  /// For each level what it and everything below frees.
  private var below: [[Int64]] = []
  private var steps = PreemptionSearch.maximumSteps
  private var counts: [Int] = []
  private var numbers: [Int] = []
  private var best: (counts: [Int], numbers: [Int], distance: Double)?

  /// The victims' places among the candidates.
  /// - Parameters:
  ///   - ask: what the new allocation takes; the distance is measured against it.
  ///   - need: what is lacking: CPU, memory, disk, and then what `Candidate.extras` free. Zero and less is not lacking.
  ///   - alreadyFreed: by victims that are settled; counts in the distance.
  /// - Returns: nil when not even all of them free enough.
  static func victims(
    ask: Demand, need: [Int64], among candidates: [Candidate], alreadyFreed: Demand = Demand(cpu: 0, memory: 0, disk: 0)
  ) -> [Int]? {
    let lacking = need.indices.filter { need[$0] > 0 }
    if lacking.isEmpty { return [] }
    for dimension in lacking {
      var sum: Int64 = 0
      for candidate in candidates { sum += candidate.freed(dimension) }
      if sum < need[dimension] { return nil }
    }
    var search = PreemptionSearch(ask: ask, need: need, lacking: lacking, candidates)
    _ = search.descend(0, Array(repeating: 0, count: lacking.count), alreadyFreed)
    guard let best = search.best else { return search.greedy(alreadyFreed) }
    return search.kinds.indices.flatMap { search.kinds[$0].members.prefix(best.numbers[$0]) }
  }

  private init(ask: Demand, need: [Int64], lacking: [Int], _ candidates: [Candidate]) {
    self.ask = ask
    self.need = lacking.map { need[$0] }
    let order = candidates.indices.sorted { left, right in
      let (one, other) = (candidates[left], candidates[right])
      if one.priority != other.priority { return one.priority > other.priority }
      return left < right
    }
    for index in order {
      let candidate = candidates[index]
      let freed = lacking.map { candidate.freed($0) }
      var known: Int?
      var place = kinds.count - 1
      while place >= 0, kinds[place].priority == candidate.priority {
        if kinds[place].demand == candidate.demand, kinds[place].freed == freed {
          known = place
          break
        }
        place -= 1
      }
      if let known {
        kinds[known].members.append(index)
      } else {
        kinds.append(Kind(priority: candidate.priority, demand: candidate.demand, freed: freed, members: [index]))
      }
    }
    var start = 0
    for place in kinds.indices where place + 1 == kinds.count || kinds[place + 1].priority != kinds[place].priority {
      levels.append(start..<place + 1)
      start = place + 1
    }
    numbers = Array(repeating: 0, count: kinds.count)
    counts = Array(repeating: 0, count: levels.count)
    below = Array(repeating: Array(repeating: 0, count: lacking.count), count: levels.count + 1)
    for level in levels.indices.reversed() {
      below[level] = below[level + 1]
      for kind in kinds[levels[level]] {
        for dimension in kind.freed.indices {
          below[level][dimension] += kind.freed[dimension] * Int64(kind.members.count)
        }
      }
    }
    most = levels.map { level in Self.most(of: kinds[level], dimensions: lacking.count) }
  }

  private static func most(of kinds: ArraySlice<Kind>, dimensions: Int) -> [[Int64]] {
    let size = kinds.reduce(0) { $0 + $1.members.count }
    var result = Array(repeating: Array(repeating: Int64(0), count: dimensions), count: size + 1)
    for dimension in 0..<dimensions {
      var position = 0
      for kind in kinds.sorted(by: { $0.freed[dimension] > $1.freed[dimension] }) {
        for _ in kind.members {
          result[position + 1][dimension] = result[position][dimension] + kind.freed[dimension]
          position += 1
        }
      }
    }
    return result
  }

  private func covers(_ freed: [Int64], _ more: [Int64], _ evenMore: [Int64]) -> Bool {
    for dimension in need.indices where freed[dimension] + more[dimension] + evenMore[dimension] < need[dimension] {
      return false
    }
    return true
  }

  /// Whether the counts so far, with `count` at `level`, can still be at least as good as the best.
  private func isPromising(_ level: Int, _ count: Int) -> Bool {
    guard let best else { return true }
    for earlier in 0..<level where counts[earlier] != best.counts[earlier] {
      return counts[earlier] < best.counts[earlier]
    }
    return count <= best.counts[level]
  }

  private mutating func descend(_ level: Int, _ freed: [Int64], _ total: Demand) -> Bool {
    if level == levels.count {
      for dimension in need.indices where freed[dimension] < need[dimension] { return false }
      let distance = Sacrifice.distance(ask: ask, freed: total)
      if let known = best {
        for place in counts.indices where counts[place] != known.counts[place] {
          if counts[place] < known.counts[place] { best = (counts, numbers, distance) }
          return true
        }
        if distance < known.distance { best = (counts, numbers, distance) }
      } else {
        best = (counts, numbers, distance)
      }
      return true
    }
    for count in most[level].indices {
      if !isPromising(level, count) { return false }
      if !covers(freed, most[level][count], below[level + 1]) { continue }
      counts[level] = count
      let found = choose(count, from: levels[level].lowerBound, level, freed, total)
      counts[level] = 0
      if found { return true }
      if steps <= 0 { return false }
    }
    return false
  }

  /// Every way to take `count` victims of the level from the kinds at `place` on.
  private mutating func choose(
    _ count: Int, from place: Int, _ level: Int, _ freed: [Int64], _ total: Demand
  ) -> Bool {
    steps -= 1
    if count == 0 { return descend(level + 1, freed, total) }
    if place == levels[level].upperBound || steps <= 0 { return false }
    if !covers(freed, most[level][count], below[level + 1]) { return false }
    let kind = kinds[place]
    var found = false
    for number in stride(from: min(count, kind.members.count), through: 0, by: -1) {
      var freed = freed
      for dimension in freed.indices { freed[dimension] += kind.freed[dimension] * Int64(number) }
      let total = Demand(
        cpu: total.cpu + kind.demand.cpu * Int32(number), memory: total.memory + kind.demand.memory * Int32(number),
        disk: total.disk + kind.demand.disk * Int32(number))
      numbers[place] = number
      if choose(count - number, from: place + 1, level, freed, total) { found = true }
    }
    numbers[place] = 0
    return found
  }

  /// Enough, in the order of the priorities, and nothing of it superfluous by itself.
  private func greedy(_ alreadyFreed: Demand) -> [Int] {
    var chosen: [(member: Int, freed: [Int64])] = []
    var freed = Array(repeating: Int64(0), count: need.count)
    func isCovered(without given: [Int64]) -> Bool {
      need.indices.allSatisfy { freed[$0] - given[$0] >= need[$0] }
    }
    let nothing = Array(repeating: Int64(0), count: need.count)
    for kind in kinds.reversed() {
      for member in kind.members where !isCovered(without: nothing) {
        chosen.append((member, kind.freed))
        for dimension in need.indices { freed[dimension] += kind.freed[dimension] }
      }
    }
    var kept: [Int] = []
    for item in chosen.reversed() {
      if isCovered(without: item.freed) {
        for dimension in need.indices { freed[dimension] -= item.freed[dimension] }
      } else {
        kept.append(item.member)
      }
    }
    return kept
  }
}
