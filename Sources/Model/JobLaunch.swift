// How jobs that are not simply run once are launched: periodic, parameterized, in several regions.

public import Codec

/// When a batch job is launched again and again (`periodic` block).
public struct PeriodicConfig: Record {
  /// False holds the launches; true by default.
  public var enabled: Bool?
  /// One cron expression; `specs` holds several.
  public var spec: String?
  /// Several cron expressions, each with launches of its own.
  public var specs: [String]?
  /// Always `cron`.
  public var specType: String?
  /// No launch while an earlier one still runs.
  public var prohibitOverlap: Bool?
  /// Time zone of the expressions, a name of the tz database; UTC by default.
  public var timeZone: String?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// Keys that a dispatch has to give.
  public var metaRequired: [String] = []
  /// Further keys that a dispatch may give.
  public var metaOptional: [String] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "File", &file)
  }
}

/// A job that is deployed to several regions.
public struct Multiregion: Record {
  /// How many regions at a time and what follows a failure.
  @Indirect public var strategy: MultiregionStrategy?
  /// The regions, in the order of the rollout.
  public var regions: [MultiregionRegion] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Strategy", &_strategy)
    v.field(2, "Regions", &regions)
  }
}

/// The order in which regions are deployed.
public struct MultiregionStrategy: Record {
  /// Regions deployed to at the same time; 0 for all.
  public var maxParallel: Int?
  /// `fail_all`, `fail_local` or empty, which fails the remaining regions.
  public var onFailure: String?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "MaxParallel", &maxParallel)
    v.field(2, "OnFailure", &onFailure)
  }
}

/// What is different for one region of a multiregion job.
public struct MultiregionRegion: Record {
  /// Name of the region.
  public var name = ""
  /// Count for groups that name none.
  public var count: Int?
  /// Datacenters in that region; the job's by default.
  public var datacenters: [String]?
  /// Node pool in that region; the job's by default.
  public var nodePool = ""
  /// Over the job's `meta` in that region.
  public var meta: [String: String]?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name, .diffKey)
    v.field(2, "Count", &count)
    v.field(3, "Datacenters", &datacenters)
    v.field(4, "NodePool", &nodePool)
    v.field(5, "Meta", &meta)
  }
}
