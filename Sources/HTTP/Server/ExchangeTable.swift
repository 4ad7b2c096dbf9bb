internal import Synchronization

/// The exchanges whose handlers run or whose responses are on their way; what a stopping server waits for.
final class ExchangeTable: Sendable {
  private struct State {
    var active: [ObjectIdentifier: ServerExchange] = [:]
    var waiters: [CheckedContinuation<Void, Never>] = []
    var stopping = false
  }

  private let state = Mutex(State())

  /// False if the server is stopping: the exchange must not start its handler, or suspend its connection, any more.
  func began(_ exchange: ServerExchange) -> Bool {
    state.withLock { state in
      guard !state.stopping else { return false }
      state.active[ObjectIdentifier(exchange)] = exchange
      return true
    }
  }

  /// From here on no exchange begins.
  func stop() { state.withLock { $0.stopping = true } }

  func ended(_ exchange: ServerExchange) {
    let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      state.active[ObjectIdentifier(exchange)] = nil
      guard state.active.isEmpty else { return [] }
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  var all: [ServerExchange] { state.withLock { Array($0.active.values) } }

  /// Waits until none is active, but no longer than `limit`. True if none is.
  func drained(within limit: Duration) async -> Bool {
    if state.withLock({ $0.active.isEmpty }) { return true }
    let timer = Task {
      // Cancelled when the exchanges end first: then there is nobody left to wake.
      try? await Task.sleep(for: limit)
      let waiters = state.withLock { state in
        defer { state.waiters = [] }
        return state.waiters
      }
      for waiter in waiters { waiter.resume() }
    }
    await withCheckedContinuation { continuation in
      let now = state.withLock { state in
        if state.active.isEmpty { return true }
        state.waiters.append(continuation)
        return false
      }
      if now { continuation.resume() }
    }
    timer.cancel()
    return state.withLock { $0.active.isEmpty }
  }
}
