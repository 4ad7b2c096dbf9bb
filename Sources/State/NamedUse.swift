public import Codec
public import Model

/// A list in which an element may be several times, in order. An element is there twice while an allocation that is being
/// stopped and the one that waits for its place both hold it.
public struct Bag<Element: Comparable & Hashable & Sendable>: Sendable, Hashable {
  /// Ascending.
  public private(set) var elements: [Element] = []

  /// Nothing in it.
  public init() {}

  /// Whether an element is in it at least once.
  public func contains(_ element: Element) -> Bool {
    let at = position(of: element)
    return at < elements.count && elements[at] == element
  }

  /// Adds an element once.
  public mutating func insert(_ element: Element) { elements.insert(element, at: position(of: element)) }

  /// Takes an element out once; one that isn't in it is passed over.
  public mutating func remove(_ element: Element) {
    let at = position(of: element)
    if at < elements.count, elements[at] == element { elements.remove(at: at) }
  }

  private func position(of element: Element) -> Int {
    var (low, high) = (0, elements.count)
    while low < high {
      let middle = (low + high) / 2
      if elements[middle] < element { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// One device of a node: its group's vendor, type and name, and its id.
public struct DeviceInstance: Hashable, Sendable, Comparable {
  /// `vendor/type/name`.
  public let group: String
  /// Unique within its group.
  public let id: String

  /// A device by its group and id.
  public init(group: String, id: String) {
    self.group = group
    self.id = id
  }

  /// By id, then by group.
  public static func < (left: DeviceInstance, right: DeviceInstance) -> Bool {
    left.id == right.id ? precedes(left.group, right.group) : precedes(left.id, right.id)
  }
}

/// What a node's allocations hold one by one: cores, devices and volumes. (Ports have a column of their own.)
public struct NamedUse: Sendable, Hashable {
  /// By number.
  public private(set) var cores = Bag<UInt16>()
  /// Of every group.
  public private(set) var devices = Bag<DeviceInstance>()
  /// Host volumes that somebody may write to.
  public private(set) var writtenVolumes = Bag<Name>()
  /// Host volumes that one writer has for itself.
  public private(set) var exclusiveVolumes = Bag<Name>()

  /// Nothing is held.
  public init() {}

  /// Whether nothing is held.
  public var isEmpty: Bool {
    cores.elements.isEmpty && devices.elements.isEmpty && writtenVolumes.elements.isEmpty
  }

  /// Accounts for what tasks were granted.
  public mutating func take(_ grants: [String: TaskGrant]) {
    for grant in grants.values {
      for core in grant.cores { cores.insert(UInt16(clamping: core)) }
      for device in grant.instances { devices.insert(device) }
    }
  }

  /// Takes back what `take` did.
  public mutating func give(_ grants: [String: TaskGrant]) {
    for grant in grants.values {
      for core in grant.cores { cores.remove(UInt16(clamping: core)) }
      for device in grant.instances { devices.remove(device) }
    }
  }

  /// Accounts for an allocation.
  public mutating func take(_ allocation: StoredAllocation) {
    take(allocation.grants)
    for claim in allocation.volumeClaims { take(claim) }
  }

  /// Takes back what `take` did.
  public mutating func give(_ allocation: StoredAllocation) {
    give(allocation.grants)
    for claim in allocation.volumeClaims { give(claim) }
  }

  /// Accounts for a volume that may be written to.
  public mutating func take(_ claim: VolumeClaim) {
    writtenVolumes.insert(claim.volume)
    if claim.isExclusive { exclusiveVolumes.insert(claim.volume) }
  }

  /// Takes back what `take` did.
  public mutating func give(_ claim: VolumeClaim) {
    writtenVolumes.remove(claim.volume)
    if claim.isExclusive { exclusiveVolumes.remove(claim.volume) }
  }

  /// Whether the claim can stand beside those that are there.
  public func admits(_ claim: VolumeClaim) -> Bool {
    claim.isExclusive ? !writtenVolumes.contains(claim.volume) : !exclusiveVolumes.contains(claim.volume)
  }
}

/// A host volume that an allocation may write to.
public struct VolumeClaim: Hashable, Sendable {
  /// Its name on the node.
  public let volume: Name
  /// No other may write to it at the same time (`access_mode = "single-node-single-writer"`).
  public let isExclusive: Bool

  /// Nil for a request that only reads, or is for another kind of volume.
  /// - Parameter index: the allocation's number, which is a part of the name of volumes with `per_alloc`.
  public init?(_ request: VolumeRequest, index: UInt32) {
    guard request.type == "host" || request.type.isEmpty, !request.readOnly,
      request.accessMode != "single-node-reader-only"
    else { return nil }
    volume = Name(request.perAlloc ? "\(request.source)[\(index)]" : request.source)
    isExclusive = request.accessMode == "single-node-single-writer" || request.accessMode == "single-node-writer"
  }
}

/// What an allocation takes from its node, as far as preemption looks at it.
public struct HeldAllocation: Sendable, Hashable {
  /// The allocation.
  public let id: Identifier
  /// Its quantities.
  public let demand: Demand
  /// Of the job's version that it runs.
  public let priority: Int16
  /// It is to end and holds its place until its client says that it has.
  public let isStopping: Bool

  init(_ allocation: StoredAllocation) {
    id = allocation.id
    demand = allocation.demand
    priority = Int16(clamping: allocation.priority)
    isStopping = allocation.isServerTerminal
  }
}

extension TaskGrant {
  /// The devices one by one.
  public var instances: [DeviceInstance] {
    devices.flatMap { device in
      device.deviceIDs.map { DeviceInstance(group: "\(device.vendor)/\(device.type)/\(device.name)", id: $0) }
    }
  }
}

extension StoredAllocation {
  /// Its group uses volumes, or its tasks were granted something.
  var holdsNamedThings: Bool {
    if rare != nil, !grants.isEmpty { return true }
    let groups = job.value.taskGroups
    return groups.indices.contains(Int(groupIndex)) && !groups[Int(groupIndex)].volumes.isEmpty
  }

  /// The host volumes that it may write to, by name.
  public var volumeClaims: [VolumeClaim] {
    let groups = job.value.taskGroups
    guard groups.indices.contains(Int(groupIndex)) else { return [] }
    let volumes = groups[Int(groupIndex)].volumes
    return volumes.keys.sorted().compactMap { key in volumes[key].flatMap { VolumeClaim($0, index: nameIndex) } }
  }
}
