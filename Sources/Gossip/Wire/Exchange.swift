/// What goes over a TCP connection: one request and its answer, then it is closed.
enum ExchangeRequest: Equatable {
  /// My whole state; answer with yours. `isJoin` for the first one.
  case pushPull(isJoin: Bool, members: [Member])
  /// A probe whose packets got no answer.
  case ping(target: String)
  /// An operation on the key ring; only ever sent encrypted.
  case keyRing(KeyRingOperation)

  private enum Kind { static let pushPull: UInt8 = 1, ping: UInt8 = 2, keyRing: UInt8 = 3 }

  var encoded: [UInt8] {
    var bytes: [UInt8] = []
    switch self {
    case .pushPull(let isJoin, let members):
      bytes.append(Kind.pushPull)
      bytes.append(isJoin ? 1 : 0)
      bytes.append(members)
    case .ping(let target):
      bytes.append(Kind.ping)
      bytes.appendText(target)
    case .keyRing(let operation):
      bytes.append(Kind.keyRing)
      bytes.append(operation.kind)
      bytes.append(UInt8(clamping: operation.key.count))
      bytes.append(contentsOf: operation.key)
    }
    return bytes
  }

  init(from reader: inout WireReader) throws(MalformedPacket) {
    switch try reader.uint8() {
    case Kind.pushPull: self = .pushPull(isJoin: try reader.uint8() & 1 != 0, members: try reader.members())
    case Kind.ping: self = .ping(target: try reader.name())
    case Kind.keyRing:
      let kind = try reader.uint8()
      let key = try reader.bytes(Int(try reader.uint8()))
      guard let operation = KeyRingOperation(kind: kind, key: key) else {
        throw MalformedPacket("an unknown operation on the key ring")
      }
      self = .keyRing(operation)
    default: throw MalformedPacket("an unknown request")
    }
  }
}

/// The answer to an `ExchangeRequest`.
enum ExchangeAnswer: Equatable {
  case pushPull(members: [Member])
  /// It is the target, and alive.
  case pong
  /// Somebody else listens there.
  case notTheTarget
  /// The key ring after the operation, the primary key first; or why it was refused.
  case keyRing(keys: [[UInt8]], error: String)
  /// The sender's clock went back while it was down: its packets look like old ones. It must count from above this.
  case oldSession(UInt64)

  private enum Kind {
    static let pushPull: UInt8 = 1, pong: UInt8 = 2, notTheTarget: UInt8 = 3, keyRing: UInt8 = 4, oldSession: UInt8 = 5
  }

  var encoded: [UInt8] {
    var bytes: [UInt8] = []
    switch self {
    case .pushPull(let members):
      bytes.append(Kind.pushPull)
      bytes.append(members)
    case .pong: bytes.append(Kind.pong)
    case .notTheTarget: bytes.append(Kind.notTheTarget)
    case .keyRing(let keys, let error):
      bytes.append(Kind.keyRing)
      bytes.append(UInt8(clamping: keys.count))
      for key in keys.prefix(255) {
        bytes.append(UInt8(clamping: key.count))
        bytes.append(contentsOf: key)
      }
      bytes.appendText(error)
    case .oldSession(let session):
      bytes.append(Kind.oldSession)
      bytes.append64(session)
    }
    return bytes
  }

  init(from reader: inout WireReader) throws(MalformedPacket) {
    switch try reader.uint8() {
    case Kind.pushPull: self = .pushPull(members: try reader.members())
    case Kind.pong: self = .pong
    case Kind.notTheTarget: self = .notTheTarget
    case Kind.keyRing:
      var keys: [[UInt8]] = []
      for _ in 0..<(try reader.uint8()) { keys.append(try reader.bytes(Int(try reader.uint8()))) }
      self = .keyRing(keys: keys, error: try reader.text())
    case Kind.oldSession: self = .oldSession(try reader.uint64())
    default: throw MalformedPacket("an unknown answer")
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ members: [Member]) {
    append32(UInt32(clamping: members.count))
    for member in members { append(member) }
  }
}

extension WireReader {
  fileprivate mutating func members() throws(MalformedPacket) -> [Member] {
    // No room is reserved for a count that nobody vouches for.
    var members: [Member] = []
    for _ in 0..<(try uint32()) { members.append(try member()) }
    return members
  }
}
