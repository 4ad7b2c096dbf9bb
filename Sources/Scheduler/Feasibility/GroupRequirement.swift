import Codec
import Model
import State

/// What one group asks of a node, collected from its job, itself and its tasks: compiled once for each evaluation.
struct GroupRequirement: Sendable {
  let jobName: String
  let groupName: String
  let count: Int
  let ask: Demand
  let constraints: [NodeConstraint]
  let affinities: [NodeAffinity]
  let spreads: [SpreadRequirement]
  let drivers: [String]
  let volumes: [VolumeRequest]
  /// Those of the volumes that may be written to.
  let writtenVolumes: [VolumeRequest]
  /// Those with a name for each allocation.
  let volumesPerAllocation: [VolumeRequest]
  let grants: GrantRequirement
  let group: TaskGroup
  let network: NetworkRequirement
  let distinctHosts: DistinctScope?
  let distinctProperties: [DistinctProperty]
  let prefersPreviousNode: Bool

  /// Among which allocations something must not repeat.
  enum DistinctScope: Sendable {
    case job
    case group
  }

  /// At most `limit` allocations of the scope on nodes with one value of the property.
  struct DistinctProperty: Sendable {
    let property: Operand
    let text: String
    let scope: DistinctScope
    let limit: Int
  }

  init(job: Job, group: TaskGroup) {
    jobName = job.id
    groupName = group.name
    count = group.count ?? 1
    ask = Demand(of: group)
    network = NetworkRequirement(group: group)
    volumes = group.volumes.keys.sorted().compactMap { group.volumes[$0] }
    prefersPreviousNode = group.ephemeralDisk?.sticky ?? false
    drivers = Array(Set(group.tasks.map(\.driver))).sorted()
    writtenVolumes = volumes.filter { VolumeClaim($0, index: 0) != nil }
    volumesPerAllocation = volumes.filter(\.perAlloc)
    grants = GrantRequirement(group)
    self.group = group

    let groupConstraints = group.constraints + group.tasks.flatMap(\.constraints)
    var plain: [NodeConstraint] = []
    var hosts: DistinctScope?
    var properties: [DistinctProperty] = []
    for (scope, list) in [(DistinctScope.job, job.constraints), (.group, groupConstraints)] {
      for constraint in list {
        switch ConstraintOperator(constraint.operand) {
        case .distinctHosts:
          if constraint.rTarget != "false", hosts == nil { hosts = scope }
        case .distinctProperty:
          let limit = constraint.rTarget.isEmpty ? 1 : Int(constraint.rTarget) ?? 0
          properties.append(
            DistinctProperty(
              property: Operand(constraint.lTarget), text: constraint.lTarget, scope: scope, limit: limit))
        default: plain.append(NodeConstraint(constraint))
        }
      }
    }
    constraints = plain
    distinctHosts = hosts
    distinctProperties = properties
    affinities = (job.affinities + group.affinities + group.tasks.flatMap(\.affinities)).map(NodeAffinity.init)
    spreads = SpreadRequirement.list(job.spreads + group.spreads, count: group.count ?? 1)
  }
}
