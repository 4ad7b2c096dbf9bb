/// Conversion of values between types, by the rules of the HCL specification ("Type Conversions and Unification").
public enum Conversion {
  /// Why a value can't be of a type. The path says where inside of the value.
  public struct Failure: Error, Sendable {
    /// Why it cannot be converted, as a clause.
    public var message: String
    /// Indexes and names from the value down to the place, outermost first, as they are written in source: `.a[0]`.
    public var path: String = ""

    init(_ message: String) {
      self.message = message
    }

    func inside(_ step: String) -> Failure {
      var copy = self
      copy.path = step + path
      return copy
    }

    /// The message with its place.
    public var description: String { path.isEmpty ? message : "at \(path): \(message)" }
  }

  /// `value` as a value of `type`. Types with `dynamic` inside let the value decide there.
  public static func convert(_ value: Value, to type: ValueType) throws(Failure) -> Value {
    if value.type == type { return value }
    if case .dynamic = type { return value }
    switch value.content {
    case .unknown:
      if case .dynamic = value.type { return .unknown(type) }
      guard canConvert(value.type, to: type) else { throw mismatch(value.type, type) }
      return .unknown(resolved(value.type, type))
    case .null:
      if case .dynamic = value.type { return .null(type) }
      guard canConvert(value.type, to: type) else { throw mismatch(value.type, type) }
      return .null(resolved(value.type, type))
    default: break
    }
    switch type {
    case .dynamic: return value
    case .string: return try toString(value)
    case .number: return try toNumber(value)
    case .bool: return try toBool(value)
    case .list(let element):
      return try toSequence(value, element, type) { Value.list($0, of: $1) }
    case .set(let element):
      return try toSequence(value, element, type) { Value.set($0, of: $1) }
    case .map(let element): return try toMap(value, element, type)
    case .tuple(let types): return try toTuple(value, types, type)
    case .object(let types, let optional): return try toObject(value, types, optional, type)
    }
  }

  static func mismatch(_ from: ValueType, _ to: ValueType) -> Failure {
    if case .object = from, case .object(let wanted, let optional) = to, case .object(let given, _) = from {
      let missing = wanted.keys.filter { given[$0] == nil && !optional.contains($0) }.sorted()
      if !missing.isEmpty {
        return Failure(
          "\(missing.count == 1 ? "attribute" : "attributes") \(missing.map { "\"\($0)\"" }.joined(separator: ", ")) "
            + "must be given")
      }
    }
    return Failure("a value of type \(to.friendlyName) is needed here, not \(from.friendlyName)")
  }

  private static func toString(_ value: Value) throws(Failure) -> Value {
    switch value.content {
    case .string: return value
    case .number(let n): return .string(n.description)
    case .bool(let b): return .string(b ? "true" : "false")
    default: throw mismatch(value.type, .string)
    }
  }

  private static func toNumber(_ value: Value) throws(Failure) -> Value {
    switch value.content {
    case .number: return value
    case .string(let s):
      guard let number = Number(s) else { throw Failure("a number is needed here, and the text does not read as one") }
      return .number(number)
    default: throw mismatch(value.type, .number)
    }
  }

  private static func toBool(_ value: Value) throws(Failure) -> Value {
    switch value.content {
    case .bool: return value
    case .string("true"), .string("1"): return .true
    case .string("false"), .string("0"): return .false
    case .string(let s):
      let lower = s.lowercased()
      let hint = lower == "true" || lower == "false" ? "; write \"\(lower)\" in lower case" : ""
      throw Failure("a bool is needed here: \"true\" or \"false\"\(hint)")
    default: throw mismatch(value.type, .bool)
    }
  }

  private static func toSequence(
    _ value: Value, _ element: ValueType, _ type: ValueType, _ make: ([Value], ValueType) -> Value
  ) throws(Failure) -> Value {
    guard let values = value.asSequence, !values.isEmpty || canConvert(value.type, to: type) else {
      throw mismatch(value.type, type)
    }
    var out: [Value] = []
    out.reserveCapacity(values.count)
    for (i, item) in values.enumerated() {
      do throws(Failure) { out.append(try convert(item, to: element)) } catch { throw error.inside("[\(i)]") }
    }
    let wanted = out.isEmpty ? resolved(value.type, type).element ?? .dynamic : try decided(out, element)
    for i in out.indices {
      do throws(Failure) { out[i] = try convert(out[i], to: wanted) } catch { throw error.inside("[\(i)]") }
    }
    return make(out, wanted)
  }

  /// The one type of all `values`, each of which is of the type `element`: where that has `dynamic` inside, the values decide
  /// together.
  private static func decided(_ values: [Value], _ element: ValueType) throws(Failure) -> ValueType {
    guard element.hasDynamic, !values.isEmpty else { return element.concrete }
    let types = values.map(\.type)
    guard let unified = Unification.unify(types), unified != .dynamic || types.allSatisfy({ $0 == .dynamic }) else {
      throw Failure("all elements must be of one type")
    }
    return unified
  }

  private static func toMap(_ value: Value, _ element: ValueType, _ type: ValueType) throws(Failure) -> Value {
    guard let values = value.asMapping, !values.isEmpty || canConvert(value.type, to: type) else {
      throw mismatch(value.type, type)
    }
    var out: [String: Value] = [:]
    for (key, item) in values {
      do throws(Failure) { out[key] = try convert(item, to: element) } catch { throw error.inside("[\"\(key)\"]") }
    }
    let wanted =
      out.isEmpty
      ? resolved(value.type, type).element ?? .dynamic
      : try decided(out.sorted { $0.key < $1.key }.map(\.value), element)
    for (key, item) in out {
      do throws(Failure) { out[key] = try convert(item, to: wanted) } catch { throw error.inside("[\"\(key)\"]") }
    }
    return .map(out, of: wanted)
  }

  private static func toTuple(_ value: Value, _ types: [ValueType], _ type: ValueType) throws(Failure) -> Value {
    guard case .tuple = value.type, let values = value.asSequence else { throw mismatch(value.type, type) }
    guard values.count == types.count else {
      throw Failure("a tuple of \(types.count) elements is needed here, not of \(values.count)")
    }
    var out: [Value] = []
    for (i, item) in values.enumerated() {
      do throws(Failure) { out.append(try convert(item, to: types[i])) } catch { throw error.inside("[\(i)]") }
    }
    return .tuple(out)
  }

  private static func toObject(
    _ value: Value, _ types: [String: ValueType], _ optional: Set<String>, _ type: ValueType
  ) throws(Failure) -> Value {
    guard let values = value.asMapping else { throw mismatch(value.type, type) }
    var out: [String: Value] = [:]
    for (name, wanted) in types {
      if let item = values[name] {
        do throws(Failure) { out[name] = try convert(item, to: wanted) } catch { throw error.inside(".\(name)") }
      } else if optional.contains(name) {
        out[name] = .null(wanted)
      } else {
        throw mismatch(.object(values.mapValues(\.type)), type)
      }
    }
    return .object(out)
  }

  /// Whether some value of `from` converts to `to`.
  public static func canConvert(_ from: ValueType, to: ValueType) -> Bool {
    if from == to { return true }
    switch (from, to) {
    case (.dynamic, _), (_, .dynamic): return true
    case (.number, .string), (.bool, .string), (.string, .number), (.string, .bool): return true
    case (.list(let a), .list(let b)), (.list(let a), .set(let b)), (.set(let a), .list(let b)),
      (.set(let a), .set(let b)), (.map(let a), .map(let b)):
      return canConvert(a, to: b)
    case (.tuple(let a), .list(let b)), (.tuple(let a), .set(let b)):
      return a.allSatisfy { canConvert($0, to: b) }
    case (.tuple(let a), .tuple(let b)):
      return a.count == b.count && zip(a, b).allSatisfy { canConvert($0, to: $1) }
    case (.object(let a, _), .map(let b)): return a.values.allSatisfy { canConvert($0, to: b) }
    case (.map(let a), .object(let b, _)): return b.values.allSatisfy { canConvert(a, to: $0) }
    case (.object(let a, _), .object(let b, let optional)):
      return b.allSatisfy { name, wanted in
        a[name].map { canConvert($0, to: wanted) } ?? optional.contains(name)
      }
    default: return false
    }
  }

  /// Whether every value of `from` converts to `to` without loss.
  static func isSafe(_ from: ValueType, to: ValueType) -> Bool {
    if from == to { return true }
    switch (from, to) {
    case (_, .dynamic): return true
    case (.dynamic, _): return false
    case (.number, .string), (.bool, .string): return true
    case (.string, .number), (.string, .bool): return false
    // A set loses the order of a list and its duplicates.
    case (.list(let a), .list(let b)), (.set(let a), .set(let b)), (.set(let a), .list(let b)),
      (.map(let a), .map(let b)):
      return isSafe(a, to: b)
    case (.tuple(let a), .list(let b)), (.tuple(let a), .set(let b)): return a.allSatisfy { isSafe($0, to: b) }
    case (.tuple(let a), .tuple(let b)): return a.count == b.count && zip(a, b).allSatisfy { isSafe($0, to: $1) }
    case (.object(let a, _), .map(let b)): return a.values.allSatisfy { isSafe($0, to: b) }
    case (.object(let a, _), .object(let b, let optional)):
      return b.allSatisfy { name, wanted in a[name].map { isSafe($0, to: wanted) } ?? optional.contains(name) }
    default: return false
    }
  }

  /// `to` with what `from` tells about its dynamic places.
  private static func resolved(_ from: ValueType, _ to: ValueType) -> ValueType {
    switch (from, to) {
    case (_, .dynamic): return from
    case (.list(let a), .list(let b)), (.set(let a), .list(let b)): return .list(resolved(a, b))
    case (.list(let a), .set(let b)), (.set(let a), .set(let b)): return .set(resolved(a, b))
    case (.map(let a), .map(let b)): return .map(resolved(a, b))
    case (.tuple(let a), .tuple(let b)) where a.count == b.count: return .tuple(zip(a, b).map(resolved))
    case (.tuple(let a), .list(.dynamic)): return .list(Unification.unify(a) ?? .dynamic)
    case (.tuple(let a), .set(.dynamic)): return .set(Unification.unify(a) ?? .dynamic)
    case (.object(let a, _), .map(.dynamic)):
      return .map(Unification.unify(a.sorted { $0.key < $1.key }.map(\.value)) ?? .dynamic)
    case (.object(let a, _), .object(let b, _)):
      var merged: [String: ValueType] = [:]
      for (name, wanted) in b { merged[name] = a[name].map { resolved($0, wanted) } ?? wanted.concrete }
      return .object(merged)
    default: return to.concrete
    }
  }
}
