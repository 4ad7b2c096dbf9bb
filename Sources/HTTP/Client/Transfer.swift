internal import CCurl
internal import Synchronization

/// One exchange between the client's thread, which feeds it, and the task that reads it.
final class Transfer: Sendable {
  private struct State {
    var parser: ResponseHeadParser
    var head: HTTPClientResponseHead?
    var chunks: [[UInt8]] = []
    var buffered = 0
    /// libcurl was told to wait because too much is buffered.
    var paused = false
    /// The exchange is over: with an error, or well (the inner nil).
    var end: HTTPClientError??
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  let request: HTTPClientRequest
  let configuration: HTTPClientConfiguration
  private let loop: ClientLoop
  private let state: Mutex<State>

  init(request: HTTPClientRequest, configuration: HTTPClientConfiguration, loop: ClientLoop) {
    self.request = request
    self.configuration = configuration
    self.loop = loop
    state = Mutex(State(parser: ResponseHeadParser(followsRedirects: request.maxRedirects > 0)))
  }

  /// Method and URL, for messages.
  var what: String { "\(request.method) \(withoutUserInfo(request.url))" }

  // MARK: For the reading task

  func waitForHead() async throws(HTTPClientError) -> HTTPClientResponseHead {
    while true {
      let (head, end) = state.withLock { ($0.head, $0.end) }
      if let head { return head }
      if let end { throw end ?? HTTPClientError(.broken, "\(what) failed: the response has no head") }
      try await wait { $0.head != nil }
    }
  }

  func next() async throws(HTTPClientError) -> [UInt8]? {
    while true {
      let (chunk, end, resume) = state.withLock { state -> ([UInt8]?, HTTPClientError??, Bool) in
        guard !state.chunks.isEmpty else { return (nil, state.end, false) }
        let chunk = state.chunks.removeFirst()
        state.buffered -= chunk.count
        let resume = state.paused && state.buffered <= configuration.bufferBytes / 2
        if resume { state.paused = false }
        return (chunk, nil, resume)
      }
      if resume { loop.resume(self) }
      if let chunk { return chunk }
      if let end {
        if let end { throw end }
        return nil
      }
      try await wait { !$0.chunks.isEmpty }
    }
  }

  /// Ends the exchange; what was not read is dropped. Harmless when it is over.
  func cancel() {
    let over = state.withLock { $0.end != nil }
    if !over { loop.cancel(self) }
  }

  private func wait(until ready: @escaping @Sendable (borrowing State) -> Bool) async throws(HTTPClientError) {
    if Task.isCancelled {
      cancel()
      throw HTTPClientError(.cancelled, "\(what) was cancelled")
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let now = state.withLock { state in
          if ready(state) || state.end != nil || Task.isCancelled { return true }
          state.waiters.append(continuation)
          return false
        }
        if now { continuation.resume() }
      }
    } onCancel: {
      wake()
    }
  }

  private func wake() {
    let waiters = state.withLock { state in
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  // MARK: For the client's thread

  func receiveHeader(_ line: String) {
    let complete = state.withLock { state in
      if let head = state.parser.add(line), state.head == nil { state.head = head }
      return state.head != nil
    }
    if complete { wake() }
  }

  /// False if there is no room: libcurl shall offer the same bytes again after `ClientLoop.resume`.
  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let taken = state.withLock { state in
      if state.buffered >= configuration.bufferBytes {
        state.paused = true
        return false
      }
      state.chunks.append([UInt8](bytes))
      state.buffered += bytes.count
      return true
    }
    if taken { wake() }
    return taken
  }

  func finished(_ error: HTTPClientError?) {
    state.withLock { state in
      if state.end == nil { state.end = .some(error) }
      // A head without a blank line behind it counts when the exchange ended well.
      if state.head == nil, error == nil { state.head = state.parser.latest }
    }
    wake()
  }
}
