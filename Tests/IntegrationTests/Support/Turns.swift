import Glibc
import Synchronization

/// How many tests may have agents at the same time, however many the test runner starts at once: with dozens of agents on
/// a few cores everything takes so long that deadlines say nothing any more.
final class Turns: Sendable {
  static let shared = Turns(max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN))))

  private struct Queue {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let queue: Mutex<Queue>

  init(_ count: Int) { queue = Mutex(Queue(free: count)) }

  /// Waits for a turn; first come, first served.
  func take() async {
    await withCheckedContinuation { continuation in
      let isFree = queue.withLock { queue in
        guard queue.free == 0 else {
          queue.free -= 1
          return true
        }
        queue.waiting.append(continuation)
        return false
      }
      if isFree { continuation.resume() }
    }
  }

  /// Ends a turn.
  func giveBack() {
    let next = queue.withLock { queue -> CheckedContinuation<Void, Never>? in
      guard queue.waiting.isEmpty else { return queue.waiting.removeFirst() }
      queue.free += 1
      return nil
    }
    next?.resume()
  }
}
