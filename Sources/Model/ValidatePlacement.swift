import Codec

// Constraints, affinities and spreads; networks and ports.

extension JobValidator {
  private static let comparisons = ["=", "==", "is", "!=", "not", "<", "<=", ">", ">="]
  private static let patterns = [
    "regexp", "version", "semver", "set_contains", "set_contains_all", "set_contains_any",
  ]
  private static let presence = ["is_set", "is_not_set"]

  mutating func validateConstraints(_ constraints: [Constraint]) {
    for constraint in constraints { within("constraint") { $0.validateConstraint(constraint) } }
  }

  private mutating func validateConstraint(_ constraint: Constraint) {
    let operators = Self.comparisons + Self.patterns + Self.presence + ["distinct_hosts", "distinct_property"]
    oneOf("operator", constraint.operand, operators, required: true)
    switch constraint.operand {
    case "distinct_hosts":
      if !["", "true", "false"].contains(constraint.rTarget) {
        fail("value is \"\(constraint.rTarget)\"; distinct_hosts takes true or false")
      }
      return
    case "distinct_property":
      if !constraint.rTarget.isEmpty, (Int(constraint.rTarget) ?? 0) < 1 {
        fail("value is \"\(constraint.rTarget)\"; distinct_property takes a number from 1, or none")
      }
    case _ where Self.presence.contains(constraint.operand):
      require(constraint.rTarget.isEmpty, "\(constraint.operand) takes no value; remove it")
    case _ where operators.contains(constraint.operand):
      require(!constraint.rTarget.isEmpty, "value is missing; say what \(constraint.operand) compares with")
    default: return
    }
    require(!constraint.lTarget.isEmpty, "attribute is missing; name one, such as \"${attr.kernel.name}\"")
  }

  mutating func validateAffinities(_ affinities: [Affinity]) {
    if affinities.isEmpty { return }
    if type == .system || type == .sysbatch {
      return fail("a job of type \"\(type)\" runs on every node, affinities mean nothing; remove them")
    }
    for affinity in affinities {
      within("affinity") {
        let operators = Self.comparisons + Self.patterns
        $0.oneOf("operator", affinity.operand, operators, required: true)
        $0.require(!affinity.lTarget.isEmpty, "attribute is missing; name one, such as \"${node.class}\"")
        $0.require(!affinity.rTarget.isEmpty, "value is missing; say what to compare with")
        let weight = affinity.weight ?? 0
        if weight == 0 || !JobLimits.weights.contains(weight) {
          $0.fail("weight is \(weight); it must be from -100 to 100 and not 0")
        }
      }
    }
  }

  mutating func validateSpreads(_ spreads: [Spread]) {
    if spreads.isEmpty { return }
    if type == .system || type == .sysbatch {
      return fail("a job of type \"\(type)\" runs on every node, spreads mean nothing; remove them")
    }
    for name in repeated(spreads.map(\.attribute)) { fail("there are several spreads over \"\(name)\"; keep one") }
    for spread in spreads {
      within("spread") {
        $0.require(!spread.attribute.isEmpty, "attribute is missing; name one, such as \"${node.datacenter}\"")
        let weight = spread.weight ?? 0
        if weight <= 0 || weight > 100 { $0.fail("weight is \(weight); it must be from 1 to 100") }
        for value in $0.repeated(spread.spreadTarget.map(\.value)) { $0.fail("target \"\(value)\" is there twice") }
        for target in spread.spreadTarget where !(0...100).contains(target.percent) {
          $0.fail("the percentage of target \"\(target.value)\" is \(target.percent); it must be from 0 to 100")
        }
        let sum = spread.spreadTarget.reduce(0) { $0 + Swift.max(0, Swift.min($1.percent, 101)) }
        $0.require(sum <= 100, "the percentages of the targets add up to more than 100")
      }
    }
  }

  mutating func validateNetworks(_ group: TaskGroup) {
    require(group.networks.count <= 1, "the group has \(group.networks.count) network blocks; put the ports into one")
    // Labels and static ports are shared by the group's network and the networks of its tasks.
    var labels: Set<String> = []
    var statics: [String: String] = [:]
    for network in group.networks {
      within("network") {
        let mode = network.mode
        $0.require(
          ["", "none", "host", "bridge"].contains(mode) || mode.hasPrefix("cni/"),
          "mode is \"\(mode)\"; it must be \"none\", \"host\", \"bridge\" or \"cni/\" and a network's name")
        $0.require(mode != "cni/", "mode is \"cni/\" without the name of a network; add it")
        if mode == "none" && !(network.reservedPorts + network.dynamicPorts).isEmpty {
          $0.fail("mode \"none\" has no ports; remove them or choose another mode")
        }
        if !network.hostname.isEmpty && (mode.isEmpty || mode == "host" || mode == "none") {
          $0.fail("hostname needs a network of the group's own; use mode \"bridge\" or a CNI network")
        }
        $0.validatePorts(network, &labels, &statics)
      }
    }
    for task in group.tasks {
      for network in task.resources?.networks ?? [] {
        within("task", task.name) { $0.within("network") { $0.validatePorts(network, &labels, &statics) } }
      }
    }
  }

  private mutating func validatePorts(
    _ network: NetworkResource, _ labels: inout Set<String>, _ statics: inout [String: String]
  ) {
    for port in network.reservedPorts + network.dynamicPorts {
      require(!port.label.isEmpty, "a port has no label; write it as the label of the port block")
      if !port.label.isEmpty && !labels.insert(port.label).inserted {
        fail("port label \"\(port.label)\" is there twice; give each port a label of its own")
      }
      if port.to < -1 || port.to > 65535 {
        fail("port \"\(port.label)\": to is \(port.to); it must be a port number, or -1 for the port on the host")
      }
    }
    for port in network.reservedPorts {
      if port.value < 1 || port.value > 65535 {
        fail("port \"\(port.label)\": static is \(port.value); it must be from 1 to 65535")
      } else if !port.ignoreCollision {
        let host = port.hostNetwork.isEmpty ? "default" : port.hostNetwork
        if let other = statics.updateValue(port.label, forKey: "\(host)/\(port.value)"), other != port.label {
          fail("ports \"\(other)\" and \"\(port.label)\" are both static \(port.value) on host network \"\(host)\"")
        }
      }
    }
  }
}
