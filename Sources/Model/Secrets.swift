// What gives a task an identity and secrets.

public import Codec

/// The task's Vault token (`vault` block).
public struct Vault: Record {
  public var policies: [String] = []
  public var role = ""
  public var namespace: String?
  public var cluster = ""
  public var env: Bool?
  public var disableFile: Bool?
  public var changeMode: String?
  public var changeSignal: String?
  public var allowTokenExpiration: Bool?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Policies", &policies)
    v.field(2, "Role", &role)
    v.field(3, "Namespace", &namespace)
    v.field(4, "Cluster", &cluster)
    v.field(5, "Env", &env)
    v.field(6, "DisableFile", &disableFile)
    v.field(7, "ChangeMode", &changeMode)
    v.field(8, "ChangeSignal", &changeSignal)
    v.field(9, "AllowTokenExpiration", &allowTokenExpiration)
  }
}

/// Which Consul a group or task talks to (`consul` block).
public struct Consul: Record {
  public var namespace = ""
  public var cluster = ""
  public var partition = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "Cluster", &cluster)
    v.field(3, "Partition", &partition)
  }
}

/// A signed token that says which task its bearer is (`identity` block).
public struct WorkloadIdentity: Record {
  public var name = ""
  public var audience: [String] = []
  public var changeMode = ""
  public var changeSignal = ""
  public var env = false
  public var file = false
  public var filepath = ""
  public var serviceName = ""
  public var ttl: Nanoseconds = .zero
  public var extraClaims: [String: String] = [:]

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name, .diffKey)
    v.field(2, "Audience", &audience)
    v.field(3, "ChangeMode", &changeMode)
    v.field(4, "ChangeSignal", &changeSignal)
    v.field(5, "Env", &env)
    v.field(6, "File", &file)
    v.field(7, "Filepath", &filepath)
    v.field(8, "ServiceName", &serviceName)
    v.field(9, "TTL", &ttl)
    v.field(10, "ExtraClaims", &extraClaims)
  }
}

/// Values that are fetched before the task starts and can be interpolated (`secret` block).
public struct TaskSecret: Record {
  public var name = ""
  public var provider = ""
  public var path = ""
  public var config = JSONObject()
  public var env: [String: String] = [:]

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name, .diffKey)
    v.field(2, "Provider", &provider)
    v.field(3, "Path", &path)
    v.field(4, "Config", &config, .diffObject)
    v.field(5, "Env", &env)
  }
}
