internal import CNet
internal import Glibc
internal import Linux
internal import Synchronization

/// One connection to a peer, over which both sides call each other.
///
/// It does not reconnect: when it breaks, everything on it fails with `unavailable`, `onClose` runs, and whoever wants
/// another one connects again.
public final class RPCConnection: Sendable {
  private struct State {
    var core: ConnectionCore
    var security: ConnectionSecurity
    var socket: Socket?
    var token: UInt64?
    /// Bytes on their way to the socket, `sent` of them gone.
    var output: [UInt8] = []
    var sent = 0
    /// A thread is in send(2); whoever has more to send leaves it to that thread.
    var sending = false
    /// The socket is full; the reactor goes on when it is writable.
    var blocked = false
    /// The socket became writable while a thread was in send(2).
    var becameWritable = false
    /// connect(2) is in progress.
    var connecting: Bool
    var calls: [UInt64: PendingCall] = [:]
    /// Methods of calls whose request is still arriving.
    var arriving: [UInt64: String] = [:]
    /// Tasks that serve the peer's calls and streams; nil between the decision to start and the start.
    var serving: [UInt64: Task<Void, Never>?] = [:]
    var streams: [UInt64: RPCStream] = [:]
    var established: CheckedContinuation<Result<RPCPeer, RPCError>, Never>?
    var failure: RPCError?
    var closeActions: [@Sendable (RPCError) -> Void] = []
    var tag: (any Sendable)?
  }

  private enum PendingCall {
    /// Sent, and the caller is about to wait.
    case open
    case waiting(CheckedContinuation<Result<[UInt8], RPCError>, Never>)
    /// The answer was there before the caller waited.
    case answered(Result<[UInt8], RPCError>)
  }

  /// How long the peer of a closed connection may take to read why.
  private static let lingerNanoseconds: UInt64 = 2_000_000_000

  /// The address at the other end: "10.0.0.1:4647".
  public let remoteAddress: String
  /// The numeric host of `remoteAddress`.
  let remoteHost: String
  private let endpoint: EndpointCore
  private let state: Mutex<State>
  private let timerDue: Atomic<UInt64>

  init(
    endpoint: EndpointCore, socket: Socket, address: SocketAddress, side: ConnectionCore.Side, connecting: Bool
  ) throws(RPCError) {
    let configuration = endpoint.configuration
    let core = ConnectionCore(
      side: side, ourselves: configuration.ourselves, limits: configuration.limits,
      now: UInt64(Clock.monotonicNanoseconds),
      admit: configuration.admit)
    self.endpoint = endpoint
    remoteAddress = address.description
    remoteHost = address.host
    timerDue = Atomic(core.nextTimer)
    let security = try ConnectionSecurity(side, endpoint.security)
    state = Mutex(State(core: core, security: security, socket: socket, connecting: connecting))
  }

  // MARK: For everybody

  /// What the peer said of itself; nil until the handshake is complete.
  public var peer: RPCPeer? { state.withLock { $0.core.peer } }

  /// Why the connection is over; nil while it is not.
  public var failure: RPCError? { state.withLock { $0.failure ?? $0.core.closeReason } }

  /// Whether the connection is over.
  public var isClosed: Bool { failure != nil }

  /// A slot for what the application knows of this connection, such as the node it authenticated as.
  public var tag: (any Sendable)? {
    get { state.withLock { $0.tag } }
    set { state.withLock { $0.tag = newValue } }
  }

  /// Whether the connection is over TLS.
  public var isEncrypted: Bool { state.withLock { $0.security.isEncrypted } }

  /// DNS names in the peer's certificate, which the CA vouches for; empty without TLS.
  public var certificateNames: [String] { state.withLock { $0.security.peerNames } }

  /// Calls and streams in progress, both directions.
  public var streamCount: Int { state.withLock { $0.core.streamCount } }

  /// Calls a method of the peer and waits for its answer.
  ///
  /// - Parameters:
  ///   - body: the request; at most the peer's `maxMessageBytes`.
  ///   - timeout: the peer is told, gives up by itself, and its handler's task is cancelled.
  /// - Throws: what the peer's handler threw; `deadlineExceeded`; `unavailable` if the connection broke (the call may or
  ///   may not have been carried out); `cancelled` if this task is.
  public func call(method: String, body: [UInt8], timeout: Duration) async throws(RPCError) -> [UInt8] {
    guard !Task.isCancelled else { throw RPCError(.cancelled, "the caller gave up") }
    let now = UInt64(Clock.monotonicNanoseconds)
    let id = try state.withLock { state throws(RPCError) -> UInt64 in
      if let failure = state.failure { throw failure }
      let id = try state.core.open(.call, method: method, body: body, deadline: now &+ timeout.nanoseconds, now: now)
      state.calls[id] = .open
      return id
    }
    flush()
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Result<[UInt8], RPCError>, Never>) in
        let answer = state.withLock { state -> Result<[UInt8], RPCError>? in
          if case .answered(let answer) = state.calls[id] {
            state.calls[id] = nil
            return answer
          }
          state.calls[id] = .waiting(continuation)
          return nil
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      let error = RPCError(.cancelled, "the caller gave up")
      state.withLock { $0.core.reset(id, error) }
      flush()
      answer(id, .failure(error))
    }
    return try result.get()
  }

  /// Opens a stream to a stream handler of the peer. Read it to its end or `cancel` it: it lives until then.
  ///
  /// - Parameters:
  ///   - body: the request that the handler gets as `RPCRequest.body`; must fit one frame.
  ///   - timeout: for the whole life of the stream; nil for none.
  public func openStream(method: String, body: [UInt8] = [], timeout: Duration? = nil) async throws(RPCError)
    -> RPCStream
  {
    let now = UInt64(Clock.monotonicNanoseconds)
    let deadline = timeout.map { now &+ $0.nanoseconds } ?? .max
    let stream = try state.withLock { state throws(RPCError) -> RPCStream in
      if let failure = state.failure { throw failure }
      let id = try state.core.open(.stream, method: method, body: body, deadline: deadline, now: now)
      let stream = RPCStream(connection: self, id: id)
      state.streams[id] = stream
      return stream
    }
    flush()
    return stream
  }

  /// Runs once when the connection is over, with the reason; at once if it is already. It must not block.
  public func onClose(_ action: @escaping @Sendable (RPCError) -> Void) {
    let failure = state.withLock { state in
      if state.failure == nil { state.closeActions.append(action) }
      return state.failure
    }
    if let failure { action(failure) }
  }

  /// Ends the connection; the peer is told why. Everything on it fails with the error.
  public func close(_ error: RPCError = RPCError(.unavailable, "the peer closed the connection")) {
    var events: [ConnectionCore.Event] = []
    state.withLock { $0.core.shutDown(error, events: &events) }
    flush()
    perform(events)
  }

  // MARK: For streams

  func consumed(_ id: UInt64, _ count: Int) {
    state.withLock { $0.core.consumed(id, count) }
    flush()
  }

  /// False if there is no room; the stream's writers are woken when there is.
  func write(_ id: UInt64, _ bytes: [UInt8]) throws(RPCError) -> Bool {
    let written = try state.withLock { state throws(RPCError) in
      if let failure = state.failure { throw failure }
      guard try state.core.hasRoom(id) else { return false }
      state.core.send(id, bytes, end: false)
      return true
    }
    if written { flush() }
    return written
  }

  func finish(_ id: UInt64) {
    state.withLock { $0.core.send(id, [], end: true) }
    flush()
  }

  func cancel(_ id: UInt64, _ error: RPCError) {
    state.withLock { state in
      state.core.reset(id, error)
      state.streams[id] = nil
    }
    flush()
  }

  // MARK: Life

  /// The socket's number; for tests that look for leaks.
  var descriptorForTests: Int32? { state.withLock { $0.socket?.descriptor } }

  /// Registers with the reactor. For a connection that we make, waits until the peer has accepted us.
  func register() throws(RPCError) {
    guard let socket = state.withLock({ $0.socket }) else { return }
    let token = try endpoint.reactor.add(self, socket.descriptor)
    let over = state.withLock { state in
      state.token = token
      return state.socket == nil
    }
    if over { endpoint.reactor.remove(token, socket.descriptor) }
  }

  func waitUntilEstablished() async throws(RPCError) -> RPCPeer {
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Result<RPCPeer, RPCError>, Never>) in
        let now = state.withLock { state -> Result<RPCPeer, RPCError>? in
          if let failure = state.failure { return .failure(failure) }
          if let peer = state.core.peer { return .success(peer) }
          state.established = continuation
          return nil
        }
        if let now { continuation.resume(returning: now) }
      }
    } onCancel: {
      close(RPCError(.cancelled, "the caller gave up connecting"))
    }
    return try result.get()
  }

  // MARK: Output

  /// Sends what the core has to say, unless another thread is at it, and that one will.
  private func flush() {
    var events: [ConnectionCore.Event] = []
    var round = 0
    while let (socket, bytes, from) = nextOutput(round, &events) {
      round += 1
      let result = bytes.withUnsafeBytes { source -> Int in
        guard let base = source.baseAddress else { return 0 }
        return serai_net_send(socket.descriptor, base + from, source.count - from)
      }
      finishOutput(bytes, from, result, &events)
    }
    perform(events)
  }

  /// The bytes to send next; nil if there are none, or another thread sends. After the first round the caller is the
  /// one who sends.
  private func nextOutput(_ round: Int, _ events: inout [ConnectionCore.Event]) -> (Socket, [UInt8], Int)? {
    state.withLock { state in
      if round == 0, state.sending { return nil }
      guard let socket = state.socket, !state.blocked, !state.connecting else {
        state.sending = false
        return nil
      }
      if state.sent == state.output.count {
        state.output.removeAll(keepingCapacity: true)
        state.sent = 0
        produce(&state, &events)
      }
      publishTimer(&state)
      guard !state.output.isEmpty else {
        state.sending = false
        // All was said: the peer sees the end, closes its side, and then ours goes. What it still sends is read and
        // dropped until then: closing with unread bytes would be a reset, which overtakes the words.
        if state.core.isClosed { socket.finish() }
        return nil
      }
      state.sending = true
      state.becameWritable = false
      var bytes: [UInt8] = []
      swap(&bytes, &state.output)
      return (socket, bytes, state.sent)
    }
  }

  /// Fills the output from the core, through TLS where that is on.
  private func produce(_ state: inout State, _ events: inout [ConnectionCore.Event]) {
    guard state.security.isEncrypted else {
      if state.security.mayTalk { state.core.produce(into: &state.output, limit: 128 << 10, events: &events) }
      return
    }
    do throws(RPCError) {
      if state.security.mayTalk {
        var plaintext: [UInt8] = []
        state.core.produce(into: &plaintext, limit: 128 << 10, events: &events)
        try state.security.send(plaintext, last: state.core.isClosed && plaintext.isEmpty)
      }
    } catch {
      state.core.disconnected(error, events: &events)
    }
    state.output = state.security.takeOutput()
  }

  private func finishOutput(_ bytes: [UInt8], _ from: Int, _ result: Int, _ events: inout [ConnectionCore.Event]) {
    state.withLock { state in
      state.output = bytes
      state.sent = from
      if result >= 0 {
        state.sent += result
      } else if result == -Int(EAGAIN) {
        state.blocked = !state.becameWritable
      } else if result != -Int(EINTR) {
        state.sent = bytes.count
        state.core.disconnected(.system("sending to", remoteAddress, Int32(-result)), events: &events)
      }
    }
  }

  // MARK: Events

  private func perform(_ events: [ConnectionCore.Event]) {
    for event in events { perform(event) }
    endpoint.reactor.due(at: timerDue.load(ordering: .relaxed))
  }

  private func perform(_ event: ConnectionCore.Event) {
    switch event {
    case .established(let peer):
      if let refusal = endpoint.refusal(of: peer, isEncrypted: isEncrypted, names: certificateNames) {
        var more: [ConnectionCore.Event] = []
        state.withLock { $0.core.shutDown(refusal, events: &more) }
        flush()
        return perform(more)
      }
      let waiter = state.withLock { state in
        defer { state.established = nil }
        return state.established
      }
      endpoint.established(self)
      waiter?.resume(returning: .success(peer))
    case .calling(let id, let method, _):
      state.withLock { $0.arriving[id] = method }
    case .message(let id, let bytes):
      if let method = state.withLock({ $0.arriving.removeValue(forKey: id) }) {
        serve(id, RPCRequest(method: method, body: bytes, connection: self))
      } else {
        answer(id, .success(bytes))
      }
    case .opened(let id, let method, let body, _):
      serveStream(id, RPCRequest(method: method, body: body, connection: self))
    case .data(let id, let bytes): state.withLock { $0.streams[id] }?.received(bytes)
    case .ended(let id): endStream(id)
    case .writable(let id): state.withLock { $0.streams[id] }?.wakeWriters()
    case .reset(let id, let error): failed(id, error)
    case .closed(let error): closed(error)
    }
  }

  private func serve(_ id: UInt64, _ request: RPCRequest) {
    start(id) { [self] in
      do {
        let response = try await endpoint.handler(request)
        state.withLock { $0.core.send(id, response, end: true) }
      } catch {
        state.withLock { $0.core.reset(id, RPCError(describing: error)) }
      }
      flush()
    }
  }

  private func serveStream(_ id: UInt64, _ request: RPCRequest) {
    let stream = RPCStream(connection: self, id: id)
    state.withLock { $0.streams[id] = stream }
    start(id) { [self] in
      do {
        try await endpoint.streamHandler(request, stream)
        stream.finish()
      } catch {
        stream.cancel(RPCError(describing: error))
      }
      state.withLock { $0.streams[id] = nil }
    }
  }

  /// Runs a handler in a task that is known as long as it runs.
  private func start(_ id: UInt64, _ body: @escaping @Sendable () async -> Void) {
    state.withLock { $0.serving[id] = .some(nil) }
    let task = Task {
      await body()
      state.withLock { _ = $0.serving.removeValue(forKey: id) }
    }
    state.withLock { state in
      // The task may have ended already.
      if state.serving[id] != nil { state.serving[id] = .some(task) }
    }
  }

  private func answer(_ id: UInt64, _ result: Result<[UInt8], RPCError>) {
    let waiter = state.withLock { state -> CheckedContinuation<Result<[UInt8], RPCError>, Never>? in
      switch state.calls[id] {
      case .waiting(let continuation):
        state.calls[id] = nil
        return continuation
      case .open:
        state.calls[id] = .answered(result)
        return nil
      case .answered, nil: return nil
      }
    }
    waiter?.resume(returning: result)
  }

  private func endStream(_ id: UInt64) {
    let stream = state.withLock { state -> RPCStream? in
      let stream = state.streams[id]
      // The opener's stream is over with the answerer's end; an answerer's lives until its handler returns.
      if state.serving[id] == nil { state.streams[id] = nil }
      return stream
    }
    stream?.ended()
  }

  private func failed(_ id: UInt64, _ error: RPCError) {
    let (stream, task) = state.withLock { state in
      state.arriving[id] = nil
      return (state.streams.removeValue(forKey: id), state.serving[id] ?? nil)
    }
    stream?.failed(error)
    task?.cancel()
    answer(id, .failure(error))
  }

  private func closed(_ error: RPCError) {
    let (waiter, actions, tasks) = state.withLock { state in
      state.failure = error
      timerDue.store(
        UInt64(Clock.monotonicNanoseconds) &+ (state.connecting ? 0 : Self.lingerNanoseconds), ordering: .relaxed)
      defer {
        state.established = nil
        state.closeActions = []
        state.arriving = [:]
      }
      return (state.established, state.closeActions, state.serving.values.compactMap { $0 })
    }
    for task in tasks { task.cancel() }
    waiter?.resume(returning: .failure(error))
    endpoint.closed(self)
    for action in actions { action(error) }
    flush()
  }

  /// The endpoint's reactor has stopped: nobody will tell of this socket any more.
  package func abandon() { lost(RPCError(.unavailable, "this agent is shutting down")) }

  /// A closed connection keeps the time at which it stops waiting for the peer to take its last words.
  private func publishTimer(_ state: inout State) {
    if !state.core.isClosed { timerDue.store(state.core.nextTimer, ordering: .relaxed) }
  }

  /// The socket has said all that it will: lets go of it.
  private func release() {
    let (socket, token) = state.withLock { state in
      defer {
        state.socket = nil
        state.token = nil
      }
      return (state.socket, state.token)
    }
    if let socket, let token { endpoint.reactor.remove(token, socket.descriptor) }
  }
}

extension RPCConnection: Pollable {
  package var nextTimer: UInt64 { timerDue.load(ordering: .relaxed) }

  package func timer(now: UInt64) {
    var events: [ConnectionCore.Event] = []
    let lingered = state.withLock { state in
      if state.core.isClosed { return true }
      state.core.tick(now: now, events: &events)
      publishTimer(&state)
      return false
    }
    if lingered {
      timerDue.store(.max, ordering: .relaxed)
      abandon()
      return
    }
    perform(events)
    flush()
  }

  package func ready(_ events: UInt32, _ buffer: inout [UInt8]) -> Bool {
    guard let socket = state.withLock({ $0.socket }) else { return false }
    if events & (SERAI_NET_EPOLLOUT | SERAI_NET_EPOLLERR | SERAI_NET_EPOLLHUP) != 0, !becameWritable(socket) {
      return false
    }
    // A few buffers a turn, so that one busy peer does not keep the others waiting.
    for _ in 0..<4 {
      let count = buffer.withUnsafeMutableBytes { target -> Int in
        guard let base = target.baseAddress else { return 0 }
        return serai_net_receive(socket.descriptor, base, target.count)
      }
      if count == -Int(EINTR) { continue }
      if count == -Int(EAGAIN) { return false }
      guard count > 0 else {
        let reason =
          count == 0
          ? RPCError(.unavailable, "\(remoteAddress) closed the connection")
          : RPCError.system("receiving from", remoteAddress, Int32(-count))
        lost(reason)
        return false
      }
      received(buffer.span.extracting(0..<count))
      // Less than asked for: the socket is empty, and what comes later is another event.
      if count < buffer.count, events & (SERAI_NET_EPOLLRDHUP | SERAI_NET_EPOLLHUP) == 0 { return false }
    }
    return true
  }

  private func received(_ bytes: Span<UInt8>) {
    let now = UInt64(Clock.monotonicNanoseconds)
    var events: [ConnectionCore.Event] = []
    state.withLock { state in
      do throws(RPCError) {
        switch try state.security.receive(bytes) {
        case .plain: state.core.receive(bytes, now: now, events: &events)
        case .decrypted(let plaintext):
          if !plaintext.isEmpty { state.core.receive(plaintext.span, now: now, events: &events) }
        case .refused(let refusal): state.core.shutDown(refusal, events: &events)
        }
      } catch {
        // What there is to say about it, TLS says in an alert of its own.
        state.core.disconnected(error, events: &events)
      }
      publishTimer(&state)
    }
    perform(events)
    flush()
  }

  private func lost(_ reason: RPCError) {
    var events: [ConnectionCore.Event] = []
    state.withLock { state in
      state.core.disconnected(reason, events: &events)
      state.sent = state.output.count
    }
    perform(events)
    release()
  }

  /// False if connecting failed.
  private func becameWritable(_ socket: Socket) -> Bool {
    let connecting = state.withLock { state in
      state.blocked = false
      state.becameWritable = true
      return state.connecting
    }
    if connecting {
      let result = serai_net_connect_result(socket.descriptor)
      guard result == 0 else {
        lost(.system("connecting to", remoteAddress, -result))
        return false
      }
      state.withLock { $0.connecting = false }
    }
    flush()
    return true
  }
}
