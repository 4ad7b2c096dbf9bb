/// Finds the best of many candidates whose scores change one at a time, or a whole group of them at once by the same
/// amount.
///
/// A candidate's score is a mean: the sum of its own parts and of one part that it shares with its bucket, over how many
/// parts there are. Candidates of one bucket with the same number of own parts keep their order when the shared part
/// changes, so each such combination has a heap by the sum of the own parts, and the best candidate is the best of the
/// heaps' tops. A candidate that changes is pushed again; what is out of date is dropped when it reaches a top.
struct CandidateHeaps {
  private struct Entry {
    let sum: Double
    /// Decides between equal sums.
    let tieBreak: UInt64
    let candidate: Int32
    /// The candidate's revision when the entry was made.
    let revision: UInt32

    @inline(__always)
    func comes(before other: Entry) -> Bool {
      sum != other.sum
        ? sum > other.sum : tieBreak != other.tieBreak ? tieBreak > other.tieBreak : candidate < other.candidate
    }
  }

  /// The number of parts a candidate itself can have: fit, anti-affinity, reschedule penalty, affinity, devices.
  static let maximumParts = 5

  private var heaps: [[Entry]]
  private var revisions: [UInt32]

  init(candidates: Int, buckets: Int) {
    heaps = Array(repeating: [], count: buckets * Self.maximumParts)
    revisions = Array(repeating: 0, count: candidates)
  }

  /// Adds a candidate without ordering; `build` must follow the last one.
  mutating func append(_ candidate: Int, bucket: Int, parts: Int, sum: Double, tieBreak: UInt64) {
    heaps[bucket * Self.maximumParts + parts - 1].append(
      Entry(sum: sum, tieBreak: tieBreak, candidate: Int32(candidate), revision: revisions[candidate]))
  }

  mutating func reserve(_ count: Int, bucket: Int, parts: Int) {
    heaps[bucket * Self.maximumParts + parts - 1].reserveCapacity(count)
  }

  mutating func build() {
    for heap in heaps.indices where heaps[heap].count > 1 {
      for position in stride(from: heaps[heap].count / 2 - 1, through: 0, by: -1) {
        Self.siftDown(&heaps[heap], from: position)
      }
    }
  }

  /// Replaces what is known of a candidate.
  mutating func update(_ candidate: Int, bucket: Int, parts: Int, sum: Double, tieBreak: UInt64) {
    revisions[candidate] += 1
    let heap = bucket * Self.maximumParts + parts - 1
    heaps[heap].append(
      Entry(sum: sum, tieBreak: tieBreak, candidate: Int32(candidate), revision: revisions[candidate]))
    Self.siftUp(&heaps[heap])
  }

  mutating func remove(_ candidate: Int) { revisions[candidate] += 1 }

  /// The candidate with the highest mean. `shared` has each bucket's part: NaN when none of the bucket may be chosen, zero
  /// when there is no such part.
  mutating func best(shared: [Double]) -> (candidate: Int, score: Double)? {
    var best: (entry: Entry, score: Double)?
    for heap in heaps.indices {
      if heaps[heap].isEmpty { continue }
      let part = shared[heap / Self.maximumParts]
      if part.isNaN { continue }
      while let top = heaps[heap].first, top.revision != revisions[Int(top.candidate)] { Self.removeTop(&heaps[heap]) }
      guard let top = heaps[heap].first else { continue }
      let score = Self.mean(sum: top.sum, parts: heap % Self.maximumParts + 1, shared: part)
      if let known = best {
        let wins =
          score != known.score
          ? score > known.score
          : top.tieBreak != known.entry.tieBreak
            ? top.tieBreak > known.entry.tieBreak : top.candidate < known.entry.candidate
        if wins { best = (top, score) }
      } else {
        best = (top, score)
      }
    }
    return best.map { (Int($0.entry.candidate), $0.score) }
  }

  @inline(__always)
  static func mean(sum: Double, parts: Int, shared: Double) -> Double {
    shared == 0 ? sum / Double(parts) : (sum + shared) / Double(parts + 1)
  }

  private static func siftUp(_ heap: inout [Entry]) {
    var position = heap.count - 1
    while position > 0 {
      let parent = (position - 1) / 2
      if !heap[position].comes(before: heap[parent]) { return }
      heap.swapAt(position, parent)
      position = parent
    }
  }

  private static func siftDown(_ heap: inout [Entry], from start: Int) {
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

  private static func removeTop(_ heap: inout [Entry]) {
    let last = heap.removeLast()
    if heap.isEmpty { return }
    heap[0] = last
    siftDown(&heap, from: 0)
  }
}
