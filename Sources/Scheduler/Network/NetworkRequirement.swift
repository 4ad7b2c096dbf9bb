import Model

/// What a group asks of a node's networks.
struct NetworkRequirement: Sendable {
  /// `host`, `bridge`, `none` or `cni/<name>`; nil without a `network` block.
  let mode: String?
  let ports: [Request]

  struct Request: Sendable {
    let label: String
    /// The port on the host that is asked for; nil for any of the node's dynamic ones.
    let staticPort: UInt16?
    /// Inside the group's network namespace; −1 for the same as on the host, 0 for none in particular.
    let to: Int
    let hostNetwork: String
    /// Whether others may hold the port as well, as programs that share one with SO_REUSEPORT do.
    let ignoresCollision: Bool
  }

  var hasStaticPorts: Bool { ports.contains { $0.staticPort != nil } }

  static let defaultHostNetwork = "default"

  init(group: TaskGroup) {
    mode = group.networks.first.map { $0.mode.isEmpty ? "host" : $0.mode }
    var ports: [Request] = []
    for network in group.networks + group.tasks.flatMap({ $0.resources?.networks ?? [] }) {
      for (list, isStatic) in [(network.reservedPorts, true), (network.dynamicPorts, false)] {
        for port in list {
          ports.append(
            Request(
              label: port.label, staticPort: isStatic ? UInt16(clamping: port.value) : nil, to: port.to,
              hostNetwork: port.hostNetwork.isEmpty ? Self.defaultHostNetwork : port.hostNetwork,
              ignoresCollision: port.ignoreCollision))
        }
      }
    }
    self.ports = ports
  }

  /// Every node has the host's network and none; others are fingerprinted.
  func isOffered(_ mode: String, by node: Node) -> Bool {
    if mode == "host" || mode == "none" { return true }
    let resources = node.nodeResources
    return resources?.nodeNetworks.contains { $0.mode == mode } == true
      || resources?.networks.contains { $0.mode == mode } == true
  }

  /// Why a node can never serve the group's network; nil when it can.
  func obstacle(on node: Node) -> String? {
    guard let mode else { return nil }
    if !isOffered(mode, by: node) { return "missing network" }
    for port in ports where port.hostNetwork != Self.defaultHostNetwork {
      if NodeAddress.find(port.hostNetwork, on: node) == nil {
        return "missing host network \"\(port.hostNetwork)\" for port \"\(port.label)\""
      }
    }
    return nil
  }
}

/// An address of a node from which ports are taken.
struct NodeAddress: Sendable {
  let address: String

  /// The first address of the host network of that name. A node that describes no addresses by name has its network
  /// resources' address as the default one.
  static func find(_ hostNetwork: String, on node: Node) -> NodeAddress? {
    guard let resources = node.nodeResources else { return nil }
    for network in resources.nodeNetworks {
      for address in network.addresses where address.alias == hostNetwork {
        return NodeAddress(address: address.address)
      }
    }
    guard hostNetwork == NetworkRequirement.defaultHostNetwork else { return nil }
    if let network = resources.networks.first(where: { !$0.ip.isEmpty }) {
      return NodeAddress(address: network.ip)
    }
    for network in resources.nodeNetworks {
      if let address = network.addresses.first {
        return NodeAddress(address: address.address)
      }
    }
    return nil
  }
}
