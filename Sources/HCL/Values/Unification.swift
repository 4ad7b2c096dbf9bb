/// Finding the one type that several values can take, as collections and conditionals need it.
public enum Unification {
  /// The type that values of all `types` convert to without loss; nil when there is none.
  ///
  /// Numbers and bools become strings beside a string; tuples become lists and objects become maps beside those, or when
  /// their shapes differ.
  ///
  /// `dynamic` among the types goes to any type. Where the others do not go to one, the result is `dynamic` too: what is still
  /// unknown decides.
  ///
  /// - Parameter unsafe: a type will do that values convert to, if only some of them.
  public static func unify(_ given: [ValueType], unsafe: Bool = false) -> ValueType? {
    // A null without a type, or something unknown, can be of any type: the others decide.
    let types = given.filter { $0 != .dynamic }
    guard let first = types.first else { return .dynamic }
    if types.allSatisfy({ $0 == first }) { return first }
    var maps = 0, lists = 0, sets = 0, objects = 0, tuples = 0
    for type in types {
      switch type {
      case .map: maps += 1
      case .list: lists += 1
      case .set: sets += 1
      case .object: objects += 1
      case .tuple: tuples += 1
      case .dynamic, .string, .number, .bool: break
      }
    }
    let all = types.count
    if maps > 0, maps == all { return unifyElements(types) { .map($0) } }
    if maps > 0, maps + objects == all {
      if let unified = unifyAsMap(types) { return unified }
    }
    if lists > 0, lists == all { return unifyElements(types) { .list($0) } }
    if lists > 0, lists + tuples == all {
      if let unified = unifyAsList(types) { return unified }
    }
    if sets > 0, sets == all { return unifyElements(types) { .set($0) } }
    if objects > 0, objects == all { return unifyObjects(types) }
    if tuples > 0, tuples == all { return unifyTuples(types) }
    if objects > 0, tuples > 0 { return given.count > types.count ? .dynamic : nil }
    // The first type that all others go to.
    for wanted in types where types.allSatisfy({ Conversion.isSafe($0, to: wanted) }) { return wanted }
    if unsafe {
      for wanted in types where types.allSatisfy({ Conversion.canConvert($0, to: wanted) }) { return wanted }
    }
    // Beside something without a type nothing more can be told yet.
    return given.count > types.count ? .dynamic : nil
  }

  private static func unifyElements(
    _ types: [ValueType], _ make: (ValueType) -> ValueType
  ) -> ValueType? {
    return unify(types.compactMap(\.element)).map(make)
  }

  private static func unifyAsMap(_ types: [ValueType]) -> ValueType? {
    var elements: [ValueType] = []
    for type in types {
      switch type {
      case .map(let t): elements.append(t)
      case .object(let attributes, _):
        elements += attributes.sorted { $0.key < $1.key }.map(\.value)
      default: break
      }
    }
    return unify(elements).map { .map($0) }
  }

  private static func unifyAsList(_ types: [ValueType]) -> ValueType? {
    var elements: [ValueType] = []
    for type in types {
      switch type {
      case .list(let t): elements.append(t)
      case .tuple(let own):
        elements += own
      default: break
      }
    }
    return unify(elements).map { .list($0) }
  }

  private static func unifyObjects(_ types: [ValueType]) -> ValueType? {
    var all: [[String: ValueType]] = []
    for case .object(let attributes, _) in types { all.append(attributes) }
    let names = Set(all[0].keys)
    guard all.allSatisfy({ Set($0.keys) == names }) else { return unifyAsMap(types) }
    var out: [String: ValueType] = [:]
    for name in names {
      guard let unified = unify(all.compactMap { $0[name] }) else { return nil }
      out[name] = unified
    }
    return .object(out)
  }

  private static func unifyTuples(_ types: [ValueType]) -> ValueType? {
    var all: [[ValueType]] = []
    for case .tuple(let elements) in types { all.append(elements) }
    let count = all[0].count
    guard all.allSatisfy({ $0.count == count }) else { return unifyAsList(types) }
    var out: [ValueType] = []
    for i in 0..<count {
      guard let unified = unify(all.map { $0[i] }) else { return nil }
      out.append(unified)
    }
    return .tuple(out)
  }
}
