public import Codec

/// A name space for jobs and what belongs to them.
public struct Namespace: Record {
  /// Unique in the region; 128 characters of letters, digits and dashes at most.
  public var name = ""
  /// Free text.
  public var description = ""
  /// Name of an Enterprise quota; refused when set.
  public var quota = ""
  /// Which task drivers and network modes jobs here may use; all when absent.
  @Indirect public var capabilities: NamespaceCapabilities?
  /// Which node pools jobs here may use; an Enterprise feature, refused when set.
  @Indirect public var nodePoolConfiguration: NamespaceNodePoolConfiguration?
  /// Key and value pairs for people.
  public var meta: [String: String] = [:]
  /// Log index at which it was created.
  public var createIndex: UInt64 = 0
  /// Log index of its last change.
  public var modifyIndex: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// Only these drivers are allowed; empty for all.
  public var enabledTaskDrivers: [String] = []
  /// Drivers that are never allowed, even when listed as enabled.
  public var disabledTaskDrivers: [String] = []
  /// Only these network modes are allowed; empty for all.
  public var enabledNetworkModes: [String] = []
  /// Network modes that are never allowed.
  public var disabledNetworkModes: [String] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "EnabledTaskDrivers", &enabledTaskDrivers)
    v.field(2, "DisabledTaskDrivers", &disabledTaskDrivers)
    v.field(3, "EnabledNetworkModes", &enabledNetworkModes)
    v.field(4, "DisabledNetworkModes", &disabledNetworkModes)
  }
}

/// Which pools jobs of a namespace may use.
public struct NamespaceNodePoolConfiguration: Record {
  /// Pool of jobs that name none.
  public var `default` = ""
  /// Only these pools may be named; globs allowed.
  public var allowed: [String] = []
  /// Pools that may not be named; globs allowed; excludes `allowed`.
  public var denied: [String] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Default", &`default`)
    v.field(2, "Allowed", &allowed)
    v.field(3, "Denied", &denied)
  }
}
