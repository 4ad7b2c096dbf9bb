public import Codec
import Model

/// The replicated state of the cluster.
///
/// `apply` is the only way it changes. It is deterministic: the same entries give the same state on every server,
/// whatever the process's hash seed, clock or history of restarts. An entry that is refused changes nothing.
///
/// One thread owns it; `reader` is what others get.
public struct State: Sendable {
  /// Versions of a job that are kept beside those with a tag.
  public static let keptJobVersions = 6
  /// Disconnections and returns that an allocation keeps.
  static let keptAllocationStates = 10
  /// Events that a node keeps.
  static let keptNodeEvents = 10
  /// Scaling events that each group of a job keeps.
  static let keptScalingEvents = 20

  /// The tables. A copy is free and never changes.
  public internal(set) var reader: StateReader
  /// The nodes as columns, for the scheduler.
  public internal(set) var columns = NodeColumns()
  /// Jobs whose status may have changed in this apply.
  var touchedJobs: [JobKey] = []

  /// The state before the first entry: namespace `default`, node pools `all` and `default`.
  public init() {
    var configuration = SchedulerConfiguration()
    configuration.schedulerAlgorithm = "binpack"
    configuration.preemptionConfig.systemSchedulerEnabled = true
    reader = StateReader(schedulerConfiguration: configuration)
    var namespace = Namespace()
    namespace.name = "default"
    namespace.description = "Default shared namespace"
    namespace.createIndex = 1
    namespace.modifyIndex = 1
    reader.namespaces.set(Name("default"), Shared(namespace))
    for (name, description) in [("all", "Node pool with all nodes in the cluster."), ("default", "Default node pool.")]
    {
      var pool = NodePool()
      pool.name = name
      pool.description = description
      pool.createIndex = 1
      pool.modifyIndex = 1
      reader.nodePools.set(Name(name), Shared(pool))
    }
  }

  /// Applies one entry of the log.
  /// - Parameters:
  ///   - index: the entry's place in the log; greater than that of every entry before.
  ///   - time: the leader's clock as it stands in the entry.
  /// - Returns: what changed, or why the entry was refused.
  public mutating func apply(_ entry: LogEntry, index: UInt64, time: Timestamp) -> Result<Changes, StateError> {
    precondition(index > reader.index, "entry \(index) applied after \(reader.index)")
    let before = (index: reader.index, time: reader.time)
    reader.index = index
    reader.time = time
    var changes = Changes(index: index, entryKind: entry.kind)
    do throws(StateError) {
      try apply(entry, &changes)
    } catch {
      (reader.index, reader.time) = before
      return .failure(error)
    }
    deriveJobStatus(&changes)
    for table in Table.allCases where changes.tables.contains(table) {
      let at = Int(table.rawValue)
      while reader.tableIndexes.count <= at { reader.tableIndexes.append(0) }
      reader.tableIndexes[at] = index
    }
    return .success(changes)
  }

  /// Every case checks all that can be refused before it changes anything.
  private mutating func apply(_ entry: LogEntry, _ changes: inout Changes) throws(StateError) {
    switch entry {
    case .noOperation: break
    case .jobRegistration(let payload): try apply(payload, &changes)
    case .jobDeregistration(let payload): try apply(payload, &changes)
    case .jobStability(let payload): try apply(payload, &changes)
    case .jobVersionTagging(let payload): try apply(payload, &changes)
    case .nodeRegistration(let payload): try apply(payload, &changes)
    case .nodeDeregistration(let payload): try apply(payload, &changes)
    case .nodeStatusUpdate(let payload): try apply(payload, &changes)
    case .nodeEligibilityUpdate(let payload): try apply(payload, &changes)
    case .nodeDrainUpdate(let payload): try apply(payload, &changes)
    case .evaluationUpdate(let payload): put(payload.evaluations, &changes)
    case .planResult(let payload): try apply(payload, &changes)
    case .allocationClientUpdates(let payload): apply(payload, &changes)
    case .allocationTransitions(let payload): try apply(payload, &changes)
    case .deploymentStatusUpdates(let payload): try apply(payload, &changes)
    case .deploymentPromotion(let payload): try apply(payload, &changes)
    case .deploymentHealth(let payload): try apply(payload, &changes)
    case .namespaceUpsert(let payload): apply(payload, &changes)
    case .namespaceDeletion(let payload): try apply(payload, &changes)
    case .nodePoolUpsert(let payload): apply(payload, &changes)
    case .nodePoolDeletion(let payload): try apply(payload, &changes)
    case .schedulerConfiguration(let payload): try apply(payload, &changes)
    case .reaping(let payload): reap(payload, &changes)
    case .childJobLaunch(let payload): try apply(payload, &changes)
    case .jobScaling(let payload): try apply(payload, &changes)
    case .variableChange(let payload): try apply(payload, &changes)
    case .autopilotConfiguration(let payload): try apply(payload)
    case .restorePiece(let payload): try apply(payload)
    case .restoreEnd(let payload): try apply(payload, &changes)
    }
  }

  // MARK: Job status

  /// Derives the status of the jobs that this apply touched and stores it where it changed.
  private mutating func deriveJobStatus(_ changes: inout Changes) {
    var seen: Set<JobKey> = []
    let touched = touchedJobs
    touchedJobs.removeAll(keepingCapacity: true)
    for key in touched where seen.insert(key).inserted {
      guard var job = reader.jobs[key] else { continue }
      let status = Self.status(of: job, reader.activity[key])
      if status == job.status { continue }
      job.status = status
      job.modifyIndex = reader.index
      put(job, key, &changes)
    }
  }

  /// A job is running as long as an allocation neither has ended nor is to end, and pending as long as only an evaluation
  /// is open. Otherwise it is dead, but for system, periodic and parameterized jobs, which run until they are stopped.
  static func status(of job: StoredJob, _ activity: JobActivity?) -> JobStatus {
    let activity = activity ?? JobActivity()
    if activity.liveAllocations > 0 { return .running }
    let spec = job.spec.value
    let standing = spec.type == .system || spec.launchesChildren
    if standing { return job.isStopped ? .dead : .running }
    if activity.openEvaluations > 0 { return .pending }
    if job.isStopped { return .dead }
    // Nothing is left of it: it was dead and its evaluations are collected, or it is new and has none yet.
    return activity.isEmpty ? job.status : .dead
  }

  // MARK: Writing records, with all that is derived from them

  mutating func put(_ job: StoredJob, _ key: JobKey, _ changes: inout Changes) {
    reader.jobs.set(key, job)
    changes.records.append(.job(key, job))
    changes.tables.insert(.jobs)
  }

  mutating func put(_ node: Node, replacing old: Shared<Node>?, _ changes: inout Changes) {
    let record = Shared(node)
    reader.nodes.set(node.id, record)
    columns.set(record)
    if old == nil, let slot = columns.slot(of: node.id) {
      // A node that was removed may come back before its allocations have ended.
      for allocation in reader.allocations(onNode: node.id) where allocation.value.holdsResources {
        columns.take(allocation.value, slot)
      }
    }
    if let slot = columns.slot(of: node.id), columns.isCandidate(slot) { changes.freed(node.id) }
    changes.records.append(.node(record))
    changes.tables.insert(.nodes)
  }

  mutating func put(_ evaluations: [Evaluation], _ changes: inout Changes) {
    for evaluation in evaluations { put(evaluation, &changes) }
  }

  mutating func put(_ evaluation: Evaluation, _ changes: inout Changes) {
    var evaluation = evaluation
    let old = reader.evaluations[evaluation.id]
    evaluation.createIndex = old?.value.createIndex ?? reader.index
    evaluation.modifyIndex = reader.index
    if evaluation.createTime == 0 { evaluation.createTime = old?.value.createTime ?? reader.time.nanoseconds }
    evaluation.modifyTime = reader.time.nanoseconds
    let key = JobKey(evaluation.namespace, evaluation.jobID)
    if evaluation.jobModifyIndex == 0, let job = reader.jobs[key] {
      evaluation.jobModifyIndex = job.spec.value.jobModifyIndex ?? 0
    }
    let record = Shared(evaluation)
    reader.evaluations.set(evaluation.id, record)
    if let old { uncount(old.value) }
    Self.insert(evaluation.id, &reader.evaluationsByJob, key)
    reader.activity.modify(key, initial: JobActivity()) { activity in
      activity.count(evaluation, 1)
      return true
    }
    if evaluation.status == .complete || !evaluation.queuedAllocations.isEmpty, var job = reader.jobs[key],
      job.queued != evaluation.queuedAllocations
    {
      job.queued = evaluation.queuedAllocations
      reader.jobs.set(key, job)
      changes.tables.insert(.jobSummaries)
    }
    touchedJobs.append(key)
    changes.records.append(.evaluation(record))
    changes.tables.insert(.evaluations)
  }

  mutating func put(_ deployment: Deployment, _ changes: inout Changes) {
    var deployment = deployment
    let old = reader.deployments[deployment.id]
    deployment.createIndex = old?.value.createIndex ?? reader.index
    deployment.modifyIndex = reader.index
    if deployment.createTime == 0 { deployment.createTime = old?.value.createTime ?? reader.time.nanoseconds }
    deployment.modifyTime = reader.time.nanoseconds
    let record = Shared(deployment)
    reader.deployments.set(deployment.id, record)
    if old == nil {
      Self.insert(deployment.id, &reader.deploymentsByJob, JobKey(deployment.namespace, deployment.jobID))
    }
    changes.records.append(.deployment(record))
    changes.tables.insert(.deployments)
  }

  mutating func put(
    _ allocation: StoredAllocation, replacing old: Shared<StoredAllocation>?, _ changes: inout Changes
  ) {
    var allocation = allocation
    allocation.modifyIndex = reader.index
    allocation.modifyTime = reader.time
    let key = allocation.jobKey
    let record = Shared(allocation)
    reader.allocations.set(allocation.id, record)
    if old == nil {
      Self.insert(allocation.id, &reader.allocationsByNode, allocation.nodeID)
      Self.insert(allocation.id, &reader.allocationsByJob, key)
    }
    let before = (evaluation: old?.value.evalID, deployment: old?.value.deploymentID)
    if before.evaluation != allocation.evalID {
      if let evaluation = before.evaluation { Self.remove(allocation.id, &reader.allocationsByEvaluation, evaluation) }
      Self.insert(allocation.id, &reader.allocationsByEvaluation, allocation.evalID)
    }
    if before.deployment != allocation.deploymentID {
      if let deployment = before.deployment, !deployment.isNone {
        Self.remove(allocation.id, &reader.allocationsByDeployment, deployment)
      }
      if !allocation.deploymentID.isNone {
        Self.insert(allocation.id, &reader.allocationsByDeployment, allocation.deploymentID)
      }
    }
    account(old?.value, allocation, &changes)
    count(old?.value, allocation, key, &changes)
    changes.records.append(.allocation(record))
    changes.tables.insert(.allocations)
  }

  /// Keeps the columns in step with an allocation's change.
  private mutating func account(_ old: StoredAllocation?, _ new: StoredAllocation?, _ changes: inout Changes) {
    guard let node = new?.nodeID ?? old?.nodeID else { return }
    let (held, holds) = (old?.holdsResources ?? false, new?.holdsResources ?? false)
    if held, !holds { changes.freed(node) }
    guard let slot = columns.slot(of: node) else { return }
    if held, holds, let old, let new, old.demand == new.demand, old.ports == new.ports,
      old.isServerTerminal == new.isServerTerminal, old.job === new.job
    {
      return
    }
    if held, let old { columns.give(old, slot) }
    if holds, let new { columns.take(new, slot) }
  }

  /// Keeps the job's counts in step with an allocation's change.
  private mutating func count(
    _ old: StoredAllocation?, _ new: StoredAllocation?, _ key: JobKey, _ changes: inout Changes
  ) {
    if let old, let new, old.clientStatus == new.clientStatus, old.isTerminal == new.isTerminal,
      old.groupIndex == new.groupIndex, old.job === new.job
    {
      return
    }
    reader.activity.modify(key, initial: JobActivity()) { activity in
      if let old { activity.count(old, -1) }
      if let new { activity.count(new, 1) }
      return !activity.isEmpty
    }
    touchedJobs.append(key)
    changes.tables.insert(.jobSummaries)
  }

  // MARK: Removing

  mutating func removeAllocation(_ id: Identifier, _ changes: inout Changes) {
    guard let old = reader.allocations.remove(id) else { return }
    let key = old.value.jobKey
    Self.remove(id, &reader.allocationsByNode, old.value.nodeID)
    Self.remove(id, &reader.allocationsByJob, key)
    Self.remove(id, &reader.allocationsByEvaluation, old.value.evalID)
    if !old.value.deploymentID.isNone { Self.remove(id, &reader.allocationsByDeployment, old.value.deploymentID) }
    account(old.value, nil, &changes)
    count(old.value, nil, key, &changes)
    changes.records.append(.allocationRemoved(old))
    changes.tables.insert(.allocations)
  }

  mutating func removeEvaluation(_ id: Identifier, _ changes: inout Changes) {
    guard let old = reader.evaluations.remove(id) else { return }
    uncount(old.value)
    changes.records.append(.evaluationRemoved(id))
    changes.tables.insert(.evaluations)
  }

  /// Takes an evaluation out of its job's index and counts.
  private mutating func uncount(_ evaluation: Evaluation) {
    let key = JobKey(evaluation.namespace, evaluation.jobID)
    Self.remove(evaluation.id, &reader.evaluationsByJob, key)
    reader.activity.modify(key, initial: JobActivity()) { activity in
      activity.count(evaluation, -1)
      return !activity.isEmpty
    }
    touchedJobs.append(key)
  }

  mutating func removeDeployment(_ id: Identifier, _ changes: inout Changes) {
    guard let old = reader.deployments.remove(id) else { return }
    Self.remove(id, &reader.deploymentsByJob, JobKey(old.value.namespace, old.value.jobID))
    changes.records.append(.deploymentRemoved(id))
    changes.tables.insert(.deployments)
  }

  mutating func removeNode(_ id: Identifier, _ changes: inout Changes) {
    guard let old = reader.nodes.remove(id) else { return }
    columns.remove(id)
    changes.records.append(.nodeRemoved(old))
    changes.tables.insert(.nodes)
  }

  mutating func removeJob(_ key: JobKey, _ changes: inout Changes) {
    guard let old = reader.jobs.remove(key) else { return }
    setParent(of: key, from: old.spec.value.parentID, to: nil)
    changes.records.append(.jobRemoved(key))
    changes.tables.formUnion([.jobs, .jobVersions, .jobSummaries])
  }

  /// Moves a job between the children of its parents; nil and empty stand for none.
  mutating func setParent(of key: JobKey, from old: String?, to new: String?) {
    guard old != new else { return }
    if let old, !old.isEmpty {
      reader.jobsByParent.modify(JobKey(key.namespace, old), initial: OrderedTable()) { children in
        children.remove(Name(key.id))
        return !children.isEmpty
      }
    }
    if let new, !new.isEmpty {
      reader.jobsByParent.modify(JobKey(key.namespace, new), initial: OrderedTable()) { children in
        children.set(Name(key.id), StateReader.Nothing())
        return true
      }
    }
  }

  static func insert<Key>(
    _ id: Identifier, _ table: inout OrderedTable<Key, StateReader.IdentifierSet>, _ key: Key
  ) {
    table.modify(key, initial: OrderedTable()) { ids in
      ids.set(id, StateReader.Nothing())
      return true
    }
  }

  private static func remove<Key>(
    _ id: Identifier, _ table: inout OrderedTable<Key, StateReader.IdentifierSet>, _ key: Key
  ) {
    table.modify(key, initial: OrderedTable()) { ids in
      ids.remove(id)
      return !ids.isEmpty
    }
  }
}
