import Codec
import Model
import State

/// What clients ask of servers.
enum CallRequest {
  case registerNode(Int)
  case heartbeat(Int)
  /// The allocations of a node, from any server.
  case watch(Int)
  case report(Int, [AllocationStatusChange])
  /// An operator's change.
  case change(Change)
  /// What a variable holds, as nobody can have overtaken it.
  case readVariable(Int)

  /// What an operator changes.
  enum Change {
    case register(Job)
    case scale(String, count: Int)
    case stop(String, purge: Bool)
    case drain(Int, deadline: Nanoseconds)
    case endDrain(Int)
    case setEligible(Int, Bool)
    case stopAllocation(String)
    case writeVariable(Int, UInt64)
    /// Only if it is still as at `index`.
    case swapVariable(Int, UInt64, index: UInt64)
    case collectGarbage
  }
}

/// Who waits for the answer.
enum Caller {
  case node(Int, epoch: Int)
  case operator_(Int)
}

/// One request on its way.
struct Call {
  let caller: Caller
  let request: CallRequest
  var host: Int
  /// How often it was sent on to another server.
  var redirects = 0
}

/// What a server says.
enum CallAnswer {
  /// It is in the log at this index.
  case done(index: UInt64)
  case heartbeat(Nanoseconds, isKnown: Bool)
  case allocations(index: UInt64, [Shared<StoredAllocation>])
  case variable(value: UInt64, index: UInt64)
  /// The state does not allow it; nothing has happened.
  case refused(StateError)
  /// Nothing has happened; ask that host, or any.
  case redirect(Int?)
  /// Nobody knows.
  case unknown
}
