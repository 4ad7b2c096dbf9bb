internal import Linux
internal import Synchronization

/// Runs blocking calls (directories, files, sockets) on a few threads of its own, never on Swift's cooperative pool.
final class BlockingWork: Sendable {
  private struct State {
    var waiting: [@Sendable () -> Void] = []
    var taken = 0
    var threads = 0
  }

  private let limit: Int
  private let state = Mutex(State())

  /// - Parameter threads: at most so many at once; they end when there is nothing to do.
  init(threads: Int = 4) { limit = threads }

  /// Runs `body` on one of the threads and returns what it returns.
  func run<Value: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
      submit {
        do throws(Failure) {
          continuation.resume(returning: .success(try body()))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    return try result.get()
  }

  private func submit(_ job: @escaping @Sendable () -> Void) {
    let startsThread = state.withLock { state in
      state.waiting.append(job)
      guard state.threads < limit else { return false }
      state.threads += 1
      return true
    }
    guard startsThread else { return }
    do throws(SystemError) {
      try DetachedThread.start { [self] in work() }
    } catch {
      // No thread to be had: late is worse than blocking this one for a moment.
      work()
    }
  }

  private func work() {
    while true {
      let job = state.withLock { state -> (@Sendable () -> Void)? in
        guard state.taken < state.waiting.count else {
          state.waiting.removeAll(keepingCapacity: true)
          state.taken = 0
          state.threads -= 1
          return nil
        }
        defer { state.taken += 1 }
        return state.waiting[state.taken]
      }
      guard let job else { return }
      job()
    }
  }
}
