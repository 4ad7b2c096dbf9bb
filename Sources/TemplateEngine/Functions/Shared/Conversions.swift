/// Lenient conversions and structural operations that many functions share.
enum Conversions {
  /// Any number, numeric text or Boolean as an integer; 0 where that makes no sense.
  static func int64(_ value: TemplateValue) -> Int64 {
    switch value {
    case .int(let int): return Int64(int)
    case .sized(let sized): return sized.signed
    case .float(let float): return truncated(float)
    case .bool(let bool): return bool ? 1 : 0
    case .string(let text): return NumberSyntax.integer(withoutZeroDecimals(text.bytes)) ?? 0
    default: return 0
    }
  }

  /// As the processor does it: what does not fit becomes the smallest integer.
  static func truncated(_ float: Double) -> Int64 {
    Int64(exactly: float.rounded(.towardZero)) ?? .min
  }

  /// Any number, numeric text or Boolean as a float; 0 where that makes no sense.
  static func float(_ value: TemplateValue) -> Double {
    switch value {
    case .int(let int): return Double(int)
    case .sized(let sized): return sized.kind.isSigned ? Double(sized.signed) : Double(sized.bits)
    case .float(let float): return float
    case .bool(let bool): return bool ? 1 : 0
    case .string(let text): return NumberSyntax.float(text.bytes, special: true) ?? 0
    default: return 0
    }
  }

  /// `12.00` is read as 12.
  private static func withoutZeroDecimals(_ text: [UInt8]) -> [UInt8] {
    var sawZero = false
    for index in text.indices.reversed() {
      switch text[index] {
      case UInt8(ascii: "."): if sawZero { return Array(text[..<index]) }
      case 0x30: sawZero = true
      default: return text
      }
    }
    return text
  }

  /// Go's name for a value's kind.
  static func kind(_ value: TemplateValue) -> String {
    switch value {
    case .nil, .lazy: "invalid"
    case .list, .bytes: "slice"
    case .map: "map"
    case .function: "func"
    case .object(let object): object.typeName.hasPrefix("*") ? "ptr" : "struct"
    default: value.type.description
    }
  }

  /// The elements of a list or of bytes, nil for anything else.
  static func elements(_ value: TemplateValue) throws -> [TemplateValue]? {
    switch value {
    case .list(let list): return try list.elements.map { try $0.resolved() }
    case .bytes(let bytes): return bytes.map { .sized(SizedInteger(.uint8, bits: UInt64($0))) }
    default: return nil
    }
  }

  /// Go's `reflect.DeepEqual`: same types, same contents.
  static func deepEqual(
    _ left: TemplateValue, _ right: TemplateValue, _ rendering: Rendering, depth: Int = 0
  ) throws -> Bool {
    try rendering.charge()
    guard depth <= rendering.limits.depth else { throw LimitExceeded.depth(rendering.limits.depth) }
    switch (try left.resolved(), try right.resolved()) {
    case (.nil, .nil): return true
    case (.bool(let first), .bool(let second)): return first == second
    case (.int(let first), .int(let second)): return first == second
    case (.sized(let first), .sized(let second)): return first == second
    case (.float(let first), .float(let second)): return first == second
    case (.complex(let real, let imaginary), .complex(let otherReal, let otherImaginary)):
      return real == otherReal && imaginary == otherImaginary
    case (.string(let first), .string(let second)): return first == second
    case (.bytes(let first), .bytes(let second)): return first == second
    case (.object(let first), .object(let second)): return first === second
    case (.list(let first), .list(let second)):
      if first === second { return true }
      guard first.elementType == second.elementType, first.count == second.count else { return false }
      for (one, other) in zip(first.elements, second.elements) {
        guard try deepEqual(one, other, rendering, depth: depth + 1) else { return false }
      }
      return true
    case (.map(let first), .map(let second)):
      if first === second { return true }
      let (entries, others) = (first.entries, second.entries)
      guard first.elementType == second.elementType, entries.count == others.count else { return false }
      for (key, value) in entries {
        guard let other = others[key], try deepEqual(value, other, rendering, depth: depth + 1) else { return false }
      }
      return true
    default: return false
    }
  }

  /// A copy that shares no map with the original.
  static func deepCopy(_ value: TemplateValue, _ rendering: Rendering, depth: Int = 0) throws -> TemplateValue {
    try rendering.charge()
    guard depth <= rendering.limits.depth else { throw LimitExceeded.depth(rendering.limits.depth) }
    switch try value.resolved() {
    case .list(let list):
      let copies = try list.elements.map { try deepCopy($0, rendering, depth: depth + 1) }
      return .list(TemplateList(copies, of: list.elementType))
    case .map(let map):
      let copies = try map.entries.mapValues { try deepCopy($0, rendering, depth: depth + 1) }
      return .map(TemplateMap(copies, of: map.elementType))
    case let plain: return plain
    }
  }

  /// Whether a value counts as not set; structures always count as set.
  static func isEmpty(_ value: TemplateValue) -> Bool { !value.isTrue }

  /// Fills `target` from `source`, maps within maps too.
  ///
  /// What is missing or empty in `target` is taken from `source`, nil excepted. With `overwriting` scalars and lists of `source` replace
  /// those of `target`, by nil or nothing too; a map only ever joins another map or fills a gap.
  static func merge(
    _ target: TemplateMap, _ source: TemplateMap, overwriting: Bool, _ rendering: Rendering, depth: Int = 0
  ) throws {
    guard depth <= rendering.limits.depth else { throw LimitExceeded.depth(rendering.limits.depth) }
    for (key, given) in source.sorted {
      try rendering.charge()
      let value = try given.resolved()
      let existing = try target[key]?.resolved()
      let isOpen = existing.map(isEmpty) ?? true
      switch value {
      case .nil where !overwriting: continue
      case .map(let other):
        if case .map(let inner)? = existing {
          if inner !== other { try merge(inner, other, overwriting: overwriting, rendering, depth: depth + 1) }
        } else if isOpen {
          try target.insert(value, for: key)
        }
      default: if overwriting || isOpen { try target.insert(value, for: key) }
      }
    }
  }
}
