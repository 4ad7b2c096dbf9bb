import Model

/// Why an allocation is stopped: becomes its `DesiredDescription`.
enum StopReason: Sendable {
  case jobStopped
  case groupRemoved
  case jobReplaced
  case countReduced
  case updated
  case nodeLost
  case nodeGone
  case migrating
  case rescheduled
  case canarySuperseded
  case nodeNoLongerEligible
  case replacementKept
  case originalKept

  var text: String {
    switch self {
    case .jobStopped: "job was stopped"
    case .groupRemoved: "group is no longer in the job"
    case .jobReplaced: "job was purged and registered anew"
    case .countReduced: "count of the group was reduced"
    case .updated: "replaced by an update of the job"
    case .nodeLost: "node is down"
    case .nodeGone: "node is no longer registered"
    case .migrating: "moved to another node"
    case .rescheduled: "rescheduled after it failed"
    case .canarySuperseded: "canary of a deployment that has ended without promotion"
    case .nodeNoLongerEligible: "node no longer meets the job's constraints"
    case .replacementKept: "its replacement was kept when its node was heard of again"
    case .originalKept: "the allocation that it replaced was kept when its node was heard of again"
    }
  }

  /// What servers decide about the client's side: nobody will report from a node that is gone.
  var clientStatus: AllocationClientStatus? {
    switch self {
    case .nodeLost, .nodeGone: .lost
    default: nil
    }
  }
}
