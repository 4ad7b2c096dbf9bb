// What gives a task an identity and secrets.

public import Codec

/// The task's Vault token (`vault` block).
public struct Vault: Record {
  /// Policies of the token that the task gets.
  public var policies: [String] = []
  /// Role that the token is made with.
  public var role = ""
  /// Namespace in Vault.
  public var namespace: String?
  /// Name of the Vault cluster, `default` by default.
  public var cluster = ""
  /// Set `VAULT_TOKEN` in the task's environment; true by default.
  public var env: Bool?
  /// Do not write the token to the task's secrets directory.
  public var disableFile: Bool?
  /// What follows a new token: `noop`, `signal` or `restart` (the default).
  public var changeMode: String?
  /// The signal of `signal`.
  public var changeSignal: String?
  /// Let the token expire instead of renewing it.
  public var allowTokenExpiration: Bool?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// Namespace in Consul.
  public var namespace = ""
  /// Name of the Consul cluster, `default` by default.
  public var cluster = ""
  /// Consul Enterprise's admin partition.
  public var partition = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Namespace", &namespace)
    v.field(2, "Cluster", &cluster)
    v.field(3, "Partition", &partition)
  }
}

/// A signed token that says which task its bearer is (`identity` block).
public struct WorkloadIdentity: Record {
  /// Name within the task; `default` for the one that every task has.
  public var name = ""
  /// Audience of the token (`aud`).
  public var audience: [String] = []
  /// What follows a new token: `noop` (the default), `signal` or `restart`.
  public var changeMode = ""
  /// The signal of `signal`.
  public var changeSignal = ""
  /// Give the token to the task in its environment.
  public var env = false
  /// Write the token to a file of the task.
  public var file = false
  /// Path of that file; in the secrets directory by default.
  public var filepath = ""
  /// The service that the identity is for.
  public var serviceName = ""
  /// How long a token is valid, in nanoseconds; zero for as long as the allocation.
  public var ttl: Nanoseconds = .zero
  /// Claims added to the token.
  public var extraClaims: [String: String] = [:]

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// Name by which the job refers to it.
  public var name = ""
  /// Where it comes from: `nomad`, `vault` or a plugin.
  public var provider = ""
  /// Path of the secret at the provider.
  public var path = ""
  /// Settings of the provider.
  public var config = JSONObject()
  /// Environment of a plugin.
  public var env: [String: String] = [:]

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name, .diffKey)
    v.field(2, "Provider", &provider)
    v.field(3, "Path", &path)
    v.field(4, "Config", &config, .diffObject)
    v.field(5, "Env", &env)
  }
}
