internal import Codec
internal import Model
internal import Scheduler
internal import State

/// Evaluations that wait: for their turn, for a time, or for room.
struct EvaluationQueue {
  /// Ready ones, the most urgent first: by priority, then by age.
  private struct Ready: Hashable, Comparable {
    let priority: Int
    let index: UInt64
    let id: Identifier

    static func < (left: Ready, right: Ready) -> Bool {
      if left.priority != right.priority { return left.priority > right.priority }
      return left.index == right.index ? left.id < right.id : left.index < right.index
    }
  }

  private var ready: [Ready] = []
  private var pending: [Identifier: Evaluation] = [:]
  private var waiting: [Identifier: (evaluation: Evaluation, until: Timestamp)] = [:]
  private var blocked = BlockedEvaluations()
  private var toUnblock: Set<Identifier> = []

  mutating func begin(_ state: StateReader) {
    self = EvaluationQueue()
    for (_, evaluation) in state.evaluations { note(evaluation.value, state) }
    // Room may have appeared between the last leader's look and this one's.
    toUnblock = Set(blocked.ids)
  }

  mutating func note(_ evaluation: Evaluation, _ state: StateReader) {
    forget(evaluation.id)
    switch evaluation.status {
    case .pending:
      if let until = evaluation.waitUntil, !until.isZero {
        waiting[evaluation.id] = (evaluation, until)
      } else {
        insert(evaluation)
      }
    case .blocked: blocked.insert(evaluation, state: state)
    case .complete, .failed, .canceled: break
    }
  }

  mutating func forget(_ id: Identifier) {
    if let old = pending.removeValue(forKey: id) {
      let key = Ready(priority: old.priority, index: old.createIndex, id: id)
      ready.removeAll { $0 == key }
    }
    waiting[id] = nil
    blocked.remove(id)
    toUnblock.remove(id)
  }

  private mutating func insert(_ evaluation: Evaluation) {
    let key = Ready(priority: evaluation.priority, index: evaluation.createIndex, id: evaluation.id)
    var low = 0
    var high = ready.count
    while low < high {
      let middle = (low + high) / 2
      if ready[middle] < key { low = middle + 1 } else { high = middle }
    }
    ready.insert(key, at: low)
    pending[evaluation.id] = evaluation
  }

  /// Blocked evaluations that may fit on one of `nodes` are tried again.
  mutating func roomAppeared(on nodes: [Identifier], columns: NodeColumns) {
    if blocked.isEmpty { return }
    toUnblock.formUnion(blocked.thatMayFit(on: nodes, columns: columns))
  }

  /// Blocked evaluations that become pending now; nil when there are none.
  mutating func unblocked(_ state: StateReader) -> EvaluationUpdate? {
    if toUnblock.isEmpty { return nil }
    var update = EvaluationUpdate()
    for id in toUnblock.sorted() {
      guard var evaluation = blocked[id] else { continue }
      evaluation.status = .pending
      evaluation.statusDescription = ""
      update.evaluations.append(evaluation)
    }
    toUnblock = []
    return update.evaluations.isEmpty ? nil : update
  }

  /// The next evaluation whose turn it is.
  mutating func next(now: Timestamp) -> Evaluation? {
    for (id, entry) in waiting where entry.until <= now {
      waiting[id] = nil
      insert(entry.evaluation)
    }
    guard let first = ready.first else { return nil }
    ready.removeFirst()
    return pending.removeValue(forKey: first.id)
  }

  var nextDeadline: Timestamp? { waiting.values.map(\.until).min() }
  /// How many wait for their turn, for a time, and for room.
  var counts: (ready: Int, waiting: Int, blocked: Int) { (ready.count, waiting.count, blocked.count) }
}
