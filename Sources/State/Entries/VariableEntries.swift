// Entries about variables. What is in a variable is encrypted before it gets here: neither log nor state hold it in clear.

public import Codec
import Model

/// Sets a variable, or removes it.
public struct VariableChange: Record {
  public var namespace: String = ""
  public var path: String = ""
  /// The items, encrypted; nil removes the variable.
  public var sealed: Blob?
  /// Check-and-set: the modify index that the variable must have, 0 for one that must not exist.
  public var expectedIndex: UInt64?
  /// What becomes of the variable's lock.
  public var operation: LockOperation = .none
  /// The lock that is held by who proposes the change, or that is to be acquired; none of those who hold none.
  public var lockID: Identifier = .none
  /// Of a lock that is to be acquired.
  public var lockTTL: Nanoseconds = .zero
  public var lockDelay: Nanoseconds = .zero

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "Path", &path)
    v.field(3, "Sealed", &sealed)
    v.field(4, "ExpectedIndex", &expectedIndex)
    v.field(5, "Operation", &operation)
    v.field(6, "LockID", &lockID)
    v.field(7, "LockTTL", &lockTTL)
    v.field(8, "LockDelay", &lockDelay)
  }
}

/// What a change does to a variable's lock.
public enum LockOperation: String, ClosedText, Sendable {
  case none = ""
  case acquire
  case renew
  case release
}
