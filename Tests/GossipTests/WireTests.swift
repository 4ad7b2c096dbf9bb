import Testing

@testable import Gossip

/// Bytes on the wire: what they are, and that no bytes whatever do harm.
@Suite struct WireTests {
  private let member = Member(
    name: "a.global", address: GossipAddress(host: "10.0.0.1", port: 4648), tags: ["dc": "dc1"], incarnation: 3)

  /// Golden bytes: the layout in `Envelope` and `Message`, by hand.
  @Test func packetHasTheLayoutThatIsDocumented() throws {
    let envelope = Envelope(lane: .packet, sender: "ab", session: 0x0102, number: 7, exchange: 0)
    let packet = envelope.packed(Message.ping(sequence: 9, target: "x").encoded, try KeyRing(), .toy)
    let expected: [UInt8] = [
      1, 0,  // version, flags
      2, 0x61, 0x62,  // sender
      0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 7,  // session, number
      1, 0, 10,  // ping of ten bytes
      0, 0, 0, 0, 0, 0, 0, 9, 1, 0x78,  // sequence, target
    ]
    #expect(packet == expected)
  }

  @Test func memberHasTheLayoutThatIsDocumented() {
    let encoded = Message.alive(member).encoded
    let expected: [UInt8] =
      [5, 0, 39, 8] + Array("a.global".utf8) + [8] + Array("10.0.0.1".utf8) + [0x12, 0x28, 1, 1]
      + [0, 0, 0, 0, 0, 0, 0, 3, 0, 1, 2] + Array("dc".utf8) + [3] + Array("dc1".utf8)
    #expect(encoded == expected)
  }

  @Test func everyMessageComesBackAsItWas() throws {
    let messages: [Message] = [
      .ping(sequence: .max, target: "t"), .indirectPing(sequence: 1, target: "t", address: member.address),
      .ack(sequence: 0), .nack(sequence: 2), .alive(member), .suspect(name: "a", incarnation: 4, from: "b"),
      .gone(name: "a", incarnation: 4, from: "b", hasLeft: true, isPruned: false),
      .gone(name: "a", incarnation: 4, from: "b", hasLeft: false, isPruned: true),
    ]
    var reader = WireReader(messages.flatMap(\.encoded))
    for message in messages { #expect(try Message.read(from: &reader) == message) }
    #expect(reader.isAtEnd)
  }

  @Test func everyExchangeComesBackAsItWas() throws {
    let requests: [ExchangeRequest] = [
      .pushPull(isJoin: true, members: [member, member]), .ping(target: "t"), .keyRing(.install([1, 2])),
      .keyRing(.use([1])), .keyRing(.remove([1])), .keyRing(.list),
    ]
    for request in requests {
      var reader = WireReader(request.encoded)
      #expect(try ExchangeRequest(from: &reader) == request)
    }
    let answers: [ExchangeAnswer] = [
      .pushPull(members: [member]), .pong, .notTheTarget, .keyRing(keys: [[1], [2, 3]], error: "no"), .oldSession(9),
    ]
    for answer in answers {
      var reader = WireReader(answer.encoded)
      #expect(try ExchangeAnswer(from: &reader) == answer)
    }
  }

  @Test func unknownMessagesAndFieldsAreSkipped() throws {
    var reader = WireReader([99, 0, 2, 1, 1] + [3, 0, 9, 0, 0, 0, 0, 0, 0, 0, 5, 77])
    #expect(try Message.read(from: &reader) == nil)
    #expect(try Message.read(from: &reader) == .ack(sequence: 5))
  }

  @Test(
    arguments: [
      [1], [1, 0], [1, 0, 200], [5, 0, 1, 0], [3, 0, 2, 0, 0], [6, 0, 3, 0, 0, 0],
    ] as [[UInt8]])
  func truncatedMessagesAreRefused(bytes: [UInt8]) {
    var reader = WireReader(bytes)
    #expect(throws: MalformedPacket.self) { try Message.read(from: &reader) }
  }

  @Test func recordsBeyondTheLimitsAreRefused() {
    var much = member
    much.tags = Dictionary(uniqueKeysWithValues: (0..<65).map { ("k\($0)", "") })
    var long = member
    long.tags = ["a": String(repeating: "x", count: 250), "b": String(repeating: "x", count: 250)]
    for key in ["c", "d"] { long.tags[key] = String(repeating: "y", count: 250) }
    var high = member
    high.incarnation = 1 << 63
    for member in [much, long, high] {
      var reader = WireReader(Message.alive(member).encoded)
      #expect(throws: MalformedPacket.self) { try Message.read(from: &reader) }
    }
  }

  /// 200,000 packets that are random, or cut, or changed: none ends the process, none changes who is a member.
  @Test func randomBytesChangeNothing() throws {
    var random = GossipRandom(seed: 42)
    var core = GossipCore(
      member, keys: try KeyRing(), cipher: .toy, session: 1, seed: 1, now: 0)
    let good =
      [1, 0, 1, 0x7A] + [UInt8](repeating: 0, count: 16) + Message.suspect(name: "q", incarnation: 1, from: "z").encoded
    for round in 0..<200_000 {
      var bytes = round % 2 == 0 ? good : (0..<random.below(80)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      if round % 2 == 0 {
        for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next()) }
        if random.below(4) == 0 { bytes = Array(bytes.prefix(random.below(bytes.count))) }
      }
      let source = GossipAddress(host: "h", port: 1)
      switch round % 4 {
      case 0, 1: _ = core.step(.packet(bytes, from: source), now: UInt64(round))
      case 2: _ = core.step(.request(UInt64(round), bytes, from: source), now: UInt64(round))
      default: _ = core.step(.answered(exchange: UInt64(round), bytes), now: UInt64(round))
      }
    }
    #expect(core.members.allSatisfy { $0.name == "a.global" || !$0.isPresent } || core.members.count < 3)
    #expect(core.statistics.malformed + core.statistics.incompatible > 50_000)
  }

  @Test func packetsStayWithinTheSizeThatIsConfigured() throws {
    var simulation = Simulation(40, seed: 4)
    simulation.records = true
    try simulation.startAll(keys: [[UInt8](repeating: 3, count: 32)])
    simulation.run(for: 10 * second)
    let longest = try #require(simulation.recorded.map(\.count).max())
    #expect(longest <= simulation.configuration.maxPacketBytes)
    #expect(longest > 1000, "news fills packets")
  }

  @Test func queueOfNewsIsBounded() throws {
    var configuration = GossipConfiguration()
    configuration.maxBroadcasts = 16
    configuration.maxMembers = 100
    var core = GossipCore(
      member, configuration: configuration, keys: try KeyRing(), cipher: .toy, session: 1, seed: 1, now: 0)
    for index in 0..<300 {
      let other = Member(name: "m\(index)", address: GossipAddress(host: "m\(index)", port: 1))
      let envelope = Envelope(lane: .packet, sender: other.name, session: 1, number: 1, exchange: 0)
      let packet = try #require(envelope.packed(Message.alive(other).encoded, try KeyRing(), .toy))
      _ = core.step(.packet(packet, from: other.address), now: 1)
    }
    #expect(core.queuedBroadcasts <= 16)
    #expect(core.members.count == 101)
    #expect(core.statistics.membersRefused == 200)
    #expect(core.statistics.broadcastsDropped > 0)
  }
}
