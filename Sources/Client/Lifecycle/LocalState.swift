internal import Codec
internal import Drivers
internal import Model

// What the client's database holds of an allocation beside the servers' record, so that the next agent goes on where
// this one stopped. Users see none of it; what they see is in `TaskState`.

/// The machine's own view of a task.
struct TaskLocalState: Record {
  var phase = ""
  var attempt = 0
  var restartCount = 0
  var intervalStart = Timestamp(nanoseconds: 0)
  var killAsked = false
  var killFails = false
  var restartAsked = false
  var hasArtifacts = false

  init() {}

  init(_ machine: TaskMachine) {
    phase = machine.phase.rawValue
    attempt = machine.attempt
    restartCount = machine.tracker.count
    intervalStart = machine.tracker.intervalStart
    killAsked = machine.killAsked
    killFails = machine.killFails
    restartAsked = machine.restartAsked
    hasArtifacts = machine.hasArtifacts
  }

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Phase", &phase)
    v.field(2, "Attempt", &attempt)
    v.field(3, "RestartCount", &restartCount)
    v.field(4, "IntervalStart", &intervalStart)
    v.field(5, "KillAsked", &killAsked)
    v.field(6, "KillFails", &killFails)
    v.field(7, "RestartAsked", &restartAsked)
    v.field(8, "HasArtifacts", &hasArtifacts)
  }

  /// Puts a new machine where the stored one was. A phase of a newer version counts as waiting: the supervisor's word
  /// about the task decides anyway.
  func restore(_ machine: inout TaskMachine, state: TaskState) {
    machine.phase = TaskMachine.Phase(rawValue: phase) ?? .waiting
    machine.attempt = attempt
    machine.tracker.count = restartCount
    machine.tracker.intervalStart = intervalStart
    machine.killAsked = killAsked
    machine.killFails = killFails
    machine.restartAsked = restartAsked
    machine.hasArtifacts = hasArtifacts
    machine.state = state
  }
}

/// The machine's own view of an allocation.
struct AllocationLocalState: Record {
  var stopAsked = false
  var finished = false
  /// The deployment that the health is about.
  var deploymentID: Identifier = .none
  var healthy: Bool?
  var healthDecidedAt = Timestamp(nanoseconds: 0)
  /// On the steady clock.
  var healthDeadline = Timestamp(nanoseconds: 0)
  /// The first of the host ids that the allocation's users are; 0 for none.
  var firstUserID = 0

  init() {}

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "StopAsked", &stopAsked)
    v.field(2, "Finished", &finished)
    v.field(3, "DeploymentID", &deploymentID)
    v.field(4, "Healthy", &healthy)
    v.field(5, "HealthDecidedAt", &healthDecidedAt)
    v.field(6, "HealthDeadline", &healthDeadline)
    v.field(7, "FirstUserID", &firstUserID)
  }
}
