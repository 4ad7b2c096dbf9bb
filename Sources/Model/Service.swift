public import Codec

/// A service that a group or task offers, registered while it runs.
public struct Service: Record {
  public var name = ""
  public var tags: [String] = []
  public var canaryTags: [String] = []
  public var enableTagOverride = false
  public var portLabel = ""
  public var addressMode = ""
  public var address = ""
  public var checks: [ServiceCheck] = []
  @Indirect public var checkRestart: CheckRestart?
  @Indirect public var connect: ConsulConnect?
  public var meta: [String: String] = [:]
  public var canaryMeta: [String: String] = [:]
  public var taggedAddresses: [String: String] = [:]
  public var taskName = ""
  public var onUpdate = ""
  @Indirect public var identity: WorkloadIdentity?
  @Indirect public var weights: ServiceWeights?
  /// `consul` or `nomad`.
  public var provider = ""
  public var cluster = ""
  public var kind = ""

  public init() {}

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
  public var passing = 0
  public var warning = 0

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Passing", &passing)
    v.field(2, "Warning", &warning)
  }
}

/// How the health of a service is found out.
public struct ServiceCheck: Record {
  public var name = ""
  /// `http`, `tcp`, `script` or `grpc`.
  public var type = ""
  public var command = ""
  public var args: [String] = []
  public var path = ""
  public var `protocol` = ""
  public var portLabel = ""
  public var expose = false
  public var addressMode = ""
  public var advertise = ""
  public var interval: Nanoseconds = .zero
  public var timeout: Nanoseconds = .zero
  public var initialStatus = ""
  public var notes = ""
  public var tlsServerName = ""
  public var tlsSkipVerify = false
  public var header: [String: [String]] = [:]
  public var method = ""
  @Indirect public var checkRestart: CheckRestart?
  public var grpcService = ""
  public var grpcUseTLS = false
  public var taskName = ""
  public var successBeforePassing = 0
  public var failuresBeforeCritical = 0
  public var failuresBeforeWarning = 0
  public var body = ""
  public var onUpdate = ""

  public init() {}

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
  public var grace: Nanoseconds?
  public var ignoreWarnings = false

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Limit", &limit)
    v.field(2, "Grace", &grace)
    v.field(3, "IgnoreWarnings", &ignoreWarnings)
  }
}
