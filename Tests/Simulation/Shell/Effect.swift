import Raft

/// What a server did that its workload looks after.
enum Effect {
  /// Registers: to be applied.
  case committed(Entry)
  /// Registers: from which index on a read can be answered.
  case read(Output.ReadResult)
  /// The whole state was replaced by a snapshot.
  case replaced

  /// Whether a process may end before it.
  var isStep: Bool { if case .committed = self { true } else { false } }
}

/// What happens to clients.
enum WorkloadEvent {
  case request(client: Int, operation: Int, host: Int)
  case response(client: Int, operation: Int, Answer)
  case think(client: Int)
  case giveUp(client: Int, operation: Int)
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
}
