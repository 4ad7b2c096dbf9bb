public import Codec
public import Model

/// The nodes as the scheduler sees them: one array per quantity, indexed by slot.
///
/// Each node has a slot as long as it is registered; a free slot has no flags, so `isCandidate` is false, and is given to
/// the next node. Slots and class numbers mean nothing outside this process. What is used covers every allocation whose
/// client has not said that it ended, also one that is being stopped (law 6: free when the kernel says so).
///
/// A value type: the scheduler can keep a copy.
public struct NodeColumns: Sendable {
  /// Whether a node can be used.
  public struct Flags: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// The slot has a node.
    public static let present = Flags(rawValue: 1)
    /// Its status is ready.
    public static let ready = Flags(rawValue: 2)
    /// It is eligible.
    public static let eligible = Flags(rawValue: 4)
    /// It is being drained.
    public static let draining = Flags(rawValue: 8)
    /// It takes new allocations when it has these and is not draining.
    public static let candidate: Flags = [.present, .ready, .eligible]
  }

  /// The number of slots, free ones included: every column has this many elements.
  public var count: Int { ids.count }
  /// The node in each slot; `none` for a free slot.
  public private(set) var ids: [Identifier] = []
  /// Whether the node can be used; empty for a free slot.
  public private(set) var flags: [Flags] = []
  /// MHz for allocations: the node's without what is reserved.
  public private(set) var cpuTotal: [Int32] = []
  /// MHz that allocations hold.
  public private(set) var cpuUsed: [Int32] = []
  /// MB for allocations: the node's without what is reserved.
  public private(set) var memoryTotal: [Int32] = []
  /// MB that allocations hold.
  public private(set) var memoryUsed: [Int32] = []
  /// MB for allocations: the node's without what is reserved.
  public private(set) var diskTotal: [Int32] = []
  /// MB that allocations hold.
  public private(set) var diskUsed: [Int32] = []
  /// Allocations that hold resources.
  public private(set) var allocationCount: [Int32] = []
  /// How many it may hold; 0 for no limit.
  public private(set) var allocationLimit: [Int32] = []
  /// Places in `datacenters.names`.
  public private(set) var datacenter: [UInt32] = []
  /// Places in `nodeClasses.names`.
  public private(set) var nodeClass: [UInt32] = []
  /// Places in `pools.names`.
  public private(set) var pool: [UInt32] = []
  /// Places in `classes`.
  public private(set) var computedClass: [UInt32] = []
  /// Ports that are reserved or held.
  public private(set) var ports: [PortUse] = []
  /// Cores, devices and volumes that allocations hold.
  public private(set) var named: [NamedUse] = []
  /// Whether `named` has anything.
  public private(set) var holdsNamed: [Bool] = []
  /// What each allocation takes, in no particular order.
  public private(set) var held: [[HeldAllocation]] = []
  /// Cores that tasks can have for themselves.
  public private(set) var cores: [[UInt16]] = []
  /// The node itself, for what no column has.
  public private(set) var nodes: [Shared<Node>?] = []

  /// The names of datacenters.
  public private(set) var datacenters = Names()
  /// The values of `node_class`.
  public private(set) var nodeClasses = Names()
  /// The names of node pools.
  public private(set) var pools = Names()
  /// Classes of nodes that answer constraints alike.
  public private(set) var classes: [ComputedClass] = []

  private var slots = OrderedTable<Identifier, Int>()
  private var freeSlots: [Int] = []
  private var classNumbers = OrderedTable<Name, Int>()
  private var freeClasses: [Int] = []

  /// Small numbers for names.
  public struct Names: Sendable {
    /// By number.
    public private(set) var names: [String] = []
    private var numbers = OrderedTable<Name, Int>()

    /// The number of a name that some node has or had.
    public func number(of name: String) -> UInt32? { numbers[Name(name)].map { UInt32($0) } }

    mutating func intern(_ name: String) -> UInt32 {
      if let known = number(of: name) { return known }
      numbers.set(Name(name), names.count)
      names.append(name)
      return UInt32(names.count - 1)
    }
  }

  /// A class of nodes that answer constraints alike.
  public struct ComputedClass: Sendable {
    /// `Node.computedClass` of its members; empty when the number is free.
    public internal(set) var name: String
    /// One of its members: what it says of non-unique attributes holds for all.
    public internal(set) var example: Shared<Node>
    /// How many nodes it has.
    public internal(set) var members: Int
  }

  /// No nodes.
  public init() {}

  /// The slot of a node.
  public func slot(of id: Identifier) -> Int? { slots[id] }

  /// Whether the node takes new allocations.
  @inlinable public func isCandidate(_ slot: Int) -> Bool {
    flags[slot].isSuperset(of: .candidate) && !flags[slot].contains(.draining)
  }

  /// Whether the demand fits beside what is used.
  @inlinable public func fits(_ demand: Demand, _ slot: Int) -> Bool {
    demand.cpu <= cpuTotal[slot] - cpuUsed[slot] && demand.memory <= memoryTotal[slot] - memoryUsed[slot]
      && demand.disk <= diskTotal[slot] - diskUsed[slot]
      && (allocationLimit[slot] == 0 || allocationCount[slot] < allocationLimit[slot])
  }

  /// Accounts for an allocation that holds its place.
  mutating func take(_ allocation: StoredAllocation, _ slot: Int) {
    let demand = allocation.demand
    cpuUsed[slot] += demand.cpu
    memoryUsed[slot] += demand.memory
    diskUsed[slot] += demand.disk
    allocationCount[slot] += 1
    for port in allocation.ports { ports[slot].take(UInt16(clamping: port.value), on: Self.address(port.hostIP)) }
    if allocation.holdsNamedThings {
      named[slot].take(allocation)
      holdsNamed[slot] = !named[slot].isEmpty
    }
    held[slot].append(HeldAllocation(allocation))
  }

  /// Takes back what `take` did.
  mutating func give(_ allocation: StoredAllocation, _ slot: Int) {
    let demand = allocation.demand
    cpuUsed[slot] -= demand.cpu
    memoryUsed[slot] -= demand.memory
    diskUsed[slot] -= demand.disk
    allocationCount[slot] -= 1
    for port in allocation.ports { ports[slot].give(UInt16(clamping: port.value), on: Self.address(port.hostIP)) }
    if allocation.holdsNamedThings {
      named[slot].give(allocation)
      holdsNamed[slot] = !named[slot].isEmpty
    }
    if let at = held[slot].lastIndex(where: { $0.id == allocation.id }) { held[slot].swapAt(at, held[slot].count - 1) }
    held[slot].removeLast()
  }

  /// The wildcard addresses stand for every address.
  static func address(_ hostIP: String) -> String { hostIP == "0.0.0.0" || hostIP == "::" ? "" : hostIP }

  // MARK: Keeping up with the nodes

  /// Adds a node or brings its columns up to date; what is used stays.
  mutating func set(_ node: Shared<Node>) {
    let slot = slots[node.value.id] ?? makeSlot(for: node)
    let old = nodes[slot]
    let value = node.value
    nodes[slot] = node
    var flags: Flags = [.present]
    if value.status == .ready { flags.insert(.ready) }
    if value.schedulingEligibility == .eligible { flags.insert(.eligible) }
    if value.drainStrategy != nil { flags.insert(.draining) }
    self.flags[slot] = flags
    // A change of status touches nothing else, and there are many of those.
    if let old, Self.sameHardware(old.value, value) {
      classes[Int(computedClass[slot])].example = node
      return
    }
    let (has, reserved) = (value.nodeResources, value.reservedResources)
    func left(_ total: Int64?, _ reserved: Int64?) -> Int32 { Int32(clamping: max(0, (total ?? 0) - (reserved ?? 0))) }
    cpuTotal[slot] = left(has?.cpu.cpuShares, reserved?.cpu.cpuShares)
    memoryTotal[slot] = left(has?.memory.memoryMB, reserved?.memory.memoryMB)
    diskTotal[slot] = left(has?.disk.diskMB, reserved?.disk.diskMB)
    allocationLimit[slot] = Int32(clamping: value.nodeMaxAllocs)
    let kept = Set(reserved?.cpu.reservedCpuCores ?? [])
    cores[slot] = (has?.cpu.reservableCpuCores ?? []).filter { !kept.contains($0) }.compactMap { UInt16(exactly: $0) }
    datacenter[slot] = datacenters.intern(value.datacenter)
    nodeClass[slot] = nodeClasses.intern(value.nodeClass)
    pool[slot] = pools.intern(value.nodePool)
    for (address, port) in Self.reservedPorts(of: old?.value) { ports[slot].give(port, on: address) }
    for (address, port) in Self.reservedPorts(of: value) { ports[slot].take(port, on: address) }
    if old != nil { leaveClass(slot) }
    joinClass(slot, node)
  }

  /// Whether two records of one node agree in everything that columns other than the flags are made of.
  private static func sameHardware(_ old: Node, _ new: Node) -> Bool {
    old.computedClass == new.computedClass && old.datacenter == new.datacenter && old.nodeClass == new.nodeClass
      && old.nodePool == new.nodePool && old.nodeMaxAllocs == new.nodeMaxAllocs
      && old.nodeResources == new.nodeResources && old.reservedResources == new.reservedResources
  }

  private static func reservedPorts(of node: Node?) -> [(address: String, port: UInt16)] {
    guard let node else { return [] }
    var result = PortUse.parse(node.reservedResources?.networks.reservedHostPorts ?? "").map { ("", $0) }
    for network in node.nodeResources?.nodeNetworks ?? [] {
      for address in network.addresses {
        result += PortUse.parse(address.reservedPorts).map { (Self.address(address.address), $0) }
      }
    }
    return result
  }

  private mutating func makeSlot(for node: Shared<Node>) -> Int {
    let id = node.value.id
    if let slot = freeSlots.popLast() {
      ids[slot] = id
      slots.set(id, slot)
      return slot
    }
    slots.set(id, ids.count)
    ids.append(id)
    flags.append([])
    cpuTotal.append(0)
    cpuUsed.append(0)
    memoryTotal.append(0)
    memoryUsed.append(0)
    diskTotal.append(0)
    diskUsed.append(0)
    allocationCount.append(0)
    allocationLimit.append(0)
    datacenter.append(0)
    nodeClass.append(0)
    pool.append(0)
    computedClass.append(0)
    ports.append(PortUse())
    named.append(NamedUse())
    holdsNamed.append(false)
    held.append([])
    cores.append([])
    nodes.append(nil)
    return ids.count - 1
  }

  mutating func remove(_ id: Identifier) {
    guard let slot = slots.remove(id) else { return }
    leaveClass(slot)
    ids[slot] = .none
    flags[slot] = []
    cpuTotal[slot] = 0
    cpuUsed[slot] = 0
    memoryTotal[slot] = 0
    memoryUsed[slot] = 0
    diskTotal[slot] = 0
    diskUsed[slot] = 0
    allocationCount[slot] = 0
    allocationLimit[slot] = 0
    ports[slot] = PortUse()
    named[slot] = NamedUse()
    holdsNamed[slot] = false
    held[slot] = []
    cores[slot] = []
    nodes[slot] = nil
    freeSlots.append(slot)
  }

  private mutating func joinClass(_ slot: Int, _ node: Shared<Node>) {
    let name = Name(node.value.computedClass)
    if let number = classNumbers[name] {
      classes[number].members += 1
      classes[number].example = node
      computedClass[slot] = UInt32(number)
      return
    }
    let new = ComputedClass(name: name.text, example: node, members: 1)
    let number = freeClasses.popLast() ?? classes.count
    if number == classes.count { classes.append(new) } else { classes[number] = new }
    classNumbers.set(name, number)
    computedClass[slot] = UInt32(number)
  }

  private mutating func leaveClass(_ slot: Int) {
    let number = Int(computedClass[slot])
    classes[number].members -= 1
    if classes[number].members == 0 {
      classNumbers.remove(Name(classes[number].name))
      classes[number].name = ""
      freeClasses.append(number)
    } else if classes[number].example.value.id == ids[slot],
      let other = computedClass.indices.first(where: {
        $0 != slot && computedClass[$0] == computedClass[slot] && flags[$0].contains(.present)
      }), let node = nodes[other]
    {
      // The one that leaves may have become another kind of node.
      classes[number].example = node
    }
  }
}
