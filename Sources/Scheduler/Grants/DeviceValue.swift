import Model

/// A value of a device's attribute, or one that it is compared with: a number with a unit, a truth value or a text.
///
/// Source: "device Block" of Nomad's public jobspec documentation, "device Constraint and Affinity Attributes".
enum DeviceValue: Equatable, Sendable {
  /// In the smallest unit of its kind, and the kind: `B`, `B/s`, `Hz` or `W`; empty for a plain number.
  case number(Double, kind: String)
  case truth(Bool)
  case text(String)

  /// Reads a constraint's value: `11 GiB`, `1.5 GHz`, `4`, `true`, or else a text.
  init(_ text: String) {
    let trimmed = text.trimmingWhitespace()
    if trimmed == "true" || trimmed == "false" {
      self = .truth(trimmed == "true")
      return
    }
    let digits = trimmed.prefix { $0.isNumber || $0 == "." || $0 == "-" || $0 == "+" }
    let unit = trimmed.dropFirst(digits.count).trimmingWhitespace()
    if let value = Double(digits), let scale = Self.scale(of: String(unit)) {
      self = .number(value * scale.factor, kind: scale.kind)
    } else {
      self = .text(text)
    }
  }

  /// Nil for an attribute that has none of the four.
  init?(_ attribute: DeviceAttribute) {
    if let value = attribute.bool {
      self = .truth(value)
    } else if let value = attribute.string {
      self = .text(value)
    } else if let value = attribute.float ?? attribute.int.map({ Double($0) }) {
      // A unit that nobody knows is a kind of its own: such numbers compare among themselves.
      let scale = Self.scale(of: attribute.unit) ?? (1, attribute.unit)
      self = .number(value * scale.factor, kind: scale.kind)
    } else {
      return nil
    }
  }

  /// As text, for the operators that work on texts.
  var text: String {
    switch self {
    case .number(let value, _): value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    case .truth(let value): value ? "true" : "false"
    case .text(let text): text
    }
  }

  private static func scale(of unit: String) -> (factor: Double, kind: String)? {
    if unit.isEmpty { return (1, "") }
    let isRate = unit.hasSuffix("/s")
    let base = isRate ? String(unit.dropLast(2)) : unit
    if let factor = bytes[base] { return (factor, isRate ? "B/s" : "B") }
    if isRate { return nil }
    if let factor = hertz[base] { return (factor, "Hz") }
    if let factor = watts[base] { return (factor, "W") }
    return nil
  }

  private static let bytes: [String: Double] = [
    "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "PB": 1e15, "EB": 1e18, "kiB": 1024, "KiB": 1024,
    "MiB": 1_048_576, "GiB": 1_073_741_824, "TiB": 1_099_511_627_776, "PiB": 1_125_899_906_842_624,
    "EiB": 1_152_921_504_606_846_976,
  ]
  private static let hertz: [String: Double] = ["Hz": 1, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9]
  private static let watts: [String: Double] = ["mW": 1e-3, "W": 1, "kW": 1e3, "MW": 1e6, "GW": 1e9]

  /// Whether `left operation right` holds. An operand is nil when the device doesn't have the attribute it names. Values
  /// that can't be compared are unlike each other and in no order.
  static func holds(
    _ operation: ConstraintOperator, _ left: DeviceValue?, _ right: DeviceValue?,
    comparing comparison: inout OperandComparison
  ) -> Bool {
    switch operation {
    case .isSet: return left != nil
    case .isNotSet: return left == nil
    case .distinctHosts, .distinctProperty: return false
    case .notEqual: return left != right
    case .equal:
      guard let left, let right else { return false }
      return left == right
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      guard let order = left.flatMap({ left in right.flatMap { left.order(relativeTo: $0) } }) else { return false }
      switch operation {
      case .less: return order < 0
      case .lessOrEqual: return order <= 0
      case .greater: return order > 0
      default: return order >= 0
      }
    case .regularExpression, .setContainsAll, .setContainsAny, .version, .semanticVersion:
      return comparison.holds(operation, left: left?.text, right: right?.text)
    }
  }

  private func order(relativeTo other: DeviceValue) -> Int? {
    switch (self, other) {
    case (.number(let left, let kind), .number(let right, let otherKind)) where kind == otherKind:
      return left < right ? -1 : left > right ? 1 : 0
    case (.text(let left), .text(let right)):
      if left.utf8.elementsEqual(right.utf8) { return 0 }
      return left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
    default: return nil
    }
  }
}
