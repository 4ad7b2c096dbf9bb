/// What values there can be in a place.
public indirect enum ValueType: Sendable, Hashable {
  /// Not known yet: any type may turn out. The type of a bare `null`.
  case dynamic
  case string
  case number
  case bool
  case list(ValueType)
  case set(ValueType)
  case map(ValueType)
  case tuple([ValueType])
  /// Attribute types by name. `optional` names attributes that a conversion may fill with null; only type constraints
  /// have such, never values.
  case object([String: ValueType], optional: Set<String> = [])

  var isPrimitive: Bool {
    switch self {
    case .string, .number, .bool: true
    default: false
    }
  }

  /// The element type of a list, set or map.
  public var element: ValueType? {
    switch self {
    case .list(let t), .set(let t), .map(let t): t
    default: nil
    }
  }

  /// Whether `dynamic` occurs in it.
  public var hasDynamic: Bool {
    switch self {
    case .dynamic: true
    case .string, .number, .bool: false
    case .list(let t), .set(let t), .map(let t): t.hasDynamic
    case .tuple(let ts): ts.contains(where: \.hasDynamic)
    case .object(let ts, _): ts.values.contains(where: \.hasDynamic)
    }
  }

  /// The type without remarks about optional attributes: what a value can have.
  var concrete: ValueType {
    switch self {
    case .dynamic, .string, .number, .bool: self
    case .list(let t): .list(t.concrete)
    case .set(let t): .set(t.concrete)
    case .map(let t): .map(t.concrete)
    case .tuple(let ts): .tuple(ts.map(\.concrete))
    case .object(let ts, _): .object(ts.mapValues(\.concrete))
    }
  }

  /// The name for messages, with the article's noun first: "list of string".
  public var friendlyName: String {
    switch self {
    case .dynamic: "dynamic"
    case .string: "string"
    case .number: "number"
    case .bool: "bool"
    case .list(let t): "list of \(t.friendlyName)"
    case .set(let t): "set of \(t.friendlyName)"
    case .map(let t): "map of \(t.friendlyName)"
    case .tuple: "tuple"
    case .object: "object"
    }
  }
}
