// Entries about namespaces, node pools and the scheduler's configuration.

public import Codec
public import Model

/// Adds or replaces namespaces.
public struct NamespaceUpsert: Record {
  public var namespaces: [Namespace] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespaces", &namespaces)
  }
}

/// Removes namespaces; refused for one with a job that is not dead, and for `default`.
public struct NamespaceDeletion: Record {
  public var names: [String] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Names", &names)
  }
}

/// Adds or replaces node pools.
public struct NodePoolUpsert: Record {
  public var pools: [NodePool] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Pools", &pools)
  }
}

/// Removes node pools; refused for one that nodes or jobs use, and for `all` and `default`.
public struct NodePoolDeletion: Record {
  public var names: [String] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Names", &names)
  }
}

/// Replaces the scheduler's configuration.
public struct SchedulerConfigurationUpdate: Record {
  public var configuration: SchedulerConfiguration = SchedulerConfiguration()
  /// Check-and-set: the modify index that the configuration must have.
  public var expectedIndex: UInt64?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Configuration", &configuration)
    v.field(2, "ExpectedIndex", &expectedIndex)
  }
}

/// Replaces the configuration of the leader's care for the members.
public struct AutopilotConfigurationUpdate: Record {
  public var configuration = AutopilotConfiguration()
  /// Check-and-set: the modify index that the configuration must have.
  public var expectedIndex: UInt64?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Configuration", &configuration)
    v.field(2, "ExpectedIndex", &expectedIndex)
  }
}
