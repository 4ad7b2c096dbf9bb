public import Codec
public import Model

/// The state at one log index, for reading.
///
/// A copy costs a few references, never changes, and can be walked on any thread while the state goes on. Everything is
/// in order: identifiers by their bits, names by their bytes, so a list can be cut into pages by its keys.
public struct StateReader: Sendable {
  /// The index of the last log entry applied.
  public internal(set) var index: UInt64 = 0
  /// The leader's clock in that entry.
  public internal(set) var time: Timestamp = .zeroValue
  var tableIndexes: [UInt64] = []

  /// By id; so are the others.
  public internal(set) var nodes = OrderedTable<Identifier, Shared<Node>>()
  /// By namespace and id.
  public internal(set) var jobs = OrderedTable<JobKey, StoredJob>()
  public internal(set) var evaluations = OrderedTable<Identifier, Shared<Evaluation>>()
  public internal(set) var allocations = OrderedTable<Identifier, Shared<StoredAllocation>>()
  public internal(set) var deployments = OrderedTable<Identifier, Shared<Deployment>>()
  /// By name.
  public internal(set) var namespaces = OrderedTable<Name, Shared<Namespace>>()
  /// By name.
  public internal(set) var nodePools = OrderedTable<Name, Shared<NodePool>>()
  /// By namespace and path.
  public internal(set) var variables = OrderedTable<VariableKey, Shared<StoredVariable>>()
  /// The region's.
  public internal(set) var schedulerConfiguration: SchedulerConfiguration
  /// By how much the index of the state is ahead of that of the log's entry: 0 until a snapshot whose indexes were higher
  /// was restored.
  public internal(set) var indexOffset: UInt64 = 0
  /// A restoration that is going on.
  var staged: StagedRestore?
  /// Nil until somebody has changed it.
  var changedAutopilotConfiguration: AutopilotConfiguration?
  /// How the leader looks after the members of the cluster.
  public var autopilotConfiguration: AutopilotConfiguration {
    changedAutopilotConfiguration ?? AutopilotConfiguration()
  }

  /// A set of identifiers: an index holds keys only, so an update of a record leaves its indexes alone.
  public typealias IdentifierSet = OrderedTable<Identifier, Nothing>
  /// The value of a table that is used as a set.
  public struct Nothing: Hashable, Sendable {}

  /// Also of nodes that are gone, as long as they have allocations.
  public internal(set) var allocationsByNode = OrderedTable<Identifier, IdentifierSet>()
  /// Also of jobs that were purged, as long as they have allocations.
  public internal(set) var allocationsByJob = OrderedTable<JobKey, IdentifierSet>()
  /// By the evaluation that placed or changed them last.
  public internal(set) var allocationsByEvaluation = OrderedTable<Identifier, IdentifierSet>()
  /// Of those that belong to one.
  public internal(set) var allocationsByDeployment = OrderedTable<Identifier, IdentifierSet>()
  public internal(set) var evaluationsByJob = OrderedTable<JobKey, IdentifierSet>()
  public internal(set) var deploymentsByJob = OrderedTable<JobKey, IdentifierSet>()
  /// The jobs that were launched from a periodic or parameterized one.
  public internal(set) var jobsByParent = OrderedTable<JobKey, OrderedTable<Name, Nothing>>()
  /// Counts by job; also of jobs that were purged, as long as something of them is left.
  public internal(set) var activity = OrderedTable<JobKey, JobActivity>()

  init(schedulerConfiguration: SchedulerConfiguration) {
    self.schedulerConfiguration = schedulerConfiguration
  }

  // MARK: Looking up

  /// The index of the last change in a table, at least 1: what a blocking query on its list waits to move.
  public func index(of table: Table) -> UInt64 {
    let at = Int(table.rawValue)
    return max(1, tableIndexes.indices.contains(at) ? tableIndexes[at] : 0)
  }

  /// A node.
  public func node(_ id: Identifier) -> Shared<Node>? { nodes[id] }
  /// A job.
  public func job(_ key: JobKey) -> StoredJob? { jobs[key] }
  /// An evaluation.
  public func evaluation(_ id: Identifier) -> Shared<Evaluation>? { evaluations[id] }
  /// An allocation.
  public func allocation(_ id: Identifier) -> Shared<StoredAllocation>? { allocations[id] }
  /// A deployment.
  public func deployment(_ id: Identifier) -> Shared<Deployment>? { deployments[id] }
  /// A namespace.
  public func namespace(_ name: String) -> Shared<Namespace>? { namespaces[Name(name)] }
  /// A node pool.
  public func nodePool(_ name: String) -> Shared<NodePool>? { nodePools[Name(name)] }

  /// Whether tasks in a node pool may use more memory than is reserved for them: as the pool says, else the region.
  public func memoryOversubscription(inPool name: String) -> Bool {
    nodePool(name)?.value.schedulerConfiguration?.memoryOversubscriptionEnabled
      ?? schedulerConfiguration.memoryOversubscriptionEnabled
  }

  // MARK: Indexes

  private func gather<Record>(
    _ ids: IdentifierSet?, from table: OrderedTable<Identifier, Shared<Record>>
  ) -> [Shared<Record>] {
    guard let ids else { return [] }
    var result: [Shared<Record>] = []
    result.reserveCapacity(ids.count)
    for (id, _) in ids { if let record = table[id] { result.append(record) } }
    return result
  }

  /// The allocations of a node, by id.
  public func allocations(onNode id: Identifier) -> [Shared<StoredAllocation>] {
    gather(allocationsByNode[id], from: allocations)
  }
  /// The allocations of a job, of any version, by id.
  public func allocations(ofJob key: JobKey) -> [Shared<StoredAllocation>] {
    gather(allocationsByJob[key], from: allocations)
  }
  /// The allocations that an evaluation placed or changed last, by id.
  public func allocations(ofEvaluation id: Identifier) -> [Shared<StoredAllocation>] {
    gather(allocationsByEvaluation[id], from: allocations)
  }
  /// The allocations of a deployment, by id.
  public func allocations(ofDeployment id: Identifier) -> [Shared<StoredAllocation>] {
    gather(allocationsByDeployment[id], from: allocations)
  }
  /// The evaluations of a job, by id.
  public func evaluations(ofJob key: JobKey) -> [Shared<Evaluation>] {
    gather(evaluationsByJob[key], from: evaluations)
  }
  /// The deployments of a job, by id.
  public func deployments(ofJob key: JobKey) -> [Shared<Deployment>] {
    gather(deploymentsByJob[key], from: deployments)
  }
  /// The job's newest deployment.
  public func latestDeployment(ofJob key: JobKey) -> Shared<Deployment>? {
    deployments(ofJob: key).max { $0.value.createIndex < $1.value.createIndex }
  }
  /// The jobs of a namespace whose id begins with `prefix`, by id.
  public func jobs(inNamespace namespace: String, prefix: String = "") -> [StoredJob] {
    var result: [StoredJob] = []
    for (key, job) in jobs.from(JobKey(namespace, prefix)) {
      guard key.namespace == namespace, key.id.utf8.starts(with: prefix.utf8) else { break }
      result.append(job)
    }
    return result
  }
  /// The records whose identifier begins with a text, by id; empty for a text that no identifier begins with.
  public func matches<Record>(_ prefix: String, in table: OrderedTable<Identifier, Shared<Record>>) -> [Shared<Record>]
  {
    guard let range = IdentifierPrefix(prefix) else { return [] }
    var result: [Shared<Record>] = []
    for (id, record) in table.from(range.lower) {
      guard id <= range.upper else { break }
      result.append(record)
    }
    return result
  }

  // MARK: Summaries

  /// How many of a job's allocations are in which state, by group; nil if there is no such job.
  public func summary(ofJob key: JobKey) -> JobSummary? {
    guard let stored = jobs[key] else { return nil }
    var summary = JobSummary()
    summary.jobID = key.id
    summary.namespace = key.namespace
    for group in stored.spec.value.taskGroups { summary.summary[group.name] = TaskGroupSummary() }
    for group in activity[key]?.groups ?? [] {
      var counts = TaskGroupSummary()
      counts.starting = Int(group.starting)
      counts.running = Int(group.running)
      counts.complete = Int(group.complete)
      counts.failed = Int(group.failed)
      counts.lost = Int(group.lost)
      counts.unknown = Int(group.unknown)
      summary.summary[group.name] = counts
    }
    for (group, count) in stored.queued { summary.summary[group]?.queued = count }
    var children = JobChildrenSummary()
    for (id, _) in jobsByParent[key] ?? OrderedTable() {
      switch jobs[JobKey(key.namespace, id.text)]?.status {
      case JobStatus.pending?: children.pending += 1
      case JobStatus.running?: children.running += 1
      case JobStatus.dead?: children.dead += 1
      default: break
      }
    }
    summary.children = children
    summary.createIndex = stored.spec.value.createIndex ?? 0
    summary.modifyIndex = stored.modifyIndex
    return summary
  }
}
