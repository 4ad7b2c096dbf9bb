import Codec
import Model
import State

/// The node on which the least has to be sacrificed, for one placement of a group after the other.
///
/// All nodes that suit are looked at once; after that only the one that a placement has changed. Between equal sacrifices
/// the node with fewer allocations of the group comes first.
struct PreemptionRanking {
  private struct Entry {
    let sacrifice: Sacrifice
    let collisions: Int
    let tieBreak: UInt64
    let slot: Int
    let revision: Int

    func comes(before other: Entry) -> Bool {
      if sacrifice < other.sacrifice { return true }
      if other.sacrifice < sacrifice { return false }
      if collisions != other.collisions { return collisions < other.collisions }
      return tieBreak != other.tieBreak ? tieBreak > other.tieBreak : slot < other.slot
    }
  }

  private var preemption: NodePreemption
  private var heap: [Entry] = []
  private var solutions: [Int: NodePreemption.Solution] = [:]
  private var revisions: [Int: Int] = [:]

  init(_ preemption: NodePreemption, ranking: GroupRanking, use: NodeUse, stopped: Set<Identifier>) {
    self.preemption = preemption
    for slot32 in ranking.suitableSlots {
      if let entry = solve(Int(slot32), ranking, use, stopped) { heap.append(entry) }
    }
    for position in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(from: position) }
  }

  private mutating func solve(
    _ slot: Int, _ ranking: GroupRanking, _ use: NodeUse, _ stopped: Set<Identifier>
  ) -> Entry? {
    let revision = (revisions[slot] ?? -1) + 1
    revisions[slot] = revision
    solutions[slot] = preemption.solve(slot, use: use, stopped: stopped)
    guard let solution = solutions[slot] else { return nil }
    return Entry(
      sacrifice: solution.sacrifice, collisions: ranking.allocationsOfGroup(on: slot),
      tieBreak: ranking.tieBreak(slot, use.columns), slot: slot, revision: revision)
  }

  /// The best choice; nil when nothing that may be preempted is enough.
  mutating func choose(
    index: Int, ranking: GroupRanking, use: NodeUse, stopped: Set<Identifier>, random: inout RandomBits
  ) -> GroupRanking.Choice? {
    while let top = heap.first {
      if top.revision == revisions[top.slot], let solution = solutions[top.slot],
        ranking.isOpen(top.slot, use.columns),
        let choice = preemption.choice(
          top.slot, solution, index: index, use: use, stopped: stopped, random: &random)
      {
        return choice
      }
      removeTop()
    }
    return nil
  }

  /// Looks again at a node that the plan has changed.
  mutating func changed(_ slot: Int, ranking: GroupRanking, use: NodeUse, stopped: Set<Identifier>) {
    guard revisions[slot] != nil, let entry = solve(slot, ranking, use, stopped) else { return }
    heap.append(entry)
    var position = heap.count - 1
    while position > 0, heap[position].comes(before: heap[(position - 1) / 2]) {
      heap.swapAt(position, (position - 1) / 2)
      position = (position - 1) / 2
    }
  }

  private mutating func removeTop() {
    let last = heap.removeLast()
    if heap.isEmpty { return }
    heap[0] = last
    siftDown(from: 0)
  }

  private mutating func siftDown(from start: Int) {
    var position = start
    while true {
      let left = 2 * position + 1
      if left >= heap.count { return }
      let right = left + 1
      let child = right < heap.count && heap[right].comes(before: heap[left]) ? right : left
      if !heap[child].comes(before: heap[position]) { return }
      heap.swapAt(position, child)
      position = child
    }
  }
}
