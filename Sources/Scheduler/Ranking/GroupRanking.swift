import Codec
import Model
import State

/// Finds the best node for one placement of a group after the other.
///
/// All nodes are looked at once, when the first placement is asked for; after that only what a placement changes is
/// scored again. The best is the best of all feasible nodes, not of a sample.
struct GroupRanking {
  let requirement: GroupRequirement
  private(set) var feasibility: ClassFeasibility
  private let usesSpreadAlgorithm: Bool
  private var buckets: Buckets
  private var powers = PowerCache()
  private var heaps: CandidateHeaps
  /// Candidates are numbered in the order of their slots.
  private var slots: [Int32] = []
  private var bucketOf: [Int32] = []
  private var tieBreaks: [UInt64] = []
  /// Each candidate's own parts of the score, summed up, and how many there are; 0 for one that can't be chosen.
  private var sums: [Double] = []
  private var partCounts: [Int8] = []
  private var candidateOfSlot: [Int32]
  /// The group's allocations by slot, for anti-affinity.
  private var collisions: [Int: Int] = [:]
  /// By slot, the allocations that `distinct_hosts` keeps apart.
  private var occupancy: [Int: Int] = [:]
  private var penalised: Set<Int> = []
  private let seed: UInt64
  private(set) var counts: FilterCounts
  /// Nodes that suit and have no room.
  private(set) var fullSlots: [Int32] = []
  private let asksNamedThings: Bool
  /// Whether the candidates are in heaps; otherwise all are gone through for each placement.
  private let isOrdered: Bool
  private let weighsDevices: Bool
  private let hasCores: Bool

  /// An allocation of the job as the ranking counts it.
  struct Occupant {
    let slot: Int
    let isOfGroup: Bool
  }

  init(
    _ requirement: GroupRequirement, candidates chosen: [Int32], occupants: [Occupant], use: NodeUse,
    usesSpreadAlgorithm: Bool, seed: UInt64, placements: Int
  ) {
    let columns = use.columns
    self.requirement = requirement
    self.usesSpreadAlgorithm = usesSpreadAlgorithm
    self.seed = seed
    // Looking at all candidates once costs less than putting them in order.
    isOrdered = placements > 2
    asksNamedThings = requirement.asksNamedThings
    weighsDevices = requirement.grants.deviceWeight > 0
    hasCores = requirement.grants.cores > 0
    feasibility = ClassFeasibility(requirement, classes: columns.classes.count)
    buckets = Buckets(requirement, classes: columns.classes.count)
    heaps = CandidateHeaps(candidates: 0, buckets: 0)
    candidateOfSlot = []
    counts = FilterCounts()
    for occupant in occupants {
      if occupant.isOfGroup { collisions[occupant.slot, default: 0] += 1 }
      if counted(occupant) { occupancy[occupant.slot, default: 0] += 1 }
      buckets.add(1, slot: occupant.slot, isOfGroup: occupant.isOfGroup, columns)
    }
    build(chosen, use)
  }

  private func counted(_ occupant: Occupant) -> Bool {
    switch requirement.distinctHosts {
    case .job?: true
    case .group?: occupant.isOfGroup
    case nil: false
    }
  }

  // MARK: The first pass over all nodes

  private mutating func build(_ chosen: [Int32], _ use: NodeUse) {
    let columns = use.columns
    let (classes, ids, nodeRecords) = (columns.computedClass, columns.ids, columns.nodes)
    let (cpuTotal, memoryTotal, diskTotal) = (columns.cpuTotal, columns.memoryTotal, columns.diskTotal)
    let (cpuUsed, memoryUsed, diskUsed) = (columns.cpuUsed, columns.memoryUsed, columns.diskUsed)
    let (limits, allocationCounts) = (columns.allocationLimit, columns.allocationCount)
    let ask = requirement.ask
    let asksStaticPorts = requirement.network.hasStaticPorts
    let asksHeldThings = !requirement.grants.isEmpty || !requirement.writtenVolumes.isEmpty
    let asksNodes = feasibility.hasNodeConstraints
    let planTouched = !use.taken.isEmpty
    let (hasOccupants, mayBeClosed) = (!occupancy.isEmpty, buckets.mayBeClosed)
    let holdsNamed = columns.holdsNamed

    // 0: not asked yet, 1: feasible, 2: not.
    var verdicts = [UInt8](repeating: 0, count: columns.classes.count)
    var filteredOfClass = [Int](repeating: 0, count: columns.classes.count)
    slots.reserveCapacity(chosen.count)
    tieBreaks.reserveCapacity(chosen.count)
    var frees: [NodeUse.Free] = []
    frees.reserveCapacity(chosen.count)
    bucketOf.reserveCapacity(chosen.count)
    counts.evaluated = chosen.count
    for slot32 in chosen {
      let slot = Int(slot32)
      let number = Int(classes[slot])
      if verdicts[number] == 0 {
        if case .feasible = feasibility.verdict(class: number, columns) {
          verdicts[number] = 1
        } else {
          verdicts[number] = 2
        }
      }
      if verdicts[number] == 2 {
        filteredOfClass[number] += 1
        continue
      }
      if asksNodes, let node = nodeRecords[slot], case .filtered(let reason) = feasibility.verdict(node: node.value) {
        counts.filter(reason, slot, columns)
        continue
      }
      // Both may be given up again when an allocation is replaced elsewhere: the node stays among the candidates.
      let bucket = buckets.number(slot: slot, columns)
      var closed: String?
      if hasOccupants, occupancy[slot] != nil {
        closed = "distinct_hosts"
      } else if mayBeClosed {
        closed = buckets.obstacle(bucket)
      }
      if let closed { counts.filter(closed, slot, columns) }
      // What an empty node of its class lacks has been found out with the class.
      if asksStaticPorts
        || (asksHeldThings
          && (requirement.grants.needsEachNode || holdsNamed[slot] || (planTouched && use.taken[slot] != nil))),
        let node = nodeRecords[slot],
        let obstacle = requirement.obstacle(on: node.value, cores: columns.cores[slot], beside: use.holdings(slot))
      {
        if closed == nil { counts.exhaust(obstacle, slot, columns) }
        fullSlots.append(slot32)
        continue
      }
      let free =
        planTouched
        ? use.free(slot)
        : NodeUse.Free(
          cpu: cpuTotal[slot] - cpuUsed[slot], memory: memoryTotal[slot] - memoryUsed[slot],
          disk: diskTotal[slot] - diskUsed[slot],
          hasAllocationLeft: limits[slot] == 0 || allocationCounts[slot] < limits[slot])
      if let dimension = free.lacking(hasCores ? demand(slot, columns) : ask) {
        fullSlots.append(slot32)
        if closed == nil {
          counts.exhausted[dimension.rawValue] += 1
          counts.exhaustedSlots.append(slot32)
        }
        continue
      }
      slots.append(slot32)
      frees.append(free)
      bucketOf.append(Int32(bucket))
      let id = ids[slot]
      tieBreaks.append(RandomBits.mix(id.high ^ seed) &+ RandomBits.mix(id.low &+ seed))
    }
    for (number, count) in filteredOfClass.enumerated() where count > 0 {
      guard case .filtered(let reason) = feasibility.verdict(class: number, columns) else { continue }
      let nodeClass = columns.classes[number].example.value.nodeClass
      counts.filter(reason, nodeClass: nodeClass, times: count)
    }
    buckets.refresh()
    heaps = CandidateHeaps(candidates: isOrdered ? slots.count : 0, buckets: max(buckets.count, 1))
    scoreAll(frees, use)
    heaps.build()
  }

  /// The candidates' own scores. Mostly a node's fullness is all there is to them: that is worked out from local columns.
  private mutating func scoreAll(_ frees: [NodeUse.Free], _ use: NodeUse) {
    let (slots, cpuTotal, memoryTotal, ask) = (slots, use.columns.cpuTotal, use.columns.memoryTotal, requirement.ask)
    let isPlain = !hasCores && !weighsDevices && !feasibility.hasAffinities && collisions.isEmpty
    let (hasOccupants, usesSpread) = (!occupancy.isEmpty, usesSpreadAlgorithm)
    var sums = [Double](repeating: 0, count: slots.count)
    var partCounts = [Int8](repeating: 0, count: slots.count)
    var places = [Int32](repeating: -1, count: use.columns.count)
    var powers = PowerCache()
    for candidate in slots.indices {
      let slot = Int(slots[candidate])
      places[slot] = Int32(candidate)
      if hasOccupants, occupancy[slot] != nil { continue }
      if isPlain {
        let free = frees[candidate]
        let cpu = powers.tenTo(free: free.cpu - ask.cpu, of: cpuTotal[slot])
        let memory = powers.tenTo(free: free.memory - ask.memory, of: memoryTotal[slot])
        sums[candidate] = FitScore.share(cpu: cpu, memory: memory, usesSpread: usesSpread)
        partCounts[candidate] = 1
      } else {
        let score = ownScore(slot, free: frees[candidate], collisions: collisions[slot] ?? 0, use.columns)
        sums[candidate] = score.sum
        partCounts[candidate] = Int8(score.parts)
      }
      if !isOrdered { continue }
      heaps.append(
        candidate, bucket: Int(bucketOf[candidate]), parts: Int(partCounts[candidate]), sum: sums[candidate],
        tieBreak: tieBreaks[candidate])
    }
    (self.sums, self.partCounts, candidateOfSlot) = (sums, partCounts, places)
  }

  /// What one allocation takes from the node.
  func demand(_ slot: Int, _ columns: NodeColumns) -> Demand {
    guard hasCores, let node = columns.nodes[slot] else { return requirement.ask }
    return requirement.demand(on: node.value)
  }

  // MARK: Scores

  /// The parts of a node's score that are its own, one more allocation of the group on it.
  struct OwnScore {
    var fit = 0.0
    var antiAffinity = 0.0
    var penalty = 0.0
    var affinity = 0.0
    var devices = 0.0

    var sum: Double { fit + antiAffinity + penalty + affinity + devices }
    /// A part counts in the mean where it isn't zero; the fit always does.
    var parts: Int {
      1 + (antiAffinity != 0 ? 1 : 0) + (penalty != 0 ? 1 : 0) + (affinity != 0 ? 1 : 0) + (devices != 0 ? 1 : 0)
    }
  }

  private mutating func ownScore(_ slot: Int, _ use: NodeUse) -> OwnScore {
    ownScore(slot, free: use.free(slot), collisions: collisions.isEmpty ? 0 : collisions[slot] ?? 0, use.columns)
  }

  private mutating func ownScore(
    _ slot: Int, free: NodeUse.Free, collisions: Int, _ columns: NodeColumns
  ) -> OwnScore {
    var score = OwnScore()
    let ask = demand(slot, columns)
    let powerOfCPU = powers.tenTo(free: free.cpu - ask.cpu, of: columns.cpuTotal[slot])
    let powerOfMemory = powers.tenTo(free: free.memory - ask.memory, of: columns.memoryTotal[slot])
    score.fit = FitScore.share(cpu: powerOfCPU, memory: powerOfMemory, usesSpread: usesSpreadAlgorithm)
    if collisions > 0 { score.antiAffinity = -Double(collisions + 1) / Double(max(requirement.count, 1)) }
    if !penalised.isEmpty, penalised.contains(slot) { score.penalty = -1 }
    score.affinity = feasibility.affinity(class: Int(columns.computedClass[slot]), slot: slot, columns)
    if weighsDevices { score.devices = feasibility.deviceAffinity(class: Int(columns.computedClass[slot]), columns) }
    return score
  }

  /// Takes a node up again with what is true of it now, or drops it when nothing more fits.
  private mutating func rescore(_ slot: Int, _ use: NodeUse) {
    guard candidateOfSlot[slot] >= 0 else { return }
    let candidate = Int(candidateOfSlot[slot])
    let free = use.free(slot)
    guard free.lacking(demand(slot, use.columns)) == nil, occupancy[slot] == nil, hasNamedThings(slot, use) else {
      remove(candidate)
      return
    }
    let score = ownScore(slot, free: free, collisions: collisions[slot] ?? 0, use.columns)
    sums[candidate] = score.sum
    partCounts[candidate] = Int8(score.parts)
    if !isOrdered { return }
    heaps.update(
      candidate, bucket: Int(bucketOf[candidate]), parts: score.parts, sum: score.sum, tieBreak: tieBreaks[candidate])
  }

  private mutating func remove(_ candidate: Int) {
    partCounts[candidate] = 0
    if isOrdered { heaps.remove(candidate) }
  }

  private func hasNamedThings(_ slot: Int, _ use: NodeUse) -> Bool {
    guard requirement.network.hasStaticPorts || !requirement.grants.isEmpty || !requirement.writtenVolumes.isEmpty
    else { return true }
    guard let node = use.columns.nodes[slot] else { return false }
    return requirement.obstacle(on: node.value, cores: use.columns.cores[slot], beside: use.holdings(slot)) == nil
  }

  /// Whether a node that suits may get one more allocation: what must not be repeated is not there yet.
  func isOpen(_ slot: Int, _ columns: NodeColumns) -> Bool {
    if occupancy[slot] != nil { return false }
    var buckets = buckets
    let bucket = buckets.number(slot: slot, columns)
    return buckets.obstacle(bucket) == nil
  }

  /// The group's allocations on a node.
  func allocationsOfGroup(on slot: Int) -> Int { collisions[slot] ?? 0 }

  /// The nodes that suit, with and without room.
  var suitableSlots: [Int32] { (slots + fullSlots).sorted() }

  /// Decides between nodes that are equal in everything else.
  func tieBreak(_ slot: Int, _ columns: NodeColumns) -> UInt64 {
    let id = columns.ids[slot]
    return RandomBits.mix(id.high ^ seed) &+ RandomBits.mix(id.low &+ seed)
  }

  // MARK: Choosing

  /// A node with what the allocation gets on it.
  struct Choice {
    let slot: Int
    let score: Double
    let demand: Demand
    var granted = Granted()
    /// All that is held of the node one by one, with the choice's part; nil when nothing of that was asked for.
    var holdings: Holdings?
    /// What it takes over on its node from the allocation that it waits for.
    var takenOver: Demand?
    /// The allocations of its node that it has to wait for.
    var startsAfter: [Identifier] = []
    /// Allocations of lower priority that have to go for it.
    var victims: [Shared<StoredAllocation>] = []
    /// The best nodes there were, best first, as many as were asked for.
    var bestNodes: [NodeScoreMeta] = []
  }

  /// The allocation that a placement is to replace, as long as it still holds its place: on its own node the replacement
  /// may count on it, because the client starts it only after the old one has released everything.
  struct Incumbent {
    let slot: Int
    let allocation: StoredAllocation
    var demand: Demand { allocation.demand }
    /// Whether it is among the group's allocations until the replacement is placed; false when the plan stops it anyway.
    let isCounted: Bool
  }

  /// The best node for one more allocation; nil when there is none. `explaining` is how many of the best are to be shown
  /// with their scores, `index` the number of the allocation.
  mutating func choose(
    index: Int, avoiding: [Int], replacing incumbent: Incumbent?, preferring preferred: Int?, explaining: Int,
    use: NodeUse, random: inout RandomBits
  ) -> Choice? {
    for slot in avoiding where penalised.insert(slot).inserted { rescore(slot, use) }
    defer {
      let slots = penalised
      penalised.removeAll()
      for slot in slots { rescore(slot, use) }
    }
    let top = explaining > 0 ? topCandidates(explaining) : []
    let bestNodes = top.map { explanation($0, use: use) }
    var choice = best(
      index: index, replacing: incumbent, preferring: preferred, known: top.first, use: use, random: &random)
    choice?.bestNodes = bestNodes
    return choice
  }

  private mutating func best(
    index: Int, replacing incumbent: Incumbent?, preferring preferred: Int?,
    known: (candidate: Int, score: Double)?, use: NodeUse, random: inout RandomBits
  ) -> Choice? {
    let stay = incumbent.flatMap { choiceInPlace(of: $0, index: index, use: use, random: &random) }
    if let stay, requirement.prefersPreviousNode { return stay }
    // The node that has the data of a sticky disk, when it has room.
    if let preferred, candidateOfSlot[preferred] >= 0, partCounts[Int(candidateOfSlot[preferred])] > 0,
      let choice = try? choice(of: preferred, index: index, score: 0, use: use, random: &random)
    {
      return choice
    }
    // Left out of this choice and taken up again for the next.
    var passedOver: [Int] = []
    defer { for slot in passedOver { rescore(slot, use) } }
    var known = known
    while let best = known ?? (isOrdered ? heaps.best(shared: buckets.parts) : bestOfAll()) {
      known = nil
      if let stay, stay.score >= best.score { return stay }
      let slot = Int(slots[best.candidate])
      do throws(PortAssignment.Obstacle) {
        return try choice(of: slot, index: index, score: best.score, use: use, random: &random)
      } catch {
        counts.exhaust(error.text, slot, use.columns)
        remove(best.candidate)
        if error.isOfThisPlacementAlone { passedOver.append(slot) } else { fullSlots.append(Int32(slot)) }
      }
    }
    return stay
  }

  /// The same as the heaps find, by going through all candidates.
  private func bestOfAll() -> (candidate: Int, score: Double)? { topCandidates(1).first }

  private func choice(
    of slot: Int, index: Int, score: Double, use: NodeUse, random: inout RandomBits
  ) throws(PortAssignment.Obstacle) -> Choice {
    let columns = use.columns
    var choice = Choice(slot: slot, score: score, demand: demand(slot, columns))
    guard asksNamedThings else { return choice }
    guard let node = columns.nodes[slot] else { throw PortAssignment.Obstacle(text: "node is gone") }
    var holdings = use.holdings(slot)
    choice.granted = try requirement.grant(
      on: node.value, cores: columns.cores[slot], index: index, from: &holdings, random: &random)
    choice.holdings = holdings
    return choice
  }

  /// The choice of the incumbent's own node, with what it holds counted as free.
  private mutating func choiceInPlace(
    of incumbent: Incumbent, index: Int, use: NodeUse, random: inout RandomBits
  ) -> Choice? {
    let (slot, columns) = (incumbent.slot, use.columns)
    guard columns.isCandidate(slot), let node = columns.nodes[slot],
      case .feasible = feasibility.verdict(class: Int(columns.computedClass[slot]), node: node.value, columns)
    else { return nil }
    let free = use.free(slot, replacing: incumbent.demand)
    let demand = demand(slot, columns)
    if free.lacking(demand) != nil { return nil }
    if (occupancy[slot] ?? 0) > (incumbent.isCounted && requirement.distinctHosts != nil ? 1 : 0) { return nil }
    var holdings = use.holdings(slot)
    holdings.give(incumbent.allocation)
    guard
      let granted = try? requirement.grant(
        on: node.value, cores: columns.cores[slot], index: index, from: &holdings, random: &random)
    else { return nil }
    // What the incumbent holds stays held until its client says otherwise.
    holdings.take(incumbent.allocation)
    let counted = incumbent.isCounted ? 1 : 0
    buckets.add(-counted, slot: slot, isOfGroup: true, columns)
    buckets.refresh()
    let part = partOfBucket(slot, columns)
    buckets.add(counted, slot: slot, isOfGroup: true, columns)
    buckets.refresh()
    if part.isNaN { return nil }
    let others = max((collisions[slot] ?? 0) - counted, 0)
    let own = ownScore(slot, free: free, collisions: others, columns)
    return Choice(
      slot: slot, score: CandidateHeaps.mean(sum: own.sum, parts: own.parts, shared: part), demand: demand,
      granted: granted, holdings: asksNamedThings ? holdings : nil, takenOver: incumbent.demand,
      startsAfter: [incumbent.allocation.id])
  }

  private mutating func partOfBucket(_ slot: Int, _ columns: NodeColumns) -> Double {
    let bucket = buckets.number(slot: slot, columns)
    if buckets.parts.count <= bucket { buckets.refresh() }
    return buckets.parts[bucket]
  }

  /// Accounts for a choice that the plan has taken; `use` has it already.
  mutating func placed(_ choice: Choice, replacing incumbent: Incumbent?, use: NodeUse) {
    change(1, slot: choice.slot, isOfGroup: true, use)
    if let incumbent, incumbent.isCounted { change(-1, slot: incumbent.slot, isOfGroup: true, use) }
    buckets.refresh()
    rescore(choice.slot, use)
    if let incumbent, incumbent.slot != choice.slot { rescore(incumbent.slot, use) }
  }

  private mutating func change(_ amount: Int, slot: Int, isOfGroup: Bool, _ use: NodeUse) {
    func adjust(_ counts: inout [Int: Int]) {
      let new = (counts[slot] ?? 0) + amount
      counts[slot] = new > 0 ? new : nil
    }
    if isOfGroup { adjust(&collisions) }
    if counted(Occupant(slot: slot, isOfGroup: isOfGroup)) { adjust(&occupancy) }
    buckets.add(amount, slot: slot, isOfGroup: isOfGroup, use.columns)
  }

  // MARK: Explaining

  /// The best candidates for one more allocation, best first.
  private func topCandidates(_ limit: Int) -> [(candidate: Int, score: Double)] {
    let (sums, partCounts, bucketOf, parts, tieBreaks) = (sums, partCounts, bucketOf, buckets.parts, tieBreaks)
    var top: [(candidate: Int, score: Double)] = []
    // Nearly all are turned away by this comparison.
    var worst = -Double.infinity
    for candidate in partCounts.indices where partCounts[candidate] > 0 {
      let part = parts[Int(bucketOf[candidate])]
      if part.isNaN { continue }
      let score = CandidateHeaps.mean(sum: sums[candidate], parts: Int(partCounts[candidate]), shared: part)
      if score < worst { continue }
      func isBetter(than other: (candidate: Int, score: Double)) -> Bool {
        score != other.score ? score > other.score : tieBreaks[candidate] > tieBreaks[other.candidate]
      }
      if top.count == limit, let last = top.last, !isBetter(than: last) { continue }
      top.insert((candidate, score), at: top.firstIndex { isBetter(than: $0) } ?? top.count)
      if top.count > limit { top.removeLast() }
      if top.count == limit, let last = top.last { worst = last.score }
    }
    return top
  }

  /// What a candidate's score is made of.
  private mutating func explanation(_ item: (candidate: Int, score: Double), use: NodeUse) -> NodeScoreMeta {
    let slot = Int(slots[item.candidate])
    let own = ownScore(slot, use)
    var meta = NodeScoreMeta()
    meta.nodeID = use.columns.ids[slot]
    meta.normScore = item.score
    meta.scores = [
      "binpack": own.fit, "job-anti-affinity": own.antiAffinity, "node-reschedule-penalty": own.penalty,
      "node-affinity": own.affinity,
    ]
    let part = buckets.parts[Int(bucketOf[item.candidate])]
    if !requirement.spreads.isEmpty { meta.scores["allocation-spread"] = part }
    if own.devices != 0 { meta.scores["devices"] = own.devices }
    return meta
  }
}
