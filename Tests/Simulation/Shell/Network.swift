import Raft

/// What becomes of messages between servers.
extension Simulator {
  func send(_ message: Message) {
    let from = Int(message.from.rawValue) - 1
    let to = Int(message.to.rawValue) - 1
    guard hosts.indices.contains(to) else { return }
    if noteMessages { note("\(message.from) -> \(message.to) \(message.body)") }
    guard isPassable(from, to) else { return }
    put(message)
    if isDoubled() { put(message) }
  }

  /// False when what one host sends to another now is lost.
  func isPassable(_ from: Int, _ to: Int) -> Bool {
    if cut[from][to] > now {
      result.coverage.note(cut[to][from] > now ? .messageCut : .messageCutOneWay)
      return false
    }
    if !isHealing, random.chance(plan.lost) {
      result.coverage.note(.messageLost)
      return false
    }
    return true
  }

  func isDoubled() -> Bool {
    guard !isHealing, random.chance(plan.doubled) else { return false }
    result.coverage.note(.messageDoubled)
    return true
  }

  /// How long a message takes that is sent now.
  func delay() -> UInt64 {
    var delay = random.between(plan.delay / 4 + 1, plan.delay + 1)
    if plan.late > 0, !isHealing, random.chance(50) {
      delay += random.below(plan.late)
      result.coverage.note(.messageLate)
    }
    return delay
  }

  private func put(_ message: Message) {
    let delay = delay()
    let slot = freeSlots.popLast() ?? slots.count
    if slot == slots.count { slots.append(message) } else { slots[slot] = message }
    if slots.count - freeSlots.count > Self.mostMessages {
      checker.fail("more than \(Self.mostMessages) messages are on their way at once: servers make each other talk")
    }
    queue.put(.message(slot: slot), at: now + delay)
  }
}
