/// What members tell each other. Numbers of types and fields are wire format; bytes behind the known fields of a message
/// are ignored, and so are messages of unknown types: a newer version may have added them.
enum Message: Equatable {
  /// Are you `target`, and alive? The answer goes to where the packet came from.
  case ping(sequence: UInt64, target: String)
  /// Probe `target` for me; say `nack` when it takes long.
  case indirectPing(sequence: UInt64, target: String, address: GossipAddress)
  case ack(sequence: UInt64)
  case nack(sequence: UInt64)
  /// What a member says of itself.
  case alive(Member)
  /// `name` did not answer `from`.
  case suspect(name: String, incarnation: UInt64, from: String)
  /// `name` is gone: failed, or left. Told by `from`; `isPruned` asks to forget it.
  case gone(name: String, incarnation: UInt64, from: String, hasLeft: Bool, isPruned: Bool)

  private enum Kind {
    static let ping: UInt8 = 1, indirectPing: UInt8 = 2, ack: UInt8 = 3, nack: UInt8 = 4
    static let alive: UInt8 = 5, suspect: UInt8 = 6, gone: UInt8 = 7
  }

  /// Type (1), length (2) and payload.
  var encoded: [UInt8] {
    var payload: [UInt8] = []
    let kind: UInt8
    switch self {
    case .ping(let sequence, let target):
      kind = Kind.ping
      payload.append64(sequence)
      payload.appendText(target)
    case .indirectPing(let sequence, let target, let address):
      kind = Kind.indirectPing
      payload.append64(sequence)
      payload.appendText(target)
      payload.append(address)
    case .ack(let sequence):
      kind = Kind.ack
      payload.append64(sequence)
    case .nack(let sequence):
      kind = Kind.nack
      payload.append64(sequence)
    case .alive(let member):
      kind = Kind.alive
      payload.append(member)
    case .suspect(let name, let incarnation, let from):
      kind = Kind.suspect
      payload.appendText(name)
      payload.append64(incarnation)
      payload.appendText(from)
    case .gone(let name, let incarnation, let from, let hasLeft, let isPruned):
      kind = Kind.gone
      payload.appendText(name)
      payload.append64(incarnation)
      payload.appendText(from)
      payload.append((hasLeft ? 1 : 0) | (isPruned ? 2 : 0))
    }
    var bytes: [UInt8] = [kind]
    bytes.append16(UInt16(clamping: payload.count))
    return bytes + payload
  }

  /// The next message; nil for one of a type that this version does not know.
  static func read(from reader: inout WireReader) throws(MalformedPacket) -> Message? {
    let kind = try reader.uint8()
    let length = Int(try reader.uint16())
    var part = try reader.part(length)
    switch kind {
    case Kind.ping: return .ping(sequence: try part.uint64(), target: try part.name())
    case Kind.indirectPing:
      return .indirectPing(sequence: try part.uint64(), target: try part.name(), address: try part.address())
    case Kind.ack: return .ack(sequence: try part.uint64())
    case Kind.nack: return .nack(sequence: try part.uint64())
    case Kind.alive: return .alive(try part.member())
    case Kind.suspect:
      return .suspect(name: try part.name(), incarnation: try part.incarnation(), from: try part.name())
    case Kind.gone:
      let name = try part.name()
      let incarnation = try part.incarnation()
      let from = try part.name()
      let flags = try part.uint8()
      return .gone(
        name: name, incarnation: incarnation, from: from, hasLeft: flags & 1 != 0, isPruned: flags & 2 != 0)
    default: return nil
    }
  }
}

/// Limits of a member's record.
enum MemberLimits {
  static let nameBytes = 128
  static let tags = 64
  /// Keys and values together; the record must fit a packet beside others.
  static let tagBytes = 768
  /// What is above is no honest count; below it, adding one can't overflow.
  static let incarnation: UInt64 = 1 << 62
}

extension [UInt8] {
  mutating func append(_ address: GossipAddress) {
    appendText(address.host)
    append16(address.port)
  }

  /// Name, address, protocol versions, incarnation, status, tags in the order of their keys.
  mutating func append(_ member: Member) {
    appendText(member.name)
    append(member.address)
    append(member.protocolMin)
    append(member.protocolMax)
    append64(member.incarnation)
    append(member.status.rawValue)
    append(UInt8(clamping: member.tags.count))
    for (key, value) in member.tags.sorted(by: { $0.key < $1.key }).prefix(255) {
      appendText(key)
      appendText(value)
    }
  }
}

extension WireReader {
  mutating func name() throws(MalformedPacket) -> String { try text(atLeast: 1, atMost: MemberLimits.nameBytes) }

  mutating func incarnation() throws(MalformedPacket) -> UInt64 {
    let value = try uint64()
    guard value <= MemberLimits.incarnation else { throw MalformedPacket("an incarnation of \(value)") }
    return value
  }

  mutating func address() throws(MalformedPacket) -> GossipAddress {
    GossipAddress(host: try text(atLeast: 1), port: try uint16())
  }

  mutating func member() throws(MalformedPacket) -> Member {
    let name = try name()
    let address = try address()
    let (lowest, highest) = (try uint8(), try uint8())
    let incarnation = try incarnation()
    guard let status = Member.Status(rawValue: try uint8()) else { throw MalformedPacket("an unknown status") }
    let count = Int(try uint8())
    guard count <= MemberLimits.tags else { throw MalformedPacket("\(count) tags") }
    var tags: [String: String] = [:]
    var size = 0
    for _ in 0..<count {
      let (key, value) = (try text(atLeast: 1), try text())
      size += key.utf8.count + value.utf8.count
      guard tags.updateValue(value, forKey: key) == nil else { throw MalformedPacket("a tag stands twice") }
    }
    guard size <= MemberLimits.tagBytes else { throw MalformedPacket("tags of \(size) bytes") }
    return Member(
      name: name, address: address, tags: tags, protocolMin: lowest, protocolMax: highest, incarnation: incarnation,
      status: status)
  }
}
