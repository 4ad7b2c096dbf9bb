public import Codec
public import Cron

/// What a leader is told about its duties.
public struct DutyConfiguration: Sendable {
  /// A client is asked to be heard of at least this often…
  public var minHeartbeatTTL = Nanoseconds.seconds(10)
  /// …or, with many nodes, so rarely that heartbeats stay below this rate.
  public var maxHeartbeatsPerSecond = 50.0
  /// Added to the time to live before a silent node counts as down.
  public var heartbeatGrace = Nanoseconds.seconds(10)

  /// Ended evaluations of service jobs, and their allocations, are kept for so long.
  public var evalGCThreshold = Nanoseconds.hours(1)
  /// The same of batch jobs.
  public var batchEvalGCThreshold = Nanoseconds.hours(24)
  /// How long dead jobs are kept.
  public var jobGCThreshold = Nanoseconds.hours(4)
  /// How long nodes that are down are kept.
  public var nodeGCThreshold = Nanoseconds.hours(24)
  /// How long deployments that have ended are kept.
  public var deploymentGCThreshold = Nanoseconds.hours(1)
  /// Between two rounds of garbage collection.
  public var gcInterval = Nanoseconds.minutes(5)

  /// The time zone of a name such as `Europe/Berlin`; nil where there is none. Without a database of zones only UTC.
  public var timeZone: @Sendable (String) -> TimeZone? = { $0.isEmpty || $0 == "UTC" ? .utc : nil }

  /// The defaults of the documentation.
  public init() {}
}
