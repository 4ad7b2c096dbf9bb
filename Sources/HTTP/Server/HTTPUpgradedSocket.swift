internal import CMicrohttpd
internal import CNet
internal import Glibc
internal import Synchronization

/// A connection that left HTTP for another protocol: a byte stream both ways.
///
/// One task may read while another writes. Closed when the closure that got it returns.
public final class HTTPUpgradedSocket: Sendable {
  private struct State {
    var readable = true
    var writable = true
    var closed = false
    var reader: CheckedContinuation<Void, Never>?
    var writer: CheckedContinuation<Void, Never>?
    /// Bytes that came right behind the request.
    var early: [UInt8]
  }

  private let state: Mutex<State>
  private let descriptor: Int32
  private let token: UInt64
  private let loop: SocketLoop
  private let io: any SocketIO
  private let release: @Sendable () -> Void

  /// - Parameters:
  ///   - descriptor: a connected stream socket.
  ///   - early: bytes already received.
  ///   - io: what moves the bytes; the plain socket unless TLS is in between.
  ///   - release: called once, when nothing uses the descriptor any more.
  init(
    descriptor: Int32, early: [UInt8], loop: SocketLoop, io: (any SocketIO)? = nil,
    release: @escaping @Sendable () -> Void
  ) {
    self.descriptor = descriptor
    self.loop = loop
    self.io = io ?? PlainSocketIO(descriptor: descriptor)
    self.release = release
    state = Mutex(State(early: early))
    token = loop.nextToken()
    loop.add(self, descriptor: descriptor, token: token)
  }

  /// Two connected sockets: what is written to one is read from the other. For a connection that comes over something
  /// else than HTTP.
  ///
  /// - Throws: `HTTPClientError` when no descriptor or thread is left.
  public static func pair() throws(HTTPClientError) -> (HTTPUpgradedSocket, HTTPUpgradedSocket) {
    var numbers: (Int32, Int32) = (-1, -1)
    guard let loop = SocketLoop.shared, serai_net_socket_pair(&numbers.0, &numbers.1) == 0 else {
      throw HTTPClientError(.other, "no descriptor or thread left; raise the limits (ulimit -n, -u)")
    }
    let (first, second) = numbers
    return (
      HTTPUpgradedSocket(descriptor: first, early: [], loop: loop) { Glibc.close(first) },
      HTTPUpgradedSocket(descriptor: second, early: [], loop: loop) { Glibc.close(second) }
    )
  }

  /// Waits for bytes; at most `limit` of them. Empty at the end of the stream.
  ///
  /// - Throws: `HTTPStreamClosed` if the connection broke or `close` was called; `CancellationError`.
  public func read(upTo limit: Int = 65536) async throws -> [UInt8] {
    let early = state.withLock { state in
      defer { state.early = [] }
      return state.early
    }
    if !early.isEmpty { return early }
    while true {
      try Task.checkCancellation()
      // Received under the lock: `close` must not let the descriptor go to somebody else in between. It never blocks.
      var result = 0
      let bytes = try state.withLock { state in
        guard !state.closed else { throw HTTPStreamClosed() }
        state.readable = false
        return [UInt8](unsafeUninitializedCapacity: limit) { target, count in
          guard let base = target.baseAddress else { return }
          result = io.receive(base, limit)
          count = max(0, result)
        }
      }
      if result >= 0 { return bytes }
      guard result == -Int(EAGAIN) || result == -Int(EINTR) else { throw HTTPStreamClosed() }
      await wait(reading: true)
    }
  }

  /// Sends all bytes; waits while the peer takes none.
  public func write(_ bytes: [UInt8]) async throws {
    var sent = 0
    while sent < bytes.count {
      try Task.checkCancellation()
      let result = try state.withLock { state in
        guard !state.closed else { throw HTTPStreamClosed() }
        state.writable = false
        return bytes.withUnsafeBytes { source in
          guard let base = source.baseAddress else { return 0 }
          return io.send(base + sent, bytes.count - sent)
        }
      }
      if result >= 0 {
        sent += result
      } else if result == -Int(EAGAIN) || result == -Int(EINTR) {
        await wait(reading: false)
      } else {
        throw HTTPStreamClosed()
      }
    }
  }

  /// Ends the connection; waiting readers and writers fail. The second call does nothing.
  public func close() {
    let (first, waiters) = state.withLock { state in
      defer {
        state.closed = true
        state.reader = nil
        state.writer = nil
      }
      if !state.closed { loop.remove(descriptor: descriptor, token: token) }
      return (!state.closed, [state.reader, state.writer])
    }
    for waiter in waiters { waiter?.resume() }
    if first { release() }
  }

  /// Gives bytes back that the next read is to return.
  func unread(_ bytes: [UInt8]) { state.withLock { $0.early = bytes + $0.early } }

  /// The loop saw the socket become ready.
  func ready(reading: Bool, writing: Bool) {
    let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>?] in
      var waiters: [CheckedContinuation<Void, Never>?] = []
      if reading {
        state.readable = true
        waiters.append(state.reader)
        state.reader = nil
      }
      if writing {
        state.writable = true
        waiters.append(state.writer)
        state.writer = nil
      }
      return waiters
    }
    for waiter in waiters { waiter?.resume() }
  }

  /// Returns when the loop has seen a change since the last attempt, the socket was closed or the task cancelled.
  private func wait(reading: Bool) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let now = state.withLock { state in
          if state.closed || (reading ? state.readable : state.writable) || Task.isCancelled { return true }
          if reading { state.reader = continuation } else { state.writer = continuation }
          return false
        }
        if now { continuation.resume() }
      }
    } onCancel: {
      ready(reading: reading, writing: !reading)
    }
  }
}

/// Moves bytes without blocking: a count, 0 at the end of the stream, or -errno (EAGAIN: later).
protocol SocketIO: Sendable {
  func receive(_ target: UnsafeMutableRawPointer, _ count: Int) -> Int
  func send(_ source: UnsafeRawPointer, _ count: Int) -> Int
}

private struct PlainSocketIO: SocketIO {
  let descriptor: Int32

  func receive(_ target: UnsafeMutableRawPointer, _ count: Int) -> Int { serai_net_receive(descriptor, target, count) }
  func send(_ source: UnsafeRawPointer, _ count: Int) -> Int { serai_net_send(descriptor, source, count) }
}

/// What the library's upgrade callback needs: the closure to run and the server that must know of it.
final class UpgradeContext: Sendable {
  private let serve: @Sendable (HTTPUpgradedSocket) async -> Void
  private let server: ServerCore

  init(serve: @escaping @Sendable (HTTPUpgradedSocket) async -> Void, server: ServerCore) {
    self.serve = serve
    self.server = server
  }

  /// Called on the I/O thread once the 101 response is out.
  func begin(socket: Int32, handle: OpaquePointer, early: [UInt8]) {
    let handle = UpgradeHandle(pointer: handle)
    guard let loop = SocketLoop.shared else {
      handle.close()
      return
    }
    let upgraded = HTTPUpgradedSocket(descriptor: socket, early: early, loop: loop) { handle.close() }
    let serve = serve
    let server = server
    let task = Task {
      await serve(upgraded)
      upgraded.close()
      server.upgrades.ended(upgraded)
    }
    server.upgrades.began(upgraded, task)
  }
}

/// `@unchecked Sendable`: MHD_upgrade_action may be called from any thread; the socket object calls it exactly once.
private struct UpgradeHandle: @unchecked Sendable {
  let pointer: OpaquePointer
  func close() { serai_mhd_upgrade_close(pointer) }
}

/// The upgraded connections of one server, so that stopping it can end them.
final class UpgradeTable: Sendable {
  private struct State {
    var tasks: [ObjectIdentifier: (HTTPUpgradedSocket, Task<Void, Never>)] = [:]
    /// Ended before `began` was called: the task may be faster than its creator.
    var early: Set<ObjectIdentifier> = []
    var stopping = false
  }

  private let state = Mutex(State())

  func began(_ socket: HTTPUpgradedSocket, _ task: Task<Void, Never>) {
    let cancel = state.withLock { state in
      if state.early.remove(ObjectIdentifier(socket)) != nil { return false }
      state.tasks[ObjectIdentifier(socket)] = (socket, task)
      return state.stopping
    }
    guard cancel else { return }
    task.cancel()
    socket.close()
  }

  func ended(_ socket: HTTPUpgradedSocket) {
    state.withLock { state in
      if state.tasks.removeValue(forKey: ObjectIdentifier(socket)) == nil {
        state.early.insert(ObjectIdentifier(socket))
      }
    }
  }

  /// Cancels every upgraded connection's task and closes its socket.
  func stop() {
    let tasks = state.withLock { state in
      state.stopping = true
      return Array(state.tasks.values)
    }
    for (socket, task) in tasks {
      task.cancel()
      socket.close()
    }
  }
}
