// Entries about deployments.

public import Codec
public import Model

/// Changes the status of deployments.
public struct DeploymentStatusUpdates: Record {
  public var updates: [DeploymentStatusChange] = []
  /// The version that a failed deployment goes back to, registered anew.
  public var revertedJob: JobRegistration?
  /// Made or changed together with this, so that one cannot be there without the other.
  public var evaluations: [Evaluation] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Updates", &updates)
    v.field(2, "RevertedJob", &revertedJob)
    v.field(3, "Evaluations", &evaluations)
  }
}

/// One deployment's new status. A successful one makes its version of the job stable.
public struct DeploymentStatusChange: Record {
  public var deployment: Identifier = .none
  public var status: DeploymentStatus = .running
  public var description: String = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Deployment", &deployment)
    v.field(2, "Status", &status)
    v.field(3, "Description", &description)
  }
}

/// Lets a deployment go on with the versions of its canaries.
public struct DeploymentPromotion: Record {
  public var deployment: Identifier = .none
  /// The groups; none for all that have canaries.
  public var groups: [String] = []
  /// Made or changed together with this, so that one cannot be there without the other.
  public var evaluations: [Evaluation] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Deployment", &deployment)
    v.field(2, "Groups", &groups)
    v.field(3, "Evaluations", &evaluations)
  }
}

/// Says of allocations of a deployment that they are healthy or not.
public struct DeploymentHealth: Record {
  public var deployment: Identifier = .none
  public var healthy: [Identifier] = []
  public var unhealthy: [Identifier] = []
  /// What follows for the deployment.
  public var update: DeploymentStatusChange?
  /// The version that it goes back to, registered anew.
  public var revertedJob: JobRegistration?
  /// Made or changed together with this, so that one cannot be there without the other.
  public var evaluations: [Evaluation] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Deployment", &deployment)
    v.field(2, "Healthy", &healthy)
    v.field(3, "Unhealthy", &unhealthy)
    v.field(4, "Update", &update)
    v.field(5, "RevertedJob", &revertedJob)
    v.field(6, "Evaluations", &evaluations)
  }
}
