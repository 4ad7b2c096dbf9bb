internal import Codec
internal import Model

/// Counts the restarts of one task against its restart policy. Pure: time (on the steady clock) and jitter come in.
struct RestartTracker: Sendable, Equatable {
  /// What is to be done about a task that ended.
  enum Decision: Equatable, Sendable {
    /// The task did what it was for.
    case finished
    /// Start it again after the delay; `reason` is for the event.
    case restart(after: Nanoseconds, reason: String)
    /// Give up; the task has failed.
    case fail(reason: String)
  }

  /// The policy with every default filled in.
  struct Policy: Sendable, Equatable {
    var attempts = 2
    var interval = Nanoseconds.minutes(30)
    var delay = Nanoseconds.seconds(15)
    /// After the attempts are used up: wait for the next interval (`delay`) or give up (`fail`).
    var waitsForNextInterval = false

    /// Nomad's defaults for a service.
    init() {}

    /// What the job says; the server has filled in defaults already, those of a service stand in for what is missing.
    init(_ policy: RestartPolicy?) {
      attempts = policy?.attempts ?? attempts
      interval = policy?.interval ?? interval
      delay = policy?.delay ?? delay
      waitsForNextInterval = policy?.mode == "delay"
    }

    var mode: String { waitsForNextInterval ? "delay" : "fail" }
  }

  var policy: Policy
  /// Whether an exit with status 0 ends the task: batch jobs and prestart tasks without `sidecar`.
  var successEnds: Bool
  /// Restarts within the current interval.
  var count = 0
  /// When the current interval began.
  var intervalStart = Timestamp(nanoseconds: 0)

  /// - Parameters:
  ///   - exitedWell: whether the task ended with status 0 and no signal.
  ///   - jitter: random bits that spread the delay by up to a quarter, so that tasks that failed together do not come
  ///     back together.
  mutating func taskEnded(exitedWell: Bool, now: Timestamp, jitter: UInt64) -> Decision {
    if exitedWell && successEnds { return .finished }
    return again(now: now, jitter: jitter)
  }

  /// The driver could not start the task, for a reason that may go away.
  mutating func startFailed(now: Timestamp, jitter: UInt64) -> Decision { again(now: now, jitter: jitter) }

  private mutating func again(now: Timestamp, jitter: UInt64) -> Decision {
    // A start in the future was stored before a reboot.
    if intervalStart.isZero || now < intervalStart || now - intervalStart > policy.interval {
      intervalStart = now
      count = 0
    }
    if policy.attempts <= 0 && !policy.waitsForNextInterval { return .fail(reason: "Policy allows no restarts") }
    count += 1
    if count > policy.attempts {
      let reason =
        "Exceeded allowed attempts \(policy.attempts) in interval \(policy.interval) and mode is \"\(policy.mode)\""
      if !policy.waitsForNextInterval { return .fail(reason: reason) }
      let rest = (intervalStart + policy.interval) - now
      // The restart after the wait belongs to the next interval and is its first.
      return .restart(after: max(rest, .zero) + spread(policy.delay, jitter), reason: reason)
    }
    return .restart(after: spread(policy.delay, jitter), reason: "Restart within policy")
  }

  private func spread(_ delay: Nanoseconds, _ jitter: UInt64) -> Nanoseconds {
    let range = delay.count / 4
    return range <= 0 ? delay : delay + Nanoseconds(Int64(jitter % UInt64(range)))
  }
}
