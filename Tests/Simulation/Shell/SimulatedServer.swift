import Raft

/// What a server is told beside what happens: its clocks, and random bits.
struct Moment {
  /// Nanoseconds of a clock that never goes back.
  var monotonic: UInt64
  /// Nanoseconds since 1970, as the host's wall clock shows it.
  var wall: Int64
  var jitter: UInt64
}

/// What happens to a server.
enum ServerInput {
  case tick
  case message(Message)
  /// Every write up to the number is on disk.
  case written(through: UInt64)
  case storageFull
  case storageRecovered(RaftCore.Recovered)
  case entriesRead([Entry], for: ServerID)
  case pieceRead([UInt8]?, of: Snapshot, offset: UInt64, for: ServerID)
  case pieceWritten(SnapshotPiece, succeeded: Bool)
  /// With the bytes of the snapshot; nil when it is not whole.
  case installed(Snapshot, [UInt8]?)
  case snapshotTaken(Snapshot)
}

/// What a server wants done, and what it did.
struct ServerOutput {
  var messages: [Message] = []
  var writes: [Output.Write] = []
  var tasks: [Output.Task] = []
  var events: [Output.Event] = []
  /// What the workload looks after, in this order.
  var effects: [Effect] = []
  /// What a person would read in the log.
  var notices: [String] = []

  var isEmpty: Bool {
    messages.isEmpty && writes.isEmpty && tasks.isEmpty && events.isEmpty && effects.isEmpty && notices.isEmpty
  }
}

/// One process: the real core with the state that it replicates. The simulator is its disk, network and clock.
protocol SimulatedServer: AnyObject {
  var core: RaftCore { get }
  var nextDeadline: UInt64 { get }
  /// The last entry that the state contains.
  var applied: UInt64 { get }

  func take(_ input: ServerInput, at moment: Moment)
  func takeOutput() -> ServerOutput
  func bootstrap(_ membership: Membership, at moment: Moment) -> Result<Void, Refusal>
  func changeMembership(to membership: Membership, at moment: Moment) -> Result<UInt64, Refusal>
  func transferLeadership(to target: ServerID, at moment: Moment) -> Result<ServerID, Refusal>
  /// A snapshot of the state as it is, when one is due or (`isForced`) when there is anything new at all.
  func snapshot(isForced: Bool) -> (Snapshot, [UInt8])?
  /// One that was handed out never came to be on disk; the newest there ends at `index`.
  func snapshotLost(stored index: UInt64, at moment: Moment)
}

/// What is replicated, what clients do with it, and what must be true of it.
protocol Workload: AnyObject {
  /// A process begins with what is on its disk.
  func makeServer(
    on host: Host, incarnation: Incarnation, limits: Limits, recovered: RaftCore.Recovered, snapshot: [UInt8]?,
    at moment: Moment
  ) -> any SimulatedServer
  /// A process has begun, and does the first thing next.
  func started(_ host: Host)
  /// A process has ended.
  func crashed(_ host: Host)
  /// Clients begin.
  func begin()
  func handle(_ event: WorkloadEvent)
  func handle(_ effect: Effect, on host: Host)
  func handle(_ event: Output.Event, on host: Host)
  /// A fault that concerns clients.
  func inject(_ fault: WorkloadFault)
  /// Nothing goes wrong any more from here on.
  func heal()
  /// Nobody waits for anything, after faults have ended.
  var isAtRest: Bool { get }
  /// Who waits for what.
  var restlessness: String { get }
  /// Looks at everything once more. False when something could not be decided.
  func finish() -> Bool
}
