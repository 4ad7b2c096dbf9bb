internal import Codec
internal import Model
internal import Synchronization

/// What the servers have to be told about allocations, the latest word on each. The first change goes out at once;
/// what comes while it is under way, or within the next 50 ms, goes together.
final class UpdateQueue: Sendable {
  private struct State {
    var waiting: [Identifier: AllocationClientUpdate] = [:]
    /// In order of their first change.
    var order: [Identifier] = []
    var taker: CheckedContinuation<Void, Never>?
    var isClosed = false
  }

  private let state = Mutex(State())

  /// Replaces what waits for the same allocation.
  func put(_ update: AllocationClientUpdate) {
    let taker = state.withLock { state in
      if state.waiting.updateValue(update, forKey: update.id) == nil { state.order.append(update.id) }
      return state.taker.take()
    }
    taker?.resume()
  }

  /// Takes back what could not be sent, unless something newer waits.
  func putBack(_ updates: [AllocationClientUpdate]) {
    state.withLock { state in
      for update in updates where state.waiting[update.id] == nil {
        state.waiting[update.id] = update
        state.order.append(update.id)
      }
    }
  }

  /// Everything that waits, at most `limit` allocations; waits until there is something. Nil when the queue is closed.
  /// One taker at a time.
  func take(limit: Int = 1000) async -> [AllocationClientUpdate]? {
    while true {
      let taken = state.withLock { state -> [AllocationClientUpdate]? in
        if state.isClosed { return nil }
        let ids = state.order.prefix(limit)
        state.order.removeFirst(ids.count)
        return ids.compactMap { state.waiting.removeValue(forKey: $0) }
      }
      guard let taken else { return nil }
      if !taken.isEmpty { return taken }
      await withCheckedContinuation { continuation in
        let ready = state.withLock { state in
          if state.isClosed || !state.order.isEmpty { return true }
          state.taker = continuation
          return false
        }
        if ready { continuation.resume() }
      }
    }
  }

  /// Ends the taker.
  func close() {
    let taker = state.withLock { state in
      state.isClosed = true
      return state.taker.take()
    }
    taker?.resume()
  }

  var isEmpty: Bool { state.withLock { $0.order.isEmpty } }
}
