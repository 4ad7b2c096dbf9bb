internal import Codec
internal import Drivers
internal import Linux
public import Model

/// The way between a session and whoever asked for it: a WebSocket, at the end.
public protocol ExecChannel: Sendable {
  /// The next message; nil when the other side has gone.
  func receive() async throws -> ExecInput?
  /// Hands a message over; waits while the other side takes none.
  func send(_ message: ExecOutput) async throws
}

/// A command to run in a task, as a user asks for it.
public struct ExecRequest: Sendable {
  /// The allocation's task; "" for the only one.
  public var task: String
  /// The program and what follows it.
  public var command: [String]
  /// Whether it gets a terminal.
  public var hasTerminal: Bool

  /// A request.
  public init(task: String, command: [String], hasTerminal: Bool) {
    self.task = task
    self.command = command
    self.hasTerminal = hasTerminal
  }
}

/// One command inside a running task, and the streams between it and a channel. Ready to run: what can be wrong with the
/// request is known.
public struct ExecSession: Sendable {
  let driver: any TaskDriver
  let handle: TaskHandle
  let request: ExecRequest
  /// `NAME=value`.
  let environment: [String]

  /// Runs the command until it has ended, which is sent as the last message; or until the other side has gone, then it
  /// is killed. A command that cannot be found or executed ends as a shell would say it, with status 127 or 126.
  /// - Throws: `.system` when there is no session to be had.
  public func run(over channel: any ExecChannel) async throws(ClientError) {
    let streams: SessionStreams
    do throws(SystemError) {
      streams = try SessionStreams(isTerminal: request.hasTerminal, pid: handle.pid)
    } catch {
      throw ClientError(.system, "make the session's streams: \(error)")
    }
    let running = Task { await execute(streams) }
    let feeding = Task {
      await Self.feed(streams, from: channel)
      // Nobody is there any more whom the command could answer.
      running.cancel()
    }
    let draining = Task {
      async let error: Void = Self.drain(streams.error, isError: true, into: channel, orEnd: running)
      await Self.drain(streams.output, isError: false, into: channel, orEnd: running)
      await error
    }
    let ended = await withTaskCancellationHandler {
      await running.value
    } onCancel: {
      running.cancel()
    }
    streams.commandEnded()
    await draining.value
    defer { feeding.cancel() }
    var last = ExecOutput()
    last.exited = true
    var result = ExecResult()
    switch ended {
    case .success(let outcome): result.exitCode = outcome.code
    case .failure(let error):
      guard error.code == .commandNotFound else { throw ClientError(.system, error.message) }
      var text = ExecOutput()
      text.stderr = ExecStreamData(Array((error.message + "\n").utf8))
      try? await channel.send(text)
      result.exitCode = error.message.contains("ENOENT") ? 127 : 126
    }
    last.result = result
    // Whoever is not there to hear it has no use for it.
    try? await channel.send(last)
  }

  /// Runs the command without input and with its output thrown away; one that takes longer is killed.
  /// - Returns: its exit status, 137 for one that was killed.
  func runUnattended(timeout: Duration) async throws -> Int {
    let null = try FileDescriptor.open("/dev/null", [.readWrite])
    let command = TaskCommand(
      request.command.first ?? "", arguments: Array(request.command.dropFirst()), environment: environment,
      streams: [null.number, null.number, null.number], isTerminal: false)
    let running = Task { try await driver.execute(command, in: handle) }
    let timer = Task {
      try await Task.sleep(for: timeout)
      running.cancel()
    }
    defer { timer.cancel() }
    return try await running.value.code
  }

  private func execute(_ streams: SessionStreams) async -> Result<TaskOutcome, DriverError> {
    let command = TaskCommand(
      request.command.first ?? "", arguments: Array(request.command.dropFirst()), environment: environment,
      streams: streams.numbers, isTerminal: request.hasTerminal)
    do throws(DriverError) {
      return .success(try await driver.execute(command, in: handle))
    } catch {
      return .failure(error)
    }
  }

  /// Hands on what comes from the other side, until it has gone.
  private static func feed(_ streams: SessionStreams, from channel: any ExecChannel) async {
    while let message = try? await channel.receive() {
      if let size = message.terminalSize { streams.resize(rows: size.height, columns: size.width) }
      guard let input = message.stdin else { continue }
      if !input.data.bytes.isEmpty { await streams.write(input.data.bytes) }
      if input.close { await streams.closeInput() }
    }
  }

  /// Hands on what the command writes, until the end of that stream.
  private static func drain(
    _ stream: SessionStream?, isError: Bool, into channel: any ExecChannel,
    orEnd running: Task<Result<TaskOutcome, DriverError>, Never>
  ) async {
    guard let stream else { return }
    var isOver = false
    while !isOver {
      let bytes = await stream.read()
      isOver = bytes.isEmpty
      var message = ExecOutput()
      let data = ExecStreamData(bytes, close: isOver)
      if isError { message.stderr = data } else { message.stdout = data }
      do {
        try await channel.send(message)
      } catch {
        running.cancel()
        return stream.stop()
      }
    }
  }
}
