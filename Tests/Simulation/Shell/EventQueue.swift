/// What is going to happen, in order of time and, at equal times, of being put in.
struct EventQueue {
  struct Item {
    let time: UInt64
    let number: UInt64
    let event: Event
  }

  private var heap: [Item] = []
  private var count: UInt64 = 0

  mutating func put(_ event: Event, at time: UInt64) {
    count += 1
    heap.append(Item(time: time, number: count, event: event))
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard precedes(child, parent) else { break }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  mutating func take() -> Item? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    guard !heap.isEmpty else { return first }
    heap[0] = last
    var parent = 0
    while true {
      var least = parent
      let left = 2 * parent + 1
      if left < heap.count, precedes(left, least) { least = left }
      if left + 1 < heap.count, precedes(left + 1, least) { least = left + 1 }
      guard least != parent else { return first }
      heap.swapAt(parent, least)
      parent = least
    }
  }

  private func precedes(_ left: Int, _ right: Int) -> Bool {
    heap[left].time != heap[right].time
      ? heap[left].time < heap[right].time : heap[left].number < heap[right].number
  }
}

/// `host` is a place in the simulator's list; `epoch` counts a host's crashes, so that what was meant for the process
/// before one is dropped.
enum Event {
  case message(slot: Int)
  case tick(host: Int, epoch: Int)
  case synced(host: Int, epoch: Int)
  case workload(WorkloadEvent)
  case fault(Int)
  /// Some fault is over.
  case ends
}
