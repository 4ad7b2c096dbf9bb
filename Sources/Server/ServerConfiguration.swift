public import Codec
public import Cron
public import Model

/// Everything a server is told when it starts.
public struct ServerConfiguration: Sendable {
  /// The server's name among the servers, `node.region`.
  public var name = "server"
  /// The region that the server belongs to.
  public var region = "global"
  /// The datacenter that the server stands in.
  public var datacenter = "dc1"
  /// Where the log and the snapshots are; must exist.
  public var logPath = ""
  /// Directory of the snapshots; must exist.
  public var snapshotsPath = ""
  /// What clients and other servers are told to connect to, `host:port`.
  public var advertisedRPCAddress = "127.0.0.1:4647"

  /// A client is asked to be heard of at least this often…
  public var minHeartbeatTTL = Nanoseconds.seconds(10)
  /// …or, with many nodes, so rarely that heartbeats stay below this rate.
  public var maxHeartbeatsPerSecond = 50.0
  /// Added to the time to live before a silent node counts as down.
  public var heartbeatGrace = Nanoseconds.seconds(10)

  /// Ended evaluations of service jobs, and their allocations, are kept for so long.
  public var evalGCThreshold = Nanoseconds.hours(1)
  /// The same for batch jobs, whose results people look at later.
  public var batchEvalGCThreshold = Nanoseconds.hours(24)
  /// Dead jobs are kept for so long.
  public var jobGCThreshold = Nanoseconds.hours(4)
  /// Nodes that are down are kept for so long.
  public var nodeGCThreshold = Nanoseconds.hours(24)
  /// Deployments that ended are kept for so long.
  public var deploymentGCThreshold = Nanoseconds.hours(1)
  /// Between two rounds of garbage collection.
  public var gcInterval = Nanoseconds.minutes(5)

  /// Log entries after which a snapshot is taken.
  public var snapshotThreshold: UInt64 = 8192
  /// Entries that stay in the log behind a snapshot.
  public var trailingLogs: UInt64 = 1024

  /// Priority of a job that names none.
  public var jobDefaultPriority = 50
  /// Highest priority that a job may name.
  public var jobMaxPriority = 100
  /// Instances that all groups of one job may have together.
  public var jobMaxCount = 50_000

  /// What variables are encrypted with; without it there are none.
  public var variableCipher: VariableCipher?
  /// Bytes of a jobspec that are kept beside a job; a longer one is not kept.
  public var jobMaxSourceBytes = 1_000_000
  /// The time zone of a name such as `Europe/Berlin`; nil where there is none.
  public var timeZone: @Sendable (String) -> TimeZone? = { TimeZoneDatabase.zone($0) }

  /// The scheduler's configuration of a cluster that has none yet.
  public var schedulerConfiguration: SchedulerConfiguration?

  /// The defaults of the documentation.
  public init() {}
}
