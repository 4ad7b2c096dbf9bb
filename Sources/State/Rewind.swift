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
    for changes in undone {
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
}
