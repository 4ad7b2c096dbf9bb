public import Codec
public import Model
public import State

/// Evaluations that wait for room, and which of them it is worth trying again when some appears.
///
/// Woken is who could be placed on the node with what is free there (or could be made free, where the job may preempt),
/// in a class that suits, in the job's datacenters and pool. They are in the order of the CPU they ask for, so those that
/// are too large for a node aren't even looked at.
public struct BlockedEvaluations: Sendable {
  private struct Entry {
    /// The least of what the groups that wait ask for.
    let cpu: Int32
    let id: Identifier

    static func < (left: Entry, right: Entry) -> Bool {
      left.cpu == right.cpu ? left.id < right.id : left.cpu < right.cpu
    }
  }

  private struct Waiting {
    let evaluation: Evaluation
    /// Of the groups that wait.
    let asks: [Demand]
    let datacenters: [String]
    let pool: String
    let mayPreempt: Bool
    let priority: Int
    let key: Entry
  }

  private var waiting: [Identifier: Waiting] = [:]
  /// Ascending.
  private var order: [Entry] = []

  /// Nobody waits.
  public init() {}

  /// How many wait.
  public var count: Int { waiting.count }
  /// Whether nobody waits.
  public var isEmpty: Bool { waiting.isEmpty }
  /// Everyone who waits, in order.
  public var ids: [Identifier] { waiting.keys.sorted() }

  /// One that waits.
  public subscript(id: Identifier) -> Evaluation? { waiting[id]?.evaluation }

  /// Adds an evaluation, or replaces what is known of it.
  public mutating func insert(_ evaluation: Evaluation, state: StateReader) {
    remove(evaluation.id)
    let job = state.job(JobKey(evaluation.namespace, evaluation.jobID))?.spec.value
    var asks: [Demand] = []
    for group in job?.taskGroups ?? [] where evaluation.failedTGAllocs[group.name] != nil {
      asks.append(Demand(of: group))
    }
    // Without knowing what is missing, any room may be enough.
    if asks.isEmpty { asks = [Demand(cpu: 0, memory: 0, disk: 0)] }
    let mayPreempt = job.map { PreemptionSwitch.isOn(for: $0, state) } ?? false
    // Who may preempt is looked at whatever is free.
    let key = Entry(cpu: mayPreempt ? .min : asks.map(\.cpu).min() ?? 0, id: evaluation.id)
    waiting[evaluation.id] = Waiting(
      evaluation: evaluation, asks: asks, datacenters: job?.datacenters ?? [], pool: job?.nodePool ?? "",
      mayPreempt: mayPreempt, priority: job?.priority ?? 50, key: key)
    order.insert(key, at: position(of: key))
  }

  /// Takes an evaluation out; one that doesn't wait is passed over.
  public mutating func remove(_ id: Identifier) {
    guard let known = waiting.removeValue(forKey: id) else { return }
    let at = position(of: known.key)
    if at < order.count, order[at].id == id { order.remove(at: at) }
  }

  private func position(of key: Entry) -> Int {
    var (low, high) = (0, order.count)
    while low < high {
      let middle = (low + high) / 2
      if order[middle] < key { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Those that may find room on one of the nodes, in order.
  public func thatMayFit(on nodes: [Identifier], columns: NodeColumns) -> [Identifier] {
    if waiting.isEmpty { return [] }
    var found: Set<Identifier> = []
    for node in nodes {
      guard let slot = columns.slot(of: node), columns.isCandidate(slot) else { continue }
      let free = Demand(
        cpu: columns.cpuTotal[slot] - columns.cpuUsed[slot],
        memory: columns.memoryTotal[slot] - columns.memoryUsed[slot],
        disk: columns.diskTotal[slot] - columns.diskUsed[slot])
      for entry in order {
        if entry.cpu > free.cpu { break }
        guard let waiting = waiting[entry.id], !found.contains(entry.id) else { continue }
        if mayFit(waiting, slot, free, columns) { found.insert(entry.id) }
      }
    }
    return found.sorted()
  }

  private func mayFit(_ waiting: Waiting, _ slot: Int, _ free: Demand, _ columns: NodeColumns) -> Bool {
    var free = free
    if waiting.mayPreempt {
      for held in columns.held[slot]
      where held.isStopping || Int(held.priority) + NodePreemption.priorityGap <= waiting.priority {
        free.cpu += held.demand.cpu
        free.memory += held.demand.memory
        free.disk += held.demand.disk
      }
    }
    let hasRoom = waiting.asks.contains { $0.cpu <= free.cpu && $0.memory <= free.memory && $0.disk <= free.disk }
    guard hasRoom else { return false }
    let evaluation = waiting.evaluation
    let computedClass = columns.classes[Int(columns.computedClass[slot])].name
    guard evaluation.escapedComputedClass || evaluation.classEligibility[computedClass] != false else { return false }
    let pool = columns.pools.names[Int(columns.pool[slot])]
    guard waiting.pool.isEmpty || waiting.pool == pool || waiting.pool == NodeSelection.poolOfAllNodes else {
      return false
    }
    let datacenter = columns.datacenters.names[Int(columns.datacenter[slot])]
    return waiting.datacenters.isEmpty || waiting.datacenters.contains { DatacenterGlob.matches($0, datacenter) }
  }
}

/// Whether a job may preempt others, as the region's configuration says for its type.
///
/// Source: "PreemptionConfig" of Nomad's public API documentation, "Operator: Scheduler".
enum PreemptionSwitch {
  static func isOn(for job: Job, _ state: StateReader) -> Bool {
    let configuration = state.schedulerConfiguration.preemptionConfig
    return switch job.type ?? .service {
    case .system: configuration.systemSchedulerEnabled
    case .sysbatch: configuration.sysBatchSchedulerEnabled
    case .batch: configuration.batchSchedulerEnabled
    default: configuration.serviceSchedulerEnabled
    }
  }
}
