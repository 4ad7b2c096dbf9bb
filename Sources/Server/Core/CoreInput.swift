internal import Raft
internal import State
internal import Storage
internal import Synchronization

/// What other threads tell the core, taken in at the next turn.
enum CoreInput: Sendable {
  /// `epoch`: counts the times that the disk was full; what was written before the last one is not to be reported.
  case written(UInt64, epoch: Int)
  case writeFailed(StorageError, epoch: Int)
  case roomAgain(RaftCore.Recovered)
  case message(Message)
  case unreachable(ServerID)
  case entriesRead([Entry], for: ServerID)
  case pieceRead([UInt8]?, of: Snapshot, offset: UInt64, for: ServerID)
  case pieceWritten(SnapshotPiece, Bool)
  case installed(Snapshot, State?)
  case snapshotTaken(Snapshot?)
}

/// Carries inputs to the core's thread in order, without a task for each.
final class CoreInbox: Sendable {
  private let inputs = Mutex<[CoreInput]>([])
  private let executor: CoreExecutor

  init(_ executor: CoreExecutor) { self.executor = executor }

  func give(_ input: CoreInput) {
    inputs.withLock { $0.append(input) }
    executor.wake()
  }

  func takeAll() -> [CoreInput] {
    inputs.withLock { inputs in
      let taken = inputs
      inputs.removeAll(keepingCapacity: true)
      return taken
    }
  }
}
