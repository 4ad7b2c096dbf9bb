public import Codec

/// A service that a group or task offers, registered while it runs.
public struct Service: Record {
  /// Name under which it is found; the default is `<job>-<group>-<task>`, and `${…}` is interpolated.
  public var name = ""
  /// Labels that consumers select by; interpolated per allocation.
  public var tags: [String] = []
  /// Labels used in place of `tags` while the allocation is an unpromoted canary.
  public var canaryTags: [String] = []
  /// Consul only: tags changed there by others are kept.
  public var enableTagOverride = false
  /// A port label of the group's network, or a number where the address mode allows one.
  public var portLabel = ""
  /// Which address is registered: `auto` (the default), `alloc`, `host` or `driver`.
  public var addressMode = ""
  /// A fixed address that is registered instead of one found by `addressMode`.
  public var address = ""
  /// Health checks, in order.
  public var checks: [ServiceCheck] = []
  /// Restart of the task after failed checks; the default for checks without their own.
  @Indirect public var checkRestart: CheckRestart?
  /// Consul service mesh; refused by this version.
  @Indirect public var connect: ConsulConnect?
  /// Key and value pairs registered with the service.
  public var meta: [String: String] = [:]
  /// Used in place of `meta` while the allocation is an unpromoted canary.
  public var canaryMeta: [String: String] = [:]
  /// Further addresses by name, such as `lan` and `wan`.
  public var taggedAddresses: [String: String] = [:]
  /// The task that serves it; empty for the whole group.
  public var taskName = ""
  /// Whether failing checks matter to deployments: `require_healthy` (default), `ignore_warnings` or `ignore`.
  public var onUpdate = ""
  /// Workload identity shown to Consul; refused by this version.
  @Indirect public var identity: WorkloadIdentity?
  /// Consul's DNS weights by health.
  @Indirect public var weights: ServiceWeights?
  /// `consul` or `nomad`.
  public var provider = ""
  /// Name of the Consul cluster that it is registered in, `default` by default.
  public var cluster = ""
  /// Consul's kind of service; empty for a plain one.
  public var kind = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name, .diffKey)
    v.field(2, "Tags", &tags)
    v.field(3, "CanaryTags", &canaryTags)
    v.field(4, "EnableTagOverride", &enableTagOverride)
    v.field(5, "PortLabel", &portLabel)
    v.field(6, "AddressMode", &addressMode)
    v.field(7, "Address", &address)
    v.field(8, "Checks", &checks)
    v.field(9, "CheckRestart", &_checkRestart)
    v.field(10, "Connect", &_connect)
    v.field(11, "Meta", &meta)
    v.field(12, "CanaryMeta", &canaryMeta)
    v.field(13, "TaggedAddresses", &taggedAddresses)
    v.field(14, "TaskName", &taskName)
    v.field(15, "OnUpdate", &onUpdate)
    v.field(16, "Identity", &_identity)
    v.field(17, "Weights", &_weights)
    v.field(18, "Provider", &provider)
    v.field(19, "Cluster", &cluster)
    v.field(20, "Kind", &kind)
  }
}

/// How much of the load a service takes, by health.
public struct ServiceWeights: Record {
  /// Weight while all checks pass; 1 by default.
  public var passing = 0
  /// Weight while a check warns; 1 by default.
  public var warning = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Passing", &passing)
    v.field(2, "Warning", &warning)
  }
}

/// How the health of a service is found out.
public struct ServiceCheck: Record {
  /// For people; the default names the service and the kind of check.
  public var name = ""
  /// `http`, `tcp`, `script` or `grpc`.
  public var type = ""
  /// The program that a `script` check runs inside the task.
  public var command = ""
  /// Its arguments.
  public var args: [String] = []
  /// Path that an `http` check requests.
  public var path = ""
  /// `http` (the default) or `https`.
  public var `protocol` = ""
  /// Port that is checked; the default is the service's.
  public var portLabel = ""
  /// Consul mesh: a path of the proxy is opened for the check.
  public var expose = false
  /// Which address is checked, as the service's `addressMode`.
  public var addressMode = ""
  /// Address that is told to Consul for the check.
  public var advertise = ""
  /// Nanoseconds between two checks; at least 1 s.
  public var interval: Nanoseconds = .zero
  /// Nanoseconds after which an unanswered check has failed; at least 1 s.
  public var timeout: Nanoseconds = .zero
  /// Status before the first check: `passing`, `warning` or `critical` (the default).
  public var initialStatus = ""
  /// Free text shown with the check.
  public var notes = ""
  /// Name expected in the server's certificate, where it is not the address.
  public var tlsServerName = ""
  /// Accept any certificate.
  public var tlsSkipVerify = false
  /// Headers of the request, several values each.
  public var header: [String: [String]] = [:]
  /// HTTP method, `GET` by default.
  public var method = ""
  /// Restart of the task after failed checks; the default is the service's.
  @Indirect public var checkRestart: CheckRestart?
  /// Service name asked for in a `grpc` check.
  public var grpcService = ""
  /// Whether a `grpc` check uses TLS.
  public var grpcUseTLS = false
  /// The task that a `script` check runs in; the default is the service's.
  public var taskName = ""
  /// How many checks in a row must pass before it counts as passing; 0 for one.
  public var successBeforePassing = 0
  /// How many checks in a row must fail before it counts as critical; 0 for one.
  public var failuresBeforeCritical = 0
  /// How many checks in a row must fail before it counts as warning; 0 for `failuresBeforeCritical`.
  public var failuresBeforeWarning = 0
  /// Body of the request.
  public var body = ""
  /// As the service's `onUpdate`, for this check alone.
  public var onUpdate = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name, .diffKey)
    v.field(2, "Type", &type)
    v.field(3, "Command", &command)
    v.field(4, "Args", &args)
    v.field(5, "Path", &path)
    v.field(6, "Protocol", &`protocol`)
    v.field(7, "PortLabel", &portLabel)
    v.field(8, "Expose", &expose)
    v.field(9, "AddressMode", &addressMode)
    v.field(10, "Advertise", &advertise)
    v.field(11, "Interval", &interval)
    v.field(12, "Timeout", &timeout)
    v.field(13, "InitialStatus", &initialStatus)
    v.field(14, "Notes", &notes)
    v.field(15, "TLSServerName", &tlsServerName)
    v.field(16, "TLSSkipVerify", &tlsSkipVerify)
    v.field(17, "Header", &header)
    v.field(18, "Method", &method)
    v.field(19, "CheckRestart", &_checkRestart)
    v.field(20, "GRPCService", &grpcService)
    v.field(21, "GRPCUseTLS", &grpcUseTLS)
    v.field(22, "TaskName", &taskName)
    v.field(23, "SuccessBeforePassing", &successBeforePassing)
    v.field(24, "FailuresBeforeCritical", &failuresBeforeCritical)
    v.field(25, "FailuresBeforeWarning", &failuresBeforeWarning)
    v.field(26, "Body", &body)
    v.field(27, "OnUpdate", &onUpdate)
  }
}

/// When a failing check restarts the task.
public struct CheckRestart: Record {
  /// Failures in a row; 0 for never.
  public var limit = 0
  /// Nanoseconds after the task's start (or restart) in which failures do not count; 1 s by default.
  public var grace: Nanoseconds?
  /// Whether warnings count as passing rather than as failures.
  public var ignoreWarnings = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Limit", &limit)
    v.field(2, "Grace", &grace)
    v.field(3, "IgnoreWarnings", &ignoreWarnings)
  }
}
