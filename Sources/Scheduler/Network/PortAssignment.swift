import Codec
import Model
import State

/// Chooses an allocation's ports on one node.
enum PortAssignment {
  /// Of a node that doesn't say otherwise.
  static let defaultDynamicRange: ClosedRange<UInt16> = 20_000...32_000

  /// Why a group's ports can't be had, as metrics name it.
  struct Obstacle: Error, Equatable {
    let text: String
    /// Another allocation of the group, with another number, may do without what is missing.
    var isOfThisPlacementAlone = false
  }

  /// The same for the columns and here: the wildcard addresses stand for every address.
  static func key(_ address: String) -> String { address == "0.0.0.0" || address == "::" ? "" : address }

  /// Why the static ports can't be had; nil when they can.
  static func obstacle(_ requests: [NetworkRequirement.Request], on node: Node, beside use: PortUse) -> Obstacle? {
    for request in requests {
      guard let address = NodeAddress.find(request.hostNetwork, on: node) else {
        return Obstacle(text: "network: no addresses available for \"\(request.hostNetwork)\" network")
      }
      guard let port = request.staticPort, !request.ignoresCollision else { continue }
      if use.isUsed(port, on: key(address.address)) {
        return Obstacle(text: "network: reserved port collision \(request.label)=\(port)")
      }
    }
    return nil
  }

  /// Takes the ports for one allocation out of `use`; static ones first, so that no dynamic one is chosen in their place.
  /// Nothing is taken when one of them can't be had.
  static func assign(
    _ requests: [NetworkRequirement.Request], on node: Node, from use: inout PortUse, random: inout RandomBits
  ) throws(Obstacle) -> [PortMapping] {
    if requests.isEmpty { return [] }
    if let obstacle = obstacle(requests, on: node, beside: use) { throw obstacle }
    var changed = use
    var mappings: [PortMapping] = []
    for request in requests.filter({ $0.staticPort != nil }) + requests.filter({ $0.staticPort == nil }) {
      guard let address = NodeAddress.find(request.hostNetwork, on: node) else { continue }
      let port: UInt16
      if let wanted = request.staticPort {
        port = wanted
      } else {
        guard let free = randomFree(in: dynamicRange(of: node), on: key(address.address), beside: changed, &random)
        else { throw Obstacle(text: "network: dynamic port selection failed") }
        port = free
      }
      changed.take(port, on: key(address.address))
      var mapping = PortMapping()
      mapping.label = request.label
      mapping.value = Int(port)
      mapping.to = request.to == -1 ? Int(port) : request.to
      mapping.hostIP = address.address
      mapping.ignoreCollision = request.ignoresCollision
      mappings.append(mapping)
    }
    use = changed
    return mappings
  }

  static func dynamicRange(of node: Node) -> ClosedRange<UInt16> {
    let low = node.nodeResources?.minDynamicPort ?? 0
    let high = node.nodeResources?.maxDynamicPort ?? 0
    return low > 0 && low <= high && high <= 65_535 ? UInt16(low)...UInt16(high) : defaultDynamicRange
  }

  /// One of the range's free ports, each equally likely; nil when none is free.
  static func randomFree(
    in range: ClosedRange<UInt16>, on address: String, beside use: PortUse, _ random: inout RandomBits
  ) -> UInt16? {
    var taken: [UInt16] = []
    for host in use.hosts where address.isEmpty || host.address.isEmpty || host.address == address {
      for port in host.ports where range.contains(port) { taken.append(port) }
    }
    taken.sort()
    var distinct = 0
    for position in taken.indices where position == 0 || taken[position] != taken[position - 1] { distinct += 1 }
    let free = range.count - distinct
    guard free > 0 else { return nil }
    // The rank counts free ports only: step over each taken port at or below the candidate.
    var candidate = Int(range.lowerBound) + Int.random(in: 0..<free, using: &random)
    for position in taken.indices where position == 0 || taken[position] != taken[position - 1] {
      if Int(taken[position]) > candidate { break }
      candidate += 1
    }
    return UInt16(candidate)
  }
}
