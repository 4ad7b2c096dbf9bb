public import Codec
public import Model

/// A variable as the state keeps it: what is in it only encrypted.
public struct StoredVariable: Record {
  public internal(set) var namespace = ""
  public internal(set) var path = ""
  public internal(set) var sealed = Blob()
  public internal(set) var createTime: Int64 = 0
  public internal(set) var modifyTime: Int64 = 0
  public internal(set) var createIndex: UInt64 = 0
  public internal(set) var modifyIndex: UInt64 = 0
  /// The last lock, also one that was lost; nil after a release.
  @Indirect public internal(set) var lock: StoredLock?

  /// All fields zero.
  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "Path", &path)
    v.field(3, "Sealed", &sealed)
    v.field(4, "CreateTime", &createTime)
    v.field(5, "ModifyTime", &modifyTime)
    v.field(6, "CreateIndex", &createIndex)
    v.field(7, "ModifyIndex", &modifyIndex)
    v.field(8, "Lock", &_lock)
  }

  /// What lists show.
  public var metadata: VariableMetadata {
    var metadata = VariableMetadata()
    metadata.namespace = namespace
    metadata.path = path
    metadata.createTime = createTime
    metadata.modifyTime = modifyTime
    metadata.createIndex = createIndex
    metadata.modifyIndex = modifyIndex
    return metadata
  }
}

/// A lock on a variable. Whether it is held follows from the time: nobody has to end it.
public struct StoredLock: Record {
  /// Its holder's.
  public internal(set) var id: Identifier = .none
  public internal(set) var ttl: Nanoseconds = .zero
  public internal(set) var delay: Nanoseconds = .zero
  /// When it was acquired or last renewed.
  public internal(set) var renewed = Timestamp(nanoseconds: 0)

  /// All fields zero.
  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "TTL", &ttl)
    v.field(3, "Delay", &delay)
    v.field(4, "Renewed", &renewed)
  }

  /// Whether its holder still has it.
  public func isHeld(at time: Timestamp) -> Bool { time < renewed + ttl }
  /// Whether nobody else may have it: it is held, or was lost a moment ago.
  public func isClosed(at time: Timestamp) -> Bool { time < renewed + ttl + delay }
}

/// What identifies a variable: its namespace and its path. Ordered by namespace, then path.
public struct VariableKey: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The namespace's name.
  public let namespace: String
  /// Segments with slashes between them.
  public let path: String

  /// A key.
  public init(_ namespace: String, _ path: String) {
    self.namespace = namespace
    self.path = path
  }

  /// `path@namespace`.
  public var description: String { "\(path)@\(namespace)" }

  /// By UTF-8 bytes.
  public static func < (left: VariableKey, right: VariableKey) -> Bool {
    if precedes(left.namespace, right.namespace) { return true }
    return !precedes(right.namespace, left.namespace) && precedes(left.path, right.path)
  }
}
