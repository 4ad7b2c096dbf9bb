public import Codec
public import Model

/// The tables whose last change is known, for blocking queries on lists.
public enum Table: UInt8, CaseIterable, Sendable {
  case nodes = 1, jobs, jobVersions, evaluations, allocations, deployments, namespaces, nodePools,
    schedulerConfiguration,
    jobSummaries, variables
}

/// What one log entry changed, in the order of the changes. A record may appear more than once.
public struct Changes: Sendable {
  /// One changed record, as it is now.
  public enum Change: Sendable {
    case node(Shared<Node>)
    case nodeRemoved(Shared<Node>)
    case job(JobKey, StoredJob)
    case jobRemoved(JobKey)
    case evaluation(Shared<Evaluation>)
    case evaluationRemoved(Identifier)
    case allocation(Shared<StoredAllocation>)
    case allocationRemoved(Shared<StoredAllocation>)
    case deployment(Shared<Deployment>)
    case deploymentRemoved(Identifier)
    case namespace(Shared<Namespace>)
    case namespaceRemoved(String)
    case nodePool(Shared<NodePool>)
    case nodePoolRemoved(String)
    case schedulerConfiguration
    /// Set or removed; what is in it is nothing for streams.
    case variable(VariableKey)
  }

  /// The log index of the entry.
  public let index: UInt64
  /// The kind of the entry (`LogEntry.kind`).
  public let entryKind: UInt8
  /// The records.
  public internal(set) var records: [Change] = []
  /// Nodes on which room became free or which began to take allocations: evaluations that are blocked for nodes of their
  /// classes can be tried again. No node twice.
  public internal(set) var freedNodes: [Identifier] = []
  /// The tables that changed.
  public internal(set) var tables: Set<Table> = []

  /// Everything is different: the state of a snapshot has taken the place of the one before.
  public internal(set) var isRestoration = false

  init(index: UInt64, entryKind: UInt8) {
    self.index = index
    self.entryKind = entryKind
  }

  mutating func freed(_ node: Identifier) {
    if freedNodes.last != node, !freedNodes.contains(node) { freedNodes.append(node) }
  }
}
