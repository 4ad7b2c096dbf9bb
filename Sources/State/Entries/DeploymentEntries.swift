// Entries about deployments.

public import Codec
public import Model

/// Changes the status of deployments.
public struct DeploymentStatusUpdates: Record {
  /// One entry for each deployment that changes.
  public var updates: [DeploymentStatusChange] = []
  /// The version that a failed deployment goes back to, registered anew.
  public var revertedJob: JobRegistration?
  /// Made or changed together with this, so that one cannot be there without the other.
  public var evaluations: [Evaluation] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Updates", &updates)
    v.field(2, "RevertedJob", &revertedJob)
    v.field(3, "Evaluations", &evaluations)
  }
}

/// One deployment's new status. A successful one makes its version of the job stable.
public struct DeploymentStatusChange: Record {
  /// The deployment.
  public var deployment: Identifier = .none
  /// Its new status.
  public var status: DeploymentStatus = .running
  /// That status in words.
  public var description: String = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Deployment", &deployment)
    v.field(2, "Status", &status)
    v.field(3, "Description", &description)
  }
}

/// Lets a deployment go on with the versions of its canaries.
public struct DeploymentPromotion: Record {
  /// The deployment whose canaries are promoted.
  public var deployment: Identifier = .none
  /// The groups; none for all that have canaries.
  public var groups: [String] = []
  /// Made or changed together with this, so that one cannot be there without the other.
  public var evaluations: [Evaluation] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Deployment", &deployment)
    v.field(2, "Groups", &groups)
    v.field(3, "Evaluations", &evaluations)
  }
}

/// Says of allocations of a deployment that they are healthy or not.
public struct DeploymentHealth: Record {
  /// The deployment that the allocations belong to.
  public var deployment: Identifier = .none
  /// Allocations found healthy.
  public var healthy: [Identifier] = []
  /// Allocations found unhealthy.
  public var unhealthy: [Identifier] = []
  /// What follows for the deployment.
  public var update: DeploymentStatusChange?
  /// The version that it goes back to, registered anew.
  public var revertedJob: JobRegistration?
  /// Made or changed together with this, so that one cannot be there without the other.
  public var evaluations: [Evaluation] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Deployment", &deployment)
    v.field(2, "Healthy", &healthy)
    v.field(3, "Unhealthy", &unhealthy)
    v.field(4, "Update", &update)
    v.field(5, "RevertedJob", &revertedJob)
    v.field(6, "Evaluations", &evaluations)
  }
}
