import Codec
import Model
import State

/// Compares what runs of one group of a service or batch job with what should, by the allocations' names.
struct GroupReconciler {
  let job: Job
  let group: TaskGroup
  let groupIndex: Int
  let now: Timestamp
  /// The rollout of the job's current version.
  let deployment: Deployment?
  /// A rollout of an earlier version that is ended by this evaluation or has ended last.
  let supersededDeployment: Deployment?
  let nodeCondition: (Identifier) -> NodeCondition
  /// Whether a node still meets what the group asks.
  let stillSuits: (TaskGroup, Identifier) -> Bool

  /// How good a node is for the group as things are; what `best_score` compares.
  let score: (TaskGroup, Identifier) -> Double

  enum NodeCondition: Sendable {
    case available
    /// Not heard of, and since when.
    case down(Timestamp)
    case gone
  }

  private enum Kind {
    case live
    /// A batch allocation that has done its work.
    case done
    /// Failed, and replaced later or never; its name stays taken.
    case settled
    case lost(StopReason)
    /// Not heard of, may come back, and is replaced meanwhile: not one of the count.
    case disconnected
    case migrating
    case rescheduled(RescheduleEvent, [RescheduleEvent])

    /// Whether another takes its place now.
    var leaves: Bool {
      switch self {
      case .lost, .migrating, .rescheduled: true
      case .live, .done, .settled, .disconnected: false
      }
    }
  }

  private struct Kept {
    let allocation: Shared<StoredAllocation>
    let kind: Kind
    let index: Int
  }

  private var isBatch: Bool { job.type == .batch }
  private var count: Int { max(group.count ?? 1, 0) }
  private var deploymentState: DeploymentState? { deployment?.taskGroups[group.name] }
  private var isHalted: Bool { deployment?.status == .paused || deployment?.status == .failed }

  private func isCurrent(_ allocation: StoredAllocation) -> Bool { allocation.job.value.version == job.version }

  func decide(_ allocations: [Shared<StoredAllocation>]) -> GroupDecision {
    var decision = GroupDecision(name: group.name, groupIndex: groupIndex)
    var (kept, canaries) = sort(allocations, into: &decision)
    reconcileReturned(&kept, into: &decision)
    let disconnected = kept.filter { if case .disconnected = $0.kind { true } else { false } }
    kept.removeAll { if case .disconnected = $0.kind { true } else { false } }
    yieldNames(&kept, into: &decision)
    reduce(&kept, into: &decision)
    let needsCanaries = update(kept, into: &decision)
    place(kept, disconnected, canaries: canaries, needsCanaries: needsCanaries, into: &decision)
    return decision
  }

  // MARK: What each allocation is

  private func sort(
    _ allocations: [Shared<StoredAllocation>], into decision: inout GroupDecision
  ) -> (kept: [Kept], canaries: [Shared<StoredAllocation>]) {
    var kept: [Kept] = []
    var canaries: [Shared<StoredAllocation>] = []
    kept.reserveCapacity(allocations.count)
    for shared in allocations {
      let allocation = shared.value
      if allocation.isServerTerminal { continue }
      if allocation.job.value.createIndex != job.createIndex {
        if !allocation.isClientTerminal { decision.stops.append((shared, .jobReplaced)) }
        continue
      }
      let canary = canaryRole(of: allocation)
      if canary == .superseded {
        if !allocation.isClientTerminal { decision.stops.append((shared, .canarySuperseded)) }
        continue
      }
      guard let kind = kind(of: shared, into: &decision) else { continue }
      if canary == .active {
        // A lost canary is made up for as a canary.
        if case .lost(let reason) = kind { decision.stops.append((shared, reason)) } else { canaries.append(shared) }
        continue
      }
      kept.append(Kept(allocation: shared, kind: kind, index: Int(allocation.nameIndex)))
    }
    return (kept, canaries)
  }

  private enum CanaryRole { case none, active, superseded }

  private func canaryRole(of allocation: StoredAllocation) -> CanaryRole {
    guard allocation.deploymentStatus?.canary == true else { return .none }
    if let deployment, deployment.id == allocation.deploymentID {
      if deploymentState?.promoted ?? true { return .none }
      return deployment.status == .failed || deployment.status == .cancelled ? .superseded : .active
    }
    if let old = supersededDeployment, old.id == allocation.deploymentID {
      return old.taskGroups[group.name]?.promoted ?? true ? .none : .superseded
    }
    return .none
  }

  private func kind(of shared: Shared<StoredAllocation>, into decision: inout GroupDecision) -> Kind? {
    let allocation = shared.value
    if allocation.isClientTerminal {
      switch allocation.clientStatus {
      case .complete where isBatch: return isCurrent(allocation) ? .done : nil
      case .failed, .complete: return kindOfFailed(shared, into: &decision)
      default: return nil
      }
    }
    switch nodeCondition(allocation.nodeID) {
    case .down(let since): return kindOfSilent(shared, since: since, into: &decision)
    case .gone: return .lost(.nodeGone)
    case .available: break
    }
    // Its node is back, what has become of it is not known yet; its replacement runs on until it is.
    if allocation.clientStatus == .unknown, !allocation.nextAllocation.isNone { return .disconnected }
    if allocation.desiredTransition.migrate == true { return .migrating }
    return .live
  }

  /// An allocation whose node is not heard of.
  private func kindOfSilent(
    _ shared: Shared<StoredAllocation>, since: Timestamp, into decision: inout GroupDecision
  ) -> Kind? {
    let policy = DisconnectPolicy(group)
    let isReplaced = !shared.value.nextAllocation.isNone
    switch policy.verdict(on: shared.value, silentSince: since, now: now) {
    case .lost:
      // Who was replaced when it became unknown leaves its place to that one.
      guard isReplaced else { return .lost(.nodeLost) }
      decision.stops.append((shared, .nodeLost))
      return nil
    case .unknown(let end):
      if shared.value.clientStatus != .unknown {
        decision.unknown.append(shared)
        decision.updates.disconnect += 1
      }
      if let end { decision.timeouts.append((shared, end)) }
      return policy.replaces ? .disconnected : .settled
    case .running(let end):
      decision.timeouts.append((shared, end))
      return .settled
    }
  }

  /// Decides between allocations that were heard of again and those that have run in their place.
  private func reconcileReturned(_ kept: inout [Kept], into decision: inout GroupDecision) {
    var live: [Identifier: Kept] = [:]
    for item in kept { if case .live = item.kind { live[item.allocation.value.id] = item } }
    var leaving: Set<Identifier> = []
    for item in kept where live[item.allocation.value.id] != nil {
      let original = item.allocation
      guard let replacement = live[original.value.nextAllocation]?.allocation,
        !leaving.contains(original.value.id), !leaving.contains(replacement.value.id)
      else { continue }
      if keepsOriginal(original.value, replacement.value) {
        decision.stops.append((replacement, .originalKept))
        leaving.insert(replacement.value.id)
      } else {
        decision.stops.append((original, .replacementKept))
        leaving.insert(original.value.id)
      }
      decision.updates.reconnect += 1
    }
    if !leaving.isEmpty { kept.removeAll { leaving.contains($0.allocation.value.id) } }
  }

  private func keepsOriginal(_ original: StoredAllocation, _ replacement: StoredAllocation) -> Bool {
    // An older version gives way, whatever the strategy.
    if isCurrent(original) != isCurrent(replacement) { return isCurrent(original) }
    switch DisconnectPolicy(group).reconcile {
    case .keepOriginal: return true
    case .keepReplacement: return false
    case .longestRunning:
      guard let since = replacement.runningSince else { return true }
      return (original.runningSince ?? original.createTime) <= since
    case .bestScore:
      guard replacement.clientStatus == .running else { return true }
      return score(group, original.nodeID) >= score(group, replacement.nodeID)
    }
  }

  /// A service's allocation that completed by itself is treated as one that failed: it was to run on.
  private func kindOfFailed(_ shared: Shared<StoredAllocation>, into decision: inout GroupDecision) -> Kind? {
    let allocation = shared.value
    // A newer version gets a new chance at once; an allocation that has its replacement needs no other.
    guard isCurrent(allocation), allocation.nextAllocation.isNone else { return nil }
    let force = allocation.desiredTransition.forceReschedule == true
    if !force, let deployment, deployment.id == allocation.deploymentID {
      if deployment.status == .failed { return .settled }
      // Without a deadline for progress the first failure ends the deployment: nothing is tried again within it.
      if deployment.isActive, deploymentState?.progressDeadline == .zero { return .settled }
    }
    let history = RescheduleHistory(
      policy: group.reschedulePolicy ?? job.reschedule ?? ReschedulePolicy(),
      events: allocation.rescheduleTracker?.events ?? [], failedAt: allocation.failureTime)
    switch history.decide(allocation: allocation, now: now, force: force) {
    case .now(let event): return .rescheduled(event, history.keptByReplacement)
    case .later(let due):
      decision.delayed.append((shared, due))
      return .settled
    case .never: return .settled
    }
  }

  // MARK: Too many

  /// An old version whose name a new one has goes, whatever the count: that one was a canary and has been promoted. What
  /// would otherwise go in its place would leave two of one name and none of another.
  private func yieldNames(_ kept: inout [Kept], into decision: inout GroupDecision) {
    let taken = Set(kept.lazy.filter { isCurrent($0.allocation.value) }.map(\.index))
    kept.removeAll { item in
      guard !isCurrent(item.allocation.value), taken.contains(item.index) else { return false }
      if case .lost(let reason) = item.kind {
        decision.stops.append((item.allocation, reason))
      } else {
        decision.stops.append((item.allocation, .updated))
      }
      decision.delayed.removeAll { $0.allocation.value.id == item.allocation.value.id }
      return true
    }
  }

  /// Lets go of what exceeds the count: first what would have to be replaced anyway, then the highest indexes.
  private func reduce(_ kept: inout [Kept], into decision: inout GroupDecision) {
    guard kept.count > count else { return }
    func rank(_ item: Kept) -> Int {
      switch item.kind {
      case .lost: 0
      case .migrating: 1
      case .rescheduled: 2
      case .settled: 3
      case .live: 4
      case .done: 6
      case .disconnected: 0
      }
    }
    let order = kept.indices.sorted { left, right in
      let (leftRank, rightRank) = (rank(kept[left]), rank(kept[right]))
      if leftRank != rightRank { return leftRank < rightRank }
      if kept[left].index != kept[right].index { return kept[left].index > kept[right].index }
      return kept[left].allocation.value.id < kept[right].allocation.value.id
    }
    let remove = Set(order.prefix(kept.count - count))
    for position in remove.sorted() {
      let item = kept[position]
      switch item.kind {
      case .lost(let reason): decision.stops.append((item.allocation, reason))
      case .done:
        // Nothing to stop; it stays counted so that nothing is placed for it.
        decision.updates.ignore += 1
      default: decision.stops.append((item.allocation, .countReduced))
      }
      decision.delayed.removeAll { $0.allocation.value.id == item.allocation.value.id }
    }
    kept = kept.indices.filter { !remove.contains($0) }.map { kept[$0] }
  }

  // MARK: Other versions

  /// Splits what runs an earlier version into what can take over the new one and what has to be replaced. Returns whether
  /// the group still has to prove the new version with canaries.
  private func update(_ kept: [Kept], into decision: inout GroupDecision) -> Bool {
    var outdated: [Shared<StoredAllocation>] = []
    var verdicts: [UInt64: Bool] = [:]
    for item in kept {
      switch item.kind {
      case .live where !isCurrent(item.allocation.value):
        let old = item.allocation.value.job
        let version = old.value.version ?? 0
        let needsReplacement: Bool
        if let known = verdicts[version] {
          needsReplacement = known
        } else {
          needsReplacement = UpdateEffect.needsReplacement(group: group.name, old: old.value, new: job)
          verdicts[version] = needsReplacement
        }
        if needsReplacement || !stillSuits(group, item.allocation.value.nodeID) {
          outdated.append(item.allocation)
        } else {
          decision.inPlace.append(item.allocation)
        }
      case .live, .done, .settled: decision.updates.ignore += 1
      case .lost, .migrating, .rescheduled, .disconnected: break
      }
    }
    outdated.sort { ($0.value.nameIndex, $0.value.id) < ($1.value.nameIndex, $1.value.id) }
    let canaries = strategy?.canary ?? 0
    // What has to leave its place is of the old version too, and stays on it until the canaries are promoted.
    let isOutdated = !outdated.isEmpty || kept.contains { !isCurrent($0.allocation.value) && $0.kind.leaves }
    let needsCanaries = canaries > 0 && isOutdated && !(deploymentState?.promoted ?? false)
    let limit = needsCanaries ? 0 : destructiveLimit(kept)
    decision.destructive = Array(outdated.prefix(limit))
    decision.waiting = outdated.count - decision.destructive.count
    decision.updates.ignore += UInt64(decision.waiting)
    decision.updates.inPlaceUpdate = UInt64(decision.inPlace.count)
    decision.updates.destructiveUpdate = UInt64(decision.destructive.count)
    return needsCanaries
  }

  /// The group's `update` block where it asks for a deployment.
  var strategy: UpdateStrategy? {
    guard job.type == .service, let update = group.update ?? job.update, (update.maxParallel ?? 1) > 0 else {
      return nil
    }
    return update
  }

  /// How many allocations may be replaced in this step: `max_parallel` without those that the deployment has placed and
  /// that aren't healthy yet.
  private func destructiveLimit(_ kept: [Kept]) -> Int {
    guard let strategy else { return .max }
    if isHalted { return 0 }
    var unproven = 0
    if let deployment {
      for item in kept where item.allocation.value.deploymentID == deployment.id {
        switch item.allocation.value.deploymentStatus?.healthy ?? nil {
        case true?: continue
        // Nothing else is put at risk before the deployment is decided.
        case false?: return 0
        case nil: unproven += 1
        }
      }
    }
    return max((strategy.maxParallel ?? 1) - unproven, 0)
  }

  // MARK: Too few

  private func place(
    _ kept: [Kept], _ disconnected: [Kept], canaries: [Shared<StoredAllocation>], needsCanaries: Bool,
    into decision: inout GroupDecision
  ) {
    for item in kept {
      let allocation = item.allocation
      // Until canaries have proven the new version, and after it has failed, what was on the old one stays on it.
      let staysOnVersion = !isCurrent(allocation.value) && (needsCanaries || deployment?.status == .failed)
      var request: PlacementRequest
      switch item.kind {
      case .lost(let reason):
        decision.stops.append((allocation, reason))
        request = PlacementRequest(.lost, nameIndex: item.index, previous: allocation)
        decision.updates.place += 1
      case .migrating:
        decision.stops.append((allocation, .migrating))
        request = PlacementRequest(.migrating, nameIndex: item.index, previous: allocation)
        decision.updates.migrate += 1
      case .rescheduled(let event, let history):
        // Marked as replaced when there is a place: until then its history is needed.
        request = PlacementRequest(.rescheduled, nameIndex: item.index, previous: allocation)
        var tracker = RescheduleTracker()
        tracker.events = history + [event]
        tracker.lastReschedule = "ok"
        request.rescheduleTracker = tracker
        request.avoidedNodes = tracker.events.map(\.prevNodeID)
        decision.updates.place += 1
        decision.updates.rescheduleNow += 1
      case .live, .done, .settled, .disconnected: continue
      }
      if staysOnVersion { request.otherVersion = allocation.value.job }
      decision.placements.append(request)
    }
    for allocation in decision.destructive {
      decision.placements.append(
        PlacementRequest(.update, nameIndex: Int(allocation.value.nameIndex), previous: allocation))
    }
    decision.updates.rescheduleLater = UInt64(decision.delayed.count)

    // Those that are unknown are replaced by name, as many as the count has room for.
    var occupied = kept.count
    var names = Set(kept.map(\.index))
    for item in disconnected.sorted(by: { $0.index < $1.index }) where item.allocation.value.nextAllocation.isNone {
      guard occupied < count, names.insert(item.index).inserted else { continue }
      occupied += 1
      var request = PlacementRequest(.disconnected, nameIndex: item.index, previous: item.allocation)
      if !isCurrent(item.allocation.value), needsCanaries || deployment?.status == .failed {
        request.otherVersion = item.allocation.value.job
      }
      decision.placements.append(request)
      decision.updates.place += 1
    }

    if isHalted { return }
    let missing = count - occupied
    let ofCanaries = Set(canaries.map { Int($0.value.nameIndex) })
    var ofNew = Set(kept.lazy.filter { isCurrent($0.allocation.value) }.map(\.index))
    if missing > 0 {
      let taken = names.union(ofCanaries)
      var index = 0
      for _ in 0..<missing {
        while taken.contains(index) { index += 1 }
        decision.placements.append(PlacementRequest(.new, nameIndex: index))
        ofNew.insert(index)
        index += 1
      }
      decision.updates.place += UInt64(missing)
    }
    if needsCanaries {
      // Canaries bear the names of those that they will replace, and of nothing that has the new version already.
      let names = ofCanaries.union(ofNew)
      let missing = max((strategy?.canary ?? 0) - canaries.count, 0)
      for index in (0..<count + missing + names.count).lazy.filter({ !names.contains($0) }).prefix(missing) {
        decision.placements.append(PlacementRequest(.canary, nameIndex: index))
      }
      decision.updates.canary += UInt64(missing)
    }
  }
}

extension Deployment {
  /// Whether it still goes on.
  var isActive: Bool {
    switch status {
    case .running, .paused, .initializing, .pending, .blocked, .unblocking: true
    case .failed, .successful, .cancelled: false
    }
  }
}

extension StoredAllocation {
  /// When the last of its tasks ended; the last change where no task says.
  var failureTime: Timestamp {
    let last = taskStates.values.map(\.finishedAt).max() ?? .zeroValue
    return last == .zeroValue ? modifyTime : last
  }
}
