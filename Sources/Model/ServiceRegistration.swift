public import Codec

/// A service of a running allocation.
public struct ServiceRegistration: Record {
  public var id = ""
  public var serviceName = ""
  public var namespace = ""
  public var nodeID: Identifier = .none
  public var datacenter = ""
  public var jobID = ""
  public var allocID: Identifier = .none
  public var tags: [String] = []
  public var address = ""
  public var port = 0
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "ServiceName", &serviceName)
    v.field(3, "Namespace", &namespace)
    v.field(4, "NodeID", &nodeID)
    v.field(5, "Datacenter", &datacenter)
    v.field(6, "JobID", &jobID)
    v.field(7, "AllocID", &allocID)
    v.field(8, "Tags", &tags)
    v.field(9, "Address", &address)
    v.field(10, "Port", &port)
    v.field(11, "CreateIndex", &createIndex)
    v.field(12, "ModifyIndex", &modifyIndex)
  }
}

/// The services of a namespace.
public struct ServiceRegistrationListStub: Record {
  public var namespace = ""
  public var services: [ServiceRegistrationStub] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "Services", &services)
  }
}

/// A service by name.
public struct ServiceRegistrationStub: Record {
  public var serviceName = ""
  public var tags: [String] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ServiceName", &serviceName)
    v.field(2, "Tags", &tags)
  }
}

/// The last answer of a health check that the client itself runs.
public struct CheckResult: Record {
  public var id = ""
  /// `healthiness` or `readiness`.
  public var mode = ""
  /// `success`, `failure` or `pending`.
  public var status = ""
  public var statusCode = 0
  public var output = ""
  /// Seconds since 1970.
  public var timestamp: Int64 = 0
  public var group = ""
  public var task = ""
  public var service = ""
  public var check = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Mode", &mode)
    v.field(3, "Status", &status)
    v.field(4, "StatusCode", &statusCode, .omitEmpty)
    v.field(5, "Output", &output)
    v.field(6, "Timestamp", &timestamp)
    v.field(7, "Group", &group)
    v.field(8, "Task", &task, .omitEmpty)
    v.field(9, "Service", &service)
    v.field(10, "Check", &check)
  }
}
