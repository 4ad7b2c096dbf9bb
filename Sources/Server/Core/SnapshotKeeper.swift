internal import Linux
internal import Log
internal import State
internal import Storage
internal import Synchronization

/// Takes snapshots of the committed state and shortens the log behind them.
final class SnapshotKeeper: Sendable {
  private struct Progress {
    var lastIndex: UInt64
    var isTaking = false
  }

  private let store: SnapshotStore
  private let threshold: UInt64
  private let trailing: UInt64
  private let logger: Logger
  private let progress: Mutex<Progress>

  init(store: SnapshotStore, lastIndex: UInt64, threshold: UInt64, trailing: UInt64, logger: Logger) {
    self.store = store
    self.threshold = threshold
    self.trailing = trailing
    self.logger = logger
    progress = Mutex(Progress(lastIndex: lastIndex))
  }

  /// Whether so much was logged since the last snapshot that the next one should be taken.
  func isDue(lastIndex: UInt64) -> Bool {
    progress.withLock { !$0.isTaking && lastIndex >= $0.lastIndex + threshold }
  }

  /// Writes a snapshot on a thread of its own, then drops the log entries that it makes unnecessary.
  func take(_ reader: StateReader, term: UInt64, log: LogWriter) {
    guard
      progress.withLock({ progress in
        if progress.isTaking { return false }
        progress.isTaking = true
        return true
      })
    else { return }
    do throws(SystemError) {
      try DetachedThread.start { [self] in
        write(reader, term: term, log: log)
        progress.withLock { $0.isTaking = false }
      }
    } catch {
      progress.withLock { $0.isTaking = false }
      logger.warn("no thread for taking a snapshot, trying again later", ("error", "\(error)"))
    }
  }

  private func write(_ reader: StateReader, term: UInt64, log: LogWriter) {
    do throws(StorageError) {
      var writer = try store.makeWriter(at: LogPosition(index: reader.index, term: term))
      var encoder = StateEncoder(reader)
      while let chunk = encoder.next() { try writer.write(chunk) }
      _ = try writer.finish()
    } catch {
      logger.error("taking a snapshot failed, the log is kept", ("index", "\(reader.index)"), ("error", "\(error)"))
      return
    }
    progress.withLock { $0.lastIndex = reader.index }
    logger.info("snapshot taken", ("index", "\(reader.index)"))
    guard reader.index > trailing else { return }
    log.compact(through: reader.index - trailing) { [logger] result in
      if case .failure(let error) = result { logger.warn("the log could not be shortened", ("error", "\(error)")) }
    }
  }
}
