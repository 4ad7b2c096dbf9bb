internal import Codec
internal import Glibc
internal import Linux
internal import Synchronization

/// A running plugin: requests go in, answers come out. Ends with its process; another one is made for a new process.
final class PluginProcess: Sendable {
  private struct State {
    var next = 1
    var waiting: [Int: CheckedContinuation<Result<DevicePluginAnswer, DeviceError>, Never>] = [:]
    var end: DeviceError?
    /// Once it is, the number is not this plugin's any more.
    var isReaped = false
    /// Lines on their way to the plugin's standard input.
    var output: [[UInt8]] = []
  }

  private let name: String
  let pid: Int32
  private let state = Mutex(State())
  private let hasOutput = Semaphore()
  private let onEvent: @Sendable () -> Void
  private let onEnd: @Sendable (DeviceError) -> Void

  /// Starts the program.
  /// - Parameters:
  ///   - onEvent: the plugin says that its devices have changed.
  ///   - onEnd: the process has ended; called once, on a thread of its own.
  init(
    _ file: PluginFile, arguments: [String], onEvent: @escaping @Sendable () -> Void,
    onEnd: @escaping @Sendable (DeviceError) -> Void
  ) throws(SystemError) {
    name = file.name
    self.onEvent = onEvent
    self.onEnd = onEnd
    let input = try Pipe().release()
    let output: (read: Int32, write: Int32)
    do throws(SystemError) {
      output = try Pipe().release()
    } catch {
      _ = FileDescriptor(adopting: input.read)
      _ = FileDescriptor(adopting: input.write)
      throw error
    }
    let toPlugin = FileDescriptor(adopting: input.write)
    let fromPlugin = FileDescriptor(adopting: output.read)
    let stdin = FileDescriptor(adopting: input.read)
    let stdout = FileDescriptor(adopting: output.write)
    var request = SpawnRequest(
      path: file.path, arguments: [file.path] + arguments,
      environment: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"])
    request.streams = [stdin.number, stdout.number, 2]
    // Signals of the agent's terminal are the agent's; a plugin ends when its input does.
    request.newSession = true
    pid = try request.start()
    let reading = OwnedDescriptor(fromPlugin)
    let writing = OwnedDescriptor(toPlugin)
    try DetachedThread.start(named: "device-plugin") { [self] in read(from: reading.descriptor) }
    try DetachedThread.start(named: "device-plugin") { [self] in write(to: writing) }
  }

  /// Asks the plugin.
  /// - Throws: the plugin's own refusal, or that it did not answer in time or has ended.
  func call(_ request: DevicePluginRequest, timeout: Duration) async throws(DeviceError) -> DevicePluginAnswer {
    let number = state.withLock { state in
      defer { state.next += 1 }
      return state.next
    }
    var request = request
    request.id = number
    let line = JSON.encode(request) + [0x0A]
    let name = name
    let method = request.method
    let timer = Task { [weak self] in
      do { try await Task.sleep(for: timeout) } catch { return }
      self?.finish(number, .failure(DeviceError(name, "it did not answer \(method) within \(timeout)")))
    }
    defer { timer.cancel() }
    let result: Result<DevicePluginAnswer, DeviceError> = await withCheckedContinuation { continuation in
      let end = state.withLock { state -> DeviceError? in
        if let end = state.end { return end }
        state.waiting[number] = continuation
        state.output.append(line)
        return nil
      }
      if let end { continuation.resume(returning: .failure(end)) } else { hasOutput.signal() }
    }
    let answer = try result.get()
    if !answer.error.isEmpty { throw DeviceError(name, "\(method): \(answer.error)") }
    return answer
  }

  /// Ends the plugin: its standard input ends, and if that is not enough it is killed.
  func stop() {
    let isRunning = state.withLock { state in
      defer { if state.end == nil { state.end = DeviceError(name, "the agent is shutting down") } }
      return state.end == nil
    }
    guard isRunning else { return }
    hasOutput.signal()
    Task { [self] in
      // Not cancelled by anyone: the process must not stay.
      try? await Task.sleep(for: .seconds(2))
      state.withLock { if !$0.isReaped { _ = kill(pid, SIGKILL) } }
    }
  }

  // MARK: Threads

  private func write(to pipe: OwnedDescriptor) {
    while true {
      hasOutput.wait()
      let (lines, isOver) = state.withLock { state in
        defer { state.output = [] }
        return (state.output, state.end != nil)
      }
      do throws(SystemError) {
        for line in lines { try pipe.descriptor.writeAll(line) }
      } catch {
        // The reading thread sees the end and says so.
        return
      }
      if isOver { return }
    }
  }

  private func read(from pipe: borrowing FileDescriptor) {
    var buffer: [UInt8] = []
    var problem: String?
    reading: while true {
      do throws(SystemError) {
        let bytes = try pipe.read(upTo: 65536)
        if bytes.isEmpty { break }
        buffer += bytes
      } catch {
        problem = "its output can't be read: \(error)"
        break
      }
      while let end = buffer.firstIndex(of: 0x0A) {
        let line = Array(buffer[..<end])
        buffer.removeFirst(end + 1)
        do throws(CodecError) {
          received(try JSON.decode(DevicePluginAnswer.self, from: line))
        } catch {
          problem = "it wrote a line that is no answer (\(error)): \(String(decoding: line.prefix(200), as: UTF8.self))"
          break reading
        }
      }
      if buffer.count > DevicePluginProtocol.maximumLineBytes {
        problem = "it wrote a line of more than \(DevicePluginProtocol.maximumLineBytes) bytes"
        break
      }
    }
    ended(problem)
  }

  private func received(_ answer: DevicePluginAnswer) {
    if answer.id == 0 { return onEvent() }
    finish(answer.id, .success(answer))
  }

  private func finish(_ number: Int, _ result: Result<DevicePluginAnswer, DeviceError>) {
    let continuation = state.withLock { $0.waiting.removeValue(forKey: number) }
    continuation?.resume(returning: result)
  }

  /// Reaps the process, killing one that still runs, and tells everyone.
  private func ended(_ problem: String?) {
    var status: Int32 = 0
    var isReaped = false
    // One that has closed its output by ending is there in a moment; any other one has nothing more to say.
    for attempt in 0..<500 where !isReaped {
      if attempt == 100 || (attempt == 0 && problem != nil) { kill(pid, SIGKILL) }
      isReaped = state.withLock { state in
        state.isReaped = waitpid(pid, &status, WNOHANG) == pid
        return state.isReaped
      }
      if !isReaped { usleep(10_000) }
    }
    let how = status & 0x7F == 0 ? "exited with status \(status >> 8 & 0xFF)" : "was ended by signal \(status & 0x7F)"
    let error = DeviceError(name, problem ?? (isReaped ? "it \(how)" : "it ended"))
    let waiting = state.withLock { state in
      defer { state.waiting = [:] }
      if state.end == nil { state.end = error }
      return state.waiting.values.map { $0 }
    }
    // The writing thread sees the end too.
    hasOutput.signal()
    for continuation in waiting { continuation.resume(returning: .failure(error)) }
    onEnd(error)
  }
}

/// A descriptor that a thread's body holds on to.
private final class OwnedDescriptor: Sendable {
  let descriptor: FileDescriptor
  init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
}
