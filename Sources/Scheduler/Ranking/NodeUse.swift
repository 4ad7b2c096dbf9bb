import Codec
import Model
import State

/// The columns, and beside them what the plan in the making takes from nodes. Nothing is given back: what the plan stops
/// is free when its client says so (law 6), not before.
struct NodeUse {
  let columns: NodeColumns
  private(set) var taken: [Int: Taken] = [:]

  struct Taken {
    var cpu: Int32 = 0
    var memory: Int32 = 0
    var disk: Int32 = 0
    var allocations: Int32 = 0
    /// What is held of the node one by one, with what the plan holds; nil while the plan has taken nothing of that.
    var holdings: Holdings?
    /// Allocations of lower priority that make room for the plan's.
    var victims: [Identifier] = []
    /// What replacements of the plan take over from the allocations that they wait for: taken and used at once in the
    /// figures above, in one place on the node.
    var shared = Demand(cpu: 0, memory: 0, disk: 0)
  }

  init(_ columns: NodeColumns) { self.columns = columns }

  /// Accounts for a placement. `incumbent` is what the allocation holds on the same node whose place it takes.
  mutating func take(_ demand: Demand, holdings: Holdings?, slot: Int, incumbent: Demand?) {
    var entry = taken[slot] ?? Taken()
    if let incumbent {
      entry.shared.cpu += min(demand.cpu, incumbent.cpu)
      entry.shared.memory += min(demand.memory, incumbent.memory)
      entry.shared.disk += min(demand.disk, incumbent.disk)
    }
    entry.cpu += demand.cpu
    entry.memory += demand.memory
    entry.disk += demand.disk
    entry.allocations += 1
    if let holdings { entry.holdings = holdings }
    taken[slot] = entry
  }

  /// Notes that allocations of the node are to make room.
  mutating func evict(_ victims: [Identifier], slot: Int) { taken[slot, default: Taken()].victims += victims }

  /// What is held of a node one by one, stopping allocations and the plan's own included.
  func holdings(_ slot: Int) -> Holdings {
    taken[slot]?.holdings ?? Holdings(ports: columns.ports[slot], named: columns.named[slot])
  }

  /// What is free on a node for allocations.
  func free(_ slot: Int) -> Free {
    guard !taken.isEmpty, let plan = taken[slot] else {
      return Free(
        cpu: columns.cpuTotal[slot] - columns.cpuUsed[slot],
        memory: columns.memoryTotal[slot] - columns.memoryUsed[slot],
        disk: columns.diskTotal[slot] - columns.diskUsed[slot],
        hasAllocationLeft: columns.allocationLimit[slot] == 0
          || columns.allocationCount[slot] < columns.allocationLimit[slot])
    }
    return Free(
      cpu: columns.cpuTotal[slot] - columns.cpuUsed[slot] - plan.cpu,
      memory: columns.memoryTotal[slot] - columns.memoryUsed[slot] - plan.memory,
      disk: columns.diskTotal[slot] - columns.diskUsed[slot] - plan.disk,
      hasAllocationLeft: columns.allocationLimit[slot] == 0
        || columns.allocationCount[slot] + plan.allocations < columns.allocationLimit[slot])
  }

  /// What is free for the replacement of an allocation on that allocation's own node.
  func free(_ slot: Int, replacing incumbent: Demand) -> Free {
    var free = free(slot)
    let shared = taken[slot]?.shared ?? Demand(cpu: 0, memory: 0, disk: 0)
    free.cpu += incumbent.cpu + shared.cpu
    free.memory += incumbent.memory + shared.memory
    free.disk += incumbent.disk + shared.disk
    free.hasAllocationLeft = true
    return free
  }

  struct Free {
    var cpu: Int32
    var memory: Int32
    var disk: Int32
    var hasAllocationLeft: Bool

    /// The first dimension in which the demand exceeds what is free; nil when it fits.
    @inline(__always)
    func lacking(_ demand: Demand) -> Dimension? {
      if demand.cpu > cpu { return .cpu }
      if demand.memory > memory { return .memory }
      if demand.disk > disk { return .disk }
      return hasAllocationLeft ? nil : .allocations
    }
  }
}

/// What a node can have too little of, as metrics name it.
enum Dimension: Int, CaseIterable, Sendable {
  case cpu
  case memory
  case disk
  case allocations

  var text: String {
    switch self {
    case .cpu: "cpu"
    case .memory: "memory"
    case .disk: "disk"
    case .allocations: "max allocations"
    }
  }
}
