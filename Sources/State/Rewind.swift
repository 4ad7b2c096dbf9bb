internal import Codec
internal import Model

/// Going back: what a leader applied ahead of the log and lost with its leadership has never happened.
extension State {
  /// Becomes the state as of an earlier reader of this very state.
  ///
  /// The tables are what the reader has. The columns have no older copies; those of the nodes that were touched meanwhile
  /// are made anew, so the cost goes with what is undone and not with the size of the state.
  /// - Parameter undone: everything that was applied since `earlier` was taken, in any order.
  public mutating func rewind(to earlier: StateReader, undoing undone: some Sequence<Changes>) {
    var touched: Set<Identifier> = []
    var isWhole = false
    for changes in undone {
      isWhole = isWhole || changes.isRestoration
      for record in changes.records {
        switch record {
        case .node(let node), .nodeRemoved(let node): touched.insert(node.value.id)
        case .allocation(let allocation), .allocationRemoved(let allocation): touched.insert(allocation.value.nodeID)
        default: break
        }
      }
    }
    reader = earlier
    touchedJobs.removeAll(keepingCapacity: true)
    if isWhole { return rebuildColumns() }
    // In order, so that slots do not depend on a hash seed.
    for id in touched.sorted() {
      columns.remove(id)
      guard let node = reader.nodes[id] else { continue }
      columns.set(node)
      guard let slot = columns.slot(of: id) else { continue }
      for allocation in reader.allocations(onNode: id) where allocation.value.holdsResources {
        columns.take(allocation.value, slot)
      }
    }
  }

  private mutating func rebuildColumns() {
    columns = NodeColumns()
    for (_, node) in reader.nodes { columns.set(node) }
    for (_, allocation) in reader.allocations where allocation.value.holdsResources {
      if let slot = columns.slot(of: allocation.value.nodeID) { columns.take(allocation.value, slot) }
    }
  }
}
