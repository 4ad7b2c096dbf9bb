internal import Raft

/// Messages of the consensus as bytes, for the connections between servers.
///
/// Numbers are eight little-endian bytes, byte strings have their length before them. The first byte is the format's
/// version: a server that gets another one drops the message, and the cluster goes on as long as a majority speaks one.
enum MessageCodec {
  private static let version: UInt8 = 1

  static func encode(_ message: Message) -> [UInt8] {
    var writer = Writer()
    writer.bytes.reserveCapacity(size(message))
    writer.byte(version)
    for number in [
      message.from.rawValue, message.to.rawValue, message.term, message.incarnation.count, message.incarnation.bits,
    ] { writer.number(number) }
    switch message.body {
    case .preVote(let term, let last):
      writer.byte(1)
      writer.number(term)
      writer.position(last)
    case .preVoteReply(let term, let granted):
      writer.byte(2)
      writer.number(term)
      writer.flag(granted)
    case .vote(let last, let isTransfer):
      writer.byte(3)
      writer.position(last)
      writer.flag(isTransfer)
    case .voteReply(let granted):
      writer.byte(4)
      writer.flag(granted)
    case .append(let append):
      writer.byte(5)
      writer.position(append.previous)
      writer.number(append.commit)
      writer.number(append.round)
      writer.number(append.sent)
      writer.number(UInt64(append.entries.count))
      for entry in append.entries {
        writer.number(entry.term)
        writer.byte(entry.kind)
        writer.string(entry.bytes)
      }
    case .appendReply(let reply):
      writer.byte(6)
      writer.number(reply.round)
      writer.number(reply.sent)
      switch reply.outcome {
      case .matched(let index):
        writer.flag(true)
        writer.number(index)
      case .mismatched(let previous, let hint):
        writer.flag(false)
        writer.number(previous)
        writer.position(hint)
      }
    case .snapshot(let piece):
      writer.byte(7)
      writer.snapshot(piece.snapshot)
      writer.number(piece.offset)
      writer.number(piece.round)
      writer.number(piece.sent)
      writer.string(piece.bytes)
    case .snapshotReply(let snapshot, let received):
      writer.byte(8)
      writer.snapshot(snapshot)
      writer.number(received)
    case .timeoutNow: writer.byte(9)
    case .readIndex(let id):
      writer.byte(10)
      writer.number(id)
    case .readIndexReply(let id, let index):
      writer.byte(11)
      writer.number(id)
      writer.flag(index != nil)
      writer.number(index ?? 0)
    case .regressed(let said, let seen):
      writer.byte(12)
      for number in [said.count, said.bits, seen.count, seen.bits] { writer.number(number) }
    }
    return writer.bytes
  }

  private static func size(_ message: Message) -> Int {
    switch message.body {
    case .append(let append): append.entries.reduce(128) { $0 + $1.bytes.count + 24 }
    case .snapshot(let piece): piece.bytes.count + 1_024
    default: 256
    }
  }

  /// Nil for bytes that are no message of this version.
  static func decode(_ bytes: [UInt8]) -> Message? {
    var reader = Reader(bytes)
    guard reader.byte() == version else { return nil }
    let from = ServerID(reader.number())
    let to = ServerID(reader.number())
    let term = reader.number()
    let incarnation = Incarnation(count: reader.number(), bits: reader.number())
    guard let body = body(&reader), reader.isWhole else { return nil }
    return Message(from: from, to: to, term: term, incarnation: incarnation, body: body)
  }

  private static func body(_ reader: inout Reader) -> Message.Body? {
    switch reader.byte() {
    case 1: .preVote(term: reader.number(), last: reader.position())
    case 2: .preVoteReply(term: reader.number(), granted: reader.flag())
    case 3: .vote(last: reader.position(), isTransfer: reader.flag())
    case 4: .voteReply(granted: reader.flag())
    case 5: append(&reader)
    case 6: appendReply(&reader)
    case 7: piece(&reader)
    case 8: reader.snapshot().map { .snapshotReply($0, received: reader.number()) }
    case 9: .timeoutNow
    case 10: .readIndex(id: reader.number())
    case 11: readIndexReply(&reader)
    case 12:
      .regressed(
        said: Incarnation(count: reader.number(), bits: reader.number()),
        seen: Incarnation(count: reader.number(), bits: reader.number()))
    default: nil
    }
  }

  private static func append(_ reader: inout Reader) -> Message.Body? {
    let previous = reader.position()
    let (commit, round, sent, count) = (reader.number(), reader.number(), reader.number(), reader.number())
    var entries: [Entry] = []
    // Every entry takes at least 17 bytes: a wrong count must not make us reserve what is not there.
    guard count <= UInt64(reader.left / 17) else { return nil }
    entries.reserveCapacity(Int(count))
    for place in 0..<count {
      let term = reader.number()
      let kind = reader.byte()
      entries.append(
        Entry(index: previous.index &+ place &+ 1, term: term, kind: kind, bytes: reader.string()))
    }
    // The core adds entries to its log as they stand here.
    guard zip(entries, entries.dropFirst()).allSatisfy({ $0.term <= $1.term }),
      entries.first.map({ $0.term >= previous.term }) ?? true
    else { return nil }
    return .append(Append(previous: previous, entries: entries, commit: commit, round: round, sent: sent))
  }

  private static func appendReply(_ reader: inout Reader) -> Message.Body? {
    let (round, sent) = (reader.number(), reader.number())
    let outcome: AppendReply.Outcome =
      reader.flag()
      ? .matched(index: reader.number()) : .mismatched(previous: reader.number(), hint: reader.position())
    return .appendReply(AppendReply(outcome: outcome, round: round, sent: sent))
  }

  private static func piece(_ reader: inout Reader) -> Message.Body? {
    guard let snapshot = reader.snapshot() else { return nil }
    let (offset, round, sent) = (reader.number(), reader.number(), reader.number())
    return .snapshot(
      SnapshotPiece(snapshot: snapshot, offset: offset, bytes: reader.string(), round: round, sent: sent))
  }

  private static func readIndexReply(_ reader: inout Reader) -> Message.Body? {
    let id = reader.number()
    let isKnown = reader.flag()
    let index = reader.number()
    return .readIndexReply(id: id, index: isKnown ? index : nil)
  }

  private struct Writer {
    var bytes: [UInt8] = []

    mutating func byte(_ value: UInt8) { bytes.append(value) }
    mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }
    mutating func number(_ value: UInt64) {
      for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
    mutating func string(_ value: [UInt8]) {
      number(UInt64(value.count))
      bytes += value
    }
    mutating func position(_ value: Position) {
      number(value.index)
      number(value.term)
    }
    mutating func snapshot(_ value: Snapshot) {
      position(value.position)
      string(value.membership.encoded)
      number(value.membershipIndex)
      number(value.size)
      number(value.checksum)
    }
  }

  /// Reads zeros and nothing behind the end; `isWhole` says whether that happened.
  private struct Reader {
    private let bytes: [UInt8]
    private var place = 0
    private var isCut = false

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var left: Int { bytes.count - place }
    var isWhole: Bool { !isCut && left == 0 }

    mutating func byte() -> UInt8 {
      guard left >= 1 else {
        isCut = true
        return 0
      }
      defer { place += 1 }
      return bytes[place]
    }
    mutating func flag() -> Bool {
      let value = byte()
      if value > 1 { isCut = true }
      return value == 1
    }
    mutating func number() -> UInt64 {
      guard left >= 8 else {
        isCut = true
        return 0
      }
      var value: UInt64 = 0
      for shift in 0..<8 { value |= UInt64(bytes[place + shift]) << UInt64(8 * shift) }
      place += 8
      return value
    }
    mutating func string() -> [UInt8] {
      let count = number()
      guard count <= UInt64(left) else {
        isCut = true
        return []
      }
      defer { place += Int(count) }
      return Array(bytes[place..<place + Int(count)])
    }
    mutating func position() -> Position { Position(index: number(), term: number()) }
    mutating func snapshot() -> Snapshot? {
      let position = position()
      guard let membership = Membership(decoding: string()) else { return nil }
      return Snapshot(
        position: position, membership: membership, membershipIndex: number(), size: number(), checksum: number())
    }
  }
}
