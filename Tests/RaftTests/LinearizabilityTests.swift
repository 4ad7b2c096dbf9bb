import Testing

@testable import Simulation

/// The checker of histories, against histories whose verdict is known and against a search that tries every order.
@Suite struct LinearizabilityTests {
  private static func call(
    _ operation: Simulation.Operation, _ began: UInt64, _ ended: UInt64?, _ outcome: Outcome?
  ) -> History.Call {
    History.Call(operation: operation, began: began, ended: ended, outcome: outcome)
  }

  private static func verdict(_ calls: [History.Call]) -> History.Verdict {
    var history = History()
    history.calls = calls
    return history.check()
  }

  @Test func nothingAndOneReadOfTheBeginningAreFine() {
    #expect(Self.verdict([]) == .linearizable)
    #expect(Self.verdict([Self.call(.read, 1, 2, .value(0))]) == .linearizable)
    #expect(Self.verdict([Self.call(.read, 1, 2, .value(7))]) == .violated)
  }

  @Test func aReadSeesTheWriteThatEndedBefore() {
    let write = Self.call(.write(5), 1, 2, .value(5))
    #expect(Self.verdict([write, Self.call(.read, 3, 4, .value(5))]) == .linearizable)
    #expect(Self.verdict([write, Self.call(.read, 3, 4, .value(0))]) == .violated)
  }

  @Test func aReadDuringAWriteMaySeeEither() {
    let write = Self.call(.write(5), 1, 10, .value(5))
    for value in [0, 5] as [UInt64] {
      #expect(Self.verdict([write, Self.call(.read, 3, 4, .value(value))]) == .linearizable)
    }
    #expect(Self.verdict([write, Self.call(.read, 3, 4, .value(6))]) == .violated)
  }

  /// The new value was seen: nobody may see the old one later.
  @Test func timeDoesNotGoBack() {
    let write = Self.call(.write(5), 1, 100, .value(5))
    let (new, old) = (Self.call(.read, 3, 4, .value(5)), Self.call(.read, 5, 6, .value(0)))
    #expect(Self.verdict([write, new, old]) == .violated)
    let earlier = Self.call(.read, 3, 4, .value(0))
    #expect(Self.verdict([write, earlier, Self.call(.read, 5, 6, .value(5))]) == .linearizable)
  }

  @Test func aWriteWithoutAnAnswerMayHaveHappenedAtAnyLaterTimeOrNever() {
    let lost = Self.call(.write(5), 1, nil, nil)
    #expect(Self.verdict([lost, Self.call(.read, 900, 901, .value(5))]) == .linearizable)
    #expect(Self.verdict([lost, Self.call(.read, 900, 901, .value(0))]) == .linearizable)
    #expect(
      Self.verdict([lost, Self.call(.read, 900, 901, .value(5)), Self.call(.read, 902, 903, .value(0))]) == .violated)
  }

  @Test func aDoubledAdditionShows() {
    #expect(
      Self.verdict([Self.call(.add(1), 1, 2, .value(1)), Self.call(.read, 3, 4, .value(2))]) == .violated)
    #expect(Self.verdict([Self.call(.add(1), 1, nil, nil), Self.call(.read, 3, 4, .value(2))]) == .violated)
  }

  @Test func oneOfTwoEqualSwapsWins() {
    let one = Self.call(.swap(expected: 0, new: 1), 1, 10, .swapped(true))
    #expect(Self.verdict([one, Self.call(.swap(expected: 0, new: 2), 1, 10, .swapped(false))]) == .linearizable)
    #expect(Self.verdict([one, Self.call(.swap(expected: 0, new: 2), 1, 10, .swapped(true))]) == .violated)
  }

  /// Every order of up to six calls, tried one by one, against the search with its memory.
  @Test func smallHistoriesAgreeWithEveryOrderTried() {
    var random = Simulation.Random(seed: 4)
    var seen: [History.Verdict: Int] = [:]
    for _ in 0..<4_000 {
      let calls = Self.draw(count: 2 + random.below(5), &random)
      let verdict = Self.verdict(calls)
      #expect((verdict == .linearizable) == Self.canBeOrdered(calls), "\(calls)")
      seen[verdict, default: 0] += 1
    }
    #expect(seen[.linearizable, default: 0] > 500)
    #expect(seen[.violated, default: 0] > 500)
  }

  private static func draw(count: Int, _ random: inout Simulation.Random) -> [History.Call] {
    (0..<count).map { _ in
      let began = random.below(12 as UInt64)
      let isKnown = random.chance(800)
      let ended = isKnown ? began + 1 + random.below(8 as UInt64) : nil
      let value = random.below(3 as UInt64)
      let (operation, outcome): (Simulation.Operation, Outcome) =
        switch random.below(4) {
        case 0: (.read, .value(value))
        case 1: (.write(value), .value(value))
        case 2: (.add(1), .value(value))
        default: (.swap(expected: value, new: random.below(3 as UInt64)), .swapped(random.chance(500)))
        }
      return call(operation, began, ended, isKnown ? outcome : nil)
    }
  }

  /// Whether some order that keeps to real time explains every outcome; calls without an answer may be left out.
  private static func canBeOrdered(_ calls: [History.Call], after state: UInt64 = 0) -> Bool {
    if calls.allSatisfy({ $0.ended == nil }) { return true }
    for (place, call) in calls.enumerated() {
      // Nothing that ended before this one began may come behind it.
      if calls.contains(where: { ($0.ended ?? .max) < call.began }) { continue }
      var next = state
      let outcome = call.operation.apply(to: &next)
      if let seen = call.outcome, seen != outcome { continue }
      var rest = calls
      rest.remove(at: place)
      if canBeOrdered(rest, after: next) { return true }
    }
    return false
  }
}
