internal import Codec
internal import Model
internal import Scheduler
internal import State

/// Empties the nodes that are being drained.
///
/// Services move as their groups' `migrate` blocks allow: as many at a time as leave `count - max_parallel` healthy ones.
/// Batch allocations may go on until the deadline. When all of those are gone, system jobs go, unless they are ignored. At
/// the deadline everything that is left goes at once. The drain is complete when the clients have reported that nothing
/// runs any more.
struct NodeDrains {
  private var draining: [Identifier: DrainStrategy] = [:]
  /// Something changed that may let a drain go on.
  private var isDirty = false
  /// Deadlines that were acted on.
  private var expired: Set<Identifier> = []

  mutating func begin(_ state: StateReader) {
    self = NodeDrains()
    for (_, node) in state.nodes { note(node.value) }
  }

  mutating func note(_ node: Node) {
    guard let strategy = node.drainStrategy else { return forget(node.id) }
    if draining[node.id] != strategy { expired.remove(node.id) }
    draining[node.id] = strategy
    isDirty = true
  }

  mutating func forget(_ node: Identifier) {
    draining[node] = nil
    expired.remove(node)
  }

  /// An allocation anywhere may be the healthy one that a group waited for.
  mutating func note(_ allocation: StoredAllocation) { if !draining.isEmpty { isDirty = true } }

  mutating func noteJob() { if !draining.isEmpty { isDirty = true } }

  var nextDeadline: Timestamp? {
    draining.filter { !expired.contains($0.key) && !$0.value.forceDeadline.isZero }.map(\.value.forceDeadline).min()
  }

  /// The next entry that a drain needs; nil when none does.
  mutating func next(_ state: StateReader, now: Timestamp, random: inout RandomBits) -> LogEntry? {
    if draining.isEmpty { return nil }
    for (id, strategy) in draining where Self.isOver(strategy, now) && expired.insert(id).inserted { isDirty = true }
    guard isDirty else { return nil }
    let nodes = draining.keys.sorted()
    var moving: [Identifier] = []
    for id in nodes {
      guard let strategy = draining[id] else { continue }
      let left = state.allocations(onNode: id).map(\.value).filter { allocation in
        !allocation.isClientTerminal && !(strategy.ignoreSystemJobs && allocation.isOfSystemJob)
      }
      if left.isEmpty { return .nodeDrainUpdate(Self.completion(of: id)) }
      if expired.contains(id) {
        moving += left.filter(\.canBeMoved).map(\.id)
      } else if left.allSatisfy(\.isOfSystemJob) {
        moving += left.filter(\.canBeMoved).map(\.id)
      }
    }
    moving += services(state, beside: Set(moving))
    if !moving.isEmpty { return .allocationTransitions(Self.transitions(moving, state, &random)) }
    isDirty = false
    return nil
  }

  /// -1 for at once.
  private static func isOver(_ strategy: DrainStrategy, _ now: Timestamp) -> Bool {
    strategy.deadline < .zero || (!strategy.forceDeadline.isZero && strategy.forceDeadline <= now)
  }

  /// The services' allocations that may move now, over all nodes that are drained.
  private func services(_ state: StateReader, beside moving: Set<Identifier>) -> [Identifier] {
    var jobs: Set<JobKey> = []
    for id in draining.keys {
      for allocation in state.allocations(onNode: id) where !allocation.value.isTerminal {
        if allocation.value.job.value.type == .service { jobs.insert(allocation.value.jobKey) }
      }
    }
    var chosen: [Identifier] = []
    for key in jobs.sorted() {
      guard let job = state.job(key), !job.isStopped else { continue }
      let live = state.allocations(ofJob: key).map(\.value).filter { !$0.isTerminal }
      for group in job.spec.value.taskGroups {
        let own = live.filter { $0.groupName == group.name && !moving.contains($0.id) }
        let waiting = own.filter { draining[$0.nodeID] != nil && $0.canBeMoved }
        if waiting.isEmpty { continue }
        let healthy = own.filter { $0.deploymentStatus?.healthy == true && $0.canBeMoved }.count
        let parallel = max(1, (group.migrate ?? job.spec.value.migrate)?.maxParallel ?? 1)
        let allowed = healthy - ((group.count ?? 1) - parallel)
        if allowed > 0 { chosen += waiting.prefix(allowed).map(\.id) }
      }
    }
    return chosen
  }

  private static func completion(of node: Identifier) -> NodeDrainUpdate {
    var update = NodeDrainUpdate()
    update.node = node
    update.completed = true
    return update
  }

  private static func transitions(
    _ allocations: [Identifier], _ state: StateReader, _ random: inout RandomBits
  ) -> AllocationTransitions {
    var payload = AllocationTransitions()
    payload.allocations = allocations
    payload.transition.migrate = true
    var seen: Set<JobKey> = []
    for id in allocations {
      guard let allocation = state.allocation(id)?.value, seen.insert(allocation.jobKey).inserted else { continue }
      let job = state.job(allocation.jobKey)?.spec.value ?? allocation.job.value
      var evaluation = Evaluation(of: job, because: .nodeDrain, random: &random)
      evaluation.nodeID = allocation.nodeID
      payload.evaluations.append(evaluation)
    }
    return payload
  }
}

extension StoredAllocation {
  fileprivate var isOfSystemJob: Bool { job.value.runsOnEveryNode }
  /// Runs, and nobody has asked it to move yet.
  fileprivate var canBeMoved: Bool { !isTerminal && desiredTransition.migrate != true }
}
