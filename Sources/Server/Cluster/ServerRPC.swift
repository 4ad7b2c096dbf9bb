internal import Codec

/// What servers ask of each other, beside the requests of clients that they hand on.
enum ServerRPC {
  /// A stream of the consensus' messages, each with its length before it; nothing comes back on it.
  static let consensus = "Server.Consensus"
  /// `ForwardedCall` → the answer of the method that it names. Refused with `noLeader` by a server that does not lead.
  static let forward = "Server.Forward"
  /// Nothing → `ProbeAnswer`.
  static let probe = "Server.Probe"
  /// `PromiseRequest` → `PromiseAnswer`.
  static let promise = "Server.Promise"
  /// The id of a node as text → one byte: whether its client is connected to the server that is asked.
  static let hasNode = "Server.HasNode"

  /// `AllocationDataRequest` → the data, as a stream, of a node whose client is connected to the server that is asked.
  static let relayAllocationData = "Server.AllocationData"

  /// The longest message of the consensus: the largest entry and room for what is around it.
  static let maximumMessageBytes = 64 << 20

  /// A message with its length before it.
  static func frame(_ bytes: [UInt8]) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: bytes.count >> $0) } + bytes
  }

  /// Puts the messages of a stream together again.
  struct FrameReader {
    private var bytes: [UInt8] = []
    private var taken = 0

    mutating func append(_ more: [UInt8]) {
      if taken > 0 {
        bytes.removeFirst(taken)
        taken = 0
      }
      bytes += more
    }

    /// The next whole message; nil when more bytes are needed.
    /// - Throws: `CodecError` for a message that is too long.
    mutating func next() throws(CodecError) -> [UInt8]? {
      guard bytes.count - taken >= 4 else { return nil }
      let length = bytes[taken..<taken + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= ServerRPC.maximumMessageBytes else {
        throw CodecError(offset: 0, problem: "a message of \(length) bytes, more than \(ServerRPC.maximumMessageBytes)")
      }
      guard bytes.count - taken - 4 >= length else { return nil }
      let start = taken + 4
      taken = start + length
      return Array(bytes[start..<taken])
    }
  }
}

/// A call that a server hands on to the leader.
struct ForwardedCall: Record {
  var method = ""
  var body = Blob([])

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Method", &method)
    v.field(2, "Body", &body)
  }
}

/// What a server says of its part in a cluster.
struct ProbeAnswer: Record {
  var id: Identifier = .none
  /// It has no part in any cluster yet.
  var isBlank = false
  /// The members of its cluster, as far as it knows.
  var members: [Identifier] = []

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "IsBlank", &isBlank)
    v.field(3, "Members", &members)
  }
}

/// A server asks another to become a member of the cluster that it is about to make, and of no other.
struct PromiseRequest: Record {
  var proposer: Identifier = .none

  mutating func visit<V: FieldVisitor>(_ v: inout V) { v.field(1, "Proposer", &proposer) }
}

/// The answer.
struct PromiseAnswer: Record {
  var isPromised = false
  var reason = ""

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "IsPromised", &isPromised)
    v.field(2, "Reason", &reason)
  }
}
