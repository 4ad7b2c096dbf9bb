import Codec

/// One entry of the Raft log.
public struct LogRecord: Hashable, Sendable {
  /// Position in the log; the first is 1.
  public var index: UInt64
  /// The term in which a leader made it.
  public var term: UInt64
  /// What the bytes are, for the layer above; storage does not look at it.
  public var kind: UInt8
  /// The encoded entry.
  public var bytes: [UInt8]

  /// An entry as it is to be stored.
  public init(index: UInt64, term: UInt64, kind: UInt8, bytes: [UInt8]) {
    self.index = index
    self.term = term
    self.kind = kind
    self.bytes = bytes
  }

  /// Covers everything, so that a record read under another index or term than it was written is found out too.
  var checksum: UInt64 {
    // Odd factors keep the three apart; the position is the seed, so that the bytes are gone over only once.
    let place = index &* 0x9E37_79B9_7F4A_7C15 ^ term &* 0xC2B2_AE3D_27D4_EB4F ^ UInt64(kind) &* 0x1656_67B1_9E37_79F9
    return XXHash64.hash(bytes, seed: place)
  }
}

/// A place in the log: an index and the term of the entry there.
public struct LogPosition: Hashable, Sendable, Comparable {
  /// Index of the entry; 0 is before the first.
  public var index: UInt64
  /// Term of that entry; 0 for index 0.
  public var term: UInt64

  /// The place of the entry with this index and term.
  public init(index: UInt64, term: UInt64) {
    self.index = index
    self.term = term
  }

  /// Before the first entry.
  public static let zero = LogPosition(index: 0, term: 0)

  /// By index.
  public static func < (left: LogPosition, right: LogPosition) -> Bool { left.index < right.index }
}

/// What a Raft server must remember beside its log (Ongaro and Ousterhout, "In Search of an Understandable Consensus
/// Algorithm", figure 2: `currentTerm` and `votedFor`).
public struct HardState: Hashable, Sendable {
  /// The latest term this server has seen.
  public var term: UInt64
  /// The server that got this one's vote in `term`; nil if none.
  public var votedFor: String?

  /// The state of a server that has seen `term`; by default that of a new one.
  public init(term: UInt64 = 0, votedFor: String? = nil) {
    self.term = term
    self.votedFor = votedFor
  }

  var encoded: [UInt8] {
    littleEndian(term) + [votedFor == nil ? 0 : 1] + Array((votedFor ?? "").utf8)
  }

  init?(decoding bytes: [UInt8]) {
    guard bytes.count >= 9, bytes[8] <= 1 else { return nil }
    term = unsigned(bytes, at: 0)
    votedFor = bytes[8] == 1 ? String(decoding: bytes[9...], as: UTF8.self) : nil
  }
}

func littleEndian(_ value: UInt64) -> [UInt8] {
  (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
}

/// The eight little-endian bytes at `offset`, which the caller has checked to be there.
func unsigned(_ bytes: [UInt8], at offset: Int) -> UInt64 {
  (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << ($1 * 8) }
}
