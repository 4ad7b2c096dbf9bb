import Codec
import Raft
import Replica

/// What a server did that its workload looks after.
enum Effect {
  /// Registers: to be applied.
  case committed(Entry)
  /// Registers: from which index on a read can be answered.
  case read(Output.ReadResult)
  /// The whole state was replaced by a snapshot.
  case replaced
  /// Cluster: a step of the state that others may see.
  case publication(Publication)
  /// Cluster: a proposal that came to nothing, or may have.
  case failure(token: UInt64, ProposalFailure)
  /// Cluster: a read that can be answered, or not.
  case readAnswer(ReadAnswer)

  /// Whether a process may end before it.
  var isStep: Bool {
    switch self {
    case .committed, .publication, .failure: true
    case .read, .replaced, .readAnswer: false
    }
  }
}

/// What happens to clients.
enum WorkloadEvent {
  case request(client: Int, operation: Int, host: Int)
  case response(client: Int, operation: Int, Answer)
  case think(client: Int)
  case giveUp(client: Int, operation: Int)
  /// Cluster: a call reaches a server, its answer comes back, or it is given up.
  case call(Int)
  case answer(Int, CallAnswer)
  case expired(Int)
  case node(Int, epoch: Int, NodeEvent)
  case operate(Int)
}

/// What a server tells a client.
enum Answer {
  case done(Outcome)
  /// Not taken; ask that host.
  case redirect(Int?)
  /// Taken, but it can't be said what became of it.
  case unknown
}

/// What goes wrong with clients.
public enum WorkloadFault: Hashable, Sendable {
  /// The machine stops, and with it everything that runs on it.
  case killMachine(node: Int, restartAfter: UInt64)
  /// The agent stops; its tasks run on.
  case killAgent(node: Int, restartAfter: UInt64)
  /// No server hears of a node.
  case cutNode(node: Int, for: UInt64)
  /// Something that runs on a node fails.
  case failTask(node: Int)
  /// Somebody sets a server's wall clock wrong by so many nanoseconds.
  case setWall(host: Int, error: Int64)
}
