extension Simulator {
  /// The smallest plan found that still fails: fewer faults, clients and kinds of bad luck.
  public static func shrink(_ plan: Plan, bug: ShellBug? = nil) -> Plan {
    var best = plan
    /// The sentence without its numbers: shrinking is not to wander off to another failure.
    func kind(_ plan: Plan) -> String? {
      Simulator(plan, bug: bug).run().failure.map { String($0.filter { !$0.isNumber }.prefix(24)) }
    }
    let wanted = kind(plan)
    func fails(_ candidate: Plan) -> Bool { wanted != nil && kind(candidate) == wanted }
    func attempt(_ change: (inout Plan) -> Void) {
      var candidate = best
      change(&candidate)
      if fails(candidate) { best = candidate }
    }
    // Halves, quarters, … of the faults, down to single ones.
    var size = max(1, best.faults.count / 2)
    while !best.faults.isEmpty {
      var start = 0
      while start < best.faults.count {
        var candidate = best
        candidate.faults.removeSubrange(start..<min(start + size, candidate.faults.count))
        if fails(candidate) { best = candidate } else { start += size }
      }
      if size == 1 { break }
      size = max(1, size / 2)
    }
    attempt { $0.lost = 0 }
    attempt { $0.doubled = 0 }
    attempt { $0.late = 0 }
    while best.clients > 1 {
      var candidate = best
      candidate.clients -= 1
      guard fails(candidate) else { break }
      best = candidate
    }
    if let last = best.faults.last { attempt { $0.duration = last.at + 500_000_000 } }
    return best
  }
}
