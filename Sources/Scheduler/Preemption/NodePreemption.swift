import Codec
import Model
import State

/// Who has to go from one node so that an allocation of a group finds room there.
///
/// What is being stopped already, and what the plan stops or preempts, is counted as gone: the new allocation waits for all
/// of that on its node (`startsAfter`), so nothing is taken from anybody for room that is on its way.
struct NodePreemption {
  let requirement: GroupRequirement
  let state: StateReader
  let priority: Int
  /// The job's own allocations, which it doesn't preempt.
  let own: Set<Identifier>
  private var search = PreemptionSearch()
  // Kept from node to node for their storage.
  private var candidates: [PreemptionSearch.Candidate] = []
  private var places: [HeldAllocation] = []

  init(requirement: GroupRequirement, state: StateReader, priority: Int, own: Set<Identifier>) {
    self.requirement = requirement
    self.state = state
    self.priority = priority
    self.own = own
  }

  /// By how much the priority of a victim has to be lower at least.
  ///
  /// Source: "Preemption" of Nomad's public documentation, "Details".
  static let priorityGap = 10

  struct Solution {
    let victims: [Identifier]
    let sacrifice: Sacrifice
  }

  /// The least that has to go, as far as quantities, ports, cores, devices and volumes can be added up; nil when it
  /// can't be done on this node.
  mutating func solve(_ slot: Int, use: NodeUse, stopped: Set<Identifier>) -> Solution? {
    let columns = use.columns
    guard let node = columns.nodes[slot]?.value else { return nil }
    let ask = requirement.grants.cores == 0 ? requirement.ask : requirement.demand(on: node)
    let plan = use.taken[slot]
    var cpu = ask.cpu &- columns.cpuTotal[slot] &+ (plan?.cpu ?? 0)
    var memory = ask.memory &- columns.memoryTotal[slot] &+ (plan?.memory ?? 0)
    var disk = ask.disk &- columns.diskTotal[slot] &+ (plan?.disk ?? 0)
    var remaining = 0
    candidates.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
    for item in columns.held[slot] where !item.isStopping && (stopped.isEmpty || !stopped.contains(item.id)) {
      remaining += 1
      cpu &+= item.demand.cpu
      memory &+= item.demand.memory
      disk &+= item.demand.disk
      if Int(item.priority) + Self.priorityGap <= priority, own.isEmpty || !own.contains(item.id) {
        candidates.append(PreemptionSearch.Candidate(priority: item.priority, demand: item.demand, id: item.id))
        places.append(item)
      }
    }
    var need = PreemptionSearch.Amounts(repeating: 0)
    (need[0], need[1], need[2]) = (cpu, memory, disk)
    let limit = columns.allocationLimit[slot]
    if limit > 0 {
      need[3] = Int32(clamping: remaining) + (plan?.allocations ?? 0) + 1 - limit
      for index in candidates.indices { candidates[index].freed[3] = 1 }
    }
    guard requirement.network.hasStaticPorts || !requirement.grants.isEmpty || !requirement.writtenVolumes.isEmpty
    else {
      return solution(ask, need, candidates, places, settled: [])
    }
    return solveNamed(slot, node, use, stopped, ask, need)
  }

  private mutating func solution(
    _ ask: Demand, _ need: PreemptionSearch.Amounts, _ candidates: [PreemptionSearch.Candidate],
    _ places: [HeldAllocation], settled: [HeldAllocation]
  ) -> Solution? {
    var total = Demand(cpu: 0, memory: 0, disk: 0)
    func add(_ demand: Demand) {
      total.cpu &+= demand.cpu
      total.memory &+= demand.memory
      total.disk &+= demand.disk
    }
    for item in settled { add(item.demand) }
    guard let chosen = search.victims(ask: ask, need: need, among: candidates, alreadyFreed: total) else { return nil }
    var victims: [Identifier] = []
    var priorities: [Int16] = []
    victims.reserveCapacity(settled.count + chosen.count)
    priorities.reserveCapacity(settled.count + chosen.count)
    for item in settled {
      victims.append(item.id)
      priorities.append(item.priority)
    }
    for index in chosen {
      add(places[index].demand)
      victims.append(places[index].id)
      priorities.append(places[index].priority)
    }
    priorities.sort(by: >)
    return Solution(
      victims: victims,
      sacrifice: Sacrifice(priorities: priorities, distance: Sacrifice.distance(ask: ask, freed: total)))
  }

  // MARK: Ports, volumes, cores, devices

  private mutating func solveNamed(
    _ slot: Int, _ node: Node, _ use: NodeUse, _ stopped: Set<Identifier>, _ ask: Demand,
    _ need: PreemptionSearch.Amounts
  ) -> Solution? {
    let (columns, candidates, places) = (use.columns, candidates, places)
    var holdings = use.holdings(slot)
    for item in columns.held[slot] where item.isStopping || stopped.contains(item.id) {
      if let allocation = state.allocation(item.id)?.value { holdings.give(allocation) }
    }
    let records = places.map { state.allocation($0.id)?.value }
    // Whoever holds a static port or the volume has to go, whatever else is short.
    var settled: [Int] = []
    for index in places.indices {
      if let record = records[index], isInTheWay(record, node) { settled.append(index) }
    }
    var left = holdings
    for index in settled { if let record = records[index] { left.give(record) } }
    if PortAssignment.obstacle(requirement.network.ports, on: node, beside: left.ports) != nil { return nil }
    for request in requirement.writtenVolumes where !request.perAlloc {
      if let claim = VolumeClaim(request, index: 0), !left.named.admits(claim) { return nil }
    }
    let isSettled = Set(settled)
    let open = places.indices.filter { !isSettled.contains($0) }
    var baseNeed = need
    for index in settled { baseNeed &-= candidates[index].freed }

    var best: Solution?
    for alternative in alternatives(node, columns.cores[slot], left.named) {
      var extended = open.map { candidates[$0] }
      var needed = baseNeed
      for (number, pool) in alternative.enumerated() {
        needed[4 + number] = Int32(clamping: pool.count - pool.free)
        for (position, index) in open.enumerated() {
          extended[position].freed[4 + number] = pool.freed(by: records[index])
        }
      }
      let found = solution(ask, needed, extended, open.map { places[$0] }, settled: settled.map { places[$0] })
      guard let found, best.map({ found.sacrifice < $0.sacrifice }) ?? true else { continue }
      best = found
    }
    return best
  }

  private func isInTheWay(_ allocation: StoredAllocation, _ node: Node) -> Bool {
    for request in requirement.network.ports {
      guard let port = request.staticPort, !request.ignoresCollision,
        let address = NodeAddress.find(request.hostNetwork, on: node)
      else { continue }
      let key = PortAssignment.key(address.address)
      let isHolder = allocation.ports.contains { held in
        let other = PortAssignment.key(held.hostIP)
        return held.value == Int(port) && (other == key || other.isEmpty || key.isEmpty)
      }
      if isHolder { return true }
    }
    for request in requirement.writtenVolumes where !request.perAlloc {
      guard let claim = VolumeClaim(request, index: 0) else { continue }
      let collides = allocation.volumeClaims.contains {
        $0.volume == claim.volume && ($0.isExclusive || claim.isExclusive)
      }
      if collides { return true }
    }
    return false
  }

  /// Some of the cores or devices of a node, of which a number is needed.
  private struct Pool {
    enum Members {
      case cores(Set<UInt16>)
      case devices(Set<DeviceInstance>)
    }

    let members: Members
    var count: Int
    let free: Int

    func freed(by allocation: StoredAllocation?) -> Int32 {
      guard let allocation else { return 0 }
      var sum = 0
      for grant in allocation.grants.values {
        switch members {
        case .cores(let cores): sum += grant.cores.count { cores.contains(UInt16(clamping: $0)) }
        case .devices(let devices): sum += grant.instances.count { devices.contains($0) }
        }
      }
      return Int32(sum)
    }
  }

  /// How many ways of serving several requests are looked at.
  private static let maximumAlternatives = 64

  /// The ways to serve all requests for cores and devices: for each way which pools, and how many of each.
  private func alternatives(_ node: Node, _ cores: [UInt16], _ use: NamedUse) -> [[Pool]] {
    var ways: [[Pool]] = [[]]
    func extend(_ options: [Pool]) {
      ways = ways.flatMap { way in options.map { way + [$0] } }
      if ways.count > Self.maximumAlternatives { ways.removeLast(ways.count - Self.maximumAlternatives) }
    }
    if requirement.grants.cores > 0 {
      // All together; that those of a task which needs one NUMA node lie on one is looked at in addition.
      let all = Set(cores)
      extend([Pool(members: .cores(all), count: requirement.grants.cores, free: free(all, use))])
      var nodeOfCore: [UInt16: Int] = [:]
      for core in node.nodeResources?.processors?.topology.cores ?? [] {
        nodeOfCore[UInt16(clamping: core.coreID)] = core.nodeID
      }
      let byNode = Dictionary(grouping: cores) { nodeOfCore[$0] ?? 0 }
      for task in requirement.grants.tasks where task.affinity == .require && task.cores > 0 {
        extend(
          byNode.keys.sorted().map { number in
            let members = Set(byNode[number] ?? [])
            return Pool(members: .cores(members), count: task.cores, free: free(members, use))
          })
      }
    }
    var comparison = OperandComparison()
    for request in requirement.grants.tasks.flatMap(\.devices) {
      var options: [Pool] = []
      for device in node.nodeResources?.devices ?? [] where request.matches(device, comparing: &comparison) {
        let usable = device.instances.filter { $0.healthy && request.admits($0) }
        let members = Set(usable.map { DeviceInstance(group: device.groupName, id: $0.id) })
        guard members.count >= request.count else { continue }
        let free = members.count { !use.devices.contains($0) }
        options.append(Pool(members: .devices(members), count: request.count, free: free))
      }
      extend(options)
    }
    return ways.map(Self.merged).filter { $0.count <= PreemptionSearch.maximumExtras - 1 }
  }

  /// Several requests that are served from one pool need their sum.
  private static func merged(_ way: [Pool]) -> [Pool] {
    var result: [Pool] = []
    for pool in way {
      let same = result.firstIndex { other in
        switch (other.members, pool.members) {
        case (.devices(let left), .devices(let right)): left == right
        // The pool of all cores covers those of a NUMA node: the two stand beside each other.
        case (.cores, _), (.devices, _): false
        }
      }
      if let same { result[same].count += pool.count } else { result.append(pool) }
    }
    return result
  }

  private func free(_ cores: Set<UInt16>, _ use: NamedUse) -> Int { cores.count { !use.cores.contains($0) } }

  // MARK: Carrying out

  /// The choice of a node with these victims: what the allocation gets there, and whom it waits for. Where things that
  /// can't be added up are still in the way (the last dynamic port, cores scattered over NUMA nodes), more of the
  /// candidates go, and those that turn out not to be needed stay. Nil when that doesn't help either.
  func choice(
    _ slot: Int, _ solution: Solution, index: Int, use: NodeUse, stopped: Set<Identifier>, random: inout RandomBits
  ) -> GroupRanking.Choice? {
    if let choice = carryOut(slot, solution.victims, index: index, use: use, stopped: stopped, random: &random) {
      return choice
    }
    var victims = solution.victims
    let others = use.columns.held[slot].filter { item in
      !item.isStopping && !stopped.contains(item.id) && Int(item.priority) + Self.priorityGap <= priority
        && !own.contains(item.id) && !victims.contains(item.id)
    }.sorted { ($0.priority, $0.id) < ($1.priority, $1.id) }
    victims += others.map(\.id)
    guard carryOut(slot, victims, index: index, use: use, stopped: stopped, random: &random) != nil else { return nil }
    for item in others.reversed() {
      let fewer = victims.filter { $0 != item.id }
      if carryOut(slot, fewer, index: index, use: use, stopped: stopped, random: &random) != nil { victims = fewer }
    }
    return carryOut(slot, victims, index: index, use: use, stopped: stopped, random: &random)
  }

  private func carryOut(
    _ slot: Int, _ victims: [Identifier], index: Int, use: NodeUse, stopped: Set<Identifier>, random: inout RandomBits
  ) -> GroupRanking.Choice? {
    let columns = use.columns
    guard let node = columns.nodes[slot]?.value else { return nil }
    let going = Set(victims)
    let ending = columns.held[slot].filter { $0.isStopping || stopped.contains($0.id) || going.contains($0.id) }
    var choice = GroupRanking.Choice(
      slot: slot, score: 0, demand: requirement.grants.cores == 0 ? requirement.ask : requirement.demand(on: node))
    if requirement.asksNamedThings {
      var holdings = use.holdings(slot)
      let records = ending.compactMap { state.allocation($0.id)?.value }
      for record in records { holdings.give(record) }
      guard
        let granted = try? requirement.grant(
          on: node, cores: columns.cores[slot], index: index, from: &holdings, random: &random)
      else { return nil }
      for record in records { holdings.take(record) }
      choice.granted = granted
      choice.holdings = holdings
    }
    choice.victims = victims.compactMap { state.allocation($0) }
    choice.startsAfter = ending.map(\.id).sorted()
    return choice
  }
}
