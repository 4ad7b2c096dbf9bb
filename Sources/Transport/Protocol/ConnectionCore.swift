/// One connection's protocol as a pure state machine: bytes and time in, events and bytes out. No socket, no clock.
///
/// The peer is never trusted: whatever it sends either follows the protocol and the limits, or ends the connection with
/// an error that says what was wrong. Memory held for it is bounded by the limits.
struct ConnectionCore {
  enum Side { case initiator, acceptor }

  /// What the shell must act on, in order.
  enum Event: Equatable {
    /// The handshake is complete; streams may be opened.
    case established(RPCPeer)
    /// A whole request (answerer) or response (opener) of a call.
    case message(stream: UInt64, bytes: [UInt8])
    /// The peer opened a call; its message follows. Timeout in milliseconds, 0 for none.
    case calling(stream: UInt64, method: String, timeoutMilliseconds: UInt32)
    /// The peer opened a stream.
    case opened(stream: UInt64, method: String, body: [UInt8], timeoutMilliseconds: UInt32)
    /// Bytes of a stream; grant them with `consumed` once they are read.
    case data(stream: UInt64, bytes: [UInt8])
    /// The peer will send no more on this stream.
    case ended(stream: UInt64)
    /// A writer that found no room has some now.
    case writable(stream: UInt64)
    /// The stream failed; nothing more happens on it.
    case reset(stream: UInt64, RPCError)
    /// The connection is over: all its streams have failed. Close the socket once the output is sent.
    case closed(RPCError)
  }

  let side: Side
  let limits: RPCLimits
  private let ourselves: RPCPeer
  private let admit: @Sendable (RPCPeer) -> RPCError?

  /// The last event has been `closed`; nothing is accepted or sent but what is in the output.
  var isClosed: Bool { closeReason != nil }
  /// Why the connection is over; nil while it is not.
  private(set) var closeReason: RPCError?
  /// The other side, once the handshake is complete.
  private(set) var peer: RPCPeer?
  private var streams: [UInt64: StreamState] = [:]
  /// Streams with something to send, in turn.
  private var round: [UInt64] = []
  private var roundStart = 0
  /// Encoded frames that go out before any stream's data.
  private var outbox: [UInt8] = []
  /// The beginning of a frame (or preface) whose rest has not arrived.
  private var partial: [UInt8] = []
  private var nextStream: UInt64
  private var lastPeerStream: UInt64 = 0
  private var peerWindow = 0
  private var peerMaxFrame = 0
  private var openedByPeer = 0
  private var openedByUs = 0
  /// Bytes of calls' messages whose end has not come.
  private var messageBytes = 0

  private var lastReceived: UInt64
  private var handshakeDeadline: UInt64
  private var prefaceSent = false
  private var pingSent: UInt64?
  private var pingNumber: UInt64 = 0
  private var earliestStreamDeadline = UInt64.max

  /// - Parameters:
  ///   - admit: judges the peer's claims; what it returns is the refusal that the peer is told.
  ///   - now: monotonic nanoseconds, here and everywhere.
  init(
    side: Side, ourselves: RPCPeer, limits: RPCLimits, now: UInt64,
    admit: @escaping @Sendable (RPCPeer) -> RPCError? = { _ in nil }
  ) {
    self.side = side
    self.ourselves = ourselves
    self.limits = limits
    self.admit = admit
    nextStream = side == .initiator ? 1 : 2
    lastReceived = now
    handshakeDeadline = now &+ limits.handshakeTimeout.nanoseconds
    if side == .initiator { sendPreface() }
  }

  // MARK: Input

  /// Takes bytes from the socket. Appends what follows from them to `events`.
  mutating func receive(_ bytes: Span<UInt8>, now: UInt64, events: inout [Event]) {
    guard !isClosed else { return }
    lastReceived = now
    do throws(RPCError) {
      var offset = 0
      if peer == nil { offset = try receivePreface(bytes, &events) }
      while offset < bytes.count, !isClosed {
        if partial.isEmpty {
          offset = try receiveFrames(bytes, offset, now, &events)
        } else {
          offset = try completePartial(bytes, offset, now, &events)
        }
      }
    } catch {
      fail(error, events: &events)
    }
  }

  /// The socket ended or broke.
  mutating func disconnected(_ reason: RPCError, events: inout [Event]) {
    outbox = []
    close(reason, events: &events)
  }

  /// Time has passed: deadlines, keep-alive. Call it when `nextTimer` is reached; earlier is harmless.
  mutating func tick(now: UInt64, events: inout [Event]) {
    guard !isClosed else { return }
    guard peer != nil else {
      if now >= handshakeDeadline {
        fail(
          RPCError(.deadlineExceeded, "the peer did not complete the handshake in \(limits.handshakeTimeout)"),
          events: &events)
      }
      return
    }
    if now >= earliestStreamDeadline {
      for stream in streams.keys.sorted() {
        guard let state = streams[stream], state.deadline <= now else { continue }
        let error = RPCError(.deadlineExceeded, "no answer within the time given for the call")
        reset(stream, error)
        events.append(.reset(stream: stream, error))
      }
      earliestStreamDeadline = streams.values.reduce(.max) { min($0, $1.deadline) }
    }
    if let pingSent {
      if lastReceived > pingSent {
        self.pingSent = nil
      } else if now >= pingSent &+ limits.pingTimeout.nanoseconds {
        fail(
          RPCError(.unavailable, "the peer has not answered for \(limits.pingTimeout): it or the network is down"),
          events: &events)
        return
      }
    }
    if pingSent == nil, now >= lastReceived &+ limits.pingInterval.nanoseconds {
      pingNumber += 1
      pingSent = now
      FrameHeader(.ping, length: 8).append(to: &outbox)
      outbox.appendBigEndian(pingNumber)
    }
  }

  /// When `tick` has something to do at the earliest.
  var nextTimer: UInt64 {
    if isClosed { return .max }
    if peer == nil { return handshakeDeadline }
    let alive =
      pingSent.map {
        lastReceived > $0 ? lastReceived &+ limits.pingInterval.nanoseconds : $0 &+ limits.pingTimeout.nanoseconds
      }
      ?? lastReceived &+ limits.pingInterval.nanoseconds
    return min(alive, earliestStreamDeadline)
  }

  // MARK: Streams, from the application's side

  /// Opens a call (with its whole request) or a stream (with its first bytes).
  ///
  /// - Parameter deadline: monotonic nanoseconds; `.max` for none.
  mutating func open(
    _ kind: StreamState.Kind, method: String, body: [UInt8], deadline: UInt64, now: UInt64
  ) throws(RPCError) -> UInt64 {
    if let closeReason { throw closeReason }
    guard peer != nil else { throw RPCError(.unavailable, "the connection's handshake is not complete") }
    guard openedByUs < limits.maxStreams else {
      throw RPCError(.resourceExhausted, "\(limits.maxStreams) calls are in progress on this connection already")
    }
    let name = Array(method.utf8)
    guard name.count <= 256 else { throw RPCError(.invalid, "a method's name has at most 256 bytes") }
    guard kind == .stream || body.count <= limits.maxMessageBytes else {
      throw RPCError(.invalid, "the request has \(body.count) bytes; \(limits.maxMessageBytes) are allowed")
    }
    guard deadline > now else { throw RPCError(.deadlineExceeded, "no time was left for the call") }
    let stream = nextStream
    var state = StreamState(
      kind: kind, isOpener: true, deadline: deadline, sendWindow: peerWindow, receiveWindow: limits.windowBytes)
    let head = 7 + name.count
    // A call's body may go on in data frames; a stream's is the request to its handler and must be whole.
    let first = min(body.count, kind == .call ? peerWindow : .max, peerMaxFrame - head)
    guard kind == .call || first == body.count else {
      throw RPCError(
        .invalid, "a stream is opened with at most \(peerMaxFrame - head) bytes, not \(body.count): write the rest")
    }
    nextStream += 2
    openedByUs += 1
    earliestStreamDeadline = min(earliestStreamDeadline, deadline)
    let complete = kind == .call && first == body.count
    FrameHeader(.open, length: head + first, stream: stream, flags: complete ? FrameHeader.endFlag : 0).append(
      to: &outbox)
    outbox.append(kind.rawValue)
    let left = deadline == .max ? 0 : max(1, min((deadline - now) / 1_000_000, UInt64(UInt32.max)))
    outbox.appendBigEndian(UInt32(left))
    outbox.appendBigEndian(UInt16(name.count))
    outbox.append(contentsOf: name)
    outbox.append(contentsOf: body.prefix(first))
    if kind == .call { state.sendWindow -= first }
    state.endQueued = kind == .call
    state.endSent = complete
    if first < body.count { state.pending = Array(body.dropFirst(first)) }
    streams[stream] = state
    enqueue(stream)
    return stream
  }

  /// Whether a write of any size is taken now. If not, `writable` follows when one is.
  mutating func hasRoom(_ stream: UInt64) throws(RPCError) -> Bool {
    guard let state = streams[stream], !state.endQueued else {
      throw RPCError(.cancelled, "the stream has ended")
    }
    if state.pendingCount < limits.sendBufferBytes { return true }
    streams[stream]?.writerWaits = true
    return false
  }

  /// Queues bytes of a stream, or the response of a call. Does nothing once the stream is over.
  mutating func send(_ stream: UInt64, _ bytes: [UInt8], end: Bool) {
    // Only numbers are taken out of the dictionary: a second reference to a stream's buffer would copy it on each append.
    guard let pending = streams[stream]?.pendingCount, let window = streams[stream]?.sendWindow,
      streams[stream]?.endQueued == false
    else { return }
    if pending == 0, bytes.count <= min(window, peerMaxFrame, 16 << 10), outbox.count < 256 << 10 {
      // Nothing is in its way: straight into the outbox.
      FrameHeader(.data, length: bytes.count, stream: stream, flags: end ? FrameHeader.endFlag : 0).append(to: &outbox)
      outbox.append(contentsOf: bytes)
      streams[stream]?.sentDirectly(bytes.count, end: end)
      removeIfOver(stream)
      return
    }
    streams[stream]?.queue(bytes, end: end)
    enqueue(stream)
  }

  /// Gives a stream up and tells the peer.
  mutating func reset(_ stream: UInt64, _ error: RPCError) {
    guard !isClosed, streams[stream] != nil else { return }
    remove(stream)
    appendReset(stream, error)
  }

  /// The reader has taken bytes of a stream: the peer may send as many more.
  mutating func consumed(_ stream: UInt64, _ count: Int) {
    guard !isClosed, streams[stream]?.endReceived == false else { return }
    streams[stream]?.ungranted += count
    let ungranted = streams[stream]?.ungranted ?? 0
    // Half a window at a time: often enough to keep the peer busy, seldom enough to cost nothing.
    if ungranted >= max(1, limits.windowBytes / 2) {
      FrameHeader(.window, length: 4, stream: stream).append(to: &outbox)
      outbox.appendBigEndian(UInt32(clamping: ungranted))
      streams[stream]?.receiveWindow += ungranted
      streams[stream]?.ungranted = 0
    }
  }

  /// Ends the connection and tells the peer why.
  mutating func shutDown(_ error: RPCError, events: inout [Event]) {
    guard !isClosed else { return }
    fail(error, events: &events)
  }

  var streamCount: Int { streams.count }

  // MARK: Output

  /// Appends encoded bytes until `output` holds about `limit`. Events tell of writers that have room again.
  mutating func produce(into output: inout [UInt8], limit: Int, events: inout [Event]) {
    if output.isEmpty {
      swap(&output, &outbox)
    } else {
      output.append(contentsOf: outbox)
      outbox.removeAll(keepingCapacity: true)
    }
    guard !isClosed else { return }
    while output.count < limit, roundStart < round.count {
      let stream = round[roundStart]
      roundStart += 1
      guard streams[stream] != nil else { continue }
      streams[stream]?.produceFrame(into: &output, stream: stream, maxBytes: peerMaxFrame)
      if streams[stream]?.takeWaitingWriter(below: limits.sendBufferBytes) == true {
        events.append(.writable(stream: stream))
      }
      enqueue(stream)
      removeIfOver(stream)
    }
    if roundStart == round.count || roundStart > 1024 {
      round.removeFirst(roundStart)
      roundStart = 0
    }
  }

  // MARK: Frames

  private mutating func receivePreface(_ bytes: Span<UInt8>, _ events: inout [Event]) throws(RPCError) -> Int {
    let before = partial.count
    let taken = min(bytes.count, Preface.fixedBytes + Preface.maxFieldBytes - before)
    partial.append(bytes, from: 0, count: taken)
    guard let (preface, length) = try Preface.parse(partial) else { return bytes.count }
    partial = []
    sendPreface()
    let peer = try preface.peer()
    if let refusal = admit(peer) { throw refusal }
    self.peer = peer
    peerWindow = Int(preface.windowBytes)
    peerMaxFrame = min(Int(preface.maxFrameBytes), max(1024, limits.maxFrameBytes))
    events.append(.established(peer))
    return length - before
  }

  /// Handles whole frames straight from the input; keeps the beginning of the last one.
  private mutating func receiveFrames(
    _ bytes: Span<UInt8>, _ start: Int, _ now: UInt64, _ events: inout [Event]
  ) throws(RPCError) -> Int {
    var offset = start
    while bytes.count - offset >= FrameHeader.byteCount, !isClosed {
      let header = try checkedHeader(bytes, offset)
      let size = FrameHeader.byteCount + Int(header.length)
      guard bytes.count - offset >= size else { break }
      let payload = bytes.extracting((offset + FrameHeader.byteCount)..<(offset + size))
      try handle(header, payload, now, &events)
      offset += size
    }
    if !isClosed { partial.append(bytes, from: offset, count: bytes.count - offset) }
    return bytes.count
  }

  /// Adds to a kept beginning just what its frame lacks.
  private mutating func completePartial(
    _ bytes: Span<UInt8>, _ start: Int, _ now: UInt64, _ events: inout [Event]
  ) throws(RPCError) -> Int {
    var offset = start
    if partial.count < FrameHeader.byteCount {
      let taken = min(FrameHeader.byteCount - partial.count, bytes.count - offset)
      partial.append(bytes, from: offset, count: taken)
      offset += taken
      guard partial.count == FrameHeader.byteCount else { return offset }
    }
    let header = try checkedHeader(partial.span, 0)
    let taken = min(FrameHeader.byteCount + Int(header.length) - partial.count, bytes.count - offset)
    partial.append(bytes, from: offset, count: taken)
    offset += taken
    guard partial.count == FrameHeader.byteCount + Int(header.length) else { return offset }
    var frame: [UInt8] = []
    swap(&frame, &partial)
    try handle(header, frame.span.extracting(FrameHeader.byteCount..<frame.count), now, &events)
    frame.removeAll(keepingCapacity: true)
    swap(&frame, &partial)
    return offset
  }

  private func checkedHeader(_ bytes: Span<UInt8>, _ offset: Int) throws(RPCError) -> FrameHeader {
    let header = try FrameHeader(bytes, at: offset)
    guard Int(header.length) <= limits.maxFrameBytes else {
      throw RPCError(
        .protocolViolation,
        "the peer sent a frame of \(header.length) bytes; it was told that \(limits.maxFrameBytes) are allowed")
    }
    return header
  }

  private mutating func handle(
    _ header: FrameHeader, _ payload: Span<UInt8>, _ now: UInt64, _ events: inout [Event]
  ) throws(RPCError) {
    switch header.type {
    case .open: try handleOpen(header, payload, now, &events)
    case .data: try handleData(header, payload, &events)
    case .window: try handleWindow(header, payload)
    case .reset:
      try checkKnown(header.stream)
      guard streams[header.stream] != nil else { return }
      remove(header.stream)
      events.append(.reset(stream: header.stream, RPCError(payload: payload)))
    case .ping:
      guard payload.count == 8 else {
        throw RPCError(.protocolViolation, "a ping has \(payload.count) bytes instead of 8")
      }
      guard outbox.count < limits.maxQueuedBytes else {
        throw RPCError(.resourceExhausted, "the peer asks without reading the answers")
      }
      FrameHeader(.pong, length: 8).append(to: &outbox)
      outbox.append(payload, from: 0, count: 8)
    case .pong:
      guard payload.count == 8 else {
        throw RPCError(.protocolViolation, "a pong has \(payload.count) bytes instead of 8")
      }
      pingSent = nil
    case .goAway:
      outbox = []
      close(RPCError(payload: payload), events: &events)
    }
  }

  private mutating func handleOpen(
    _ header: FrameHeader, _ payload: Span<UInt8>, _ now: UInt64, _ events: inout [Event]
  ) throws(RPCError) {
    let stream = header.stream
    guard stream % 2 == (side == .initiator ? 0 : 1), stream > lastPeerStream else {
      throw RPCError(.protocolViolation, "the peer opened stream \(stream) after \(lastPeerStream)")
    }
    lastPeerStream = stream
    guard payload.count >= 7, let kind = StreamState.Kind(rawValue: payload[0]) else {
      throw RPCError(.protocolViolation, "the peer opened stream \(stream) with a malformed head")
    }
    let timeout = payload.bigEndian32(at: 1)
    let nameLength = Int(payload[5]) << 8 | Int(payload[6])
    guard nameLength <= 256, payload.count >= 7 + nameLength,
      let method = String(validating: payload.bytes(from: 7, count: nameLength), as: UTF8.self)
    else { throw RPCError(.protocolViolation, "the peer opened stream \(stream) with a malformed method name") }
    guard openedByPeer < limits.maxStreams else {
      guard outbox.count < limits.maxQueuedBytes else {
        throw RPCError(.resourceExhausted, "the peer opens streams without reading the refusals")
      }
      appendReset(
        stream, RPCError(.resourceExhausted, "\(limits.maxStreams) calls are in progress on this connection already"))
      return
    }
    let deadline = timeout == 0 ? .max : now &+ UInt64(timeout) * 1_000_000
    openedByPeer += 1
    earliestStreamDeadline = min(earliestStreamDeadline, deadline)
    streams[stream] = StreamState(
      kind: kind, isOpener: false, deadline: deadline, sendWindow: peerWindow, receiveWindow: limits.windowBytes)
    let bodyStart = 7 + nameLength
    if kind == .call {
      events.append(.calling(stream: stream, method: method, timeoutMilliseconds: timeout))
      try accept(stream, payload, from: bodyStart, end: header.isEnd, &events)
    } else {
      // Not counted against the window: it is there before the handler could have granted any.
      let body = payload.bytes(from: bodyStart, count: payload.count - bodyStart)
      events.append(.opened(stream: stream, method: method, body: body, timeoutMilliseconds: timeout))
      guard header.isEnd else { return }
      streams[stream]?.endReceived = true
      events.append(.ended(stream: stream))
    }
  }

  private mutating func handleData(
    _ header: FrameHeader, _ payload: Span<UInt8>, _ events: inout [Event]
  ) throws(RPCError) {
    try checkKnown(header.stream)
    // Sent before the peer knew that the stream is over.
    guard let state = streams[header.stream] else { return }
    guard !state.endReceived else {
      throw RPCError(.protocolViolation, "the peer sent bytes on stream \(header.stream) after its end")
    }
    try accept(header.stream, payload, from: 0, end: header.isEnd, &events)
  }

  /// Bytes of a stream have come: in an `open` or a `data` frame.
  private mutating func accept(
    _ stream: UInt64, _ payload: Span<UInt8>, from offset: Int, end: Bool, _ events: inout [Event]
  ) throws(RPCError) {
    guard let kind = streams[stream]?.kind, let window = streams[stream]?.receiveWindow else { return }
    let count = payload.count - offset
    guard count <= window else {
      throw RPCError(.protocolViolation, "the peer sent more on stream \(stream) than its window allows")
    }
    streams[stream]?.receiveWindow -= count
    streams[stream]?.endReceived = end
    switch kind {
    case .stream:
      if count > 0 { events.append(.data(stream: stream, bytes: payload.bytes(from: offset, count: count))) }
      if end {
        events.append(.ended(stream: stream))
        finishReceiving(stream)
      }
    case .call:
      let held = streams[stream]?.message.count ?? 0
      guard held + count <= limits.maxMessageBytes, messageBytes + count <= limits.maxBufferedBytes else {
        let error = RPCError(
          .resourceExhausted,
          "a message of more than \(limits.maxMessageBytes) bytes, or more than \(limits.maxBufferedBytes) bytes of "
            + "incomplete messages, are not taken")
        remove(stream)
        appendReset(stream, error)
        events.append(.reset(stream: stream, error))
        return
      }
      if end, held == 0 {
        events.append(.message(stream: stream, bytes: payload.bytes(from: offset, count: count)))
      } else {
        streams[stream]?.message.append(payload, from: offset, count: count)
        messageBytes += count
        if end {
          let message = streams[stream]?.message ?? []
          streams[stream]?.message = []
          messageBytes -= message.count
          events.append(.message(stream: stream, bytes: message))
        }
      }
      // A call's message is kept here as a whole: it makes room at once.
      if end { finishReceiving(stream) } else { consumed(stream, count) }
    }
  }

  private mutating func handleWindow(_ header: FrameHeader, _ payload: Span<UInt8>) throws(RPCError) {
    try checkKnown(header.stream)
    guard payload.count == 4 else {
      throw RPCError(.protocolViolation, "a window frame has \(payload.count) bytes instead of 4")
    }
    guard let window = streams[header.stream]?.sendWindow else { return }
    let wider = window + Int(payload.bigEndian32(at: 0))
    guard wider <= 1 << 40 else {
      throw RPCError(.protocolViolation, "the peer opened the window of stream \(header.stream) beyond a terabyte")
    }
    streams[header.stream]?.sendWindow = wider
    enqueue(header.stream)
  }

  /// A frame may name a stream that is over (it crossed our end of it), never one that was not opened.
  private func checkKnown(_ stream: UInt64) throws(RPCError) {
    let ours = stream % 2 == (side == .initiator ? 1 : 0)
    guard ours ? stream < nextStream : stream <= lastPeerStream else {
      throw RPCError(.protocolViolation, "the peer sent a frame for stream \(stream), which nobody opened")
    }
  }

  // MARK: Ends

  /// The answerer's end ends the stream; the opener's only its half.
  private mutating func finishReceiving(_ stream: UInt64) {
    guard let state = streams[stream] else { return }
    if state.isOpener { remove(stream) }
  }

  private mutating func removeIfOver(_ stream: UInt64) {
    guard let state = streams[stream], state.endSent, !state.isOpener else { return }
    remove(stream)
  }

  private mutating func remove(_ stream: UInt64) {
    guard let state = streams.removeValue(forKey: stream) else { return }
    messageBytes -= state.message.count
    if state.isOpener { openedByUs -= 1 } else { openedByPeer -= 1 }
  }

  private mutating func enqueue(_ stream: UInt64) {
    guard let state = streams[stream], state.canSend, !state.isQueued else { return }
    streams[stream]?.isQueued = true
    round.append(stream)
  }

  private mutating func appendReset(_ stream: UInt64, _ error: RPCError) {
    FrameHeader(.reset, length: 2 + error.wireMessage.utf8.count, stream: stream).append(to: &outbox)
    error.appendPayload(to: &outbox)
  }

  /// Once; in front of anything else, a refusal included.
  private mutating func sendPreface() {
    guard !prefaceSent else { return }
    prefaceSent = true
    outbox.append(contentsOf: Preface(peer: ourselves, limits: limits).encoded())
  }

  /// Tells the peer and closes.
  private mutating func fail(_ error: RPCError, events: inout [Event]) {
    sendPreface()
    FrameHeader(.goAway, length: 2 + error.wireMessage.utf8.count).append(to: &outbox)
    error.appendPayload(to: &outbox)
    close(error, events: &events)
  }

  private mutating func close(_ error: RPCError, events: inout [Event]) {
    guard !isClosed else { return }
    closeReason = error
    partial = []
    for stream in streams.keys.sorted() { events.append(.reset(stream: stream, error)) }
    streams = [:]
    round = []
    roundStart = 0
    events.append(.closed(error))
  }
}
