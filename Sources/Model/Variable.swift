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

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "Path", &path)
    v.field(3, "Items", &items, .emptyCollection)
    v.field(4, "CreateTime", &createTime)
    v.field(5, "ModifyTime", &modifyTime)
    v.field(6, "CreateIndex", &createIndex)
    v.field(7, "ModifyIndex", &modifyIndex)
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
