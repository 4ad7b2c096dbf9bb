public import Codec
public import Model
public import Raft
public import Replica

/// Everything a server is told when it starts.
public struct ServerConfiguration: Sendable {
  /// The server's name among the servers, `node.region`.
  public var name = "server"
  public var region = "global"
  public var datacenter = "dc1"
  /// Where the log and the snapshots are; must exist.
  public var logPath = ""
  public var snapshotsPath = ""
  /// Who the server is for good; `none` lets the log draw one and keep it.
  public var id: Identifier = .none
  /// How many servers make a new cluster; 0 for one that waits to be taken in.
  public var bootstrapExpect = 1
  /// The name that a server's certificate must have; nil when certificates need not say who is a server.
  public var serverCertificateName: String?
  /// Times and budgets of the consensus.
  public var raftLimits = Limits()
  /// What clients and other servers are told to connect to, `host:port`.
  public var advertisedRPCAddress = "127.0.0.1:4647"

  /// Heartbeats, garbage collection and the leader's other duties.
  public var duties = DutyConfiguration()

  /// Log entries after which a snapshot is taken.
  public var snapshotThreshold: UInt64 = 8192
  /// Entries that stay in the log behind a snapshot.
  public var trailingLogs: UInt64 = 1024

  /// Priority of a job that names none.
  public var jobDefaultPriority = 50
  public var jobMaxPriority = 100
  /// Instances that all groups of one job may have together.
  public var jobMaxCount = 50_000

  /// What variables are encrypted with; without it there are none.
  public var variableCipher: VariableCipher?
  /// Bytes of a jobspec that are kept beside a job; a longer one is not kept.
  public var jobMaxSourceBytes = 1_000_000
  /// How the leader looks after the members of a cluster that nobody has told yet.
  public var autopilotConfiguration: AutopilotConfiguration?
  /// The scheduler's configuration of a cluster that has none yet.
  public var schedulerConfiguration: SchedulerConfiguration?

  /// The defaults of the documentation.
  public init() {
    duties.timeZone = { TimeZoneDatabase.zone($0) }
  }
}
