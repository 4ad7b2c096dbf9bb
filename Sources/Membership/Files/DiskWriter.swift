internal import Linux
internal import Log
internal import Synchronization

/// Writes small files on a thread of its own, so that a slow disk never makes this server look dead to the others. Of
/// several contents of one file only the newest is written.
final class DiskWriter: Sendable {
  private struct State {
    var pending: [(path: String, bytes: [UInt8])] = []
    var runs = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())
  private let logger: Logger

  init(logger: Logger) { self.logger = logger }

  func write(_ path: String, _ bytes: [UInt8]) {
    let start = state.withLock { state in
      state.pending.removeAll { $0.path == path }
      state.pending.append((path, bytes))
      defer { state.runs = true }
      return !state.runs
    }
    guard start else { return }
    do throws(SystemError) {
      try DetachedThread.start(named: "gossip-disk") { [self] in run() }
    } catch {
      logger.error("no thread to write with; the file is as it was", ("path", path), ("error", "\(error)"))
      state.withLock { $0.runs = false }
    }
  }

  /// Waits until everything is on disk.
  func flush() async {
    await withCheckedContinuation { continuation in
      let idle = state.withLock { state in
        if state.runs { state.waiters.append(continuation) }
        return !state.runs
      }
      if idle { continuation.resume() }
    }
  }

  private func run() {
    while true {
      let (next, waiters) = state.withLock {
        state -> ((path: String, bytes: [UInt8])?, [CheckedContinuation<Void, Never>]) in
        if !state.pending.isEmpty { return (state.pending.removeFirst(), []) }
        state.runs = false
        defer { state.waiters = [] }
        return (nil, state.waiters)
      }
      for waiter in waiters { waiter.resume() }
      guard let next else { return }
      do throws(SystemError) {
        try Files.replace(next.path, with: next.bytes, permissions: 0o600, durable: true)
      } catch {
        logger.error("a file of the gossip pool was not written", ("path", next.path), ("error", "\(error)"))
      }
    }
  }
}
