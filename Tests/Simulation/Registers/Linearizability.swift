/// Whether a history of operations on one register could have happened one after the other (Wing and Gong's search, with
/// Lowe's memory of configurations that were tried: "Testing for linearizability", 2017).
public struct History: Sendable {
  struct Call: Sendable {
    let operation: Operation
    let began: UInt64
    /// Nil: nobody knows whether it happened; if so, at any later time.
    var ended: UInt64?
    var outcome: Outcome?
  }

  enum Verdict: Hashable, Sendable {
    case linearizable
    case violated
    /// The search was given up.
    case undecided
  }

  var calls: [Call] = []

  func check(initial: UInt64 = 0, budget: Int = 400_000) -> Verdict {
    let calls = calls.filter { $0.ended != nil || $0.operation != .read }
    guard !calls.isEmpty else { return .linearizable }
    // Calls and returns in order of time, as a doubly linked list; a chosen call leaves with its return.
    var marks: [(time: UInt64, isReturn: Bool, call: Int)] = []
    for (number, call) in calls.enumerated() {
      marks.append((call.began, false, number))
      marks.append((call.ended ?? .max, true, number))
    }
    marks.sort { $0.time != $1.time ? $0.time < $1.time : !$0.isReturn && $1.isReturn }
    let head = marks.count
    var next = (0..<head).map { $0 + 1 } + [0]
    var previous = (0..<head).map { $0 == 0 ? head : $0 - 1 } + [head - 1]
    next[head - 1] = head
    var returnMark = [Int](repeating: 0, count: calls.count)
    for (place, mark) in marks.enumerated() where mark.isReturn { returnMark[mark.call] = place }

    func unlink(_ place: Int) {
      next[previous[place]] = next[place]
      previous[next[place]] = previous[place]
    }
    func relink(_ place: Int) {
      next[previous[place]] = place
      previous[next[place]] = place
    }

    var chosen = Bits(count: calls.count)
    var state = initial
    var stack: [(place: Int, state: UInt64)] = []
    var tried: Set<Configuration> = []
    var left = calls.count { $0.ended != nil }
    var place = next[head]
    var steps = 0
    while left > 0 {
      steps += 1
      guard steps <= budget else { return .undecided }
      if place != head, !marks[place].isReturn {
        let number = marks[place].call
        let call = calls[number]
        var after = state
        let outcome = call.operation.apply(to: &after)
        if call.outcome == nil || call.outcome == outcome {
          chosen.insert(number)
          if tried.insert(Configuration(chosen: chosen, state: after)).inserted {
            stack.append((place, state))
            state = after
            if call.ended != nil { left -= 1 }
            unlink(place)
            unlink(returnMark[number])
            place = next[head]
            continue
          }
          chosen.remove(number)
        }
        place = next[place]
      } else {
        // A return of a call that was not chosen: go back.
        guard let (last, before) = stack.popLast() else { return .violated }
        let number = marks[last].call
        state = before
        chosen.remove(number)
        if calls[number].ended != nil { left += 1 }
        relink(returnMark[number])
        relink(last)
        place = next[last]
      }
    }
    return .linearizable
  }

  private struct Configuration: Hashable {
    let chosen: Bits
    let state: UInt64
  }

  private struct Bits: Hashable {
    private var words: [UInt64]
    init(count: Int) { words = [UInt64](repeating: 0, count: (count + 63) / 64) }
    mutating func insert(_ bit: Int) { words[bit / 64] |= 1 << UInt64(bit % 64) }
    mutating func remove(_ bit: Int) { words[bit / 64] &= ~(1 << UInt64(bit % 64)) }
  }
}
