public import Codec
internal import Model
public import State
internal import Synchronization

/// Something whose change a blocking query waits for.
public enum WatchKey: Hashable, Sendable {
  case table(Table)
  case job(JobKey)
  case node(Identifier)
  case evaluation(Identifier)
  case allocation(Identifier)
  case deployment(Identifier)
  case namespace(String)
  case nodePool(String)
  case variable(VariableKey)
  /// Any allocation, evaluation or deployment of a job.
  case jobAllocations(JobKey)
  case jobEvaluations(JobKey)
  case jobDeployments(JobKey)
  case nodeAllocations(Identifier)
  case evaluationAllocations(Identifier)
  case deploymentAllocations(Identifier)
}

extension Changes {
  /// Everything that a blocking query may be waiting for and that this entry changed.
  var watchKeys: Set<WatchKey> {
    var keys = Set(tables.map(WatchKey.table))
    for record in records {
      switch record {
      case .node(let node), .nodeRemoved(let node): keys.insert(.node(node.value.id))
      case .job(let key, _), .jobRemoved(let key): keys.insert(.job(key))
      case .evaluation(let evaluation):
        keys.insert(.evaluation(evaluation.value.id))
        keys.insert(.jobEvaluations(JobKey(evaluation.value.namespace, evaluation.value.jobID)))
      case .evaluationRemoved(let id): keys.insert(.evaluation(id))
      case .allocation(let allocation), .allocationRemoved(let allocation):
        let value = allocation.value
        keys.insert(.allocation(value.id))
        keys.insert(.jobAllocations(value.jobKey))
        keys.insert(.nodeAllocations(value.nodeID))
        keys.insert(.evaluationAllocations(value.evalID))
        if !value.deploymentID.isNone { keys.insert(.deploymentAllocations(value.deploymentID)) }
      case .deployment(let deployment):
        keys.insert(.deployment(deployment.value.id))
        keys.insert(.jobDeployments(JobKey(deployment.value.namespace, deployment.value.jobID)))
      case .deploymentRemoved(let id): keys.insert(.deployment(id))
      case .namespace(let namespace): keys.insert(.namespace(namespace.value.name))
      case .namespaceRemoved(let name): keys.insert(.namespace(name))
      case .nodePool(let pool): keys.insert(.nodePool(pool.value.name))
      case .nodePoolRemoved(let name): keys.insert(.nodePool(name))
      case .variable(let key): keys.insert(.variable(key))
      case .schedulerConfiguration: break
      }
    }
    return keys
  }
}

/// Who waits for which change.
///
/// A waiter is woken by the first change of any of its keys; it then looks whether that was enough and waits again.
final class WatchList: Sendable {
  private struct Waiters {
    var next: UInt64 = 0
    var byKey: [WatchKey: Set<UInt64>] = [:]
    var waiting: [UInt64: (keys: [WatchKey], continuation: CheckedContinuation<Void, Never>)] = [:]
    /// Tokens whose wait ended before it began.
    var cancelled: Set<UInt64> = []
    /// Counts wake-ups, so that a change between looking and waiting is not missed.
    var generation: UInt64 = 0
    var isClosed = false
  }

  private let waiters = Mutex(Waiters())

  /// To be read before the state is looked at and handed to `wait`.
  var generation: UInt64 { waiters.withLock { $0.generation } }

  /// How many wait now.
  var waitingCount: Int { waiters.withLock { $0.waiting.count } }

  /// Waits until one of `keys` changes, the task is cancelled or the list is closed; returns at once when anything at all
  /// has changed since `generation` was read.
  func wait(for keys: [WatchKey], since generation: UInt64) async {
    let token = waiters.withLock { waiters in
      waiters.next += 1
      return waiters.next
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        let resumesNow = waiters.withLock { waiters in
          if waiters.isClosed || waiters.generation != generation || waiters.cancelled.remove(token) != nil {
            return true
          }
          waiters.waiting[token] = (keys, continuation)
          for key in keys { waiters.byKey[key, default: []].insert(token) }
          return false
        }
        if resumesNow { continuation.resume() }
      }
    } onCancel: {
      let continuation = waiters.withLock { waiters in
        let found = Self.take(token, &waiters)
        if found == nil { waiters.cancelled.insert(token) }
        return found
      }
      continuation?.resume()
    }
    waiters.withLock { _ = $0.cancelled.remove(token) }
  }

  /// Wakes everyone who waits for one of `keys`.
  func wake(_ keys: Set<WatchKey>) {
    let continuations = waiters.withLock { waiters in
      waiters.generation += 1
      var found: [CheckedContinuation<Void, Never>] = []
      if waiters.waiting.isEmpty { return found }
      for key in keys {
        for token in waiters.byKey[key] ?? [] {
          if let continuation = Self.take(token, &waiters) { found.append(continuation) }
        }
      }
      return found
    }
    for continuation in continuations { continuation.resume() }
  }

  /// Wakes everyone.
  func wakeAll() { wakeAll(forGood: false) }

  /// Wakes everyone for good.
  func close() { wakeAll(forGood: true) }

  private func wakeAll(forGood: Bool) {
    let continuations = waiters.withLock { waiters in
      waiters.isClosed = waiters.isClosed || forGood
      waiters.generation += 1
      let all = waiters.waiting.values.map(\.continuation)
      waiters.waiting = [:]
      waiters.byKey = [:]
      return all
    }
    for continuation in continuations { continuation.resume() }
  }

  private static func take(_ token: UInt64, _ waiters: inout Waiters) -> CheckedContinuation<Void, Never>? {
    guard let waiter = waiters.waiting.removeValue(forKey: token) else { return nil }
    for key in waiter.keys {
      waiters.byKey[key]?.remove(token)
      if waiters.byKey[key]?.isEmpty == true { waiters.byKey[key] = nil }
    }
    return waiter.continuation
  }
}
