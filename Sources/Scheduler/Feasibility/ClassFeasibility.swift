import Codec
import Model
import State

/// Which nodes a group can run on whatever their load: answered once for each class of nodes, and node by node only for
/// what is unique to nodes.
struct ClassFeasibility {
  enum Verdict: Sendable {
    case feasible
    /// The reason as metrics name it.
    case filtered(String)
  }

  private let requirement: GroupRequirement
  private let classConstraints: [NodeConstraint]
  private let nodeConstraints: [NodeConstraint]
  private let classAffinities: [NodeAffinity]
  private let nodeAffinities: [NodeAffinity]
  private let affinityWeight: Double
  private var comparison = OperandComparison()
  private var verdicts: [Verdict?]
  private var affinities: [Int?]
  private var deviceAffinities: [Double?]

  init(_ requirement: GroupRequirement, classes: Int) {
    self.requirement = requirement
    classConstraints = requirement.constraints.filter { !$0.isUniqueToNode }
    nodeConstraints = requirement.constraints.filter(\.isUniqueToNode)
    classAffinities = requirement.affinities.filter { !$0.constraint.isUniqueToNode }
    nodeAffinities = requirement.affinities.filter(\.constraint.isUniqueToNode)
    affinityWeight = Double(requirement.affinities.reduce(0) { $0 + abs($1.weight) })
    verdicts = Array(repeating: nil, count: classes)
    affinities = Array(repeating: nil, count: classes)
    deviceAffinities = Array(repeating: nil, count: classes)
  }

  /// Whether a class that is not feasible for this group tells nothing about one of its nodes: constraints about unique
  /// attributes decide there.
  var escapesClasses: Bool { !nodeConstraints.isEmpty }
  var hasAffinities: Bool { affinityWeight != 0 }
  var hasNodeConstraints: Bool { !nodeConstraints.isEmpty }

  mutating func verdict(class number: Int, _ columns: NodeColumns) -> Verdict {
    if let known = verdicts[number] { return known }
    let verdict = examine(columns.classes[number].example.value)
    verdicts[number] = verdict
    return verdict
  }

  /// What only this node can answer. The node's class must be feasible.
  mutating func verdict(node: Node) -> Verdict {
    for constraint in nodeConstraints where !constraint.holds(on: node, comparing: &comparison) {
      return .filtered(constraint.text)
    }
    return .feasible
  }

  /// Everything at once, for one node.
  mutating func verdict(class number: Int, node: Node, _ columns: NodeColumns) -> Verdict {
    if case .filtered(let reason) = verdict(class: number, columns) { return .filtered(reason) }
    return verdict(node: node)
  }

  /// The verdicts reached so far, by the classes' names: what a blocked evaluation keeps to know for which nodes it is
  /// worth trying again.
  func eligibility(_ columns: NodeColumns) -> [String: Bool] {
    var result: [String: Bool] = [:]
    for (number, verdict) in verdicts.enumerated() where !columns.classes[number].name.isEmpty {
      switch verdict {
      case .feasible?: result[columns.classes[number].name] = true
      case .filtered?: result[columns.classes[number].name] = false
      case nil: break
      }
    }
    return result
  }

  private mutating func examine(_ node: Node) -> Verdict {
    for constraint in classConstraints where !constraint.holds(on: node, comparing: &comparison) {
      return .filtered(constraint.text)
    }
    for driver in requirement.drivers where !Self.offers(driver, node) { return .filtered("missing drivers") }
    if let obstacle = requirement.network.obstacle(on: node) { return .filtered(obstacle) }
    for volume in requirement.volumes where !Self.offers(volume, node) {
      return .filtered("missing compatible host volumes")
    }
    if !requirement.grants.isEmpty, let obstacle = missing(on: node) { return .filtered(obstacle) }
    return .feasible
  }

  /// What of cores and devices no node of the class has, even an empty one.
  private mutating func missing(on node: Node) -> String? {
    for task in requirement.grants.tasks {
      if task.cores > 0, node.nodeResources?.cpu.reservableCpuCores.isEmpty ?? true { return "missing cores" }
      for request in task.devices {
        let isOffered = (node.nodeResources?.devices ?? []).contains { device in
          request.matches(device, comparing: &comparison)
            && device.instances.lazy.filter(\.healthy).count >= request.count
        }
        if !isOffered { return "missing devices" }
      }
    }
    return nil
  }

  /// What the best devices of a class add to the score: −1 to 1, 0 where no affinity asks.
  mutating func deviceAffinity(class number: Int, _ columns: NodeColumns) -> Double {
    let total = requirement.grants.deviceWeight
    if total == 0 { return 0 }
    if let known = deviceAffinities[number] { return known }
    var sum = 0
    let devices = columns.classes[number].example.value.nodeResources?.devices ?? []
    for request in requirement.grants.tasks.flatMap(\.devices) {
      var best: Int?
      for device in devices where request.matches(device, comparing: &comparison) {
        let weight = request.weight(of: device, comparing: &comparison)
        best = best.map { max($0, weight) } ?? weight
      }
      sum += best ?? 0
    }
    let score = Double(sum) / Double(total)
    deviceAffinities[number] = score
    return score
  }

  static func offers(_ driver: String, _ node: Node) -> Bool {
    if let info = node.drivers[driver] { return info.detected && info.healthy }
    let attribute = node.attributes["driver.\(driver)"]
    return attribute == "1" || attribute == "true"
  }

  /// Of volumes with a name for each allocation any one will do here; whether it is the right one is asked for each
  /// placement.
  static func offers(_ volume: VolumeRequest, _ node: Node) -> Bool {
    guard volume.type == "host" || volume.type.isEmpty else { return false }
    if !volume.perAlloc { return offers(volume, named: volume.source, node) }
    return node.hostVolumes.keys.contains {
      $0.hasPrefix(volume.source + "[") && $0.hasSuffix("]") && offers(volume, named: $0, node)
    }
  }

  /// Whether the node has the volume of that name and lets it be used as asked.
  static func offers(_ volume: VolumeRequest, named name: String, _ node: Node) -> Bool {
    guard let offered = node.hostVolumes[name] else { return false }
    return volume.readOnly || volume.accessMode == "single-node-reader-only" || !offered.readOnly
  }

  /// The affinities that a node matches: −1 to 1, 0 for none.
  mutating func affinity(class number: Int, slot: Int, _ columns: NodeColumns) -> Double {
    if affinityWeight == 0 { return 0 }
    var sum: Int
    if let known = affinities[number] {
      sum = known
    } else {
      sum = weight(classAffinities, columns.classes[number].example.value)
      affinities[number] = sum
    }
    if !nodeAffinities.isEmpty, let node = columns.nodes[slot] { sum += weight(nodeAffinities, node.value) }
    return Double(sum) / affinityWeight
  }

  private mutating func weight(_ list: [NodeAffinity], _ node: Node) -> Int {
    var sum = 0
    for affinity in list where affinity.constraint.holds(on: node, comparing: &comparison) { sum += affinity.weight }
    return sum
  }
}
