public import Codec

/// A service of a running allocation.
public struct ServiceRegistration: Record {
  /// Unique in the region, made from allocation, task and service.
  public var id = ""
  /// Name under which it is found.
  public var serviceName = ""
  /// The job's namespace.
  public var namespace = ""
  /// The node that it runs on.
  public var nodeID: Identifier = .none
  /// That node's datacenter.
  public var datacenter = ""
  /// The job that provides it.
  public var jobID = ""
  /// The allocation that provides it.
  public var allocID: Identifier = .none
  /// Labels that consumers select by.
  public var tags: [String] = []
  /// Address to connect to.
  public var address = ""
  /// Port to connect to.
  public var port = 0
  /// Log index at which it was created.
  public var createIndex: UInt64 = 0
  /// Log index of its last change.
  public var modifyIndex: UInt64 = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// The namespace that the services are in.
  public var namespace = ""
  /// One entry per name.
  public var services: [ServiceRegistrationStub] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "Services", &services)
  }
}

/// A service by name.
public struct ServiceRegistrationStub: Record {
  /// Name of the service.
  public var serviceName = ""
  /// All tags that any of its instances has.
  public var tags: [String] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ServiceName", &serviceName)
    v.field(2, "Tags", &tags)
  }
}

/// The last answer of a health check that the client itself runs.
public struct CheckResult: Record {
  /// Hash that names the check within the allocation.
  public var id = ""
  /// `healthiness` or `readiness`.
  public var mode = ""
  /// `success`, `failure` or `pending`.
  public var status = ""
  /// HTTP status of the answer; 0 for checks that are not HTTP.
  public var statusCode = 0
  /// What the check saw: the answer's begin, or the error.
  public var output = ""
  /// Seconds since 1970.
  public var timestamp: Int64 = 0
  /// The group.
  public var group = ""
  /// The task; empty for a service of the group.
  public var task = ""
  /// The service.
  public var service = ""
  /// Name of the check.
  public var check = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
