import Codec
import Model
import State

/// An allocation that is to be placed.
struct PlacementRequest: Sendable {
  enum Cause: Sendable {
    case new
    case lost
    /// Runs while another is unknown, which may come back.
    case disconnected
    case migrating
    case rescheduled
    /// Replaces an allocation that goes on running until there is a place for this one.
    case update
    case canary
  }

  let cause: Cause
  let nameIndex: Int
  /// The allocation whose place it takes.
  var previous: Shared<StoredAllocation>?
  /// The version that it runs where that isn't the job's current one.
  var otherVersion: Shared<Job>?
  var rescheduleTracker: RescheduleTracker?
  /// Where it ran and failed.
  var avoidedNodes: [Identifier] = []

  init(_ cause: Cause, nameIndex: Int, previous: Shared<StoredAllocation>? = nil) {
    self.cause = cause
    self.nameIndex = nameIndex
    self.previous = previous
  }
}

/// What is to be done about one group.
struct GroupDecision: Sendable {
  let name: String
  /// The group's place in the job; nil for one that the job doesn't have (any more).
  let groupIndex: Int?
  var stops: [(allocation: Shared<StoredAllocation>, reason: StopReason)] = []
  /// Take over the new version while they run, where their node still suits.
  var inPlace: [Shared<StoredAllocation>] = []
  /// Are replaced now.
  var destructive: [Shared<StoredAllocation>] = []
  /// Are to be replaced when the deployment lets them.
  var waiting = 0
  var placements: [PlacementRequest] = []
  /// Become unknown now: their node is not heard of.
  var unknown: [Shared<StoredAllocation>] = []
  /// Allocations on nodes that are not heard of, and when they are given up.
  var timeouts: [(allocation: Shared<StoredAllocation>, due: Timestamp)] = []
  /// Failed allocations that are replaced later.
  var delayed: [(allocation: Shared<StoredAllocation>, due: Timestamp)] = []
  var updates = DesiredUpdates()

  /// Whether anything moves the group towards the job's current version.
  var advancesVersion: Bool {
    !inPlace.isEmpty || !destructive.isEmpty || waiting > 0
      || placements.contains { $0.cause != .lost && $0.cause != .disconnected }
  }
}
