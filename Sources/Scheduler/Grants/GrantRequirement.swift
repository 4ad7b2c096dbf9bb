import Codec
import Model
import State

/// The cores and devices that a group's tasks ask for.
struct GrantRequirement: Sendable {
  /// Only the tasks that ask for any.
  let tasks: [Task]
  /// Of all tasks together.
  let cores: Int
  let hasDevices: Bool
  /// The sum of the weights of all affinities among devices.
  let deviceWeight: Int
  /// What an empty node lacks is not all that its class tells: several requests compete, or single devices are named.
  let needsEachNode: Bool

  struct Task: Sendable {
    let name: String
    let cores: Int
    let affinity: NUMAAffinity
    let devices: [DeviceRequirement]
    /// Which of the devices have to be on the cores' NUMA node.
    let nearbyDevices: Set<String>
  }

  /// Whether cores are to be on one NUMA node.
  ///
  /// Source: "numa Block" of Nomad's public jobspec documentation.
  enum NUMAAffinity: Sendable {
    case none, prefer, require
  }

  init(_ group: TaskGroup) {
    tasks = group.tasks.compactMap { task in
      guard let resources = task.resources else { return nil }
      let cores = max(resources.cores ?? 0, 0)
      if cores == 0 && resources.devices.isEmpty { return nil }
      let affinity: NUMAAffinity =
        switch resources.numa?.affinity ?? "" {
        case "prefer": .prefer
        case "require": .require
        default: .none
        }
      return Task(
        name: task.name, cores: cores, affinity: affinity, devices: resources.devices.map(DeviceRequirement.init),
        nearbyDevices: Set(resources.numa?.devices ?? []))
    }
    let devices = tasks.flatMap(\.devices)
    cores = tasks.reduce(0) { $0 + $1.cores }
    hasDevices = !devices.isEmpty
    deviceWeight = devices.reduce(0) { $0 + $1.totalWeight }
    needsEachNode = devices.count > 1 || devices.contains { $0.asksForIDs } || cores > 0
  }

  var isEmpty: Bool { tasks.isEmpty }
}

/// Chooses cores and devices on one node.
///
/// Where several tasks or devices compete, the choices are searched through, the best ones first: what fits is found. The
/// search gives up after `steps`, far beyond what jobs ask for.
struct GrantAssignment {
  private let node: Node
  private let requirement: GrantRequirement
  private var comparison = OperandComparison()
  private var freeCores: [UInt16]
  private let nodeOfCore: [UInt16: Int]
  private let devices: [NodeDeviceResource]
  private var usedDevices: Set<DeviceInstance>
  private let nodeOfBus: [String: Int]
  private var grants: [String: TaskGrant] = [:]
  private var steps = 5_000
  /// The weights of the affinities that the chosen devices meet.
  private(set) var weight = 0
  /// What could not be had, as metrics name it.
  private var lacking = "devices"

  struct Outcome {
    let grants: [String: TaskGrant]
    let weight: Int
  }

  /// - Parameter cores: of the node, those that tasks can have for themselves.
  /// - Throws: what there is too little of, as metrics name it.
  static func assign(
    _ requirement: GrantRequirement, on node: Node, cores: [UInt16], beside use: NamedUse
  ) throws(PortAssignment.Obstacle) -> Outcome {
    var assignment = GrantAssignment(requirement, node, cores: cores, use)
    guard assignment.chooseForTask(0) else { throw PortAssignment.Obstacle(text: assignment.lacking) }
    return Outcome(grants: assignment.grants, weight: assignment.weight)
  }

  private init(_ requirement: GrantRequirement, _ node: Node, cores: [UInt16], _ use: NamedUse) {
    self.requirement = requirement
    self.node = node
    freeCores = cores.filter { !use.cores.contains($0) }
    devices = node.nodeResources?.devices ?? []
    usedDevices = Set(use.devices.elements)
    let topology = node.nodeResources?.processors?.topology
    var nodes: [UInt16: Int] = [:]
    for core in topology?.cores ?? [] { nodes[UInt16(clamping: core.coreID)] = core.nodeID }
    nodeOfCore = nodes
    nodeOfBus = topology?.busAssociativity ?? [:]
  }

  // MARK: Cores

  /// Tasks one after the other, those that need one NUMA node first.
  private var order: [GrantRequirement.Task] {
    requirement.tasks.filter { $0.affinity == .require } + requirement.tasks.filter { $0.affinity != .require }
  }

  private mutating func chooseForTask(_ position: Int) -> Bool {
    let order = order
    guard position < order.count else { return true }
    let task = order[position]
    let megahertz = CorePower(node).megahertzPerCore
    if task.cores == 0 { return chooseDevices(of: task, 0, near: nil, then: position) }
    for (cores, numaNode) in coreChoices(for: task) {
      steps -= 1
      if steps < 0 { return false }
      let before = freeCores
      freeCores.removeAll { cores.contains($0) }
      var grant = TaskGrant()
      grant.cores = cores.map(Int.init).sorted()
      grant.cpu = Int64(cores.count) * megahertz
      grants[task.name] = grant
      if chooseDevices(of: task, 0, near: numaNode, then: position) { return true }
      grants[task.name] = nil
      freeCores = before
    }
    return false
  }

  /// The sets of cores that a task can have, best first: on the NUMA node where the fewest are left over; where that isn't
  /// needed, the first free ones at last.
  private mutating func coreChoices(for task: GrantRequirement.Task) -> [(cores: [UInt16], numaNode: Int?)] {
    guard freeCores.count >= task.cores else {
      lacking = "cores"
      return []
    }
    var byNode: [Int: [UInt16]] = [:]
    for core in freeCores { byNode[nodeOfCore[core] ?? 0, default: []].append(core) }
    let fitting = byNode.filter { $0.value.count >= task.cores }
      .sorted { ($0.value.count, $0.key) < ($1.value.count, $1.key) }
    var choices = fitting.map { (cores: Array($0.value.sorted().prefix(task.cores)), numaNode: Optional($0.key)) }
    if task.affinity == .require {
      if choices.isEmpty { lacking = "numa" }
      return choices
    }
    // Without need for one NUMA node, what is left over in the fullest ones is used up first.
    let scattered = byNode.sorted { ($0.value.count, $0.key) < ($1.value.count, $1.key) }.flatMap { $0.value.sorted() }
    choices = task.affinity == .prefer ? Array(choices.prefix(1)) : []
    choices.append((Array(scattered.prefix(task.cores)), nil))
    return choices
  }

  // MARK: Devices

  private mutating func chooseDevices(
    of task: GrantRequirement.Task, _ position: Int, near numaNode: Int?, then taskPosition: Int
  ) -> Bool {
    guard position < task.devices.count else { return chooseForTask(taskPosition + 1) }
    let request = task.devices[position]
    let mustBeNear = task.affinity == .require && task.nearbyDevices.contains(request.name)
    var options: [(device: NodeDeviceResource, weight: Int, free: [NodeDevice])] = []
    for device in devices where request.matches(device, comparing: &comparison) {
      let free = device.instances.filter { instance in
        guard instance.healthy, request.admits(instance),
          !usedDevices.contains(DeviceInstance(group: device.groupName, id: instance.id))
        else { return false }
        guard mustBeNear, let numaNode else { return true }
        return nodeOfBus[instance.locality?.pciBusID ?? ""] == numaNode
      }
      if free.count >= request.count {
        options.append((device, request.weight(of: device, comparing: &comparison), free))
      }
    }
    if options.isEmpty { lacking = "devices" }
    options.sort {
      ($1.weight, $0.free.count, $0.device.groupName) < ($0.weight, $1.free.count, $1.device.groupName)
    }
    for option in options {
      steps -= 1
      if steps < 0 { return false }
      let ids = option.free.map(\.id).sorted().prefix(request.count)
      let instances = ids.map { DeviceInstance(group: option.device.groupName, id: $0) }
      let before = grants[task.name]
      usedDevices.formUnion(instances)
      weight += option.weight
      var held = AllocatedDeviceResource()
      held.vendor = option.device.vendor
      held.type = option.device.type
      held.name = option.device.name
      held.deviceIDs = Array(ids)
      grants[task.name, default: TaskGrant()].devices.append(held)
      if chooseDevices(of: task, position + 1, near: numaNode, then: taskPosition) { return true }
      grants[task.name] = before
      weight -= option.weight
      usedDevices.subtract(instances)
    }
    return false
  }
}

/// What one core of a node counts for in MHz.
struct CorePower {
  let megahertzPerCore: Int64

  init(_ node: Node) {
    let cpu = node.nodeResources?.cpu
    let cores = max(cpu?.totalCpuCores ?? 0, cpu?.reservableCpuCores.count ?? 0)
    megahertzPerCore = cores > 0 ? (cpu?.cpuShares ?? 0) / Int64(cores) : 0
  }
}
