// Entries about allocations.

public import Codec
public import Model

/// What clients say of their allocations.
public struct AllocationClientUpdates: Record {
  /// One entry for each allocation that changed.
  public var updates: [AllocationStatusChange] = []
  /// Made or changed together with this, so that one cannot be there without the other.
  public var evaluations: [Evaluation] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Updates", &updates)
    v.field(2, "Evaluations", &evaluations)
  }
}

/// What a client says of one allocation.
public struct AllocationStatusChange: Record {
  /// The allocation.
  public var id: Identifier = .none
  /// What it is doing.
  public var clientStatus: AllocationClientStatus = .pending
  /// The same in words.
  public var clientDescription: String = ""
  /// Replaces the states of all tasks; empty leaves them as they are.
  public var taskStates: [String: TaskState] = [:]
  /// Health in the deployment, where the client has decided it.
  public var deploymentStatus: AllocDeploymentStatus?
  /// Address of its network; nil leaves what is known.
  public var networkStatus: AllocNetworkStatus?
  /// Replaces them; empty leaves them as they are.
  public var allocStates: [AllocState] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Id", &id)
    v.field(2, "ClientStatus", &clientStatus)
    v.field(3, "ClientDescription", &clientDescription)
    v.field(4, "TaskStates", &taskStates)
    v.field(5, "DeploymentStatus", &deploymentStatus)
    v.field(6, "NetworkStatus", &networkStatus)
    v.field(7, "AllocStates", &allocStates)
  }
}

/// Asks for allocations to be moved, stopped or rescheduled; the evaluations see to it.
public struct AllocationTransitions: Record {
  /// The allocations that are concerned.
  public var allocations: [Identifier] = []
  /// What is asked of each of them.
  public var transition: DesiredTransition = DesiredTransition()
  /// Made or changed together with this, so that one cannot be there without the other.
  public var evaluations: [Evaluation] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Allocations", &allocations)
    v.field(2, "Transition", &transition)
    v.field(3, "Evaluations", &evaluations)
  }
}
