public import Codec

/// A set of texts under a path, encrypted wherever it is kept: body and answer of `/v1/var/:path`.
public struct Variable: Record {
  /// Namespace that the variable lives in.
  public var namespace = ""
  /// Path, unique within the namespace; slashes have no meaning but to people and rules.
  public var path = ""
  /// The secret values by key; on disk and in the log only encrypted.
  public var items: [String: String] = [:]
  /// Nanoseconds since 1970.
  public var createTime: Int64 = 0
  /// Nanoseconds since 1970 of the last write.
  public var modifyTime: Int64 = 0
  /// Log index at which it was created.
  public var createIndex: UInt64 = 0
  /// Log index of its last change.
  public var modifyIndex: UInt64 = 0
  /// Held by somebody, or (in a request) asked for or spoken for.
  @Indirect public var lock: VariableLock?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "Path", &path)
    v.field(3, "Items", &items, .emptyCollection)
    v.field(4, "CreateTime", &createTime)
    v.field(5, "ModifyTime", &modifyTime)
    v.field(6, "CreateIndex", &createIndex)
    v.field(7, "ModifyIndex", &modifyIndex)
    v.field(8, "Lock", &_lock, .omitEmpty)
  }
}

/// The right to change a variable, for as long as its holder renews it in time.
public struct VariableLock: Record {
  /// Known to the holder alone; "" where it is not told.
  public var id = ""
  /// A duration such as `15s`: the lock is lost when it is not renewed for so long.
  public var ttl = ""
  /// A duration: nobody gets the lock so soon after it was lost.
  public var lockDelay = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "TTL", &ttl)
    v.field(3, "LockDelay", &lockDelay)
  }
}

/// A variable without what is in it, as lists show it.
public struct VariableMetadata: Record {
  /// Namespace that the variable lives in.
  public var namespace = ""
  /// Path, unique within the namespace.
  public var path = ""
  /// Nanoseconds since 1970 of the first write.
  public var createTime: Int64 = 0
  /// Nanoseconds since 1970 of the last write.
  public var modifyTime: Int64 = 0
  /// Log index at which it was created.
  public var createIndex: UInt64 = 0
  /// Log index of its last change.
  public var modifyIndex: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "Path", &path)
    v.field(3, "CreateTime", &createTime)
    v.field(4, "ModifyTime", &modifyTime)
    v.field(5, "CreateIndex", &createIndex)
    v.field(6, "ModifyIndex", &modifyIndex)
  }
}
