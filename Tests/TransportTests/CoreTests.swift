import Testing

@testable import Transport

/// Two cores joined by hand: what one produces the other receives.
struct Pair {
  var left: ConnectionCore
  var right: ConnectionCore
  var leftEvents: [ConnectionCore.Event] = []
  var rightEvents: [ConnectionCore.Event] = []

  init(left leftLimits: RPCLimits = RPCLimits(), right rightLimits: RPCLimits = RPCLimits()) {
    left = ConnectionCore(
      side: .initiator, ourselves: RPCPeer(role: .client, region: "global", name: "left"), limits: leftLimits, now: 0)
    right = ConnectionCore(
      side: .acceptor, ourselves: RPCPeer(role: .server, region: "global", name: "right"), limits: rightLimits, now: 0)
  }

  /// Moves bytes both ways, `step` at a time, until neither side has any.
  mutating func pump(step: Int = .max, now: UInt64 = 0) {
    while true {
      var there: [UInt8] = [], back: [UInt8] = []
      left.produce(into: &there, limit: 1 << 20, events: &leftEvents)
      feed(&right, there, step, now, &rightEvents)
      right.produce(into: &back, limit: 1 << 20, events: &rightEvents)
      feed(&left, back, step, now, &leftEvents)
      if there.isEmpty, back.isEmpty { return }
    }
  }

  mutating func takeEvents() -> (left: [ConnectionCore.Event], right: [ConnectionCore.Event]) {
    defer {
      leftEvents = []
      rightEvents = []
    }
    return (leftEvents, rightEvents)
  }
}

func feed(
  _ core: inout ConnectionCore, _ bytes: [UInt8], _ step: Int, _ now: UInt64, _ events: inout [ConnectionCore.Event]
) {
  var offset = 0
  while offset < bytes.count {
    let count = min(step, bytes.count - offset)
    core.receive(bytes.span.extracting(offset..<(offset + count)), now: now, events: &events)
    offset += count
  }
}

let second: UInt64 = 1_000_000_000

@Suite struct CoreTests {
  @Test(arguments: [1, 3, 16, 17, 1000, Int.max])
  func aCallGoesThereAndBackHoweverTheBytesAreCut(step: Int) throws {
    var pair = Pair()
    pair.pump(step: step)
    #expect(pair.takeEvents().left == [.established(RPCPeer(role: .server, region: "global", name: "right"))])
    let stream = try pair.left.open(.call, method: "Job.Register", body: [1, 2, 3], deadline: 5 * second, now: 0)
    pair.pump(step: step)
    #expect(
      pair.takeEvents().right == [
        .calling(stream: stream, method: "Job.Register", timeoutMilliseconds: 5000),
        .message(stream: stream, bytes: [1, 2, 3]),
      ])
    pair.right.send(stream, [4, 5], end: true)
    pair.pump(step: step)
    #expect(pair.takeEvents().left == [.message(stream: stream, bytes: [4, 5])])
    #expect(pair.left.streamCount == 0 && pair.right.streamCount == 0)
  }

  @Test func theAcceptorCallsBackOverTheSameConnection() throws {
    var pair = Pair()
    pair.pump()
    _ = pair.takeEvents()
    let stream = try pair.right.open(.call, method: "Client.Stats", body: [], deadline: .max, now: 0)
    #expect(stream == 2)
    pair.pump()
    #expect(
      pair.takeEvents().left == [
        .calling(stream: 2, method: "Client.Stats", timeoutMilliseconds: 0), .message(stream: 2, bytes: []),
      ])
    pair.left.reset(2, RPCError(.notFound, "no such allocation"))
    pair.pump()
    #expect(pair.takeEvents().right == [.reset(stream: 2, RPCError(.notFound, "no such allocation"))])
  }

  @Test func aMessageLargerThanWindowAndFrameArrivesWhole() throws {
    var limits = RPCLimits()
    limits.maxFrameBytes = 2000
    limits.windowBytes = 5000
    var pair = Pair(left: limits, right: limits)
    pair.pump()
    let body = (0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let stream = try pair.left.open(.call, method: "m", body: body, deadline: .max, now: 0)
    pair.pump(step: 777)
    #expect(pair.takeEvents().right.last == .message(stream: stream, bytes: body))
    pair.right.send(stream, body, end: true)
    pair.pump(step: 777)
    #expect(pair.takeEvents().left.last == .message(stream: stream, bytes: body))
  }

  @Test func aStreamStopsAtTheWindowUntilTheReaderTakesBytes() throws {
    var limits = RPCLimits()
    limits.windowBytes = 4096
    limits.sendBufferBytes = 1000
    var pair = Pair(left: limits, right: limits)
    pair.pump()
    let stream = try pair.left.open(.stream, method: "logs", body: [9], deadline: .max, now: 0)
    pair.pump()
    #expect(pair.takeEvents().right.last == .opened(stream: stream, method: "logs", body: [9], timeoutMilliseconds: 0))
    pair.right.send(stream, [UInt8](repeating: 7, count: 10_000), end: false)
    pair.pump()
    let received = pair.takeEvents().left.reduce(0) { sum, event in
      if case .data(stream, let bytes) = event { return sum + bytes.count }
      return sum
    }
    #expect(received == 4096)
    #expect(try !pair.right.hasRoom(stream))
    pair.left.consumed(stream, 4096)
    pair.pump()
    pair.left.consumed(stream, 4096)
    pair.pump()
    let events = pair.takeEvents()
    #expect(events.right.contains(.writable(stream: stream)))
    let rest = events.left.reduce(0) { sum, event in
      if case .data(stream, let bytes) = event { return sum + bytes.count }
      return sum
    }
    #expect(received + rest == 10_000)
  }

  @Test func aBulkStreamDoesNotHoldBackASmallCall() throws {
    var pair = Pair()
    pair.pump()
    let bulk = try pair.left.open(.stream, method: "bulk", body: [], deadline: .max, now: 0)
    pair.left.send(bulk, [UInt8](repeating: 1, count: 200_000), end: false)
    let call = try pair.left.open(.call, method: "small", body: [1], deadline: .max, now: 0)
    pair.pump()
    let right = pair.takeEvents().right
    let message = try #require(right.firstIndex(of: .message(stream: call, bytes: [1])))
    let firstData = try #require(right.firstIndex { if case .data(bulk, _) = $0 { true } else { false } })
    #expect(message < firstData)
  }

  @Test func theOpenersEndLeavesTheAnswerersHalfOpen() throws {
    var pair = Pair()
    pair.pump()
    let stream = try pair.left.open(.stream, method: "s", body: [], deadline: .max, now: 0)
    pair.left.send(stream, [], end: true)
    pair.pump()
    #expect(pair.takeEvents().right.last == .ended(stream: stream))
    pair.right.send(stream, [1], end: false)
    pair.right.send(stream, [2], end: true)
    pair.pump()
    #expect(
      pair.takeEvents().left.suffix(3) == [
        .data(stream: stream, bytes: [1]), .data(stream: stream, bytes: [2]), .ended(stream: stream),
      ])
    #expect(pair.left.streamCount == 0 && pair.right.streamCount == 0)
  }

  @Test func aDeadlineEndsTheCallOnBothSides() throws {
    var pair = Pair()
    pair.pump()
    let stream = try pair.left.open(.call, method: "slow", body: [], deadline: 2 * second, now: 0)
    pair.pump()
    _ = pair.takeEvents()
    #expect(pair.left.nextTimer == 2 * second && pair.right.nextTimer == 2 * second)
    pair.left.tick(now: 2 * second, events: &pair.leftEvents)
    guard case .reset(stream, let error) = pair.leftEvents.last else {
      Issue.record("no reset but \(pair.leftEvents)")
      return
    }
    #expect(error.code == .deadlineExceeded)
    pair.pump()
    #expect(pair.right.streamCount == 0)
  }

  @Test func aSilentPeerIsAskedAndThenGivenUp() {
    var pair = Pair()
    pair.pump()
    _ = pair.takeEvents()
    #expect(pair.left.nextTimer == 15 * second)
    pair.left.tick(now: 15 * second, events: &pair.leftEvents)
    var ping: [UInt8] = []
    pair.left.produce(into: &ping, limit: 1000, events: &pair.leftEvents)
    #expect(ping == [0, 0, 0, 8, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    feed(&pair.right, ping, .max, 15 * second, &pair.rightEvents)
    var pong: [UInt8] = []
    pair.right.produce(into: &pong, limit: 1000, events: &pair.rightEvents)
    #expect(pong == [0, 0, 0, 8, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    feed(&pair.left, pong, .max, 16 * second, &pair.leftEvents)
    #expect(pair.leftEvents.isEmpty && pair.left.nextTimer == 31 * second)
    pair.left.tick(now: 31 * second, events: &pair.leftEvents)
    #expect(pair.leftEvents.isEmpty)
    pair.left.tick(now: 46 * second, events: &pair.leftEvents)
    guard case .closed(let error) = pair.leftEvents.last else {
      Issue.record("not closed but \(pair.leftEvents)")
      return
    }
    #expect(error.code == .unavailable)
  }

  @Test func theNumberOfCallsIsLimitedOnBothSides() throws {
    var limits = RPCLimits()
    limits.maxStreams = 2
    var pair = Pair(left: RPCLimits(), right: limits)
    pair.pump()
    for _ in 0..<3 { _ = try pair.left.open(.call, method: "m", body: [], deadline: .max, now: 0) }
    pair.pump()
    guard case .reset(5, let error) = pair.takeEvents().left.last else {
      Issue.record("the third call was taken")
      return
    }
    #expect(error.code == .resourceExhausted)
    var strict = Pair(left: limits, right: RPCLimits())
    strict.pump()
    for _ in 0..<2 { _ = try strict.left.open(.call, method: "m", body: [], deadline: .max, now: 0) }
    #expect(throws: RPCError.self) { try strict.left.open(.call, method: "m", body: [], deadline: .max, now: 0) }
  }

  @Test func aTooLargeMessageFailsTheCallAndNotTheConnection() throws {
    var limits = RPCLimits()
    limits.maxMessageBytes = 100_000
    var pair = Pair(left: RPCLimits(), right: limits)
    pair.pump()
    let stream = try pair.left.open(
      .call, method: "m", body: [UInt8](repeating: 0, count: 200_000), deadline: .max, now: 0)
    pair.pump()
    guard case .reset(stream, let error) = pair.takeEvents().left.last else {
      Issue.record("the message was taken")
      return
    }
    #expect(error.code == .resourceExhausted)
    let next = try pair.left.open(.call, method: "m", body: [1], deadline: .max, now: 0)
    pair.pump()
    #expect(pair.takeEvents().right.last == .message(stream: next, bytes: [1]))
  }

  @Test func theGoldenBytesOfACall() throws {
    var pair = Pair()
    var preface: [UInt8] = []
    pair.left.produce(into: &preface, limit: 1000, events: &pair.leftEvents)
    #expect(
      preface == Array("SERAIRPC".utf8) + [
        0, 1, 0, 1,  // versions 1 to 1
        1, 0,  // a client agent
        0, 30,  // bytes of fields
        1, 0, 6,
      ] + Array("global".utf8) + [2, 0, 4] + Array("left".utf8) + [
        3, 0, 4, 0, 4, 0, 0,  // window 262,144
        4, 0, 4, 0, 1, 0, 0,  // frames of 65,536
      ])
    feed(&pair.right, preface, .max, 0, &pair.rightEvents)
    pair.pump()
    _ = try pair.left.open(.call, method: "ab", body: [0xFF], deadline: 1_000_000, now: 0)
    var call: [UInt8] = []
    pair.left.produce(into: &call, limit: 1000, events: &pair.leftEvents)
    #expect(
      call == [
        0, 0, 0, 10, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,  // 10 bytes, open, end, stream 1
        0, 0, 0, 0, 1, 0, 2, 0x61, 0x62, 0xFF,  // a call, 1 ms, 2 bytes of name, the name, the body
      ])
  }
}
