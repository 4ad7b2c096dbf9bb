public import Codec

/// A set of texts under a path, encrypted wherever it is kept: body and answer of `/v1/var/:path`.
public struct Variable: Record {
  public var namespace = ""
  public var path = ""
  public var items: [String: String] = [:]
  /// Nanoseconds since 1970.
  public var createTime: Int64 = 0
  public var modifyTime: Int64 = 0
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0
  /// Held by somebody, or (in a request) asked for or spoken for.
  @Indirect public var lock: VariableLock?

  public init() {}

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

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "TTL", &ttl)
    v.field(3, "LockDelay", &lockDelay)
  }
}

/// A variable without what is in it, as lists show it.
public struct VariableMetadata: Record {
  public var namespace = ""
  public var path = ""
  public var createTime: Int64 = 0
  public var modifyTime: Int64 = 0
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "Path", &path)
    v.field(3, "CreateTime", &createTime)
    v.field(4, "ModifyTime", &modifyTime)
    v.field(5, "CreateIndex", &createIndex)
    v.field(6, "ModifyIndex", &modifyIndex)
  }
}
