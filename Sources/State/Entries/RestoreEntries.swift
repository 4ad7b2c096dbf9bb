// Entries that put the state of a snapshot in the place of the present one.

public import Codec

/// A piece of a snapshot, kept until all are there.
public struct RestorePiece: Record {
  /// Of which restoration; a piece of another one begins anew.
  public var id: Identifier = .none
  /// Counts from 0.
  public var number = 0
  /// As `StateEncoder` made it.
  public var bytes = Blob()

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Number", &number)
    v.field(3, "Bytes", &bytes)
  }
}

/// All pieces are there: what they hold is the state from now on.
public struct RestoreEnd: Record {
  public var id: Identifier = .none
  /// How many pieces there must be.
  public var pieces = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Pieces", &pieces)
  }
}
