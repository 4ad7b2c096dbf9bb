public import Codec
public import Model

/// What the scheduler needs to know of an allocation that its job already has.
public struct JobAllocation: Sendable {
  public var id: Identifier
  /// `job.group[index]`.
  public var name: String
  public var group: String
  public var nodeID: Identifier
  public var jobVersion: UInt64
  public var desiredStatus: AllocationDesiredStatus
  public var clientStatus: AllocationClientStatus
  public var desiredTransition: DesiredTransition
  /// The allocation that has replaced this one.
  public var nextAllocation: Identifier
  /// The evaluation that waits to replace this one.
  public var followupEvaluation: Identifier
  public var deploymentID: Identifier
  public var deploymentStatus: AllocDeploymentStatus?
  public var rescheduleEvents: [RescheduleEvent]
  /// When the last of its tasks ended; the zero time while one runs or where it isn't known.
  public var finishedAt: Timestamp
  public var createIndex: UInt64
  public var createTime: Timestamp
  public var modifyTime: Timestamp
  /// What it holds on its node, as long as its client hasn't reported that it ended.
  public var resources: AllocatedResources

  public init(id: Identifier, name: String, group: String, nodeID: Identifier) {
    self.id = id
    self.name = name
    self.group = group
    self.nodeID = nodeID
    jobVersion = 0
    desiredStatus = .run
    clientStatus = .pending
    desiredTransition = DesiredTransition()
    nextAllocation = .none
    followupEvaluation = .none
    deploymentID = .none
    rescheduleEvents = []
    finishedAt = .zeroValue
    createIndex = 0
    createTime = .zeroValue
    modifyTime = .zeroValue
    resources = AllocatedResources()
  }

  /// Whether the client has reported the end, so that nothing is held on the node any more.
  public var hasEnded: Bool {
    switch clientStatus {
    case .complete, .failed, .lost: true
    case .pending, .running, .unknown: false
    }
  }

  /// The number in brackets; -1 when the name has none.
  public var index: Int { AllocationName.index(of: name) }

  var isCanary: Bool { deploymentStatus?.canary ?? false }
  var isHealthy: Bool? { deploymentStatus?.healthy ?? nil }
}

/// The names of a job's allocations: `job.group[index]`, the index counting from 0 within the group.
public enum AllocationName {
  public static func text(job: String, group: String, index: Int) -> String { "\(job).\(group)[\(index)]" }

  /// The number in brackets at the end; -1 when there is none.
  public static func index(of name: String) -> Int {
    let bytes = name.utf8
    guard bytes.last == UInt8(ascii: "]"), let open = bytes.lastIndex(of: UInt8(ascii: "[")) else { return -1 }
    var value = 0
    for byte in bytes[bytes.index(after: open)...].dropLast() {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"), value < 1 << 40 else { return -1 }
      value = value * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return value
  }
}
