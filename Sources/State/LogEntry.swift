public import Codec
import Model

/// A change of the replicated state, as it stands in the Raft log.
///
/// Entries carry differences: a plan names allocations by ids, places and numbers, never whole jobs. In the log an entry
/// is its kind (`LogRecord.kind`), the leader's clock as eight little-endian bytes, and the `Binary` of its payload; new
/// fields take new tags, which older servers pass over. A kind that a server does not know stops it: it can't go on with
/// a state that others have and it has not.
public enum LogEntry: Sendable, Equatable {
  /// Changes nothing: a new leader's first entry, a barrier.
  case noOperation
  case jobRegistration(JobRegistration)
  case jobDeregistration(JobDeregistration)
  case jobStability(JobStability)
  case jobVersionTagging(JobVersionTagging)
  case nodeRegistration(NodeRegistration)
  case nodeDeregistration(NodeDeregistration)
  case nodeStatusUpdate(NodeStatusUpdate)
  case nodeEligibilityUpdate(NodeEligibilityUpdate)
  case nodeDrainUpdate(NodeDrainUpdate)
  case evaluationUpdate(EvaluationUpdate)
  case planResult(PlanResult)
  case allocationClientUpdates(AllocationClientUpdates)
  case allocationTransitions(AllocationTransitions)
  case deploymentStatusUpdates(DeploymentStatusUpdates)
  case deploymentPromotion(DeploymentPromotion)
  case deploymentHealth(DeploymentHealth)
  case namespaceUpsert(NamespaceUpsert)
  case namespaceDeletion(NamespaceDeletion)
  case nodePoolUpsert(NodePoolUpsert)
  case nodePoolDeletion(NodePoolDeletion)
  case schedulerConfiguration(SchedulerConfigurationUpdate)
  case reaping(Reaping)
  case childJobLaunch(ChildJobLaunch)
  case jobScaling(JobScaling)
  case variableChange(VariableChange)
  case autopilotConfiguration(AutopilotConfigurationUpdate)
  case restorePiece(RestorePiece)
  case restoreEnd(RestoreEnd)

  /// The number that the log stores; never given to another case.
  public var kind: UInt8 {
    switch self {
    case .noOperation: 0
    case .jobRegistration: 1
    case .jobDeregistration: 2
    case .jobStability: 3
    case .jobVersionTagging: 4
    case .nodeRegistration: 5
    case .nodeDeregistration: 6
    case .nodeStatusUpdate: 7
    case .nodeEligibilityUpdate: 8
    case .nodeDrainUpdate: 9
    case .evaluationUpdate: 10
    case .planResult: 11
    case .allocationClientUpdates: 12
    case .allocationTransitions: 13
    case .deploymentStatusUpdates: 14
    case .deploymentPromotion: 15
    case .deploymentHealth: 16
    case .namespaceUpsert: 17
    case .namespaceDeletion: 18
    case .nodePoolUpsert: 19
    case .nodePoolDeletion: 20
    case .schedulerConfiguration: 21
    case .reaping: 22
    case .childJobLaunch: 23
    case .jobScaling: 24
    case .variableChange: 25
    case .autopilotConfiguration: 26
    case .restorePiece: 27
    case .restoreEnd: 28
    }
  }

  /// The bytes for the log.
  /// - Parameter time: the leader's clock, which every server then applies the entry with.
  public func encoded(at time: Timestamp) -> [UInt8] {
    var writer = BinaryWriter()
    writer.fixed64(UInt64(bitPattern: time.nanoseconds))
    func payload<Payload: Record>(_ value: Payload) -> [UInt8] {
      var copy = value
      copy.visit(&writer)
      return writer.bytes
    }
    return switch self {
    case .noOperation: writer.bytes
    case .jobRegistration(let value): payload(value)
    case .jobDeregistration(let value): payload(value)
    case .jobStability(let value): payload(value)
    case .jobVersionTagging(let value): payload(value)
    case .nodeRegistration(let value): payload(value)
    case .nodeDeregistration(let value): payload(value)
    case .nodeStatusUpdate(let value): payload(value)
    case .nodeEligibilityUpdate(let value): payload(value)
    case .nodeDrainUpdate(let value): payload(value)
    case .evaluationUpdate(let value): payload(value)
    case .planResult(let value): payload(value)
    case .allocationClientUpdates(let value): payload(value)
    case .allocationTransitions(let value): payload(value)
    case .deploymentStatusUpdates(let value): payload(value)
    case .deploymentPromotion(let value): payload(value)
    case .deploymentHealth(let value): payload(value)
    case .namespaceUpsert(let value): payload(value)
    case .namespaceDeletion(let value): payload(value)
    case .nodePoolUpsert(let value): payload(value)
    case .nodePoolDeletion(let value): payload(value)
    case .schedulerConfiguration(let value): payload(value)
    case .reaping(let value): payload(value)
    case .childJobLaunch(let value): payload(value)
    case .jobScaling(let value): payload(value)
    case .variableChange(let value): payload(value)
    case .autopilotConfiguration(let value): payload(value)
    case .restorePiece(let value): payload(value)
    case .restoreEnd(let value): payload(value)
    }
  }

  /// Reads what `encoded` wrote. Throws for bytes that are none and for a kind that this version does not know.
  public static func decode(kind: UInt8, bytes: [UInt8]) throws(CodecError) -> (entry: LogEntry, time: Timestamp) {
    guard bytes.count >= 8 else { throw CodecError(offset: 0, problem: "a log entry of \(bytes.count) bytes") }
    let bits = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[$1]) << UInt64(8 * $1) }
    let time = Timestamp(nanoseconds: Int64(bitPattern: bits))
    func payload<Payload: Record>(_ make: (Payload) -> LogEntry) throws(CodecError) -> LogEntry {
      make(try Binary.decode(Payload.self, from: bytes, range: 8..<bytes.count))
    }
    let entry: LogEntry =
      switch kind {
      case 0: .noOperation
      case 1: try payload(LogEntry.jobRegistration)
      case 2: try payload(LogEntry.jobDeregistration)
      case 3: try payload(LogEntry.jobStability)
      case 4: try payload(LogEntry.jobVersionTagging)
      case 5: try payload(LogEntry.nodeRegistration)
      case 6: try payload(LogEntry.nodeDeregistration)
      case 7: try payload(LogEntry.nodeStatusUpdate)
      case 8: try payload(LogEntry.nodeEligibilityUpdate)
      case 9: try payload(LogEntry.nodeDrainUpdate)
      case 10: try payload(LogEntry.evaluationUpdate)
      case 11: try payload(LogEntry.planResult)
      case 12: try payload(LogEntry.allocationClientUpdates)
      case 13: try payload(LogEntry.allocationTransitions)
      case 14: try payload(LogEntry.deploymentStatusUpdates)
      case 15: try payload(LogEntry.deploymentPromotion)
      case 16: try payload(LogEntry.deploymentHealth)
      case 17: try payload(LogEntry.namespaceUpsert)
      case 18: try payload(LogEntry.namespaceDeletion)
      case 19: try payload(LogEntry.nodePoolUpsert)
      case 20: try payload(LogEntry.nodePoolDeletion)
      case 21: try payload(LogEntry.schedulerConfiguration)
      case 22: try payload(LogEntry.reaping)
      case 23: try payload(LogEntry.childJobLaunch)
      case 24: try payload(LogEntry.jobScaling)
      case 25: try payload(LogEntry.variableChange)
      case 26: try payload(LogEntry.autopilotConfiguration)
      case 27: try payload(LogEntry.restorePiece)
      case 28: try payload(LogEntry.restoreEnd)
      default:
        throw CodecError(
          offset: 0, problem: "log entry kind \(kind) is unknown: a newer serai wrote it; start that version")
      }
    return (entry, time)
  }
}
