public import Codec
public import Model
public import Scheduler
public import State

/// What a leader does of its own accord: it evaluates, watches heartbeats and deployments, drains nodes, launches periodic
/// jobs and collects garbage.
///
/// Pure: it is told what changed and what time it is, and says what to propose next. Everything here is rebuilt from the
/// state when a server becomes leader, so nothing is lost with the one before.
struct Duties {
  /// Something for the shell to do.
  enum Action {
    case propose(LogEntry)
    case notice(Notice)
  }

  var heartbeats: Heartbeats
  var evaluations = EvaluationQueue()
  var deployments = DeploymentWatch()
  var drains = NodeDrains()
  var launches: PeriodicLaunches
  var garbage: GarbageCollection
  private var random: RandomBits
  private var actions: [Action] = []

  init(configuration: DutyConfiguration, random: RandomBits) {
    heartbeats = Heartbeats(configuration)
    launches = PeriodicLaunches(timeZone: configuration.timeZone)
    garbage = GarbageCollection(configuration)
    self.random = random
  }

  /// Takes over with the state as it is.
  mutating func begin(_ state: StateReader, now: Timestamp) {
    actions = []
    heartbeats.begin(state, now: now)
    evaluations.begin(state)
    deployments.begin(state)
    drains.begin(state)
    launches.begin(state)
    garbage.begin(now: now)
  }

  /// Learns what an entry changed.
  mutating func note(_ changes: Changes, _ state: StateReader, columns: NodeColumns, now: Timestamp) {
    for record in changes.records {
      switch record {
      case .node(let node):
        heartbeats.note(node.value, now: now)
        drains.note(node.value)
      case .nodeRemoved(let node):
        heartbeats.forget(node.value.id)
        drains.forget(node.value.id)
      case .evaluation(let evaluation): evaluations.note(evaluation.value, state)
      case .evaluationRemoved(let id): evaluations.forget(id)
      case .deployment(let deployment): deployments.note(deployment.value)
      case .deploymentRemoved(let id): deployments.forget(id)
      case .job(let key, let job):
        launches.note(key, job)
        drains.noteJob()
      case .jobRemoved(let key): launches.forget(key)
      case .allocation(let allocation), .allocationRemoved(let allocation): drains.note(allocation.value)
      case .namespace, .namespaceRemoved, .nodePool, .nodePoolRemoved, .schedulerConfiguration, .variable: break
      }
    }
    if !changes.freedNodes.isEmpty { evaluations.roomAppeared(on: changes.freedNodes, columns: columns) }
  }

  /// The next thing to do; nil when there is nothing until `nextDeadline` or the next change.
  mutating func next(_ state: State, now: Timestamp, stopwatch: () -> Int64) -> Action? {
    if !actions.isEmpty { return actions.removeFirst() }
    if let silent = heartbeats.expired(now: now, state.reader) {
      for node in silent.updates {
        actions.append(.notice(Notice(.warning, "node \(node.node) is \(node.status.rawValue): \(node.message)")))
      }
      return .propose(.nodeStatusUpdate(withEvaluations(silent, state.reader)))
    }
    if let entry = deployments.next(state.reader, now: now, random: &random) { return .propose(entry) }
    if let entry = drains.next(state.reader, now: now, random: &random) { return .propose(entry) }
    switch launches.next(state.reader, now: now, random: &random) {
    case .launch(let launch)?: return .propose(.childJobLaunch(launch))
    case .skipped(let message)?: return .notice(Notice(.info, message))
    case nil: break
    }
    // An operator may have all evaluations wait.
    if state.reader.schedulerConfiguration.pauseEvalBroker { return reap(state.reader, now: now) }
    if let update = evaluations.unblocked(state.reader) { return .propose(.evaluationUpdate(update)) }
    if let evaluation = evaluations.next(now: now) {
      return .propose(schedule(evaluation, state, now: now, random: &random, stopwatch: stopwatch))
    }
    return reap(state.reader, now: now)
  }

  private mutating func reap(_ state: StateReader, now: Timestamp) -> Action? {
    garbage.next(state, now: now).map { .propose(.reaping($0)) }
  }

  /// When there may be something to do although nothing changes.
  var nextDeadline: Timestamp? {
    [
      heartbeats.nextDeadline, evaluations.nextDeadline, deployments.nextDeadline, drains.nextDeadline,
      launches.nextDeadline, garbage.nextDeadline,
    ].compactMap { $0 }.min()
  }

  /// Every job with something on a node that went down is evaluated, in the same entry.
  private mutating func withEvaluations(_ update: NodeStatusUpdate, _ state: StateReader) -> NodeStatusUpdate {
    var update = update
    for change in update.updates {
      update.evaluations += nodeEvaluations(change.node, state, random: &random)
    }
    return update
  }
}

/// One evaluation for each job that has something on a node.
public func nodeEvaluations(_ node: Identifier, _ state: StateReader, random: inout RandomBits) -> [Evaluation] {
  var jobs: [JobKey: Shared<Job>] = [:]
  for allocation in state.allocations(onNode: node) where !allocation.value.isClientTerminal {
    jobs[allocation.value.jobKey] = allocation.value.job
  }
  return jobs.sorted { $0.key < $1.key }.map { key, job in
    var evaluation = Evaluation(of: state.job(key)?.spec.value ?? job.value, because: .nodeUpdate, random: &random)
    evaluation.nodeID = node
    evaluation.nodeModifyIndex = state.node(node)?.value.modifyIndex ?? 0
    return evaluation
  }
}

extension Evaluation {
  /// A pending evaluation of a job.
  public init<G: RandomNumberGenerator>(of job: Job, because trigger: EvaluationTrigger, random: inout G) {
    self.init()
    id = Identifier(using: &random)
    namespace = job.namespace ?? "default"
    priority = job.priority ?? 50
    type = (job.type ?? .service).rawValue
    triggeredBy = trigger
    jobID = job.id
    status = .pending
  }
}

/// The scheduler's answer to an evaluation, as the entry that makes it so.
private func schedule(
  _ evaluation: Evaluation, _ state: State, now: Timestamp, random: inout RandomBits, stopwatch: () -> Int64
) -> LogEntry {
  let began = stopwatch()
  var result = Scheduler.schedule(
    evaluation, state: state.reader, columns: state.columns, now: now, random: &random)
  // The scheduler knows no clock: how long it took is written into what it has decided.
  let spent = Nanoseconds((stopwatch() - began) / Int64(max(result.plan.placements.count, 1)))
  for index in result.plan.metrics.indices { result.plan.metrics[index].allocationTime = spent }
  return .planResult(result.plan)
}
