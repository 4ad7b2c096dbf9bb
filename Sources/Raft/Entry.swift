/// Who a server is for good: drawn at its first start and kept with its data, so that a changed address or name does not
/// make it another server.
public struct ServerID: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The number; 0 stands for nobody and is never drawn.
  public let rawValue: UInt64

  /// The server of this number.
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }

  /// By number.
  public static func < (left: ServerID, right: ServerID) -> Bool { left.rawValue < right.rawValue }

  /// The number in hexadecimal digits.
  public var description: String { String(rawValue, radix: 16) }
}

/// A place in the log: an index and the term of the entry there.
public struct Position: Hashable, Sendable {
  /// Index of the entry; 0 is before the first.
  public var index: UInt64
  /// Term of that entry; 0 at index 0.
  public var term: UInt64

  /// The place of the entry `index` made in `term`.
  public init(index: UInt64, term: UInt64) {
    self.index = index
    self.term = term
  }

  /// Before the first entry.
  public static let zero = Position(index: 0, term: 0)

  /// Whether a log that ends here holds at least what one does that ends at `other` (dissertation §3.6.1: by the term of
  /// the last entry, then by length).
  @inlinable
  public func isAtLeastAsUpToDate(as other: Position) -> Bool {
    term != other.term ? term > other.term : index >= other.index
  }
}

/// One entry of the replicated log.
public struct Entry: Hashable, Sendable {
  /// Position in the log; the first is 1.
  public let index: UInt64
  /// The term of the leader that made it.
  public let term: UInt64
  /// What the bytes are. The layer above chooses freely below `firstReservedKind`.
  public let kind: UInt8
  /// The content, which the core only looks into when the kind is its own.
  public let bytes: [UInt8]

  /// Kinds from here on are the core's own.
  public static let firstReservedKind: UInt8 = 0xF0
  /// The empty entry with which a leader begins its term (dissertation §6.4: only once an entry of its own term is
  /// committed does a leader know what is).
  public static let leaderKind: UInt8 = 0xF0
  /// An encoded `Membership`.
  public static let membershipKind: UInt8 = 0xF1

  /// An entry at its place.
  public init(index: UInt64, term: UInt64, kind: UInt8, bytes: [UInt8]) {
    self.index = index
    self.term = term
    self.kind = kind
    self.bytes = bytes
  }

  /// Its place.
  public var position: Position { Position(index: index, term: term) }

  /// What it counts against byte budgets: its content and what index, term and framing take.
  @inlinable
  public var cost: Int { bytes.count + 32 }
}

/// What a server must remember beside its log (dissertation §3.1, figure 3.1: `currentTerm` and `votedFor`).
public struct HardState: Hashable, Sendable {
  /// The latest term this server has seen.
  public var term: UInt64
  /// The server that got this one's vote in `term`.
  public var vote: ServerID?

  /// Term and vote; a new server has neither.
  public init(term: UInt64 = 0, vote: ServerID? = nil) {
    self.term = term
    self.vote = vote
  }
}

/// Content that is to become an entry.
public struct Proposal: Sendable {
  /// See `Entry.kind`; below `Entry.firstReservedKind`.
  public var kind: UInt8
  /// See `Entry.bytes`.
  public var bytes: [UInt8]

  /// An entry without its place.
  public init(kind: UInt8, bytes: [UInt8]) {
    self.kind = kind
    self.bytes = bytes
  }
}
