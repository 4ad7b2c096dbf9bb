import Codec
import Testing

@testable import Client

@Suite struct RestartTrackerTests {
  private func tracker(
    attempts: Int = 2, interval: Nanoseconds = .minutes(10), delay: Nanoseconds = .seconds(8), waits: Bool = false,
    successEnds: Bool = false
  ) -> RestartTracker {
    var policy = RestartTracker.Policy()
    policy.attempts = attempts
    policy.interval = interval
    policy.delay = delay
    policy.waitsForNextInterval = waits
    return RestartTracker(policy: policy, successEnds: successEnds)
  }

  private func at(_ seconds: Int64) -> Timestamp {
    Timestamp(nanoseconds: 1_700_000_000_000_000_000) + .seconds(seconds)
  }

  @Test func theAttemptsOfAnIntervalAreUsedUpThenTheTaskFails() {
    var tracker = tracker()
    #expect(
      tracker.taskEnded(exitedWell: false, now: at(0), jitter: 0)
        == .restart(after: .seconds(8), reason: "Restart within policy"))
    #expect(
      tracker.taskEnded(exitedWell: false, now: at(10), jitter: 0)
        == .restart(after: .seconds(8), reason: "Restart within policy"))
    #expect(
      tracker.taskEnded(exitedWell: false, now: at(20), jitter: 0)
        == .fail(reason: "Exceeded allowed attempts 2 in interval 10m0s and mode is \"fail\""))
  }

  @Test func aNewIntervalBeginsTheCountAnew() {
    var tracker = tracker(attempts: 1)
    _ = tracker.taskEnded(exitedWell: false, now: at(0), jitter: 0)
    #expect(
      tracker.taskEnded(exitedWell: false, now: at(601), jitter: 0)
        == .restart(after: .seconds(8), reason: "Restart within policy"))
  }

  @Test func modeDelayWaitsForTheNextInterval() {
    var tracker = tracker(attempts: 1, waits: true)
    _ = tracker.taskEnded(exitedWell: false, now: at(0), jitter: 0)
    guard case .restart(let after, let reason) = tracker.taskEnded(exitedWell: false, now: at(100), jitter: 0) else {
      Issue.record("must restart")
      return
    }
    #expect(after == .seconds(508) && reason.contains("mode is \"delay\""))
    #expect(
      tracker.taskEnded(exitedWell: false, now: at(609), jitter: 0)
        == .restart(after: .seconds(8), reason: "Restart within policy"))
  }

  @Test func successEndsABatchTaskOnly() {
    var batch = tracker(successEnds: true)
    #expect(batch.taskEnded(exitedWell: true, now: at(0), jitter: 0) == .finished)
    var service = tracker()
    #expect(service.taskEnded(exitedWell: true, now: at(0), jitter: 0) != .finished)
  }

  @Test func noAttemptsMeansNoRestart() {
    var tracker = tracker(attempts: 0)
    #expect(tracker.startFailed(now: at(0), jitter: 0) == .fail(reason: "Policy allows no restarts"))
  }

  @Test func theDelayIsSpreadByUpToAQuarter() {
    for jitter: UInt64 in [0, 1, 1_999_999_999, 2_000_000_000, .max] {
      var tracker = tracker()
      guard case .restart(let after, _) = tracker.startFailed(now: at(0), jitter: jitter) else {
        Issue.record("must restart")
        return
      }
      #expect(after >= .seconds(8) && after < .seconds(10))
    }
  }
}
