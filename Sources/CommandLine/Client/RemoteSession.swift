internal import Codec
internal import Glibc
internal import HTTP
internal import Linux
internal import Model
internal import Synchronization

/// A command that runs in a task elsewhere, joined to this process' standard streams.
struct RemoteSession: Sendable {
  /// Whether standard input goes to it.
  let hasInput: Bool
  /// What is looked for in the input; nil when it is no terminal.
  let escape: EscapeFilter?
  let terminal: Terminal

  /// How often a message without content says that we are there, for proxies in between.
  private static let heartbeat = Duration.seconds(10)

  /// Runs the session on this thread until it has ended.
  /// - Parameter connect: opens the WebSocket.
  /// - Returns: the command's exit status; 128 + signal when a signal ends this process' part.
  func run(hasTerminal: Bool, connect: @escaping @Sendable () async throws -> WebSocket) throws -> Int32 {
    // Before any other thread exists, so that all of them have these blocked.
    let signals = try SignalQueue([SIGWINCH, SIGTERM, SIGHUP])
    let isOver = try SessionEnd()
    let socket = Mutexed<WebSocket?>(nil)
    let raw = hasTerminal ? RawTerminal() : nil
    Task {
      do {
        let opened = try await connect()
        socket.value = opened
        isOver.finish(.success(try await converse(over: opened, hasTerminal: hasTerminal)))
      } catch {
        isOver.finish(.failure(error))
      }
    }
    let queue = try EventQueue()
    try queue.add(signals.descriptor.number, .readable, token: 1)
    try queue.add(isOver.descriptor, .readable, token: 2)
    while true {
      let tokens = Set(try queue.wait(timeoutMilliseconds: nil).map(\.token))
      if tokens.contains(1), let signal = try signals.next() {
        guard signal == SIGWINCH else {
          raw?.restore()
          return 128 + signal
        }
        if hasTerminal, let socket = socket.value { Task { try? await Self.sendSize(over: socket) } }
      }
      if let result = isOver.result {
        raw?.restore()
        return try result.get()
      }
    }
  }

  private func converse(over socket: WebSocket, hasTerminal: Bool) async throws -> Int32 {
    if hasTerminal { try await Self.sendSize(over: socket) }
    let beating = Task {
      while true {
        try await Task.sleep(for: Self.heartbeat)
        try await Self.send(ExecInput(), over: socket)
      }
    }
    defer { beating.cancel() }
    let userLeft = Mutexed(false)
    // Not waited for: its thread may be in read(2) until this process ends.
    Task {
      if try await feed(socket) {
        userLeft.value = true
        await socket.close()
      }
    }
    do {
      while let message = try await socket.receive() {
        guard case .text(let text) = message else { continue }
        let output = try JSON.decode(ExecOutput.self, from: Array(text.utf8))
        if let data = output.stdout?.data.bytes, !data.isEmpty { await write(data, to: STDOUT_FILENO) }
        if let data = output.stderr?.data.bytes, !data.isEmpty { await write(data, to: STDERR_FILENO) }
        if output.exited {
          await socket.close()
          return Int32(clamping: output.result?.exitCode ?? 0)
        }
      }
    } catch {
      if !userLeft.value { throw error }
    }
    if userLeft.value { return 0 }
    throw CommandFailure(
      socket.closeReason.map { "the session failed: \($0)" }
        ?? "the session was cut off before the command had ended: is its node still there?")
  }

  /// Hands standard input on until its end; true when the user asks to end the session.
  private func feed(_ socket: WebSocket) async throws -> Bool {
    var escape = escape
    while hasInput {
      let bytes = await readInput()
      guard !bytes.isEmpty else { break }
      let (kept, ends) = escape?.filter(bytes) ?? (bytes, false)
      if !kept.isEmpty { try await Self.sendInput(ExecStreamData(kept), over: socket) }
      if ends { return true }
    }
    try await Self.sendInput(ExecStreamData([], close: true), over: socket)
    return false
  }

  private static func sendInput(_ data: ExecStreamData, over socket: WebSocket) async throws {
    var message = ExecInput()
    message.stdin = data
    try await send(message, over: socket)
  }

  private static func sendSize(over socket: WebSocket) async throws {
    guard let size = RawTerminal.size else { return }
    var message = ExecInput()
    message.terminalSize = ExecTerminalSize(height: size.rows, width: size.columns)
    try await send(message, over: socket)
  }

  private static func send(_ message: ExecInput, over socket: WebSocket) async throws {
    try await socket.send(.text(String(decoding: JSON.encode(message), as: UTF8.self)))
  }

  // MARK: Blocking calls, on threads of their own

  /// The next bytes of standard input; empty at its end.
  private func readInput() async -> [UInt8] {
    await onThread {
      // An input that cannot be read has ended.
      (try? FileDescriptor.duplicate(of: STDIN_FILENO).read(upTo: 16 << 10)) ?? []
    } orElse: {
      []
    }
  }

  private func write(_ bytes: [UInt8], to descriptor: Int32) async {
    await onThread {
      terminal.write(bytes: bytes, to: descriptor)
    } orElse: {
    }
  }

  private func onThread<Value: Sendable>(
    _ body: @escaping @Sendable () -> Value, orElse: () -> Value
  ) async -> Value {
    await withCheckedContinuation { continuation in
      do throws(SystemError) {
        try DetachedThread.start { continuation.resume(returning: body()) }
      } catch {
        continuation.resume(returning: orElse())
      }
    }
  }
}

/// How the session ended, for the thread that waits in epoll.
private final class SessionEnd: Sendable {
  private let wakeUp: WakeUp
  private let stored = Mutex<Result<Int32, any Error>?>(nil)

  init() throws { wakeUp = try WakeUp() }

  var descriptor: Int32 { wakeUp.descriptor.number }
  var result: Result<Int32, any Error>? { stored.withLock { $0 } }

  func finish(_ result: Result<Int32, any Error>) {
    stored.withLock { $0 = result }
    wakeUp.signal()
  }
}

/// A value that two tasks share.
private final class Mutexed<Value: Sendable>: Sendable {
  private let stored: Mutex<Value>
  init(_ value: Value) { stored = Mutex(value) }
  var value: Value {
    get { stored.withLock { $0 } }
    set { stored.withLock { $0 = newValue } }
  }
}
