import RegularExpression

/// The operators of `constraint` and `affinity` blocks.
///
/// Source: "constraint Block" and "affinity Block" of Nomad's public jobspec documentation.
enum ConstraintOperator: Hashable, Sendable {
  case equal
  case notEqual
  case less
  case lessOrEqual
  case greater
  case greaterOrEqual
  case regularExpression
  case setContainsAll
  case setContainsAny
  case version
  case semanticVersion
  case isSet
  case isNotSet
  /// Handled over a whole job or group, not node by node: `DistinctHosts`.
  case distinctHosts
  /// Handled over a whole job or group, not node by node: `DistinctProperty`.
  case distinctProperty

  /// Nil for an operator that doesn't exist; nothing satisfies such a constraint.
  init?(_ name: String) {
    switch name {
    case "", "=", "==", "is": self = .equal
    case "!=", "not": self = .notEqual
    case "<": self = .less
    case "<=": self = .lessOrEqual
    case ">": self = .greater
    case ">=": self = .greaterOrEqual
    case "regexp": self = .regularExpression
    case "set_contains", "set_contains_all": self = .setContainsAll
    case "set_contains_any": self = .setContainsAny
    case "version": self = .version
    case "semver": self = .semanticVersion
    case "is_set": self = .isSet
    case "is_not_set": self = .isNotSet
    case "distinct_hosts": self = .distinctHosts
    case "distinct_property": self = .distinctProperty
    default: return nil
    }
  }
}

/// Compares two operands, keeping what reading a right-hand side costs: patterns and version lists are compiled once.
struct OperandComparison {
  private var patterns: [String: Pattern?] = [:]
  private var versions: [VersionKey: VersionConstraint?] = [:]

  private struct VersionKey: Hashable {
    let text: String
    let flavour: VersionConstraint.Flavour
  }

  /// Whether `left operator right` holds. An operand is nil when the node doesn't have the attribute it names.
  mutating func holds(_ operation: ConstraintOperator, left: String?, right: String?) -> Bool {
    switch operation {
    case .isSet: return left != nil
    case .isNotSet: return left == nil
    case .distinctHosts, .distinctProperty: return true
    case .notEqual: return left != right
    default: break
    }
    guard let left, let right else { return false }
    switch operation {
    case .equal: return left == right
    case .less: return Self.order(left, right) == .less
    case .lessOrEqual: return Self.order(left, right) != .greater
    case .greater: return Self.order(left, right) == .greater
    case .greaterOrEqual: return Self.order(left, right) != .less
    case .regularExpression: return pattern(right)?.matches(left) ?? false
    case .setContainsAll: return Self.elements(right).isSubset(of: Self.elements(left))
    case .setContainsAny: return !Self.elements(right).isDisjoint(with: Self.elements(left))
    case .version: return version(right, .version)?.isSatisfied(by: left) ?? false
    case .semanticVersion: return version(right, .semver)?.isSatisfied(by: left) ?? false
    case .notEqual, .isSet, .isNotSet, .distinctHosts, .distinctProperty: return false
    }
  }

  private mutating func pattern(_ text: String) -> Pattern? {
    if let known = patterns[text] { return known }
    // No text matches what isn't a pattern: registering a job refuses it, but the right side may be a node's attribute.
    let compiled = try? Pattern(text)
    patterns[text] = .some(compiled)
    return compiled
  }

  private mutating func version(_ text: String, _ flavour: VersionConstraint.Flavour) -> VersionConstraint? {
    let key = VersionKey(text: text, flavour: flavour)
    if let known = versions[key] { return known }
    let compiled = VersionConstraint(text, flavour: flavour)
    versions[key] = .some(compiled)
    return compiled
  }

  /// Whole numbers and decimal fractions by value when both sides are the same kind of number, anything else byte by
  /// byte.
  private static func order(_ left: String, _ right: String) -> Version.Order {
    func compare<T: Comparable>(_ left: T, _ right: T) -> Version.Order {
      left < right ? .less : left > right ? .greater : .equal
    }
    if let left = Int64(left), let right = Int64(right) { return compare(left, right) }
    if let left = Double(left), let right = Double(right), !left.isNaN, !right.isNaN { return compare(left, right) }
    if left.utf8.elementsEqual(right.utf8) { return .equal }
    return left.utf8.lexicographicallyPrecedes(right.utf8) ? .less : .greater
  }

  private static func elements(_ list: String) -> Set<Substring> {
    Set(list.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingWhitespace() })
  }
}
