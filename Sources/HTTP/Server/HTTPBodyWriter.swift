internal import CMicrohttpd
internal import Synchronization

/// Why writing a response stopped: the client is gone, or the server is stopping.
public struct HTTPStreamClosed: Error, Sendable, CustomStringConvertible {
  /// A sentence for logs.
  public var description: String { "the client closed the connection before the response was complete" }
}

/// The sending end of a streamed response body.
///
/// Every write is offered to the socket at once, in its own chunk, so that a follower of a log sees each line when it is
/// written. A writer that is faster than its client waits in `write`, without holding a thread.
public final class HTTPBodyWriter: Sendable {
  /// What the I/O thread and the producer share.
  fileprivate struct State {
    var buffer: [UInt8] = []
    /// Bytes of `buffer` that were sent.
    var sent = 0
    var ending: Ending?
    /// No more bytes will be taken: the connection is gone.
    var closed = false
    /// The connection is suspended, waiting for bytes.
    var readerWaits = false
    var connection: MHDConnection?
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  fileprivate enum Ending { case complete, broken }

  private let state = Mutex(State())
  private let capacity: Int

  /// Takes the bytes in place of a connection of this server.
  private let sink: (@Sendable ([UInt8]) async throws -> Void)?

  init(capacity: Int) {
    self.capacity = max(capacity, 1)
    sink = nil
  }

  /// A writer whose bytes go to `sink`, which waits while its reader is slower: for a response that leaves over
  /// something else than this server's connections.
  public init(forwardingTo sink: @escaping @Sendable ([UInt8]) async throws -> Void) {
    capacity = 1
    self.sink = sink
  }

  /// Sends bytes; returns when they are buffered for sending, waits while more than the stream's buffer is unsent.
  ///
  /// - Throws: `HTTPStreamClosed` once the client is gone; `CancellationError` if the task is cancelled, which also
  ///   happens when the client is gone.
  public func write(_ bytes: some Sequence<UInt8>) async throws {
    if let sink { return try await sink(Array(bytes)) }
    try await reserve()
    let resumed = state.withLock { state -> MHDConnection? in
      state.buffer.append(contentsOf: bytes)
      return state.takeWaitingReader()
    }
    resumed?.resume()
  }

  /// Sends text as UTF-8.
  public func write(_ text: String) async throws { try await write(text.utf8) }

  /// Waits until there is room in the buffer.
  private func reserve() async throws {
    while true {
      try Task.checkCancellation()
      let ready = try state.withLock { state in
        if state.closed { throw HTTPStreamClosed() }
        return state.buffer.count - state.sent < capacity
      }
      if ready { return }
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let resumeNow = state.withLock { state in
            if state.closed || Task.isCancelled || state.buffer.count - state.sent < capacity { return true }
            state.waiters.append(continuation)
            return false
          }
          if resumeNow { continuation.resume() }
        }
      } onCancel: {
        resumeAll(state.withLock { $0.takeWaiters() })
      }
    }
  }

  /// The producer returned (nil) or threw.
  func finish(_ error: (any Error)?) {
    let resumed = state.withLock { state -> MHDConnection? in
      state.ending = error == nil ? .complete : .broken
      return state.takeWaitingReader()
    }
    resumed?.resume()
  }

  /// The connection is gone: what is buffered is dropped, writers fail.
  func close() {
    let waiters = state.withLock { state in
      state.closed = true
      state.buffer = []
      state.sent = 0
      return state.takeWaiters()
    }
    resumeAll(waiters)
  }

  /// The server stops and the producer did not: cuts the connection.
  func abort() {
    close()
    finish(HTTPStreamClosed())
  }

  /// Which connection to suspend while there is nothing to send.
  func attach(_ connection: MHDConnection) {
    state.withLock { $0.connection = connection }
  }

  /// Called by the I/O thread for more bytes: a count, or one of the library's two end marks, or 0 after suspending.
  func read(into target: UnsafeMutableRawBufferPointer) -> Int {
    let (result, waiters) = state.withLock { state -> (Int, [CheckedContinuation<Void, Never>]) in
      let available = state.buffer.count - state.sent
      if available > 0 {
        let count = min(available, target.count)
        state.buffer.withUnsafeBytes {
          target.copyMemory(from: .init(rebasing: $0[state.sent..<(state.sent + count)]))
        }
        state.sent += count
        if state.sent == state.buffer.count {
          state.buffer.removeAll(keepingCapacity: state.buffer.capacity <= capacity)
          state.sent = 0
        }
        return (count, state.buffer.count - state.sent < capacity ? state.takeWaiters() : [])
      }
      switch state.ending {
      case .complete: return (serai_mhd_end_of_stream(), [])
      case .broken: return (serai_mhd_end_with_error(), [])
      case nil:
        // Suspended under the lock: a writer must not be able to resume before this has happened.
        guard let connection = state.connection else { return (serai_mhd_end_with_error(), []) }
        connection.suspend()
        state.readerWaits = true
        return (0, [])
      }
    }
    resumeAll(waiters)
    return result
  }
}

extension HTTPBodyWriter.State {
  mutating func takeWaitingReader() -> MHDConnection? {
    guard readerWaits else { return nil }
    readerWaits = false
    return connection
  }

  mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
    defer { waiters = [] }
    return waiters
  }
}

private func resumeAll(_ waiters: [CheckedContinuation<Void, Never>]) {
  for waiter in waiters { waiter.resume() }
}

/// A connection of the library, as a handle.
///
/// `@unchecked Sendable`: the library allows MHD_resume_connection from any thread, and frees no connection while it is
/// suspended; callers resume only what they know to be suspended, and once.
struct MHDConnection: @unchecked Sendable {
  let pointer: OpaquePointer

  /// Stops all processing of the connection until `resume`. On the library's own thread only.
  func suspend() { serai_mhd_suspend(pointer) }

  func resume() { serai_mhd_resume(pointer) }
}
