import Codec
import Model
import State
import Testing

@testable import Scheduler

@Suite struct RescheduleTests {
  private func history(
    _ function: String, delays: [Int64], maximum: Int64 = 3_600, runs: Int64 = 1, attempts: Int? = nil,
    interval: Int64 = 0
  ) -> RescheduleHistory {
    var policy = ReschedulePolicy()
    policy.delayFunction = function
    policy.delay = .seconds(5)
    policy.maxDelay = .seconds(maximum)
    policy.unlimited = attempts == nil
    policy.attempts = attempts
    policy.interval = .seconds(interval)
    var time: Int64 = 1_000
    var events: [RescheduleEvent] = []
    for delay in delays {
      time += delay
      var event = RescheduleEvent()
      event.delay = .seconds(delay)
      event.rescheduleTime = Nanoseconds.seconds(time).count
      events.append(event)
      time += runs
    }
    return RescheduleHistory(
      policy: policy, events: events, failedAt: Timestamp(nanoseconds: Nanoseconds.seconds(time).count))
  }

  @Test(
    arguments: [
      ("constant", [], 3_600, 5), ("constant", [5, 5], 3_600, 5),
      ("exponential", [], 3_600, 5), ("exponential", [5], 3_600, 10), ("exponential", [5, 10, 20], 3_600, 40),
      ("exponential", [5, 10, 20], 30, 30), ("exponential", [20, 30], 30, 30),
      ("fibonacci", [], 3_600, 5), ("fibonacci", [5], 3_600, 5), ("fibonacci", [5, 5], 3_600, 10),
      ("fibonacci", [5, 5, 10, 15], 3_600, 25), ("fibonacci", [5, 5, 10, 15], 20, 20),
      ("fibonacci", [15, 5], 3_600, 5),
    ] as [(String, [Int64], Int64, Int64)]) func delaysGrowByTheirFunction(
      function: String, past: [Int64], maximum: Int64, expected: Int64
    )
  {
    #expect(history(function, delays: past, maximum: maximum).nextDelay == .seconds(expected))
  }

  @Test func anAllocationThatOutlivedTheLongestDelayBeginsANewSeries() {
    #expect(history("exponential", delays: [5, 10, 20, 30], maximum: 30, runs: 31).nextDelay == .seconds(5))
  }

  @Test func attemptsCountWithinTheIntervalOnly() {
    #expect(history("constant", delays: [5, 5], attempts: 2, interval: 3_600).hasAttemptsLeft == false)
    #expect(history("constant", delays: [5, 5], runs: 100, attempts: 2, interval: 150).hasAttemptsLeft)
    #expect(history("constant", delays: [], attempts: 0, interval: 3_600).hasAttemptsLeft == false)
    #expect(history("constant", delays: Array(repeating: 5, count: 50)).hasAttemptsLeft)
    #expect(history("constant", delays: Array(repeating: 5, count: 50)).keptByReplacement.count == 5)
  }
}
