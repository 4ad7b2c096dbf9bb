import Codec
import Model
import State

/// What must be true of every state, looked at by code that shares nothing with scheduler and columns.
struct StateCheck {
  /// Up to here states were looked at; what one server has applied here, the others' hashes are compared with.
  private(set) var index: UInt64 = 0

  /// What is wrong with a state; nil for nothing. Only what the entry touched is looked at.
  mutating func look(at reader: StateReader, index: UInt64, changes: Changes) -> String? {
    self.index = index
    var nodes: Set<Identifier> = []
    var jobs: Set<JobKey> = []
    for record in changes.records {
      switch record {
      case .allocation(let allocation):
        nodes.insert(allocation.value.nodeID)
        // Between a promotion and the plan that follows on it a canary and what it replaces both run.
        if allocation.value.createIndex == reader.index { jobs.insert(allocation.value.jobKey) }
      case .node(let node): nodes.insert(node.value.id)
      default: break
      }
    }
    for node in nodes.sorted() { if let found = Self.node(node, reader) { return found } }
    for job in jobs.sorted() { if let found = Self.names(of: job, reader) { return found } }
    return nil
  }

  /// Nothing has more than the node, and nothing is held twice. Who waits for another's end holds nothing yet.
  private static func node(_ id: Identifier, _ reader: StateReader) -> String? {
    guard let node = reader.node(id)?.value else { return nil }
    let holding = reader.allocations(onNode: id).map(\.value).filter(\.holdsResources)
    let present = Set(holding.map(\.id))
    let now = holding.filter { $0.startsAfter.allSatisfy { !present.contains($0) } }
    if let found = exceeded(now, node) { return "\(node.name) \(found)" }
    if let found = exceeded(holding.filter { $0.desiredStatus == .run }, node) {
      return "\(node.name) in the end \(found)"
    }
    var owners: [String: StoredAllocation] = [:]
    for allocation in now {
      for thing in things(of: allocation) {
        if let other = owners.updateValue(allocation, forKey: thing) {
          return "\(thing) of \(node.name) is held by \(describe(other)) and \(describe(allocation))"
        }
      }
    }
    return nil
  }

  private static func exceeded(_ allocations: [StoredAllocation], _ node: Node) -> String? {
    let demands = allocations.map { Demand(of: $0.group ?? TaskGroup(), grants: $0.grants) }
    let cpu = demands.reduce(0) { $0 + Int64($1.cpu) }
    let memory = demands.reduce(0) { $0 + Int64($1.memory) }
    let disk = demands.reduce(0) { $0 + Int64($1.disk) }
    let has = node.nodeResources
    if cpu > has?.cpu.cpuShares ?? 0 { return "has \(has?.cpu.cpuShares ?? 0) MHz and gave \(cpu)\(list(allocations))" }
    if memory > has?.memory.memoryMB ?? 0 {
      return "has \(has?.memory.memoryMB ?? 0) MB and gave \(memory)\(list(allocations))"
    }
    if disk > has?.disk.diskMB ?? 0 { return "has \(has?.disk.diskMB ?? 0) MB of disk and gave \(disk)" }
    return nil
  }

  private static func list(_ allocations: [StoredAllocation]) -> String {
    ": " + allocations.map(describe).joined(separator: ", ")
  }

  private static func describe(_ allocation: StoredAllocation) -> String {
    "\(allocation.name) \(allocation.id) (\(allocation.desiredStatus), \(allocation.clientStatus))"
  }

  private static func things(of allocation: StoredAllocation) -> [String] {
    var things = allocation.ports.map { "port \($0.hostIP):\($0.value)" }
    for grant in allocation.grants.values {
      things += grant.cores.map { "core \($0)" }
      for device in grant.devices { things += device.deviceIDs.map { "device \($0)" } }
    }
    return things
  }

  /// At most one that is to run bears a name, but for a canary, and the stand-in of one that is not heard of. Of a system
  /// job: on each node.
  private static func names(of key: JobKey, _ reader: StateReader) -> String? {
    var seen: [String: StoredAllocation] = [:]
    for allocation in reader.allocations(ofJob: key).map(\.value) where !allocation.isTerminal {
      if allocation.deploymentStatus?.canary == true || allocation.clientStatus == .unknown { continue }
      // One that is to go is there until its stand-in may come.
      var name = allocation.name
      if allocation.job.value.runsOnEveryNode { name += " on \(allocation.nodeID)" }
      guard let other = seen.updateValue(allocation, forKey: name) else { continue }
      let isBack = !other.allocStates.isEmpty || !allocation.allocStates.isEmpty
      if isBack { continue }
      return "two allocations are \(name): \(describe(other)) and \(describe(allocation))\(account(of: key, reader))"
    }
    return nil
  }

  /// What a machine that begins something has in use already.
  static func collision(of run: SimulatedNode.Run, with held: [SimulatedNode.Run], on node: Node) -> String? {
    let others = held.map(\.allocation.value)
    for thing in things(of: run.allocation.value) {
      if let other = others.first(where: { things(of: $0).contains(thing) }) {
        return "\(describe(run.allocation.value)) is to begin with \(thing), which \(describe(other)) still has"
      }
    }
    if let found = exceeded(others + [run.allocation.value], node) { return found }
    return nil
  }

  /// The columns that the scheduler counts with say what the tables say.
  static func columns(of state: State) -> String? {
    for (id, node) in state.reader.nodes {
      guard let slot = state.columns.slot(of: id) else { return "\(node.value.name) has no column" }
      let holding = state.reader.allocations(onNode: id).map(\.value).filter(\.holdsResources)
      let cpu = holding.reduce(0) { $0 + $1.demand.cpu }
      let memory = holding.reduce(0) { $0 + $1.demand.memory }
      let ports = holding.flatMap(\.ports).map { UInt16(clamping: $0.value) }.sorted()
      let counted = state.columns.ports[slot].hosts.flatMap(\.ports).sorted()
      if state.columns.cpuUsed[slot] != cpu || state.columns.memoryUsed[slot] != memory
        || state.columns.allocationCount[slot] != Int32(holding.count) || ports != counted
      {
        return "the columns of \(node.value.name) say \(state.columns.cpuUsed[slot]) MHz, "
          + "\(state.columns.memoryUsed[slot]) MB, \(state.columns.allocationCount[slot]) allocations, ports \(counted); "
          + "the tables say \(cpu), \(memory), \(holding.count), \(ports)"
      }
    }
    return nil
  }
}
