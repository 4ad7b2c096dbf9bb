import Codec
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
/// generous victims can't save is cut: what remains is small on real nodes. Beyond `maximumSteps` the best that was found
/// until then counts, which is always enough and never more than needed in one single place.
///
/// One value serves many nodes: its buffers are used again.
struct PreemptionSearch {
  /// What is needed or freed: CPU, memory, disk, and up to `maximumExtras` more.
  typealias Amounts = SIMD16<Int32>
  static let maximumExtras = 13

  struct Candidate {
    let priority: Int16
    let demand: Demand
    /// What of the need it frees: CPU, memory and disk of `demand`, and then cores, devices, places on the node.
    var freed: Amounts
    /// Decides between equal ones, so that their order means nothing.
    let id: Identifier

    init(priority: Int16, demand: Demand, extras: [Int32] = [], id: Identifier = .none) {
      self.id = id
      self.priority = priority
      self.demand = demand
      freed = Amounts(repeating: 0)
      freed[0] = demand.cpu
      freed[1] = demand.memory
      freed[2] = demand.disk
      for (index, value) in extras.enumerated() { freed[3 + index] = value }
    }
  }

  /// Equal candidates: a range of `order`.
  private struct Kind {
    let priority: Int16
    let demand: Demand
    let freed: Amounts
    let members: Range<Int>
  }

  /// The kinds of one priority.
  private struct Level {
    var kinds: Range<Int>
    var size: Int
    /// What all of them free.
    var total: Amounts
    /// The most that one of them frees, in each dimension.
    var greatest: Amounts
    /// What all priorities below free.
    var below: Amounts

    /// No less than what so many of them can free.
    func most(_ count: Int) -> Amounts {
      if count >= size { return total }
      return pointwiseMin(total, greatest &* Amounts(repeating: Int32(count)))
    }
  }

  static let maximumSteps = 20_000

  private var ask = Demand(cpu: 0, memory: 0, disk: 0)
  /// What isn't lacking is needed so little that anything covers it.
  private var need = Amounts(repeating: .min)
  private var order: [Int] = []
  private var kinds: [Kind] = []
  /// The highest priority first.
  private var levels: [Level] = []
  private var steps = 0
  private var counts: [Int] = []
  private var numbers: [Int] = []
  private var bestCounts: [Int] = []
  private var bestNumbers: [Int] = []
  private var bestDistance: Double?

  /// The victims' places among the candidates.
  /// - Parameters:
  ///   - ask: what the new allocation takes; the distance is measured against it.
  ///   - need: what is lacking, in the order of `Candidate.freed`. Zero and less is not lacking.
  ///   - alreadyFreed: by victims that are settled; counts in the distance.
  /// - Returns: nil when not even all of them free enough.
  mutating func victims(
    ask: Demand, need wanted: Amounts, among candidates: [Candidate],
    alreadyFreed: Demand = Demand(cpu: 0, memory: 0, disk: 0)
  ) -> [Int]? {
    let isLacking = wanted .> 0
    if !any(isLacking) { return [] }
    var sum = Amounts(repeating: 0)
    for candidate in candidates { sum &+= candidate.freed }
    need = Amounts(repeating: .min).replacing(with: wanted, where: isLacking)
    if any(sum .< need) { return nil }
    self.ask = ask
    arrange(candidates)
    _ = descend(0, Amounts(repeating: 0), alreadyFreed)
    guard bestDistance != nil else { return greedy() }
    var result: [Int] = []
    for (place, kind) in kinds.enumerated() where bestNumbers[place] > 0 {
      result += order[kind.members.lowerBound..<kind.members.lowerBound + bestNumbers[place]]
    }
    return result
  }

  /// Sorts the candidates into kinds and levels.
  private mutating func arrange(_ candidates: [Candidate]) {
    order.removeAll(keepingCapacity: true)
    order.append(contentsOf: candidates.indices)
    order.sort { left, right in Self.precedes(candidates[left], left, candidates[right], right) }
    kinds.removeAll(keepingCapacity: true)
    var start = 0
    for place in order.indices {
      let candidate = candidates[order[place]]
      if place + 1 < order.count {
        let next = candidates[order[place + 1]]
        if next.priority == candidate.priority, next.freed == candidate.freed { continue }
      }
      kinds.append(
        Kind(
          priority: candidate.priority, demand: candidate.demand, freed: candidate.freed, members: start..<place + 1))
      start = place + 1
    }
    levels.removeAll(keepingCapacity: true)
    for (place, kind) in kinds.enumerated() {
      let total = kind.freed &* Amounts(repeating: Int32(kind.members.count))
      if place > 0, kinds[place - 1].priority == kind.priority {
        let last = levels.count - 1
        levels[last].kinds = levels[last].kinds.lowerBound..<place + 1
        levels[last].size += kind.members.count
        levels[last].total &+= total
        levels[last].greatest = pointwiseMax(levels[last].greatest, kind.freed)
      } else {
        levels.append(
          Level(
            kinds: place..<place + 1, size: kind.members.count, total: total, greatest: kind.freed,
            below: Amounts(repeating: 0)))
      }
    }
    var below = Amounts(repeating: 0)
    for level in levels.indices.reversed() {
      levels[level].below = below
      below &+= levels[level].total
    }
    steps = Self.maximumSteps
    bestDistance = nil
    counts.removeAll(keepingCapacity: true)
    for _ in levels { counts.append(0) }
    numbers.removeAll(keepingCapacity: true)
    for _ in kinds { numbers.append(0) }
  }

  private static func precedes(_ left: Candidate, _ leftIndex: Int, _ right: Candidate, _ rightIndex: Int) -> Bool {
    if left.priority != right.priority { return left.priority > right.priority }
    for dimension in 0..<Amounts.scalarCount where left.freed[dimension] != right.freed[dimension] {
      return left.freed[dimension] > right.freed[dimension]
    }
    return left.id == right.id ? leftIndex < rightIndex : left.id < right.id
  }

  @inline(__always)
  private func covers(_ freed: Amounts, _ more: Amounts, _ evenMore: Amounts) -> Bool {
    !any((freed &+ more &+ evenMore) .< need)
  }

  /// Whether the counts so far, with `count` at `level`, can still be at least as good as the best.
  private func isPromising(_ level: Int, _ count: Int) -> Bool {
    guard bestDistance != nil else { return true }
    for earlier in 0..<level where counts[earlier] != bestCounts[earlier] {
      return counts[earlier] < bestCounts[earlier]
    }
    return count <= bestCounts[level]
  }

  private mutating func descend(_ level: Int, _ freed: Amounts, _ total: Demand) -> Bool {
    if level == levels.count { return conclude(freed, total) }
    for count in 0...levels[level].size {
      if !isPromising(level, count) { return false }
      if !covers(freed, levels[level].most(count), levels[level].below) { continue }
      counts[level] = count
      let found = choose(count, from: levels[level].kinds.lowerBound, level, freed, total)
      counts[level] = 0
      if found { return true }
      if steps <= 0 { return false }
    }
    return false
  }

  /// All levels are decided: takes the set if it is better than the best.
  private mutating func conclude(_ freed: Amounts, _ total: Demand) -> Bool {
    if any(freed .< need) { return false }
    let distance = Sacrifice.distance(ask: ask, freed: total)
    if let known = bestDistance {
      for place in counts.indices where counts[place] != bestCounts[place] {
        if counts[place] > bestCounts[place] { return true }
        return take(distance)
      }
      return distance < known ? take(distance) : true
    }
    return take(distance)
  }

  private mutating func take(_ distance: Double) -> Bool {
    bestCounts = counts
    bestNumbers = numbers
    bestDistance = distance
    return true
  }

  /// Every way to take `count` victims of the level from the kinds at `place` on.
  private mutating func choose(
    _ count: Int, from place: Int, _ level: Int, _ freed: Amounts, _ total: Demand
  ) -> Bool {
    steps -= 1
    if count == 0 { return descend(level + 1, freed, total) }
    if place == levels[level].kinds.upperBound || steps <= 0 { return false }
    if !covers(freed, levels[level].most(count), levels[level].below) { return false }
    let kind = kinds[place]
    var found = false
    for number in stride(from: min(count, kind.members.count), through: 0, by: -1) {
      let times = Int32(number)
      let sum = Demand(
        cpu: total.cpu &+ kind.demand.cpu &* times, memory: total.memory &+ kind.demand.memory &* times,
        disk: total.disk &+ kind.demand.disk &* times)
      numbers[place] = number
      if choose(
        count - number, from: place + 1, level, freed &+ kind.freed &* Amounts(repeating: times), sum)
      {
        found = true
      }
    }
    numbers[place] = 0
    return found
  }

  /// Enough, in the order of the priorities, and nothing of it superfluous by itself.
  private func greedy() -> [Int] {
    var chosen: [(member: Int, freed: Amounts)] = []
    var freed = Amounts(repeating: 0)
    for kind in kinds.reversed() {
      for place in kind.members where any(freed .< need) {
        chosen.append((order[place], kind.freed))
        freed &+= kind.freed
      }
    }
    var kept: [Int] = []
    for item in chosen.reversed() {
      if any((freed &- item.freed) .< need) { kept.append(item.member) } else { freed &-= item.freed }
    }
    return kept
  }
}
