// How jobs that are not simply run once are launched: periodic, parameterized, in several regions.

public import Codec

/// When a batch job is launched again and again (`periodic` block).
public struct PeriodicConfig: Record {
  public var enabled: Bool?
  /// One cron expression; `specs` holds several.
  public var spec: String?
  public var specs: [String]?
  /// Always `cron`.
  public var specType: String?
  /// No launch while an earlier one still runs.
  public var prohibitOverlap: Bool?
  public var timeZone: String?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Enabled", &enabled)
    v.field(2, "Spec", &spec)
    v.field(3, "Specs", &specs)
    v.field(4, "SpecType", &specType)
    v.field(5, "ProhibitOverlap", &prohibitOverlap)
    v.field(6, "TimeZone", &timeZone)
  }
}

/// What a dispatch of a parameterized job may or must carry.
public struct ParameterizedJobConfig: Record {
  /// `optional`, `required` or `forbidden`.
  public var payload = ""
  public var metaRequired: [String] = []
  public var metaOptional: [String] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Payload", &payload)
    v.field(2, "MetaRequired", &metaRequired)
    v.field(3, "MetaOptional", &metaOptional)
  }
}

/// Where a task finds the payload of a dispatch (`dispatch_payload` block).
public struct DispatchPayloadConfig: Record {
  /// Relative to the task's `local` directory.
  public var file = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "File", &file)
  }
}

/// A job that is deployed to several regions.
public struct Multiregion: Record {
  @Indirect public var strategy: MultiregionStrategy?
  public var regions: [MultiregionRegion] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Strategy", &_strategy)
    v.field(2, "Regions", &regions)
  }
}

/// The order in which regions are deployed.
public struct MultiregionStrategy: Record {
  public var maxParallel: Int?
  public var onFailure: String?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "MaxParallel", &maxParallel)
    v.field(2, "OnFailure", &onFailure)
  }
}

/// What is different for one region of a multiregion job.
public struct MultiregionRegion: Record {
  public var name = ""
  public var count: Int?
  public var datacenters: [String]?
  public var nodePool = ""
  public var meta: [String: String]?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name, .diffKey)
    v.field(2, "Count", &count)
    v.field(3, "Datacenters", &datacenters)
    v.field(4, "NodePool", &nodePool)
    v.field(5, "Meta", &meta)
  }
}
