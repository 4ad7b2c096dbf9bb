import Codec
import Model
import State

/// A `device` block: how many devices of which kind a task asks for.
///
/// Source: "device Block" of Nomad's public jobspec documentation.
struct DeviceRequirement: Sendable {
  /// As written.
  let name: String
  let count: Int
  /// One of the block's constraints say which devices, by their ids.
  let constraints: [Condition]
  let affinities: [(condition: Condition, weight: Int)]
  private let vendor: String?
  private let type: String
  private let model: String?

  /// A constraint or affinity over what a group of equal devices is.
  struct Condition: Sendable {
    let left: Target
    let right: Target
    let operation: ConstraintOperator?

    init(left: String, operand: String, right: String) {
      self.left = Target(left)
      self.right = Target(right)
      operation = ConstraintOperator(operand)
    }

    func holds(on device: NodeDeviceResource, comparing comparison: inout OperandComparison) -> Bool {
      guard let operation else { return false }
      return DeviceValue.holds(operation, left.value(of: device), right.value(of: device), comparing: &comparison)
    }
  }

  enum Target: Hashable, Sendable {
    case literal(String)
    case vendor
    case type
    case model
    case ids
    case attribute(String)
    case unknown

    init(_ text: String) {
      guard text.hasPrefix("${"), text.hasSuffix("}") else {
        self = .literal(text)
        return
      }
      let name = text.dropFirst(2).dropLast()
      switch name {
      case "device.vendor": self = .vendor
      case "device.type": self = .type
      case "device.model": self = .model
      case "device.ids": self = .ids
      default: self = name.hasPrefix("device.attr.") ? .attribute(String(name.dropFirst(12))) : .unknown
      }
    }

    func value(of device: NodeDeviceResource) -> DeviceValue? {
      switch self {
      case .literal(let text): DeviceValue(text)
      case .vendor: .text(device.vendor)
      case .type: .text(device.type)
      case .model: .text(device.name)
      case .ids: .text(device.instances.map(\.id).sorted().joined(separator: ","))
      case .attribute(let key): device.attributes[key].flatMap { DeviceValue($0) }
      case .unknown: nil
      }
    }
  }

  init(_ request: RequestedDevice) {
    name = request.name
    count = Int(clamping: request.count ?? 1)
    constraints = request.constraints.map { Condition(left: $0.lTarget, operand: $0.operand, right: $0.rTarget) }
    affinities = request.affinities.map {
      (Condition(left: $0.lTarget, operand: $0.operand, right: $0.rTarget), $0.weight ?? 50)
    }
    let parts = request.name.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
    switch parts.count {
    case 1: (vendor, type, model) = (nil, parts[0], nil)
    case 2: (vendor, type, model) = (parts[0], parts[1], nil)
    default: (vendor, type, model) = (parts[0], parts[1], parts[2])
    }
  }

  /// Whether the group's devices are what is asked for, however many of them there are.
  func matches(_ device: NodeDeviceResource, comparing comparison: inout OperandComparison) -> Bool {
    guard device.type == type, vendor.map({ $0 == device.vendor }) ?? true, model.map({ $0 == device.name }) ?? true
    else { return false }
    return constraints.allSatisfy { condition in
      // Ids decide about each device, not about the group.
      condition.left == .ids || condition.holds(on: device, comparing: &comparison)
    }
  }

  /// Whether constraints over `${device.ids}` admit one device of a group.
  func admits(_ instance: NodeDevice) -> Bool {
    constraints.allSatisfy { condition in
      guard condition.left == .ids, case .literal(let list) = condition.right else { return true }
      let isNamed = list.split(separator: ",").contains { $0.trimmingWhitespace() == instance.id }
      return condition.operation == .notEqual ? !isNamed : isNamed
    }
  }

  var asksForIDs: Bool { constraints.contains { $0.left == .ids } }

  /// The sum of the weights of affinities that the group meets.
  func weight(of device: NodeDeviceResource, comparing comparison: inout OperandComparison) -> Int {
    var sum = 0
    for affinity in affinities where affinity.condition.holds(on: device, comparing: &comparison) {
      sum += affinity.weight
    }
    return sum
  }

  var totalWeight: Int { affinities.reduce(0) { $0 + abs($1.weight) } }
}

extension NodeDeviceResource {
  /// `vendor/type/name`.
  var groupName: String { "\(vendor)/\(type)/\(name)" }
}
