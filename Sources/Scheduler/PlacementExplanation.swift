import Codec
public import Model
public import State

/// Says what would have to be relaxed for a group to be placed.
///
/// For each node the requirements that it doesn't meet are collected. A set of requirements opens a node when it has all
/// of those; so the sets that matter are the nodes' own, as far as none of them has another one in it.
public struct PlacementExplanation {
  /// No more than so many sets are given for a group.
  public static let maximumRelaxations = 10
  static let examples = 3

  private let state: StateReader
  private let columns: NodeColumns
  private let job: Job
  private let requirement: GroupRequirement
  /// Numbered in the order in which they were first not met.
  private var requirements: [JobWhyRequirement] = []
  private var numbers: [JobWhyRequirement: Int] = [:]
  private var comparison = OperandComparison()
  private let selection: NodeSelection
  /// What a class of nodes doesn't meet.
  private var obstaclesOfClass: [[Int]?]

  /// What keeps a job's groups from being placed; nil if there is no such job. Groups that are fully placed are left out.
  public static func explain(_ key: JobKey, state: StateReader, columns: NodeColumns) -> JobWhyResponse? {
    guard let stored = state.job(key) else { return nil }
    let job = stored.spec.value
    var response = JobWhyResponse()
    response.jobID = key.id
    response.namespace = key.namespace
    response.index = state.index
    if stored.isStopped { return response }
    let allocations = state.allocations(ofJob: key).map(\.value)
    for group in job.taskGroups {
      let live = allocations.filter { allocation in
        guard allocation.groupName == group.name, !allocation.isServerTerminal else { return false }
        return !allocation.isClientTerminal || (allocation.clientStatus == .complete && job.type != .service)
      }
      var explanation = PlacementExplanation(job, group, state, columns)
      if let found = explanation.explain(live, of: allocations, queued: stored.queued[group.name] ?? 0) {
        response.groups.append(found)
      }
    }
    return response
  }

  private init(_ job: Job, _ group: TaskGroup, _ state: StateReader, _ columns: NodeColumns) {
    self.job = job
    self.state = state
    self.columns = columns
    requirement = GroupRequirement(job: job, group: group)
    selection = NodeSelection(job, columns)
    obstaclesOfClass = Array(repeating: nil, count: columns.classes.count)
  }

  private mutating func explain(
    _ live: [StoredAllocation], of all: [StoredAllocation], queued: Int
  ) -> JobWhyGroup? {
    let isOnEveryNode = job.type == .system || job.type == .sysbatch
    var group = JobWhyGroup()
    group.name = requirement.groupName
    group.placed = live.count
    group.desired = isOnEveryNode ? live.count + queued : requirement.count
    guard group.placed < group.desired else { return nil }
    let taken = isOnEveryNode ? Set(live.map(\.nodeID)) : []
    let occupants = occupied(live, all)
    var nodesOfSet: [[Int]: [Int]] = [:]
    for slot in 0..<columns.count {
      guard columns.flags[slot].contains(.present), let node = columns.nodes[slot]?.value else { continue }
      group.nodes += 1
      if taken.contains(node.id) { continue }
      nodesOfSet[obstacles(slot, node, occupants), default: []].append(slot)
    }
    let sets = nodesOfSet.keys.sorted { $0.count == $1.count ? $0.lexicographicallyPrecedes($1) : $0.count < $1.count }
    var minimal: [[Int]] = []
    for candidate in sets where !minimal.contains(where: { Set($0).isSubset(of: candidate) }) {
      minimal.append(candidate)
    }
    group.relaxations = minimal.map { relaxation($0, nodesOfSet) }
      .sorted {
        ($0.requirements.count, $1.opensNodes) < ($1.requirements.count, $0.opensNodes)
      }
    if group.relaxations.count > Self.maximumRelaxations {
      group.relaxations.removeLast(group.relaxations.count - Self.maximumRelaxations)
    }
    return group
  }

  private func relaxation(_ set: [Int], _ nodesOfSet: [[Int]: [Int]]) -> JobWhyRelaxation {
    var slots: [Int] = []
    for (other, members) in nodesOfSet where Set(other).isSubset(of: set) { slots += members }
    var result = JobWhyRelaxation()
    result.opensNodes = slots.count
    result.examples = slots.map { columns.ids[$0] }.sorted().prefix(Self.examples).map { $0 }
    result.requirements = set.map { number in
      var requirement = requirements[number]
      if requirement.kind == Kind.resource {
        requirement.available = slots.map { available(requirement.text, $0) }.max() ?? 0
      }
      return requirement
    }
    return result
  }

  // MARK: Requirements

  private enum Kind {
    static let node = "node"
    static let pool = "pool"
    static let datacenter = "datacenter"
    static let constraint = "constraint"
    static let driver = "driver"
    static let network = "network"
    static let volume = "volume"
    static let device = "device"
    static let resource = "resource"
    static let port = "port"
    static let distinct = "distinct"
  }

  private mutating func number(_ kind: String, _ text: String) -> Int {
    var requirement = JobWhyRequirement()
    requirement.kind = kind
    requirement.text = text
    if let known = numbers[requirement] { return known }
    numbers[requirement] = requirements.count
    requirements.append(requirement)
    return requirements.count - 1
  }

  private func available(_ text: String, _ slot: Int) -> Int64 {
    let free = NodeUse(columns).free(slot)
    if text.hasPrefix("cpu ") { return max(0, Int64(free.cpu)) }
    if text.hasPrefix("memory ") { return max(0, Int64(free.memory)) }
    if text.hasPrefix("disk ") { return max(0, Int64(free.disk)) }
    if text.hasPrefix("cores ") {
      return Int64(columns.cores[slot].count { !columns.named[slot].cores.contains($0) })
    }
    return 0
  }

  private struct Occupants {
    var hosts: Set<Identifier> = []
    /// For each distinct property, how many allocations there are by value.
    var values: [[String: Int]] = []
  }

  private func occupied(_ live: [StoredAllocation], _ all: [StoredAllocation]) -> Occupants {
    var result = Occupants()
    let ofJob = all.filter { !$0.isTerminal }
    let ofGroup = live.filter { !$0.isTerminal }
    switch requirement.distinctHosts {
    case .job?: result.hosts = Set(ofJob.map(\.nodeID))
    case .group?: result.hosts = Set(ofGroup.map(\.nodeID))
    case nil: break
    }
    result.values = requirement.distinctProperties.map { property in
      var counts: [String: Int] = [:]
      for allocation in property.scope == .job ? ofJob : ofGroup {
        guard let node = state.node(allocation.nodeID)?.value, let value = property.property.value(on: node) else {
          continue
        }
        counts[value, default: 0] += 1
      }
      return counts
    }
    return result
  }

  /// The numbers of the requirements that the node doesn't meet, ascending.
  private mutating func obstacles(_ slot: Int, _ node: Node, _ occupants: Occupants) -> [Int] {
    var found = obstaclesOf(class: Int(columns.computedClass[slot]))
    if !columns.isCandidate(slot) {
      let status =
        node.status == .ready ? (node.drainStrategy != nil ? "draining" : "ineligible") : node.status.rawValue
      found.append(number(Kind.node, "node is ready and eligible, not \(status)"))
    }
    if !selection.isInPool(slot, columns) {
      found.append(number(Kind.pool, "node pool \"\(job.nodePool ?? "default")\""))
    }
    if !selection.isInDatacenter(slot, columns) {
      found.append(number(Kind.datacenter, "datacenters \(job.datacenters.joined(separator: ", "))"))
    }
    for constraint in requirement.constraints where constraint.isUniqueToNode {
      if !constraint.holds(on: node, comparing: &comparison) { found.append(number(Kind.constraint, constraint.text)) }
    }
    quantities(slot, node, &found)
    namedThings(slot, node, &found)
    if occupants.hosts.contains(node.id) { found.append(number(Kind.distinct, "distinct_hosts")) }
    for (position, property) in requirement.distinctProperties.enumerated() {
      let value = property.property.value(on: node)
      if value.map({ (occupants.values[position][$0] ?? 0) >= property.limit }) ?? true {
        found.append(
          number(Kind.distinct, "distinct_property \(property.text), at most \(property.limit) for each value"))
      }
    }
    return Set(found).sorted()
  }

  private mutating func obstaclesOf(class place: Int) -> [Int] {
    if let known = obstaclesOfClass[place] { return known }
    let node = columns.classes[place].example.value
    var found: [Int] = []
    for constraint in requirement.constraints where !constraint.isUniqueToNode {
      if !constraint.holds(on: node, comparing: &comparison) { found.append(number(Kind.constraint, constraint.text)) }
    }
    for driver in requirement.drivers where !ClassFeasibility.offers(driver, node) {
      found.append(number(Kind.driver, "driver \"\(driver)\""))
    }
    if let mode = requirement.network.mode, !requirement.network.isOffered(mode, by: node) {
      found.append(number(Kind.network, "network mode \"\(mode)\""))
    }
    for port in requirement.network.ports where port.hostNetwork != NetworkRequirement.defaultHostNetwork {
      if NodeAddress.find(port.hostNetwork, on: node) == nil {
        found.append(number(Kind.network, "host network \"\(port.hostNetwork)\" for port \"\(port.label)\""))
      }
    }
    for volume in requirement.volumes where !ClassFeasibility.offers(volume, node) {
      found.append(
        number(Kind.volume, "host volume \"\(volume.source)\"\(volume.readOnly ? "" : " that may be written to")"))
    }
    for request in requirement.grants.tasks.flatMap(\.devices) {
      let isOffered = (node.nodeResources?.devices ?? []).contains { device in
        request.matches(device, comparing: &comparison)
          && device.instances.lazy.filter(\.healthy).count >= request.count
      }
      if !isOffered { found.append(number(Kind.device, "\(request.count) of device \"\(request.name)\"")) }
    }
    obstaclesOfClass[place] = found
    return found
  }

  private mutating func quantities(_ slot: Int, _ node: Node, _ found: inout [Int]) {
    let demand = requirement.demand(on: node)
    let free = NodeUse(columns).free(slot)
    // A task with cores asks for those; that they count as MHz on the node follows from it.
    if demand.cpu > free.cpu, requirement.ask.cpu > 0 || requirement.grants.cores == 0 {
      found.append(number(Kind.resource, "cpu \(requirement.ask.cpu) MHz"))
    }
    if demand.memory > free.memory { found.append(number(Kind.resource, "memory \(demand.memory) MB")) }
    if demand.disk > free.disk { found.append(number(Kind.resource, "disk \(demand.disk) MB")) }
    if !free.hasAllocationLeft { found.append(number(Kind.node, "node has a place left of its limit of allocations")) }
    let cores = requirement.grants.cores
    if cores > 0 {
      let left = columns.cores[slot].count { !columns.named[slot].cores.contains($0) }
      if left < cores || (demand.cpu > free.cpu && requirement.ask.cpu == 0) {
        found.append(number(Kind.resource, "cores \(cores)"))
      }
    }
  }

  private mutating func namedThings(_ slot: Int, _ node: Node, _ found: inout [Int]) {
    let use = columns.ports[slot]
    for request in requirement.network.ports {
      guard let port = request.staticPort, !request.ignoresCollision,
        let address = NodeAddress.find(request.hostNetwork, on: node)
      else { continue }
      if use.isUsed(port, on: PortAssignment.key(address.address)) {
        found.append(number(Kind.port, "static port \(port) (\"\(request.label)\")"))
      }
    }
    for volume in requirement.writtenVolumes {
      if let claim = VolumeClaim(volume, index: 0), !columns.named[slot].admits(claim) {
        found.append(number(Kind.volume, "host volume \"\(volume.source)\" without another writer"))
      }
    }
    if requirement.grants.hasDevices, columns.named[slot] != NamedUse() {
      var obstacle: String?
      do throws(PortAssignment.Obstacle) {
        _ = try GrantAssignment.assign(
          requirement.grants, on: node, cores: columns.cores[slot], beside: columns.named[slot])
      } catch {
        obstacle = error.text
      }
      if obstacle == "devices" {
        let names = requirement.grants.tasks.flatMap(\.devices).map { "\($0.count) of device \"\($0.name)\"" }
        found.append(number(Kind.device, names.joined(separator: ", ") + ", free"))
      }
    }
  }
}
