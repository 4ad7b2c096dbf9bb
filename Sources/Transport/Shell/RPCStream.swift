internal import Synchronization

/// A two-way stream of bytes over a connection, with back-pressure: who writes faster than the other side reads, waits.
///
/// Borders between writes are not kept. One task may read while another writes; two readers, or two writers, are not
/// served in a defined order.
public final class RPCStream: Sendable {
  fileprivate struct State {
    var inbox: [[UInt8]] = []
    var taken = 0
    var ended = false
    var failure: RPCError?
    var readers: [CheckedContinuation<Void, Never>] = []
    var writers: [CheckedContinuation<Void, Never>] = []
    /// Counts events that a waiting writer looks for, so that none slips between its look and its wait.
    var writerTurn = 0
  }

  /// The connection that carries the stream.
  public let connection: RPCConnection
  private let id: UInt64
  private let state = Mutex(State())

  init(connection: RPCConnection, id: UInt64) {
    self.connection = connection
    self.id = id
  }

  /// Waits for the next bytes; nil when the other side has finished and all was read.
  ///
  /// - Throws: `RPCError` if the stream was cancelled by either side or the connection broke.
  public func read() async throws -> [UInt8]? {
    while true {
      try Task.checkCancellation()
      let (bytes, ended) = try state.withLock { state -> ([UInt8]?, Bool) in
        if state.taken < state.inbox.count {
          let bytes = state.inbox[state.taken]
          state.taken += 1
          if state.taken == state.inbox.count {
            state.inbox.removeAll(keepingCapacity: true)
            state.taken = 0
          }
          return (bytes, false)
        }
        if let failure = state.failure { throw failure }
        return (nil, state.ended)
      }
      if let bytes {
        connection.consumed(id, bytes.count)
        return bytes
      }
      if ended { return nil }
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let now = state.withLock { state in
            if !state.inbox.isEmpty || state.ended || state.failure != nil || Task.isCancelled { return true }
            state.readers.append(continuation)
            return false
          }
          if now { continuation.resume() }
        }
      } onCancel: {
        wakeReaders()
      }
    }
  }

  /// Sends bytes; waits while more than the send buffer is unsent.
  ///
  /// - Throws: `RPCError` if the other side has ended the stream or the connection broke.
  public func write(_ bytes: [UInt8]) async throws {
    while true {
      try Task.checkCancellation()
      let turn = try state.withLock { state in
        if let failure = state.failure { throw failure }
        return state.writerTurn
      }
      if try connection.write(id, bytes) { return }
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let now = state.withLock { state in
            if state.writerTurn != turn || Task.isCancelled { return true }
            state.writers.append(continuation)
            return false
          }
          if now { continuation.resume() }
        }
      } onCancel: {
        wakeWriters()
      }
    }
  }

  /// Says that no more will be written. For the side that answers, this ends the stream.
  public func finish() { connection.finish(id) }

  /// Ends the stream at once, both ways; the other side's reads and writes fail with the error.
  public func cancel(_ error: RPCError = RPCError(.cancelled, "the other side cancelled the stream")) {
    connection.cancel(id, error)
    failed(error)
  }

  // MARK: From the connection

  func received(_ bytes: [UInt8]) {
    let readers = state.withLock { state in
      state.inbox.append(bytes)
      return state.takeReaders()
    }
    for reader in readers { reader.resume() }
  }

  func ended() {
    state.withLock { $0.ended = true }
    wakeReaders()
    wakeWriters()
  }

  func failed(_ error: RPCError) {
    state.withLock { state in
      if state.failure == nil, !state.ended { state.failure = error }
    }
    wakeReaders()
    wakeWriters()
  }

  func wakeWriters() {
    let writers = state.withLock { state in
      state.writerTurn += 1
      defer { state.writers = [] }
      return state.writers
    }
    for writer in writers { writer.resume() }
  }

  private func wakeReaders() {
    let readers = state.withLock { $0.takeReaders() }
    for reader in readers { reader.resume() }
  }
}

extension RPCStream.State {
  fileprivate mutating func takeReaders() -> [CheckedContinuation<Void, Never>] {
    defer { readers = [] }
    return readers
  }
}
