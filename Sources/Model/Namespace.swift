public import Codec

/// A name space for jobs and what belongs to them.
public struct Namespace: Record {
  public var name = ""
  public var description = ""
  public var quota = ""
  @Indirect public var capabilities: NamespaceCapabilities?
  @Indirect public var nodePoolConfiguration: NamespaceNodePoolConfiguration?
  public var meta: [String: String] = [:]
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Description", &description)
    v.field(3, "Quota", &quota)
    v.field(4, "Capabilities", &_capabilities)
    v.field(5, "NodePoolConfiguration", &_nodePoolConfiguration)
    v.field(6, "Meta", &meta)
    v.field(7, "CreateIndex", &createIndex)
    v.field(8, "ModifyIndex", &modifyIndex)
  }
}

/// What jobs of a namespace may use.
public struct NamespaceCapabilities: Record {
  public var enabledTaskDrivers: [String] = []
  public var disabledTaskDrivers: [String] = []
  public var enabledNetworkModes: [String] = []
  public var disabledNetworkModes: [String] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "EnabledTaskDrivers", &enabledTaskDrivers)
    v.field(2, "DisabledTaskDrivers", &disabledTaskDrivers)
    v.field(3, "EnabledNetworkModes", &enabledNetworkModes)
    v.field(4, "DisabledNetworkModes", &disabledNetworkModes)
  }
}

/// Which pools jobs of a namespace may use.
public struct NamespaceNodePoolConfiguration: Record {
  public var `default` = ""
  public var allowed: [String] = []
  public var denied: [String] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Default", &`default`)
    v.field(2, "Allowed", &allowed)
    v.field(3, "Denied", &denied)
  }
}
