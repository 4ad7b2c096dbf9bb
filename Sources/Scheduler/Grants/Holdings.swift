import Codec
import Model
import State

/// What the allocations of a node hold one by one: ports, cores, devices, volumes.
struct Holdings {
  var ports: PortUse
  var named: NamedUse

  /// Leaves out what an allocation holds, for one that stands in its place.
  mutating func give(_ allocation: StoredAllocation) {
    for port in allocation.ports { ports.give(UInt16(clamping: port.value), on: PortAssignment.key(port.hostIP)) }
    named.give(allocation)
  }

  /// Counts it again: it stays held until its client says otherwise.
  mutating func take(_ allocation: StoredAllocation) {
    for port in allocation.ports { ports.take(UInt16(clamping: port.value), on: PortAssignment.key(port.hostIP)) }
    named.take(allocation)
  }
}

/// What an allocation gets on its node beyond quantities.
struct Granted {
  var ports: [PortMapping] = []
  var grants: [String: TaskGrant] = [:]
}

extension GroupRequirement {
  /// Whether anything is asked for beyond quantities.
  var asksNamedThings: Bool {
    !network.ports.isEmpty || !grants.isEmpty || !writtenVolumes.isEmpty || !volumesPerAllocation.isEmpty
  }

  /// What an allocation takes from a node: cores count as their MHz, which differ from node to node.
  func demand(on node: Node) -> Demand {
    if grants.cores == 0 { return ask }
    let megahertz = CorePower(node).megahertzPerCore
    var held: [String: TaskGrant] = [:]
    for task in grants.tasks {
      var grant = TaskGrant()
      grant.cpu = Int64(task.cores) * megahertz
      held[task.name] = grant
    }
    return Demand(of: group, grants: held)
  }

  /// Takes what one allocation asks for out of a node's holdings; nothing is taken when some of it can't be had.
  /// - Parameter index: the allocation's number, which volumes with `per_alloc` go by.
  func grant(
    on node: Node, cores: [UInt16], index: Int, from holdings: inout Holdings, random: inout RandomBits
  ) throws(PortAssignment.Obstacle) -> Granted {
    var granted = Granted()
    var changed = holdings
    for request in volumesPerAllocation
    where !ClassFeasibility.offers(request, named: "\(request.source)[\(index)]", node) {
      throw PortAssignment.Obstacle(text: "missing compatible host volumes", isOfThisPlacementAlone: true)
    }
    for request in writtenVolumes {
      guard let claim = VolumeClaim(request, index: UInt32(clamping: index)) else { continue }
      guard changed.named.admits(claim) else {
        throw PortAssignment.Obstacle(text: "host volume has its writer", isOfThisPlacementAlone: request.perAlloc)
      }
      changed.named.take(claim)
    }
    if !grants.isEmpty {
      granted.grants = try GrantAssignment.assign(grants, on: node, cores: cores, beside: changed.named).grants
      changed.named.take(granted.grants)
    }
    granted.ports = try PortAssignment.assign(network.ports, on: node, from: &changed.ports, random: &random)
    holdings = changed
    return granted
  }

  /// Why the things that are told apart by name can't be had on a node; nil when they can. Dynamic ports are left to the
  /// placement.
  func obstacle(on node: Node, cores: [UInt16], beside holdings: Holdings) -> String? {
    if network.hasStaticPorts, let obstacle = PortAssignment.obstacle(network.ports, on: node, beside: holdings.ports) {
      return obstacle.text
    }
    for request in writtenVolumes where !request.perAlloc {
      if let claim = VolumeClaim(request, index: 0), !holdings.named.admits(claim) {
        return "host volume has its writer"
      }
    }
    if grants.isEmpty { return nil }
    do throws(PortAssignment.Obstacle) {
      _ = try GrantAssignment.assign(grants, on: node, cores: cores, beside: holdings.named)
      return nil
    } catch {
      return error.text
    }
  }
}
