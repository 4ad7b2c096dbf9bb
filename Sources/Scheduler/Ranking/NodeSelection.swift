import Model
import State

/// Which nodes a job's placements may choose from, before anything is asked of the nodes themselves: taking new
/// allocations, in one of the job's datacenters, in its node pool.
struct NodeSelection: Sendable {
  private let datacenters: [Bool]
  /// Nil for the pool of all nodes.
  private let pool: UInt32?
  private let poolIsKnown: Bool

  static let poolOfAllNodes = "all"

  init(_ job: Job, _ columns: NodeColumns) {
    let patterns = job.datacenters.isEmpty ? ["*"] : job.datacenters
    datacenters = columns.datacenters.names.map { name in patterns.contains { DatacenterGlob.matches($0, name) } }
    let name = job.nodePool.flatMap { $0.isEmpty ? nil : $0 } ?? "default"
    pool = name == Self.poolOfAllNodes ? nil : columns.pools.number(of: name)
    poolIsKnown = name == Self.poolOfAllNodes || pool != nil
  }

  func isInPool(_ slot: Int, _ columns: NodeColumns) -> Bool {
    poolIsKnown && (pool == nil || columns.pool[slot] == pool)
  }

  func isInDatacenter(_ slot: Int, _ columns: NodeColumns) -> Bool { datacenters[Int(columns.datacenter[slot])] }

  func contains(_ slot: Int, _ columns: NodeColumns) -> Bool {
    columns.isCandidate(slot) && isInPool(slot, columns) && isInDatacenter(slot, columns)
  }

  /// The slots to choose from.
  func slots(_ columns: NodeColumns) -> [Int32] {
    guard poolIsKnown else { return [] }
    // Local references: reading a column through the struct costs a call each time.
    let (flags, pools, places) = (columns.flags, columns.pool, columns.datacenter)
    var slots: [Int32] = []
    slots.reserveCapacity(flags.count)
    for slot in flags.indices {
      guard flags[slot].isSuperset(of: .candidate), !flags[slot].contains(.draining) else { continue }
      if let pool, pools[slot] != pool { continue }
      if datacenters[Int(places[slot])] { slots.append(Int32(slot)) }
    }
    return slots
  }
}
