import Codec
import Model
import State

/// When a failed allocation is replaced: the `reschedule` block applied to its history.
///
/// Source: "reschedule Block" of Nomad's public jobspec documentation.
enum RescheduleDecision: Equatable {
  case now(RescheduleEvent)
  case later(Timestamp)
  /// The attempts within the interval are used up, or the job doesn't want any.
  case never
}

struct RescheduleHistory {
  let policy: ReschedulePolicy
  /// Oldest first.
  let events: [RescheduleEvent]
  let failedAt: Timestamp

  /// How many events a chain of unlimited attempts keeps: enough for the delay functions, which look two back, and for
  /// the nodes to avoid.
  static let keptEvents = 5

  private var isUnlimited: Bool { policy.unlimited ?? false }
  private var interval: Nanoseconds { policy.interval ?? .zero }

  /// Decides for an allocation. `toleranceForTimers` is how much too early a timer may wake the evaluation.
  func decide(
    allocation: StoredAllocation, now: Timestamp, force: Bool, toleranceForTimers: Nanoseconds = .seconds(1)
  ) -> RescheduleDecision {
    guard force || hasAttemptsLeft else { return .never }
    let delay = nextDelay
    let due = failedAt + delay
    guard force || due <= now + toleranceForTimers else { return .later(due) }
    var event = RescheduleEvent()
    event.rescheduleTime = now.nanoseconds
    event.prevAllocID = allocation.id
    event.prevNodeID = allocation.nodeID
    event.delay = delay
    return .now(event)
  }

  var hasAttemptsLeft: Bool {
    if isUnlimited { return true }
    guard let attempts = policy.attempts, attempts > 0 else { return false }
    return eventsWithinInterval.count < attempts
  }

  private var eventsWithinInterval: [RescheduleEvent] {
    events.filter { failedAt - Timestamp(nanoseconds: $0.rescheduleTime) < interval }
  }

  /// What the replacement inherits, before its own event.
  var keptByReplacement: [RescheduleEvent] {
    isUnlimited ? Array(events.suffix(Self.keptEvents)) : eventsWithinInterval
  }

  /// How long after the failure the next attempt is due.
  var nextDelay: Nanoseconds {
    let base = policy.delay ?? .zero
    let maximum = policy.maxDelay ?? .zero
    let delay: Nanoseconds
    switch policy.delayFunction {
    case "exponential": delay = events.last.map { $0.delay + $0.delay } ?? base
    case "fibonacci":
      switch events.count {
      case 0, 1: delay = base
      // After the delays were reset, the one before belongs to another series.
      case let count where events[count - 1].delay < events[count - 2].delay: delay = base
      case let count: delay = events[count - 1].delay + events[count - 2].delay
      }
    default: return base
    }
    guard maximum > .zero, delay >= maximum, let last = events.last else {
      return maximum > .zero ? min(delay, maximum) : delay
    }
    // An allocation that outlived the longest delay had recovered: its next failure begins a new series.
    if failedAt - Timestamp(nanoseconds: last.rescheduleTime) > maximum { return base }
    return maximum
  }
}
