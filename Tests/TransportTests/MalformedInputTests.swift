import Glibc
import Testing

@testable import Transport

/// A preface as another implementation of the documented layout would send it.
func rawPreface(highest: UInt16 = 1, lowest: UInt16 = 1, role: UInt8 = 1) -> [UInt8] {
  Array("SERAIRPC".utf8) + [
    UInt8(highest >> 8), UInt8(highest & 255), UInt8(lowest >> 8), UInt8(lowest & 255), role, 0, 0, 0,
  ]
}

func rawFrame(_ type: UInt8, flags: UInt8 = 0, stream: UInt8, length: Int? = nil, _ payload: [UInt8]) -> [UInt8] {
  let length = length ?? payload.count
  return [UInt8(length >> 24 & 255), UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255)]
    + [type, flags, 0, 0, 0, 0, 0, 0, 0, 0, 0, stream] + payload
}

let openCall: [UInt8] = [0, 0, 0, 0, 0, 0, 1, 0x6D]
let openStream: [UInt8] = [1, 0, 0, 0, 0, 0, 1, 0x6D]

@Suite struct MalformedInputTests {
  func acceptor(_ limits: RPCLimits = RPCLimits()) -> ConnectionCore {
    ConnectionCore(
      side: .acceptor, ourselves: RPCPeer(role: .server, region: "global", name: "us"), limits: limits, now: 0)
  }

  func closing(_ bytes: [UInt8], step: Int = .max, _ limits: RPCLimits = RPCLimits()) -> RPCError? {
    var core = acceptor(limits)
    var events: [ConnectionCore.Event] = []
    feed(&core, bytes, step, 0, &events)
    guard case .closed(let error) = events.last else { return nil }
    return error
  }

  @Test(arguments: [
    (Array("GET / HTTP/1.1\r\n\r\n".utf8), "HTTP port"), ([0x16, 0x03, 0x01, 0x02, 0x00], "TLS"),
    (Array("hello".utf8), "no Serai agent"),
  ])
  func aForeignProtocolIsNamed(bytes: [UInt8], words: String) {
    #expect(closing(bytes)?.message.contains(words) == true)
  }

  @Test func aVersionWithoutOverlapIsRefusedWithBothRanges() {
    let error = closing(rawPreface(highest: 9, lowest: 7))
    #expect(error?.message.contains("7 to 9") == true && error?.message.contains("upgrade") == true)
    #expect(closing(rawPreface(highest: 9, lowest: 1)) == nil)
  }

  @Test func theRefusedPeerIsToldWhy() {
    var core = acceptor()
    var events: [ConnectionCore.Event] = []
    feed(&core, rawPreface(highest: 9, lowest: 7), .max, 0, &events)
    var output: [UInt8] = []
    core.produce(into: &output, limit: 10_000, events: &events)
    #expect(output.starts(with: "SERAIRPC".utf8))
    let text = String(decoding: output, as: UTF8.self)
    #expect(text.contains("upgrade the older of the two"))
  }

  static let violations: [(String, [UInt8])] = [
    ("unknown frame type", rawFrame(9, stream: 1, [])),
    ("unknown flag", rawFrame(2, flags: 2, stream: 1, [])),
    ("frame beyond the limit", rawFrame(2, stream: 1, length: 1 << 30, [])),
    ("data for a stream nobody opened", rawFrame(2, stream: 1, [1])),
    ("data for our own stream that we did not open", rawFrame(2, stream: 2, [1])),
    ("open with an even number", rawFrame(1, stream: 2, openCall)),
    ("open of stream 0", rawFrame(1, stream: 0, openCall)),
    ("open twice", rawFrame(1, stream: 1, openCall) + rawFrame(1, stream: 1, openCall)),
    ("open downwards", rawFrame(1, stream: 3, openCall) + rawFrame(1, stream: 1, openCall)),
    ("open without a head", rawFrame(1, stream: 1, [0, 0])),
    ("open of unknown kind", rawFrame(1, stream: 1, [2, 0, 0, 0, 0, 0, 0])),
    ("method longer than the frame", rawFrame(1, stream: 1, [0, 0, 0, 0, 0, 0, 200, 0x6D])),
    ("method that is not UTF-8", rawFrame(1, stream: 1, [0, 0, 0, 0, 0, 0, 1, 0xFF])),
    ("data after the end", rawFrame(1, flags: 1, stream: 1, openStream) + rawFrame(2, stream: 1, [1])),
    ("short window", rawFrame(1, stream: 1, openStream) + rawFrame(3, stream: 1, [1, 2])),
    ("window for nothing", rawFrame(3, stream: 1, [0, 0, 0, 1])),
    ("ping of 3 bytes", rawFrame(5, stream: 0, [1, 2, 3])),
    ("ping on a stream", rawFrame(5, stream: 1, [1, 2, 3, 4, 5, 6, 7, 8])),
    ("go away on a stream", rawFrame(0, stream: 1, [0, 1])),
  ]

  @Test(arguments: violations.indices)
  func aViolationClosesTheConnection(index: Int) {
    let (name, bytes) = Self.violations[index]
    for step in [1, 7, Int.max] {
      #expect(closing(rawPreface() + bytes, step: step)?.code == .protocolViolation, "\(name), \(step) at a time")
    }
  }

  @Test func moreThanTheWindowClosesTheConnection() {
    var limits = RPCLimits()
    limits.windowBytes = 2048
    let chunk = [UInt8](repeating: 0, count: 1024)
    let opened = rawPreface() + rawFrame(1, stream: 1, openStream)
    let within = opened + rawFrame(2, stream: 1, chunk) + rawFrame(2, stream: 1, chunk)
    #expect(closing(within, limits) == nil)
    #expect(closing(within + rawFrame(2, stream: 1, [1]), limits)?.code == .protocolViolation)
  }

  @Test func aPingFloodWithoutReadingIsCutOff() {
    var limits = RPCLimits()
    limits.maxQueuedBytes = 10_000
    let pings = (0..<1000).flatMap { _ in rawFrame(5, stream: 0, [0, 0, 0, 0, 0, 0, 0, 0]) }
    #expect(closing(rawPreface() + pings, limits)?.code == .resourceExhausted)
  }

  @Test func bytesAfterTheCloseAreIgnored() {
    var core = acceptor()
    var events: [ConnectionCore.Event] = []
    feed(
      &core, rawPreface() + rawFrame(9, stream: 1, []) + rawFrame(5, stream: 0, [0, 0, 0, 0, 0, 0, 0, 0]), 1, 0, &events
    )
    #expect(events.count == 2 && core.isClosed)
  }

  /// Random bytes, and valid conversations with random damage: never a trap, never more memory than the limits allow.
  @Test(arguments: 0..<20)
  func randomDamageEndsInAnErrorOrInNothing(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    // SERAI_FUZZ_SECONDS=600 swift test --filter randomDamage
    let end = ContinuousClock.now + .seconds(getenv("SERAI_FUZZ_SECONDS").flatMap { Int(String(cString: $0)) } ?? 0)
    var runs = 0
    while runs < 100 || ContinuousClock.now < end {
      runs += 1
      var bytes = rawPreface()
      for _ in 0..<Int.random(in: 1...30, using: &random) {
        let type = UInt8.random(in: 0...7, using: &random)
        let payload = (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...8, using: &random) }
        bytes += rawFrame(
          type, flags: UInt8.random(in: 0...1, using: &random), stream: UInt8.random(in: 0...9, using: &random),
          type == 1 ? openStream + payload : payload)
      }
      for _ in 0..<Int.random(in: 0...2, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      fuzzCore(bytes, step: Int.random(in: 1...64, using: &random))
    }
  }
}

/// One run over arbitrary bytes, as both sides of a connection; also the entry of a fuzzer.
func fuzzCore(_ bytes: [UInt8], step: Int) {
  for side in [ConnectionCore.Side.acceptor, .initiator] {
    var limits = RPCLimits()
    limits.maxBufferedBytes = 1 << 20
    var core = ConnectionCore(
      side: side, ourselves: RPCPeer(role: .server, region: "r", name: "n"), limits: limits, now: 0)
    var events: [ConnectionCore.Event] = []
    var output: [UInt8] = []
    feed(&core, bytes, step, 1, &events)
    core.tick(now: 20 * second, events: &events)
    core.produce(into: &output, limit: 1 << 20, events: &events)
    for case .data(let stream, let bytes) in events { core.consumed(stream, bytes.count) }
    core.produce(into: &output, limit: 1 << 20, events: &events)
    precondition(events.filter { if case .closed = $0 { true } else { false } }.count <= 1)
  }
}

/// SplitMix64: small, seedable, the same in every run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
