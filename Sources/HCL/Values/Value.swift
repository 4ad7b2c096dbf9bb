@_spi(_Unicode) import Swift

/// A value of HCL: a type, and a content that may be unknown or null.
///
/// `==` and hashing compare type and content exactly (two unknowns of a type are equal); the language's `==` operator, which
/// answers "unknown" for unknown operands, is `Operators.equal`.
public struct Value: Sendable, Hashable {
  enum Content: Sendable, Hashable {
    case unknown
    case null
    case bool(Bool)
    case number(Number)
    case string(String)
    /// Elements of a list or tuple, or of a set in its order.
    case sequence([Value])
    /// Elements of a map or attributes of an object.
    case mapping([String: Value])
  }

  /// The type, which null and unknown values have as well.
  public let type: ValueType
  let content: Content
  /// How much work going through the whole value is: one for each value inside, and one for each 16 bytes of text. Values
  /// inside may be shared, so that this can be far more than the memory they take.
  let weight: Int

  init(type: ValueType, content: Content) {
    self.type = type
    self.content = content
    var weight = 1
    switch content {
    case .unknown, .null, .bool, .number: break
    case .string(let s): weight += s.utf8.count / 16
    case .sequence(let values): for value in values { weight = weight.saturatingAdd(value.weight) }
    case .mapping(let values): for value in values.values { weight = weight.saturatingAdd(value.weight) }
    }
    self.weight = weight
  }

  // MARK: Making values

  /// A value of the type about which nothing else is known.
  public static func unknown(_ type: ValueType) -> Value { Value(type: type.concrete, content: .unknown) }
  /// The absence of a value of the type.
  public static func null(_ type: ValueType = .dynamic) -> Value { Value(type: type.concrete, content: .null) }
  /// A value about which nothing is known, not even the type.
  public static let dynamic = Value(type: .dynamic, content: .unknown)

  /// The truth value true.
  public static let `true` = Value(type: .bool, content: .bool(true))
  /// The truth value false.
  public static let `false` = Value(type: .bool, content: .bool(false))
  /// A truth value.
  public static func bool(_ value: Bool) -> Value { value ? .true : .false }
  /// A number.
  public static func number(_ value: Number) -> Value { Value(type: .number, content: .number(value)) }
  /// A whole number.
  public static func number(_ value: Int) -> Value { .number(Number(value)) }

  /// A string, brought to Unicode normalization form C as the specification demands.
  public static func string(_ value: String) -> Value {
    Value(type: .string, content: .string(normalized(value)))
  }

  /// A list. Each element must be of the type `element`.
  public static func list(_ elements: [Value], of element: ValueType) -> Value {
    Value(type: .list(element), content: .sequence(elements))
  }

  /// A set: duplicates are dropped, elements are kept in order. Each element must be of the type `element`. A set that would
  /// hold unknowns is unknown, since elements could turn out equal.
  public static func set(_ elements: [Value], of element: ValueType) -> Value {
    guard elements.allSatisfy(\.isWhollyKnown) else { return .unknown(.set(element)) }
    return Value(type: .set(element), content: .sequence(SetOrder.sorted(elements)))
  }

  /// A map. Each element must be of the type `element`.
  public static func map(_ elements: [String: Value], of element: ValueType) -> Value {
    Value(type: .map(element), content: .mapping(elements))
  }

  /// A tuple: as many elements as given, each of its own type.
  public static func tuple(_ elements: [Value]) -> Value {
    Value(type: .tuple(elements.map(\.type)), content: .sequence(elements))
  }

  /// An object: the attributes given, each of its own type.
  public static func object(_ attributes: [String: Value]) -> Value {
    Value(type: .object(attributes.mapValues(\.type)), content: .mapping(attributes))
  }

  // MARK: Looking into values

  /// Whether the value itself is known; parts of it may not be.
  public var isKnown: Bool { content != .unknown }
  /// Whether it is null.
  public var isNull: Bool {
    if case .null = content { true } else { false }
  }

  /// Whether nothing in it is unknown.
  public var isWhollyKnown: Bool {
    switch content {
    case .unknown: false
    case .null, .bool, .number, .string: true
    case .sequence(let values): values.allSatisfy(\.isWhollyKnown)
    case .mapping(let values): values.values.allSatisfy(\.isWhollyKnown)
    }
  }

  /// The text of a known string.
  public var asString: String? {
    if case .string(let s) = content { s } else { nil }
  }

  /// The number of a known number.
  public var asNumber: Number? {
    if case .number(let n) = content { n } else { nil }
  }

  /// The truth value of a known boolean.
  public var asBool: Bool? {
    if case .bool(let b) = content { b } else { nil }
  }

  /// The elements of a known list, set or tuple.
  public var asSequence: [Value]? {
    if case .sequence(let values) = content { values } else { nil }
  }

  /// The elements of a known map, or the attributes of a known object.
  public var asMapping: [String: Value]? {
    if case .mapping(let values) = content { values } else { nil }
  }

  /// The elements of a known map or object in the language's order: by key.
  public var sortedPairs: [(key: String, value: Value)]? {
    guard let mapping = asMapping else { return nil }
    return mapping.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
  }

  /// Whether `for` and splats can go over it: list, set, tuple, map, object.
  public var canIterate: Bool {
    switch type {
    case .list, .set, .tuple, .map, .object: true
    default: false
    }
  }

  /// Key and value of every element in order: keys are indexes, map keys, or for a set the elements themselves.
  var elements: [(key: Value, value: Value)]? {
    switch content {
    case .sequence(let values):
      if case .set = type { return values.map { (key: $0, value: $0) } }
      return values.enumerated().map { (key: .number($0.offset), value: $0.element) }
    case .mapping:
      return sortedPairs?.map { (key: .string($0.key), value: $0.value) }
    default: return nil
    }
  }

  /// The elements' values in order, for anything that can be iterated.
  var elementValues: [Value]? { asSequence ?? sortedPairs?.map(\.value) }

  private static func normalized(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
    var scalars = String.UnicodeScalarView()
    for scalar in text._nfc { scalars.append(scalar) }
    return String(scalars)
  }
}

/// The order of a set's elements. Strings and numbers sort by value; anything else by a text that is equal exactly for
/// equal values, so that the order is the same in every run.
enum SetOrder {
  static func sorted(_ elements: [Value]) -> [Value] {
    var seen = Set<Value>()
    var unique: [Value] = []
    for element in elements where seen.insert(element).inserted { unique.append(element) }
    let keyed = unique.map { (value: $0, key: key($0)) }
    return keyed.sorted { precedes($0, $1) }.map(\.value)
  }

  private static func precedes(_ a: (value: Value, key: [UInt8]), _ b: (value: Value, key: [UInt8])) -> Bool {
    if a.value.isNull != b.value.isNull { return b.value.isNull }
    switch (a.value.content, b.value.content) {
    case (.string(let x), .string(let y)): return x < y
    case (.number(let x), .number(let y)): return x < y
    case (.bool(let x), .bool(let y)): return !x && y
    default: return a.key.lexicographicallyPrecedes(b.key)
    }
  }

  private static func key(_ value: Value) -> [UInt8] {
    switch value.content {
    case .string, .number, .bool: return []
    default:
      var out: [UInt8] = []
      append(value, &out)
      return out
    }
  }

  private static func append(_ value: Value, _ out: inout [UInt8]) {
    switch value.content {
    case .unknown: out.append(UInt8(ascii: "?"))
    case .null: out.append(UInt8(ascii: "~"))
    case .bool(let b): out.append(UInt8(ascii: b ? "T" : "F"))
    case .number(let n):
      out += n.description.utf8
      out.append(UInt8(ascii: ";"))
    case .string(let s):
      out.append(UInt8(ascii: "\""))
      for byte in s.utf8 {
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { out.append(UInt8(ascii: "\\")) }
        out.append(byte)
      }
      out += "\";".utf8
    case .sequence(let values):
      out.append(UInt8(ascii: "["))
      for element in values { append(element, &out) }
      out.append(UInt8(ascii: "]"))
    case .mapping:
      let isMap = if case .map = value.type { true } else { false }
      out.append(UInt8(ascii: isMap ? "{" : "<"))
      for (key, element) in value.sortedPairs ?? [] {
        if isMap { append(.string(key), &out) }
        append(element, &out)
      }
      out.append(UInt8(ascii: isMap ? "}" : ">"))
    }
  }
}

extension Int {
  func saturatingAdd(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
